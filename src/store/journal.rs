//! What happened, in order: changes for streams, audit rows, and answers kept for repeated requests.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::filter::{Field, Filter};
use super::lists::{Piece, Window, WindowQuery, direction, window};
use super::writer::Tx;
use super::{During, StoreError};
use crate::clock::Timestamp;

/// Form of what stands in `changes.ids`; raised when it changes.
const CHANGE_SCHEMA: u32 = 1;

/// Changes kept for streams that come back; older positions are answered with a reset.
const CHANGES_KEPT: i64 = 10_000;

/// How long the answer to an idempotency key is kept: a day.
const ANSWERS_KEPT_MS: i64 = 24 * 3600 * 1000;

/// What can be asked of an audit row by name.
const AUDIT_FIELDS: &[Field] = &[
    Field::new("by", "actor"),
    Field::new("action", "action"),
    Field::new("object", "object"),
    Field::new("result", "result"),
];

/// A stored change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeRecord {
    /// Its order.
    pub seq: i64,
    /// Topic's word.
    pub topic: String,
    /// JSON list of ids.
    pub ids: String,
}

/// An audit row to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// What.
    pub action: String,
    /// On which object.
    pub object: String,
    /// `ok` or why not.
    pub result: String,
    /// More.
    pub detail: String,
}

/// An audit row with its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRecord {
    /// Number.
    pub id: i64,
    /// The row.
    pub entry: AuditEntry,
}

impl AuditRecord {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            entry: AuditEntry {
                at: row.get(1)?,
                actor: row.get(2)?,
                action: row.get(3)?,
                object: row.get(4)?,
                result: row.get(5)?,
                detail: row.get(6)?,
            },
        })
    }
}

impl Tx<'_> {
    /// Newest `seq` ever given; 0 in a new store.
    pub fn last_seq(&self) -> Result<i64, StoreError> {
        self.db
            .query_row("SELECT coalesce(max(seq), 0) FROM changes", [], |row| {
                row.get(0)
            })
            .during("read the order of changes")
    }

    /// Appends a change and drops those too old to keep.
    pub fn append_change(
        &self,
        seq: i64,
        at: Timestamp,
        topic: &str,
        ids: &str,
    ) -> Result<(), StoreError> {
        self.db
            .prepare_cached(
                "INSERT INTO changes (seq, at, schema, topic, ids) VALUES (?1, ?2, ?3, ?4, ?5)",
            )
            .and_then(|mut statement| {
                statement.execute(params![seq, at, CHANGE_SCHEMA, topic, ids])
            })
            .during("note a change")?;
        if seq % 1024 == 0 {
            self.db
                .execute("DELETE FROM changes WHERE seq <= ?1", [seq - CHANGES_KEPT])
                .during("drop old changes")?;
            self.db
                .execute(
                    "DELETE FROM answers WHERE at < ?1",
                    [at.0 - ANSWERS_KEPT_MS],
                )
                .during("drop old answers")?;
        }
        Ok(())
    }

    /// Appends an audit row.
    pub fn append_audit(&self, entry: &AuditEntry) -> Result<(), StoreError> {
        self.db
            .prepare_cached(
                "INSERT INTO audit (at, actor, action, object, result, detail) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )
            .and_then(|mut statement| {
                statement.execute(params![
                    entry.at,
                    entry.actor,
                    entry.action,
                    entry.object,
                    entry.result,
                    entry.detail
                ])
            })
            .during("write the audit log")?;
        Ok(())
    }

    /// The answer given before to a key.
    pub fn answer(&self, key: &str) -> Result<Option<String>, StoreError> {
        self.db
            .prepare_cached("SELECT answer FROM answers WHERE key = ?1")
            .and_then(|mut statement| statement.query_row([key], |row| row.get(0)).optional())
            .during("look for an earlier answer")
    }

    /// Keeps an answer under its key.
    pub fn keep_answer(&self, key: &str, at: Timestamp, answer: &str) -> Result<(), StoreError> {
        self.db
            .prepare_cached("INSERT OR REPLACE INTO answers (key, at, answer) VALUES (?1, ?2, ?3)")
            .and_then(|mut statement| statement.execute(params![key, at, answer]))
            .during("keep an answer")?;
        Ok(())
    }
}

/// Changes after `seq`, at most `limit`; `None` when that position is no longer kept.
pub(super) fn changes_after(
    db: &Connection,
    seq: i64,
    limit: usize,
) -> Result<Option<Vec<ChangeRecord>>, StoreError> {
    let bounds: (i64, i64) = db
        .query_row(
            "SELECT coalesce(min(seq), 1), coalesce(max(seq), 0) FROM changes",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .during("read the order of changes")?;
    if seq < bounds.0 - 1 || seq > bounds.1 {
        return Ok(None);
    }
    db.prepare_cached("SELECT seq, topic, ids FROM changes WHERE seq > ?1 ORDER BY seq LIMIT ?2")
        .and_then(|mut statement| {
            statement
                .query_map(
                    params![seq, i64::try_from(limit).unwrap_or(i64::MAX)],
                    |row| {
                        Ok(ChangeRecord {
                            seq: row.get(0)?,
                            topic: row.get(1)?,
                            ids: row.get(2)?,
                        })
                    },
                )?
                .collect()
        })
        .during("read changes")
        .map(Some)
}

/// A window of the audit log, newest first unless sorted; of those since a moment where one is given.
pub(super) fn audit(
    db: &Connection,
    query: &WindowQuery,
    since: Option<Timestamp>,
) -> Result<Window<AuditRecord>, StoreError> {
    let (condition, words) = Filter::read(&query.filter, AUDIT_FIELDS).condition(
        "actor || ' ' || action || ' ' || object || ' ' || result || ' ' || detail",
        AUDIT_FIELDS,
        &[],
    );
    let condition = match since {
        Some(since) => format!("{condition} AND at >= {}", since.0),
        None => condition,
    };
    let way = direction(query.order);
    // Rows are numbered in the order of their moments: their number is their age.
    let order = match query.sort.as_str() {
        "at" => format!("id {way}"),
        "actor" | "action" | "object" | "result" => format!("{} {way}, id DESC", query.sort),
        _ => "id DESC".to_owned(),
    };
    let piece = Piece {
        table: "audit",
        columns: "id, at, actor, action, object, result, detail",
        condition,
        order,
    };
    let around = query.around.as_deref().and_then(|id| id.parse().ok());
    let around = around.map(Value::Integer);
    window(db, &[piece], &words, query, around, AuditRecord::from_row)
}
