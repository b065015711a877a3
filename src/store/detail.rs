//! One thing at a time: by id, by a unique beginning of an id or name, or as `project#number`.

use rusqlite::{Connection, OptionalExtension, params};

use super::records::{
    JOB_COLUMNS, JobRecord, PIPELINE_COLUMNS, PipelineRecord, RUN_COLUMNS, RunRecord, StepRecord,
    WORKFLOW_COLUMNS, WorkflowRecord,
};
use super::variables::{VariableRecord, variables};
use super::{During, ReadPool, StoreError};
use crate::ids::{AttemptId, JobId, PipelineId, ProjectId, WorkflowId};

/// What a reference may name, in the order they are looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// A pipeline.
    Pipeline(PipelineId),
    /// A workflow.
    Workflow(WorkflowId),
    /// A job.
    Job(JobId),
    /// An attempt.
    Attempt(AttemptId),
}

impl Named {
    /// What it is, for people.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Named::Pipeline(_) => "pipeline",
            Named::Workflow(_) => "workflow",
            Named::Job(_) => "job",
            Named::Attempt(_) => "run",
        }
    }

    /// The id as text.
    #[must_use]
    pub fn id(&self) -> String {
        match self {
            Named::Pipeline(id) => id.to_string(),
            Named::Workflow(id) => id.to_string(),
            Named::Job(id) => id.to_string(),
            Named::Attempt(id) => id.to_string(),
        }
    }
}

/// What an attempt is started with.
#[derive(Debug)]
pub struct StartRecord {
    /// The attempt.
    pub run: RunRecord,
    /// Its job.
    pub job: JobRecord,
    /// Its pipeline.
    pub pipeline: PipelineRecord,
    /// Key of its project.
    pub key: String,
    /// Where the project's repository is.
    pub origin: String,
    /// Variables of the project, by name.
    pub variables: Vec<VariableRecord>,
}

/// The most things a reference that means several is answered with.
const SEVERAL: usize = 6;

impl ReadPool {
    /// Finds what `reference` may mean among the tables wanted: none, one, or several (at most six).
    ///
    /// Forms: a whole id, its beginning (with or without hyphens, four digits at least), a fleet name or its
    /// beginning, `project#number` (the job with that build number, or the pipeline with that number), where `project` is
    /// `org/name` or `name`. Where a run is wanted, it is the job's, whatever pipeline has the same number.
    ///
    /// # Errors
    /// When a statement fails.
    pub fn named(&self, reference: &str, wanted: &[&str]) -> Result<Vec<Named>, StoreError> {
        self.read(|db| {
            let mut found = Vec::new();
            if let Some((project, number)) = reference.rsplit_once('#')
                && let Ok(number) = number.parse::<i64>()
            {
                by_number(db, project, number, wanted, &mut found)?;
            } else {
                by_prefix(db, reference, wanted, &mut found)?;
                if found.is_empty() && wanted.contains(&"attempts") {
                    by_fleet_name(db, reference, &mut found)?;
                }
            }
            found.truncate(SEVERAL);
            Ok(found)
        })
    }

    /// A pipeline.
    ///
    /// # Errors
    /// When a statement fails.
    pub fn pipeline(&self, id: PipelineId) -> Result<Option<PipelineRecord>, StoreError> {
        self.read(|db| pipeline(db, id))
    }

    /// All passes of a pipeline, oldest first.
    ///
    /// # Errors
    /// When a statement fails.
    pub fn workflows(&self, pipeline: PipelineId) -> Result<Vec<WorkflowRecord>, StoreError> {
        self.read(|db| {
            db.prepare_cached(&format!(
                "SELECT {WORKFLOW_COLUMNS} FROM workflows WHERE pipeline = ?1 ORDER BY id"
            ))
            .and_then(|mut statement| {
                statement
                    .query_map([pipeline], WorkflowRecord::from_row)?
                    .collect()
            })
            .during("read the workflows of a pipeline")
        })
    }

    /// Jobs of a workflow in their order.
    ///
    /// # Errors
    /// When a statement fails.
    pub fn jobs(&self, workflow: WorkflowId) -> Result<Vec<JobRecord>, StoreError> {
        self.read(|db| {
            db.prepare_cached(&format!(
                "SELECT {JOB_COLUMNS} FROM jobs WHERE workflow = ?1 ORDER BY position"
            ))
            .and_then(|mut statement| {
                statement
                    .query_map([workflow], JobRecord::from_row)?
                    .collect()
            })
            .during("read the jobs of a workflow")
        })
    }

