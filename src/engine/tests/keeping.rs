//! What is removed after a while, what never is, and what a server that was killed in between leaves to the next one.

use std::path::PathBuf;
use std::time::Duration;

use super::*;
use crate::engine::cleaning::Finder;
use crate::settings::keep::Kept;

const ONE: &str = "version: 2.1\njobs: {build: {machine: true, steps: [run: x]}}";

/// An attempt of many years ago, of no run.
const LONG_AGO: &str = "0100a0b1-c2d3-7e4f-8a5b-0123456789ab";

impl Bench {
    /// A build that ran and ended so; its log has some bytes. Answers its pipeline and its attempt.
    async fn ended(&self, dir: &Path, outcome: Outcome) -> (PipelineId, AttemptId) {
        let pipeline = self.build(ONE).await;
        let run = self.runs(RunState::Running)[0].id;
        let log = log_of(dir, run);
        std::fs::create_dir_all(&log).unwrap();
        std::fs::write(log.join("1.log"), "said\n").unwrap();
        self.end_attempt(run, outcome).await;
        (pipeline, run)
    }

    async fn set_keep(&self, kind: Kept, span: Option<u64>) {
        let cleaning = &self.engine.cleaning;
        cleaning.set_keep(kind, span, actor(), None).await.unwrap();
    }

    async fn clean(&self) -> Vec<(Kept, u64)> {
        // What ended in this very millisecond has not been kept at all.
        let begun = crate::clock::now();
        while crate::clock::now() == begun {
            tokio::task::yield_now().await;
        }
        let pass = self.engine.cleaning.activate(actor()).await.unwrap();
        assert_eq!(pass.error, None);
        let counts = pass.removed.iter().map(|one| (one.kind, one.count));
        counts.collect()
    }

    fn has(&self, pipeline: PipelineId) -> bool {
        let store = &self.engine.view.store;
        store.pipeline(pipeline).unwrap().is_some()
    }

    fn log_is_marked(&self, run: AttemptId) -> bool {
        let store = &self.engine.view.store;
        store.attempt(run).unwrap().unwrap().log_removed.is_some()
    }
}

fn log_of(dir: &Path, run: AttemptId) -> PathBuf {
    dir.join("logs").join(run.to_string())
}

#[tokio::test]
async fn nothing_young_is_removed_and_a_plan_removes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let bench = start_in(dir.path(), NO_LIMITS);
    bench.build(ONE).await;
    // These run and wait, however little is kept.
    bench.build(ONE).await;
    for kind in [Kept::Logs, Kept::Builds] {
        bench.set_keep(kind, Some(0)).await;
    }
    assert_eq!(bench.clean().await, []);
    bench.set_keep(Kept::Logs, Some(3600)).await;
    bench.set_keep(Kept::Builds, None).await;
    let run = bench.runs(RunState::Running)[0].id;
    let recent = AgentEvent::Finished {
        at: crate::clock::now(),
        outcome: Outcome::Success,
        cause: String::new(),
        step: None,
        exit_code: None,
    };
    let handle = &bench.engine.handle;
    handle
        .agent_events(run, 1, vec![(1, recent)])
        .await
        .unwrap();
    assert_eq!(bench.clean().await, []);
    bench.set_keep(Kept::Logs, Some(0)).await;
    let cleaning = bench.engine.cleaning.clone();
    while cleaning.plan(10).unwrap().candidates.is_empty() {
        tokio::task::yield_now().await;
    }
    assert!(!bench.log_is_marked(run), "a plan only looks");
    assert_eq!(bench.clean().await, [(Kept::Logs, 1)]);
    assert!(bench.log_is_marked(run));
}

#[tokio::test]
async fn what_is_to_be_kept_for_less_stays_for_an_hour_unless_somebody_removes_it() {
    let dir = tempfile::tempdir().unwrap();
    let bench = start_in(dir.path(), NO_LIMITS);
    let cleaning = bench.engine.cleaning.clone();
    let soon = || cleaning.passes().next.unwrap_or(crate::clock::now());
    assert_eq!(bench.clean().await, []);
    bench.set_keep(Kept::Logs, Some(1)).await;
    let hour = crate::clock::now().plus(Duration::from_secs(3500));
    let put_off = async {
        while soon() < hour {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), put_off)
        .await
        .expect("no pass is due within the hour");
}

