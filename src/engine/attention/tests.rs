//! What needs somebody, in which order, and when nothing does.

use std::sync::Arc;

use super::*;
use crate::engine::state::Capacity;
use crate::engine::{NodeView, WaitMinute};
use crate::ids::{NodeId, ProjectId};
use crate::queue::{ExecutorKind, Limits, Shape, Waiting};
use crate::scheduler::{NodeSpec, Scheduler, Used};
use crate::store::{InstallationRecord, NodeRecord};

const NOW: Timestamp = Timestamp(10_000_000);

fn ago(minutes: i64) -> Timestamp {
    Timestamp(NOW.0 - minutes * 60_000)
}

fn live() -> Live {
    Live {
        seq: 1,
        waiting: 0,
        running: 0,
        oldest_waiting: None,
        nodes: Arc::default(),
        read_only: None,
        installation: InstallationRecord {
            phase: Phase::Started,
            since: ago(900),
            by: "server".to_owned(),
        },
        settings_running: 0,
        locked: false,
        disk_low: None,
        containers: crate::cluster::Containers::Away("not asked".to_owned()),
        waits: [0; 6],
        tally: super::super::publish::Tally::default(),
        wait_minutes: Vec::new(),
        verdicts: Arc::default(),
    }
}

fn node(name: &str, runs: u32, deadline: Option<Timestamp>) -> NodeView {
    let record = NodeRecord {
        id: NodeId::fresh(),
        name: name.to_owned(),
        created: ago(900),
        eligible: false,
        drain: Some((ago(60), deadline, "ann".to_owned())),
    };
    let capacity = Capacity {
        cpu_total_millis: 4000,
        cpu_reserved_millis: 0,
        memory_total_mb: 8192,
        memory_reserved_mb: 0,
        executors: vec![ExecutorKind::Host],
        overcommitted: false,
        engine: None,
    };
    let used = Used {
        runs,
        ..Used::default()
    };
    NodeView::new(record, capacity, used)
}

fn part(part: Part, health: Health) -> PartStands {
    PartStands {
        part,
        health,
        since: ago(5),
        error: Some((ago(5), "no space left".to_owned())),
        note: "99 of 100 reports within 2.0 s".to_owned(),
    }
}

#[test]
fn a_well_installation_needs_nobody() {
    assert_eq!(installation(&live(), &[]), []);
    assert_eq!(disk(&live(), Some((50, 100))), None);
    assert_eq!(failing(&[part(Part::Logs, Health::Ok)], false).count(), 0);
    assert_eq!(nodes(&live(), NOW), []);
    assert_eq!(never(&live()), None);
    assert_eq!(objective(&live()), None);
}

#[test]
fn a_stop_is_urgent_while_something_waits_for_it() {
    let mut live = live();
    live.installation.phase = Phase::Stopped;
    live.installation.by = "ann".to_owned();
    for (waiting, urgency, text) in [
        (
            0,
            Urgency::Soon,
            "the installation is stopped, by ann: nothing waits",
        ),
        (
            1,
            Urgency::Now,
            "the installation is stopped, by ann: 1 run waits",
        ),
        (
            7,
            Urgency::Now,
            "the installation is stopped, by ann: 7 runs wait",
        ),
    ] {
        live.waiting = waiting;
        let told = installation(&live, &[]);
        assert_eq!((told[0].urgency, told[0].text.as_str()), (urgency, text));
        assert_eq!(told[0].since, Some(ago(900)));
    }
    live.read_only = Some("store full: no space".to_owned());
    let told = installation(&live, &[part(Part::Store, Health::Failing)]);
    assert_eq!(
        told[0].text,
        "the server is read-only: store full: no space"
    );
    assert_eq!(told[0].since, Some(ago(5)));
}

#[test]
fn a_disk_is_told_before_it_holds_work_up() {
    let mut live = live();
    let soon = disk(&live, Some((91, 100))).unwrap();
    assert_eq!(soon.urgency, Urgency::Soon);
    assert_eq!(soon.text, "the data directory's file system is 91 % full");
    live.disk_low = Some("4 % free: nothing is placed".to_owned());
    assert_eq!(disk(&live, None).unwrap().urgency, Urgency::Now);
    assert_eq!(
        disk(&live, None).unwrap().text,
        "4 % free: nothing is placed"
    );
}

#[test]
fn a_part_that_fails_tells_its_error_and_one_that_is_slow_its_figures() {
    let parts = [
        part(Part::Logs, Health::Failing),
        part(Part::Git, Health::Slow),
        part(Part::Fleet, Health::Failing),
        part(Part::Store, Health::Failing),
    ];
    let told: Vec<_> = failing(&parts, true).map(|one| one.text).collect();
    assert_eq!(
        told,
        [
            "log storage is failing: no space left",
            "git mirrors is slow: 99 of 100 reports within 2.0 s",
        ],
        "the store and the agents have lines of their own"
    );
}

