//! Rows as readers get them, and how SQLite's values become ours.

use std::str::FromStr;

use rusqlite::Row;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};

use crate::access::{Role, Way};
use crate::clock::Timestamp;
use crate::ids::{AttemptId, JobId, NodeId, PipelineId, VmId, WatchId, WorkflowId};
use crate::pipeline::status::{Outcome, RunState, Status, StepStatus, VmPurpose, VmState};

/// A pipeline.
#[derive(Clone, Debug)]
pub struct PipelineRecord {
    /// Id.
    pub id: PipelineId,
    /// Row number of its project.
    pub project: i64,
    /// `org/name` of its project.
    pub title: String,
    /// Number in the project.
    pub number: i64,
    /// Branch; empty on a tag build.
    pub branch: String,
    /// Tag; empty on a branch build.
    pub tag: String,
    /// Full commit id.
    pub revision: String,
    /// First line of the commit message.
    pub subject: String,
    /// Who asked.
    pub actor: String,
    /// Path or URL.
    pub source: String,
    /// Overall status.
    pub status: Status,
    /// JSON list of problems.
    pub problems: String,
    /// Made at.
    pub created: Timestamp,
    /// First run started at.
    pub started: Option<Timestamp>,
    /// Ended at.
    pub stopped: Option<Timestamp>,
}

/// A pass over a workflow.
#[derive(Clone, Debug)]
pub struct WorkflowRecord {
    /// Id.
    pub id: WorkflowId,
    /// Its pipeline.
    pub pipeline: PipelineId,
    /// Name.
    pub name: String,
    /// Status.
    pub status: Status,
    /// Made at.
    pub created: Timestamp,
    /// Ended at.
    pub stopped: Option<Timestamp>,
    /// The pass it reruns.
    pub rerun_of: Option<WorkflowId>,
    /// A later pass reruns it.
    pub superseded: bool,
}

/// A job.
#[derive(Clone, Debug)]
pub struct JobRecord {
    /// Id.
    pub id: JobId,
    /// Its workflow.
    pub workflow: WorkflowId,
    /// Its pipeline.
    pub pipeline: PipelineId,
    /// Place in the workflow's order, from 0.
    pub position: u32,
    /// Build number in the project.
    pub number: i64,
    /// Name.
    pub name: String,
    /// Positions of what it requires.
    pub requires: Vec<u32>,
    /// Status.
    pub status: Status,
    /// The compiled job as JSON.
    pub spec: String,
    /// Became runnable at.
    pub queued: Option<Timestamp>,
    /// First run started at.
    pub started: Option<Timestamp>,
    /// Ended at.
    pub stopped: Option<Timestamp>,
    /// The job of an earlier pass whose success it keeps.
    pub reused_from: Option<JobId>,
}

/// An attempt.
#[derive(Clone, Debug)]
pub struct RunRecord {
    /// Id.
    pub id: AttemptId,
    /// Its job.
    pub job: JobId,
    /// Its workflow.
    pub workflow: WorkflowId,
    /// Its pipeline.
    pub pipeline: PipelineId,
    /// Row number of its project.
    pub project: i64,
    /// Fleet name.
    pub name: String,
    /// Name of its job.
    pub job_name: String,
    /// Name of its workflow.
    pub workflow_name: String,
    /// `org/name`.
    pub title: String,
    /// Build number.
    pub number: i64,
    /// Branch or tag.
    pub branch: String,
    /// Parallel copy, from 0.
    pub copy: u32,
    /// Number of copies.
    pub copies: u32,
    /// Executor's word.
    pub executor: String,
    /// Class as written.
    pub resource_class: Option<String>,
    /// CPU asked for.
    pub cpu_millis: u32,
    /// Memory asked for.
    pub memory_mb: u32,
    /// 1 to 100.
    pub priority: u8,
    /// State on the fleet.
    pub state: RunState,
    /// Set once dead.
    pub outcome: Option<Outcome>,
    /// Why it ended so.
    pub cause: String,
    /// Why it was asked to stop, if it was.
    pub stopping: Option<String>,
    /// Waits since.
    pub queued: Timestamp,
    /// Placed at.
    pub placed: Option<Timestamp>,
    /// Agent started at.
    pub started: Option<Timestamp>,
    /// Ended at.
    pub stopped: Option<Timestamp>,
    /// Its node.
    pub node: Option<NodeId>,
    /// Name of its node.
    pub node_name: Option<String>,
    /// Step that runs or that decided.
    pub step: Option<u16>,
    /// Exit code of the step that decided.
    pub exit_code: Option<i32>,
    /// When its logs were removed, if they were.
    pub log_removed: Option<Timestamp>,
}

/// A step of an attempt.
#[derive(Clone, Debug)]
pub struct StepRecord {
    /// Index.
    pub step: u16,
    /// Status.
    pub status: StepStatus,
    /// Exit code.
    pub exit_code: Option<i32>,
    /// Started at.
    pub started: Option<Timestamp>,
    /// Ended at.
    pub stopped: Option<Timestamp>,
}

