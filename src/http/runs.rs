//! Runs: the queue, what runs, what ran.

use std::collections::HashMap;
use std::str::FromStr;

use axum::Json;
use axum::extract::{Path, Query, State};

use super::caller::Caller;
use super::error::{Answer, ApiError, blocking};
use super::pipelines::{one, send};
use super::query::window;
use super::router::Server;
use super::translate::{estimate, explanation, run_row};
use crate::api::builds::{PipelineRef, RunDetail, RunRow, StepRow};
use crate::api::{ListQuery, Page, Written};
use crate::clock;
use crate::engine::{BuildCommand, Forecast};
use crate::error::Kind;
use crate::ids::{AttemptId, NodeId};
use crate::pipeline::status::{RunState, StepStatus};
use crate::pipeline::{JobPlan, Step};
use crate::store::{Named, RunFilter, RunRecord, StepRecord};

const COLUMNS: [&str; 9] = [
    "place", "job", "project", "waiting", "state", "node", "started", "needs", "name",
];

pub(super) async fn list(
    State(server): State<Server>,
    Query(query): Query<ListQuery>,
) -> Answer<Page<RunRow>> {
    let states = query
        .state
        .split(',')
        .filter(|word| !word.is_empty())
        .map(|word| {
            RunState::from_str(word).map_err(|err| {
                ApiError::new(Kind::Usage, err.to_string()).hint("pending, running or dead")
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    page(server, &query, RunFilter { states, node: None })
        .await
        .map(Json)
}

/// A window of runs as rows.
pub(super) async fn page(
    server: Server,
    query: &ListQuery,
    filter: RunFilter,
) -> Result<Page<RunRow>, ApiError> {
    let wanted = window(query, &COLUMNS)?;
    let seq = server.view.live().seq;
    blocking(move || {
        let now = clock::now();
        let found = server.view.runs(&filter, &wanted)?;
        // Unfiltered and in its own order, the window itself tells the places.
        let own_order =
            wanted.filter.is_empty() && (wanted.sort.is_empty() || wanted.sort == "place");
        let places: HashMap<AttemptId, u64> = if own_order && filter.node.is_none() {
            (found.offset + 1..)
                .zip(&found.rows)
                .map(|(place, run)| (run.id, place))
                .collect()
        } else {
            server.view.places(&found.rows)
        };
        let mut usuals = server.view.usuals();
        let forecast = if found.rows.iter().any(|run| run.state == RunState::Pending) {
            server.view.forecast(&mut usuals, now)?
        } else {
            Forecast::default()
        };
        let rows = found
            .rows
            .into_iter()
            .map(|run| {
                let place = places
                    .get(&run.id)
                    .copied()
                    .filter(|_| run.state == RunState::Pending);
                let row = run_row(&server.view, &mut usuals, run, place, now)?;
                Ok(with_estimate(row, &forecast))
            })
            .collect::<Result<_, ApiError>>()?;
        Ok::<_, ApiError>(Page {
            rows,
            total: found.total,
            offset: found.offset,
            seq,
        })
    })
    .await
}

/// Adds when a waiting run is expected to start.
fn with_estimate(mut row: RunRow, forecast: &Forecast) -> RunRow {
    if row.reason.as_ref().is_some_and(|reason| !reason.never) {
        row.estimate = row
            .place
            .and_then(|place| forecast.start(place))
            .map(estimate);
    }
    row
}

/// Runs on a node, oldest first.
pub(super) async fn on_node(server: Server, node: NodeId) -> Result<Vec<RunRow>, ApiError> {
    let filter = RunFilter {
        states: vec![RunState::Running],
        node: Some(node),
    };
    let query = ListQuery {
        limit: Some(1000),
        ..ListQuery::default()
    };
    let mut rows = page(server, &query, filter).await?.rows;
    rows.reverse();
    Ok(rows)
}

pub(super) async fn detail(
    State(server): State<Server>,
    Path(reference): Path<String>,
) -> Answer<RunDetail> {
    let seq = server.view.live().seq;
    let reader = server.clone();
    let (run, attempts, steps) = blocking(move || {
        let id = find(&reader, &reference)?;
        let store = &reader.view.store;
        let run = store
            .attempt(id)?
            .ok_or_else(|| ApiError::not_found("run", &reference))?;
        let mut attempts = store.job_attempts(run.job)?;
        attempts.retain(|attempt| attempt.copy == run.copy);
        let job = store
            .job(run.job)?
            .ok_or_else(|| ApiError::not_found("job", &run.job.to_string()))?;
        let plan: Option<JobPlan> = serde_json::from_str(&job.spec).ok();
        let steps = step_rows(&reader, &run, plan, store.steps(id)?);
        let places = reader.view.places([&run]);
        let now = clock::now();
        let place = places.get(&run.id).copied();
        let mut usuals = reader.view.usuals();
        let attempts = attempts
            .into_iter()
            .map(|attempt| run_row(&reader.view, &mut usuals, attempt, None, now))
            .collect::<Result<Vec<_>, _>>()?;
        let forecast = if run.state == RunState::Pending {
            reader.view.forecast(&mut usuals, now)?
        } else {
            Forecast::default()
        };
        let row = run_row(&reader.view, &mut usuals, run, place, now)?;
        Ok::<_, ApiError>((with_estimate(row, &forecast), attempts, steps))
    })
    .await?;
    let explained = match (run.state, run.attempt.parse()) {
        (RunState::Pending, Ok(id)) => server.handle.explain(id).await,
        _ => None,
    };
    let explanation = explained.map(|from| explanation(from, &run.executor));
    Ok(Json(RunDetail {
        run,
        steps,
        attempts,
        explanation,
        seq,
    }))
}

/// Steps that were, are, and will be.
fn step_rows(
    server: &Server,
    run: &RunRecord,
    plan: Option<JobPlan>,
    records: Vec<StepRecord>,
) -> Vec<StepRow> {
    let planned = plan.map(|plan| plan.steps).unwrap_or_default();
    let records: HashMap<u16, StepRecord> = records
        .into_iter()
        .map(|record| (record.step, record))
        .collect();
    (0..=u16::try_from(planned.len()).unwrap_or(u16::MAX))
        .map(|index| {
            let (name, kind, command) = match index
                .checked_sub(1)
                .and_then(|i| planned.get(usize::from(i)))
            {
                None => ("Spin up environment", "spin_up", ""),
                Some(Step::Run(step)) => (step.name.as_str(), "run", step.command.as_str()),
                Some(step @ Step::Checkout { .. }) => (step.name(), "checkout", ""),
            };
            let record = records.get(&index);
            let waiting = if run.state == RunState::Dead {
                StepStatus::Skipped
            } else {
                StepStatus::Waiting
            };
            StepRow {
                index,
                name: name.to_owned(),
                kind: kind.to_owned(),
                command: command.to_owned(),
                status: record.map_or(waiting, |record| record.status),
                exit_code: record.and_then(|record| record.exit_code),
                started_at: record.and_then(|record| record.started),
                stopped_at: record.and_then(|record| record.stopped),
                log_bytes: server.logs.len(run.id, index),
            }
        })
        .collect()
}

fn find(server: &Server, reference: &str) -> Result<AttemptId, ApiError> {
    match one(server, "run", reference, &["attempts"])? {
        Named::Attempt(id) => Ok(id),
        _ => Err(ApiError::not_found("run", reference)),
    }
}

pub(super) async fn stop(
    State(server): State<Server>,
    caller: Caller,
    Path(reference): Path<String>,
) -> Answer<Written<PipelineRef>> {
    let finder = server.clone();
    let id = blocking(move || find(&finder, &reference)).await?;
    send(&server, caller, BuildCommand::StopRun(id)).await
}
