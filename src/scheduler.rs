//! Placement: nodes × demands -> placements, or why there is none.
//!
//! Pure: knows no clock, no store, no process.
//!
//! Runs are taken in the order of the queue; a shape that fits nowhere is parked and the next shape is tried, so that
//! a smaller run may overtake a larger one. A parked shape is not looked at again until something changes on a node,
//! and then only against that node. Against starvation, one node at a time is kept for the first run in line that has
//! waited longer than [`STARVED_AFTER`]. Nodes are filled tightly: see [`Scheduler::place`].

use std::collections::HashMap;
use std::sync::Arc;

use crate::clock::Timestamp;
use crate::ids::{AttemptId, NodeId, ProjectId};
use crate::queue::{ExecutorKind, Limits, Queue, Shape, Waiting};

mod amounts;
mod explain;
mod nodes;
#[cfg(test)]
mod properties;
mod rooms;
mod starvation;
mod verdicts;

pub use amounts::{Cpu, Memory};
pub use starvation::STARVED_AFTER;
pub use verdicts::{Never, Verdicts};

use nodes::{Node, Nodes};
use starvation::Kept;

/// Levels of free cpu at which a placement looks for the best node; more of them hardly change the choice.
const LEVELS: usize = 4;

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

/// A run is on a node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Placement {
    /// The run, as it had waited.
    pub run: Waiting,
    /// Where it is.
    pub node: NodeId,
}

/// Why nothing is placed at all, whatever fits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hold {
    /// `read_only`, `stopped` or `disk`.
    pub code: &'static str,
    /// A sentence without a period.
    pub text: String,
}

/// Why a run waits: one sentence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reason {
    /// `capacity`, `project_limit`, `total_limit`, `behind`, `never`, `no_nodes`, `containers`, or the hold's code.
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
    /// `down`, `draining`, `ineligible`, `executor`, `too_small_cpu`, `too_small_memory`, `cpu`, `memory`, `kept` (for
    /// a run that has waited longer), `fits`: the first that holds on each node, with the number of nodes; zeros left
    /// out.
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

/// Queue and nodes together: who runs where, who waits and why.
#[derive(Debug, Default)]
pub struct Scheduler {
    queue: Queue,
    nodes: Nodes,
    running: HashMap<AttemptId, Placement>,
    /// Number of those on a node that is not known (yet, or any more).
    astray: usize,
    hold: Option<Hold>,
    /// The node that is kept for a run that waited too long.
    kept: Option<Kept>,
    /// The newest snapshot; `None` once something changed.
    verdicts: Option<Arc<Verdicts>>,
}

