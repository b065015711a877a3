//! The log under the hands: all runs together and one alone, errors, matches, lines by number, pausing, saving.

use roundel::api::builds::{LogLine, Outcome, RunRow, Status};
use roundel::pipeline::usual::Usual;

use super::kit::*;
use crate::console::action::{Action, Kept, Save, Source, Want};
use crate::console::event::{Done, Event, Failure};
use crate::console::place::{JobRef, Place};
use crate::console::theme::Role;
use roundel::error::Kind;

/// The lines of run `i`: each says its run and its number, and came that many milliseconds after the start.
fn lines_of(i: u32, n: u64) -> Vec<LogLine> {
    let line = |k: u64| LogLine {
        t: NOW.0 * 1000 + i64::try_from(k * 1000).unwrap(),
        ..log_line(k, &format!("run {} line {}", i + 1, k + 1))
    };
    (0..n).map(line).collect()
}

/// A job of three runs whose logs have ten lines each; `ends` says how each ended, `None` = it runs.
fn three(ends: [Option<Outcome>; 3]) -> Model {
    let runs: Vec<RunRow> = ends
        .into_iter()
        .zip(0..)
        .map(|(end, i)| {
            let run = match end {
                Some(outcome) => ended(40 + i, outcome),
                None => running(40 + i),
            };
            RunRow {
                index: i,
                of: 3,
                job: "job-40".into(),
                job_name: "test".into(),
                ..run
            }
        })
        .collect();
    let mut model = Model::empty();
    for (run, i) in runs.iter().zip(0..) {
        let key = (run.attempt.clone(), Some(1));
        model.logs.insert(key, lines_of(i, 10));
    }
    let mut one = job(40, "test", Status::Running, &[]);
    (one.parallelism, one.runs) = (3, runs);
    let pass = workflow("wf-4", "main", vec![one]);
    model.pipelines = vec![pipeline(1, Status::Running, vec![pass])];
    model
}

fn open(model: Model, size: (u16, u16)) -> Stage {
    let place = Place::Job(JobRef {
        pipeline: Some(pipeline_id(1)),
        job: Some("job-40".into()),
        run: None,
    });
    Stage::live(place, size, model)
}

/// The failed job of the busy model: one run, thirty lines.
fn failed(size: (u16, u16)) -> Stage {
    let place = Place::Job(JobRef {
        pipeline: Some(pipeline_id(2)),
        job: Some("job-13".into()),
        run: None,
    });
    Stage::live(place, size, Model::busy())
}

#[test]
fn a_job_of_several_runs_opens_on_all_of_them_by_time_with_tags() {
    for size in [(80, 24), (120, 36)] {
        let stage = open(three([None, None, None]), size);
        let frame = stage.frame();
        frame.has(&["all 3 runs", "30 lines", "run 3 line 10"]);
        let shown: Vec<String> = frame
            .lines()
            .into_iter()
            .filter(|line| line.contains("line 9"))
            .collect();
        let runs = ["run 1 line 9", "run 2 line 9", "run 3 line 9"];
        assert_eq!(shown.len(), 3, "{}", frame.text());
        for ((line, run), tag) in shown.iter().zip(runs).zip([" 1 ", " 2 ", " 3 "]) {
            assert!(line.contains(run) && line.contains(tag), "{line}");
        }
    }
}

#[test]
fn one_key_leads_to_one_run_and_back_and_a_chosen_run_is_shown_alone() {
    let mut stage = open(three([None, None, None]), (120, 36));
    stage.keys("p");
    stage
        .frame()
        .has(&["· run 1 ·", "10 lines", "run 1 line 10"]);
    stage.frame().lacks(&["run 2 line"]);
    stage.keys("p");
    stage.frame().has(&["all 3 runs", "run 2 line 10"]);
    stage.keys("right");
    stage.frame().has(&["· run 1 ·"]);
    stage.keys("right");
    stage.frame().has(&["· run 2 ·", "run 2 line 10"]);
    let mut stage = failed((120, 36));
    stage.keys("p");
    assert_eq!(stage.flash(), "this job has one run");
}