    /// A job.
    ///
    /// # Errors
    /// When a statement fails.
    pub fn job(&self, id: JobId) -> Result<Option<JobRecord>, StoreError> {
        self.read(|db| job(db, id))
    }

    /// All attempts of a job, by copy, oldest first.
    ///
    /// # Errors
    /// When a statement fails.
    pub fn job_attempts(&self, job: JobId) -> Result<Vec<RunRecord>, StoreError> {
        self.read(|db| {
            db.prepare_cached(&format!(
                "SELECT {RUN_COLUMNS} FROM attempts WHERE job = ?1 ORDER BY copy, id"
            ))
            .and_then(|mut statement| statement.query_map([job], RunRecord::from_row)?.collect())
            .during("read the runs of a job")
        })
    }

    /// An attempt.
    ///
    /// # Errors
    /// When a statement fails.
    pub fn attempt(&self, id: AttemptId) -> Result<Option<RunRecord>, StoreError> {
        self.read(|db| attempt(db, id))
    }

    /// Steps of an attempt that have begun or were skipped, by index.
    ///
    /// # Errors
    /// When a statement fails.
    pub fn steps(&self, attempt: AttemptId) -> Result<Vec<StepRecord>, StoreError> {
        self.read(|db| {
            db.prepare_cached(
                "SELECT step, status, exit_code, started, stopped FROM steps WHERE attempt = ?1 ORDER BY step",
            )
            .and_then(|mut statement| statement.query_map([attempt], StepRecord::from_row)?.collect())
            .during("read the steps of a run")
        })
    }

    /// Key and origin of a pipeline's project.
    ///
    /// # Errors
    /// When a statement fails.
    pub fn project_of(&self, pipeline: PipelineId) -> Result<Option<(String, String)>, StoreError> {
        self.read(|db| project_of(db, pipeline))
    }

    /// All that an attempt is started with, of one moment and in one read: each costs a transaction of its own.
    ///
    /// # Errors
    /// When a statement fails.
    pub fn start_of(&self, id: AttemptId) -> Result<Option<StartRecord>, StoreError> {
        self.read(|db| {
            let Some(run) = attempt(db, id)? else {
                return Ok(None);
            };
            let (job, pipeline) = (job(db, run.job)?, pipeline(db, run.pipeline)?);
            let project = project_of(db, run.pipeline)?;
            let variables = variables(db, ProjectId(run.project))?;
            let parts = job.zip(pipeline).zip(project);
            Ok(parts.map(|((job, pipeline), (key, origin))| StartRecord {
                run,
                job,
                pipeline,
                key,
                origin,
                variables,
            }))
        })
    }
}

pub(super) fn pipeline(
    db: &Connection,
    id: PipelineId,
) -> Result<Option<PipelineRecord>, StoreError> {
    db.prepare_cached(&format!(
        "SELECT {PIPELINE_COLUMNS} FROM pipelines WHERE id = ?1"
    ))
    .and_then(|mut statement| {
        statement
            .query_row([id], PipelineRecord::from_row)
            .optional()
    })
    .during("read a pipeline")
}

pub(super) fn job(db: &Connection, id: JobId) -> Result<Option<JobRecord>, StoreError> {
    db.prepare_cached(&format!("SELECT {JOB_COLUMNS} FROM jobs WHERE id = ?1"))
        .and_then(|mut statement| statement.query_row([id], JobRecord::from_row).optional())
        .during("read a job")
}

pub(super) fn attempt(db: &Connection, id: AttemptId) -> Result<Option<RunRecord>, StoreError> {
    db.prepare_cached(&format!("SELECT {RUN_COLUMNS} FROM attempts WHERE id = ?1"))
        .and_then(|mut statement| statement.query_row([id], RunRecord::from_row).optional())
        .during("read a run")
}

