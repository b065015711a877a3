//! What server and Build Agent say to one another: the task, and the records that come back.
//!
//! The records travel as [`Record`]s in one binary frame each, the same in the spool and in the body of
//! `POST /attempts/{id}/records` (`Authorization: Bearer <the attempt's token>`):
//! `u32 length of the rest | u64 seq | i64 unix µs | u8 kind | u16 step | u8 stream | payload`, little endian.
//! Kind 1 is output (payload = bytes, at most [`OUTPUT_MAX`]), kind 2 is a JSON [`Event`]. `seq` counts from 1 per
//! attempt over both kinds, so that replay is idempotent. A body holds whole frames, [`BODY_MAX`] bytes at most.
//! The Build Agent's own log (what it writes on stderr) goes to `attempts/<id>/agent.log`, which the server reads.

pub mod frame;
mod machine;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::ids::AttemptId;
use crate::pipeline::{Container, Step};
use crate::settings::bootstrap::SILENCE_S;

pub use machine::{Guest, Lending, LentMachine, Vm};

/// Largest payload of an output record: one read of a pipe.
pub const OUTPUT_MAX: usize = 64 * 1024;

/// Largest body of one report: eight reads and some events; bounds the server's memory per agent.
pub const BODY_MAX: usize = 640 * 1024;

/// The step index of the agent's own first step, "Spin up environment"; the plan's steps count from 1.
pub const SPIN_UP: u16 = 0;

/// `attempts/<id>/task.json`: all that an agent needs. The token is beside it in `token` (0600), unlinked once read.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Task {
    /// The attempt.
    pub attempt: AttemptId,
    /// Fleet name, for the process list and the agent's log.
    pub name: String,
    /// Socket of the server. A server that moves writes the new path to `attempts/<id>/server` (read on each reconnect).
    pub socket: PathBuf,
    /// Directory for HOME and the project of this attempt; made by the agent, removed by it at the end.
    pub scratch: PathBuf,
    /// Who the steps run as; `None` = as the agent itself.
    pub run_as: Option<RunAs>,
    /// Lines for step 0: where it runs, as whom, limits and shrinking, warnings.
    pub notes: Vec<String>,
    /// The whole environment of the steps but HOME, PWD and `BASH_ENV`, which the agent adds.
    pub environment: Vec<(String, String)>,
    /// The project has variables: where in `environment` they belong. They are not in this file, but at
    /// `GET /attempts/{id}/variables`, for the attempt's token.
    #[serde(default)]
    pub variables: Option<usize>,
    /// As written; `~` is the scratch home.
    pub working_directory: String,
    /// The job's shell words.
    pub shell: Option<String>,
    /// Steps of the plan; index 1 on.
    pub steps: Vec<Step>,
    /// What `checkout` brings.
    pub checkout: Checkout,
    /// The resource class as written, for words.
    #[serde(default)]
    pub resource_class: Option<String>,
    /// Limits to set by cgroup where there is one.
    pub cpu_millis: u32,
    /// Memory limit in MiB.
    pub memory_mb: u32,
    /// Seconds after which the run is stopped as timed out.
    pub deadline_s: u64,
    /// Seconds of silence after which the server calls the agent unreachable.
    #[serde(default = "silence_s")]
    pub silence_s: u64,
    /// A job in containers; with neither this nor `vm`, on the host.
    #[serde(default)]
    pub docker: Option<Docker>,
    /// A job in a machine of its own.
    #[serde(default)]
    pub vm: Option<Vm>,
}

/// Of a task that an older server wrote.
fn silence_s() -> u64 {
    SILENCE_S
}

/// What a job in containers needs besides.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Docker {
    /// Socket of the engine.
    pub engine: PathBuf,
    /// Id of the server's data, for the labels.
    pub data_id: String,
    /// At least one; steps run in the first.
    pub containers: Vec<Container>,
}

/// Another account for the steps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunAs {
    /// Name, for USER and messages.
    pub name: String,
    /// User id.
    pub uid: u32,
    /// Group id, of the run's own: what the steps of other runs, which have the same user, do not have.
    pub gid: u32,
}

/// The revision a `checkout` step brings, from the server's own mirror.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Checkout {
    /// Bare repository under `repos/` of the data directory.
    pub mirror: PathBuf,
    /// Where the mirror came from: becomes the `origin` of the checkout.
    pub origin: String,
    /// Full commit id.
    pub revision: String,
    /// Branch; empty on a tag build.
    pub branch: String,
    /// Tag; empty on a branch build.
    pub tag: String,
}

/// One record.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Counts from 1 per attempt.
    pub seq: u64,
    /// Unix microseconds.
    pub micros: i64,
    /// What it carries.
    pub body: RecordBody,
}

/// What a record carries.
#[derive(Clone, Debug, PartialEq)]
pub enum RecordBody {
    /// Bytes a step wrote.
    Output {
        /// Step index.
        step: u16,
        /// 1 = stdout, 2 = stderr.
        stream: u8,
        /// At most [`OUTPUT_MAX`].
        bytes: Vec<u8>,
    },
    /// Something happened.
    Event(Event),
}

/// What an agent reports besides output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The agent runs; always the first record.
    AgentStarted {
        /// Its process id.
        pid: u32,
        /// Start time of that process in clock ticks since boot (`/proc/PID/stat` field 22).
        pid_start: u64,
        /// Version of the agent.
        version: String,
    },
    /// A step began.
    StepStarted {
        /// Step index.
        step: u16,
        /// When.
        at: Timestamp,
    },
    /// A step ended (or was skipped: then without a start).
    StepEnded {
        /// Step index.
        step: u16,
        /// When.
        at: Timestamp,
        /// How.
        status: super::builds::StepStatus,
        /// Exit code; 128+n for a signal.
        exit_code: Option<i32>,
    },
    /// The run ended; always the last record. Its twin is `result.json`.
    Finished(Finished),
}

/// `attempts/<id>/result.json` (tmp, fsync, rename) and the last record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finished {
    /// When.
    pub at: Timestamp,
    /// How. `Canceled` when the agent was told to stop; the server knows why it told so.
    pub outcome: super::builds::Outcome,
    /// In words: `step "npm test" exited with 1`; empty on success.
    pub cause: String,
    /// Index of the step that decided it.
    pub step: Option<u16>,
    /// Exit code of that step.
    pub exit_code: Option<i32>,
    /// Sequence number of the last record before the `Finished` one: all output up to there is in the spool.
    pub last_seq: u64,
}

/// Answer to a report. Status 200 with this, 410 when the attempt is over for the server (the agent stops and leaves),
/// 503 while the server cannot write (the agent keeps its spool and comes back).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ack {
    /// All records up to here are kept; the spool may forget them.
    pub seq: u64,
    /// The run is to stop.
    pub stop: bool,
}
