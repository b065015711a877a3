//! Finding the build to compare another one with.

use rusqlite::{OptionalExtension, params};

use super::{During, ReadPool, StoreError};
use crate::ids::PipelineId;

/// Builds of the project looked at, newest first; whoever needs an older one names it.
pub const LOOKED_AT: u32 = 2000;

impl ReadPool {
    /// The newest earlier build of the same project and branch (of any tag, for a build of a tag) that ended green: in
    /// this workflow, or as a whole when none is named.
    ///
    /// # Errors
    /// When the statement fails.
    pub fn last_green(
        &self,
        pipeline: PipelineId,
        workflow: Option<&str>,
    ) -> Result<Option<PipelineId>, StoreError> {
        self.read(|db| {
            db.prepare_cached(
                "SELECT p.id FROM (
                   SELECT q.id, q.number, q.branch, q.status FROM pipelines q JOIN pipelines this ON this.id = ?1
                   WHERE q.project = this.project AND q.number < this.number AND q.branch = this.branch
                   AND q.number >= this.number - ?3
                 ) p WHERE CASE WHEN ?2 IS NULL THEN p.status = 'success' ELSE EXISTS (
                   SELECT 1 FROM workflows w WHERE w.pipeline = p.id AND w.name = ?2 AND w.superseded = 0
                   AND w.status = 'success') END
                 ORDER BY p.number DESC LIMIT 1",
            )
            .and_then(|mut statement| {
                statement
                    .query_row(params![pipeline, workflow, LOOKED_AT], |row| row.get(0))
                    .optional()
            })
            .during("look for the last green build")
        })
    }
}