#[test]
fn from_a_match_among_all_runs_the_key_leads_to_that_line_of_its_run() {
    let mut stage = open(three([None, None, None]), (80, 24));
    stage.keys("/");
    stage.types("run 2 line 4");
    stage.keys("enter");
    stage.frame().has(&["paused"]);
    stage.keys("p");
    stage.frame().has(&["· run 2 ·", "run 2 line 4"]);
    let (_, y) = stage.frame().find("run 2 line 4");
    let line = stage.frame().line(y);
    assert!(line.contains("4   run 2 line 4"), "{line}");
}

#[test]
fn where_a_run_has_failed_it_opens_on_that_one_and_all_say_which() {
    let ends = [Some(Outcome::Success), Some(Outcome::Failed), None];
    let mut stage = open(three(ends), (120, 36));
    stage
        .frame()
        .has(&["· run 2 ·", "run 2 line 10", "✗ exit 1"]);
    stage.keys("p");
    stage
        .frame()
        .has(&["all 3 runs", "✗ run 2 step \"Test\" exited with 1"]);
    stage.keys(".");
    stage.frame().has(&["· run 2 ·", "follows"]);
    let mut stage = open(three([None, None, None]), (120, 36));
    stage.keys(".");
    assert_eq!(stage.flash(), "no step has failed");
}

#[test]
fn a_log_of_all_grows_with_each_of_them() {
    let mut stage = open(three([None, None, None]), (80, 24));
    stage.keys("tab f");
    stage.frame().has(&["paused, f follows"]);
    let key = (run_id(42), Some(1));
    stage.model.logs.insert(key, lines_of(2, 1214));
    stage.grow(&run_id(42), 1);
    stage.frame().has(&["paused +1,204 new, f follows"]);
    stage.keys("f");
    stage.frame().has(&["run 3 line 1214", "follows"]);
    stage.frame().lacks(&["new,"]);
    stage.questions();
    stage.grow(&run_id(7), 1);
    assert_eq!(stage.questions(), [], "another run's log is no news");
}

#[test]
fn errors_are_gone_to_one_after_the_other_and_from_the_top_again() {
    let mut stage = failed((80, 24));
    for (n, words) in [(10, ""), (20, ""), (30, ""), (10, "from the top again")] {
        stage.keys("!");
        let frame = stage.frame();
        frame.has(&[&format!("error in line {n}"), words]);
        let selected = frame.selected();
        assert!(
            selected
                .iter()
                .any(|line| line.contains(&format!("error in line {n}"))),
            "{n}: {selected:?}"
        );
    }
    stage.keys("o !");
    stage.frame().has(&["no line looks like an error"]);
}

#[test]
fn matches_are_walked_both_ways_and_counted() {
    let mut stage = failed((120, 36));
    stage.keys("/");
    stage.types("line 2");
    stage.keys("enter");
    stage.frame().has(&["this is line 2", "lines, n N"]);
    stage.keys("n");
    stage.frame().has(&["11 lines, n N"]);
    let here = |stage: &Stage| {
        let lines = stage.frame().selected();
        lines.iter().any(|line| line.contains("line 20"))
    };
    assert!(here(&stage));
    stage.keys("n");
    assert!(!here(&stage));
    stage.keys("N");
    assert!(here(&stage));
    stage.keys("N N");
    stage.frame().has(&["no match above"]);
    // Nothing typed is the next match.
    stage.keys("/ enter");
    assert!(here(&stage));
    stage.keys("/");
    stage.types("nowhere");
    stage.keys("enter");
    stage.frame().has(&["not found"]);
}

#[test]
fn a_number_on_the_command_line_goes_to_that_line() {
    let mut stage = failed((80, 24));
    stage.keys(":");
    stage.types("12");
    stage.keys("enter");
    let selected = stage.frame().selected();
    assert!(
        selected.iter().any(|line| line.contains("this is line 12")),
        "{selected:?}"
    );
    stage.frame().has(&[" of 30 · "]);
    let mut stage = Stage::live(Place::Builds, (80, 24), Model::busy());
    stage.keys(":");
    stage.types("12");
    stage.keys("enter");
    assert_eq!(stage.flash(), "there is no text here with numbered lines");
}

