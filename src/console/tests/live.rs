//! Lists against a server on which things come, go and move: what is asked for, when, and that the cursor holds still.

use std::collections::HashSet;

use proptest::prelude::*;
use roundel::api::builds::RunRow;
use roundel::api::{Change, Topic};

use super::kit::*;
use crate::console::action::{Slot, Want};
use crate::console::event::Event;
use crate::console::place::{JobRef, Place};

/// A queue of this many runs.
fn queue(n: u32) -> Model {
    let mut model = Model::empty();
    model.runs = (1..=n).map(run).collect();
    model
}

fn query(want: &Want) -> roundel::api::ListQuery {
    match want {
        Want::Runs(query) | Want::Pipelines(query) | Want::Nodes(query) => query.clone(),
        other => panic!("no list: {other:?}"),
    }
}

/// The job in the cursor's row.
fn here(stage: &Stage) -> String {
    let selected = stage.frame().selected();
    let row = selected.iter().find(|line| line.contains("test-"));
    let words = row.and_then(|line| {
        line.split_whitespace()
            .find(|word| word.starts_with("test-"))
    });
    words
        .unwrap_or_else(|| panic!("no cursor in\n{}", stage.frame().text()))
        .to_owned()
}

fn line_of(stage: &Stage, words: &str) -> u16 {
    stage.frame().find(words).1
}

#[test]
fn each_screen_asks_once_for_what_it_shows() {
    let job = Place::Job(JobRef {
        pipeline: Some(pipeline_id(2)),
        job: Some("job-13".into()),
        run: None,
    });
    for (place, slots) in [
        (Place::Queue, vec![Slot::Rows, Slot::Detail]),
        (Place::Builds, vec![Slot::Rows, Slot::Detail]),
        (Place::Pipeline(pipeline_id(2)), vec![Slot::Detail]),
        (job, vec![Slot::Detail, Slot::Run, Slot::Log]),
        (Place::Cluster, vec![Slot::Rows, Slot::Detail]),
        (Place::Node("n01".into()), vec![Slot::Detail]),
    ] {
        let mut stage = Stage::cold(place.clone(), (120, 36), Model::busy());
        stage.slow = false;
        stage.answer();
        stage.connect();
        stage.wait(60_000);
        let mut asked = HashSet::new();
        for (slot, want) in &stage.asked {
            asked.insert(*slot);
            // Once before the stream was open and once when it was: what changed between them must not be lost.
            let same = stage
                .asked
                .iter()
                .filter(|(_, other)| other == want)
                .count();
            assert!(same <= 2, "{place}: {want:?} was asked {same} times");
        }
        assert_eq!(asked, slots.into_iter().collect(), "{place}");
    }
}

#[test]
fn a_queue_asks_for_what_waits_in_its_order_and_no_more_than_a_few_screens() {
    for size in [(80, 24), (120, 36), (200, 60)] {
        let mut stage = Stage::cold(Place::Queue, size, queue(1000));
        let first = query(&stage.questions()[0]);
        assert_eq!(
            (first.state.as_str(), first.sort.as_str()),
            ("pending", "place")
        );
        assert_eq!(
            (first.offset, first.around, first.filter.as_str()),
            (Some(0), None, "")
        );
        let limit = first.limit.unwrap();
        assert!(
            limit >= u64::from(size.1) && limit <= 4 * u64::from(size.1),
            "{limit} at {size:?}"
        );
    }
}

#[test]
fn small_terminals_do_not_ask_for_panels_that_they_do_not_show() {
    for place in [Place::Queue, Place::Builds, Place::Cluster] {
        let mut stage = Stage::live(place.clone(), (59, 14), Model::busy());
        stage.keys("ctrl-r j");
        assert_eq!(stage.questions().len(), 1, "{place}");
        stage.event(Event::Resize(120, 36));
        let asked = stage.questions();
        let detail =
            |want: &&Want| matches!(want, Want::Run(_) | Want::Pipeline(_) | Want::Node(_));
        assert_eq!(asked.iter().filter(detail).count(), 1, "{place}: {asked:?}");
    }
}

#[test]
fn moving_asks_about_the_row_and_rarely_for_more_rows() {
    let mut stage = Stage::live(Place::Queue, (80, 24), queue(1000));
    let mut lists = 0;
    for n in 2..60 {
        stage.keys("j");
        assert_eq!(here(&stage), format!("test-{n}"));
        let asked = stage.questions();
        lists += asked
            .iter()
            .filter(|want| matches!(want, Want::Runs(_)))
            .count();
        let about: Vec<&Want> = asked
            .iter()
            .filter(|want| matches!(want, Want::Run(_)))
            .collect();
        assert_eq!(about, [&Want::Run(run_id(n))]);
    }
    assert!(lists <= 4, "{lists} windows for 58 rows");
}

