//! Placement as the engine meets it: order, limits, holds, reasons and explanations.

use std::sync::Arc;
use std::time::Duration;

use roundel::clock::Timestamp;
use roundel::ids::{AttemptId, NodeId, ProjectId};
use roundel::queue::{ExecutorKind, Limits, Shape, Waiting};
use roundel::scheduler::{Hold, NodeSpec, Placement, Reason, STARVED_AFTER, Scheduler};

const START: Timestamp = Timestamp(1_700_000_000_000);
const NO_LIMITS: Limits = Limits {
    per_project: None,
    total: None,
};

fn node(name: &str, cores: u32, gigabytes: u32) -> NodeSpec {
    NodeSpec {
        id: NodeId::fresh(),
        name: name.to_owned(),
        cpu_millis: cores * 1000,
        memory_mb: gigabytes * 1024,
        executors: vec![ExecutorKind::Host],
        eligible: true,
        draining: false,
        down: false,
    }
}

fn fleet(nodes: &[&NodeSpec]) -> Scheduler {
    let mut scheduler = Scheduler::new(NO_LIMITS);
    nodes
        .iter()
        .for_each(|node| scheduler.upsert_node((*node).clone()));
    scheduler
}

fn run(cores: u32, gigabytes: u32) -> Waiting {
    Waiting {
        attempt: AttemptId::fresh(),
        project: ProjectId(1),
        shape: Shape {
            cpu_millis: cores * 1000,
            memory_mb: gigabytes * 1024,
            executor: ExecutorKind::Host,
        },
        priority: 50,
        queued: START,
    }
}

fn wait(scheduler: &mut Scheduler, run: Waiting) -> Waiting {
    scheduler.enqueue(run);
    run
}

/// Places all it can and answers where each went, by name.
fn place(scheduler: &mut Scheduler, now: Timestamp) -> Vec<(AttemptId, String)> {
    let placed = scheduler.place(now, usize::MAX);
    let name = |id| scheduler.node(id).expect("a known node").0.name.clone();
    placed
        .into_iter()
        .map(|placement| (placement.run.attempt, name(placement.node)))
        .collect()
}

fn starts(scheduler: &mut Scheduler, now: Timestamp) -> Vec<AttemptId> {
    place(scheduler, now)
        .into_iter()
        .map(|(attempt, _)| attempt)
        .collect()
}

fn reason(scheduler: &mut Scheduler, run: &Waiting) -> (&'static str, String) {
    let Reason { code, text, .. } = scheduler.verdicts().reason(run);
    (code, text)
}

#[test]
fn runs_start_by_priority_then_age_then_id() {
    let mut scheduler = fleet(&[&node("n01", 8, 8)]);
    let first = run(1, 1);
    let second = Waiting {
        attempt: AttemptId::fresh(),
        ..first
    };
    let older = Waiting {
        queued: Timestamp(START.0 - 1),
        ..run(1, 1)
    };
    let urgent = Waiting {
        priority: 60,
        queued: Timestamp(START.0 + 9),
        ..run(1, 1)
    };
    [second, first, older, urgent]
        .into_iter()
        .for_each(|run| scheduler.enqueue(run));
    let order = [urgent, older, first, second].map(|run| run.attempt);
    assert_eq!(
        scheduler.line(0).map(|run| run.attempt).collect::<Vec<_>>(),
        order
    );
    assert_eq!(
        scheduler.line(3).map(|run| run.attempt).collect::<Vec<_>>(),
        order[3..]
    );
    assert_eq!(scheduler.oldest_waiting(), Some(older.queued));
    assert_eq!(scheduler.place_in_line(second.attempt), Some(4));
    assert_eq!(starts(&mut scheduler, START), order);
    assert_eq!(scheduler.counts(), (0, 4));
}

