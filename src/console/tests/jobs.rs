//! The job screen: which run, which step and which part of its log it shows, and what it asks for.

use roundel::api::builds::{JobRow, LogQuery, Outcome, Reason, RunRow, Status, StepStatus};

use super::kit::*;
use crate::console::action::{Source, Want};
use crate::console::place::{JobRef, Place};

fn place_of(job: &str) -> Place {
    Place::Job(JobRef {
        pipeline: Some(pipeline_id(2)),
        job: Some(job.into()),
        run: None,
    })
}

fn failed() -> Stage {
    Stage::live(place_of("job-13"), (120, 36), Model::busy())
}

/// A job of these runs, as the only one of its build.
fn of_runs(runs: Vec<RunRow>) -> Model {
    let mut model = Model::busy();
    let runs: Vec<RunRow> = runs
        .into_iter()
        .zip(0..)
        .map(|(run, index)| RunRow {
            index,
            of: 7,
            job_name: "test".into(),
            ..run
        })
        .collect();
    let one = JobRow {
        parallelism: u32::try_from(runs.len()).unwrap(),
        runs,
        ..job(13, "test", Status::Failed, &[])
    };
    model.pipelines[1].workflows[0].jobs = vec![one];
    model
}

/// The attempt whose log was asked for last.
fn attempt_of_log(stage: &mut Stage) -> Option<(String, Option<u16>)> {
    let asked = stage.questions().into_iter().rev();
    let mut logs = asked.filter_map(|want| match want {
        Want::Lines {
            of: Source::Step { attempt, step },
            ..
        } => Some((attempt, Some(step))),
        Want::Lines {
            of: Source::Agent { attempt },
            ..
        } => Some((attempt, None)),
        _ => None,
    });
    logs.next()
}

fn last_query(stage: &mut Stage) -> LogQuery {
    let asked = stage.questions().into_iter().rev();
    let mut logs = asked.filter_map(|want| match want {
        Want::Lines { query, .. } => Some(query),
        _ => None,
    });
    logs.next().unwrap()
}

#[test]
fn it_opens_on_the_end_of_the_log_of_what_failed() {
    let stage = failed();
    let frame = stage.frame();
    frame.has(&[
        "Builds › org/api #2",
        "test",
        "✗ failed",
        "this is line 29",
        "error in line 30",
        "exit 1 after 12 s",
    ]);
    frame.has(&["exited with 1", "make test", "30 lines", "on n01"]);
    frame.lacks(&["this is line 1 "]);
}

#[test]
fn of_several_runs_the_one_that_failed_is_shown_and_the_others_are_a_key_away() {
    let (ok, bad) = (Outcome::Success, Outcome::Failed);
    let model = of_runs(vec![
        ended(41, ok),
        running(42),
        ended(43, bad),
        ended(44, ok),
    ]);
    let mut stage = Stage::live(place_of("job-13"), (120, 36), model);
    stage
        .frame()
        .has(&["Runs", "run 3", "✓ 1", "▶ 2", "✗ 3", "✓ 4"]);
    stage.keys(">");
    assert_eq!(
        attempt_of_log(&mut stage).map(|log| log.0),
        Some(run_id(44))
    );
    stage.frame().has(&["run 4"]);
    stage.keys("> >");
    stage.frame().has(&["run 4"]);
    stage.keys("< < < < <");
    stage.frame().has(&["run 1"]);
    assert_eq!(
        attempt_of_log(&mut stage).map(|log| log.0),
        Some(run_id(41))
    );
}

#[test]
fn where_none_failed_the_one_that_runs_is_shown_and_else_the_first() {
    let ok = Outcome::Success;
    for (runs, shown) in [
        (vec![ended(41, ok), running(42), run(43)], "run 2"),
        (vec![run(41), run(42)], "run 1"),
        (vec![ended(41, ok), ended(42, ok)], "run 1"),
        (vec![running(41), ended(42, Outcome::Timedout)], "run 2"),
    ] {
        let stage = Stage::live(place_of("job-13"), (120, 36), of_runs(runs));
        stage.frame().has(&[shown]);
    }
}

#[test]
fn more_runs_than_there_is_room_for_are_scrolled_to() {
    let runs = (0..60).map(|n| running(100 + n)).collect();
    let mut stage = Stage::live(place_of("job-13"), (120, 36), of_runs(runs));
    for _ in 0..60 {
        stage.keys(">");
    }
    stage.frame().has(&["▶ 60", "run 60"]);
    stage.frame().lacks(&["▶ 1 "]);
}

