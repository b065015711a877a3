//! Builds with jobs that wait for somebody's approval.

use super::{During, ReadPool, StoreError};
use crate::clock::Timestamp;
use crate::ids::PipelineId;

/// A build whose jobs wait for approval.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HeldRecord {
    /// The build.
    pub pipeline: PipelineId,
    /// Its project.
    pub title: String,
    /// Its number in the project.
    pub number: i64,
    /// Number of its jobs that wait.
    pub jobs: u32,
    /// The name of one of them.
    pub name: String,
    /// Since when the first of them has waited.
    pub since: Option<Timestamp>,
}

impl ReadPool {
    /// Builds with jobs that wait for approval, longest first; of passes that were run again, none.
    ///
    /// # Errors
    /// When the statement fails.
    pub fn held(&self) -> Result<Vec<HeldRecord>, StoreError> {
        self.read(|db| {
            db.prepare_cached(
                "SELECT j.pipeline, p.title, p.number, count(*), min(j.name), min(j.queued) AS since
                 FROM jobs j JOIN workflows w ON w.id = j.workflow JOIN pipelines p ON p.id = j.pipeline
                 WHERE j.status = 'on_hold' AND w.superseded = 0 GROUP BY j.pipeline ORDER BY since, p.created",
            )
            .and_then(|mut statement| {
                statement
                    .query_map([], |row| {
                        Ok(HeldRecord {
                            pipeline: row.get(0)?,
                            title: row.get(1)?,
                            number: row.get(2)?,
                            jobs: row.get(3)?,
                            name: row.get(4)?,
                            since: row.get(5)?,
                        })
                    })?
                    .collect()
            })
            .during("read which builds wait for approval")
        })
    }
}
