//! Wire types of housekeeping: how long things are kept, and the passes that remove the rest.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
pub use crate::settings::keep::Kept;

/// `GET /gc`: how housekeeping stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Housekeeping {
    /// How long each kind is kept.
    pub keep: Vec<KeepRow>,
    /// The last pass that ended.
    pub last: Option<Pass>,
    /// Since when one is under way.
    pub running_since: Option<Timestamp>,
    /// When the next one begins by itself.
    pub next_at: Option<Timestamp>,
}

/// How long a kind is kept. Body of `POST /gc/keep`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeepRow {
    /// `logs`, `builds`, `attempts`, `scratch`, `repos`.
    pub kind: Kept,
    /// Seconds; null is for ever.
    pub seconds: Option<u64>,
}

/// A pass. Answer to `POST /gc`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pass {
    /// When it began.
    pub at: Timestamp,
    /// How long it took.
    pub took_ms: u64,
    /// What it removed, of each kind of which there was something.
    pub removed: Vec<Removed>,
    /// What could not be done, the first of it.
    pub error: Option<String>,
}

/// Things of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removed {
    /// Which kind.
    pub kind: Kept,
    /// How many.
    pub count: u64,
    /// Bytes that their files take.
    pub bytes: u64,
}

/// `GET /gc/plan`: what a pass would remove now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// All of it, by kind.
    pub removed: Vec<Removed>,
    /// The oldest of each kind, a thousand at most.
    pub candidates: Vec<Candidate>,
}

/// Something that would be removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// Its kind.
    pub kind: Kept,
    /// What it is known by.
    pub name: String,
    /// Since when nobody needs it.
    pub since: Timestamp,
    /// Bytes that its files take.
    pub bytes: u64,
}