#[test]
fn the_whole_log_is_saved_as_the_verb_prints_it() {
    let saved = |stage: &mut Stage| -> Save {
        stage.keys("ctrl-s");
        stage.frame().has(&["save the whole log to"]);
        stage.keys("enter");
        let wanted = stage.wanted().pop();
        let Some(Action::Save(save)) = wanted else {
            panic!("{wanted:?}")
        };
        save
    };
    let whole = |save: &Save| match &save.what {
        Kept::Log(log) => log.clone(),
        other => panic!("{other:?}"),
    };
    let mut stage = open(three([None, None, None]), (120, 36));
    stage.keys("tab");
    let log = whole(&saved(&mut stage));
    assert_eq!(log.attempts, [run_id(40), run_id(41), run_id(42)]);
    assert_eq!(
        log.command,
        format!(
            "roundel logs --job --raw --step 1 {:012}-0-build-org-api-40",
            40
        )
    );
    stage.keys("p e");
    let save = saved(&mut stage);
    let log = whole(&save);
    assert_eq!(
        (log.attempts.len(), log.step, log.stream.as_deref()),
        (1, Some(1), Some("err"))
    );
    assert!(
        save.path.starts_with("org-api-40-test-1-Test-2") && save.path.ends_with(".log"),
        "{}",
        save.path
    );
    let done = Done {
        text: "saved 1.0 GB to x.log".into(),
        pipeline: None,
    };
    stage.event(Event::Saved(save.clone(), Ok(done)));
    assert_eq!(
        stage.flash(),
        format!("saved 1.0 GB to x.log; the same: {}", log.command)
    );
    let there = Failure::new(Kind::Conflict, "there already");
    stage.event(Event::Saved(save, Err(there)));
    stage
        .frame()
        .has(&["Replace org-api-40-test-1-Test-2", "[ Cancel ]"]);
    stage.keys("esc a");
    let log = whole(&saved(&mut stage));
    assert_eq!((log.step, log.stream), (None, None));
    assert!(
        log.command.starts_with("roundel logs -stderr "),
        "{}",
        log.command
    );
    // On the steps the same key keeps the view.
    stage.keys("esc ctrl-s");
    stage.frame().has(&["save this view to"]);
}

#[test]
fn each_kind_of_log_is_asked_for_by_its_own_name() {
    let mut stage = open(three([None, None, None]), (80, 24));
    for (keys, source) in [
        (
            "p",
            Source::Step {
                attempt: run_id(40),
                step: 1,
            },
        ),
        (
            "a",
            Source::Agent {
                attempt: run_id(40),
            },
        ),
        (
            "p",
            Source::Together {
                job: "job-40".into(),
                step: 1,
            },
        ),
    ] {
        stage.questions();
        stage.keys(keys);
        let asked = stage.questions();
        let lines = asked
            .iter()
            .any(|want| matches!(want, Want::Lines { of, .. } if *of == source));
        assert!(lines, "{keys}: {asked:?}");
    }
}

#[test]
fn a_job_that_runs_says_how_long_it_usually_takes() {
    let mut model = three([None, None, None]);
    let runs = &mut model.pipelines[0].workflows[0].jobs[0].runs;
    for (run, ms) in runs.iter_mut().zip([100_000, 190_000, 150_000]) {
        run.usual = Some(Usual { ms, of: 9 });
    }
    open(model, (80, 24))
        .frame()
        .has(&["▶ running 1m 30s of ~3m 10s"]);
    open(three([None, None, None]), (80, 24))
        .frame()
        .lacks(&[" of ~"]);
}

#[test]
fn a_job_that_waits_for_approval_says_so_and_how_it_is_given() {
    let mut model = Model::empty();
    let mut hold = job(41, "hold", Status::Blocked, &[]);
    (hold.status, hold.queued_at) = (Status::OnHold, Some(ago(180)));
    hold.id = "job-40".into();
    let pass = workflow("wf-4", "main", vec![hold]);
    model.pipelines = vec![pipeline(1, Status::OnHold, vec![pass])];
    for size in [(80, 24), (120, 36)] {
        let frame = open(model.clone(), size).frame();
        frame.has(&["◌ waits for approval", "A approves it", "◌ on hold"]);
        frame.shows("◌ waits for approval", Role::Warning);
    }
}

