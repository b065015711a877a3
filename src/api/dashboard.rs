//! Wire types of the dashboard: one answer that says whether the installation is well and what needs somebody.

use serde::{Deserialize, Serialize};

use super::builds::PipelineRow;
use super::fleet::NodeCounts;
use super::services::{Installation, ServiceRow};
use crate::clock::Timestamp;

/// `GET /dashboard`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Dashboard {
    /// Whether new work is taken.
    pub installation: Installation,
    /// Version of the server.
    pub version: String,
    /// When it started: figures and histories go back no further.
    pub started_at: Timestamp,
    /// Runs that wait.
    pub waiting: u64,
    /// Runs that run.
    pub running: u64,
    /// How soon runs were placed within the last hour.
    pub objective: Objective,
    /// Nodes by state, and what of them is given out.
    pub nodes: NodeCounts,
    /// The last quarter of an hour of the machine.
    pub machine: MachineHistory,
    /// Most runs of each minute of the last hour, oldest first.
    pub load: Vec<LoadMinute>,
    /// The parts of the server.
    pub services: Vec<ServiceRow>,
    /// The certificates that are served.
    #[serde(default)]
    pub certificates: Vec<CertificateRow>,
    /// What needs somebody, most urgent first.
    pub attention: Vec<AttentionItem>,
    /// The newest builds.
    pub builds: Vec<PipelineRow>,
    /// Number of builds there ever were.
    pub built: u64,
    /// Order of the newest change this answer includes.
    pub seq: i64,
}

/// A certificate that is served.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateRow {
    /// Where: `public`, `console`.
    pub place: String,
    /// Where it comes from: `self-signed` (made by the server), `privacy`, `console`.
    pub source: String,
    /// Its first name.
    pub name: String,
    /// Who signed it.
    pub issuer: String,
    /// Until when it holds.
    pub until: Timestamp,
    /// Whole days until then; below 0 once it is over.
    pub days_left: i64,
    /// Whether that is soon.
    pub ends_soon: bool,
    /// What clients know it by.
    pub fingerprint: String,
    /// Why it is not the one that is set.
    pub trouble: Option<String>,
    /// Whether that is only because its key is locked.
    #[serde(default)]
    pub locked: bool,
}

/// The queue objective over the last hour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Objective {
    /// A run is to be placed within so many ms.
    pub within_ms: u64,
    /// Minutes in which runs were placed, oldest first.
    pub minutes: Vec<ObjectiveMinute>,
}

/// One minute of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectiveMinute {
    /// Its beginning.
    pub at: Timestamp,
    /// Runs placed.
    pub runs: u64,
    /// Those of them that had waited within the objective.
    pub met: u64,
}

/// What the kernel said of the machine that the server runs on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MachineHistory {
    /// Seconds between two looks.
    pub every_s: u64,
    /// The looks, oldest first; fewer while the server is young.
    pub samples: Vec<MachineSample>,
}

/// One look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MachineSample {
    /// When.
    pub at: Timestamp,
    /// Share of all processors that was busy since the look before, in tenths of a percent.
    pub cpu_permille: Option<u16>,
    /// Memory in use, in MiB; what caches hold counts as free.
    pub memory_used_mb: Option<u64>,
    /// Memory of the machine, in MiB.
    pub memory_total_mb: Option<u64>,
    /// Space in use on the data directory's file system, in bytes.
    pub disk_used: Option<u64>,
    /// Size of that file system, in bytes.
    pub disk_total: Option<u64>,
    /// Output of steps that was kept since the look before, in bytes a second.
    pub log_bytes_s: u64,
}

/// Runs of a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadMinute {
    /// Its beginning.
    pub at: Timestamp,
    /// Most that waited.
    pub waiting: u64,
    /// Most that ran.
    pub running: u64,
}

/// Something that needs somebody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttentionItem {
    /// How soon.
    pub urgency: Urgency,
    /// Since when, where that is known.
    pub since: Option<Timestamp>,
    /// What is the matter: a sentence without a period.
    pub text: String,
    /// What to do about it.
    pub help: String,
    /// The console's screen where it is looked at: `node:n07`, `run:...`, `queue`.
    pub screen: String,
}

/// How soon somebody is needed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Urgency {
    /// Work is held up or lost while nobody looks.
    Now,
    /// It will come to that.
    Soon,
    /// Good to know.
    Notice,
}
