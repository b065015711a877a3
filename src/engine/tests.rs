//! The engine with a real store and a fleet that only writes down what it was asked to do: an agent's words are put in
//! its mouth by the tests.

use std::path::Path;
use std::sync::{Arc, Mutex};

use super::*;
use crate::clock::Timestamp;
use crate::cluster::{Fleet, LeftOver, Submission};
use crate::error::{Explain, Kind};
use crate::ids::{AttemptId, NodeId, PipelineId};
use crate::pipeline::status::{Outcome, RunState, Status};
use crate::pipeline::{self, Facts};
use crate::queue::{ExecutorKind, Limits};
use crate::settings::keep::Kept;
use crate::storage::logs::LogStore;
use crate::store::{RunFilter, RunRecord, WindowQuery};

mod approving;
mod keeping;
mod later;
mod stopping;
mod vms;

#[derive(Clone, Default)]
struct Recorder {
    submitted: Arc<Mutex<Vec<AttemptId>>>,
    stopped: Arc<Mutex<Vec<AttemptId>>>,
    adopted: Arc<Mutex<Vec<AttemptId>>>,
}

impl Fleet for Recorder {
    fn submit(&self, submission: Submission) {
        self.submitted.lock().unwrap().push(submission.attempt);
    }
    fn stop(&self, attempt: AttemptId) {
        self.stopped.lock().unwrap().push(attempt);
    }
    fn adopt(&self, attempts: Vec<AttemptId>) {
        self.adopted.lock().unwrap().extend(attempts);
    }
    fn left_overs(&self, _: Kept, _: Timestamp) -> Vec<LeftOver> {
        Vec::new()
    }
    fn clear(&self, _: &LeftOver) -> std::io::Result<()> {
        Ok(())
    }
}

struct Bench {
    engine: Engine,
    fleet: Recorder,
}

fn start_in(dir: &Path, limits: Limits) -> Bench {
    let capacity = Capacity {
        cpu_total_millis: 4000,
        cpu_reserved_millis: 0,
        memory_total_mb: 16_000,
        memory_reserved_mb: 0,
        executors: vec![ExecutorKind::Host],
        overcommitted: false,
        engine: None,
    };
    let options = Options {
        database: dir.join("roundel.db"),
        data: dir.to_owned(),
        scratch: dir.to_owned(),
        limits,
        silence_s: 60,
        nodes: vec![("n1".to_owned(), capacity)],
        classes: crate::pipeline::Classes::new(),
        seal: Arc::new(crate::storage::seal::Seal::of(dir, None).unwrap()),
        containers: crate::cluster::Containers::Away("not asked".to_owned()),
        vms: VmsOptions::usual(dir.to_owned()),
        copy: None,
    };
    let logs = LogStore::open(&dir.join("logs")).unwrap();
    let fleet = Recorder::default();
    let engine = start(&options, &logs, |_, _| fleet.clone()).unwrap();
    Bench { engine, fleet }
}

const NO_LIMITS: Limits = Limits {
    per_project: None,
    total: None,
};

const DIAMOND: &str = "
version: 2.1
jobs:
  a: {machine: true, resource_class: medium, steps: [run: a]}
  b: {machine: true, resource_class: medium, steps: [run: b]}
  c: {machine: true, resource_class: medium, steps: [run: c]}
  d: {machine: true, resource_class: medium, steps: [run: d]}
workflows:
  main:
    jobs: [a, b: {requires: [a]}, c: {requires: [a]}, d: {requires: [b, c]}]
";

fn actor() -> Actor {
    Actor::admin("uid 1000 (ann)")
}

impl Bench {
    async fn build(&self, config: &str) -> PipelineId {
        let id = PipelineId::fresh();
        self.build_as(id, config).await;
        id
    }

    async fn build_as(&self, id: PipelineId, config: &str) {
        let new = Self::new_build(id, config);
        self.send(BuildCommand::Create(Box::new(new)))
            .await
            .unwrap();
    }