fn project_of(
    db: &Connection,
    pipeline: PipelineId,
) -> Result<Option<(String, String)>, StoreError> {
    db.prepare_cached(
        "SELECT p.key, p.origin FROM projects p JOIN pipelines l ON l.project = p.id WHERE l.id = ?1",
    )
    .and_then(|mut statement| {
        statement
            .query_row([pipeline], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()
    })
    .during("read the project of a pipeline")
}

fn by_number(
    db: &Connection,
    project: &str,
    number: i64,
    wanted: &[&str],
    found: &mut Vec<Named>,
) -> Result<(), StoreError> {
    let jobs: Vec<(JobId, PipelineId, WorkflowId)> = db
        .prepare_cached(
            "SELECT j.id, j.pipeline, j.workflow FROM jobs j JOIN pipelines p ON p.id = j.pipeline
             WHERE j.number = ?2 AND j.reused_from IS NULL AND (p.title = ?1 OR p.title LIKE '%/' || ?1)",
        )
        .and_then(|mut statement| {
            let rows = statement.query_map(params![project, number], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })?;
            rows.collect()
        })
        .during("look for a build number")?;
    let of: Vec<PipelineId> = jobs.iter().map(|(_, pipeline, _)| *pipeline).collect();
    for (job, pipeline, workflow) in jobs {
        if wanted.contains(&"jobs") {
            found.push(Named::Job(job));
            continue;
        }
        let attempt: Option<AttemptId> = db
            .query_row(
                "SELECT id FROM attempts WHERE job = ?1 ORDER BY copy, id DESC LIMIT 1",
                [job],
                |row| row.get(0),
            )
            .optional()
            .during("read the run of a job")?;
        match (attempt, wanted) {
            (Some(attempt), _) if wanted.contains(&"attempts") => {
                found.push(Named::Attempt(attempt));
            }
            _ if wanted.contains(&"workflows") => found.push(Named::Workflow(workflow)),
            _ if wanted.contains(&"pipelines") => found.push(Named::Pipeline(pipeline)),
            _ => {}
        }
    }
    if !wanted.contains(&"pipelines") || (wanted.contains(&"attempts") && !found.is_empty()) {
        return Ok(());
    }
    // Pipelines are shown by numbers of their own: what was read there must not be taken for a job of another one.
    let pipelines: Vec<PipelineId> = db
        .prepare_cached(
            "SELECT id FROM pipelines WHERE number = ?2 AND (title = ?1 OR title LIKE '%/' || ?1)",
        )
        .and_then(|mut statement| {
            statement
                .query_map(params![project, number], |row| row.get(0))?
                .collect()
        })
        .during("look for the number of a pipeline")?;
    let others = pipelines.into_iter().filter(|id| !of.contains(id));
    found.extend(others.map(Named::Pipeline));
    Ok(())
}

/// Ids that begin with the digits of `reference`, as a range of blobs.
fn by_prefix(
    db: &Connection,
    reference: &str,
    wanted: &[&str],
    found: &mut Vec<Named>,
) -> Result<(), StoreError> {
    let digits: String = reference.chars().filter(|c| *c != '-').collect();
    if !(4..=32).contains(&digits.len()) || !digits.chars().all(|c| c.is_ascii_hexdigit()) {
        return Ok(());
    }
    let bound = |fill: char| -> Vec<u8> {
        let full: String = digits
            .chars()
            .chain(std::iter::repeat(fill))
            .take(32)
            .collect();
        (0..16)
            .filter_map(|i| u8::from_str_radix(&full[2 * i..2 * i + 2], 16).ok())
            .collect()
    };
    let (low, high) = (bound('0'), bound('f'));
    for table in wanted {
        let sql = format!("SELECT id FROM {table} WHERE id BETWEEN ?1 AND ?2 LIMIT {SEVERAL}");
        let mut statement = db.prepare_cached(&sql).during("look for an id")?;
        let ids: Vec<Vec<u8>> = statement
            .query_map(params![low, high], |row| row.get(0))
            .and_then(Iterator::collect)
            .during("look for an id")?;
        found.extend(ids.iter().filter_map(|id| match *table {
            "pipelines" => PipelineId::from_slice(id).map(Named::Pipeline),
            "workflows" => WorkflowId::from_slice(id).map(Named::Workflow),
            "jobs" => JobId::from_slice(id).map(Named::Job),
            _ => AttemptId::from_slice(id).map(Named::Attempt),
        }));
    }
    Ok(())
}

fn by_fleet_name(
    db: &Connection,
    reference: &str,
    found: &mut Vec<Named>,
) -> Result<(), StoreError> {
    let ids: Vec<AttemptId> = db
        .prepare_cached(
            "SELECT id FROM attempts WHERE name >= ?1 AND name < ?1 || char(1114111) LIMIT 6",
        )
        .and_then(|mut statement| {
            statement
                .query_map([reference], |row| row.get(0))?
                .collect()
        })
        .during("look for a run's name")?;
    found.extend(ids.into_iter().map(Named::Attempt));
    Ok(())
}
