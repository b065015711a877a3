//! Projects as such: listed, renamed, and removed with all that was built of them.

use rusqlite::{OptionalExtension, Row, params};

use super::pool::ReadPool;
use super::writer::Tx;
use super::{During, StoreError};
use crate::clock::Timestamp;
use crate::ids::{AttemptId, PipelineId, ProjectId};

/// A project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectRecord {
    /// Its row.
    pub id: ProjectId,
    /// Normalised origin URL, else the absolute path.
    pub key: String,
    /// Owner part of its name.
    pub org: String,
    /// Name part.
    pub name: String,
    /// What a checkout's origin is.
    pub origin: String,
    /// Pipelines that are there.
    pub pipelines: u64,
    /// Number of its newest build.
    pub last_build: u64,
    /// When its newest pipeline was made.
    pub last: Option<Timestamp>,
}

impl ProjectRecord {
    /// `org/name`, by which people know it.
    #[must_use]
    pub fn title(&self) -> String {
        format!("{}/{}", self.org, self.name)
    }

    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: ProjectId(row.get(0)?),
            key: row.get(1)?,
            org: row.get(2)?,
            name: row.get(3)?,
            origin: row.get(4)?,
            pipelines: row.get(5)?,
            last_build: row.get(6)?,
            last: row.get(7)?,
        })
    }
}

/// The runs of a project.
const RUNS: &str = "SELECT a.id FROM pipelines l JOIN jobs j ON j.pipeline = l.id JOIN attempts a ON a.job = j.id \
                    WHERE l.project = ?1";

/// What went with a project that was removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Removed {
    /// Pipelines.
    pub pipelines: u64,
    /// Runs.
    pub runs: u64,
}

impl ReadPool {
    /// All projects, by name.
    ///
    /// # Errors
    /// When a statement fails.
    pub fn projects(&self) -> Result<Vec<ProjectRecord>, StoreError> {
        self.read(|db| {
            db.prepare_cached(
                "SELECT p.id, p.key, p.org, p.name, p.origin,
                 (SELECT count(*) FROM pipelines l WHERE l.project = p.id), p.last_build,
                 (SELECT l.created FROM pipelines l WHERE l.project = p.id ORDER BY l.number DESC LIMIT 1)
                 FROM projects p ORDER BY p.org, p.name, p.key",
            )
            .and_then(|mut statement| statement.query_map([], ProjectRecord::from_row)?.collect())
            .during("read the projects")
        })
    }

    /// All runs of a project.
    ///
    /// # Errors
    /// When a statement fails.
    pub fn runs_of_project(&self, id: ProjectId) -> Result<Vec<AttemptId>, StoreError> {
        self.read(|db| {
            db.prepare_cached(RUNS)
                .and_then(|mut statement| statement.query_map([id.0], |row| row.get(0))?.collect())
                .during("read the runs of a project")
        })
    }
}

impl Tx<'_> {
    /// `org/name` of a project; `None` when it is there no more.
    pub fn project_title(&self, id: ProjectId) -> Result<Option<String>, StoreError> {
        self.db
            .prepare_cached("SELECT org || '/' || name FROM projects WHERE id = ?1")
            .and_then(|mut statement| statement.query_row([id.0], |row| row.get(0)).optional())
            .during("read a project's name")
    }

    /// The name of the project of this key, if anything of it was built.
    pub fn title_of(&self, key: &str) -> Result<Option<String>, StoreError> {
        self.db
            .prepare_cached("SELECT org || '/' || name FROM projects WHERE key = ?1")
            .and_then(|mut statement| statement.query_row([key], |row| row.get(0)).optional())
            .during("read a project's name")
    }

    /// Key of another project that has this name.
    pub fn other_project(&self, title: &str, id: ProjectId) -> Result<Option<String>, StoreError> {
        self.db
            .prepare_cached("SELECT key FROM projects WHERE org || '/' || name = ?1 AND id <> ?2")
            .and_then(|mut statement| {
                statement
                    .query_row(params![title, id.0], |row| row.get(0))
                    .optional()
            })
            .during("look for a project's name")
    }

    /// Whether a repository is watched for a project of this name.
    pub fn is_watched(&self, title: &str) -> Result<bool, StoreError> {
        self.db
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM watches WHERE title = ?1)")
            .and_then(|mut statement| statement.query_row([title], |row| row.get(0)))
            .during("look whether a project is watched")
    }

    /// Gives a project another name, in all that was built of it and in its watched repositories.
    pub fn rename_project(&self, id: ProjectId, org: &str, name: &str) -> Result<(), StoreError> {
        let title = format!("{org}/{name}");
        let write = || -> rusqlite::Result<()> {
            // A watched repository knows its project by name alone, so a name that two have stays as it is.
            self.db.execute(
                "UPDATE watches SET title = ?2 WHERE title = (SELECT org || '/' || name FROM projects WHERE id = ?1)
                 AND 1 = (SELECT count(*) FROM projects WHERE org || '/' || name = watches.title)",
                params![id.0, title],
            )?;
            self.db.execute(
                "UPDATE projects SET org = ?2, name = ?3 WHERE id = ?1",
                params![id.0, org, name],
            )?;
            self.db.execute(
                &format!("UPDATE attempts SET title = ?2 WHERE id IN ({RUNS})"),
                params![id.0, title],
            )?;
            self.db.execute(
                "UPDATE pipelines SET title = ?2 WHERE project = ?1",
                params![id.0, title],
            )?;
            Ok(())
        };
        write().during("rename the project")
    }

    /// Removes a project and all that was built of it, which is over.
    pub fn remove_project(&self, id: ProjectId) -> Result<Removed, StoreError> {
        let runs = self
            .db
            .query_row(&format!("SELECT count(*) FROM ({RUNS})"), [id.0], |row| {
                row.get(0)
            })
            .during("count the runs of a project")?;
        let builds: Vec<PipelineId> = self
            .db
            .prepare_cached("SELECT id FROM pipelines WHERE project = ?1")
            .and_then(|mut statement| statement.query_map([id.0], |row| row.get(0))?.collect())
            .during("read the pipelines of a project")?;
        let pipelines = self.forget_builds(&builds)?;
        self.db
            .execute("DELETE FROM projects WHERE id = ?1", [id.0])
            .during("remove the project")?;
        Ok(Removed { pipelines, runs })
    }
}