    fn new_build(id: PipelineId, config: &str) -> NewBuild {
        let facts = Facts {
            branch: "main".to_owned(),
            ..Facts::default()
        };
        let plan = pipeline::compile(config, &facts).unwrap().plan;
        NewBuild {
            id,
            project_key: "example.com/acme/web".to_owned(),
            org: "acme".to_owned(),
            name: "web".to_owned(),
            origin: "https://example.com/acme/web".to_owned(),
            source: "/srv/web".to_owned(),
            branch: "main".to_owned(),
            tag: String::new(),
            revision: "0".repeat(40),
            subject: "a change".to_owned(),
            plan: Some(plan),
            problems: "[]".to_owned(),
            watch: None,
        }
    }

    async fn send(&self, command: BuildCommand) -> Result<(i64, Reply), CommandError> {
        self.engine
            .handle
            .send(Command::Build(command), actor(), None)
            .await
    }

    async fn drain(&self, enable: bool, deadline_s: Option<u64>) {
        let node = self.engine.view.live().nodes.rows()[0].record.id;
        let command = Command::Fleet(FleetCommand::SetDrain {
            node,
            enable,
            deadline_s,
        });
        self.engine
            .handle
            .send(command, actor(), None)
            .await
            .unwrap();
    }

    fn runs(&self, state: RunState) -> Vec<RunRecord> {
        let filter = RunFilter {
            states: vec![state],
            node: None,
        };
        let query = WindowQuery {
            limit: 100,
            ..WindowQuery::default()
        };
        self.engine.view.store.runs(&filter, &query).unwrap().rows
    }

    fn running(&self) -> Vec<String> {
        let mut names: Vec<String> = self
            .runs(RunState::Running)
            .into_iter()
            .map(|run| run.job_name)
            .collect();
        names.sort();
        names
    }

    /// An agent's whole life in one report.
    async fn end(&self, job: &str, outcome: Outcome) {
        let run = self
            .runs(RunState::Running)
            .into_iter()
            .find(|run| run.job_name == job)
            .unwrap();
        self.end_attempt(run.id, outcome).await;
    }

    async fn end_attempt(&self, attempt: AttemptId, outcome: Outcome) {
        let events = vec![
            (1, AgentEvent::Started { at: Timestamp(1) }),
            (
                2,
                AgentEvent::Finished {
                    at: Timestamp(1),
                    outcome,
                    cause: String::new(),
                    step: Some(1),
                    exit_code: Some(1),
                },
            ),
        ];
        self.engine
            .handle
            .agent_events(attempt, 2, events)
            .await
            .unwrap();
    }

    fn jobs(&self, pipeline: PipelineId) -> Vec<(String, Status)> {
        let passes = self.engine.view.store.workflows(pipeline).unwrap();
        let newest = passes.last().unwrap().id;
        let jobs = self.engine.view.store.jobs(newest).unwrap();
        jobs.into_iter().map(|job| (job.name, job.status)).collect()
    }

    fn status(&self, pipeline: PipelineId) -> Status {
        self.engine
            .view
            .store
            .pipeline(pipeline)
            .unwrap()
            .unwrap()
            .status
    }
}

#[tokio::test]
async fn a_look_that_was_under_way_as_its_watch_was_removed_builds_nothing_and_harms_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let bench = start_in(dir.path(), NO_LIMITS);
    let new = NewBuild {
        watch: Some(crate::ids::WatchId::fresh()),
        ..Bench::new_build(PipelineId::fresh(), DIAMOND)
    };
    let refused = bench.send(BuildCommand::Create(Box::new(new))).await;
    assert!(
        matches!(refused, Err(CommandError::NotFound { .. })),
        "{refused:?}"
    );
    // The store has taken no harm: what comes next is taken in.
    bench.build(DIAMOND).await;
}