#[test]
fn drains_are_told_when_they_are_late_or_done() {
    let mut live = live();
    let all = [
        node("n1", 0, None),
        node("n2", 2, Some(ago(42))),
        node("n3", 2, Some(Timestamp(NOW.0 + 1))),
        node("n4", 1, None),
    ];
    live.nodes = Arc::new(all.into_iter().collect());
    let told = nodes(&live, NOW);
    let told: Vec<_> = told
        .iter()
        .map(|one| (one.urgency, one.since.unwrap(), one.text.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (
                Urgency::Now,
                ago(42),
                "n2 is past its drain deadline, 2 runs left"
            ),
            (Urgency::Notice, ago(60), "n1 is drained: safe to terminate"),
        ]
    );
    let many = (0..EACH as u32 + 1).map(|n| node(&format!("n{n}"), 0, None));
    live.nodes = Arc::new(many.collect());
    let told = nodes(&live, NOW);
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].text, "4 nodes are drained: safe to terminate");
    assert_eq!(told[0].spot, Spot::Cluster);
}

#[test]
fn what_will_never_start_leads_to_the_run_or_to_the_queue() {
    let mut scheduler = Scheduler::new(Limits::default());
    scheduler.upsert_node(NodeSpec {
        id: NodeId::fresh(),
        name: "n1".to_owned(),
        cpu_millis: 4000,
        memory_mb: 8192,
        executors: vec![ExecutorKind::Host],
        eligible: true,
        draining: false,
        down: false,
    });
    let waiting = |executor, minutes| Waiting {
        attempt: AttemptId::fresh(),
        project: ProjectId(1),
        shape: Shape {
            cpu_millis: 1000,
            memory_mb: 1000,
            executor,
        },
        priority: 50,
        queued: ago(minutes),
    };
    let first = waiting(ExecutorKind::Vm, 18);
    scheduler.enqueue(first);
    scheduler.enqueue(waiting(ExecutorKind::Host, 99));
    let mut live = live();
    live.verdicts = scheduler.verdicts();
    let told = never(&live).unwrap();
    assert_eq!(
        told.text,
        "1 run will never start: no node offers executor \"vm\""
    );
    assert_eq!(
        (told.since, told.spot),
        (Some(ago(18)), Spot::Run(first.attempt))
    );
    scheduler.enqueue(waiting(ExecutorKind::Vm, 30));
    live.verdicts = scheduler.verdicts();
    let told = never(&live).unwrap();
    assert!(
        told.text.starts_with("2 runs will never start"),
        "{}",
        told.text
    );
    assert_eq!((told.since, told.spot), (Some(ago(30)), Spot::Queue));
}

#[test]
fn the_objective_is_missed_by_a_share_of_enough_runs() {
    let mut live = live();
    let minute = |minutes, runs, met| WaitMinute {
        at: ago(minutes),
        runs,
        met,
    };
    live.wait_minutes = vec![minute(9, 10, 0)];
    assert_eq!(objective(&live), None, "ten runs say little");
    live.wait_minutes = vec![minute(9, 50, 50), minute(8, 50, 45)];
    assert_eq!(objective(&live), None, "95 of 100 is enough");
    live.wait_minutes = vec![minute(9, 50, 50), minute(8, 50, 21)];
    let told = objective(&live).unwrap();
    assert_eq!(
        told.text,
        "71 % of the last hour's runs waited under 1 s, not 95 %"
    );
    assert_eq!(told.since, Some(ago(8)));
}

#[test]
fn what_waits_for_approval_is_told_build_by_build_and_many_in_one_more_line() {
    let build = |number: i64, jobs: u32| HeldRecord {
        pipeline: PipelineId::fresh(),
        title: "org/api".to_owned(),
        number,
        jobs,
        name: "hold".to_owned(),
        since: Some(ago(60 - number)),
    };
    assert_eq!(held(Vec::new()), []);
    let two = vec![build(1, 1), build(2, 3)];
    let told = held(two.clone());
    assert_eq!(told[0].text, "org/api #1 waits for approval: hold");
    assert_eq!(told[1].text, "org/api #2: 3 jobs wait for approval");
    assert_eq!(
        (&told[1].spot, told[1].since),
        (&Spot::Pipeline(two[1].pipeline), Some(ago(58)))
    );
    let told = held((1..=4).map(|n| build(n, 1)).collect());
    assert_eq!(
        (told.len(), told[3].text.as_str()),
        (4, "1 more build waits for approval")
    );
    let told = held((1..=9).map(|n| build(n, 1)).collect());
    assert_eq!((told.len(), &told[3].spot), (4, &Spot::Builds));
    assert_eq!(told[3].text, "6 more builds wait for approval");
}
