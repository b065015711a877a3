//! Every screen in every state it can be in: empty, loading, live, stale, without a server, refused, broken in one pane.

use std::time::Duration;

use roundel::error::Kind;

use super::kit::*;
use crate::console::action::{Action, Want};
use crate::console::event::{Event, Failure, Link};
use crate::console::place::{JobRef, Place};
use crate::console::theme::Role;

/// The job `test` of the failed build: its log has thirty lines.
fn failed_job() -> Place {
    Place::Job(JobRef {
        pipeline: Some(pipeline_id(2)),
        job: Some("job-13".into()),
        run: None,
    })
}

/// Each screen, and words that it shows of [`Model::busy`] at every size.
fn screens() -> Vec<(Place, &'static [&'static str])> {
    vec![
        (Place::Queue, &["6 waiting", "3 running", "test-1"]),
        (
            Place::Builds,
            &["org/api #1", "org/api #2", "✗ failed", "✓ success"],
        ),
        (
            Place::Pipeline(pipeline_id(2)),
            &["org/api #2", "deploy", "lint"],
        ),
        (
            failed_job(),
            &["Spin up environment", "Test", "exited with 1"],
        ),
        (
            Place::Cluster,
            &["3 nodes", "n01", "● ready", "◐ draining", "✗ down"],
        ),
        (
            Place::Node("n02".into()),
            &["Cluster › n02", "draining since", "not yet: 1 run"],
        ),
    ]
}

#[test]
fn live_screens_show_their_things_at_every_size() {
    for (place, words) in screens() {
        for size in SIZES {
            let stage = Stage::live(place.clone(), size, Model::busy());
            let frame = stage.frame();
            frame.has(words);
            frame.lacks(&["loading", "reconnecting", "✗ no"]);
            assert_eq!(frame.lines().len(), usize::from(size.1), "{place}");
            let small = frame
                .text()
                .contains("59×14 is small: 60×15 shows all of it");
            assert_eq!(small, size == (59, 14), "{place} at {size:?}");
            // Help is named wherever there is room for hints.
            assert_eq!(
                frame.text().contains("? help"),
                !small,
                "{place} at {size:?}"
            );
        }
    }
}

#[test]
fn large_terminals_have_tabs_and_a_locator_and_small_ones_name_the_tab() {
    for (place, _) in screens() {
        let large = Stage::live(place.clone(), (200, 60), Model::busy()).frame();
        large.has(&[
            "2 Queue",
            "3 Builds",
            "4 Cluster",
            "● live",
            "jobs run as ci",
        ]);
        large.has(&["roundel console --screen"]);
        let small = Stage::live(place.clone(), (80, 24), Model::busy()).frame();
        let name = ["", "", "2 Queue", "3 Builds", "4 Cluster"][usize::from(place.tab().0)];
        assert!(small.line(0).contains(name), "{}", small.line(0));
    }
}

#[test]
fn nothing_is_said_to_load_before_the_eye_could_notice() {
    for (place, _) in screens() {
        let mut stage = Stage::cold(place.clone(), (120, 36), Model::busy());
        stage.connect();
        assert!(!stage.questions().is_empty(), "{place}");
        stage.wait(149);
        stage.frame().lacks(&["loading"]);
        let wake = stage.frame().wake.unwrap();
        assert_eq!(wake, stage.now().plus(Duration::from_millis(1)), "{place}");
        stage.wait(1);
        stage.frame().has(&["◌ loading"]);
        stage.answer();
        stage.frame().lacks(&["loading"]);
        assert!(stage.app.screen().is_settled(), "{place}");
        assert!(stage.app.screen().seq().is_some(), "{place}");
    }
}

#[test]
fn before_the_first_connection_every_screen_says_that_it_waits_for_the_server() {
    for (place, _) in screens() {
        for size in [(80, 24), (120, 36)] {
            let mut stage = Stage::cold(place.clone(), size, Model::busy());
            stage.frame().has(&["no server", "◌ connecting"]);
            stage.wait(200);
            stage.frame().has(&["◌ nothing read yet"]);
        }
    }
}

