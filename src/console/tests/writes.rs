//! What can be done from the console, and when not: each verb in each state of its thing, what it asks, what it writes,
//! and what is told of it.

use roundel::api::builds::{Outcome, RunRow, Status};
use roundel::api::fleet::{Drain, NodeRow, SetDrain};
use roundel::error::Kind;
use roundel::pipeline::{Problem, Severity};

use super::kit::*;
use crate::console::action::Write;
use crate::console::event::{Done, Event, Failure};
use crate::console::place::Place;
use crate::console::theme::Role;

fn nodes(node: NodeRow) -> Stage {
    let mut model = Model::empty();
    model.nodes = vec![node];
    Stage::live(Place::Cluster, (80, 24), model)
}

fn build(status: Status) -> Stage {
    let mut model = Model::empty();
    model.pipelines = vec![pipeline(7, status, Vec::new())];
    Stage::live(Place::Builds, (80, 24), model)
}

fn of_run(run: &RunRow) -> Stage {
    let mut model = Model::empty();
    let place = Place::Job(crate::console::place::JobRef {
        run: Some(run.attempt.clone()),
        ..Default::default()
    });
    model.runs = vec![run.clone()];
    Stage::live(place, (80, 24), model)
}

fn drained(node: &str, enable: bool, deadline_s: Option<u64>) -> Write {
    Write::Drain {
        node: node.into(),
        set: SetDrain { enable, deadline_s },
    }
}

#[test]
fn a_run_is_stopped_while_it_is_there_to_be_stopped() {
    let stopping = RunRow {
        stopping: true,
        ..running(5)
    };
    let refused = [
        (
            ended(5, Outcome::Success),
            "cannot stop this run: it has ended already",
        ),
        (
            ended(5, Outcome::Canceled),
            "cannot stop this run: it has ended already",
        ),
        (
            stopping,
            "cannot stop this run: it is being stopped already",
        ),
    ];
    for (row, why) in refused {
        let mut stage = of_run(&row);
        stage.keys("X");
        assert_eq!(stage.flash(), why);
        assert!(stage.app.overlay().is_none());
    }
    for (row, told) in [
        (run(5), "it leaves the queue and ends as canceled"),
        (running(5), "Its steps get TERM, then KILL after 5 s"),
    ] {
        let mut stage = of_run(&row);
        stage.keys("X");
        stage.frame().has(&[
            "Stop org/api #5 test-5?",
            told,
            "[ Cancel ]",
            &format!("roundel stop {}", row.name),
        ]);
        stage.keys("enter");
        assert_eq!(stage.writes(), [], "Cancel has the focus");
        stage.keys("X s");
        let write = Write::StopRun {
            attempt: row.attempt,
            name: row.name,
        };
        assert_eq!(stage.writes(), [write]);
    }
}

#[test]
fn a_build_is_run_again_or_cancelled_by_its_state() {
    let ends = "cannot cancel this build: it has ended already";
    let runs = "cannot run it again: it still runs";
    let empty = "cannot run it again: its config did not compile; push a fix, then build again";
    for (status, rerun, cancel) in [
        (Status::Queued, Some(runs), None),
        (Status::Running, Some(runs), None),
        (Status::Failing, Some(runs), None),
        (Status::Success, None, Some(ends)),
        (Status::Failed, None, Some(ends)),
        (Status::Canceled, None, Some(ends)),
        (Status::Errored, Some(empty), Some(ends)),
    ] {
        for (key, why, opened) in [
            ("r", rerun, "Run org/api #7 again"),
            ("X", cancel, "Cancel org/api #7?"),
        ] {
            let mut stage = build(status);
            stage.keys(key);
            match why {
                Some(why) => assert_eq!(stage.flash(), why, "{status:?}"),
                None => stage.frame().has(&[opened]),
            }
            assert_eq!(
                stage.app.overlay().is_none(),
                why.is_some(),
                "{key} of {status:?}"
            );
            assert_eq!(
                stage.writes(),
                [],
                "nothing happens before somebody has answered"
            );
        }
    }
}

