//! Pipelines: taking one in (git, compile, engine), lists and details, rerun and cancel.

use axum::Json;
use axum::extract::{Path, Query, State};

use super::body::Asked;
use super::caller::Caller;
use super::error::{Answer, ApiError, blocking};
use super::query::window;
use super::router::Server;
use super::translate::{job_row, pipeline_row, run_row};
use crate::api::builds::{
    CreatePipeline, PipelineDetail, PipelineRef, PipelineRow, Rerun, WorkflowDetail,
};
use crate::api::{ListQuery, Page, Written};
use crate::clock;
use crate::cluster::embedded::mirror_path;
use crate::engine::intake::{self, Prepared, Wanted};
use crate::engine::{BuildCommand, Command, Reply, Usuals};
use crate::error::Kind;
use crate::ids::{JobId, PipelineId, WorkflowId};
use crate::pipeline::Problem;
use crate::pipeline::status::Status;
use crate::services::health::Part;
use crate::services::proxy;
use crate::store::{Named, RunRecord, WorkflowRecord};
use crate::vcs;

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
        let mut usuals = server.view.usuals();
        let rows = found
            .rows
            .into_iter()
            .map(|record| {
                let project = record.project;
                let counts = server.view.store.job_counts(record.id)?;
                let mut row = pipeline_row(record, &counts);
                row.usual = usuals.build(project)?;
                Ok(row)
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
        let mut usuals = server.view.usuals();
        let workflows = passes
            .into_iter()
            .map(|pass| workflow(&server, &mut usuals, pass))
            .collect::<Result<_, _>>()?;
        let counts = store.job_counts(id)?;
        let problems: Vec<Problem> = serde_json::from_str(&record.problems).unwrap_or_default();
        let (source, project) = (record.source.clone(), record.project);
        let mut row = pipeline_row(record, &counts);
        row.usual = usuals.build(project)?;
        Ok::<_, ApiError>(Json(PipelineDetail {
            row,
            source,
            problems,
            workflows,
            seq,
        }))
    })
    .await
}

