//! Variables of projects, sealed.

use rusqlite::{Connection, Row, params};

use super::pool::ReadPool;
use super::writer::Tx;
use super::{During, StoreError};
use crate::clock::Timestamp;
use crate::ids::{AttemptId, ProjectId};

/// A variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VariableRecord {
    /// Its name.
    pub name: String,
    /// The sealed value.
    pub sealed: String,
    /// The end of the value, when that may be shown; else empty.
    pub hint: String,
    /// Set at.
    pub at: Timestamp,
    /// Set by.
    pub by: String,
}

impl VariableRecord {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            name: row.get(0)?,
            sealed: row.get(1)?,
            hint: row.get(2)?,
            at: row.get(3)?,
            by: row.get(4)?,
        })
    }
}

impl ReadPool {
    /// The variables of a project, by name.
    ///
    /// # Errors
    /// When a statement fails.
    pub fn variables(&self, project: ProjectId) -> Result<Vec<VariableRecord>, StoreError> {
        self.read(|db| variables(db, project))
    }

    /// Project of an attempt, and the key of that.
    ///
    /// # Errors
    /// When a statement fails, or there is no such attempt.
    pub fn project_of_attempt(&self, id: AttemptId) -> Result<(ProjectId, String), StoreError> {
        self.read(|db| {
            db.prepare_cached(
                "SELECT p.id, p.key FROM attempts a JOIN projects p ON p.id = a.project WHERE a.id = ?1",
            )
            .and_then(|mut statement| {
                statement.query_row([id], |row| Ok((ProjectId(row.get(0)?), row.get(1)?)))
            })
            .during("find the project of a run")
        })
    }
}

pub(super) fn variables(
    db: &Connection,
    project: ProjectId,
) -> Result<Vec<VariableRecord>, StoreError> {
    db.prepare_cached(
        "SELECT name, sealed, hint, set_at, set_by FROM variables WHERE project = ?1 ORDER BY name",
    )
    .and_then(|mut statement| {
        statement
            .query_map([project.0], VariableRecord::from_row)?
            .collect()
    })
    .during("read the variables of a project")
}

impl Tx<'_> {
    /// Number of the other variables of a project, and bytes of their sealed values.
    pub fn other_variables(
        &self,
        project: ProjectId,
        name: &str,
    ) -> Result<(u64, u64), StoreError> {
        self.db
            .prepare_cached(
                "SELECT count(*), ifnull(sum(length(sealed)), 0) FROM variables WHERE project = ?1 AND name <> ?2",
            )
            .and_then(|mut statement| {
                statement.query_row(params![project.0, name], |row| Ok((row.get(0)?, row.get(1)?)))
            })
            .during("count the variables of a project")
    }

    /// Sets a variable.
    pub fn set_variable(
        &self,
        project: ProjectId,
        variable: &VariableRecord,
    ) -> Result<(), StoreError> {
        self.db
            .prepare_cached("INSERT OR REPLACE INTO variables VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
            .and_then(|mut statement| {
                statement.execute(params![
                    project.0,
                    variable.name,
                    variable.sealed,
                    variable.hint,
                    variable.at,
                    variable.by
                ])
            })
            .during("set a variable")?;
        Ok(())
    }

    /// Removes a variable; false when there is none.
    pub fn unset_variable(&self, project: ProjectId, name: &str) -> Result<bool, StoreError> {
        self.db
            .prepare_cached("DELETE FROM variables WHERE project = ?1 AND name = ?2")
            .and_then(|mut statement| statement.execute(params![project.0, name]))
            .during("unset a variable")
            .map(|rows| rows > 0)
    }
}
