//! Projects on the wire.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::secret::Secret;

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

/// Row of `GET /projects/{reference}/env`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct VariableRow {
    /// Its name.
    pub name: String,
    /// `xxxx`, followed by the last four characters of a value that is long enough.
    pub value: String,
    /// Set at.
    pub set_at: Timestamp,
    /// Set by.
    pub by: String,
}

/// `POST /projects/{reference}/env`, and an item of `GET /attempts/{id}/variables`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value, in clear: from whoever sets it to the server, and from there to the agent of a run.
    #[serde(serialize_with = "Secret::reveal")]
    pub value: Secret,
}

/// Answer to a write on a variable.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct VariableRef {
    /// `org/name` of the project.
    pub project: String,
    /// Its name.
    pub name: String,
}
