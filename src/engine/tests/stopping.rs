//! The installation stopped and started: nothing is placed meanwhile, and a restart forgets none of it.

use super::*;
use crate::pipeline::status::Phase;
use crate::store::InstallationRecord;

const ONE: &str = "version: 2.1\njobs: {build: {machine: true, steps: [run: x]}}";

impl Bench {
    async fn wish(&self, command: InstallationCommand) -> Phase {
        let command = Command::Installation(command);
        let (_, reply) = self
            .engine
            .handle
            .send(command, actor(), None)
            .await
            .unwrap();
        match reply {
            Reply::Installation { phase, .. } => phase,
            other => panic!("{other:?}"),
        }
    }

    /// The state as readers see it, once it is this one: it is shown at most every 100 ms.
    async fn shown(&self, phase: Phase) -> InstallationRecord {
        loop {
            let now = self.engine.view.live().installation.clone();
            if now.phase == phase {
                return now;
            }
            tokio::task::yield_now().await;
        }
    }

    fn deeds(&self) -> Vec<(String, String)> {
        let query = WindowQuery {
            limit: 20,
            ..WindowQuery::default()
        };
        let rows = self.engine.view.store.audit(&query, None).unwrap().rows;
        rows.into_iter()
            .map(|row| (row.entry.actor, row.entry.action))
            .filter(|(_, action)| action.starts_with("installation"))
            .collect()
    }
}

#[tokio::test]
async fn a_stop_places_nothing_and_waits_for_what_runs() {
    let dir = tempfile::tempdir().unwrap();
    let bench = start_in(dir.path(), NO_LIMITS);
    bench.build(ONE).await;
    let first = bench.runs(RunState::Running)[0].id;
    assert_eq!(bench.wish(InstallationCommand::Stop).await, Phase::Stopping);
    bench.build(ONE).await;
    let waiting = bench.runs(RunState::Pending);
    assert_eq!(waiting.len(), 1, "it is taken in, and not placed");
    let stopped = bench.shown(Phase::Stopping).await;
    let reason = loop {
        match bench.engine.view.reason(&waiting[0]) {
            Some(reason) if reason.code == "stopped" => break reason,
            _ => tokio::task::yield_now().await,
        }
    };
    assert_eq!(
        reason.text,
        format!(
            "the installation is stopped, by uid 1000 (ann) since {}",
            stopped.since
        )
    );
    assert!(!reason.never);

    bench.end_attempt(first, Outcome::Success).await;
    let done = bench.shown(Phase::Stopped).await;
    assert_eq!(
        (done.since, done.by.as_str()),
        (stopped.since, "uid 1000 (ann)"),
        "it still says who stopped it, and when"
    );
    assert!(bench.runs(RunState::Running).is_empty());
    assert_eq!(bench.wish(InstallationCommand::Start).await, Phase::Started);
    assert_eq!(bench.running(), ["build"]);
    let deeds: Vec<_> = bench.deeds();
    let deeds: Vec<_> = deeds
        .iter()
        .map(|(a, b)| (a.as_str(), b.as_str()))
        .collect();
    assert_eq!(
        deeds,
        [
            ("uid 1000 (ann)", "installation.start"),
            ("server", "installation.stopped"),
            ("uid 1000 (ann)", "installation.stop"),
        ]
    );
}

#[tokio::test]
async fn a_stopped_installation_is_stopped_after_a_restart_too() {
    let dir = tempfile::tempdir().unwrap();
    let bench = start_in(dir.path(), NO_LIMITS);
    assert_eq!(bench.wish(InstallationCommand::Stop).await, Phase::Stopped);
    assert_eq!(
        bench.wish(InstallationCommand::Stop).await,
        Phase::Stopped,
        "whoever asks twice wants the same"
    );
    let before = bench.shown(Phase::Stopped).await;
    bench.engine.stop().await;

    let bench = start_in(dir.path(), NO_LIMITS);
    assert_eq!(bench.engine.view.live().installation, before);
    bench.build(ONE).await;
    assert!(bench.runs(RunState::Running).is_empty());
    bench.engine.handle.disk(Some("low".to_owned())).await;
    bench.engine.handle.disk(None).await;
    bench.build(ONE).await;
    assert!(
        bench.runs(RunState::Running).is_empty(),
        "room on the disk is no leave to start"
    );
    bench.wish(InstallationCommand::Start).await;
    assert_eq!(bench.running(), ["build", "build"]);
}

#[test]
fn whoever_stopped_it_comes_before_the_disk_and_the_disk_before_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, _) = crate::store::open(&dir.path().join("roundel.db"), 1).unwrap();
    let tx = writer.begin().unwrap();
    let capacity = Capacity {
        cpu_total_millis: 4000,
        cpu_reserved_millis: 0,
        memory_total_mb: 16_000,
        memory_reserved_mb: 0,
        executors: vec![ExecutorKind::Host],
        overcommitted: false,
        engine: None,
    };
    let fleet = [("n1".to_owned(), capacity)];
    let mut state = super::state::State::load(&tx, NO_LIMITS, &fleet, Timestamp(1000)).unwrap();
    let run = crate::queue::Waiting {
        attempt: AttemptId::fresh(),
        project: crate::ids::ProjectId(1),
        shape: crate::queue::Shape {
            cpu_millis: 1000,
            memory_mb: 1000,
            executor: ExecutorKind::Host,
        },
        priority: 50,
        queued: Timestamp(1000),
    };
    state.scheduler.enqueue(run);
    for (phase, low, code) in [
        (Phase::Started, None, "capacity"),
        (Phase::Started, Some("low"), "disk"),
        (Phase::Stopping, Some("low"), "stopped"),
        (Phase::Stopped, None, "stopped"),
    ] {
        state.installation.phase = phase;
        state.disk_low = low.map(str::to_owned);
        state.set_hold();
        let held = state.scheduler.verdicts().reason(&run);
        assert_eq!(held.code, code, "{phase:?} {low:?}");
    }
}

#[tokio::test]
async fn a_disk_that_stays_as_it_is_is_no_change() {
    let dir = tempfile::tempdir().unwrap();
    let bench = start_in(dir.path(), NO_LIMITS);
    for low in [None, Some("4 % free".to_owned())] {
        for _ in 0..20 {
            bench.engine.handle.disk(low.clone()).await;
        }
    }
    // Whatever was sent before is decided once this is answered.
    bench.drain(true, None).await;
    let store = &bench.engine.view.store;
    let changes = store.changes_after(0, 100).unwrap().unwrap();
    let told = changes.iter().filter(|change| change.ids.contains("hold"));
    // Once; the engine's own look at the disk may come in between and find room.
    assert!((1..=3).contains(&told.count()), "{changes:?}");
}