#[test]
fn a_lost_server_leaves_its_last_data_greyed_and_counts_down() {
    for (place, words) in screens() {
        let mut stage = Stage::live(place.clone(), (120, 36), Model::busy());
        stage.lose("the server has ended");
        let frame = stage.frame();
        frame.has(words);
        frame.has(&[
            "reconnecting in 5 s",
            "data of ",
            "the server has ended",
            "Enter starts one here",
        ]);
        frame.shows("reconnecting", Role::Warning);
        let before = frame.lines();
        stage.wait(2100);
        let after = stage.frame();
        after.has(&["reconnecting in 3 s"]);
        // The data is as old as it was: no age moves.
        assert_eq!(before[2..34], after.lines()[2..34], "{place}");
        // A second is the shortest time after which the countdown looks different.
        let woken = after.wake.unwrap().since(stage.now());
        assert!(
            woken <= Duration::from_secs(1) && !woken.is_zero(),
            "{place}: {woken:?}"
        );
    }
}

#[test]
fn whoever_is_signed_out_is_told_why_and_keeps_what_was_shown() {
    let why = "signed out: its person is in no group any more";
    for (place, words) in screens() {
        for size in [(80, 24), (120, 36), (200, 60)] {
            let mut stage = Stage::live(place.clone(), size, Model::busy());
            stage.sign_out(why);
            let frame = stage.frame();
            frame.has(words);
            frame.has(&["✗ signed out", why, "`roundel login`"]);
            frame.lacks(&["reconnecting", "starts one here"]);
            frame.shows("✗ signed out", Role::Failed);
            assert_eq!(stage.questions(), [], "{place}: nobody to ask");
            assert!(stage.app.shell.write_protected().is_some());
            stage.connect();
            stage.frame().lacks(&["signed out"]);
        }
    }
}

#[test]
fn states_of_old_data_lose_their_colour_and_get_it_back() {
    let mut stage = Stage::live(Place::Builds, (120, 36), Model::busy());
    stage.frame().shows("✗ failed", Role::Failed);
    stage.frame().shows("✓ success", Role::Ok);
    stage.lose("away");
    stage.frame().shows("✗ failed", Role::Muted);
    stage.frame().shows("✓ success", Role::Muted);
    stage.connect();
    stage.frame().shows("✗ failed", Role::Failed);
    stage.frame().lacks(&["reconnecting", "starts one here"]);
}

#[test]
fn what_changed_while_the_server_was_away_is_read_when_it_is_back() {
    for (place, words) in screens() {
        let mut stage = Stage::live(place.clone(), (120, 36), Model::busy());
        stage.lose("away");
        assert_eq!(stage.questions(), [], "{place}: nobody to ask");
        stage.connect();
        assert!(!stage.questions().is_empty(), "{place}");
        stage.frame().has(words);
    }
}

#[test]
fn a_question_that_the_broken_connection_swallowed_is_asked_again() {
    for (place, words) in screens() {
        let mut stage = Stage::cold(place.clone(), (120, 36), Model::busy());
        stage.connect();
        stage.lose("away");
        stage.questions();
        stage.slow = false;
        stage.connect();
        assert!(!stage.questions().is_empty(), "{place}");
        stage.frame().has(words);
    }
}

#[test]
fn data_stays_as_old_as_it_is_through_failed_tries_and_a_server_that_does_not_start() {
    let mut stage = Stage::live(Place::Builds, (120, 36), Model::busy());
    stage.lose("away");
    let since = NOW.local("%H:%M:%S");
    stage.frame().has(&[&format!("data of {since}")]);
    stage.wait(61_000);
    stage.lose("still away");
    stage
        .frame()
        .has(&["still away", &format!("data of {since}")]);
    let old = stage.frame().line_with("#2");
    stage.keys("enter");
    assert_eq!(stage.wanted(), [Action::StartServer]);
    stage.frame().has(&["starting a server"]);
    assert_eq!(
        stage.frame().line_with("#2"),
        old,
        "ages stand still while a server starts"
    );
    stage.wait(10_000);
    stage.event(Event::NotStarted(Failure::new(
        Kind::Infrastructure,
        "the disk is full",
    )));
    assert_eq!(stage.wanted(), [Action::Reconnect]);
    stage
        .frame()
        .has(&["no server was started: the disk is full"]);
    stage.lose("no server answers");
    stage.frame().has(&[&format!("data of {since}")]);
    assert_eq!(stage.frame().line_with("#2"), old);
}

