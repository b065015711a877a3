//! What has been kept for long enough, and goes.

use rusqlite::{Connection, params};

use super::{During, ReadPool, StoreError, Tx};
use crate::clock::Timestamp;
use crate::ids::{AttemptId, PipelineId};

/// Key in `meta` of what the last pass came to.
const LAST: &str = "gc.last";

/// A build that is over and old enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OldBuild {
    /// Which.
    pub id: PipelineId,
    /// `org/name` of its project.
    pub title: String,
    /// Number in the project.
    pub number: i64,
    /// Ended at.
    pub stopped: Timestamp,
    /// All attempts of its runs.
    pub attempts: Vec<AttemptId>,
}

/// A run that is over, old enough, and has its logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OldRun {
    /// Which.
    pub id: AttemptId,
    /// Fleet name.
    pub name: String,
    /// Ended at.
    pub stopped: Timestamp,
}

impl Tx<'_> {
    /// Remembers what the last pass came to.
    pub fn set_last_pass(&self, text: &str) -> Result<(), StoreError> {
        self.set_meta(LAST, text)
    }

    /// Forgets builds that are over, with all that belongs to them; one that has been taken up again stays. Answers how
    /// many are gone. Numbers are not given again, and what a watch has built it does not build again.
    pub fn forget_builds(&self, ids: &[PipelineId]) -> Result<u64, StoreError> {
        let forget = |id: &PipelineId| -> rusqlite::Result<bool> {
            let over: bool = self
                .db
                .prepare_cached(
                    "SELECT EXISTS (SELECT 1 FROM pipelines WHERE id = ?1 AND stopped IS NOT NULL)
                     AND NOT EXISTS (SELECT 1 FROM workflows WHERE pipeline = ?1 AND stopped IS NULL)",
                )?
                .query_row([id], |row| row.get(0))?;
            if !over {
                return Ok(false);
            }
            // Children first: each is asked for by its parent's index.
            for sql in [
                "DELETE FROM steps WHERE attempt IN (SELECT a.id FROM jobs j JOIN attempts a ON a.job = j.id WHERE j.pipeline = ?1)",
                "DELETE FROM attempts WHERE job IN (SELECT id FROM jobs WHERE pipeline = ?1)",
                "DELETE FROM jobs WHERE pipeline = ?1",
                "DELETE FROM workflows WHERE pipeline = ?1",
                "DELETE FROM pipelines WHERE id = ?1",
            ] {
                self.db.prepare_cached(sql)?.execute([id])?;
            }
            Ok(true)
        };
        let mut gone = 0;
        for id in ids {
            gone += u64::from(forget(id).during("forget a build")?);
        }
        Ok(gone)
    }

    /// Notes that the logs of runs are removed. Answers of how many.
    pub fn forget_logs(&self, ids: &[AttemptId], at: Timestamp) -> Result<u64, StoreError> {
        let mut gone = 0;
        for id in ids {
            let rows = self
                .db
                .prepare_cached(
                    "UPDATE attempts SET log_removed = ?2 WHERE id = ?1 AND state = 'dead' AND log_removed IS NULL",
                )
                .and_then(|mut statement| statement.execute(params![id, at]))
                .during("note that a log is removed")?;
            gone += rows as u64;
        }
        Ok(gone)
    }
}

impl ReadPool {
    /// What the last pass came to.
    ///
    /// # Errors
    /// When the statement fails.
    pub fn last_pass(&self) -> Result<Option<String>, StoreError> {
        use rusqlite::OptionalExtension;
        self.read(|db| {
            db.query_row("SELECT value FROM meta WHERE key = ?1", [LAST], |row| {
                row.get(0)
            })
            .optional()
            .during("read what was removed last")
        })
    }

