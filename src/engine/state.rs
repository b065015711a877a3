//! The dispatcher's private state: what is alive, and nothing of what is over.
//!
//! Everything here can be read back from the store, and is after a commit that failed.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::access::Tokens;
use crate::clock::Timestamp;
use crate::cluster::Containers;
use crate::ids::{AttemptId, JobId, NodeId, PipelineId, ProjectId, WorkflowId};
use crate::pipeline::status::{Phase, RunState, Status};
use crate::queue::{ExecutorKind, Limits, Shape, Waiting};
use crate::scheduler::{NodeSpec, Scheduler};
use crate::settings::value::Values;
use crate::store::{InstallationRecord, NodeRecord, StoreError, Tx};

/// All of it.
#[derive(Debug)]
pub(super) struct State {
    /// Order of the newest change.
    pub seq: i64,
    /// Queue and placement.
    pub scheduler: Scheduler,
    /// Workflows that are not over.
    pub workflows: HashMap<WorkflowId, Workflow>,
    /// Attempts that are not dead.
    pub attempts: HashMap<AttemptId, Attempt>,
    /// Nodes.
    pub nodes: BTreeMap<NodeId, Node>,
    /// Whether new work is taken.
    pub installation: InstallationRecord,
    /// The version of the settings that the services run with: the newest when they were started.
    pub settings_running: u64,
    /// What the settings say that hold.
    pub values: Arc<Values>,
    /// Why the disk has too little room, while it has. Measured, not remembered.
    pub disk_low: Option<String>,
    /// The most CPU and memory any node could ever give, each by itself.
    pub largest_node: (u32, u32),
    /// The fleet's container engine.
    pub containers: Containers,
    /// Tokens that open.
    pub tokens: Arc<Tokens>,
    /// Runs that wait for one where there is none, or for a machine where those are refused, to be ended before the batch
    /// is over.
    pub unserved: Vec<AttemptId>,
}

/// A pass over a workflow's graph.
#[derive(Debug)]
pub(super) struct Workflow {
    pub pipeline: PipelineId,
    pub project: ProjectId,
    pub jobs: Box<[Job]>,
    pub canceled: bool,
}

/// A job of it.
#[derive(Debug)]
pub(super) struct Job {
    pub id: JobId,
    pub requires: Box<[u32]>,
    pub status: Status,
    pub parallelism: u32,
    /// Copies that have not ended yet; meaningful once queued.
    pub open: u32,
    /// Nothing of it runs: it waits for somebody's approval.
    pub approval: bool,
}

/// Why an attempt was asked to stop.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum StopReason {
    /// Somebody cancelled it.
    Canceled,
    /// Its node's drain reached the deadline.
    Drained,
}

impl StopReason {
    pub(super) fn word(self) -> &'static str {
        match self {
            StopReason::Canceled => "canceled",
            StopReason::Drained => "drained",
        }
    }

    pub(super) fn from_word(word: &str) -> Self {
        if word == "drained" {
            StopReason::Drained
        } else {
            StopReason::Canceled
        }
    }
}

/// A run that waits or runs: which of the two, for what and where, the scheduler knows.
#[derive(Debug)]
pub(super) struct Attempt {
    pub workflow: WorkflowId,
    /// Place of its job in the workflow.
    pub position: u32,
    pub copy: u32,
    pub stopping: Option<StopReason>,
    pub requeued: bool,
    /// Newest report taken.
    pub seq: u64,
    pub started: bool,
}

/// A node: what is remembered of it and what it has.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub record: NodeRecord,
    pub capacity: Capacity,
}

/// What a node has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// All CPU, in thousandths of a core.
    pub cpu_total_millis: u32,
    /// Kept for coordination.
    pub cpu_reserved_millis: u32,
    /// All memory, in MiB.
    pub memory_total_mb: u32,
    /// Kept for coordination.
    pub memory_reserved_mb: u32,
    /// Executors it offers.
    pub executors: Vec<ExecutorKind>,
    /// A rehearsal slice of a machine that was given out more than once.
    pub overcommitted: bool,
    /// Its container engine, as `Docker 20.10.24`, while that answers.
    pub engine: Option<String>,
}

impl Node {
    pub(super) fn spec(&self) -> NodeSpec {
        NodeSpec {
            id: self.record.id,
            name: self.record.name.clone(),
            cpu_millis: self.capacity.cpu_total_millis - self.capacity.cpu_reserved_millis,
            memory_mb: self.capacity.memory_total_mb - self.capacity.memory_reserved_mb,
            executors: self.capacity.executors.clone(),
            eligible: self.record.eligible,
            draining: self.record.drain.is_some(),
            down: false,
        }
    }
}

