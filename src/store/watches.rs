//! Watched repositories, and the commits each has made pipelines of.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::pool::ReadPool;
use super::writer::Tx;
use super::{During, StoreError};
use crate::clock::Timestamp;
use crate::ids::{PipelineId, WatchId};

/// A watched repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchRecord {
    /// Its id.
    pub id: WatchId,
    /// Path or URL.
    pub source: String,
    /// `org/name` of its project.
    pub title: String,
    /// Seconds between two looks.
    pub every_s: u64,
    /// Watched since.
    pub created: Timestamp,
    /// Who asked for it.
    pub actor: String,
    /// Branch to commit, as last taken in.
    pub tips: BTreeMap<String, String>,
}

impl WatchRecord {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        let tips: String = row.get(6)?;
        Ok(Self {
            id: row.get(0)?,
            source: row.get(1)?,
            title: row.get(2)?,
            every_s: row.get(3)?,
            created: row.get(4)?,
            actor: row.get(5)?,
            // Unreadable, everything there would be new: what was built is known besides, and is not built again.
            tips: serde_json::from_str(&tips).unwrap_or_default(),
        })
    }
}

fn all(db: &Connection) -> Result<Vec<WatchRecord>, StoreError> {
    db.prepare_cached(
        "SELECT id, source, title, every_s, created, actor, tips FROM watches ORDER BY source",
    )
    .and_then(|mut statement| statement.query_map([], WatchRecord::from_row)?.collect())
    .during("read the watched repositories")
}

impl ReadPool {
    /// All watched repositories, by source.
    ///
    /// # Errors
    /// When a statement fails.
    pub fn watches(&self) -> Result<Vec<WatchRecord>, StoreError> {
        self.read(all)
    }
}

impl Tx<'_> {
    /// Inserts a watched repository, or replaces the period of the one of that source; answers the id it has.
    pub fn set_watch(&self, watch: &WatchRecord) -> Result<WatchId, StoreError> {
        self.db
            .prepare_cached(
                "INSERT INTO watches VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                 ON CONFLICT (source) DO UPDATE SET every_s = excluded.every_s RETURNING id",
            )
            .and_then(|mut statement| {
                let values = params![
                    watch.id,
                    watch.source,
                    watch.title,
                    watch.every_s,
                    watch.created,
                    watch.actor,
                    tips_text(&watch.tips)
                ];
                statement.query_row(values, |row| row.get(0))
            })
            .during("store a watched repository")
    }

    /// Keeps the tips that were taken in; false when it is not watched any more.
    pub fn set_tips(
        &self,
        id: WatchId,
        tips: &BTreeMap<String, String>,
    ) -> Result<bool, StoreError> {
        self.db
            .prepare_cached("UPDATE watches SET tips = ?2 WHERE id = ?1")
            .and_then(|mut statement| statement.execute(params![id, tips_text(tips)]))
            .during("keep the tips of a watched repository")
            .map(|rows| rows > 0)
    }

    /// Whether it is watched.
    pub fn has_watch(&self, id: WatchId) -> Result<bool, StoreError> {
        self.db
            .prepare_cached("SELECT 1 FROM watches WHERE id = ?1")
            .and_then(|mut statement| statement.exists([id]))
            .during("look for a watched repository")
    }

    /// Forgets a watched repository; answers its source when there was one.
    pub fn delete_watch(&self, id: WatchId) -> Result<Option<String>, StoreError> {
        self.db
            .prepare_cached("DELETE FROM watches WHERE id = ?1 RETURNING source")
            .and_then(|mut statement| statement.query_row([id], |row| row.get(0)).optional())
            .during("forget a watched repository")
    }

    /// The pipeline that a watch has made of a commit.
    pub fn watched_commit(
        &self,
        watch: WatchId,
        revision: &str,
    ) -> Result<Option<PipelineId>, StoreError> {
        self.db
            .prepare_cached(
                "SELECT pipeline FROM watched_commits WHERE watch = ?1 AND revision = ?2",
            )
            .and_then(|mut statement| {
                statement
                    .query_row(params![watch, revision], |row| row.get(0))
                    .optional()
            })
            .during("look for a commit that was built")
    }

    /// Remembers the pipeline that a watch has made of a commit.
    pub fn keep_watched_commit(
        &self,
        watch: WatchId,
        revision: &str,
        pipeline: PipelineId,
    ) -> Result<(), StoreError> {
        self.db
            .prepare_cached("INSERT INTO watched_commits VALUES (?1, ?2, ?3)")
            .and_then(|mut statement| statement.execute(params![watch, revision, pipeline]))
            .during("remember a commit that was built")?;
        Ok(())
    }
}

fn tips_text(tips: &BTreeMap<String, String>) -> String {
    serde_json::to_string(tips).expect("a map of texts is plain data")
}
