//! Projects on the wire.

use serde::{Deserialize, Serialize, Serializer};

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
    /// What of the value is not to be seen in output; all of it where nothing is said. A run's only.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "reveal"
    )]
    pub hidden: Option<Vec<Secret>>,
}

fn reveal<S: Serializer>(hidden: &Option<Vec<Secret>>, serializer: S) -> Result<S::Ok, S::Error> {
    let hidden = hidden.iter().flatten();
    serializer.collect_seq(hidden.map(Secret::expose))
}

impl Variable {
    /// What of it is not to be seen in output.
    pub fn hides(&self) -> &[Secret] {
        match &self.hidden {
            Some(parts) => parts,
            None => std::slice::from_ref(&self.value),
        }
    }
}

/// Answer to a write on a variable.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct VariableRef {
    /// `org/name` of the project.
    pub project: String,
    /// Its name.
    pub name: String,
}
