//! More of the engine with a real store: the last of the tests that belong to no subject of their own.

use std::time::Duration;

use super::*;
use crate::clock;

#[tokio::test]
async fn every_write_leaves_an_audit_row_refused_ones_too() {
    let dir = tempfile::tempdir().unwrap();
    let bench = start_in(dir.path(), NO_LIMITS);
    bench.build(DIAMOND).await;
    let unknown = FleetCommand::SetEligibility {
        node: NodeId::fresh(),
        eligible: false,
    };
    bench
        .engine
        .handle
        .send(Command::Fleet(unknown), actor(), None)
        .await
        .unwrap_err();
    let rows = bench
        .engine
        .view
        .store
        .audit(
            &WindowQuery {
                limit: 9,
                ..WindowQuery::default()
            },
            None,
        )
        .unwrap()
        .rows;
    let told: Vec<_> = rows
        .iter()
        .map(|row| (row.entry.action.as_str(), row.entry.result == "ok"))
        .collect();
    assert_eq!(told, [("node.eligibility", false), ("build.create", true)]);
    assert!(rows.iter().all(|row| row.entry.actor == "uid 1000 (ann)"));
}

#[tokio::test]
async fn lists_from_memory_and_from_the_store_agree() {
    let dir = tempfile::tempdir().unwrap();
    let bench = start_in(dir.path(), NO_LIMITS);
    for _ in 0..4 {
        bench.build(DIAMOND).await;
    }
    let placed = bench.runs(RunState::Running);
    assert!(placed.len() > 1, "some run, some wait");
    bench.end_attempt(placed[0].id, Outcome::Success).await;
    let waits = bench.runs(RunState::Pending);
    bench
        .send(BuildCommand::StopRun(waits[0].id))
        .await
        .unwrap();

    let both = vec![RunState::Pending, RunState::Running];
    for states in [vec![RunState::Pending], vec![RunState::Running], both] {
        for sort in [
            "", "job", "project", "waiting", "state", "node", "started", "needs", "name",
        ] {
            for filter in [
                "",
                "acme",
                "N1",
                "!running",
                "b #2",
                "status:pending job:b",
                "workflow:main class:medium",
                "-f bacme",
                "! node:n1",
                "status:slow",
            ] {
                for around in [None, Some(waits[1].id.to_string())] {
                    let filter = filter.to_owned();
                    let query = WindowQuery {
                        filter,
                        sort: sort.to_owned(),
                        order: crate::store::Order::Descending,
                        limit: 2,
                        offset: 1,
                        around,
                        now: 0,
                    };
                    let of = RunFilter {
                        states: states.clone(),
                        node: None,
                    };
                    let view = &bench.engine.view;
                    let (hot, stored) = (view.runs(&of, &query), view.store.runs(&of, &query));
                    let ids = |found: &crate::store::Window<RunRecord>| {
                        let rows: Vec<AttemptId> = found.rows.iter().map(|run| run.id).collect();
                        (rows, found.total, found.offset)
                    };
                    assert_eq!(ids(&hot.unwrap()), ids(&stored.unwrap()), "{query:?}");
                }
            }
        }
    }
}

/// What a server hears late, as after it was away, has still happened when it happened; a node whose clock is wrong cannot let
/// a run end before it began, nor begin before it was placed.
#[tokio::test]
async fn a_run_begins_and_ends_when_its_agent_says_within_what_can_be() {
    let dir = tempfile::tempdir().unwrap();
    let bench = start_in(dir.path(), NO_LIMITS);
    let ended = |at| AgentEvent::Finished {
        at,
        outcome: Outcome::Success,
        cause: String::new(),
        step: None,
        exit_code: None,
    };
    // The agent's clock: right, an hour ahead, an hour behind.
    for skew in [0, 3_600_000, -3_600_000] {
        bench.build(DIAMOND).await;
        let Bench { engine, .. } = &bench;
        let run = bench.runs(RunState::Running).remove(0);
        let kept = || engine.view.store.runs_by_id(&[run.id]).unwrap().remove(0);
        let placed = run.placed.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
        let heard = clock::now();
        let told = Timestamp(placed.0 + 5 + skew);
        let events = vec![(1, AgentEvent::Started { at: told })];
        engine.handle.agent_events(run.id, 1, events).await.unwrap();
        let started = kept().started.unwrap();
        assert_eq!(started.min(heard), told.clamp(placed, heard), "skew {skew}");
        assert!(started <= clock::now(), "skew {skew}");
        let events = vec![(2, ended(Timestamp(told.0 + 3)))];
        engine.handle.agent_events(run.id, 2, events).await.unwrap();
        let stopped = kept().stopped.unwrap();
        assert!(
            stopped >= started && stopped <= clock::now(),
            "skew {skew}: {started:?} to {stopped:?}"
        );
    }
}

#[tokio::test]
async fn a_number_names_a_job_or_a_pipeline_and_never_one_for_the_other() {
    let dir = tempfile::tempdir().unwrap();
    let bench = start_in(dir.path(), NO_LIMITS);
    // Pipelines 1 and 2; jobs 1 to 4, and 5 to 8.
    let first = bench.build(DIAMOND).await;
    let second = bench.build(DIAMOND).await;
    let named = |reference: &str, wanted: &[&str]| -> Vec<(&str, String)> {
        let found = bench.engine.view.store.named(reference, wanted).unwrap();
        found.iter().map(|one| (one.kind(), one.id())).collect()
    };
    let pipelines = ["pipelines"];
    let (first, second) = (
        ("pipeline", first.to_string()),
        ("pipeline", second.to_string()),
    );
    assert_eq!(named("web#1", &pipelines), std::slice::from_ref(&first));
    assert_eq!(
        named("acme/web#5", &pipelines),
        std::slice::from_ref(&second)
    );
    // Job 2 is of the first one: either may be meant.
    assert_eq!(named("web#2", &pipelines), [first, second.clone()]);
    let any = named("web#2", &["pipelines", "workflows", "jobs"]);
    assert_eq!(
        any.iter().map(|one| one.0).collect::<Vec<_>>(),
        ["job", "pipeline"]
    );
    assert_eq!(any[1], second);
    // Who asks for what ran means the job.
    assert_eq!(named("web#1", &["attempts", "pipelines"])[0].0, "run");
    assert_eq!(named("web#9", &pipelines), []);
}

#[tokio::test]
async fn a_node_is_shown_as_it_was_made_before_whoever_asked_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let bench = start_in(dir.path(), NO_LIMITS);
    let shown = || bench.engine.view.live().nodes.rows()[0].record.clone();
    let node = shown().id;
    for eligible in [false, true, false, true] {
        let command = Command::Fleet(FleetCommand::SetEligibility { node, eligible });
        let told = bench.engine.handle.send(command, actor(), None).await;
        told.unwrap();
        assert_eq!(shown().eligible, eligible);
    }
}
