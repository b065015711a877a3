//! Housekeeping: how it stands, what a pass would remove, a pass on demand, and how long things are kept.

use axum::Json;
use axum::extract::State;

use super::body::Asked;
use super::caller::Caller;
use super::error::{Answer, blocking};
use super::router::Server;
use crate::access::Role;
use crate::api::Written;
use crate::api::keep::{Candidate, Housekeeping, KeepRow, Kept, Pass, Plan, Removed};
use crate::engine::{self, CleaningError};

/// Candidates of each kind that are named; all are counted.
const EACH: usize = 1000;

pub(super) async fn read(State(server): State<Server>) -> Answer<Housekeeping> {
    let keep = server.cleaning.keep();
    let passes = server.cleaning.passes();
    let row = |kind| KeepRow {
        kind,
        seconds: keep.of(kind),
    };
    Ok(Json(Housekeeping {
        keep: Kept::ALL.map(row).to_vec(),
        last: passes.last.map(pass),
        running_since: passes.running,
        next_at: passes.next,
    }))
}

pub(super) async fn plan(State(server): State<Server>) -> Answer<Plan> {
    let plan = blocking(move || server.cleaning.plan(EACH)).await?;
    let candidate = |(one, bytes): (engine::Candidate, u64)| Candidate {
        kind: one.kind,
        name: one.name,
        since: one.since,
        bytes,
    };
    Ok(Json(Plan {
        removed: removed(plan.removed),
        candidates: plan.candidates.into_iter().map(candidate).collect(),
    }))
}

pub(super) async fn run(State(server): State<Server>, caller: Caller) -> Answer<Pass> {
    caller.permit(&server, Role::Admin, "gc").await?;
    // Of its own, so that it goes on when whoever asked goes away.
    let task = tokio::spawn(async move { server.cleaning.activate(caller.actor).await });
    let ended = task.await.unwrap_or(Err(CleaningError::Ended))?;
    Ok(Json(pass(ended)))
}

pub(super) async fn set(
    State(server): State<Server>,
    caller: Caller,
    Asked(wanted): Asked<KeepRow>,
) -> Answer<Written<KeepRow>> {
    let seq = server
        .cleaning
        .set_keep(wanted.kind, wanted.seconds, caller.actor, caller.key)
        .await?;
    Ok(Json(Written { seq, value: wanted }))
}

fn pass(from: engine::Pass) -> Pass {
    Pass {
        at: from.at,
        took_ms: from.took_ms,
        removed: removed(from.removed),
        error: from.error,
    }
}

fn removed(from: Vec<engine::Removed>) -> Vec<Removed> {
    let row = |one: engine::Removed| Removed {
        kind: one.kind,
        count: one.count,
        bytes: one.bytes,
    };
    from.into_iter().map(row).collect()
}