#[tokio::test]
async fn of_a_branch_that_is_built_the_newest_green_build_stays() {
    let dir = tempfile::tempdir().unwrap();
    let bench = start_in(dir.path(), NO_LIMITS);
    // All of them ended long ago by what their agents said.
    let (older, log) = bench.ended(dir.path(), Outcome::Success).await;
    let (green, green_log) = bench.ended(dir.path(), Outcome::Success).await;
    let (red, _) = bench.ended(dir.path(), Outcome::Failed).await;
    bench.set_keep(Kept::Builds, Some(0)).await;
    bench.set_keep(Kept::Logs, None).await;
    let running = bench.build(ONE).await;
    // Made after the moment that counts: of this one, something may still be compared.
    let newest = crate::clock::now();
    let store = bench.engine.view.store.clone();
    let old = |before| -> Vec<_> {
        let found = store.old_builds(before, 10).unwrap();
        found.into_iter().map(|build| build.id).collect()
    };
    let begun = store.pipeline(running).unwrap().unwrap().created;
    assert_eq!(old(begun), [older, red], "{newest}");
    assert!(log_of(dir.path(), log).exists());
    // Of a branch of which nothing is built any more, none is needed.
    assert_eq!(bench.clean().await, [(Kept::Builds, 3)]);
    assert!(![older, green, red].iter().any(|id| bench.has(*id)));
    assert!(bench.has(running));
    for run in [log, green_log] {
        assert!(!log_of(dir.path(), run).exists());
    }
}

#[tokio::test]
async fn what_a_killed_server_had_forgotten_and_not_removed_goes_with_the_next_pass() {
    let dir = tempfile::tempdir().unwrap();
    let bench = start_in(dir.path(), NO_LIMITS);
    let (forgotten, of_forgotten) = bench.ended(dir.path(), Outcome::Failed).await;
    let (kept, of_kept) = bench.ended(dir.path(), Outcome::Failed).await;
    let (_, untouched) = bench.ended(dir.path(), Outcome::Failed).await;
    let strange = dir.path().join("logs").join(LONG_AGO);
    std::fs::create_dir(&strange).unwrap();
    std::fs::create_dir(dir.path().join("logs/not-an-attempt")).unwrap();
    // As far as a server comes that is killed before it removes a file.
    for command in [
        KeepCommand::ForgetBuilds(vec![forgotten]),
        KeepCommand::ForgetLogs(vec![of_kept]),
    ] {
        let sent = bench
            .engine
            .handle
            .send(Command::Keep(command), actor(), None);
        assert_eq!(sent.await.unwrap().1, Reply::Forgotten { count: 1 });
    }
    bench.engine.stop().await;

    let bench = start_in(dir.path(), NO_LIMITS);
    assert!(!bench.has(forgotten) && bench.has(kept) && bench.log_is_marked(of_kept));
    for kind in [Kept::Logs, Kept::Builds] {
        bench.set_keep(kind, Some(0)).await;
        bench.set_keep(kind, None).await;
    }
    // For ever is for ever, also for what nobody can ask for.
    assert_eq!(bench.clean().await, []);
    bench.set_keep(Kept::Builds, Some(0)).await;
    bench.set_keep(Kept::Logs, Some(0)).await;
    let plan = bench.engine.cleaning.plan(10).unwrap();
    assert!(plan.candidates.len() >= 3, "{plan:?}");
    bench.clean().await;
    for run in [of_forgotten, of_kept, untouched] {
        assert!(!log_of(dir.path(), run).exists());
    }
    assert!(!strange.exists());
    assert!(dir.path().join("logs/not-an-attempt").exists());
    assert_eq!(bench.clean().await, [], "again, there is nothing left");
}

#[tokio::test]
async fn a_build_that_was_taken_up_again_is_not_forgotten() {
    let dir = tempfile::tempdir().unwrap();
    let bench = start_in(dir.path(), NO_LIMITS);
    let (pipeline, _) = bench.ended(dir.path(), Outcome::Failed).await;
    let workflow = bench.engine.view.store.workflows(pipeline).unwrap()[0].id;
    // Found by a pass, and run again before the pass came to forget it.
    let rerun = BuildCommand::Rerun {
        workflow,
        from_failed: false,
    };
    bench.send(rerun).await.unwrap();
    let command = Command::Keep(KeepCommand::ForgetBuilds(vec![pipeline]));
    let sent = bench.engine.handle.send(command, actor(), None);
    assert_eq!(sent.await.unwrap().1, Reply::Forgotten { count: 0 });
    assert!(bench.has(pipeline));
}

