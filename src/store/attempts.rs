//! Writing attempts and their steps: queued, placed, started, advanced, stopped.

use rusqlite::params;

use super::records::{JobRecord, RunRecord};
use super::writer::Tx;
use super::{During, StoreError, detail};
use crate::clock::Timestamp;
use crate::ids::{AttemptId, JobId, NodeId, ProjectId};
use crate::pipeline::status::{Outcome, StepStatus};

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

impl Tx<'_> {
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
        detail::attempt(&self.db, id)
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

    /// The agent of an attempt has begun; on a node whose clock is behind, as it was placed. Gives when, as it is kept.
    pub fn start_attempt(&self, id: AttemptId, at: Timestamp) -> Result<Timestamp, StoreError> {
        self.db
            .prepare_cached(
                "UPDATE attempts SET started = coalesce(started, max(?2, placed), ?2) WHERE id = ?1 RETURNING started",
            )
            .and_then(|mut statement| statement.query_row(params![id, at], |row| row.get(0)))
            .during("mark a run as started")
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

    /// An attempt is over, not before it began. Steps that never ended end with it.
    pub fn stop_attempt(&self, id: AttemptId, end: &Stopped<'_>) -> Result<(), StoreError> {
        self.db
            .prepare_cached(
                "UPDATE attempts SET state = 'dead', outcome = ?2, cause = ?3, stopped = max(?4, coalesce(started, ?4)),
                 step = coalesce(?5, step), exit_code = ?6, token = NULL WHERE id = ?1",
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
}