#[test]
fn with_no_server_enter_starts_one_on_every_screen() {
    for (place, _) in screens() {
        let mut stage = Stage::cold(place.clone(), (80, 24), Model::busy());
        stage.lose("no server answers");
        stage
            .frame()
            .has(&["no server answers", "Enter starts one here"]);
        stage.keys("enter");
        assert_eq!(stage.wanted(), [Action::StartServer], "{place}");
        stage.frame().has(&["◌ starting a server"]);
        assert_eq!(stage.place(), place.to_string(), "it goes nowhere");
        stage.slow = false;
        stage.connect();
        stage.frame().lacks(&["starting a server"]);
    }
}

#[test]
fn a_refusal_stands_where_the_data_would_with_its_hint_and_a_key() {
    for (place, words) in screens() {
        for size in [(80, 24), (120, 36), (200, 60)] {
            let mut model = Model::busy();
            let failure = Failure {
                hint: Some("ask ann for a token".into()),
                ..Failure::new(Kind::Refused, "uid 1001 may not read this")
            };
            model.refuses = Some((|_| true, failure));
            let mut stage = Stage::live(place.clone(), size, model);
            let frame = stage.frame();
            frame.has(&[
                "✗ uid 1001 may not read this",
                "ask ann for a token",
                "ctrl-r tries again",
            ]);
            frame.shows("✗ uid 1001", Role::Failed);
            frame.lacks(&["loading"]);
            stage.questions();
            stage.wait(10_000);
            assert_eq!(
                stage.questions(),
                [],
                "{place}: a refusal is not asked again unasked"
            );
            stage.model.refuses = None;
            stage.keys("ctrl-r");
            stage.frame().lacks(&["may not read"]);
            stage.frame().has(words);
        }
    }
}

#[test]
fn a_refusal_after_data_keeps_the_data_and_says_so_below() {
    for (place, words) in screens() {
        let mut stage = Stage::live(place.clone(), (120, 36), Model::busy());
        let failure = Failure::new(Kind::Unavailable, "the store is locked");
        stage.model.refuses = Some((|_| true, failure));
        stage.keys("ctrl-r");
        let frame = stage.frame();
        frame.has(words);
        let footer = frame.line(34);
        let told = footer.contains("✗ the store is locked");
        assert!(told, "{place}: `{footer}` says nothing of the failure");
    }
}

#[test]
fn a_pane_that_fails_takes_no_other_with_it() {
    let run = |want: &Want| matches!(want, Want::Run(_));
    let node = |want: &Want| matches!(want, Want::Node(_));
    let build = |want: &Want| matches!(want, Want::Pipeline(_));
    let lines = |want: &Want| matches!(want, Want::Lines { .. });
    let cases: [(Place, fn(&Want) -> bool, &[&str]); 4] = [
        (Place::Queue, run, &["test-6", "how long runs waited"]),
        (Place::Cluster, node, &["n01", "n03"]),
        (Place::Builds, build, &["org/api #3", "3 of 3 shown"]),
        (failed_job(), lines, &["Spin up environment", "deploy"]),
    ];
    for (place, refused, rest) in cases {
        let mut model = Model::busy();
        model.refuses = Some((refused, Failure::new(Kind::Internal, "it broke here")));
        let frame = Stage::live(place.clone(), (120, 36), model).frame();
        frame.has(rest);
        if place != Place::Cluster {
            frame.has(&["✗ it broke here", "ctrl-r tries again"]);
        }
    }
}

