//! Reading for the lists that are kept in memory: what they filter and sort by, and the rows of a window by their ids.

use std::borrow::Cow;

use super::records::{RUN_COLUMNS, RunRecord};
use super::{During, ReadPool, StoreError};
use crate::clock::Timestamp;
use crate::ids::AttemptId;
use crate::pipeline::status::RunState;
use rusqlite::OptionalExtension;

/// A run that is not over, as far as lists filter and sort by it.
#[derive(Clone, Debug)]
pub struct HotRun<'a> {
    /// Id.
    pub id: AttemptId,
    /// Fleet name.
    pub name: Cow<'a, str>,
    /// Parallel copy, from 0.
    pub copy: u32,
    /// Name of its job.
    pub job_name: Cow<'a, str>,
    /// Name of its workflow.
    pub workflow_name: Cow<'a, str>,
    /// `org/name` of its project.
    pub title: Cow<'a, str>,
    /// Build number.
    pub number: i64,
    /// Branch or tag.
    pub branch: Cow<'a, str>,
    /// Executor's word.
    pub executor: Cow<'a, str>,
    /// Class as written.
    pub resource_class: Option<Cow<'a, str>>,
    /// CPU asked for.
    pub cpu_millis: u32,
    /// 1 to 100.
    pub priority: u8,
    /// `Pending` or `Running`.
    pub state: RunState,
    /// It was asked to stop.
    pub stopping: bool,
    /// Waits since.
    pub queued: Timestamp,
    /// Placed at.
    pub placed: Option<Timestamp>,
    /// Agent started at.
    pub started: Option<Timestamp>,
    /// Name of its node.
    pub node_name: Option<Cow<'a, str>>,
}

impl ReadPool {
    /// Gives all runs that are not over to `take`, one after the other; those that wait in line.
    ///
    /// # Errors
    /// When the statement fails.
    pub fn each_hot_run(&self, mut take: impl FnMut(HotRun<'_>)) -> Result<(), StoreError> {
        const COLUMNS: &str = "id, name, job_name, title, number, branch, executor, cpu_millis, priority, state, queued, \
             placed, started, node_name, workflow_name, resource_class, stopping IS NOT NULL, copy";
        self.read(|db| {
            for of in [
                "state = 'pending' ORDER BY priority DESC, queued, id",
                "state = 'running' ORDER BY placed DESC",
            ] {
                db.prepare(&format!("SELECT {COLUMNS} FROM attempts WHERE {of}"))
                    .and_then(|mut statement| {
                        let mut rows = statement.query([])?;
                        while let Some(row) = rows.next()? {
                            let text =
                                |at| Ok::<_, rusqlite::Error>(row.get_ref(at)?.as_str()?.into());
                            let some = |at| {
                                Ok::<_, rusqlite::Error>(
                                    row.get_ref(at)?.as_str_or_null()?.map(Cow::Borrowed),
                                )
                            };
                            take(HotRun {
                                id: row.get(0)?,
                                name: text(1)?,
                                job_name: text(2)?,
                                title: text(3)?,
                                number: row.get(4)?,
                                branch: text(5)?,
                                executor: text(6)?,
                                cpu_millis: row.get(7)?,
                                priority: row.get(8)?,
                                state: row.get(9)?,
                                queued: row.get(10)?,
                                placed: row.get(11)?,
                                started: row.get(12)?,
                                node_name: some(13)?,
                                workflow_name: text(14)?,
                                resource_class: some(15)?,
                                stopping: row.get(16)?,
                                copy: row.get(17)?,
                            });
                        }
                        Ok(())
                    })
                    .during("read the runs that are not over for lists")?;
            }
            Ok(())
        })
    }

    /// Runs by their ids, in that order; those that are not there are left out.
    ///
    /// # Errors
    /// When the statement fails.
    pub fn runs_by_id(&self, ids: &[AttemptId]) -> Result<Vec<RunRecord>, StoreError> {
        self.read(|db| {
            let mut statement = db
                .prepare_cached(&format!("SELECT {RUN_COLUMNS} FROM attempts WHERE id = ?1"))
                .during("read the runs of a window")?;
            let mut rows = Vec::with_capacity(ids.len());
            for id in ids {
                let row = statement
                    .query_row([id], RunRecord::from_row)
                    .optional()
                    .during("read the runs of a window")?;
                rows.extend(row);
            }
            Ok(rows)
        })
    }
}