fn workflow(
    server: &Server,
    usuals: &mut Usuals<'_>,
    record: WorkflowRecord,
) -> Result<WorkflowDetail, ApiError> {
    let store = &server.view.store;
    let now = clock::now();
    let jobs = store.jobs(record.id)?;
    let names: Vec<String> = jobs.iter().map(|job| job.name.clone()).collect();
    let jobs = jobs
        .into_iter()
        .map(|job| {
            let attempts = store.job_attempts(job.reused_from.unwrap_or(job.id))?;
            let runs = newest_of_each_copy(attempts);
            let places = server.view.places(&runs);
            let rows = runs
                .into_iter()
                .map(|run| {
                    let place = places.get(&run.id).copied();
                    run_row(&server.view, usuals, run, place, now)
                })
                .collect::<Result<_, _>>()?;
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
            let each = found.iter().map(|one| format!("{} {}", one.kind(), one.id()));
            let each: Vec<String> = each.collect();
            Err(ApiError::several(reference, "things", &each))
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
    caller: Caller,
    Asked(wanted): Asked<CreatePipeline>,
) -> Answer<Written<PipelineRef>> {
    caller.may_name(&wanted.source)?;
    let data = server.data.clone();
    let classes = server.view.classes.as_ref().clone();
    let values = server.view.values.borrow().clone();
    let id = wanted.id;
    let begun = clock::monotonic();
    let source = wanted.source.clone();
    let prepared = blocking(move || {
        let branch = wanted.branch;
        let wanted = Wanted {
            id,
            source: wanted.source,
            only_job: wanted.job,
            no_engine: wanted.no_engine,
            classes,
            values,
        };
        intake::newest(&data, &wanted, branch.as_deref()).map_err(ApiError::from)
    })
    .await;
    let git = server.view.pulse.of(Part::Git);
    match &prepared {
        Ok(_) => git.done(begun.elapsed(), clock::now()),
        Err(err) if err.is_ours() => {
            let data = server.data.clone();
            // A remote of which nothing was ever built may be a slip of whoever wrote it.
            if blocking(move || Ok::<_, ApiError>(intake::was_built(&data, &source))).await? {
                git.failed(err.text(), clock::now());
            }
        }
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
    let (seq, _) = server.handle.send(command, caller.actor, None).await?;
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

/// Sends a wish on builds, and answers what came of it.
pub(super) async fn send(
    server: &Server,
    caller: Caller,
    command: BuildCommand,
) -> Answer<Written<PipelineRef>> {
    let (seq, reply) = caller.send(server, Command::Build(command)).await?;
    Ok(written(seq, &reply))
}

fn written(seq: i64, reply: &Reply) -> Json<Written<PipelineRef>> {
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
    caller: Caller,
    Path(reference): Path<String>,
    Asked(rerun): Asked<Rerun>,
) -> Answer<Written<PipelineRef>> {
    let finder = server.clone();
    let from_failed = rerun.from_failed;
    let workflows = blocking(move || {
        let workflows = again(&finder, &reference, from_failed)?;
        bring_back(&finder, &workflows)?;
        Ok::<_, ApiError>(workflows)
    })
    .await?;
    let mut last = None;
    for (n, workflow) in workflows.into_iter().enumerate() {
        let command = Command::Build(BuildCommand::Rerun {
            workflow,
            from_failed,
        });
        // Asked again with the same key, each workflow gives its own answer again.
        let mut caller = caller.clone();
        if n > 0 {
            caller.key = caller.key.map(|key| format!("{key} {n}"));
        }
        last = Some(caller.send(&server, command).await?);
    }
    let (seq, reply) = last.expect("there is a workflow, or there was an error");
    Ok(written(seq, &reply))
}

/// Sees to it that what these check out is there: a mirror of which nothing was built for long is removed.
fn bring_back(server: &Server, workflows: &[WorkflowId]) -> Result<(), ApiError> {
    let store = &server.view.store;
    // Those of one rerun are of one pipeline.
    let jobs = workflows.first().map(|id| store.jobs(*id)).transpose()?;
    let Some(pipeline) = jobs.and_then(|jobs| Some(jobs.first()?.pipeline)) else {
        return Ok(());
    };
    if let (Some(record), Some((key, _))) = (store.pipeline(pipeline)?, store.project_of(pipeline)?)
    {
        let mirror = mirror_path(&server.data, &key);
        let values = server.view.values.borrow().clone();
        let network = proxy::for_git(&record.source, &values)?;
        let (revision, branch) = (&record.revision, &record.branch);
        vcs::bring_back(revision, branch, &record.source, &mirror, &network)?;
    }
    Ok(())
}

/// The workflows that a rerun of this one, or of all of this pipeline, is about: at least one.
fn again(server: &Server, reference: &str, from_failed: bool) -> Result<Vec<WorkflowId>, ApiError> {
    let id = match one(
        server,
        "workflow or pipeline",
        reference,
        &["workflows", "pipelines"],
    )? {
        Named::Workflow(id) => return Ok(vec![id]),
        Named::Pipeline(id) => id,
        _ => return Err(ApiError::not_found("workflow", reference)),
    };
    let passes = server.view.store.workflows(id)?;
    let current: Vec<WorkflowRecord> = passes.into_iter().filter(|pass| !pass.superseded).collect();
    let conflict =
        |why: &str| ApiError::new(Kind::Conflict, format!("pipeline `{reference}` {why}"));
    if current.is_empty() {
        return Err(conflict("has no workflow to rerun"));
    }
    let several = current.len() > 1;
    if several && current.iter().any(|pass| !pass.status.is_final()) {
        return Err(conflict("has a workflow that is not over yet")
            .hint("name the workflow to rerun, or cancel the pipeline first"));
    }
    // One by itself is rerun or refused by the engine, which says why.
    let wanted =
        |pass: &&WorkflowRecord| !several || !from_failed || pass.status != Status::Success;
    let ids: Vec<WorkflowId> = current.iter().filter(wanted).map(|pass| pass.id).collect();
    if ids.is_empty() {
        return Err(conflict("has nothing that failed").hint("rerun it from the beginning"));
    }
    Ok(ids)
}

pub(super) async fn cancel(
    State(server): State<Server>,
    caller: Caller,
    Path(reference): Path<String>,
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
    send(&server, caller, command).await
}

/// Approves a job, or the one job of a pipeline that waits for it.
pub(super) async fn approve(
    State(server): State<Server>,
    caller: Caller,
    Path(reference): Path<String>,
) -> Answer<Written<PipelineRef>> {
    let finder = server.clone();
    let job = blocking(move || on_hold(&finder, &reference)).await?;
    send(&server, caller, BuildCommand::Approve(job)).await
}

fn on_hold(server: &Server, reference: &str) -> Result<JobId, ApiError> {
    let tables = ["jobs", "workflows", "pipelines"];
    let store = &server.view.store;
    let passes = match one(server, "job, workflow or pipeline", reference, &tables)? {
        Named::Job(id) => return Ok(id),
        Named::Workflow(id) => vec![id],
        Named::Pipeline(id) => {
            let passes = store.workflows(id)?.into_iter();
            passes
                .filter(|pass| !pass.superseded)
                .map(|pass| pass.id)
                .collect()
        }
        Named::Attempt(_) => return Err(ApiError::not_found("job", reference)),
    };
    let mut waiting = Vec::new();
    for pass in passes {
        let jobs = store.jobs(pass)?.into_iter();
        waiting.extend(jobs.filter(|job| job.status == Status::OnHold));
    }
    match waiting.as_slice() {
        [job] => Ok(job.id),
        [] => Err(ApiError::new(
            Kind::Conflict,
            format!("no job of `{reference}` waits for approval"),
        )),
        several => {
            let names = several.iter().map(|job| format!("{} {}", job.id, job.name));
            let names = names.collect::<Vec<_>>().join(", ");
            Err(ApiError::new(
                Kind::Conflict,
                format!("several jobs of `{reference}` wait for approval"),
            )
            .hint(format!("name one: {names}")))
        }
    }
}