macro_rules! id_column {
    ($($id:ident),+) => {$(
        impl ToSql for $id {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(ToSqlOutput::Borrowed(ValueRef::Blob(self.as_bytes())))
            }
        }
        impl FromSql for $id {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                $id::from_slice(value.as_blob()?).ok_or(FromSqlError::InvalidType)
            }
        }
    )+};
}
id_column!(
    PipelineId, WorkflowId, JobId, AttemptId, NodeId, WatchId, VmId
);

macro_rules! word_column {
    ($($words:ident),+) => {$(
        impl ToSql for $words {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(ToSqlOutput::Borrowed(ValueRef::Text(self.word().as_bytes())))
            }
        }
        impl FromSql for $words {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                $words::from_str(value.as_str()?).map_err(FromSqlError::other)
            }
        }
    )+};
}
word_column!(Status, RunState, Outcome, StepStatus, Role, Way);
word_column!(VmPurpose, VmState);

impl ToSql for Timestamp {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.0))
    }
}

impl FromSql for Timestamp {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_i64().map(Timestamp)
    }
}

/// Positions as stored: decimal numbers with commas.
pub(super) fn positions_text(positions: &[u32]) -> String {
    positions
        .iter()
        .map(u32::to_string)
        .collect::<Vec<_>>()
        .join(",")
}

/// Positions from their text; what is no number is left out.
pub(super) fn positions(text: &str) -> Vec<u32> {
    text.split(',').filter_map(|n| n.parse().ok()).collect()
}

pub(super) const PIPELINE_COLUMNS: &str = "id, title, number, branch, tag, revision, subject, actor, source, status, \
     problems, created, started, stopped, project";

impl PipelineRecord {
    pub(super) fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            title: row.get(1)?,
            number: row.get(2)?,
            branch: row.get(3)?,
            tag: row.get(4)?,
            revision: row.get(5)?,
            subject: row.get(6)?,
            actor: row.get(7)?,
            source: row.get(8)?,
            status: row.get(9)?,
            problems: row.get(10)?,
            created: row.get(11)?,
            started: row.get(12)?,
            stopped: row.get(13)?,
            project: row.get(14)?,
        })
    }
}

pub(super) const WORKFLOW_COLUMNS: &str =
    "id, pipeline, name, status, created, stopped, rerun_of, superseded";

impl WorkflowRecord {
    pub(super) fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            pipeline: row.get(1)?,
            name: row.get(2)?,
            status: row.get(3)?,
            created: row.get(4)?,
            stopped: row.get(5)?,
            rerun_of: row.get(6)?,
            superseded: row.get(7)?,
        })
    }
}

pub(super) const JOB_COLUMNS: &str = "id, workflow, pipeline, position, number, name, requires, status, spec, queued, \
     started, stopped, reused_from";

impl JobRecord {
    pub(super) fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            workflow: row.get(1)?,
            pipeline: row.get(2)?,
            position: row.get(3)?,
            number: row.get(4)?,
            name: row.get(5)?,
            requires: positions(row.get_ref(6)?.as_str()?),
            status: row.get(7)?,
            spec: row.get(8)?,
            queued: row.get(9)?,
            started: row.get(10)?,
            stopped: row.get(11)?,
            reused_from: row.get(12)?,
        })
    }
}

pub(super) const RUN_COLUMNS: &str = "id, job, workflow, pipeline, project, name, job_name, workflow_name, title, \
     number, branch, copy, copies, executor, resource_class, cpu_millis, memory_mb, priority, state, outcome, cause, \
     stopping, queued, placed, started, stopped, node_name, step, exit_code, node, log_removed";

impl RunRecord {
    pub(super) fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            job: row.get(1)?,
            workflow: row.get(2)?,
            pipeline: row.get(3)?,
            project: row.get(4)?,
            name: row.get(5)?,
            job_name: row.get(6)?,
            workflow_name: row.get(7)?,
            title: row.get(8)?,
            number: row.get(9)?,
            branch: row.get(10)?,
            copy: row.get(11)?,
            copies: row.get(12)?,
            executor: row.get(13)?,
            resource_class: row.get(14)?,
            cpu_millis: row.get(15)?,
            memory_mb: row.get(16)?,
            priority: row.get(17)?,
            state: row.get(18)?,
            outcome: row.get(19)?,
            cause: row.get(20)?,
            stopping: row.get(21)?,
            queued: row.get(22)?,
            placed: row.get(23)?,
            started: row.get(24)?,
            stopped: row.get(25)?,
            node_name: row.get(26)?,
            step: row.get(27)?,
            exit_code: row.get(28)?,
            node: row.get(29)?,
            log_removed: row.get(30)?,
        })
    }
}

impl StepRecord {
    pub(super) fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            step: row.get(0)?,
            status: row.get(1)?,
            exit_code: row.get(2)?,
            started: row.get(3)?,
            stopped: row.get(4)?,
        })
    }
}