/// The scheduler's kind for a plan's executor word.
pub(super) fn executor_kind(word: &str) -> ExecutorKind {
    match word {
        "machine" => ExecutorKind::Host,
        "docker" => ExecutorKind::Docker,
        "vm" => ExecutorKind::Vm,
        _ => ExecutorKind::Other,
    }
}

impl State {
    /// Reads what is alive. `fleet` are the nodes this machine offers now, by name.
    pub(super) fn load(
        tx: &Tx<'_>,
        limits: Limits,
        fleet: &[(String, Capacity)],
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let installation = match tx.installation()? {
            Some(known) => known,
            None => {
                let new = InstallationRecord {
                    phase: Phase::Started,
                    since: now,
                    by: "server".to_owned(),
                };
                tx.set_installation(&new)?;
                new
            }
        };
        let mut state = State {
            seq: tx.last_seq()?,
            scheduler: Scheduler::new(limits),
            workflows: HashMap::new(),
            attempts: HashMap::new(),
            nodes: BTreeMap::new(),
            installation,
            settings_running: tx.settings_version()?,
            values: Arc::default(),
            disk_low: None,
            largest_node: (0, 0),
            containers: Containers::Away("the container engine has not been asked yet".to_owned()),
            tokens: Arc::default(),
            unserved: Vec::new(),
        };
        state.load_tokens(tx)?;
        state.set_hold();
        state.load_nodes(tx, fleet, now)?;
        let mut positions: HashMap<JobId, u32> = HashMap::new();
        for live in tx.live_workflows()? {
            positions.extend((0..).zip(&live.jobs).map(|(at, job)| (job.id, at)));
            let jobs = live.jobs.into_iter().map(|job| Job {
                id: job.id,
                requires: job.requires.into_boxed_slice(),
                status: job.status,
                parallelism: job.parallelism,
                open: 0,
                approval: job.approval,
            });
            let workflow = Workflow {
                pipeline: live.pipeline,
                project: live.project,
                jobs: jobs.collect(),
                canceled: false,
            };
            state.workflows.insert(live.id, workflow);
        }
        tx.each_live_attempt(|live| {
            let (Some(workflow), Some(&position)) = (
                state.workflows.get_mut(&live.workflow),
                positions.get(&live.job),
            ) else {
                return;
            };
            workflow.jobs[position as usize].open += 1;
            let waiting = Waiting {
                attempt: live.id,
                project: live.project,
                shape: Shape {
                    cpu_millis: live.cpu_millis,
                    memory_mb: live.memory_mb,
                    executor: executor_kind(&live.executor),
                },
                priority: live.priority,
                queued: live.queued,
            };
            let node = if live.state == RunState::Running {
                live.node
            } else {
                None
            };
            match node {
                Some(node) => state.scheduler.adopt(waiting, node),
                None => state.scheduler.enqueue(waiting),
            }
            let attempt = Attempt {
                workflow: live.workflow,
                position,
                copy: live.copy,
                stopping: live.stopping.as_deref().map(StopReason::from_word),
                requeued: live.requeued,
                seq: live.seq,
                started: live.started,
            };
            state.attempts.insert(live.id, attempt);
        })?;
        Ok(state)
    }

    /// Matches the remembered nodes with those this machine offers: known names keep id, eligibility and drain.
    fn load_nodes(
        &mut self,
        tx: &Tx<'_>,
        fleet: &[(String, Capacity)],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut remembered: HashMap<String, NodeRecord> = tx
            .nodes()?
            .into_iter()
            .map(|node| (node.name.clone(), node))
            .collect();
        for (name, capacity) in fleet {
            let record = match remembered.remove(name) {
                Some(known) => known,
                None => {
                    let new = NodeRecord {
                        id: NodeId::fresh(),
                        name: name.clone(),
                        created: now,
                        eligible: true,
                        drain: None,
                    };
                    tx.set_node(&new)?;
                    new
                }
            };
            let node = Node {
                record,
                capacity: capacity.clone(),
            };
            let spec = node.spec();
            let (cpu, memory) = self.largest_node;
            self.largest_node = (cpu.max(spec.cpu_millis), memory.max(spec.memory_mb));
            self.scheduler.upsert_node(spec);
            self.nodes.insert(node.record.id, node);
        }
        for gone in remembered.into_values() {
            tx.delete_node(gone.id)?;
        }
        Ok(())
    }
}