    /// Builds that ended before a moment, oldest first, `limit` at most. Of a branch that is still built, the newest green
    /// build of each workflow is not among them: new builds are compared with it.
    ///
    /// # Errors
    /// When the statement fails.
    pub fn old_builds(&self, before: Timestamp, limit: u32) -> Result<Vec<OldBuild>, StoreError> {
        self.read(|db| {
            let found: Vec<OldBuild> = db
                .prepare_cached(
                    "SELECT p.id, p.title, p.number, p.stopped FROM pipelines p
                     WHERE p.created < ?1 AND p.stopped < ?1
                     AND NOT EXISTS (SELECT 1 FROM workflows w WHERE w.pipeline = p.id AND w.stopped IS NULL)
                     AND NOT (
                       EXISTS (SELECT 1 FROM pipelines q WHERE q.project = p.project AND q.number > p.number
                         AND q.branch = p.branch AND q.created >= ?1)
                       AND EXISTS (SELECT 1 FROM workflows w WHERE w.pipeline = p.id AND w.superseded = 0
                         AND w.status = 'success' AND NOT EXISTS (
                           SELECT 1 FROM pipelines q JOIN workflows v ON v.pipeline = q.id
                           WHERE q.project = p.project AND q.number > p.number AND q.branch = p.branch
                           AND v.name = w.name AND v.superseded = 0 AND v.status = 'success')))
                     ORDER BY p.created LIMIT ?2",
                )
                .and_then(|mut statement| {
                    let rows = statement.query_map(params![before, limit], |row| {
                        Ok(OldBuild {
                            id: row.get(0)?,
                            title: row.get(1)?,
                            number: row.get(2)?,
                            stopped: row.get(3)?,
                            attempts: Vec::new(),
                        })
                    })?;
                    rows.collect()
                })
                .during("look for old builds")?;
            let with_attempts = |build: OldBuild| {
                let attempts = attempts_of(db, build.id)?;
                Ok(OldBuild { attempts, ..build })
            };
            found.into_iter().map(with_attempts).collect()
        })
    }

    /// Runs that ended before a moment and have their logs, oldest first, `limit` at most.
    ///
    /// # Errors
    /// When the statement fails.
    pub fn old_logs(&self, before: Timestamp, limit: u32) -> Result<Vec<OldRun>, StoreError> {
        self.read(|db| {
            db.prepare_cached(
                "SELECT id, name, stopped FROM attempts WHERE state = 'dead' AND placed IS NOT NULL
                 AND log_removed IS NULL AND stopped < ?1 ORDER BY stopped LIMIT ?2",
            )
            .and_then(|mut statement| {
                let rows = statement.query_map(params![before, limit], |row| {
                    Ok(OldRun {
                        id: row.get(0)?,
                        name: row.get(1)?,
                        stopped: row.get(2)?,
                    })
                })?;
                rows.collect()
            })
            .during("look for old logs")
        })
    }

    /// Those of the attempts whose logs nobody can ask for: there is no such run, or they are removed.
    ///
    /// # Errors
    /// When the statement fails.
    pub fn without_logs(&self, ids: &[AttemptId]) -> Result<Vec<AttemptId>, StoreError> {
        self.read(|db| {
            let mut statement = db
                .prepare_cached("SELECT 1 FROM attempts WHERE id = ?1 AND log_removed IS NULL")
                .during("look for the runs of logs")?;
            let mut gone = Vec::new();
            for id in ids {
                let kept = statement.exists([id]);
                if !kept.during("look for the runs of logs")? {
                    gone.push(*id);
                }
            }
            Ok(gone)
        })
    }

    /// Keys of the projects of which something was built since a moment, or is yet to end.
    ///
    /// # Errors
    /// When the statement fails.
    pub fn projects_in_use(&self, since: Timestamp) -> Result<Vec<String>, StoreError> {
        self.read(|db| {
            db.prepare_cached(
                "SELECT key FROM projects WHERE
                 (SELECT created FROM pipelines WHERE project = projects.id ORDER BY number DESC LIMIT 1) >= ?1
                 OR id IN (SELECT p.project FROM workflows w JOIN pipelines p ON p.id = w.pipeline WHERE w.stopped IS NULL)",
            )
            .and_then(|mut statement| statement.query_map([since], |row| row.get(0))?.collect())
            .during("look for projects that are built")
        })
    }
}

fn attempts_of(db: &Connection, build: PipelineId) -> Result<Vec<AttemptId>, StoreError> {
    db.prepare_cached(
        "SELECT a.id FROM jobs j JOIN attempts a ON a.job = j.id WHERE j.pipeline = ?1",
    )
    .and_then(|mut statement| statement.query_map([build], |row| row.get(0))?.collect())
    .during("look for the runs of an old build")
}