#[test]
fn from_what_failed_is_offered_only_where_something_did() {
    let rerun = |from_failed| Write::Rerun {
        id: pipeline_id(7),
        name: "org/api #7".into(),
        from_failed,
    };
    for (status, key, write) in [
        (Status::Failed, "f", Some(rerun(true))),
        (Status::Canceled, "f", Some(rerun(true))),
        (Status::Success, "f", None),
        (Status::Failed, "r", Some(rerun(false))),
        (Status::Success, "r", Some(rerun(false))),
    ] {
        let mut stage = build(status);
        stage.keys("r");
        stage.keys(key);
        if write.is_none() {
            assert_eq!(stage.flash(), "no job has failed");
        }
        assert_eq!(stage.writes(), Vec::from_iter(write), "{status:?} {key}");
    }
}

#[test]
fn cancelling_says_how_many_jobs_it_ends() {
    let mut stage = build(Status::Running);
    stage.keys("X");
    stage.frame().has(&[
        "2 running jobs and 1 waiting job end as canceled",
        &format!("roundel cancel {}", pipeline_id(7)),
    ]);
    stage.keys("right enter");
    let write = Write::Cancel {
        pipeline: pipeline_id(7),
        name: "org/api #7".into(),
    };
    assert_eq!(stage.writes(), [write]);
}

#[test]
fn a_rerun_of_a_build_with_several_workflows_is_that_of_the_cursors_one() {
    let mut model = Model::empty();
    let jobs = |n, status| vec![job(n, &format!("job-{n}"), status, &[])];
    let flows = vec![
        workflow("wf-old", "main", jobs(1, Status::Failed)),
        workflow("wf-other", "nightly", jobs(2, Status::Failed)),
        workflow("wf-new", "main", jobs(3, Status::Failed)),
    ];
    model.pipelines = vec![pipeline(7, Status::Failed, flows)];
    let mut stage = Stage::live(Place::Pipeline(pipeline_id(7)), (120, 36), model);
    stage.frame().has(&["main", "pass 2", "nightly"]);
    for (keys, id) in [("g g r r", "wf-new"), ("G r f", "wf-other")] {
        stage.keys(keys);
        let writes = stage.writes();
        assert!(
            matches!(&writes[..], [Write::Rerun { id: known, .. }] if known == id),
            "{writes:?}"
        );
    }
}

#[test]
fn a_node_is_drained_after_a_question_that_says_what_runs_there() {
    for (runs, told) in [
        (0, "it is safe to terminate at once"),
        (1, "1 run goes on there until it ends"),
        (12, "12 runs go on there until they end"),
    ] {
        let mut stage = nodes(NodeRow { runs, ..node(7) });
        stage.keys("D");
        stage.frame().has(&[
            "Drain n07?",
            told,
            "roundel node-drain -enable n07",
            "[ Cancel ]",
        ]);
        stage.keys("enter");
        assert_eq!(stage.writes(), []);
    }
    for (keys, write) in [
        ("D d", Some(drained("n07", true, None))),
        ("D right enter", Some(drained("n07", true, None))),
        ("D n", Some(drained("n07", true, Some(0)))),
        ("D left enter", Some(drained("n07", true, Some(0)))),
        ("D u enter", Some(drained("n07", true, Some(600)))),
        (
            "D u ctrl-u 9 0 s enter",
            Some(drained("n07", true, Some(90))),
        ),
        (
            "D u ctrl-u 1 h enter",
            Some(drained("n07", true, Some(3600))),
        ),
        ("D u esc", None),
        ("D esc", None),
        ("D c", None),
    ] {
        let mut stage = nodes(node(7));
        stage.keys(keys);
        assert_eq!(stage.writes(), Vec::from_iter(write), "{keys}");
        assert!(stage.app.overlay().is_none(), "{keys}");
    }
}