#[test]
fn where_one_would_look_for_the_test_that_failed_it_says_where_the_output_is() {
    let mut stage = failed((120, 36));
    stage.keys("d");
    stage
        .frame()
        .has(&["results of single tests are not collected yet"]);
    let mut stage = Stage::live(Place::Queue, (120, 36), Model::busy());
    stage.keys("enter d");
    stage
        .frame()
        .lacks(&["results of single tests are not collected yet"]);
}

/// The lines of the log that stand on the screen, without what stands at their left.
fn shown(stage: &Stage) -> Vec<String> {
    let lines = stage.frame().lines().into_iter();
    let lines = lines.filter(|line| line.contains(" line "));
    let from = lines.filter_map(|line| line.rfind("run ").map(|at| line[at..].to_owned()));
    from.collect()
}

#[test]
fn a_pause_asked_for_before_the_end_has_come_is_at_the_end() {
    let mut stage = failed((80, 24));
    stage.keys("tab g g");
    stage.frame().has(&["this is line 1"]);
    stage.frame().lacks(&["this is line 29"]);
    stage.slow = true;
    stage.keys("G f");
    stage.slow = false;
    stage.answer();
    let frame = stage.frame();
    frame.has(&["paused", "line 30", "30 of 30 · 100%"]);
}

#[test]
fn of_a_wrapped_line_longer_than_the_screen_every_part_can_be_read() {
    let mut model = three([None, None, None]);
    let long: String = (0..600).fold(String::new(), |all, n| all + &format!("<{n:03}>"));
    let key = (run_id(40), Some(1));
    let lines = vec![
        log_line(0, "first of all"),
        log_line(1, &long),
        log_line(2, "last of all"),
    ];
    model.logs.insert(key, lines);
    for size in [(80, 24), (120, 36)] {
        let mut stage = open(model.clone(), size);
        stage.keys("p tab w");
        stage.frame().has(&["last of all", "<599>"]);
        stage.keys("g g");
        stage.frame().has(&["first of all", "<000>"]);
        stage.frame().lacks(&["<599>"]);
        let mut seen = stage.frame().text();
        while !stage.frame().text().contains("follows")
            || stage.frame().text().contains("f follows")
        {
            stage.keys("pgdn");
            seen.push_str(&stage.frame().text());
        }
        // A number may be broken at the edge: of each, one of its two neighbours is whole.
        let whole = |n: u32| seen.contains(&format!("<{n:03}>"));
        for n in 1..600 {
            assert!(
                whole(n) || (whole(n - 1) && (n == 599 || whole(n + 1))),
                "{n} was never shown"
            );
        }
        stage.frame().has(&["last of all", "3 lines"]);
        // Row by row up again: the line above comes in where it belongs.
        stage.keys("k");
        stage.frame().has(&["paused", "2 of 3"]);
        stage.frame().lacks(&["last of all"]);
        stage.keys("j");
        stage.frame().has(&["last of all"]);
    }
}

#[test]
fn late_lines_of_a_slow_agent_do_not_move_what_is_read() {
    for late in [3, 90, 2500] {
        let mut model = three([None, None, None]);
        model.logs.insert((run_id(40), Some(1)), lines_of(0, 60));
        let mut stage = open(model, (80, 24));
        stage.keys("tab f");
        let before = shown(&stage);
        assert!(before.len() > 5, "{before:?}");
        let number = |stage: &Stage| stage.frame().line_with(&before[2]);
        let was = number(&stage);
        // An agent that was cut off brings what it wrote long ago.
        let mut lines: Vec<_> = lines_of(2, late + 10);
        lines.iter_mut().for_each(|line| line.t = NOW.0 * 1000 - 1);
        stage.model.logs.insert((run_id(42), Some(1)), lines);
        stage.grow(&run_id(42), 1);
        assert_eq!(shown(&stage), before, "{late}");
        let new = crate::console::text::count(late);
        stage.frame().has(&[&format!("paused +{new} new")]);
        assert_ne!(number(&stage), was, "its number is the one that it has now");
        // From there on it goes as ever.
        stage.keys("k j");
        assert_eq!(shown(&stage), before, "{late}");
        stage.keys("f");
        stage.frame().has(&["run 1 line 60"]);
    }
}
