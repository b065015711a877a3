//! Going about: tabs, drilling in and Esc back out, the history, what a screen remembers, and leaving.

use roundel::api::Topic;
use roundel::api::builds::Status;

use super::kit::*;
use crate::console::action::{Action, Want};
use crate::console::event::Event;
use crate::console::place::{JobRef, Place};

fn builds() -> Stage {
    Stage::live(Place::Builds, (120, 36), Model::busy())
}

#[test]
fn tabs_are_reached_by_number_and_by_letter_from_everywhere() {
    let tabs = [
        ("2", "queue"),
        ("3", "builds"),
        ("4", "cluster"),
        ("g q", "queue"),
        ("g b", "builds"),
        ("g n", "cluster"),
        ("g c", "cluster"),
    ];
    let starts = [
        Place::Queue,
        Place::Builds,
        Place::Cluster,
        Place::Pipeline(pipeline_id(2)),
        Place::Node("n01".into()),
    ];
    for start in starts {
        for (keys, place) in tabs {
            let mut stage = Stage::live(start.clone(), (80, 24), Model::busy());
            stage.keys(keys);
            assert_eq!(stage.place(), place, "{keys} from {start}");
            assert!(stage.app.overlay().is_none());
        }
    }
}

#[test]
fn a_tab_that_is_not_built_says_so_and_goes_nowhere() {
    for (keys, name) in [("g m", "Metrics"), ("5", "Insights"), ("8", "Support")] {
        let mut stage = builds();
        stage.keys(keys);
        assert_eq!(stage.place(), "builds");
        assert_eq!(stage.flash(), format!("{name} comes later"));
        assert!(stage.app.overlay().is_none(), "the go-to list is closed");
    }
}

#[test]
fn esc_leads_back_the_way_one_came_and_never_out() {
    let mut stage = builds();
    stage.keys("j enter");
    assert_eq!(stage.place(), format!("pipeline:{}", pipeline_id(2)));
    stage.keys("G enter");
    assert!(stage.place().starts_with("job:"), "{}", stage.place());
    stage.keys("esc");
    assert!(stage.place().starts_with("pipeline:"));
    stage.keys("esc");
    assert_eq!(stage.place(), "builds");
    for _ in 0..3 {
        stage.keys("esc");
        assert_eq!(
            (stage.place().as_str(), stage.flash()),
            ("builds", "this is a root; q quits")
        );
    }
    assert_eq!(stage.wanted(), []);
}

#[test]
fn a_job_opened_from_a_node_leads_back_to_that_node() {
    let mut stage = Stage::live(Place::Cluster, (120, 36), Model::busy());
    stage.keys("enter enter");
    assert_eq!(stage.place(), format!("run:{}", run_id(22)));
    stage.keys("esc");
    assert_eq!(stage.place(), "node:n01");
    stage.keys("esc");
    assert_eq!(stage.place(), "cluster");
}

#[test]
fn a_place_gone_to_by_name_leads_up_to_what_lies_above_it() {
    let job = |pipeline: Option<&str>| {
        Place::Job(JobRef {
            pipeline: pipeline.map(str::to_owned),
            job: Some("job-13".into()),
            run: None,
        })
    };
    let above = format!("pipeline:{}", pipeline_id(2));
    let cases = [
        (Place::Pipeline(pipeline_id(2)), "builds"),
        (job(Some(&pipeline_id(2))), &above),
        (Place::Node("n01".into()), "cluster"),
    ];
    for (place, parent) in cases {
        let mut stage = Stage::live(place.clone(), (80, 24), Model::busy());
        stage.keys("esc");
        assert_eq!(stage.place(), parent, "above {place}");
    }
}

#[test]
fn the_history_goes_back_forward_and_to_the_last_place() {
    let mut stage = builds();
    stage.keys("2 4 3");
    let walk = [
        ("[", "cluster", ""),
        ("[", "queue", ""),
        ("[", "builds", ""),
        ("[", "builds", "nothing before this"),
        ("]", "queue", ""),
        ("]", "cluster", ""),
        ("]", "builds", ""),
        ("]", "builds", "nothing after this"),
        ("-", "cluster", ""),
        ("-", "builds", ""),
        ("-", "cluster", ""),
    ];
    for (i, (key, place, said)) in walk.into_iter().enumerate() {
        stage.app.shell.flash = None;
        stage.keys(key);
        assert_eq!(
            (stage.place().as_str(), stage.flash()),
            (place, said),
            "step {i}"
        );
    }
    // Going elsewhere from the middle forgets what was ahead.
    stage.keys("[ [ 2 ]");
    assert_eq!(stage.flash(), "nothing after this");
}

