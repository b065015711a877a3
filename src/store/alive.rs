//! Reading back what is alive, at a server's start and after a commit that failed.

use super::records::positions;
use super::writer::Tx;
use super::{During, StoreError};
use crate::clock::Timestamp;
use crate::ids::{AttemptId, JobId, NodeId, PipelineId, ProjectId, WorkflowId};
use crate::pipeline::status::{RunState, Status};

/// A workflow that is not over, with what its jobs share.
#[derive(Clone, Debug)]
pub struct LiveWorkflow {
    /// Its id.
    pub id: WorkflowId,
    /// Its pipeline.
    pub pipeline: PipelineId,
    /// Its project.
    pub project: ProjectId,
    /// Its jobs in order.
    pub jobs: Vec<LiveJob>,
}

/// A job of such a workflow.
#[derive(Clone, Debug)]
pub struct LiveJob {
    /// Its id.
    pub id: JobId,
    /// Positions of what it requires.
    pub requires: Vec<u32>,
    /// Status.
    pub status: Status,
    /// Parallel copies.
    pub parallelism: u32,
    /// It is an approval.
    pub approval: bool,
}

/// An attempt that is not dead.
#[derive(Clone, Debug)]
pub struct LiveAttempt {
    /// Its id.
    pub id: AttemptId,
    /// Its job.
    pub job: JobId,
    /// Its workflow.
    pub workflow: WorkflowId,
    /// Its project.
    pub project: ProjectId,
    /// Parallel copy.
    pub copy: u32,
    /// Executor's word.
    pub executor: String,
    /// CPU asked for.
    pub cpu_millis: u32,
    /// Memory asked for.
    pub memory_mb: u32,
    /// 1 to 100.
    pub priority: u8,
    /// `Pending` or `Running`.
    pub state: RunState,
    /// Why it was asked to stop.
    pub stopping: Option<String>,
    /// It was requeued once.
    pub requeued: bool,
    /// Waits since.
    pub queued: Timestamp,
    /// Its node.
    pub node: Option<NodeId>,
    /// Newest report taken.
    pub seq: u64,
    /// The agent has reported that it started.
    pub started: bool,
}

impl Tx<'_> {
    /// All workflows that are not over, with their jobs.
    pub fn live_workflows(&self) -> Result<Vec<LiveWorkflow>, StoreError> {
        let mut workflows: Vec<LiveWorkflow> = self
            .db
            .prepare(
                "SELECT w.id, w.pipeline, p.project FROM workflows w JOIN pipelines p ON p.id = w.pipeline
                 WHERE w.stopped IS NULL ORDER BY w.id",
            )
            .and_then(|mut statement| {
                statement
                    .query_map([], |row| {
                        Ok(LiveWorkflow {
                            id: row.get(0)?,
                            pipeline: row.get(1)?,
                            project: ProjectId(row.get(2)?),
                            jobs: Vec::new(),
                        })
                    })?
                    .collect()
            })
            .during("read the workflows that are not over")?;
        let mut jobs = self
            .db
            // An approval never waits in the queue nor runs; few other specs name one, and reading one as JSON takes longer
            // than all the rest of its row. By CASE, since AND has SQLite look at each of its sides.
            .prepare("SELECT id, requires, status, parallelism, CASE WHEN status IN ('queued', 'running') THEN 0
                    WHEN instr(spec, '\"approval\"') = 0 THEN 0
                    ELSE json_extract(spec, '$.executor.type') = 'approval' END
                 FROM jobs WHERE workflow = ?1 ORDER BY position")
            .during("read the jobs that are not over")?;
        for workflow in &mut workflows {
            workflow.jobs = jobs
                .query_map([workflow.id], |row| {
                    Ok(LiveJob {
                        id: row.get(0)?,
                        requires: positions(row.get_ref(1)?.as_str()?),
                        status: row.get(2)?,
                        parallelism: row.get(3)?,
                        approval: row.get(4)?,
                    })
                })
                .and_then(Iterator::collect)
                .during("read the jobs that are not over")?;
        }
        Ok(workflows)
    }

    /// Gives all attempts that are not dead to `take`, one after the other: there may be very many.
    pub fn each_live_attempt(&self, mut take: impl FnMut(LiveAttempt)) -> Result<(), StoreError> {
        const COLUMNS: &str = "id, job, workflow, project, copy, executor, cpu_millis, memory_mb, priority, state, \
             stopping, requeued, queued, node, seq, started IS NOT NULL";
        self.db
            .prepare(&format!(
                "SELECT {COLUMNS} FROM attempts WHERE state = 'pending' UNION ALL
                 SELECT {COLUMNS} FROM attempts WHERE state = 'running'"
            ))
            .and_then(|mut statement| {
                let rows = statement.query_map([], |row| {
                    Ok(LiveAttempt {
                        id: row.get(0)?,
                        job: row.get(1)?,
                        workflow: row.get(2)?,
                        project: ProjectId(row.get(3)?),
                        copy: row.get(4)?,
                        executor: row.get(5)?,
                        cpu_millis: row.get(6)?,
                        memory_mb: row.get(7)?,
                        priority: row.get(8)?,
                        state: row.get(9)?,
                        stopping: row.get(10)?,
                        requeued: row.get(11)?,
                        queued: row.get(12)?,
                        node: row.get(13)?,
                        seq: u64::try_from(row.get::<_, i64>(14)?).unwrap_or(0),
                        started: row.get(15)?,
                    })
                })?;
                for row in rows {
                    take(row?);
                }
                Ok(())
            })
            .during("read the runs that are not over")
    }

    /// Attempts that are placed, each with the SHA-256 of its token.
    pub fn tokens(&self) -> Result<Vec<(AttemptId, Vec<u8>)>, StoreError> {
        self.db
            .prepare("SELECT id, token FROM attempts WHERE state = 'running' AND token IS NOT NULL")
            .and_then(|mut statement| {
                statement
                    .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                    .collect()
            })
            .during("read the tokens of the runs that run")
    }
}
