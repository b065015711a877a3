//! Wire types of pipelines, workflows, jobs, runs and steps.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
pub use crate::pipeline::status::{Outcome, RunState, Status, StepStatus};
pub use crate::pipeline::usual::Usual;

/// `POST /pipelines`: build a revision. Creating is create-if-absent by `id`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CreatePipeline {
    /// Chosen by the client (UUIDv7).
    pub id: crate::ids::PipelineId,
    /// Absolute path of a local repository, or a URL git understands.
    pub source: String,
    /// Branch; `None` = the one checked out (path) or the remote's HEAD (URL).
    #[serde(default)]
    pub branch: Option<String>,
    /// Only this job.
    #[serde(default)]
    pub job: Option<String>,
    /// `docker` jobs run on the host, with a warning.
    #[serde(default)]
    pub no_engine: bool,
}

/// Answer to a write that made or changed a pipeline: its id and state.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PipelineRef {
    /// The pipeline.
    pub pipeline: String,
    /// The workflow a rerun made, if it was one.
    #[serde(default)]
    pub workflow: Option<String>,
    /// Warnings of the compile.
    #[serde(default)]
    pub warnings: Vec<crate::pipeline::Problem>,
}

/// `POST /workflows/{id}/rerun`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Rerun {
    /// Keep what succeeded, run the rest again.
    pub from_failed: bool,
}

/// Numbers of jobs of a pipeline by what they are doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct JobCounts {
    /// All.
    pub total: u32,
    /// Blocked or queued.
    pub waiting: u32,
    /// Wait for somebody's approval.
    #[serde(default)]
    pub on_hold: u32,
    /// Running.
    pub running: u32,
    /// Ended well.
    pub success: u32,
    /// Failed, timed out, infrastructure.
    pub failed: u32,
    /// Canceled or not run.
    pub canceled: u32,
}

/// Row of `GET /pipelines`, newest first by default. Sort columns: created, project, branch, status, duration.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PipelineRow {
    /// Id.
    pub id: String,
    /// `org/name`, or `local/folder`.
    pub project: String,
    /// Number in the project, from 1.
    pub number: i64,
    /// Branch; empty on a tag build.
    pub branch: String,
    /// Tag; empty on a branch build.
    pub tag: String,
    /// Full commit id.
    pub revision: String,
    /// First line of the commit message.
    pub subject: String,
    /// Who asked for it.
    pub actor: String,
    /// Overall status.
    pub status: Status,
    /// Jobs by state, over the newest pass of each workflow.
    pub jobs: JobCounts,
    /// Asked for at.
    pub created_at: Timestamp,
    /// First run started at.
    pub started_at: Option<Timestamp>,
    /// Ended at.
    pub stopped_at: Option<Timestamp>,
    /// How long builds of its project usually take, once there are some.
    #[serde(default)]
    pub usual: Option<Usual>,
}

/// `GET /pipelines/{ref}`; `ref` is an id, a unique prefix of one, or `project#number`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PipelineDetail {
    /// Its row.
    pub row: PipelineRow,
    /// Where it came from: path or URL.
    pub source: String,
    /// Problems of its config: errors when `errored`, else warnings.
    pub problems: Vec<crate::pipeline::Problem>,
    /// Passes, oldest first; a rerun appends one.
    pub workflows: Vec<WorkflowDetail>,
    /// Order of the newest change this answer includes.
    pub seq: i64,
}

/// One pass over a workflow's graph.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WorkflowDetail {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Status.
    pub status: Status,
    /// Made at.
    pub created_at: Timestamp,
    /// Ended at.
    pub stopped_at: Option<Timestamp>,
    /// The pass it reruns.
    pub rerun_of: Option<String>,
    /// Jobs in an order in which each stands after all it requires.
    pub jobs: Vec<JobRow>,
}