#[tokio::test]
async fn a_build_that_was_taken_up_again_keeps_its_logs_when_others_found_with_it_go() {
    let dir = tempfile::tempdir().unwrap();
    let bench = start_in(dir.path(), NO_LIMITS);
    let (gone, of_gone) = bench.ended(dir.path(), Outcome::Failed).await;
    let (kept, of_kept) = bench.ended(dir.path(), Outcome::Failed).await;
    bench.set_keep(Kept::Builds, Some(0)).await;
    bench.set_keep(Kept::Logs, None).await;
    let keep = bench.engine.cleaning.keep();
    let finder = Finder {
        store: bench.engine.view.store.clone(),
        logs: LogStore::open(&dir.path().join("logs")).unwrap(),
        data: dir.path().to_owned(),
        fleet: Arc::new(bench.fleet.clone()),
    };
    let later = crate::clock::now().plus(Duration::from_secs(1));
    let found = finder.find(Kept::Builds, &keep, later, 10).unwrap();
    assert_eq!(found.len(), 2, "{found:?}");
    let rerun = BuildCommand::Rerun {
        workflow: bench.engine.view.store.workflows(kept).unwrap()[0].id,
        from_failed: false,
    };
    bench.send(rerun).await.unwrap();
    let command = Command::Keep(KeepCommand::ForgetBuilds(vec![gone, kept]));
    let sent = bench.engine.handle.send(command, actor(), None);
    assert_eq!(sent.await.unwrap().1, Reply::Forgotten { count: 1 });
    let removed: Vec<bool> = found
        .iter()
        .map(|one| finder.remove(one).unwrap())
        .collect();
    assert_eq!(removed, [true, false]);
    assert!(!bench.has(gone) && bench.has(kept));
    let there = [of_gone, of_kept].map(|run| log_of(dir.path(), run).exists());
    assert_eq!(there, [false, true]);
}

#[tokio::test]
async fn a_clock_that_was_ahead_once_does_not_put_off_the_next_pass() {
    let dir = tempfile::tempdir().unwrap();
    let bench = start_in(dir.path(), NO_LIMITS);
    let years = Timestamp(crate::clock::now().0 + 300_000_000_000);
    let ahead = Pass {
        at: years,
        took_ms: 1,
        removed: Vec::new(),
        error: None,
    };
    let command = Command::Keep(KeepCommand::Passed(ahead));
    let sent = bench.engine.handle.send(command, actor(), None).await;
    sent.unwrap();
    bench.engine.stop().await;

    let bench = start_in(dir.path(), NO_LIMITS);
    let passes = &bench.engine.cleaning;
    let next = loop {
        if let Some(next) = passes.passes().next {
            break next;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    let hour = crate::clock::now().plus(Duration::from_secs(3601));
    assert!(next <= hour, "{next:?}");
}

#[tokio::test]
async fn mirrors_stay_while_something_of_them_is_kept_and_go_as_a_whole() {
    let dir = tempfile::tempdir().unwrap();
    let bench = start_in(dir.path(), NO_LIMITS);
    let repos = dir.path().join("repos");
    let mirror = |key: &str| crate::cluster::embedded::mirror_path(dir.path(), key);
    let used = mirror("example.com/acme/web");
    let unused = mirror("example.com/acme/old");
    let broken_off = repos.join("0123.gone");
    for path in [&used, &unused, &broken_off] {
        std::fs::create_dir_all(path.join("refs")).unwrap();
    }
    bench.build(ONE).await;
    assert_eq!(bench.clean().await, [(Kept::Repos, 1)], "left by a kill");
    bench.set_keep(Kept::Repos, Some(0)).await;
    // Modification times are kept in seconds.
    while bench.engine.cleaning.plan(9).unwrap().candidates.is_empty() {
        tokio::task::yield_now().await;
    }
    let busy = std::fs::File::create(unused.with_extension("lock")).unwrap();
    rustix::fs::flock(&busy, rustix::fs::FlockOperation::LockExclusive).unwrap();
    let pass = bench.engine.cleaning.activate(actor()).await.unwrap();
    assert!(
        pass.error.is_some() && unused.exists(),
        "it is being fetched"
    );
    drop(busy);
    assert_eq!(bench.clean().await, [(Kept::Repos, 1)]);
    assert!(used.exists() && !unused.exists() && !broken_off.exists());
}

#[tokio::test]
async fn spans_and_passes_are_in_the_audit_log_and_outlive_the_server() {
    let dir = tempfile::tempdir().unwrap();
    let bench = start_in(dir.path(), NO_LIMITS);
    bench.ended(dir.path(), Outcome::Failed).await;
    bench.set_keep(Kept::Logs, Some(0)).await;
    bench.clean().await;
    bench.clean().await;
    let last = bench.engine.cleaning.passes().last;
    assert!(last.is_some());
    let query = WindowQuery {
        limit: 20,
        ..WindowQuery::default()
    };
    let rows = bench.engine.view.store.audit(&query, None).unwrap().rows;
    let deeds: Vec<_> = rows
        .iter()
        .map(|row| (row.entry.action.as_str(), row.entry.detail.as_str()))
        .filter(|(action, _)| *action != "build.create")
        .collect();
    assert_eq!(
        deeds.len(),
        2,
        "a pass that found nothing is no deed: {deeds:?}"
    );
    assert!(
        deeds[0].0 == "gc.run" && deeds[0].1.starts_with("1 logs, "),
        "{deeds:?}"
    );
    assert_eq!(deeds[1], ("settings.save", "keep.logs"));
    bench.engine.stop().await;
    let bench = start_in(dir.path(), NO_LIMITS);
    assert_eq!(bench.engine.cleaning.passes().last, last);
    assert_eq!(bench.engine.cleaning.keep().of(Kept::Logs), Some(0));
}