#[test]
fn a_run_goes_where_the_least_stays_free() {
    let (wide, tight, narrow) = (
        node("wide", 16, 16),
        node("tight", 4, 8),
        node("narrow", 2, 2),
    );
    let mut scheduler = fleet(&[&wide, &tight, &narrow]);
    scheduler.enqueue(run(4, 4));
    scheduler.enqueue(Waiting {
        queued: Timestamp(START.0 + 1),
        ..run(1, 1)
    });
    let names: Vec<String> = place(&mut scheduler, START)
        .into_iter()
        .map(|(_, name)| name)
        .collect();
    assert_eq!(names, ["tight", "narrow"]);
    // With 3 cores free on both, the one on which memory fits too is taken.
    let mut scheduler = fleet(&[&node("a", 3, 32), &node("b", 3, 6)]);
    scheduler.enqueue(run(2, 4));
    assert_eq!(place(&mut scheduler, START)[0].1, "b");
}

#[test]
fn every_shape_is_told_what_it_lacks_with_exact_numbers() {
    let busy = node("n01", 8, 8);
    let mut scheduler = fleet(&[&busy, &node("n02", 4, 16), &node("n03", 1, 32)]);
    scheduler.adopt(
        Waiting {
            shape: Shape {
                cpu_millis: 5500,
                ..run(0, 1).shape
            },
            ..run(0, 1)
        },
        busy.id,
    );
    // Free now: n01 2.5 cpu and 7 GB, n02 4 cpu and 16 GB, n03 1 cpu and 32 GB.
    let docker = |run: Waiting| Waiting {
        shape: Shape {
            executor: ExecutorKind::Docker,
            ..run.shape
        },
        ..run
    };
    let other = |run: Waiting| Waiting {
        shape: Shape {
            executor: ExecutorKind::Other,
            ..run.shape
        },
        ..run
    };
    let table = [
        (
            run(6, 1),
            "capacity",
            "no node has 6 cpu free; best is n02 with 4",
        ),
        (
            run(64, 1),
            "never",
            "no node is as large as 64 cpu; the largest has 8: will never start",
        ),
        (
            run(64, 64),
            "never",
            "no node is as large as 64 cpu; the largest has 8, nor as 64 GB memory; the largest has 32 GB: will never start",
        ),
        (
            run(1, 64),
            "never",
            "no node is as large as 64 GB memory; the largest has 32 GB: will never start",
        ),
        (
            run(4, 32),
            "never",
            "no node is as large as 4 cpu and 32 GB memory; the largest with so much cpu has 16 GB: will never start",
        ),
        (
            docker(run(1, 1)),
            "never",
            "no node offers executor \"docker\": will never start",
        ),
        (
            other(run(1, 1)),
            "never",
            "no node offers executor \"macos\" or \"windows\": will never start",
        ),
    ];
    for (run, _, _) in &table {
        scheduler.enqueue(*run);
    }
    assert_eq!(place(&mut scheduler, START), []);
    for (run, code, text) in &table {
        assert_eq!(reason(&mut scheduler, run), (*code, (*text).to_owned()));
        assert_eq!(scheduler.verdicts().reason(run).never, *code == "never");
    }
}

#[test]
fn memory_and_both_together_are_told_where_cpu_is_not_what_is_short() {
    let (one, two) = (node("n01", 8, 8), node("n02", 8, 8));
    let mut scheduler = fleet(&[&one, &two]);
    scheduler.adopt(run(1, 5), one.id);
    scheduler.adopt(run(7, 1), two.id);
    let memory = wait(
        &mut scheduler,
        Waiting {
            shape: Shape {
                memory_mb: 7680,
                ..run(1, 0).shape
            },
            ..run(1, 0)
        },
    );
    let both = wait(&mut scheduler, run(4, 4));
    place(&mut scheduler, START);
    let expected = "no node has 7680 MB memory free; best is n02 with 7 GB";
    assert_eq!(
        reason(&mut scheduler, &memory),
        ("capacity", expected.to_owned())
    );
    let expected =
        "no node has 4 cpu and 4 GB memory free together; best is n01 with 7 cpu and 3 GB";
    assert_eq!(
        reason(&mut scheduler, &both),
        ("capacity", expected.to_owned())
    );
}

