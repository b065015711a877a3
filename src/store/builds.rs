//! Writing pipelines, workflows, jobs, attempts and steps, and reading back what is alive at a server's start.

use rusqlite::{OptionalExtension, params};

use super::records::{
    JOB_COLUMNS, JobRecord, PIPELINE_COLUMNS, PipelineRecord, RUN_COLUMNS, RunRecord,
    WORKFLOW_COLUMNS, WorkflowRecord, positions, positions_text,
};
use super::writer::Tx;
use super::{During, StoreError};
use crate::clock::Timestamp;
use crate::ids::{AttemptId, JobId, NodeId, PipelineId, ProjectId, WorkflowId};
use crate::pipeline::status::{Outcome, RunState, Status, StepStatus};

/// What a project's next pipeline and builds are numbered from.
#[derive(Clone, Debug)]
pub struct ProjectNumbers {
    /// Its row.
    pub id: ProjectId,
    /// Number of its newest pipeline.
    pub last_pipeline: i64,
    /// Number of its newest build.
    pub last_build: i64,
}

/// A pipeline to insert.
#[derive(Clone, Debug)]
pub struct NewPipeline<'a> {
    /// The row as it will be read.
    pub record: &'a PipelineRecord,
    /// Its project.
    pub project: ProjectId,
}

/// A job to insert.
#[derive(Clone, Debug)]
pub struct NewJob<'a> {
    /// Its id.
    pub id: JobId,
    /// Its workflow.
    pub workflow: WorkflowId,
    /// Its pipeline.
    pub pipeline: PipelineId,
    /// Place in the workflow's order.
    pub position: u32,
    /// Build number.
    pub number: i64,
    /// Name.
    pub name: &'a str,
    /// Positions of what it requires.
    pub requires: &'a [u32],
    /// Parallel copies.
    pub parallelism: u32,
    /// Status to begin with.
    pub status: Status,
    /// The compiled job as JSON.
    pub spec: &'a str,
    /// The job whose success it keeps.
    pub reused_from: Option<JobId>,
}

/// An attempt to insert, pending.
#[derive(Clone, Debug)]
pub struct NewAttempt<'a> {
    /// Its id.
    pub id: AttemptId,
    /// Its job.
    pub job: &'a JobRecord,
    /// Name of its workflow.
    pub workflow_name: &'a str,
    /// Its project.
    pub project: ProjectId,
    /// `org/name`.
    pub title: &'a str,
    /// Branch or tag.
    pub branch: &'a str,
    /// Fleet name.
    pub name: &'a str,
    /// Parallel copy.
    pub copy: u32,
    /// Number of copies.
    pub copies: u32,
    /// Executor's word.
    pub executor: &'a str,
    /// Class as written.
    pub resource_class: Option<&'a str>,
    /// CPU asked for.
    pub cpu_millis: u32,
    /// Memory asked for.
    pub memory_mb: u32,
    /// 1 to 100.
    pub priority: u8,
    /// Waits since.
    pub queued: Timestamp,
    /// It was requeued after an interruption.
    pub requeued: bool,
}

/// How an attempt ended.
#[derive(Clone, Debug)]
pub struct Stopped<'a> {
    /// When.
    pub at: Timestamp,
    /// How.
    pub outcome: Outcome,
    /// Why, in words.
    pub cause: &'a str,
    /// Step that decided.
    pub step: Option<u16>,
    /// Its exit code.
    pub exit_code: Option<i32>,
}

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
    /// SHA-256 of its token.
    pub token: Option<Vec<u8>>,
    /// Newest report taken.
    pub seq: u64,
    /// The agent has reported that it started.
    pub started: bool,
}