#[test]
fn the_step_that_failed_runs_or_wrote_last_is_shown_first() {
    use StepStatus::{Canceled, Failed, Running, Skipped, Success, Timedout, Waiting};
    for (statuses, index) in [
        (vec![Success, Success, Failed, Success], 2),
        (vec![Success, Timedout, Skipped], 1),
        (vec![Success, Canceled, Skipped], 1),
        (vec![Success, Running, Waiting], 1),
        (vec![Success, Success, Success], 2),
        (vec![Success, Skipped, Skipped], 0),
        (vec![Waiting, Waiting], 0),
    ] {
        let mut model = Model::busy();
        let attempt = model.pipelines[1].workflows[0].jobs[2].runs[0]
            .attempt
            .clone();
        let steps = statuses.iter().zip(0..);
        let steps = steps.map(|(status, i)| step(i, &format!("step {i}"), *status));
        model.steps.insert(attempt, steps.collect());
        let mut stage = Stage::cold(place_of("job-13"), (120, 36), model);
        stage.slow = false;
        stage.answer();
        stage.connect();
        let asked = attempt_of_log(&mut stage).map(|log| log.1);
        assert_eq!(asked, Some(Some(index)), "{statuses:?}");
    }
}

#[test]
fn steps_are_walked_and_each_has_its_log() {
    let mut stage = failed();
    stage.keys("k");
    assert_eq!(attempt_of_log(&mut stage).map(|log| log.1), Some(Some(0)));
    stage.frame().has(&["no output"]);
    stage.keys("k");
    stage.keys("G");
    assert_eq!(attempt_of_log(&mut stage).map(|log| log.1), Some(Some(1)));
    stage.frame().has(&["error in line 30"]);
    stage.keys("home j j j");
    stage.frame().has(&["error in line 30"]);
}

#[test]
fn the_agents_own_log_is_a_key_away_and_back() {
    let mut stage = failed();
    let attempt = stage.model.pipelines[1].workflows[0].jobs[2].runs[0]
        .attempt
        .clone();
    stage
        .model
        .logs
        .insert((attempt, None), vec![log_line(0, "agent began")]);
    stage.keys("a");
    assert_eq!(attempt_of_log(&mut stage).map(|log| log.1), Some(None));
    stage.frame().has(&["Build Agent’s own log", "agent began"]);
    stage.keys("a");
    stage.frame().has(&["error in line 30"]);
    stage.frame().lacks(&["agent began"]);
}

#[test]
fn streams_are_told_apart_and_shown_alone() {
    let mut stage = failed();
    stage.keys("e");
    assert_eq!(last_query(&mut stage).stream.as_deref(), Some("err"));
    let frame = stage.frame();
    frame.has(&[
        "error in line 10",
        "error in line 20",
        "error in line 30",
        "stderr",
    ]);
    frame.lacks(&["this is line"]);
    stage.keys("o");
    assert_eq!(last_query(&mut stage).stream.as_deref(), Some("out"));
    stage.frame().lacks(&["error in line"]);
    stage.keys("b");
    assert_eq!(last_query(&mut stage).stream, None);
    stage.frame().has(&["this is line 29", "error in line 30"]);
}

#[test]
fn a_log_that_follows_shows_what_comes_and_one_that_stands_counts_it() {
    let mut model = Model::busy();
    let attempt = model.pipelines[0].workflows[0].jobs[1].runs[0]
        .attempt
        .clone();
    let name = (attempt.clone(), Some(1));
    model.logs.insert(
        name.clone(),
        (0..100)
            .map(|n| log_line(n, &format!("row {n}.")))
            .collect(),
    );
    let place = Place::Job(JobRef {
        pipeline: Some(pipeline_id(1)),
        job: Some("job-22".into()),
        run: None,
    });
    let mut stage = Stage::live(place, (120, 36), model);
    stage.frame().has(&["row 99.", "follows"]);
    let grow = |stage: &mut Stage, text: &str| {
        let log = stage.model.logs.get_mut(&name).unwrap();
        let n = log.len() as u64;
        log.push(log_line(n, text));
        stage.grow(&attempt, 1);
    };
    grow(&mut stage, "row 100.");
    stage.frame().has(&["row 100."]);
    stage.keys("tab k");
    let before = stage.frame();
    before.has(&["paused"]);
    before.lacks(&["new"]);
    for n in 101..104 {
        grow(&mut stage, &format!("row {n}."));
    }
    let after = stage.frame();
    after.has(&["paused", "+3 new"]);
    after.lacks(&["row 103."]);
    stage.keys("f");
    stage.frame().has(&["row 103.", "follows"]);
    stage.frame().lacks(&["paused"]);
    // Whoever goes up and down to the end again follows it, too.
    stage.keys("pgup");
    stage.frame().has(&["paused"]);
    stage.keys("G");
    stage.frame().has(&["row 103.", "follows"]);
    // Another step's log or another run's growing is none of its business.
    stage.questions();
    stage.grow("someone-else", 1);
    stage.grow(&attempt, 0);
    assert_eq!(stage.questions(), []);
}

