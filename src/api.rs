//! The wire: serde types of the HTTP API under `/api/roundel/v1`, no logic.
//!
//! The engine does not know them; `http` translates. Clients read moments as RFC 3339 `Z`. Unknown fields are ignored
//! by clients, so a server may be newer than the console that talks to it.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;

pub mod acme;
pub mod agent;
pub mod backups;
pub mod builds;
pub mod certificates;
pub mod compare;
pub mod dashboard;
pub mod doctor;
pub mod fleet;
pub mod keep;
pub mod projects;
pub mod rendered;
pub mod secrets;
pub mod services;
pub mod session;
pub mod settings;
pub mod tokens;
pub mod trial;
pub mod vms;
pub mod watches;

/// Version of this API; clients warn when the server's differs.
pub const API_VERSION: u32 = 1;

/// Path below which everything lives.
pub const ROOT: &str = "/api/roundel/v1";

/// `GET /hello`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Hello {
    /// Version of the server's build.
    pub version: String,
    /// [`API_VERSION`] of the server.
    pub api: u32,
    /// Id of the data directory: two servers that answer the same one are the same installation.
    pub data_id: String,
    /// Process id of the server.
    pub pid: u32,
    /// When it started.
    pub started_at: Timestamp,
    /// Started by a verb or console (`serve --auto`), and will end itself when idle.
    pub auto: bool,
    /// Name of this machine.
    pub hostname: String,
    /// Who host jobs run as.
    pub jobs_run_as: String,
    /// The data directory.
    pub data: String,
    /// Where it listens on the network, when it does.
    #[serde(default)]
    pub network: Option<Network>,
    /// The public addresses that it listens on.
    #[serde(default)]
    pub public: Vec<String>,
}

/// A port that a server listens on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Network {
    /// Address and port, as `0.0.0.0:8800`.
    pub address: String,
    /// Of its certificate, as `sha256:` and 64 hex digits: what clients know it by.
    pub fingerprint: String,
}

/// `GET /summary` and the `summary` item of the stream: the hot counters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Order of the newest change this answer includes.
    pub seq: i64,
    /// Server's clock at the answer.
    pub now: Timestamp,
    /// Runs that wait.
    pub waiting: u64,
    /// Runs that run.
    pub running: u64,
    /// Waiting since, of the oldest.
    pub oldest_waiting: Option<Timestamp>,
    /// Nodes by state.
    pub nodes: fleet::NodeCounts,
    /// `None` while writes go through; else why the server is read-only ("store full: ...").
    pub read_only: Option<String>,
    /// Whether new work is taken.
    #[serde(default)]
    pub installation: services::Installation,
    /// How long runs waited, those placed within the last hour: upper bounds in ms and counts.
    pub waits: Vec<WaitBucket>,
}

/// One bar of the histogram of waits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WaitBucket {
    /// Upper bound in ms; `None` for the last, open one.
    pub up_to_ms: Option<u64>,
    /// Runs placed within the last hour that waited this long.
    pub runs: u64,
}

/// A window of a list.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Page<T> {
    /// The rows of the window.
    pub rows: Vec<T>,
    /// Number of rows that match the filter.
    pub total: u64,
    /// Index of the first row of the window.
    pub offset: u64,
    /// Order of the newest change this answer includes.
    pub seq: i64,
}

/// Query of a list. `filter`: words, all of which must occur in a row's text (smart case; `!word` must not occur).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ListQuery {
    /// Words; empty = all.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub filter: String,
    /// Column name, `-` before it for descending; empty = the list's own order.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub sort: String,
    /// Rows wanted; 50 when absent, 1,000 at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// Index of the first row wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// Id the window should hold; it is then centred on that row and `offset` is ignored (unless the row is gone).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub around: Option<String>,
    /// Runs only: `pending`, `running`, `dead`, or several with commas; empty = all.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub state: String,
}

/// Every answer to a write.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Written<T> {
    /// Order of the change; a stream that has passed it has seen it.
    pub seq: i64,
    /// What came of it.
    #[serde(flatten)]
    pub value: T,
}

/// What of the installation changed: topics of the stream. `ids` holds pipelines, attempts, nodes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Order; the `id:` of the stream.
    pub seq: i64,
    /// What kind of thing.
    pub topic: Topic,
    /// Ids of the things (pipeline, attempt, node); may be shortened to none for "several".
    pub ids: Vec<String>,
}

/// Topics of the stream `GET /events` (SSE). Item names: `change` ([`Change`]), `summary` ([`Summary`]), `log`
/// ([`LogAdvanced`], no id), `reset` (empty: the position asked for is gone, read everything anew), `end`
/// ([`session::StreamEnd`]: whoever reads may not go on).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// Pipelines, workflows, jobs.
    Builds,
    /// Runs and attempts: queue and running.
    Runs,
    /// Nodes.
    Nodes,
    /// Audit rows.
    Audit,
    /// Settings, saved or staged.
    Settings,
}

/// A log grew.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogAdvanced {
    /// The attempt.
    pub attempt: String,
    /// Step index.
    pub step: u16,
    /// Length of the log now, in bytes.
    pub bytes: u64,
}

/// Body of every answer that is not a success.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ProblemBody {
    /// Sort of failure.
    pub kind: crate::error::Kind,
    /// A word for programs, where the kind says too little: `not_armed`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub code: String,
    /// What failed, on which object: a lowercase fragment.
    pub message: String,
    /// Causes, outermost first.
    #[serde(default)]
    pub causes: Vec<String>,
    /// What to do.
    #[serde(default)]
    pub hint: Option<String>,
    /// Problems of a config file, when it is one.
    #[serde(default)]
    pub problems: Vec<crate::pipeline::Problem>,
    /// What is wrong with settings, when it is that.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<crate::settings::check::Finding>,
}

/// `GET /audit`: one row per write. Newest first by default.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AuditRow {
    /// Number of the row.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// Who: `uid 0 (root)`, or the server itself.
    pub actor: String,
    /// What: `build.create`, `run.stop`, `node.drain`, ...
    pub action: String,
    /// On which object.
    pub object: String,
    /// `ok`, or why not.
    pub result: String,
    /// More, in words or as the command that does the same; may be empty.
    pub detail: String,
}
