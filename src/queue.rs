//! The queue: which waiting run may go next, and for each that may not, the one binding reason.
//!
//! Pure: knows no clock, no store, no node. Its order is priority (higher first), then age (older first), then id.

use crate::clock::Timestamp;
use crate::ids::{AttemptId, ProjectId};

mod line;
pub(crate) mod ordered;

pub use line::Queue;

/// What a run asks of a node; runs of one shape are interchangeable to the scheduler.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Shape {
    /// CPU in thousandths of a core.
    pub cpu_millis: u32,
    /// Memory in MiB.
    pub memory_mb: u32,
    /// Kind of executor.
    pub executor: ExecutorKind,
}

/// Kinds of executor, as nodes offer them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum ExecutorKind {
    /// A host process.
    Host,
    /// A container engine.
    Docker,
    /// A virtual machine.
    Vm,
    /// No node here can ever offer it (macOS, Windows).
    Other,
}

impl ExecutorKind {
    /// All of them, in the order of their numbers.
    pub const ALL: [ExecutorKind; 4] = [Self::Host, Self::Docker, Self::Vm, Self::Other];

    /// The word for it, as nodes list it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Docker => "docker",
            Self::Vm => "vm",
            Self::Other => "other",
        }
    }
}

/// A waiting run, as small as it can be: there may be 100,000.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Waiting {
    /// The attempt that waits.
    pub attempt: AttemptId,
    /// Its project, for the limit per project.
    pub project: ProjectId,
    /// What it asks for.
    pub shape: Shape,
    /// 1 to 100, higher first; 50 by default.
    pub priority: u8,
    /// Since when it waits.
    pub queued: Timestamp,
}

/// What the line is sorted by: the least goes first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Turn {
    since: Since,
    attempt: AttemptId,
}

/// Priority and age in the order of the line: the priority taken from its greatest, then 56 bits of milliseconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Since(u64);

impl Since {
    const AGE: u64 = (1 << 56) - 1;

    fn of(run: &Waiting) -> Self {
        let age = u64::try_from(run.queued.0).unwrap_or(0).min(Self::AGE);
        Self((u64::from(u8::MAX - run.priority) << 56) | age)
    }
}

impl Turn {
    /// The run whose turn it is.
    pub(crate) fn attempt(self) -> AttemptId {
        self.attempt
    }

    /// Since when it waits.
    pub(crate) fn queued(self) -> Timestamp {
        Timestamp((self.since.0 & Since::AGE).cast_signed())
    }
}

impl Waiting {
    /// Its place in the order, to compare with others.
    pub(crate) fn turn(&self) -> Turn {
        Turn {
            since: Since::of(self),
            attempt: self.attempt,
        }
    }
}

/// How many runs may run at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Limits {
    /// Per project; `None` = no limit.
    pub per_project: Option<u32>,
    /// In total; `None` = no limit.
    pub total: Option<u32>,
}
