//! Logs: byte ranges, lines, tails and searches, of one run or of all parallel runs of a job.

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};

use super::error::{ApiError, blocking};
use super::pipelines::{newest_of_each_copy, one};
use super::router::Server;
use crate::api::builds::{LogLines, LogMatches, LogQuery};
use crate::error::Kind;
use crate::ids::AttemptId;
use crate::pipeline::status::{RunState, StepStatus};
use crate::storage::logs::{
    LINES_MAX, LogError, Pattern, READ_MAX, Start, lines_plain, read_plain, search_plain,
    tail_plain,
};
use crate::store::{Named, RunRecord};

pub(super) async fn read(
    State(server): State<Server>,
    Path((attempt, step)): Path<(String, String)>,
    Query(query): Query<LogQuery>,
) -> Result<Response, ApiError> {
    let id = AttemptId::from_str(&attempt).map_err(|_| ApiError::not_found("attempt", &attempt))?;
    let step = match step.as_str() {
        "agent" => None,
        number => Some(step_index(number)?),
    };
    let stream = stream(&query)?;
    let waits = Waits::default();
    let given_up = waits.given_up();
    blocking(move || {
        let run = server
            .view
            .store
            .attempt(id)?
            .ok_or_else(|| ApiError::not_found("attempt", &attempt))?;
        let open = is_open(&server, &run, step)?;
        let folder = server.data.join("logs").join(id.to_string());
        // Its agent began one: no output is something else.
        let has_run = run.state == RunState::Dead && run.started.is_some();
        if has_run && run.log_removed.is_none() && !folder.exists() {
            return Err(ApiError::not_found("log of the run", &run.name).hint(
                "a backup without logs was restored here, or somebody removed them: copy the folder `logs` of the old data directory",
            ));
        }
        let log = match step {
            None => Log::Agent(folder.join("agent.log")),
            Some(step) => Log::Step(vec![(run.copy, id)], step, stream),
        };
        match windows(&server, &log, open, &query, &given_up)? {
            Some(answer) => Ok(answer),
            None => bytes(&server, id, &log, &query),
        }
    })
    .await
}

/// One step of all parallel runs of a job, of each the newest attempt.
pub(super) async fn of_job(
    State(server): State<Server>,
    Path((reference, step)): Path<(String, String)>,
    Query(query): Query<LogQuery>,
) -> Result<Response, ApiError> {
    let step = step_index(&step)?;
    let stream = stream(&query)?;
    let waits = Waits::default();
    let given_up = waits.given_up();
    blocking(move || {
        let Named::Job(job) = one(&server, "job", &reference, &["jobs"])? else {
            return Err(ApiError::not_found("job", &reference));
        };
        let mut runs: Vec<(u32, AttemptId)> = Vec::new();
        let mut open = false;
        for run in newest_of_each_copy(server.view.store.job_attempts(job)?) {
            open |= is_open(&server, &run, Some(step))?;
            runs.push((run.copy, run.id));
        }
        let log = Log::Step(runs, step, stream);
        windows(&server, &log, open, &query, &given_up)?.ok_or_else(|| {
            ApiError::new(
                Kind::Usage,
                "bytes are read of one run, not of several together",
            )
            .hint("ask for line, tail, search or errors; or read /logs/{attempt}/{step}")
        })
    })
    .await
}

/// Which log.
enum Log {
    /// A Build Agent's own.
    Agent(PathBuf),
    /// That of a step, of these runs.
    Step(Vec<(u32, AttemptId)>, u16, Option<u8>),
}

/// The client waits for the answer for as long as this is kept.
#[derive(Default)]
struct Waits(Arc<AtomicBool>);

