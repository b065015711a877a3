//! The audit log as a list.

use std::time::Duration;

use axum::Json;
use axum::extract::{Query, State};

use super::error::{Answer, ApiError, blocking};
use super::query::window;
use super::router::Server;
use crate::api::{AuditRow, ListQuery, Page};
use crate::clock::{self, Timestamp};
use crate::error::Kind;
use crate::settings::span;

/// Stands before a span in the filter: `last:1h`.
const LAST: &str = "last:";

pub(super) async fn list(
    State(server): State<Server>,
    Query(mut query): Query<ListQuery>,
) -> Answer<Page<AuditRow>> {
    let (words, since) = recent(&query.filter, clock::now())?;
    query.filter = words;
    let wanted = window(&query, &["at", "actor", "action", "object", "result"])?;
    let seq = server.view.live().seq;
    let found = blocking(move || server.view.store.audit(&wanted, since)).await?;
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

/// Takes `last:SPAN` out of a filter: the other words, and the moment since which rows are wanted.
fn recent(filter: &str, now: Timestamp) -> Result<(String, Option<Timestamp>), ApiError> {
    let mut words = Vec::new();
    let mut since = None;
    for word in filter.split_whitespace() {
        match word.strip_prefix(LAST) {
            // Somebody is about to type the span.
            Some("") => {}
            Some(text) => since = Some(before(now, text)?),
            None => words.push(word),
        }
    }
    Ok((words.join(" "), since))
}

fn before(now: Timestamp, text: &str) -> Result<Timestamp, ApiError> {
    let seconds = span::seconds(text).ok_or_else(|| {
        ApiError::new(Kind::Usage, format!("`{LAST}{text}` names no span of time"))
            .hint("as in last:30m, last:1h or last:7d")
    })?;
    let span = i64::try_from(Duration::from_secs(seconds).as_millis()).unwrap_or(i64::MAX);
    Ok(Timestamp(now.0.saturating_sub(span)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_in_the_filter_is_a_moment_and_the_rest_stays_words() {
        let now = Timestamp(10_000_000);
        for (filter, words, since) in [
            ("", "", None),
            ("node ann", "node ann", None),
            ("last:", "", None),
            ("last:30m", "", Some(Timestamp(8_200_000))),
            ("ann last:1h drain", "ann drain", Some(Timestamp(6_400_000))),
        ] {
            let (rest, moment) = recent(filter, now).unwrap();
            assert_eq!((rest.as_str(), moment), (words, since), "{filter}");
        }
        assert!(recent("last:soon", now).is_err());
    }
}
