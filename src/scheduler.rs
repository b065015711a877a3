//! Placement: nodes × demands -> placements, or why there is none.
//!
//! Pure: knows no clock, no store, no process.

use std::collections::HashMap;
use std::sync::Arc;

use crate::clock::Timestamp;
use crate::ids::{AttemptId, NodeId, ProjectId};
use crate::queue::{ExecutorKind, Limits, Shape, Waiting};

/// A node as placement sees it.
#[derive(Clone, Debug)]
pub struct NodeSpec {
    /// Id.
    pub id: NodeId,
    /// Name, for explanations.
    pub name: String,
    /// CPU it can give to runs, in thousandths of a core.
    pub cpu_millis: u32,
    /// Memory it can give to runs, in MiB.
    pub memory_mb: u32,
    /// Executors it offers.
    pub executors: Vec<ExecutorKind>,
    /// Takes new work.
    pub eligible: bool,
    /// A drain is on.
    pub draining: bool,
    /// Not reachable.
    pub down: bool,
}

/// What is given out on a node.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Used {
    /// CPU given to runs.
    pub cpu_millis: u32,
    /// Memory given to runs.
    pub memory_mb: u32,
    /// Runs on it.
    pub runs: u32,
}

/// A run goes to a node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Placement {
    /// The run's attempt.
    pub attempt: AttemptId,
    /// Where it goes.
    pub node: NodeId,
}

/// Why nothing is placed at all, whatever fits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hold {
    /// `read_only` or `disk`.
    pub code: &'static str,
    /// A sentence without a period.
    pub text: String,
}

/// Why a run waits: one sentence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reason {
    /// `capacity`, `project_limit`, `total_limit`, `behind`, `never`, `no_nodes`, or the hold's code.
    pub code: &'static str,
    /// The sentence, without a period.
    pub text: String,
    /// It will never start as things stand.
    pub never: bool,
}

/// Why a run waits, at length. The counts of `causes` add up to `nodes`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Explanation {
    /// What it asks for.
    pub shape: Shape,
    /// Number of nodes.
    pub nodes: u32,
    /// `down`, `draining`, `ineligible`, `executor`, `too_small_cpu`, `too_small_memory`, `cpu`, `memory`, `fits`:
    /// the first that holds on each node, with the number of nodes; zeros left out.
    pub causes: Vec<(&'static str, u32)>,
    /// The node that lacks least: name, its spec's cpu and memory, what is free of each.
    pub nearest: Option<Nearest>,
    /// Place in line among runs of its shape, from 1.
    pub place_of_shape: u64,
    /// Place in line of all, from 1.
    pub place: u64,
    /// What would help, one sentence each.
    pub help: Vec<String>,
}

/// A node that nearly fits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Nearest {
    /// Its name.
    pub name: String,
    /// CPU it could ever give, in thousandths of a core.
    pub cpu_millis: u32,
    /// Memory it could ever give, in MiB.
    pub memory_mb: u32,
    /// CPU free now.
    pub cpu_free_millis: u32,
    /// Memory free now.
    pub memory_free_mb: u32,
}

/// Snapshot from which a reader tells the reason of any waiting run in constant time, without the scheduler.
#[derive(Clone, Debug, Default)]
pub struct Verdicts {}

impl Verdicts {
    /// The one binding reason why `waiting` waits.
    #[must_use]
    pub fn reason(&self, waiting: &Waiting) -> Reason {
        let _ = waiting;
        Reason {
            code: "capacity",
            text: String::new(),
            never: false,
        }
    }
}

/// Queue and nodes together: who runs where, who waits and why.
#[derive(Debug, Default)]
pub struct Scheduler {
    placeholder: HashMap<AttemptId, (Waiting, Option<NodeId>)>,
}

impl Scheduler {
    /// Starts empty.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        let _ = limits;
        Self::default()
    }
    /// Changes the limits.
    pub fn set_limits(&mut self, limits: Limits) {
        let _ = limits;
    }
    /// Stops or resumes all placement.
    pub fn set_hold(&mut self, hold: Option<Hold>) {
        let _ = hold;
    }
    /// Adds a node or changes its spec; what runs on it stays.
    pub fn upsert_node(&mut self, spec: NodeSpec) {
        let _ = spec;
    }
    /// Forgets a node; what ran on it must have been released.
    pub fn remove_node(&mut self, node: NodeId) {
        let _ = node;
    }
    /// A node's spec and what is given out on it.
    #[must_use]
    pub fn node(&self, node: NodeId) -> Option<(&NodeSpec, Used)> {
        let _ = node;
        None
    }
    /// All nodes, sorted by name.
    pub fn nodes(&self) -> impl Iterator<Item = (&NodeSpec, Used)> {
        std::iter::empty()
    }
    /// A run begins to wait.
    pub fn enqueue(&mut self, waiting: Waiting) {
        let _ = waiting;
    }
    /// A waiting run leaves the queue; false when it did not wait.
    pub fn withdraw(&mut self, attempt: AttemptId) -> bool {
        let _ = attempt;
        false
    }
    /// A run that ran already (server start) takes its capacity, even beyond what the node has.
    pub fn adopt(&mut self, run: Waiting, node: NodeId) {
        let _ = (run, node);
    }
    /// A run ended; answers where it ran.
    pub fn release(&mut self, attempt: AttemptId) -> Option<NodeId> {
        let _ = attempt;
        None
    }
    /// Places what can be placed, best first, at most `max`.
    pub fn place(&mut self, now: Timestamp, max: usize) -> Vec<Placement> {
        let _ = (now, max);
        Vec::new()
    }
    /// Number of waiting and running runs.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        (0, 0)
    }
    /// Waiting and running of one project.
    #[must_use]
    pub fn project_counts(&self, project: ProjectId) -> (usize, usize) {
        let _ = project;
        (0, 0)
    }
    /// Since when the oldest waiting run waits.
    #[must_use]
    pub fn oldest_waiting(&self) -> Option<Timestamp> {
        None
    }
    /// The waiting runs in order, from place `offset`.
    pub fn line(&self, offset: usize) -> impl Iterator<Item = &Waiting> {
        let _ = offset;
        std::iter::empty()
    }
    /// Snapshot for readers; cheap when nothing changed since the last call.
    pub fn verdicts(&mut self) -> Arc<Verdicts> {
        Arc::default()
    }
    /// Why this one waits; `None` when it does not.
    #[must_use]
    pub fn explain(&self, attempt: AttemptId) -> Option<Explanation> {
        let _ = attempt;
        None
    }
    /// Waiting runs that some node could ever take.
    #[must_use]
    pub fn startable(&self) -> usize { 0 }
}
