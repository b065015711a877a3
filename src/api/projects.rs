//! Projects on the wire.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;

/// Row of `GET /projects`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ProjectRow {
    /// `org/name`.
    pub project: String,
    /// What it is known by: the normalised URL of its origin, else its absolute path.
    pub key: String,
    /// What a checkout's `origin` is.
    pub origin: String,
    /// Pipelines that are there.
    pub pipelines: u64,
    /// Number of its newest build.
    pub last_build: u64,
    /// When its newest pipeline was made.
    pub last_at: Option<Timestamp>,
}

/// `POST /projects/{reference}/rename`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RenameProject {
    /// `org/name`.
    pub to: String,
}

/// Answer to a write on a project.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ProjectRef {
    /// Its name now.
    pub project: String,
    /// Pipelines that were removed with it.
    pub pipelines: u64,
    /// Runs that were.
    pub runs: u64,
}
