//! Watched repositories on the wire.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;

/// `POST /watches`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AddWatch {
    /// Absolute path on the server's machine, or a URL that git understands.
    pub source: String,
    /// Seconds between two looks, 1 to a day.
    pub every_s: u64,
}

/// Answer to a write on a watch.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WatchRef {
    /// Its id.
    pub watch: String,
    /// Path or URL.
    pub source: String,
}

/// Row of `GET /watches`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WatchRow {
    /// Id.
    pub id: String,
    /// Path or URL.
    pub source: String,
    /// `org/name` of its project.
    pub project: String,
    /// Seconds between two looks.
    pub every_s: u64,
    /// Watched since.
    pub created_at: Timestamp,
    /// Who asked for it.
    pub by: String,
    /// Branches it had at the last look that found something new.
    pub branches: u64,
    /// When the last look ended; `None` before the first one since the server started.
    pub looked_at: Option<Timestamp>,
    /// Why the last look failed, when it did.
    pub failure: Option<String>,
    /// Pipelines made of what it found since the server started.
    pub built: u64,
    /// Branches that had moved at the last look that found any, and hold nothing that was not built before.
    #[serde(default)]
    pub passed_over: Vec<String>,
}
