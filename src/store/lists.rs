//! Windows of the long lists. A list is ordered, filtered and cut in SQL; only the rows of the window leave it.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params_from_iter};

use super::filter::{Field, Filter};
use super::journal::{self, AuditRecord, ChangeRecord};
use super::records::{PIPELINE_COLUMNS, PipelineRecord, RUN_COLUMNS, RunRecord};
use super::{During, ReadPool, StoreError, usual};
use crate::clock::Timestamp;
use crate::ids::{AttemptId, NodeId, PipelineId};
use crate::pipeline::status::{RunState, Status};

/// Which window of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WindowQuery {
    /// What rows must match, in the words of [`Filter`].
    pub filter: String,
    /// Column; empty = the list's own order.
    pub sort: String,
    /// Direction of `sort`.
    pub order: Order,
    /// Rows wanted.
    pub limit: u64,
    /// First row wanted.
    pub offset: u64,
    /// Id (text) of a row the window is centred on; beats `offset` while the row matches.
    pub around: Option<String>,
    /// The moment, unix ms: whether something runs for longer than usual depends on it.
    pub now: i64,
}

/// Direction of an order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// Smallest first.
    #[default]
    Ascending,
    /// Largest first.
    Descending,
}

/// A window of a list.
#[derive(Clone, Debug)]
pub struct Window<T> {
    /// Its rows.
    pub rows: Vec<T>,
    /// Rows that match the filter.
    pub total: u64,
    /// Index of the first row.
    pub offset: u64,
}

/// Which runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunFilter {
    /// States wanted; empty = all.
    pub states: Vec<RunState>,
    /// Only runs on this node.
    pub node: Option<NodeId>,
}

/// What can be asked of a run by name.
pub(crate) const RUN_FIELDS: &[Field] = &[
    Field::new("project", "title"),
    Field::new("job", "job_name"),
    Field::new("workflow", "workflow_name"),
    Field::new("branch", "branch"),
    Field::new(
        "status",
        "(state || ' ' || coalesce(outcome, '') || CASE WHEN stopping IS NULL THEN '' ELSE ' stopping' END)",
    ),
    Field::new("node", "coalesce(node_name, '')"),
    Field::new("executor", "executor"),
    Field::new("class", "coalesce(resource_class, '')"),
];

/// What can be asked of a pipeline by name.
const PIPELINE_FIELDS: &[Field] = &[
    Field::new("project", "title"),
    Field::new("branch", "branch"),
    Field::new("tag", "tag"),
    Field::new("status", "status"),
    Field::new("commit", "(revision || ' ' || subject)"),
    Field::new("by", "actor"),
];

/// Half the window goes before the row a window is centred on.
pub(crate) fn centred(rank: u64, limit: u64, total: u64) -> u64 {
    rank.saturating_sub(limit / 2)
        .min(total.saturating_sub(limit))
}

/// One ordered, filtered piece of a table; lists are one or several of them in a row.
pub(super) struct Piece<'a> {
    pub table: &'a str,
    pub columns: &'a str,
    pub condition: String,
    pub order: String,
}

impl Piece<'_> {
    fn count(&self, db: &Connection, words: &[String]) -> Result<u64, StoreError> {
        db.prepare_cached(&format!(
            "SELECT count(*) FROM {} WHERE {}",
            self.table, self.condition
        ))
        .and_then(|mut statement| statement.query_row(params_from_iter(words), |row| row.get(0)))
        .during("count the rows of a list")
    }

    fn rank(
        &self,
        db: &Connection,
        words: &[String],
        id: &Value,
    ) -> Result<Option<u64>, StoreError> {
        let n = words.len() + 1;
        let mut values: Vec<Value> = words.iter().cloned().map(Into::into).collect();
        values.push(id.clone());
        db.prepare_cached(&format!(
            "SELECT n - 1 FROM (SELECT id, row_number() OVER (ORDER BY {}) AS n FROM {} WHERE {}) WHERE id = ?{n}",
            self.order, self.table, self.condition
        ))
        .and_then(|mut statement| statement.query_row(params_from_iter(values), |row| row.get(0)).optional())
        .during("find a row's place in a list")
    }

    fn rows<T>(
        &self,
        db: &Connection,
        words: &[String],
        limit: u64,
        offset: u64,
        read: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        db.prepare_cached(&format!(
            "SELECT {} FROM {} WHERE {} ORDER BY {} LIMIT {limit} OFFSET {offset}",
            self.columns, self.table, self.condition, self.order
        ))
        .and_then(|mut statement| {
            statement
                .query_map(params_from_iter(words), read)?
                .collect()
        })
        .during("read a window of a list")
    }
}