#[tokio::test]
async fn jobs_run_in_the_order_of_what_they_require() {
    let dir = tempfile::tempdir().unwrap();
    let bench = start_in(dir.path(), NO_LIMITS);
    let id = bench.build(DIAMOND).await;
    assert_eq!(bench.running(), ["a"]);
    assert_eq!(bench.status(id), Status::Running);
    bench.end("a", Outcome::Success).await;
    assert_eq!(bench.running(), ["b", "c"]);
    bench.end("c", Outcome::Success).await;
    assert_eq!(bench.running(), ["b"]);
    bench.end("b", Outcome::Success).await;
    assert_eq!(bench.running(), ["d"]);
    bench.end("d", Outcome::Success).await;
    assert_eq!(bench.status(id), Status::Success);
}

#[tokio::test]
async fn what_requires_a_failed_job_is_not_run_and_a_rerun_from_failed_keeps_the_rest() {
    let dir = tempfile::tempdir().unwrap();
    let bench = start_in(dir.path(), NO_LIMITS);
    let id = bench.build(DIAMOND).await;
    bench.end("a", Outcome::Success).await;
    bench.end("b", Outcome::Failed).await;
    assert_eq!(bench.status(id), Status::Failing);
    bench.end("c", Outcome::Success).await;
    assert_eq!(bench.status(id), Status::Failed);
    let of =
        |jobs: &[(String, Status)], name: &str| jobs.iter().find(|(n, _)| n == name).unwrap().1;
    let jobs = bench.jobs(id);
    assert_eq!(
        (of(&jobs, "b"), of(&jobs, "d")),
        (Status::Failed, Status::NotRun)
    );

    let pass = bench.engine.view.store.workflows(id).unwrap()[0].id;
    bench
        .send(BuildCommand::Rerun {
            workflow: pass,
            from_failed: true,
        })
        .await
        .unwrap();
    assert_eq!(bench.running(), ["b"], "a and c are kept");
    bench.end("b", Outcome::Success).await;
    bench.end("d", Outcome::Success).await;
    assert_eq!(bench.status(id), Status::Success);
    let again = bench
        .send(BuildCommand::Rerun {
            workflow: pass,
            from_failed: true,
        })
        .await
        .unwrap_err();
    assert_eq!(again.kind(), Kind::Conflict);
}

#[tokio::test]
async fn a_pipeline_is_made_once_by_its_id() {
    let dir = tempfile::tempdir().unwrap();
    let bench = start_in(dir.path(), NO_LIMITS);
    let id = PipelineId::fresh();
    bench.build_as(id, DIAMOND).await;
    bench.build_as(id, DIAMOND).await;
    assert_eq!(bench.running(), ["a"]);
    assert_eq!(
        bench
            .engine
            .view
            .store
            .pipelines(&WindowQuery {
                limit: 9,
                ..WindowQuery::default()
            })
            .unwrap()
            .total,
        1
    );
}

#[tokio::test]
async fn an_idempotency_key_makes_a_write_happen_once() {
    let dir = tempfile::tempdir().unwrap();
    let bench = start_in(dir.path(), NO_LIMITS);
    let id = bench
        .build("version: 2.1\njobs: {build: {machine: true, steps: [run: x]}}")
        .await;
    bench.end("build", Outcome::Failed).await;
    let workflow = bench.engine.view.store.workflows(id).unwrap()[0].id;
    let command = || {
        Command::Build(BuildCommand::Rerun {
            workflow,
            from_failed: true,
        })
    };
    let send = || {
        bench
            .engine
            .handle
            .send(command(), actor(), Some("k".to_owned()))
    };
    let (first, second) = (send().await.unwrap(), send().await.unwrap());
    assert_eq!(first.1, second.1);
    assert_eq!(bench.engine.view.store.workflows(id).unwrap().len(), 2);
}

