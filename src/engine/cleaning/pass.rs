//! What a pass came to, how the passes stand, and what one would remove. Knows nothing of how that is done.

use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};

use super::Candidate;
use crate::clock::Timestamp;
use crate::error::{Explain, Kind};
use crate::settings::keep::Kept;
use crate::store::StoreError;

/// What a pass removed of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removed {
    /// Which.
    pub kind: Kept,
    /// How many.
    pub count: u64,
    /// Bytes that their files took.
    pub bytes: u64,
}

/// What a pass came to.
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

impl Pass {
    /// `2 builds, 5 logs, 1234 bytes`.
    #[must_use]
    pub fn words(&self) -> String {
        if self.removed.is_empty() {
            return "nothing".to_owned();
        }
        let bytes: u64 = self.removed.iter().map(|one| one.bytes).sum();
        let counts = self.removed.iter();
        let counts = counts.map(|one| format!("{} {}, ", one.count, one.kind.word()));
        format!("{}{bytes} bytes", counts.collect::<String>())
    }

    pub(in crate::engine) fn to_text(&self) -> String {
        serde_json::to_string(self).expect("a pass is plain data")
    }

    pub(super) fn add(&mut self, kind: Kept, bytes: u64) {
        match self.removed.iter_mut().find(|one| one.kind == kind) {
            Some(one) => {
                one.count += 1;
                one.bytes += bytes;
            }
            None => self.removed.push(Removed {
                kind,
                count: 1,
                bytes,
            }),
        }
    }

    pub(super) fn fail(&mut self, why: String) {
        tracing::warn!("housekeeping: {why}");
        self.error.get_or_insert(why);
    }
}

/// How the passes stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Passes {
    /// The last one that ended, of an earlier server too.
    pub last: Option<Pass>,
    /// Since when one is under way.
    pub running: Option<Timestamp>,
    /// When the next one begins.
    pub next: Option<Timestamp>,
}

/// Where the passes stand, for whoever looks; cheap to clone.
pub(in crate::engine) type Board = Arc<Mutex<Passes>>;

/// What a pass would remove now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// All of it, by kind.
    pub removed: Vec<Removed>,
    /// The oldest of each kind.
    pub candidates: Vec<(Candidate, u64)>,
}

/// Why there was no pass.
#[derive(Debug, thiserror::Error)]
pub enum CleaningError {
    /// What may go could not be read.
    #[error("failed to look for what may be removed")]
    Store(#[from] StoreError),
    /// The engine has ended.
    #[error("the server is shutting down")]
    Ended,
}

impl Explain for CleaningError {
    fn kind(&self) -> Kind {
        match self {
            CleaningError::Store(err) => err.kind(),
            CleaningError::Ended => Kind::Unavailable,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            CleaningError::Store(err) => err.hint(),
            CleaningError::Ended => None,
        }
    }
}
