//! The fleet as a trait: what runs attempts, wherever that is.
//!
//! Knows what a run needs to be started, and nothing of queues, workflows or the store. The engine decides; a fleet
//! carries out and tells what became of it through its [`Reports`].

pub mod embedded;

use std::io;
use std::path::PathBuf;

use crate::api::agent::Vm;
use crate::clock::Timestamp;
use crate::ids::{AttemptId, NodeId};
use crate::pipeline::JobPlan;
use crate::settings::keep::Kept;

/// Everything that is needed to start an attempt.
#[derive(Clone, Debug)]
pub struct Submission {
    /// The attempt.
    pub attempt: AttemptId,
    /// Where it was placed.
    pub node: NodeId,
    /// Fleet name.
    pub name: String,
    /// The attempt's token, in clear; it ends up in a file that the agent unlinks.
    pub token: String,
    /// The compiled job.
    pub job: JobPlan,
    /// Variables of the run (`CI`, `CIRCLE_*`) and of the job, in order; later ones win.
    pub environment: Vec<(String, String)>,
    /// Where among them those of the project belong, when it has some; the agent asks for them.
    pub variables: Option<usize>,
    /// Sentences for step 0.
    pub notes: Vec<String>,
    /// The machine of its own that a `machine` job gets; `None` = a process of the node's machine.
    pub vm: Option<Vm>,
    /// What `checkout` brings.
    pub checkout: Source,
    /// CPU the run was given, in thousandths of a core.
    pub cpu_millis: u32,
    /// Memory the run was given, in MiB.
    pub memory_mb: u32,
}

/// The revision a run is of.
#[derive(Clone, Debug)]
pub struct Source {
    /// Key of the project, from which the mirror's name is made.
    pub project_key: String,
    /// What the checkout's `origin` should be.
    pub origin: String,
    /// Full commit id.
    pub revision: String,
    /// Branch; empty on a tag build.
    pub branch: String,
    /// Tag; empty on a branch build.
    pub tag: String,
}

/// What there is of a container engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Containers {
    /// One answers: what it is, as `Docker 20.10.24`.
    Answer(String),
    /// One is here and does not answer, which may pass. Why, in words.
    Away(String),
    /// There is none, or it has been away for long. Why, in words.
    Absent(String),
}

/// What a fleet finds: mostly of an attempt, what it left behind.
#[derive(Clone, Debug)]
pub enum Report {
    /// The agent is gone and did not say how the run ended. `cause` is a sentence without a period.
    Gone {
        /// The attempt.
        attempt: AttemptId,
        /// When that was noticed.
        at: Timestamp,
        /// Why, as far as can be told.
        cause: String,
    },
    /// The attempt was placed, and its agent never began: it can be placed again without being done twice.
    NeverStarted {
        /// The attempt.
        attempt: AttemptId,
    },
    /// Records an agent left in its spool when it died, frames as on the wire, in order.
    Spool {
        /// The attempt.
        attempt: AttemptId,
        /// The records.
        records: Vec<crate::api::agent::Record>,
    },
    /// The container engine came or went.
    Containers(Containers),
}

/// Where a fleet's reports go. An attempt's reports are handed over one after the other.
pub trait Reports: Send + Sync + 'static {
    /// Takes a report; resolves once it is durable. `false`: the server cannot write now, ask again later.
    fn report(&self, report: Report) -> impl Future<Output = bool> + Send;

    /// Newest record taken from an attempt; `None` when the attempt is over.
    fn taken(&self, attempt: AttemptId) -> Option<u64>;

    /// Whether its agent has been silent for too long.
    fn unreachable(&self, attempt: AttemptId) -> bool;
}

/// Files of an attempt that is over and was not cleared up after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOver {
    /// Which attempt.
    pub attempt: AttemptId,
    /// `Attempts` or `Scratch`.
    pub kind: Kept,
    /// The directory.
    pub path: PathBuf,
}

/// A fleet.
pub trait Fleet: Send + Sync {
    /// Starts an attempt; answers at once, what comes of it is reported.
    fn submit(&self, submission: Submission);

    /// Tells an attempt's agent to stop; it reports how that ended. Harmless when it is gone.
    fn stop(&self, attempt: AttemptId);

    /// Takes charge again of the attempts that were placed before this server started, and clears up after those that
    /// are over but were not cleared up after. Called once, before anything is submitted.
    fn adopt(&self, attempts: Vec<AttemptId>);

    /// What lies about of a kind of attempts that were made before some moment and are over, whose agents are gone.
    /// Blocks.
    fn left_overs(&self, kind: Kept, before: Timestamp) -> Vec<LeftOver>;

    /// Removes it, and ends what still runs of it. Blocks.
    ///
    /// # Errors
    /// When the file system refuses.
    fn clear(&self, left: &LeftOver) -> io::Result<()>;
}