#[test]
fn a_reason_changes_with_what_it_tells_of() {
    let mut spec = node("n01", 4, 8);
    let mut scheduler = fleet(&[&spec]);
    let first = wait(&mut scheduler, run(3, 1));
    let second = wait(
        &mut scheduler,
        Waiting {
            queued: Timestamp(START.0 + 1),
            ..run(3, 1)
        },
    );
    let third = wait(
        &mut scheduler,
        Waiting {
            queued: Timestamp(START.0 + 2),
            ..run(3, 1)
        },
    );
    assert_eq!(starts(&mut scheduler, START), [first.attempt]);
    let lacking = "no node has 3 cpu free; best is n01 with 1".to_owned();
    assert_eq!(
        reason(&mut scheduler, &second),
        ("capacity", lacking.clone())
    );
    assert_eq!(reason(&mut scheduler, &third), ("behind", lacking.clone()));
    let before = scheduler.verdicts();
    assert!(
        Arc::ptr_eq(&before, &scheduler.verdicts()),
        "nothing changed, nothing is computed"
    );

    spec.draining = true;
    scheduler.upsert_node(spec.clone());
    let out = (
        "no_nodes",
        "every node is draining or ineligible".to_owned(),
    );
    assert_eq!(
        (
            reason(&mut scheduler, &second),
            reason(&mut scheduler, &third)
        ),
        (out.clone(), out)
    );
    assert_eq!(
        before.reason(&second).text,
        lacking,
        "a snapshot stays as it was"
    );
    let placed = Placement {
        run: first,
        node: spec.id,
    };
    assert_eq!(scheduler.release(first.attempt), Some(placed));
    assert_eq!(starts(&mut scheduler, START), []);

    scheduler.set_hold(Some(Hold {
        code: "disk",
        text: "less than 5 % of the disk is free".to_owned(),
    }));
    spec.draining = false;
    scheduler.upsert_node(spec.clone());
    assert_eq!(starts(&mut scheduler, START), []);
    assert_eq!(reason(&mut scheduler, &second).0, "disk");
    scheduler.set_hold(None);
    assert_eq!(starts(&mut scheduler, START), [second.attempt]);
    scheduler.remove_node(spec.id);
    assert_eq!(
        reason(&mut scheduler, &third),
        ("no_nodes", "there is no node".to_owned())
    );
}

#[test]
fn limits_hold_and_say_so() {
    let mut scheduler = fleet(&[&node("n01", 16, 16)]);
    scheduler.set_limits(Limits {
        per_project: Some(2),
        total: Some(3),
    });
    let of = |project, age| Waiting {
        project: ProjectId(project),
        queued: Timestamp(START.0 + age),
        ..run(1, 1)
    };
    let runs: Vec<Waiting> = [of(1, 0), of(1, 1), of(1, 2), of(2, 3), of(2, 4)].to_vec();
    runs.iter().for_each(|run| scheduler.enqueue(*run));
    assert_eq!(
        starts(&mut scheduler, START),
        [0, 1, 3].map(|at: usize| runs[at].attempt)
    );
    assert_eq!(scheduler.project_counts(ProjectId(1)), (1, 2));
    assert_eq!(
        reason(&mut scheduler, &runs[2]),
        ("total_limit", "3 of 3 runs at once".to_owned())
    );
    scheduler.set_limits(Limits {
        per_project: Some(2),
        total: None,
    });
    assert_eq!(starts(&mut scheduler, START), [runs[4].attempt]);
    let told = (
        "project_limit",
        "this project runs 2 of its 2 at once".to_owned(),
    );
    assert_eq!(reason(&mut scheduler, &runs[2]), told);
    assert!(
        scheduler.explain(runs[2].attempt).expect("it waits").help[0]
            .contains("a limit per project above 2")
    );
    scheduler.release(runs[0].attempt);
    assert_eq!(starts(&mut scheduler, START), [runs[2].attempt]);
}

