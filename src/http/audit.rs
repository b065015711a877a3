//! The audit log as a list.

use axum::Json;
use axum::extract::{Query, State};

use super::error::{Answer, blocking};
use super::query::window;
use super::router::Server;
use crate::api::{AuditRow, ListQuery, Page};

pub(super) async fn list(
    State(server): State<Server>,
    Query(query): Query<ListQuery>,
) -> Answer<Page<AuditRow>> {
    let wanted = window(&query, &["at"])?;
    let seq = server.view.live().seq;
    let found = blocking(move || server.view.store.audit(&wanted)).await?;
    let rows = found
        .rows
        .into_iter()
        .map(|row| AuditRow {
            id: row.id,
            at: row.entry.at,
            actor: row.entry.actor,
            action: row.entry.action,
            object: row.entry.object,
            result: row.entry.result,
            detail: row.entry.detail,
        })
        .collect();
    Ok(Json(Page {
        rows,
        total: found.total,
        offset: found.offset,
        seq,
    }))
}
