//! Pipelines: taking one in (git, compile, engine), lists and details, rerun and cancel.

use std::collections::HashMap;

use axum::Json;
use axum::extract::{ConnectInfo, Path, Query, State};
use axum::http::HeaderMap;

use super::error::{Answer, ApiError, blocking};
use super::peer::Peer;
use super::query::window;
use super::router::Server;
use super::translate::{job_row, pipeline_row, run_row};
use crate::api::builds::{
    CreatePipeline, PipelineDetail, PipelineRef, PipelineRow, Rerun, WorkflowDetail,
};
use crate::api::{ListQuery, Page, Written};
use crate::clock;
use crate::engine::intake::{self, Prepared, Wanted};
use crate::engine::{BuildCommand, Command, Reply};
use crate::error::Kind;
use crate::ids::PipelineId;
use crate::pipeline::Problem;
use crate::services::health::Part;
use crate::store::{Named, RunRecord, WorkflowRecord};

pub(super) async fn list(
    State(server): State<Server>,
    Query(query): Query<ListQuery>,
) -> Answer<Page<PipelineRow>> {
    let wanted = window(
        &query,
        &["created", "project", "branch", "status", "duration"],
    )?;
    let seq = server.view.live().seq;
    blocking(move || {
        let found = server.view.store.pipelines(&wanted)?;
        let rows = found
            .rows
            .into_iter()
            .map(|record| {
                let counts = server.view.store.job_counts(record.id)?;
                Ok(pipeline_row(record, &counts))
            })
            .collect::<Result<_, ApiError>>()?;
        Ok::<_, ApiError>(Json(Page {
            rows,
            total: found.total,
            offset: found.offset,
            seq,
        }))
    })
    .await
}

pub(super) async fn detail(
    State(server): State<Server>,
    Path(reference): Path<String>,
) -> Answer<PipelineDetail> {
    let seq = server.view.live().seq;
    blocking(move || {
        let id = find_pipeline(&server, &reference)?;
        let store = &server.view.store;
        let record = store
            .pipeline(id)?
            .ok_or_else(|| ApiError::not_found("pipeline", &reference))?;
        let passes = store.workflows(id)?;
        let workflows = passes
            .into_iter()
            .map(|pass| workflow(&server, pass))
            .collect::<Result<_, _>>()?;
        let counts = store.job_counts(id)?;
        let problems: Vec<Problem> = serde_json::from_str(&record.problems).unwrap_or_default();
        let source = record.source.clone();
        Ok::<_, ApiError>(Json(PipelineDetail {
            row: pipeline_row(record, &counts),
            source,
            problems,
            workflows,
            seq,
        }))
    })
    .await
}

fn workflow(server: &Server, record: WorkflowRecord) -> Result<WorkflowDetail, ApiError> {
    let store = &server.view.store;
    let now = clock::now();
    let jobs = store.jobs(record.id)?;
    let names: Vec<String> = jobs.iter().map(|job| job.name.clone()).collect();
    let jobs = jobs
        .into_iter()
        .map(|job| {
            let attempts = store.job_attempts(job.reused_from.unwrap_or(job.id))?;
            let runs = newest_of_each_copy(attempts);
            let pending: Vec<&RunRecord> = runs.iter().collect();
            let places: HashMap<_, _> = store.places(&pending)?.into_iter().collect();
            let rows = runs
                .into_iter()
                .map(|run| {
                    let place = places.get(&run.id).copied();
                    run_row(&server.view, run, place, now)
                })
                .collect();
            Ok(job_row(job, &names, rows))
        })
        .collect::<Result<_, ApiError>>()?;
    Ok(WorkflowDetail {
        id: record.id.to_string(),
        name: record.name,
        status: record.status,
        created_at: record.created,
        stopped_at: record.stopped,
        rerun_of: record.rerun_of.map(|id| id.to_string()),
        jobs,
    })
}

/// Attempts come by copy, oldest first: keeps the last of each copy.
pub(super) fn newest_of_each_copy(attempts: Vec<RunRecord>) -> Vec<RunRecord> {
    let mut newest: Vec<RunRecord> = Vec::new();
    for attempt in attempts {
        match newest.last_mut() {
            Some(last) if last.copy == attempt.copy => *last = attempt,
            _ => newest.push(attempt),
        }
    }
    newest
}

/// The one thing a reference names, or why not.
pub(super) fn one(
    server: &Server,
    what: &str,
    reference: &str,
    tables: &[&str],
) -> Result<Named, ApiError> {
    let mut found = server.view.store.named(reference, tables)?;
    match found.len() {
        0 => Err(ApiError::not_found(what, reference)
            .hint("ids may be shortened to any unique beginning of four digits or more; `roundel status` lists runs")),
        1 => Ok(found.remove(0)),
        _ => {
            let ids: Vec<String> = found.iter().map(Named::id).collect();
            Err(ApiError::new(Kind::Conflict, format!("`{reference}` names several things"))
                .hint(format!("one of {}", ids.join(", "))))
        }
    }
}

