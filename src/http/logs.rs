//! Logs: byte ranges, lines, tails and searches.

use std::str::FromStr;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};

use super::error::{ApiError, blocking};
use super::router::Server;
use crate::api::builds::{LogLines, LogQuery};
use crate::error::Kind;
use crate::ids::AttemptId;
use crate::pipeline::status::{RunState, StepStatus};
use crate::storage::logs::{Log, LogError};

/// The most bytes answered at once.
const BYTES_MAX: u64 = 1 << 20;
/// The most lines answered at once.
const LINES_MAX: u64 = 1000;

pub(super) async fn read(
    State(server): State<Server>,
    Path((attempt, step)): Path<(String, String)>,
    Query(query): Query<LogQuery>,
) -> Result<Response, ApiError> {
    let id = AttemptId::from_str(&attempt).map_err(|_| ApiError::not_found("attempt", &attempt))?;
    let which = match step.as_str() {
        "agent" => Log::Agent,
        number => Log::Step(number.parse().map_err(|_| ApiError::not_found("step", number))?),
    };
    let stream = match query.stream.as_deref() {
        None => None,
        Some("out") => Some(1),
        Some("err") => Some(2),
        Some(other) => {
            return Err(ApiError::new(Kind::Usage, format!("there is no stream `{other}`")).hint("out or err"));
        }
    };
    blocking(move || {
        let run = server.view.store.attempt(id)?.ok_or_else(|| ApiError::not_found("attempt", &attempt))?;
        let open = run.state == RunState::Running
            && match which {
                Log::Agent => true,
                Log::Step(step) => {
                    let steps = server.view.store.steps(id)?;
                    steps.iter().find(|s| s.step == step).is_none_or(|s| s.status == StepStatus::Running)
                }
            };
        answer(&server, id, which, stream, open, &query)
    })
    .await
}

fn answer(
    server: &Server,
    id: AttemptId,
    which: Log,
    stream: Option<u8>,
    open: bool,
    query: &LogQuery,
) -> Result<Response, ApiError> {
    let logs = &server.logs;
    let none = |result: Result<LogLines, LogError>| match result {
        Ok(lines) => Ok(Json(LogLines { open, ..lines }).into_response()),
        Err(err) => Err(ApiError::from(err)),
    };
    if let Some(text) = query.search.as_deref() {
        return Ok(Json(logs.search(id, which, stream, text, query.line.unwrap_or(0))?).into_response());
    }
    if let Some(count) = query.tail {
        return none(logs.tail(id, which, stream, count.min(LINES_MAX)));
    }
    if let Some(first) = query.line {
        return none(logs.lines(id, which, stream, first, query.count.unwrap_or(LINES_MAX).min(LINES_MAX)));
    }
    let from = query.from.unwrap_or(0);
    let to = query.to.unwrap_or(u64::MAX).min(from.saturating_add(BYTES_MAX));
    let length = logs.stream_len(id, which, stream)?;
    let bytes = logs.read(id, which, stream, from, to)?;
    let header = ("x-roundel-log-length", length.to_string());
    Ok(([header, ("content-type", "application/octet-stream".to_owned())], bytes).into_response())
}
