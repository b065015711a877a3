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
use crate::storage::logs::{LogError, lines_plain, read_plain, search_plain, tail_plain};

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
        number => Log::Step(
            number
                .parse()
                .map_err(|_| ApiError::not_found("step", number))?,
        ),
    };
    let stream = match query.stream.as_deref() {
        None => None,
        Some("out") => Some(1),
        Some("err") => Some(2),
        Some(other) => {
            return Err(
                ApiError::new(Kind::Usage, format!("there is no stream `{other}`"))
                    .hint("out or err"),
            );
        }
    };
    blocking(move || {
        let run = server
            .view
            .store
            .attempt(id)?
            .ok_or_else(|| ApiError::not_found("attempt", &attempt))?;
        let open = run.state == RunState::Running
            && match which {
                Log::Agent => true,
                Log::Step(step) => {
                    let steps = server.view.store.steps(id)?;
                    steps
                        .iter()
                        .find(|s| s.step == step)
                        .is_none_or(|s| s.status == StepStatus::Running)
                }
            };
        answer(&server, id, which, stream, open, &query)
    })
    .await
}

/// Which log of an attempt.
#[derive(Clone, Copy)]
enum Log {
    Agent,
    Step(u16),
}

fn answer(
    server: &Server,
    id: AttemptId,
    which: Log,
    stream: Option<u8>,
    open: bool,
    query: &LogQuery,
) -> Result<Response, ApiError> {
    let empty = || LogLines {
        lines: Vec::new(),
        total: 0,
        bytes: 0,
        open,
    };
    let logs = &server.logs;
    let agent = server
        .data
        .join("logs")
        .join(id.to_string())
        .join("agent.log");
    if let Some(text) = query.search.as_deref() {
        let first = query.line.unwrap_or(0);
        let found = match which {
            Log::Agent => search_plain(&agent, text, first)?,
            Log::Step(step) => logs.search(id, step, stream, text, first)?,
        };
        return Ok(Json(found).into_response());
    }
    // A step that has said nothing has no log yet: that is an empty one.
    let or_empty = |result: Result<LogLines, LogError>| match result {
        Err(LogError::NoLog { .. }) => Ok(empty()),
        other => other,
    };
    let lines = if let Some(count) = query.tail.map(|count| count.min(LINES_MAX)) {
        Some(match which {
            Log::Agent => or_empty(tail_plain(&agent, count))?,
            Log::Step(step) => or_empty(logs.tail(id, step, stream, count))?,
        })
    } else if let Some(first) = query.line {
        let count = query.count.unwrap_or(LINES_MAX).min(LINES_MAX);
        Some(match which {
            Log::Agent => or_empty(lines_plain(&agent, first, count))?,
            Log::Step(step) => or_empty(logs.lines(id, step, stream, first, count))?,
        })
    } else {
        None
    };
    if let Some(lines) = lines {
        return Ok(Json(LogLines { open, ..lines }).into_response());
    }
    let from = query.from.unwrap_or(0);
    let to = query
        .to
        .unwrap_or(u64::MAX)
        .min(from.saturating_add(BYTES_MAX));
    let read = match which {
        Log::Agent => read_plain(&agent, from, to).map(|bytes| {
            (
                std::fs::metadata(&agent).map_or(0, |file| file.len()),
                bytes,
            )
        }),
        Log::Step(step) => logs
            .stream_len(id, step, stream)
            .and_then(|length| Ok((length, logs.read(id, step, stream, from, to)?))),
    };
    let (length, bytes) = match read {
        Err(LogError::NoLog { .. }) => (0, Vec::new()),
        other => other?,
    };
    let header = ("x-roundel-log-length", length.to_string());
    Ok((
        [
            header,
            ("content-type", "application/octet-stream".to_owned()),
        ],
        bytes,
    )
        .into_response())
}