#[test]
fn a_small_run_may_overtake_a_large_one_but_not_for_ever() {
    let spec = node("n01", 4, 16);
    let mut scheduler = fleet(&[&spec]);
    let mut running = vec![run(1, 1), run(1, 1)];
    running
        .iter()
        .for_each(|run| scheduler.adopt(*run, spec.id));
    let large = wait(&mut scheduler, run(4, 4));
    let mut now = START;
    let mut overtakers = 0;
    // Small runs keep coming, one at a time ends: without a rule the large one would wait for ever.
    for round in 1.. {
        assert!(round < 100, "the large run never started");
        now = now.plus(Duration::from_secs(20));
        let small = wait(
            &mut scheduler,
            Waiting {
                queued: now,
                ..run(1, 1)
            },
        );
        let started = starts(&mut scheduler, now);
        if started.contains(&large.attempt) {
            break;
        }
        overtakers += started.len();
        if now.since(START) > STARVED_AFTER {
            assert_eq!(started, [], "the node is kept");
            let told = reason(&mut scheduler, &small).1;
            assert!(
                told.contains("n01 has room but is kept") || told.contains("no node has 1 cpu"),
                "{told}"
            );
        }
        running.extend(started.contains(&small.attempt).then_some(small));
        if !running.is_empty() {
            scheduler.release(running.remove(0).attempt);
        }
    }
    assert!(overtakers > 5, "{overtakers} overtook before");
    assert!(now.since(START) < STARVED_AFTER + Duration::from_secs(120));
}

#[test]
fn what_an_adopted_run_takes_is_given_out_even_beyond_what_there_is() {
    let spec = node("n01", 2, 2);
    let mut scheduler = fleet(&[&spec]);
    let adopted = run(8, 8);
    scheduler.adopt(adopted, spec.id);
    let waiting = wait(&mut scheduler, run(1, 1));
    assert_eq!(starts(&mut scheduler, START), []);
    assert_eq!(
        reason(&mut scheduler, &waiting).1,
        "no node has 1 cpu free; best is n01 with 0"
    );
    assert_eq!(
        scheduler.node(spec.id).expect("it is known").1.cpu_millis,
        8000
    );
    scheduler.release(adopted.attempt);
    assert_eq!(starts(&mut scheduler, START), [waiting.attempt]);
    assert_eq!(scheduler.release(adopted.attempt), None);
}

#[test]
fn an_explanation_counts_every_node_once_and_says_what_would_help() {
    let drained = NodeSpec {
        draining: true,
        ..node("n04", 8, 8)
    };
    let small = node("n01", 1, 8);
    let busy = node("n02", 4, 8);
    let shut = NodeSpec {
        eligible: false,
        ..node("n03", 8, 8)
    };
    let mut scheduler = fleet(&[&drained, &small, &busy, &shut]);
    scheduler.adopt(run(2, 1), busy.id);
    let ahead = wait(
        &mut scheduler,
        Waiting {
            priority: 51,
            ..run(16, 1)
        },
    );
    let waiting = wait(&mut scheduler, run(3, 2));
    place(&mut scheduler, START);
    let told = scheduler.explain(waiting.attempt).expect("it waits");
    assert_eq!((told.nodes, told.place, told.place_of_shape), (4, 2, 1));
    assert_eq!(
        told.causes,
        [
            ("draining", 1),
            ("ineligible", 1),
            ("too_small_cpu", 1),
            ("cpu", 1)
        ]
    );
    let nearest = told.nearest.expect("there is one");
    assert_eq!(
        (
            nearest.name.as_str(),
            nearest.cpu_free_millis,
            nearest.memory_free_mb
        ),
        ("n02", 2000, 7168)
    );
    assert_eq!(
        told.help,
        [
            "1 more cpu free on n02: the end of runs there",
            "ending the drain of n04, which has room",
            "making eligible n03, which has room",
        ]
    );
    let told = scheduler.explain(ahead.attempt).expect("it waits");
    assert_eq!(
        told.help,
        ["a node with at least 16 cpu and 1 GB memory, or a smaller resource class"]
    );
    assert_eq!(scheduler.explain(AttemptId::fresh()), None);
}
