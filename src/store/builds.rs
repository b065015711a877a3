//! Writing projects, pipelines, workflows and jobs.

use rusqlite::{OptionalExtension, params};

use super::records::{
    JOB_COLUMNS, JobRecord, PipelineRecord, WORKFLOW_COLUMNS, WorkflowRecord, positions_text,
};
use super::writer::Tx;
use super::{During, StoreError, detail};
use crate::clock::Timestamp;
use crate::ids::{JobId, PipelineId, ProjectId, WorkflowId};
use crate::pipeline::status::Status;

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
    pub fn insert_pipeline(&self, r: &PipelineRecord) -> Result<(), StoreError> {
        self.db
            .prepare_cached(
                "INSERT INTO pipelines (id, project, number, title, branch, tag, revision, subject, actor, source,
                 status, problems, created, stopped) VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14)",
            )
            .and_then(|mut statement| {
                statement.execute(params![
                    r.id, r.project, r.number, r.title, r.branch, r.tag, r.revision, r.subject, r.actor, r.source,
                    r.status, r.problems, r.created, r.stopped
                ])
            })
            .during("store the pipeline")?;
        Ok(())
    }

    /// Reads a pipeline.
    pub fn pipeline(&self, id: PipelineId) -> Result<Option<PipelineRecord>, StoreError> {
        detail::pipeline(&self.db, id)
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
        detail::job(&self.db, id)
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
}