/// A job of a workflow.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct JobRow {
    /// Id.
    pub id: String,
    /// Build number in the project.
    pub number: i64,
    /// Name.
    pub name: String,
    /// Status.
    pub status: Status,
    /// Names of the jobs it requires.
    pub requires: Vec<String>,
    /// Parallel copies.
    pub parallelism: u32,
    /// `machine`, `docker`, ...
    pub executor: String,
    /// Class as written.
    pub resource_class: Option<String>,
    /// Became runnable at.
    pub queued_at: Option<Timestamp>,
    /// First run started at.
    pub started_at: Option<Timestamp>,
    /// Ended at.
    pub stopped_at: Option<Timestamp>,
    /// Newest attempt of each parallel copy, by index; empty before it was queued.
    pub runs: Vec<RunRow>,
    /// Kept from the pass this one reruns.
    pub reused: bool,
}

/// Row of `GET /runs`: one attempt of one parallel copy. Own order: pending in queue order, then running (newest
/// first), then dead (newest first). Sort columns: place, job, project, waiting, state, node, started.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunRow {
    /// Attempt id.
    pub attempt: String,
    /// Fleet name, `<id>-<index>-build-<org>-<project>-<number>`.
    pub name: String,
    /// Pipeline.
    pub pipeline: String,
    /// Workflow name.
    pub workflow: String,
    /// Job id.
    pub job: String,
    /// Job name.
    pub job_name: String,
    /// `org/name`.
    pub project: String,
    /// Build number of the job.
    pub number: i64,
    /// Branch or tag.
    pub branch: String,
    /// Parallel copy, from 0.
    pub index: u32,
    /// Number of copies.
    pub of: u32,
    /// State on the fleet.
    pub state: RunState,
    /// Set once dead.
    pub outcome: Option<Outcome>,
    /// Why it ended so, in words (`step "test" exited with 1`); empty when there is nothing to add.
    pub cause: String,
    /// The agent has been silent for too long, or has not come back since the server started.
    pub unreachable: bool,
    /// When such an agent was last heard of; the start of the server at the latest.
    #[serde(default)]
    pub heard_at: Option<Timestamp>,
    /// Someone asked it to stop.
    pub stopping: bool,
    /// CPU asked for, in thousandths of a core.
    pub cpu_millis: u32,
    /// Memory asked for, in MiB.
    pub memory_mb: u32,
    /// `machine`, `docker`, ...
    pub executor: String,
    /// Class as written.
    pub resource_class: Option<String>,
    /// 1 to 100.
    pub priority: u8,
    /// Since when it waits, or waited from.
    pub queued_at: Timestamp,
    /// Placed at.
    pub placed_at: Option<Timestamp>,
    /// Agent started at.
    pub started_at: Option<Timestamp>,
    /// Ended at.
    pub stopped_at: Option<Timestamp>,
    /// Name of the node it was placed on.
    pub node: Option<String>,
    /// Place in line from 1, pending only.
    pub place: Option<u64>,
    /// Why it waits, pending only.
    pub reason: Option<Reason>,
    /// When it is expected to start, pending only.
    pub estimate: Option<Estimate>,
    /// Index of the step that runs or the one that failed.
    pub step: Option<u16>,
    /// How long its job usually takes, where it runs.
    #[serde(default)]
    pub usual: Option<Usual>,
    /// When its logs were removed, if they were.
    #[serde(default)]
    pub log_removed_at: Option<Timestamp>,
}

/// Why a run waits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reason {
    /// `capacity`, `project_limit`, `total_limit`, `behind`, `never`, `no_nodes`, `read_only`,
    /// `stopped`, `disk`.
    pub code: String,
    /// One sentence without a period: `no node has 4 cpu free; best is n07 with 2`.
    pub text: String,
    /// It will never start as things stand.
    pub never: bool,
}

/// When something is expected, and how that was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The moment.
    pub at: Timestamp,
    /// `median of 18 runs`.
    pub how: String,
}