/// The window of some pieces in a row that a query wants. `around`: the id of the row it is centred on.
pub(super) fn window<T>(
    db: &Connection,
    pieces: &[Piece<'_>],
    words: &[String],
    query: &WindowQuery,
    around: Option<Value>,
    read: fn(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
) -> Result<Window<T>, StoreError> {
    let counts = pieces
        .iter()
        .map(|piece| piece.count(db, words))
        .collect::<Result<Vec<_>, _>>()?;
    let total = counts.iter().sum();
    let mut offset = query.offset;
    if let Some(id) = &around {
        let mut before = 0;
        for (piece, count) in pieces.iter().zip(&counts) {
            if let Some(rank) = piece.rank(db, words, id)? {
                offset = centred(before + rank, query.limit, total);
                break;
            }
            before += count;
        }
    }
    let mut rows = Vec::new();
    let (mut skip, mut want) = (offset, query.limit);
    for (piece, &count) in pieces.iter().zip(&counts) {
        if want == 0 {
            break;
        }
        if skip >= count {
            skip -= count;
            continue;
        }
        let got = piece.rows(db, words, want, skip, read)?;
        want -= got.len() as u64;
        skip = 0;
        rows.extend(got);
    }
    Ok(Window {
        rows,
        total,
        offset,
    })
}

pub(super) fn direction(order: Order) -> &'static str {
    match order {
        Order::Ascending => "ASC",
        Order::Descending => "DESC",
    }
}

/// Where a pending run stands among the pending; the queue's own order.
const LINE: &str = "priority DESC, queued, id";

impl ReadPool {
    /// A window of the runs. Own order: pending as in the queue, then running, then dead, the newest of those first.
    ///
    /// # Errors
    /// When a statement fails.
    pub fn runs(
        &self,
        filter: &RunFilter,
        query: &WindowQuery,
    ) -> Result<Window<RunRecord>, StoreError> {
        let text = "name || ' ' || job_name || ' ' || title || ' ' || branch || ' ' || state || ' ' || \
                    coalesce(outcome, '') || ' ' || coalesce(node_name, '') || ' ' || executor || ' #' || number";
        let (condition, words) = Filter::read(&query.filter, RUN_FIELDS).condition(
            text,
            RUN_FIELDS,
            &[("status", "slow", usual::slow_run(query.now))],
        );
        let node = match filter.node {
            Some(id) => format!(" AND node = x'{}'", id.to_string().replace('-', "")),
            None => String::new(),
        };
        let wanted = |state| filter.states.is_empty() || filter.states.contains(&state);
        let own = |state: RunState| match state {
            RunState::Pending => LINE,
            RunState::Running => "placed DESC, id DESC",
            RunState::Dead => "stopped DESC, id DESC",
        };
        let states: Vec<RunState> = [RunState::Pending, RunState::Running, RunState::Dead]
            .into_iter()
            .filter(|state| wanted(*state))
            .collect();
        let way = direction(query.order);
        let column = match query.sort.as_str() {
            "job" => Some("job_name"),
            "project" => Some("title"),
            "waiting" => Some("-queued"),
            "state" => Some("state"),
            "node" => Some("node_name"),
            "started" => Some("started"),
            "needs" => Some("cpu_millis"),
            "name" => Some("name"),
            _ => None,
        };
        let pieces: Vec<Piece<'_>> = match column {
            None => states
                .iter()
                .map(|state| Piece {
                    table: "attempts",
                    columns: RUN_COLUMNS,
                    condition: format!("state = '{}' AND {condition}{node}", state.word()),
                    order: own(*state).to_owned(),
                })
                .collect(),
            Some(column) => {
                let list = states
                    .iter()
                    .map(|s| format!("'{}'", s.word()))
                    .collect::<Vec<_>>()
                    .join(",");
                vec![Piece {
                    table: "attempts",
                    columns: RUN_COLUMNS,
                    condition: format!("state IN ({list}) AND {condition}{node}"),
                    order: format!("{column} {way}, {LINE}"),
                }]
            }
        };
        let around = query
            .around
            .as_deref()
            .and_then(|id| id.parse::<AttemptId>().ok())
            .map(|id| Value::Blob(id.as_bytes().to_vec()));
        self.read(|db| window(db, &pieces, &words, query, around, RunRecord::from_row))
    }

    /// A window of the pipelines, newest first unless sorted.
    ///
    /// # Errors
    /// When a statement fails.
    pub fn pipelines(&self, query: &WindowQuery) -> Result<Window<PipelineRecord>, StoreError> {
        let text = "title || ' #' || number || ' ' || branch || ' ' || tag || ' ' || revision || ' ' || subject || \
                    ' ' || actor || ' ' || status";
        let (condition, words) = Filter::read(&query.filter, PIPELINE_FIELDS).condition(
            text,
            PIPELINE_FIELDS,
            &[("status", "slow", usual::slow_pipeline(query.now))],
        );
        let way = direction(query.order);
        let order = match query.sort.as_str() {
            "created" => format!("created {way}, id {way}"),
            "project" => format!("title {way}, number DESC"),
            "branch" => format!("branch {way}, created DESC"),
            "status" => format!("status {way}, created DESC"),
            "duration" => format!("coalesce(stopped - created, 0) {way}, created DESC"),
            _ => "created DESC, id DESC".to_owned(),
        };
        let piece = Piece {
            table: "pipelines",
            columns: PIPELINE_COLUMNS,
            condition,
            order,
        };
        let around = query
            .around
            .as_deref()
            .and_then(|id| id.parse::<PipelineId>().ok())
            .map(|id| Value::Blob(id.as_bytes().to_vec()));
        self.read(|db| {
            window(
                db,
                &[piece],
                &words,
                query,
                around,
                PipelineRecord::from_row,
            )
        })
    }

    /// Numbers of jobs by status of a pipeline's newest passes.
    ///
    /// # Errors
    /// When the statement fails.
    pub fn job_counts(&self, pipeline: PipelineId) -> Result<Vec<(Status, u32)>, StoreError> {
        self.read(|db| {
            db.prepare_cached(
                "SELECT j.status, count(*) FROM jobs j JOIN workflows w ON w.id = j.workflow
                 WHERE j.pipeline = ?1 AND w.superseded = 0 GROUP BY j.status",
            )
            .and_then(|mut statement| {
                statement
                    .query_map([pipeline], |row| Ok((row.get(0)?, row.get(1)?)))?
                    .collect()
            })
            .during("count a pipeline's jobs")
        })
    }

    /// A window of the audit log, newest first unless sorted; of those since a moment where one is given.
    ///
    /// # Errors
    /// When a statement fails.
    pub fn audit(
        &self,
        query: &WindowQuery,
        since: Option<Timestamp>,
    ) -> Result<Window<AuditRecord>, StoreError> {
        self.read(|db| journal::audit(db, query, since))
    }

    /// Changes after `seq`, at most `limit`; `None` when that position is no longer kept.
    ///
    /// # Errors
    /// When a statement fails.
    pub fn changes_after(
        &self,
        seq: i64,
        limit: usize,
    ) -> Result<Option<Vec<ChangeRecord>>, StoreError> {
        self.read(|db| journal::changes_after(db, seq, limit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_centred_window_stays_inside_the_list() {
        assert_eq!(centred(0, 10, 100), 0);
        assert_eq!(centred(50, 10, 100), 45);
        assert_eq!(centred(99, 10, 100), 90);
        assert_eq!(centred(2, 10, 5), 0);
    }
}