#[test]
fn a_burst_of_keys_before_an_answer_asks_only_for_the_last_place() {
    let mut stage = Stage::live(Place::Queue, (80, 24), queue(1000));
    stage.slow = true;
    for _ in 0..20 {
        stage.keys("pgdn");
    }
    stage.questions();
    stage.slow = false;
    stage.answer();
    // Every question that was overtaken was dropped: two are left, for the rows and for the one under the cursor.
    assert!(stage.questions().len() <= 3);
    let at = here(&stage);
    stage.frame().lacks(&[" ·\n"]);
    stage.keys("G");
    assert_eq!(here(&stage), "test-1000");
    stage.keys("g g");
    assert_eq!(here(&stage), "test-1");
    assert_ne!(at, "test-1");
}

#[test]
fn the_ends_of_a_list_are_walls() {
    let mut stage = Stage::live(Place::Queue, (80, 24), queue(30));
    stage.keys("k pgup ctrl-u");
    assert_eq!(here(&stage), "test-1");
    stage.keys("G j pgdn ctrl-d");
    assert_eq!(here(&stage), "test-30");
    stage.frame().has(&["of 30 shown", "above ↑"]);
    stage.frame().lacks(&["below ↓"]);
    stage.keys("home");
    stage.frame().has(&["below ↓"]);
    stage.frame().lacks(&["above ↑"]);
}

#[test]
fn half_and_whole_pages_move_by_what_is_on_the_screen() {
    let mut stage = Stage::live(Place::Queue, (80, 24), queue(500));
    let number = |stage: &Stage| {
        here(stage)
            .trim_start_matches("test-")
            .parse::<u32>()
            .unwrap()
    };
    stage.keys("pgdn");
    let page = number(&stage) - 1;
    assert!((8..=20).contains(&page), "{page}");
    stage.keys("pgdn");
    assert_eq!(number(&stage), 1 + 2 * page);
    stage.keys("pgup");
    assert_eq!(number(&stage), 1 + page);
    stage.keys("ctrl-d");
    assert_eq!(number(&stage), 1 + page + page / 2);
    stage.keys("ctrl-u");
    assert_eq!(number(&stage), 1 + page);
}

#[test]
fn rows_that_come_and_go_above_leave_the_cursors_row_where_it_is() {
    let mut stage = Stage::live(Place::Queue, (120, 36), queue(200));
    stage.keys("pgdn pgdn j j j");
    let (at, line) = (here(&stage), line_of(&stage, &here(&stage)));
    for n in 900..905 {
        stage.model.runs.insert(
            0,
            RunRow {
                place: Some(0),
                ..run(n)
            },
        );
        stage.change(Topic::Runs);
        assert_eq!((here(&stage), line_of(&stage, &at)), (at.clone(), line));
    }
    stage.model.runs.drain(0..9);
    stage.change(Topic::Runs);
    assert_eq!((here(&stage), line_of(&stage, &at)), (at.clone(), line));
    // Those below matter as little.
    stage.model.runs.truncate(60);
    stage.change(Topic::Runs);
    assert_eq!((here(&stage), line_of(&stage, &at)), (at, line));
    stage.frame().has(&["of 60 shown"]);
}

#[test]
fn when_the_cursors_row_goes_the_next_takes_its_line_and_the_last_the_end() {
    let mut stage = Stage::live(Place::Queue, (120, 36), queue(6));
    stage.keys("j j");
    stage.model.runs.remove(2);
    stage.change(Topic::Runs);
    assert_eq!(here(&stage), "test-4");
    stage.keys("G");
    assert_eq!(here(&stage), "test-6");
    stage.model.runs.pop();
    stage.change(Topic::Runs);
    assert_eq!(here(&stage), "test-5");
    stage.model.runs.clear();
    stage.change(Topic::Runs);
    stage.frame().has(&["Nothing waits."]);
    stage.model.runs.push(run(9));
    stage.change(Topic::Runs);
    assert_eq!(here(&stage), "test-9");
}

#[test]
fn another_order_begins_at_its_top_and_keeps_the_filter() {
    let mut stage = Stage::live(Place::Queue, (120, 36), queue(40));
    stage.keys("/");
    stage.types("test-1");
    stage.keys("enter G");
    stage.questions();
    stage.keys("S down enter");
    let asked = query(&stage.questions()[0]);
    assert_eq!((asked.filter.as_str(), asked.offset), ("test-1", Some(0)));
    assert!(
        !asked.sort.is_empty() && asked.sort != "place",
        "{}",
        asked.sort
    );
    assert_eq!(here(&stage), "test-1");
}