/// `GET /runs/{ref}`: `ref` is an attempt id, a fleet name, or a unique prefix of either.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunDetail {
    /// Its row.
    pub run: RunRow,
    /// Steps so far and to come, by index; step 0 is "Spin up environment".
    pub steps: Vec<StepRow>,
    /// All attempts of this copy, oldest first.
    pub attempts: Vec<RunRow>,
    /// Why it waits, at length; pending only.
    pub explanation: Option<super::fleet::Explanation>,
    /// Order of the newest change this answer includes.
    pub seq: i64,
}

/// One step of an attempt.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StepRow {
    /// Index; 0 is the agent's own first step.
    pub index: u16,
    /// Name shown.
    pub name: String,
    /// `spin_up`, `run`, `checkout`.
    pub kind: String,
    /// Command text of a run step.
    pub command: String,
    /// `waiting`, `running`, `success`, `failed`, `skipped`, `canceled`, `timedout`.
    pub status: StepStatus,
    /// Exit code, when there is one; 128+n for a signal.
    pub exit_code: Option<i32>,
    /// Started at.
    pub started_at: Option<Timestamp>,
    /// Ended at.
    pub stopped_at: Option<Timestamp>,
    /// Length of its log in bytes.
    pub log_bytes: u64,
}

/// Query of `GET /logs/{attempt}/{step}` (step index, or `agent` for the Build Agent's own log). Exactly one of the
/// ways: bytes (`from`, `to`), lines (`line`, `count`), tail (`tail`), search (`search` or `errors`). The same of `GET
/// /jobs/{ref}/logs/{step}`, without bytes: that step of all parallel runs of a job as one log, by time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LogQuery {
    /// First byte; the answer is raw bytes with the header `x-roundel-log-length` (length of the whole log).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<u64>,
    /// Byte after the last; at most 1 MiB is answered at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<u64>,
    /// First line, from 0; the answer is [`LogLines`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// Lines wanted, 1,000 at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// The last n lines; the answer is [`LogLines`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tail: Option<u64>,
    /// Text to find, from `line` on or going back from `before`; the answer is [`LogMatches`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
    /// Find what looks like an error instead of a text.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub errors: bool,
    /// A search goes back from the line before this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<u64>,
    /// `out` or `err`; both when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
}

/// Lines of a log.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LogLines {
    /// The lines, in arrival order.
    pub lines: Vec<LogLine>,
    /// Number of lines of the whole log (of this stream), the unfinished last one counted.
    pub total: u64,
    /// Length of the whole log in bytes.
    pub bytes: u64,
    /// The step still runs: more may come.
    pub open: bool,
}

/// One line. Long ones are cut at 16 KiB and say so.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LogLine {
    /// Line number from 0, in the log that was asked for.
    pub n: u64,
    /// Arrival of its first byte, unix microseconds.
    pub t: i64,
    /// 1 = stdout, 2 = stderr.
    pub s: u8,
    /// Text without the line end; invalid UTF-8 replaced, escape sequences still in it (clients sanitise).
    pub text: String,
    /// Bytes left out of `text`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub cut: u64,
    /// Whose line it is, in a log of several runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<LineOf>,
}

/// A line of one of several runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LineOf {
    /// Index of the run, from 0.
    pub run: u32,
    /// Line number in the log of that run, from 0.
    pub n: u64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde's skip_serializing_if hands a reference"
)]
fn is_zero(n: &u64) -> bool {
    *n == 0
}

/// Lines that hold a text. An answer looks at a bounded part of a log, the whole of it when it is not long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogMatches {
    /// Line numbers, ascending, 1,000 at most: those nearest to where the search began.
    pub lines: Vec<u64>,
    /// The first line that was looked at; a search that goes back goes on with it as `before`.
    pub from: u64,
    /// The line after the last that was looked at; a search goes on with it as `line`. A last line that has no end yet
    /// is looked at and not counted here: more of it may come.
    pub to: u64,
    /// Lines of the whole log.
    pub total: u64,
}