impl Scheduler {
    /// Starts empty.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            queue: Queue::new(limits),
            ..Self::default()
        }
    }

    /// Changes the limits.
    pub fn set_limits(&mut self, limits: Limits) {
        self.verdicts = None;
        self.queue.set_limits(limits);
    }

    /// Stops or resumes all placement.
    pub fn set_hold(&mut self, hold: Option<Hold>) {
        self.verdicts = None;
        self.hold = hold;
    }

    /// Adds a node or changes its spec; what runs on it stays.
    pub fn upsert_node(&mut self, spec: NodeSpec) {
        self.verdicts = None;
        let id = spec.id;
        let used = match self.nodes.get(id) {
            Some(node) => node.used,
            None => self.find_astray(id),
        };
        self.nodes.upsert(spec, used);
        self.review_kept_node();
        self.wake_for(id);
    }

    /// Forgets a node; what ran on it must have been released.
    ///
    /// What was not is still counted as running, and again on the node should it come back.
    pub fn remove_node(&mut self, node: NodeId) {
        self.verdicts = None;
        if let Some(gone) = self.nodes.remove(node) {
            self.astray += gone.used.runs as usize;
        }
        self.review_kept_node();
    }

    /// A node's spec and what is given out on it.
    #[must_use]
    pub fn node(&self, node: NodeId) -> Option<(&NodeSpec, Used)> {
        self.nodes.get(node).map(|node| (&node.spec, node.used))
    }

    /// All nodes, sorted by name.
    pub fn nodes(&self) -> impl Iterator<Item = (&NodeSpec, Used)> {
        self.nodes.iter().map(|node| (&node.spec, node.used))
    }

    /// A run begins to wait. One that waits or runs already is left as it is.
    pub fn enqueue(&mut self, waiting: Waiting) {
        if !self.running.contains_key(&waiting.attempt) && self.queue.enqueue(waiting) {
            self.verdicts = None;
        }
    }

    /// A waiting run leaves the queue; `None` when it did not wait.
    pub fn withdraw(&mut self, attempt: AttemptId) -> Option<Waiting> {
        self.verdicts = None;
        self.queue.withdraw(attempt)
    }

    /// A run that ran already (server start) takes its capacity, even beyond what the node has.
    pub fn adopt(&mut self, run: Waiting, node: NodeId) {
        self.verdicts = None;
        self.release(run.attempt);
        self.queue.withdraw(run.attempt);
        self.queue.count_running(run.project);
        self.take(run, node);
    }

    /// A run ended; answers where it ran.
    pub fn release(&mut self, attempt: AttemptId) -> Option<Placement> {
        let placement = self.running.remove(&attempt)?;
        let Placement { run, node } = placement;
        self.verdicts = None;
        self.queue.finish(run.project);
        let known = self.nodes.change_used(node, |used| {
            used.cpu_millis = used.cpu_millis.saturating_sub(run.shape.cpu_millis);
            used.memory_mb = used.memory_mb.saturating_sub(run.shape.memory_mb);
            used.runs = used.runs.saturating_sub(1);
        });
        if !known {
            self.astray -= 1;
        }
        self.wake_for(node);
        Some(placement)
    }

    /// Places what can be placed, best first, at most `max`.
    ///
    /// Order: priority, age, id among the shapes that fit somewhere. Node: the one on which the least stays free, so
    /// that large holes are left for large runs. "Least" is the sum of the squares of the shares of cpu and memory
    /// that stay free: as Nomad's bin packing score it is convex, so that of two nodes the one that is filled evenly
    /// wins; unlike it, it needs integers only. Compared are the tightest nodes of the first few levels of free cpu.
    ///
    /// `now` is for starvation alone: the same calls with the same arguments place the same runs on the same nodes.
    pub fn place(&mut self, now: Timestamp, max: usize) -> Vec<Placement> {
        let mut placed = Vec::new();
        if self.hold.is_some() {
            return placed;
        }
        self.review_kept(now);
        self.keep_for_starving(now);
        while placed.len() < max
            && let Some(run) = self.queue.next().copied()
        {
            self.verdicts = None;
            if let Some(node) = self.best_node(run.shape) {
                self.queue.start(run.attempt);
                self.take(run, node);
                self.unkeep_after(run.shape);
                placed.push(Placement { run, node });
            } else {
                self.queue.park(run.shape);
            }
        }
        placed
    }

    /// Number of waiting and running runs.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        self.queue.counts()
    }

    /// Waiting and running of one project.
    #[must_use]
    pub fn project_counts(&self, project: ProjectId) -> (usize, usize) {
        self.queue.project_counts(project)
    }

    /// Since when the oldest waiting run waits.
    #[must_use]
    pub fn oldest_waiting(&self) -> Option<Timestamp> {
        self.queue.oldest()
    }

    /// The waiting runs in order, from place `offset` (0 is the first). Costs the rows that are read.
    pub fn line(&self, offset: usize) -> impl Iterator<Item = &Waiting> {
        self.queue.line(offset)
    }

    /// The waiting run of that attempt; `None` when it does not wait.
    #[must_use]
    pub fn waiting(&self, attempt: AttemptId) -> Option<&Waiting> {
        self.queue.get(attempt)
    }

    /// Place in line of all, from 1; `None` when it does not wait.
    #[must_use]
    pub fn place_in_line(&self, attempt: AttemptId) -> Option<u64> {
        self.queue.places(attempt).map(|(place, _)| place as u64)
    }

    /// Where a run runs; `None` when it does not.
    #[must_use]
    pub fn node_of(&self, attempt: AttemptId) -> Option<NodeId> {
        self.running.get(&attempt).map(|placement| placement.node)
    }

    /// Snapshot for readers; cheap when nothing changed since the last call, else it costs the number of shapes that
    /// wait and of projects at their limit.
    pub fn verdicts(&mut self) -> Arc<Verdicts> {
        let fresh = self
            .verdicts
            .take()
            .unwrap_or_else(|| Arc::new(Verdicts::of(self)));
        Arc::clone(self.verdicts.insert(fresh))
    }

    /// The node a run of this shape goes to.
    fn best_node(&self, shape: Shape) -> Option<NodeId> {
        if let Some(kept) = self.kept.filter(|kept| kept.shape == shape)
            && self
                .nodes
                .get(kept.node)
                .is_some_and(|node| node.fits(shape))
        {
            return Some(kept.node);
        }
        let rooms = self
            .nodes
            .offer(shape.executor)
            .free
            .levels(shape.cpu_millis, shape.memory_mb)
            .take(LEVELS);
        rooms
            .filter_map(|room| self.nodes.get(room.node))
            .min_by_key(|node| left_over(node, shape))
            .map(|node| node.spec.id)
    }

    /// Gives out what a run takes.
    fn take(&mut self, run: Waiting, node: NodeId) {
        self.running.insert(run.attempt, Placement { run, node });
        if !self.nodes.change_used(node, |used| add(used, run.shape)) {
            self.astray += 1;
        }
    }

    /// Wakes the parked shapes that fit on a node on which something changed.
    fn wake_for(&mut self, node: NodeId) {
        let Some(changed) = self.nodes.get(node) else {
            return;
        };
        let kept_for = self
            .kept
            .filter(|kept| kept.node == node)
            .map(|kept| kept.shape);
        let may =
            |shape: &Shape| kept_for.is_none_or(|kept| kept == *shape) && changed.fits(*shape);
        let fitting: Vec<Shape> = self.queue.parked().filter(may).collect();
        for shape in fitting {
            self.queue.wake(shape);
        }
    }

    /// What runs on a node that was not known until now; looks at all runs, but only when there are such.
    fn find_astray(&mut self, node: NodeId) -> Used {
        let mut used = Used::default();
        if self.astray > 0 {
            self.running
                .values()
                .filter(|running| running.node == node)
                .for_each(|running| add(&mut used, running.run.shape));
            self.astray -= used.runs as usize;
        }
        used
    }
}

/// Counts a run of that shape.
fn add(used: &mut Used, shape: Shape) {
    used.cpu_millis = used.cpu_millis.saturating_add(shape.cpu_millis);
    used.memory_mb = used.memory_mb.saturating_add(shape.memory_mb);
    used.runs += 1;
}

/// How much would stay free: the sum of the squares of both shares, in millionths.
fn left_over(node: &Node, shape: Shape) -> u64 {
    let share = |free: u32, asked: u32, all: u32| {
        u64::from(free.saturating_sub(asked)) * 1000 / u64::from(all.max(1))
    };
    let free = node.free();
    let cpu = share(free.cpu_millis, shape.cpu_millis, node.spec.cpu_millis);
    let memory = share(free.memory_mb, shape.memory_mb, node.spec.memory_mb);
    cpu * cpu + memory * memory
}