#[test]
fn a_tab_remembers_its_cursor_filter_and_order() {
    let mut stage = builds();
    stage.keys("/");
    stage.types("org");
    stage.keys("enter j");
    let before = stage.frame().lines();
    stage.keys("2 4 3");
    assert_eq!(stage.frame().lines(), before);
    stage.keys("enter esc");
    assert_eq!(stage.frame().lines()[2..], before[2..]);
}

#[test]
fn another_build_begins_at_its_first_job_and_the_same_one_where_it_was_left() {
    let mut stage = builds();
    stage.keys("j enter G");
    stage.frame().has(&["─ deploy"]);
    stage.keys("esc enter");
    stage.frame().has(&["─ deploy"]);
    stage.keys("esc j enter");
    stage.frame().has(&["Builds › org/api #3", "─ build"]);
    stage.keys("esc k enter");
    stage.frame().has(&["Builds › org/api #2", "─ test"]);
}

#[test]
fn whoever_comes_back_sees_what_changed_meanwhile() {
    let mut stage = builds();
    stage.keys("4");
    stage.model.pipelines[1].row.status = Status::Success;
    // This change is told while another screen is shown.
    stage.change(Topic::Builds);
    stage.questions();
    stage.keys("3");
    assert!(
        stage
            .questions()
            .iter()
            .any(|want| matches!(want, Want::Pipelines(_)))
    );
    stage.frame().lacks(&["✗ failed        org/api #2"]);
}

#[test]
fn an_answer_that_comes_after_one_has_left_is_shown_nowhere_and_asked_for_again() {
    let mut stage = Stage::cold(Place::Queue, (120, 36), Model::busy());
    stage.connect();
    let (slot, want) = stage.asked.last().cloned().unwrap();
    stage.keys("4");
    let late = stage.model.answer(&want).map(Box::new);
    stage.event(Event::Answer(slot, want.clone(), late));
    stage.slow = false;
    stage.answer();
    stage.frame().has(&["n01", "3 of 3 shown"]);
    stage.questions();
    stage.keys("2");
    assert_eq!(stage.questions().first(), Some(&want));
    stage.frame().has(&["test-1", "6 of 6 shown"]);
}

#[test]
fn esc_clears_a_filter_before_it_goes_anywhere() {
    for (place, words, all) in [
        (Place::Queue, "test-2", "6 of 6 shown"),
        (Place::Builds, "failed", "3 of 3 shown"),
        (Place::Cluster, "n02", "3 of 3 shown"),
    ] {
        let mut stage = Stage::live(place.clone(), (80, 24), Model::busy());
        stage.keys("/");
        stage.types(words);
        stage.keys("enter");
        stage
            .frame()
            .has(&["1 of 1 shown", &format!("filter / {words}")]);
        stage.keys("esc");
        stage.frame().has(&[all, "filter / none"]);
        assert_eq!((stage.place(), stage.flash()), (place.to_string(), ""));
    }
}

#[test]
fn a_filter_that_nothing_matches_says_so_and_how_to_clear_it() {
    for place in [Place::Queue, Place::Builds, Place::Cluster] {
        for size in SIZES {
            let mut stage = Stage::live(place.clone(), size, Model::busy());
            stage.keys("/");
            stage.types("nothing-like-it");
            stage.keys("enter");
            stage
                .frame()
                .has(&["matches the filter", "Esc clears it", "0 of 0 shown"]);
            stage.keys("esc");
            stage.frame().lacks(&["matches the filter"]);
        }
    }
}

#[test]
fn esc_leaves_the_log_one_step_at_a_time() {
    let job = Place::Job(JobRef {
        pipeline: Some(pipeline_id(2)),
        job: Some("job-13".into()),
        run: None,
    });
    let mut stage = Stage::live(job.clone(), (120, 36), Model::busy());
    stage.keys("/");
    stage.types("error");
    stage.keys("enter s");
    stage.frame().lacks(&["Steps"]);
    stage.keys("esc");
    stage.frame().has(&["Steps", "search / error"]);
    for _ in 0..2 {
        stage.keys("esc");
        assert_eq!(stage.place(), job.to_string());
    }
    stage.frame().has(&["search / none"]);
    stage.keys("esc");
    assert_eq!(stage.place(), format!("pipeline:{}", pipeline_id(2)));
}

#[test]
fn q_goes_back_and_asks_only_at_a_root() {
    let mut stage = builds();
    stage.keys("enter q");
    assert_eq!(stage.place(), "builds");
    assert!(stage.app.overlay().is_none());
    stage.keys("q");
    stage.frame().has(&[
        "Leave the console?",
        "9 runs go on without this console.",
        "Builds never end",
        "[ Stay ]",
    ]);
    stage.keys("enter");
    assert!(stage.app.overlay().is_none());
    assert_eq!(stage.wanted(), [], "Stay has the focus");
    for leave in ["q right enter", "q q", "q tab enter"] {
        stage.keys(leave);
        assert_eq!(stage.wanted(), [Action::Quit], "{leave}");
    }
}

