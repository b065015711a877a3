//! The Dashboard as it is drawn, and where its Enter leads.

use roundel::api::dashboard::{Dashboard, Urgency};
use roundel::api::services::Phase;

use crate::console::action::{Want, Write};
use crate::console::place::Place;
use crate::console::tests::kit::*;
use crate::console::theme::Role;

fn stage(size: (u16, u16), answer: Dashboard) -> Stage {
    let model = Model {
        dashboard: Some(answer),
        ..Model::busy()
    };
    Stage::live(Place::Dashboard, size, model)
}

#[test]
fn it_answers_whether_all_is_well_at_every_size() {
    for size in SIZES {
        let stage = stage(size, much());
        let frame = stage.frame();
        frame.has(&[
            "Needs attention",
            "n02 is past its drain deadline",
            "● Started",
        ]);
        frame.shows("✗ 42 min", Role::Failed);
        frame.stands_on("n02 is past its drain deadline");
        if size.1 < 24 {
            continue;
        }
        frame.has(&[
            "Roundel 0.4.0",
            "22 running",
            "14 waiting",
            "98.6 %",
            "Services",
            "Last builds",
            "org/api #1",
            "34 %",
            "12 GB",
            "61 %",
            "no space left",
        ]);
        frame.shows("! slow", Role::Warning);
        frame.shows("✗ failing", Role::Failed);
    }
    let wide = stage((120, 36), much());
    wide.frame().has(&[
        "Queue under 1 s",
        "Runs, last hour",
        "60 ┤",
        "This machine, last 15 min",
        "max 71 %",
        "1.2 MB/s",
        "Cluster › n02",
    ]);
}

#[test]
fn certificates_stand_with_their_days_and_press_when_they_end() {
    for size in [(80, 24), (120, 36), (200, 60)] {
        let frame = stage(size, much()).frame();
        frame.has(&["public ci.example.com 61 d left", "console console.exam"]);
        frame.shows("12 d left", Role::Warning);
    }
    let mut ended = much();
    ended.certificates[0].days_left = -3;
    ended.certificates[1].days_left = 700_000;
    ended.certificates[1].trouble = Some("they do not fit".into());
    let refused = stage((120, 36), ended.clone());
    refused.frame().shows("expired", Role::Failed);
    refused.frame().shows("new one refused", Role::Failed);
    ended.certificates[1].locked = true;
    let locked = stage((120, 36), ended);
    locked.frame().shows("its key is locked", Role::Failed);
}

#[test]
fn a_young_server_says_how_far_its_history_goes() {
    let mut young = much();
    young.machine.samples.truncate(18);
    young.objective.minutes.clear();
    young.attention.clear();
    let stage = stage((120, 36), young);
    stage.frame().has(&[
        "This machine, 3 min since the start",
        "no run in the last hour",
        "Needs attention  ✓ nothing",
    ]);
}

#[test]
fn enter_goes_to_the_thing_itself() {
    for (keys, place) in [
        ("enter", "node:n02".to_owned()),
        ("j enter", "queue".to_owned()),
        ("tab tab enter", format!("pipeline:{}", pipeline_id(1))),
        ("G enter", format!("pipeline:{}", pipeline_id(3))),
        ("k enter", "settings:privacy".to_owned()),
        ("backtab enter", "settings:privacy".to_owned()),
        ("k k j enter", "node:n02".to_owned()),
        ("tab j j j enter", "cluster".to_owned()),
    ] {
        let mut stage = stage((120, 36), much());
        stage.keys(keys);
        assert_eq!(stage.place(), place, "{keys}");
        stage.keys("esc");
        assert_eq!(stage.place(), "dashboard", "{keys}");
    }
    let mut stage = stage((120, 36), much());
    stage.keys("tab enter");
    stage
        .frame()
        .has(&["99 of 100 engine within 2 ms", "health"]);
    stage.keys("esc backtab");
    stage.frame().stands_on("n02 is past its drain deadline");
}

#[test]
fn what_is_set_wrong_leads_to_its_form_and_so_do_the_certificates_above() {
    for size in SIZES {
        let mut set = much();
        let text = "1 run waits for a VM, and the VM provider fails: no room";
        set.attention
            .insert(0, item(Urgency::Now, 50, text, "settings:vm"));
        let mut stage = stage(size, set);
        stage.frame().stands_on("1 run waits for a VM");
        if size.0 >= 100 {
            stage.frame().has(&["Settings › vm"]);
        }
        stage.keys("k");
        stage.frame().stands_on("ci.example.com 61 d left");
        stage.frame().has(&["signed by"]);
        stage.keys("enter");
        assert_eq!(stage.place(), "settings:privacy");
        stage.keys("esc");
        stage.frame().stands_on("ci.example.com 61 d left");
        stage.keys("j enter");
        assert_eq!(stage.place(), "settings:vm");
    }
}

#[test]
fn the_line_below_says_what_to_do_about_the_thing_under_the_cursor() {
    let mut stage = stage((80, 24), much());
    stage
        .frame()
        .has(&["to do  help for n02 is past its drain deadline"]);
    stage.keys("tab");
    stage.frame().has(&["no error since the server started"]);
    stage.keys("j j");
    stage.frame().has(&["last error ", "no space left"]);
    stage.keys("tab");
    stage.frame().has(&["commit  "]);
}

#[test]
fn the_cursor_follows_its_thing_while_others_come_and_go() {
    let mut stage = stage((120, 36), much());
    stage.keys("j");
    stage.frame().stands_on("1 run will never start");
    let mut more = much();
    more.attention.insert(
        0,
        item(Urgency::Now, 1, "the disk is nearly full", "dashboard"),
    );
    stage.model.dashboard = Some(more);
    stage.keys("ctrl-r");
    stage.frame().stands_on("1 run will never start");
    let mut gone = much();
    gone.attention.remove(1);
    stage.model.dashboard = Some(gone);
    stage.keys("ctrl-r");
    stage.frame().stands_on("the installation is well");
}

#[test]
fn it_is_stopped_with_a_question_and_started_again() {
    let mut stage = stage((80, 24), much());
    stage.keys("X");
    let frame = stage.frame();
    frame.has(&[
        "Stop the installation?",
        "22 runs go on until they end.",
        "[ Cancel ]",
        "roundel services stop -yes",
    ]);
    stage.keys("enter");
    assert_eq!(stage.writes(), Vec::<Write>::new());
    stage.keys("X right enter");
    assert_eq!(stage.writes(), [Write::Services { start: false }]);
    let mut stopped = much();
    stopped.installation.phase = Phase::Stopped;
    stage.model.dashboard = Some(stopped);
    stage.keys("ctrl-r");
    stage.frame().has(&["○ Stopped", "starts it"]);
    stage.keys("x");
    stage.frame().has(&["start the installation"]);
    stage.keys("esc X right enter");
    assert_eq!(stage.writes(), [Write::Services { start: true }]);
}

#[test]
fn changes_ask_again_at_most_once_a_second_and_silence_every_ten() {
    let mut stage = stage((120, 36), much());
    let asked = |stage: &mut Stage| {
        let all = stage.questions();
        all.iter().filter(|want| **want == Want::Dashboard).count()
    };
    asked(&mut stage);
    for _ in 0..50 {
        stage.change(roundel::api::Topic::Runs);
    }
    assert_eq!(asked(&mut stage), 0, "within the same second");
    stage.wait(1000);
    assert_eq!(asked(&mut stage), 1);
    stage.wait(8999);
    assert_eq!(asked(&mut stage), 0);
    stage.wait(1001);
    assert_eq!(asked(&mut stage), 1);
}
