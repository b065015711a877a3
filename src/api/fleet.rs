//! Wire types of nodes and of the explanation why a run waits.

use serde::{Deserialize, Serialize};

use super::builds::RunRow;
use crate::clock::Timestamp;

/// Nodes by state.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct NodeCounts {
    /// Ready and eligible.
    pub ready: u32,
    /// Draining.
    pub draining: u32,
    /// Ready but not eligible.
    pub ineligible: u32,
    /// Down.
    pub down: u32,
    /// CPU of all nodes that can be given to runs, in thousandths of a core.
    pub cpu_millis: u64,
    /// CPU given to runs.
    pub cpu_millis_used: u64,
    /// Memory of all nodes that can be given to runs, in MiB.
    pub memory_mb: u64,
    /// Memory given to runs.
    pub memory_mb_used: u64,
}

/// Row of `GET /nodes`. Sort columns: name, status, cpu, memory, runs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NodeRow {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Datacenter; `dc1` on the embedded fleet.
    pub datacenter: String,
    /// Class; may be empty.
    pub class: String,
    /// `ready`, `down`, `initializing`.
    pub status: String,
    /// Takes new work.
    pub eligible: bool,
    /// A drain is on, or was completed and not disabled.
    pub drain: Option<Drain>,
    /// Draining and nothing runs any more.
    pub safe_to_terminate: bool,
    /// What the machine (or slice) has, in thousandths of a core.
    pub cpu_total_millis: u32,
    /// Kept for coordination.
    pub cpu_reserved_millis: u32,
    /// Given to runs.
    pub cpu_used_millis: u32,
    /// What the machine (or slice) has, in MiB.
    pub memory_total_mb: u32,
    /// Kept for coordination.
    pub memory_reserved_mb: u32,
    /// Given to runs.
    pub memory_used_mb: u32,
    /// Runs on it.
    pub runs: u32,
    /// Executors it offers.
    pub executors: Vec<String>,
    /// It is a rehearsal slice: `nodes = N` gave out more than the machine has.
    pub overcommitted: bool,
    /// First seen.
    pub created_at: Timestamp,
    /// Version of the agent it runs.
    pub version: String,
}

/// A drain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Drain {
    /// Since when.
    pub since: Timestamp,
    /// What still runs is stopped then; `None` = waits for ever.
    pub deadline: Option<Timestamp>,
    /// By whom.
    pub by: String,
}

/// `GET /nodes/{ref}`: id, name, or a unique prefix of either; `self` is this machine's first node.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NodeDetail {
    /// Its row.
    pub node: NodeRow,
    /// Runs on it, oldest first.
    pub runs: Vec<RunRow>,
    /// When the last of them is expected to end, when that can be said.
    pub idle_estimate: Option<super::builds::Estimate>,
    /// Uptime of the machine in seconds.
    pub uptime_s: u64,
    /// Load over one minute, times 100.
    pub load_percent: u32,
    /// Memory of the machine in use, in MiB.
    pub host_memory_used_mb: u64,
    /// Memory of the machine, in MiB.
    pub host_memory_total_mb: u64,
    /// Free space of the data directory's file system, in MiB.
    pub disk_free_mb: u64,
    /// Size of that file system, in MiB.
    pub disk_total_mb: u64,
    /// Order of the newest change this answer includes.
    pub seq: i64,
}

/// `POST /nodes/{ref}/drain`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SetDrain {
    /// On or off.
    pub enable: bool,
    /// Seconds after which what still runs is stopped; `None` = never, 0 = now.
    #[serde(default)]
    pub deadline_s: Option<u64>,
}

/// `POST /nodes/{ref}/eligibility`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SetEligibility {
    /// Takes new work.
    pub eligible: bool,
}

/// Answer to a write on a node.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NodeRef {
    /// The node.
    pub node: String,
    /// Its name.
    pub name: String,
}

/// Why a run waits, at length. The counts of `causes` add up to `nodes`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// CPU asked for, in thousandths of a core.
    pub cpu_millis: u32,
    /// Memory asked for, in MiB.
    pub memory_mb: u32,
    /// Executor asked for.
    pub executor: String,
    /// Number of nodes.
    pub nodes: u32,
    /// Why not on each: `cpu`, `memory`, `executor`, `draining`, `ineligible`, `down`, `too_small_cpu`,
    /// `too_small_memory`, `fits`.
    pub causes: Vec<Cause>,
    /// The node that lacks least.
    pub nearest: Option<Nearest>,
    /// Place in line of its shape, from 1.
    pub place_of_shape: u64,
    /// Place in line of all, from 1.
    pub place: u64,
    /// What would help, one sentence each.
    pub help: Vec<String>,
}

/// One cause and on how many nodes it holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cause {
    /// The cause's word.
    pub cause: String,
    /// Nodes.
    pub nodes: u32,
}

/// A node that nearly fits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Nearest {
    /// Its name.
    pub node: String,
    /// CPU free on it, in thousandths of a core.
    pub cpu_free_millis: u32,
    /// Memory free on it, in MiB.
    pub memory_free_mb: u32,
    /// CPU it could ever give.
    pub cpu_millis: u32,
    /// Memory it could ever give, in MiB.
    pub memory_mb: u32,
}