#[test]
fn a_deadline_that_is_no_time_is_told_where_it_is_typed() {
    let mut stage = nodes(node(7));
    stage.keys("D u ctrl-u");
    stage.types("soon");
    stage.keys("enter");
    stage.frame().has(&[
        "stop what still runs after",
        "write a time as 12m, 1h or 90s",
    ]);
    stage.frame().shows("write a time", Role::Failed);
    assert_eq!(stage.writes(), []);
    stage.keys("backspace");
    stage.frame().lacks(&["write a time"]);
    stage.keys("ctrl-u 5 m enter");
    assert_eq!(stage.writes(), [drained("n07", true, Some(300))]);
}

#[test]
fn the_verbs_of_a_node_follow_its_state() {
    let draining = NodeRow {
        drain: Some(drain()),
        eligible: false,
        ..node(7)
    };
    let ineligible = NodeRow {
        eligible: false,
        ..node(7)
    };
    let down = NodeRow {
        status: "down".into(),
        ..node(7)
    };
    let mut stage = nodes(draining.clone());
    stage.keys("D");
    stage
        .frame()
        .has(&["End the drain of n07?", "roundel node-drain -disable n07"]);
    stage.keys("e");
    assert_eq!(stage.writes(), [drained("n07", false, None)]);
    stage.keys("C");
    assert_eq!(
        stage.flash(),
        "cannot let it take new work: it drains; end the drain first"
    );
    let mut stage = nodes(ineligible);
    stage.keys("C");
    let eligible = |eligible| Write::Eligibility {
        node: "n07".into(),
        eligible,
    };
    assert_eq!(
        stage.writes(),
        [eligible(true)],
        "it destroys nothing and asks nothing"
    );
    let mut stage = nodes(node(7));
    stage.keys("C");
    stage.frame().has(&["Give n07 no new work?", "[ Cancel ]"]);
    stage.keys("n");
    assert_eq!(stage.writes(), [eligible(false)]);
    let mut stage = nodes(down.clone());
    stage.keys("D");
    assert_eq!(stage.flash(), "cannot drain it: the node is down");
    let mut stage = nodes(NodeRow {
        drain: Some(drain()),
        ..down
    });
    stage.keys("D");
    assert_eq!(stage.flash(), "cannot end its drain: the node is down");
}

#[test]
fn a_node_tells_how_its_drain_stands_and_when_it_is_safe() {
    let deadline = |at| NodeRow {
        drain: Some(Drain {
            deadline: Some(at),
            ..drain()
        }),
        runs: 2,
        eligible: false,
        ..node(7)
    };
    let drained = NodeRow {
        drain: Some(drain()),
        safe_to_terminate: true,
        ..node(7)
    };
    let cases: [(NodeRow, &[&str]); 5] = [
        (
            node(7),
            &[
                "● ready",
                "not drained",
                "drain by hand",
                "roundel node-drain -enable n07",
                "safe in ~2 min (median of 7 runs)",
            ],
        ),
        (
            deadline(later(600)),
            &[
                "◐ draining",
                "not yet: 2 runs",
                "end by hand",
                &format!("deadline {}", later(600).local("%H:%M")),
            ],
        ),
        (deadline(ago(120)), &["passed", "not yet: 2 runs"]),
        (
            drained,
            &[
                "○ drained",
                "safe to terminate",
                "roundel node-drain -disable n07",
            ],
        ),
        (
            NodeRow {
                eligible: false,
                ..node(7)
            },
            &["– ineligible"],
        ),
    ];
    for (row, words) in cases {
        let mut model = Model::empty();
        model.nodes = vec![row];
        for place in [Place::Cluster, Place::Node("n07".into())] {
            Stage::live(place, (120, 36), model.clone())
                .frame()
                .has(words);
        }
    }
}