#[test]
fn a_log_is_walked_from_end_to_end() {
    let mut stage = failed();
    stage.keys("tab home");
    stage.frame().has(&["this is line 1", "paused"]);
    stage.frame().lacks(&["error in line 30"]);
    stage.keys("j");
    stage.frame().lacks(&["this is line 1 "]);
    stage.keys("k k k");
    stage.frame().has(&["this is line 1"]);
    stage.keys("pgdn pgdn pgdn");
    stage.frame().has(&["error in line 30"]);
}

#[test]
fn a_search_goes_through_the_whole_log_and_round() {
    let mut stage = failed();
    stage.keys("/");
    stage.types("error");
    stage.keys("enter");
    let frame = stage.frame();
    frame.has(&["error in line 10", "search / error", "3 lines"]);
    let at = |stage: &Stage| {
        let rows = stage.frame().selected();
        rows.into_iter()
            .filter(|row| row.contains("error in line"))
            .collect::<String>()
    };
    for (key, line) in [
        ("", "line 10"),
        ("n", "line 20"),
        ("n", "line 30"),
        ("N", "line 20"),
        ("N", "line 10"),
    ] {
        stage.keys(key);
        assert!(at(&stage).contains(line), "after `{key}`: {}", at(&stage));
    }
    stage.keys("N");
    stage.frame().has(&["no match above"]);
    stage.keys("n n n");
    stage.frame().has(&["from the top again"]);
    assert!(at(&stage).contains("line 10"), "{}", at(&stage));
    stage.keys("/ ctrl-u");
    stage.types("no such words");
    stage.keys("enter");
    stage.frame().has(&["not found"]);
}

#[test]
fn without_words_there_is_no_next_match() {
    let mut stage = failed();
    for key in ["n", "N"] {
        stage.keys(key);
        assert_eq!(stage.flash(), "nothing is searched for; / searches");
    }
}

#[test]
fn wrapping_and_scrolling_sideways_show_all_of_a_long_line() {
    let mut model = Model::busy();
    let attempt = model.pipelines[1].workflows[0].jobs[2].runs[0]
        .attempt
        .clone();
    let long = format!("{}the-very-end", "x".repeat(300));
    let ends = |stage: &Stage| stage.frame().text().contains("-end");
    model
        .logs
        .insert((attempt, Some(1)), vec![log_line(0, &long)]);
    let mut stage = Stage::live(place_of("job-13"), (120, 36), model);
    assert!(!ends(&stage));
    stage.keys("w");
    assert!(ends(&stage));
    stage.keys("w tab");
    for _ in 0..17 {
        stage.keys("right");
    }
    assert!(ends(&stage));
    for _ in 0..20 {
        stage.keys("left");
    }
    assert!(!ends(&stage));
}

#[test]
fn a_run_that_waits_says_why_and_where_it_stands_instead_of_a_log() {
    let never = RunRow {
        reason: Some(Reason {
            code: "never".into(),
            text: "no executor \"macos\": will never start".into(),
            never: true,
        }),
        place: Some(1203),
        ..run(77)
    };
    let mut model = Model::busy();
    model.runs.push(never);
    let place = Place::Job(JobRef {
        run: Some(run_id(77)),
        ..JobRef::default()
    });
    let mut stage = Stage::live(place, (120, 36), model);
    let frame = stage.frame();
    frame.has(&[
        "◌ waits for 12 min",
        "no executor \"macos\": will never start",
        "1,203rd in line",
    ]);
    frame.shows("no executor", crate::console::theme::Role::Failed);
    assert_eq!(
        attempt_of_log(&mut stage),
        None,
        "there is no log to ask for"
    );
    assert!(stage.app.screen().is_settled());
}

#[test]
fn a_job_that_has_no_run_yet_says_so() {
    let mut stage = Stage::live(place_of("job-14"), (120, 36), Model::busy());
    stage.frame().has(&["deploy", "not in the queue yet"]);
    stage.wait(10_000);
    stage.frame().lacks(&["loading"]);
    assert!(stage.app.screen().is_settled());
}

#[test]
fn a_name_means_the_job_in_the_newest_pass() {
    let mut model = Model::busy();
    let again = job(53, "test", Status::Success, &[]);
    model.pipelines[1]
        .workflows
        .push(workflow("wf-9", "main", vec![again]));
    let stage = Stage::live(place_of("test"), (120, 36), model);
    stage.frame().has(&["✓ success"]);
    stage.frame().lacks(&["exited with 1"]);
}