impl Tx<'_> {
    /// Finds a project by its key, or makes it.
    pub fn project(
        &self,
        key: &str,
        org: &str,
        name: &str,
        origin: &str,
    ) -> Result<ProjectNumbers, StoreError> {
        self.db
            .prepare_cached(
                "INSERT INTO projects (key, org, name, origin) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (key) DO UPDATE SET origin = excluded.origin
                 RETURNING id, last_pipeline, last_build",
            )
            .and_then(|mut statement| {
                statement.query_row(params![key, org, name, origin], |row| {
                    Ok(ProjectNumbers {
                        id: ProjectId(row.get(0)?),
                        last_pipeline: row.get(1)?,
                        last_build: row.get(2)?,
                    })
                })
            })
            .during("find the project")
    }

    /// Reads a project's numbers.
    pub fn project_numbers(&self, id: ProjectId) -> Result<ProjectNumbers, StoreError> {
        self.db
            .prepare_cached("SELECT last_pipeline, last_build FROM projects WHERE id = ?1")
            .and_then(|mut statement| {
                statement.query_row([id.0], |row| {
                    Ok(ProjectNumbers {
                        id,
                        last_pipeline: row.get(0)?,
                        last_build: row.get(1)?,
                    })
                })
            })
            .during("read the project's numbers")
    }

    /// Stores a project's numbers.
    pub fn set_project_numbers(&self, numbers: &ProjectNumbers) -> Result<(), StoreError> {
        self.db
            .prepare_cached("UPDATE projects SET last_pipeline = ?2, last_build = ?3 WHERE id = ?1")
            .and_then(|mut statement| {
                statement.execute(params![
                    numbers.id.0,
                    numbers.last_pipeline,
                    numbers.last_build
                ])
            })
            .during("number the project's builds")?;
        Ok(())
    }

    /// Inserts a pipeline.
    pub fn insert_pipeline(&self, new: &NewPipeline<'_>) -> Result<(), StoreError> {
        let r = new.record;
        self.db
            .prepare_cached(
                "INSERT INTO pipelines (id, project, number, title, branch, tag, revision, subject, actor, source,
                 status, problems, created, stopped) VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14)",
            )
            .and_then(|mut statement| {
                statement.execute(params![
                    r.id, new.project.0, r.number, r.title, r.branch, r.tag, r.revision, r.subject, r.actor, r.source,
                    r.status, r.problems, r.created, r.stopped
                ])
            })
            .during("store the pipeline")?;
        Ok(())
    }

    /// Reads a pipeline.
    pub fn pipeline(&self, id: PipelineId) -> Result<Option<PipelineRecord>, StoreError> {
        self.db
            .prepare_cached(&format!(
                "SELECT {PIPELINE_COLUMNS} FROM pipelines WHERE id = ?1"
            ))
            .and_then(|mut statement| {
                statement
                    .query_row([id], PipelineRecord::from_row)
                    .optional()
            })
            .during("read a pipeline")
    }

    /// Project of a pipeline.
    pub fn pipeline_project(&self, id: PipelineId) -> Result<ProjectId, StoreError> {
        self.db
            .prepare_cached("SELECT project FROM pipelines WHERE id = ?1")
            .and_then(|mut statement| statement.query_row([id], |row| row.get(0).map(ProjectId)))
            .during("read the project of a pipeline")
    }

    /// Inserts a workflow that begins now; `rerun_of` is marked as superseded.
    pub fn insert_workflow(
        &self,
        id: WorkflowId,
        pipeline: PipelineId,
        name: &str,
        created: Timestamp,
        rerun_of: Option<WorkflowId>,
    ) -> Result<(), StoreError> {
        self.db
            .prepare_cached(
                "INSERT INTO workflows (id, pipeline, name, status, created, rerun_of) VALUES (?1,?2,?3,?4,?5,?6)",
            )
            .and_then(|mut statement| {
                statement.execute(params![id, pipeline, name, Status::Running, created, rerun_of])
            })
            .during("store the workflow")?;
        if let Some(old) = rerun_of {
            self.db
                .execute("UPDATE workflows SET superseded = 1 WHERE id = ?1", [old])
                .during("mark the workflow as rerun")?;
        }
        Ok(())
    }

    /// Reads a workflow.
    pub fn workflow(&self, id: WorkflowId) -> Result<Option<WorkflowRecord>, StoreError> {
        self.db
            .prepare_cached(&format!(
                "SELECT {WORKFLOW_COLUMNS} FROM workflows WHERE id = ?1"
            ))
            .and_then(|mut statement| {
                statement
                    .query_row([id], WorkflowRecord::from_row)
                    .optional()
            })
            .during("read a workflow")
    }

    /// Newest passes of a pipeline's workflows, in the order they were made.
    pub fn current_workflows(
        &self,
        pipeline: PipelineId,
    ) -> Result<Vec<WorkflowRecord>, StoreError> {
        self.db
            .prepare_cached(&format!(
                "SELECT {WORKFLOW_COLUMNS} FROM workflows WHERE pipeline = ?1 AND superseded = 0 ORDER BY id"
            ))
            .and_then(|mut statement| statement.query_map([pipeline], WorkflowRecord::from_row)?.collect())
            .during("read the workflows of a pipeline")
    }

    /// Sets a workflow's status.
    pub fn set_workflow(
        &self,
        id: WorkflowId,
        status: Status,
        stopped: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        self.db
            .prepare_cached("UPDATE workflows SET status = ?2, stopped = ?3 WHERE id = ?1")
            .and_then(|mut statement| statement.execute(params![id, status, stopped]))
            .during("set a workflow's status")?;
        Ok(())
    }

    /// Sets a pipeline's status; `started` only fills an empty field.
    pub fn set_pipeline(
        &self,
        id: PipelineId,
        status: Status,
        started: Option<Timestamp>,
        stopped: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        self.db
            .prepare_cached(
                "UPDATE pipelines SET status = ?2, started = coalesce(started, ?3), stopped = ?4 WHERE id = ?1",
            )
            .and_then(|mut statement| statement.execute(params![id, status, started, stopped]))
            .during("set a pipeline's status")?;
        Ok(())
    }

    /// Inserts a job.
    pub fn insert_job(&self, new: &NewJob<'_>) -> Result<(), StoreError> {
        self.db
            .prepare_cached(
                "INSERT INTO jobs (id, workflow, pipeline, position, number, name, requires, parallelism, status,
                 spec, reused_from) VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11)",
            )
            .and_then(|mut statement| {
                statement.execute(params![
                    new.id,
                    new.workflow,
                    new.pipeline,
                    new.position,
                    new.number,
                    new.name,
                    positions_text(new.requires),
                    new.parallelism,
                    new.status,
                    new.spec,
                    new.reused_from
                ])
            })
            .during("store the job")?;
        Ok(())
    }

    /// Reads a job.
    pub fn job(&self, id: JobId) -> Result<Option<JobRecord>, StoreError> {
        self.db
            .prepare_cached(&format!("SELECT {JOB_COLUMNS} FROM jobs WHERE id = ?1"))
            .and_then(|mut statement| statement.query_row([id], JobRecord::from_row).optional())
            .during("read a job")
    }

    /// Reads a workflow's jobs in their order.
    pub fn workflow_jobs(&self, id: WorkflowId) -> Result<Vec<JobRecord>, StoreError> {
        self.db
            .prepare_cached(&format!(
                "SELECT {JOB_COLUMNS} FROM jobs WHERE workflow = ?1 ORDER BY position"
            ))
            .and_then(|mut statement| statement.query_map([id], JobRecord::from_row)?.collect())
            .during("read the jobs of a workflow")
    }

    /// Sets a job's status; a time given fills an empty field only (`stopped` overwrites).
    pub fn set_job(
        &self,
        id: JobId,
        status: Status,
        queued: Option<Timestamp>,
        started: Option<Timestamp>,
        stopped: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        self.db
            .prepare_cached(
                "UPDATE jobs SET status = ?2, queued = coalesce(queued, ?3), started = coalesce(started, ?4),
                 stopped = ?5 WHERE id = ?1",
            )
            .and_then(|mut statement| statement.execute(params![id, status, queued, started, stopped]))
            .during("set a job's status")?;
        Ok(())
    }

    /// Inserts a pending attempt.
    pub fn insert_attempt(&self, new: &NewAttempt<'_>) -> Result<(), StoreError> {
        self.db
            .prepare_cached(
                "INSERT INTO attempts (id, job, workflow, pipeline, project, name, job_name, workflow_name, title,
                 number, branch, copy, copies, executor, resource_class, cpu_millis, memory_mb, priority, state,
                 queued, requeued)
                 VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,'pending',?19,?20)",
            )
            .and_then(|mut statement| {
                statement.execute(params![
                    new.id,
                    new.job.id,
                    new.job.workflow,
                    new.job.pipeline,
                    new.project.0,
                    new.name,
                    new.job.name,
                    new.workflow_name,
                    new.title,
                    new.job.number,
                    new.branch,
                    new.copy,
                    new.copies,
                    new.executor,
                    new.resource_class,
                    new.cpu_millis,
                    new.memory_mb,
                    new.priority,
                    new.queued,
                    new.requeued
                ])
            })
            .during("queue a run")?;
        Ok(())
    }

    /// Reads an attempt.
    pub fn attempt(&self, id: AttemptId) -> Result<Option<RunRecord>, StoreError> {
        self.db
            .prepare_cached(&format!("SELECT {RUN_COLUMNS} FROM attempts WHERE id = ?1"))
            .and_then(|mut statement| statement.query_row([id], RunRecord::from_row).optional())
            .during("read a run")
    }

    /// A pending attempt goes to a node, under a token of which only the hash is kept.
    pub fn place_attempt(
        &self,
        id: AttemptId,
        node: NodeId,
        node_name: &str,
        token: &[u8],
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.db
            .prepare_cached(
                "UPDATE attempts SET state = 'running', node = ?2, node_name = ?3, token = ?4, placed = ?5 WHERE id = ?1",
            )
            .and_then(|mut statement| statement.execute(params![id, node, node_name, token, at]))
            .during("place a run")?;
        Ok(())
    }

    /// An attempt that was placed and never began goes back to the queue, at its old age.
    pub fn unplace_attempt(&self, id: AttemptId) -> Result<(), StoreError> {
        self.db
            .prepare_cached(
                "UPDATE attempts SET state = 'pending', node = NULL, node_name = NULL, token = NULL, placed = NULL
                 WHERE id = ?1",
            )
            .and_then(|mut statement| statement.execute([id]))
            .during("return a run to the queue")?;
        Ok(())
    }

    /// The agent of an attempt has begun.
    pub fn start_attempt(&self, id: AttemptId, at: Timestamp) -> Result<(), StoreError> {
        self.db
            .prepare_cached("UPDATE attempts SET started = coalesce(started, ?2) WHERE id = ?1")
            .and_then(|mut statement| statement.execute(params![id, at]))
            .during("mark a run as started")?;
        Ok(())
    }

    /// Notes the newest report taken from an attempt's agent, and the step it is at.
    pub fn advance_attempt(
        &self,
        id: AttemptId,
        seq: u64,
        step: Option<u16>,
    ) -> Result<(), StoreError> {
        self.db
            .prepare_cached("UPDATE attempts SET seq = ?2, step = coalesce(?3, step) WHERE id = ?1")
            .and_then(|mut statement| {
                statement.execute(params![id, i64::try_from(seq).unwrap_or(i64::MAX), step])
            })
            .during("note a report")?;
        Ok(())
    }

    /// Notes why an attempt was asked to stop.
    pub fn set_stopping(&self, id: AttemptId, why: &str) -> Result<(), StoreError> {
        self.db
            .prepare_cached("UPDATE attempts SET stopping = ?2 WHERE id = ?1")
            .and_then(|mut statement| statement.execute(params![id, why]))
            .during("note that a run is to stop")?;
        Ok(())
    }

    /// An attempt is over. Steps that never ended end with it.
    pub fn stop_attempt(&self, id: AttemptId, end: &Stopped<'_>) -> Result<(), StoreError> {
        self.db
            .prepare_cached(
                "UPDATE attempts SET state = 'dead', outcome = ?2, cause = ?3, stopped = ?4, step = coalesce(?5, step),
                 exit_code = ?6, token = NULL WHERE id = ?1",
            )
            .and_then(|mut statement| {
                statement.execute(params![id, end.outcome, end.cause, end.at, end.step, end.exit_code])
            })
            .during("end a run")?;
        self.db
            .prepare_cached(
                "UPDATE steps SET status = ?2, stopped = ?3 WHERE attempt = ?1 AND status = 'running'",
            )
            .and_then(|mut statement| statement.execute(params![id, StepStatus::Canceled, end.at]))
            .during("end a run's steps")?;
        Ok(())
    }

    /// Inserts or updates a step.
    pub fn set_step(
        &self,
        attempt: AttemptId,
        step: u16,
        status: StepStatus,
        exit_code: Option<i32>,
        started: Option<Timestamp>,
        stopped: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        self.db
            .prepare_cached(
                "INSERT INTO steps (attempt, step, status, exit_code, started, stopped) VALUES (?1,?2,?3,?4,?5,?6)
                 ON CONFLICT (attempt, step) DO UPDATE SET status = excluded.status, exit_code = excluded.exit_code,
                 started = coalesce(started, excluded.started), stopped = excluded.stopped",
            )
            .and_then(|mut statement| statement.execute(params![attempt, step, status, exit_code, started, stopped]))
            .during("note a step")?;
        Ok(())
    }

    /// Outcomes of the newest attempts of a job's copies that are dead and were not requeued.
    pub fn job_outcomes(&self, job: JobId) -> Result<Vec<(u32, Outcome)>, StoreError> {
        self.db
            .prepare_cached(
                "SELECT copy, outcome FROM attempts a WHERE job = ?1 AND state = 'dead'
                 AND id = (SELECT max(id) FROM attempts b WHERE b.job = a.job AND b.copy = a.copy) ORDER BY copy",
            )
            .and_then(|mut statement| {
                statement.query_map([job], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
            })
            .during("read how a job's runs ended")
    }

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
            .prepare("SELECT id, requires, status, parallelism FROM jobs WHERE workflow = ?1 ORDER BY position")
            .during("read the jobs that are not over")?;
        for workflow in &mut workflows {
            workflow.jobs = jobs
                .query_map([workflow.id], |row| {
                    Ok(LiveJob {
                        id: row.get(0)?,
                        requires: positions(row.get_ref(1)?.as_str()?),
                        status: row.get(2)?,
                        parallelism: row.get(3)?,
                    })
                })
                .and_then(Iterator::collect)
                .during("read the jobs that are not over")?;
        }
        Ok(workflows)
    }

    /// All attempts that are not dead.
    pub fn live_attempts(&self) -> Result<Vec<LiveAttempt>, StoreError> {
        const COLUMNS: &str = "id, job, workflow, project, copy, executor, cpu_millis, memory_mb, priority, state, \
             stopping, requeued, queued, node, token, seq, started IS NOT NULL";
        self.db
            .prepare(&format!(
                "SELECT {COLUMNS} FROM attempts WHERE state = 'pending' UNION ALL
                 SELECT {COLUMNS} FROM attempts WHERE state = 'running'"
            ))
            .and_then(|mut statement| {
                statement
                    .query_map([], |row| {
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
                            token: row.get(14)?,
                            seq: u64::try_from(row.get::<_, i64>(15)?).unwrap_or(0),
                            started: row.get(16)?,
                        })
                    })?
                    .collect()
            })
            .during("read the runs that are not over")
    }
}