#[test]
fn the_quit_question_says_what_goes_on() {
    for (waiting, running, words) in [
        (0, 0, "Nothing runs or waits."),
        (0, 1, "1 run goes on without this console."),
        (1, 1, "2 runs go on without this console."),
    ] {
        let mut stage = Stage::live(Place::Cluster, (80, 24), Model::empty());
        let mut summary = stage.model.counted();
        (summary.waiting, summary.running) = (waiting, running);
        stage.event(Event::Summary(Box::new(summary)));
        stage.keys("q");
        stage.frame().has(&[words]);
    }
}

#[test]
fn ctrl_c_asks_everywhere_and_leaves_the_second_time() {
    // On a screen, over each kind of overlay, while typing, and without a server.
    for keys in [
        "",
        ":",
        "?",
        "x",
        "g",
        "/",
        "/ a b",
        "S",
        "D",
        "P",
        "enter",
        "enter enter tab",
    ] {
        for place in [Place::Builds, Place::Cluster] {
            let mut stage = Stage::live(place, (80, 24), Model::busy());
            stage.keys(keys);
            stage.wanted();
            stage.keys("ctrl-c");
            stage.frame().has(&["Leave the console?", "[ Stay ]"]);
            assert_eq!(stage.wanted(), [], "after `{keys}`");
            stage.keys("ctrl-c");
            assert_eq!(stage.wanted(), [Action::Quit], "after `{keys}`");
        }
    }
    let mut stage = builds();
    stage.lose("away");
    stage.keys("ctrl-c ctrl-c");
    assert_eq!(stage.wanted(), [Action::Quit]);
}

#[test]
fn esc_after_ctrl_c_stays() {
    let mut stage = builds();
    stage.keys("ctrl-c esc ctrl-c");
    assert_eq!(stage.wanted(), []);
    stage.frame().has(&["[ Stay ]"]);
    stage.keys("s");
    assert!(stage.app.overlay().is_none());
    assert_eq!(stage.wanted(), []);
}

#[test]
fn what_happens_to_the_process_becomes_an_action() {
    let mut stage = builds();
    stage.event(Event::Ended);
    assert_eq!(stage.wanted(), [Action::Quit]);
    stage.event(Event::Resumed);
    assert_eq!(stage.wanted(), [Action::Redraw]);
    stage.keys("ctrl-z");
    assert_eq!(stage.wanted(), [Action::Suspend]);
    stage.keys("ctrl-r");
    assert_eq!(stage.wanted(), [Action::Redraw]);
    stage.lose("away");
    stage.keys("f5");
    assert_eq!(stage.wanted(), [Action::Reconnect, Action::Redraw]);
}

#[test]
fn refreshing_reads_everything_that_is_on_the_screen() {
    for (place, windows) in [
        (Place::Queue, 2),
        (Place::Builds, 2),
        (Place::Cluster, 2),
        (Place::Pipeline(pipeline_id(2)), 1),
        (Place::Node("n01".into()), 1),
    ] {
        let mut stage = Stage::live(place.clone(), (120, 36), Model::busy());
        stage.keys("ctrl-r");
        assert_eq!(stage.questions().len(), windows, "{place}");
    }
}

#[test]
fn a_sentence_goes_after_eight_seconds() {
    let mut stage = builds();
    stage.keys("esc");
    let frame = stage.frame();
    assert!(
        frame.line(34).contains("this is a root"),
        "{}",
        frame.line(34)
    );
    assert!(frame.wake.unwrap() <= stage.now().plus(std::time::Duration::from_secs(8)));
    stage.wait(7_999);
    stage.frame().has(&["this is a root"]);
    stage.wait(1);
    stage.frame().lacks(&["this is a root"]);
    stage.frame().has(&["filter / none"]);
    // A later sentence replaces it and has its own eight seconds.
    stage.keys("esc");
    stage.wait(5_000);
    stage.keys("[");
    stage.wait(5_000);
    stage.frame().has(&["nothing before this"]);
}

#[test]
fn the_locator_is_copied_and_opens_the_same_place() {
    for place in [
        Place::Queue,
        Place::Pipeline(pipeline_id(2)),
        Place::Node("n01".into()),
        Place::Node("it's here".into()),
    ] {
        let mut stage = Stage::live(place.clone(), (80, 24), Model::busy());
        stage.keys("ctrl-g");
        let wanted = stage.wanted();
        let [Action::Copy(command)] = &wanted[..] else {
            panic!("{wanted:?}")
        };
        let name = command.strip_prefix("roundel console --screen ").unwrap();
        let name = name
            .replace("'\\''", "\u{1}")
            .replace('\'', "")
            .replace('\u{1}', "'");
        assert_eq!(Place::parse(&name), Ok(place));
        assert!(stage.flash().contains(command.as_str()));
    }
}