#[test]
fn what_is_not_there_says_so_and_is_no_success_for_scripts() {
    let missing = [
        Place::Pipeline("ffff".into()),
        Place::Node("n99".into()),
        Place::Job(JobRef {
            run: Some("ffff".into()),
            ..JobRef::default()
        }),
        Place::Job(JobRef {
            pipeline: Some(pipeline_id(2)),
            job: Some("no-such-job".into()),
            run: None,
        }),
    ];
    for place in missing {
        let stage = Stage::live(place.clone(), (80, 24), Model::busy());
        let screen = stage.app.screen();
        assert_eq!(screen.refused(), Some(Kind::NotFound), "{place}");
        assert!(screen.is_settled(), "{place}");
        stage.frame().has(&["✗ "]);
    }
    for (place, _) in screens() {
        let stage = Stage::live(place.clone(), (80, 24), Model::busy());
        assert_eq!(stage.app.screen().refused(), None, "{place}");
    }
}

#[test]
fn empty_screens_say_what_would_stand_there_and_how_to_make_it() {
    let cases: [(Place, &[&str]); 3] = [
        (
            Place::Queue,
            &["Nothing waits.", "roundel build .", "3 what ran and runs"],
        ),
        (
            Place::Builds,
            &["Nothing has been built here yet.", "roundel build ."],
        ),
        (Place::Cluster, &["No node yet.", "adds this machine"]),
    ];
    for (place, words) in cases {
        for size in SIZES {
            let stage = Stage::live(place.clone(), size, Model::empty());
            stage.frame().has(words);
            assert_eq!(stage.app.screen().total(), Some(0));
        }
    }
}

#[test]
fn a_server_that_takes_no_writes_says_so_on_every_screen() {
    for (place, _) in screens() {
        let mut model = Model::busy();
        model.summary.read_only = Some("store full: 12 MB left".into());
        let large = Stage::live(place.clone(), (120, 36), model.clone()).frame();
        large.has(&[
            "read-only: store full",
            "✗ the server is read-only: store full: 12 MB left",
        ]);
        large.shows("read-only", Role::Failed);
        let small = Stage::live(place.clone(), (80, 24), model).frame();
        assert!(small.line(0).contains("read-only"), "{}", small.line(0));
    }
}

#[test]
fn a_server_with_another_clock_shows_its_own_ages() {
    let mut model = Model::busy();
    // The server is an hour ahead, and so are its rows.
    model.summary.now = later(3600);
    for one in &mut model.pipelines {
        one.row.created_at = one.row.created_at.plus(Duration::from_secs(3600));
    }
    let mut stage = Stage::live(Place::Builds, (120, 36), model);
    assert_eq!(stage.app.shell.skew, 3_600_000);
    assert!(stage.frame().line_with("org/api #2").contains("2 min ago"));
    let wake = stage.frame().wake.unwrap();
    assert!(
        wake > stage.now() && wake <= stage.now().plus(Duration::from_secs(60)),
        "{wake}"
    );
    // A moment that an answer took to come is no other clock.
    stage.model.summary.now = stage.now().plus(Duration::from_millis(1500));
    stage.summary();
    assert_eq!(stage.app.shell.skew, 0);
}

#[test]
fn an_idle_screen_asks_nothing_and_wakes_only_when_a_text_changes() {
    for (place, _) in screens() {
        let mut stage = Stage::live(place.clone(), (120, 36), Model::busy());
        for _ in 0..20 {
            let before = stage.frame();
            let wake = before
                .wake
                .unwrap_or_else(|| panic!("{place}: the clock ticks at least"));
            let ms = u64::try_from(wake.since(stage.now()).as_millis()).unwrap();
            assert!((1..=60_000).contains(&ms), "{place}: {ms}");
            if ms > 1 {
                stage.wait(ms - 1);
                assert_eq!(
                    stage.frame().lines(),
                    before.lines(),
                    "{place}: changed before it said"
                );
            }
            stage.wait(1);
        }
        assert_eq!(stage.questions(), [], "{place}");
    }
}

#[test]
fn the_other_link_states_never_blank_a_screen() {
    for (place, words) in screens() {
        let mut stage = Stage::live(place, (120, 36), Model::busy());
        for link in [Link::Connecting, Link::Starting] {
            stage.event(Event::Link(link));
            stage.frame().has(words);
        }
    }
}