#[test]
fn a_change_of_something_else_asks_for_nothing() {
    for (place, topic) in [
        (Place::Queue, Topic::Audit),
        (Place::Queue, Topic::Builds),
        (Place::Builds, Topic::Audit),
        (Place::Builds, Topic::Nodes),
        (Place::Cluster, Topic::Builds),
        (Place::Pipeline(pipeline_id(2)), Topic::Nodes),
        (Place::Node("n01".into()), Topic::Builds),
    ] {
        let mut stage = Stage::live(place.clone(), (120, 36), Model::busy());
        stage.change(topic);
        assert_eq!(stage.questions(), [], "{place} and {topic:?}");
    }
    let mut stage = Stage::live(Place::Queue, (120, 36), Model::busy());
    stage.event(Event::Reset);
    assert_eq!(
        stage.questions().len(),
        2,
        "after missed changes all of it is read"
    );
}

#[test]
fn many_changes_while_an_answer_is_on_its_way_are_one_question() {
    let mut stage = Stage::live(Place::Queue, (120, 36), Model::busy());
    stage.slow = true;
    for seq in 0..200 {
        stage.event(Event::Change(Change {
            seq,
            topic: Topic::Runs,
            ids: vec![run_id(1)],
        }));
    }
    assert_eq!(stage.questions().len(), 2);
    stage.model.runs.insert(
        0,
        RunRow {
            place: Some(0),
            ..run(99)
        },
    );
    stage.slow = false;
    stage.answer();
    // What changed after the question was sent is asked for once more.
    assert_eq!(stage.questions().len(), 2);
    stage.frame().has(&["test-99"]);
}

#[test]
fn a_build_under_way_updates_its_graph_and_the_cursor_stays_on_its_job() {
    use roundel::api::builds::Status;
    let mut stage = Stage::live(Place::Pipeline(pipeline_id(1)), (120, 36), Model::busy());
    stage.keys("j");
    stage.frame().has(&["─ test", "▶ running"]);
    let jobs = &mut stage.model.pipelines[0].workflows[0].jobs;
    jobs.insert(0, job(20, "prepare", Status::Success, &[]));
    jobs[2] = job(22, "test", Status::Failed, &["build"]);
    stage.change(Topic::Builds);
    stage.frame().has(&["─ test", "✗ failed", "prepare"]);
}

#[test]
fn the_cursor_of_a_node_follows_its_run() {
    let mut stage = Stage::live(Place::Node("n01".into()), (120, 36), Model::busy());
    stage.keys("j");
    stage.frame().stands_on("test-23");
    let new = RunRow {
        node: Some("n01".into()),
        ..running(50)
    };
    stage.model.runs.insert(0, new);
    stage.change(Topic::Runs);
    stage.frame().stands_on("test-23");
    stage.frame().has(&["test-50"]);
    stage.model.runs.retain(|run| run.number != 23);
    stage.change(Topic::Runs);
    stage.frame().stands_on("test-");
    stage.frame().lacks(&["test-23"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    /// The row under the cursor changes only by keys, or when it is gone.
    #[test]
    fn the_cursors_row_holds_still_under_any_changes(
        moves in prop::collection::vec(0usize..6, 0..12),
        changes in prop::collection::vec((0u8..4, 0usize..400), 1..24),
    ) {
        let mut stage = Stage::live(Place::Queue, (80, 24), queue(120));
        stage.keys("j");
        for step in moves {
            stage.keys(["j", "k", "pgdn", "pgup", "ctrl-d", "G"][step]);
        }
        let mut fresh = 1000;
        for (kind, at) in changes {
            let before = here(&stage);
            let line = line_of(&stage, &format!("{before} "));
            let runs = &mut stage.model.runs;
            let at = if runs.is_empty() { 0 } else { at % runs.len() };
            match kind {
                0 => { fresh += 1; runs.insert(at, run(fresh)); }
                1 if runs.len() > 30 => { runs.remove(at); }
                2 => runs.rotate_left(at / 10),
                _ => runs.swap(at, 0),
            }
            for (place, run) in runs.iter_mut().enumerate() {
                run.place = Some(place as u64 + 1);
            }
            let alive = runs.iter().any(|run| run.job_name == before);
            stage.change(Topic::Runs);
            let after = here(&stage);
            if alive {
                prop_assert_eq!(&after, &before);
                let total = stage.app.screen().total().unwrap();
                let shown = stage.frame().lines().iter().filter(|line| line.contains("test-")).count() as u64;
                // Only at an end of the list may it have to move.
                let hidden = stage.frame().text().contains("above ↑") && stage.frame().text().contains("below ↓");
                if hidden && total > shown {
                    prop_assert_eq!(line_of(&stage, &format!("{after} ")), line);
                }
            }
        }
    }
}