#[test]
fn whoever_cannot_write_sees_why_on_every_verb() {
    let away = |stage: &mut Stage| stage.lose("gone");
    let full = |stage: &mut Stage| {
        stage.model.summary.read_only = Some("store full".into());
        stage.summary();
    };
    let cases: [(fn(&mut Stage), &str); 2] = [
        (away, "the server is away"),
        (full, "the server is read-only: store full"),
    ];
    for (breaks, why) in cases {
        let mut stage = nodes(node(7));
        breaks(&mut stage);
        for (key, label) in [("D", "drain it"), ("C", "give it no new work")] {
            stage.keys(key);
            assert_eq!(stage.flash(), format!("cannot {label}: {why}"));
        }
        stage.keys("x");
        stage.frame().has(&[why, "drain it"]);
        stage.keys("enter");
        assert_eq!(stage.flash(), why);
        for line in ["build /srv/web", "undrain n07"] {
            stage.keys(":");
            stage.types(line);
            stage.keys("enter");
            assert_eq!(stage.flash(), format!("not done: {why}"), "{line}");
        }
        // A question that was open when it broke is not answered into the void.
        assert_eq!(stage.writes(), []);
        let mut stage = nodes(node(7));
        stage.keys("D");
        breaks(&mut stage);
        stage.keys("d");
        assert_eq!(stage.flash(), format!("not done: {why}"));
        assert_eq!(stage.writes(), []);
        // Reading goes on.
        stage.keys("y");
        stage.frame().has(&["\"name\": \"n07\""]);
    }
}

#[test]
fn each_write_stands_as_a_command_with_what_came_of_it() {
    let mut stage = nodes(node(7));
    stage.keys("@");
    stage.frame().has(&[
        "Nothing was written in this session.",
        "roundel console --screen cluster",
    ]);
    stage.keys("esc D d");
    let write = stage.writes().remove(0);
    stage.keys("@");
    stage
        .frame()
        .has(&["roundel node-drain -enable n07", "◌ under way"]);
    stage.keys("esc");
    let done = Done {
        text: "n07 drains".into(),
        pipeline: None,
    };
    stage.event(Event::Written(write.clone(), Ok(done)));
    assert_eq!(stage.flash(), "n07 drains");
    stage.keys("@");
    stage.frame().has(&["✓ n07 drains"]);
    stage.frame().lacks(&["under way"]);
    stage.keys("esc D n");
    let write = stage.writes().remove(0);
    let failure = Failure {
        hint: Some("wait a while".into()),
        ..Failure::new(Kind::Conflict, "n07 is busy")
    };
    stage.event(Event::Written(write, Err(failure)));
    assert_eq!(stage.flash(), "✗ n07 is busy; wait a while");
    stage.keys("@");
    let frame = stage.frame();
    frame.has(&[
        "✓ n07 drains",
        "✗ n07 is busy",
        "node-drain -enable -deadline 0 n07",
    ]);
    let newest = frame.find("✗ n07 is busy").1;
    assert!(
        newest < frame.find("✓ n07 drains").1,
        "the newest stands on top"
    );
}

#[test]
fn a_config_that_does_not_compile_is_shown_with_each_problem() {
    let mut stage = build(Status::Success);
    let problem = Problem {
        severity: Severity::Error,
        file: ".circleci/config.yml".into(),
        line: 7,
        column: 3,
        end_line: 7,
        end_column: 9,
        key: "jobs.build".into(),
        message: "unknown key `stepz`".into(),
        hint: Some("did you mean `steps`?".into()),
    };
    let failure = Failure {
        problems: vec![problem],
        ..Failure::new(Kind::Usage, "the config has 1 problem")
    };
    let write = Write::Build {
        source: "/srv/web".into(),
    };
    stage.event(Event::Written(write, Err(failure)));
    let frame = stage.frame();
    frame.has(&[
        "the config has 1 problem",
        "✗ .circleci/config.yml:7:3: error: unknown key `stepz`",
        "did you mean `steps`?",
    ]);
    assert_eq!(stage.place(), "builds", "there is no build to go to");
    stage.keys("esc");
    assert!(stage.app.overlay().is_none());
}