#[tokio::test]
async fn cancelling_ends_what_waits_and_stops_what_runs() {
    let dir = tempfile::tempdir().unwrap();
    let bench = start_in(dir.path(), NO_LIMITS);
    let id = bench.build(DIAMOND).await;
    let running = bench.runs(RunState::Running)[0].id;
    bench.send(BuildCommand::CancelPipeline(id)).await.unwrap();
    assert_eq!(
        bench.engine.view.gate.admit(running, "wrong", Timestamp(0)),
        Admission::WrongToken
    );
    bench.end_attempt(running, Outcome::Canceled).await;
    assert_eq!(bench.status(id), Status::Canceled);
    assert!(
        bench
            .jobs(id)
            .iter()
            .all(|(_, status)| *status == Status::Canceled)
    );
    let again = bench
        .send(BuildCommand::CancelPipeline(id))
        .await
        .unwrap_err();
    assert_eq!(again.kind(), Kind::Conflict);
}

#[tokio::test]
async fn a_drain_at_its_deadline_interrupts_and_requeues_once_at_the_old_age() {
    let dir = tempfile::tempdir().unwrap();
    let bench = start_in(dir.path(), NO_LIMITS);
    let id = bench
        .build("version: 2.1\njobs: {build: {machine: true, steps: [run: x]}}")
        .await;
    let first = bench.runs(RunState::Running)[0].clone();
    bench.drain(true, Some(0)).await;
    bench.end_attempt(first.id, Outcome::Canceled).await;
    let waiting = bench.runs(RunState::Pending);
    assert_eq!(waiting.len(), 1);
    assert_eq!(waiting[0].queued, first.queued, "it keeps its age");
    assert_eq!(
        bench.runs(RunState::Dead)[0].outcome,
        Some(Outcome::Interrupted)
    );
    let reason = loop {
        // The hot state is shown at most every 100 ms.
        if let Some(reason) = bench
            .engine
            .view
            .reason(&waiting[0])
            .filter(|r| r.code == "no_nodes")
        {
            break reason;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(reason.text, "every node is draining or ineligible");

    bench.drain(false, None).await;
    let second = bench.runs(RunState::Running)[0].clone();
    assert_ne!(
        second.name, first.name,
        "another attempt has another name: the fence"
    );
    bench.drain(true, Some(0)).await;
    bench.end_attempt(second.id, Outcome::Canceled).await;
    assert!(bench.runs(RunState::Pending).is_empty(), "not a third time");
    assert_eq!(bench.status(id), Status::Failed);
}

#[tokio::test]
async fn a_new_server_takes_up_what_ran_and_what_waited() {
    let dir = tempfile::tempdir().unwrap();
    let bench = start_in(
        dir.path(),
        Limits {
            per_project: None,
            total: Some(1),
        },
    );
    let id = bench.build(DIAMOND).await;
    let other = bench
        .build("version: 2.1\njobs: {build: {machine: true, steps: [run: x]}}")
        .await;
    let ran = bench.runs(RunState::Running)[0].id;
    let seq = bench.engine.view.live().seq;
    bench.engine.stop().await;

    let bench = start_in(dir.path(), NO_LIMITS);
    assert_eq!(*bench.fleet.adopted.lock().unwrap(), [ran]);
    assert!(bench.engine.view.live().seq >= seq);
    assert!(
        bench
            .engine
            .view
            .gate
            .unreachable(
                ran,
                crate::clock::now().plus(std::time::Duration::from_secs(11))
            )
            .is_some(),
        "until its agent comes back"
    );
    // Its report, told twice, counts once.
    bench.end_attempt(ran, Outcome::Success).await;
    bench.end_attempt(ran, Outcome::Failed).await;
    assert_eq!(bench.running(), ["b", "build"]);
    assert_eq!(bench.jobs(id)[0], ("a".to_owned(), Status::Success));
    assert_eq!(bench.status(other), Status::Running);
}