impl Waits {
    /// Tells, on whatever thread works for the answer, whether nobody waits any more.
    fn given_up(&self) -> impl Fn() -> bool + Send + use<> {
        let over = Arc::clone(&self.0);
        move || over.load(Ordering::Relaxed)
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn step_index(number: &str) -> Result<u16, ApiError> {
    number
        .parse()
        .map_err(|_| ApiError::not_found("step", number))
}

fn stream(query: &LogQuery) -> Result<Option<u8>, ApiError> {
    match query.stream.as_deref() {
        None => Ok(None),
        Some("out") => Ok(Some(1)),
        Some("err") => Ok(Some(2)),
        Some(other) => Err(
            ApiError::new(Kind::Usage, format!("there is no stream `{other}`")).hint("out or err"),
        ),
    }
}

/// Whether more may come.
fn is_open(server: &Server, run: &RunRecord, step: Option<u16>) -> Result<bool, ApiError> {
    if run.state != RunState::Running {
        return Ok(false);
    }
    let Some(step) = step else { return Ok(true) };
    let steps = server.view.store.steps(run.id)?;
    Ok(steps
        .iter()
        .find(|s| s.step == step)
        .is_none_or(|s| s.status == StepStatus::Running))
}

/// Lines or matches, if the query asks for such.
fn windows(
    server: &Server,
    log: &Log,
    open: bool,
    query: &LogQuery,
    given_up: &dyn Fn() -> bool,
) -> Result<Option<Response>, ApiError> {
    let pattern = match &query.search {
        Some(text) => Some(Pattern::text(text)),
        None => query.errors.then(|| Some(Pattern::error_like())),
    };
    if let Some(pattern) = pattern {
        let start = match query.before {
            Some(end) => Start::Before(end),
            None => Start::From(query.line.unwrap_or(0)),
        };
        let found = match pattern {
            Some(pattern) => search(server, log, &pattern, start, given_up),
            None => Ok(NOTHING),
        };
        return Ok(Some(Json(or(found, NOTHING)?).into_response()));
    }
    let lines = match (query.tail, query.line) {
        (Some(count), _) => match log {
            Log::Agent(path) => tail_plain(path, count),
            Log::Step(runs, step, stream) => server
                .logs
                .together(runs, *step, *stream)
                .and_then(|log| log.tail(count)),
        },
        (None, Some(first)) => {
            let count = query.count.unwrap_or(LINES_MAX);
            match log {
                Log::Agent(path) => lines_plain(path, first, count),
                Log::Step(runs, step, stream) => server
                    .logs
                    .together(runs, *step, *stream)
                    .and_then(|log| log.lines(first, count)),
            }
        }
        (None, None) => return Ok(None),
    };
    let empty = LogLines {
        lines: Vec::new(),
        total: 0,
        bytes: 0,
        open,
    };
    let lines = or(lines, empty)?;
    Ok(Some(Json(LogLines { open, ..lines }).into_response()))
}

/// What a search through a log that is not there finds.
const NOTHING: LogMatches = LogMatches {
    lines: Vec::new(),
    from: 0,
    to: 0,
    total: 0,
};

/// A step that has said nothing has no log yet: that is an empty one.
fn or<T>(result: Result<T, LogError>, empty: T) -> Result<T, LogError> {
    match result {
        Err(LogError::NoLog { .. }) => Ok(empty),
        other => other,
    }
}

fn search(
    server: &Server,
    log: &Log,
    pattern: &Pattern,
    start: Start,
    given_up: &dyn Fn() -> bool,
) -> Result<LogMatches, LogError> {
    match log {
        Log::Agent(path) => search_plain(path, pattern, start),
        Log::Step(runs, step, stream) => server
            .logs
            .together(runs, *step, *stream)?
            .search(pattern, start, given_up),
    }
}

/// Raw bytes of one run's log.
fn bytes(
    server: &Server,
    id: AttemptId,
    log: &Log,
    query: &LogQuery,
) -> Result<Response, ApiError> {
    let from = query.from.unwrap_or(0);
    let to = query
        .to
        .unwrap_or(u64::MAX)
        .min(from.saturating_add(READ_MAX));
    let read = match log {
        Log::Agent(path) => read_plain(path, from, to)
            .map(|bytes| (std::fs::metadata(path).map_or(0, |file| file.len()), bytes)),
        Log::Step(_, step, stream) => server
            .logs
            .stream_len(id, *step, *stream)
            .and_then(|length| Ok((length, server.logs.read(id, *step, *stream, from, to)?))),
    };
    let (length, bytes) = or(read, (0, Vec::new()))?;
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