pub(super) fn find_pipeline(server: &Server, reference: &str) -> Result<PipelineId, ApiError> {
    match one(server, "pipeline", reference, &["pipelines"])? {
        Named::Pipeline(id) => Ok(id),
        _ => Err(ApiError::not_found("pipeline", reference)),
    }
}

pub(super) async fn create(
    State(server): State<Server>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Json(wanted): Json<CreatePipeline>,
) -> Answer<Written<PipelineRef>> {
    let data = server.data.clone();
    let id = wanted.id;
    let begun = clock::monotonic();
    let prepared = blocking(move || {
        let branch = wanted.branch;
        let wanted = Wanted {
            id,
            source: wanted.source,
            only_job: wanted.job,
            no_engine: wanted.no_engine,
        };
        intake::newest(&data, &wanted, branch.as_deref()).map_err(ApiError::from)
    })
    .await;
    let git = server.view.pulse.of(Part::Git);
    match &prepared {
        Ok(_) => git.done(begun.elapsed(), clock::now()),
        Err(err) if err.is_ours() => git.failed(err.text(), clock::now()),
        Err(_) => {}
    }
    let Prepared { new, problems } = prepared?;
    let compiled = new.plan.is_some();
    let what = format!(
        "the config of {}/{} at {}",
        new.org,
        new.name,
        &new.revision[..new.revision.len().min(12)]
    );
    let command = Command::Build(BuildCommand::Create(Box::new(new)));
    let (seq, _) = server.handle.send(command, peer.actor(), None).await?;
    if !compiled {
        return Err(ApiError::config(format!("{what} has errors"), problems));
    }
    let value = PipelineRef {
        pipeline: id.to_string(),
        workflow: None,
        warnings: problems,
    };
    Ok(Json(Written { seq, value }))
}

/// The idempotency key of a request.
pub(super) fn key(headers: &HeaderMap) -> Option<String> {
    headers
        .get("idempotency-key")?
        .to_str()
        .ok()
        .map(str::to_owned)
}

pub(super) fn written(seq: i64, reply: &Reply) -> Json<Written<PipelineRef>> {
    let (pipeline, workflow) = match reply {
        Reply::Pipeline { pipeline, workflow } => {
            (pipeline.to_string(), workflow.map(|id| id.to_string()))
        }
        _ => (String::new(), None),
    };
    Json(Written {
        seq,
        value: PipelineRef {
            pipeline,
            workflow,
            warnings: Vec::new(),
        },
    })
}

pub(super) async fn rerun(
    State(server): State<Server>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Path(reference): Path<String>,
    headers: HeaderMap,
    Json(rerun): Json<Rerun>,
) -> Answer<Written<PipelineRef>> {
    let finder = server.clone();
    let workflow = blocking(move || {
        let named = one(
            &finder,
            "workflow or pipeline",
            &reference,
            &["workflows", "pipelines"],
        )?;
        match named {
            Named::Workflow(id) => Ok(id),
            Named::Pipeline(id) => {
                let passes = finder.view.store.workflows(id)?;
                let mut current = passes.iter().filter(|pass| !pass.superseded);
                match (current.next(), current.next()) {
                    (Some(pass), None) => Ok(pass.id),
                    (None, _) => Err(ApiError::new(
                        Kind::Conflict,
                        format!("pipeline `{reference}` has no workflow to rerun"),
                    )),
                    (Some(_), Some(_)) => {
                        let ids: Vec<String> = passes
                            .iter()
                            .filter(|p| !p.superseded)
                            .map(|p| format!("{} {}", p.id, p.name))
                            .collect();
                        Err(ApiError::new(
                            Kind::Conflict,
                            format!("pipeline `{reference}` has several workflows"),
                        )
                        .hint(format!("name one: {}", ids.join(", "))))
                    }
                }
            }
            _ => Err(ApiError::not_found("workflow", &reference)),
        }
    })
    .await?;
    let command = Command::Build(BuildCommand::Rerun {
        workflow,
        from_failed: rerun.from_failed,
    });
    let (seq, reply) = server
        .handle
        .send(command, peer.actor(), key(&headers))
        .await?;
    Ok(written(seq, &reply))
}

pub(super) async fn cancel(
    State(server): State<Server>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Path(reference): Path<String>,
    headers: HeaderMap,
) -> Answer<Written<PipelineRef>> {
    let finder = server.clone();
    let named = blocking(move || {
        one(
            &finder,
            "pipeline, workflow, job or run",
            &reference,
            &["pipelines", "workflows", "jobs", "attempts"],
        )
    })
    .await?;
    let command = match named {
        Named::Pipeline(id) => BuildCommand::CancelPipeline(id),
        Named::Workflow(id) => BuildCommand::CancelWorkflow(id),
        Named::Job(id) => BuildCommand::CancelJob(id),
        Named::Attempt(id) => BuildCommand::StopRun(id),
    };
    let (seq, reply) = server
        .handle
        .send(Command::Build(command), peer.actor(), key(&headers))
        .await?;
    Ok(written(seq, &reply))
}
