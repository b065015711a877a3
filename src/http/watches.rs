//! Watched repositories: list, add, look now, remove.

use axum::Json;
use axum::extract::{Path, State};

use super::body::Asked;
use super::caller::Caller;
use super::error::{Answer, ApiError, blocking, to_its_end};
use super::router::Server;
use crate::api::Written;
use crate::api::watches::{AddWatch, WatchRef, WatchRow};
use crate::cluster::embedded::mirror_path;
use crate::engine::{Command, NewWatch, Reply, WatchCommand};
use crate::error::Kind;
use crate::ids::WatchId;
use crate::services::proxy;
use crate::store::WatchRecord;
use crate::vcs;

/// Longest time between two looks: a day.
const EVERY_MAX_S: u64 = 86_400;

pub(super) async fn list(State(server): State<Server>) -> Answer<Vec<WatchRow>> {
    let store = server.view.store.clone();
    let records = blocking(move || store.watches()).await?;
    let rows = records.into_iter().map(|record| {
        let look = server.watching.last_look(record.id);
        WatchRow {
            id: record.id.to_string(),
            source: record.source,
            project: record.title,
            every_s: record.every_s,
            created_at: record.created,
            by: record.actor,
            branches: record.tips.len() as u64,
            looked_at: look.at,
            failure: look.failure,
            built: look.built,
            passed_over: look.passed_over,
        }
    });
    Ok(Json(rows.collect()))
}

pub(super) async fn add(
    State(server): State<Server>,
    caller: Caller,
    Asked(wanted): Asked<AddWatch>,
) -> Answer<Written<WatchRef>> {
    if !(1..=EVERY_MAX_S).contains(&wanted.every_s) {
        return Err(ApiError::new(
            Kind::Usage,
            format!("a look every {} s is not possible", wanted.every_s),
        )
        .hint("from 1s to 1d"));
    }
    caller.may_name(&wanted.source)?;
    let data = server.data.clone();
    let values = server.view.values.borrow().clone();
    // What is there now is brought and remembered before anything is answered: what is pushed from now on is new.
    let new = blocking(move || {
        let source = vcs::locate(&wanted.source)?;
        let network = proxy::for_git(&wanted.source, &values)?;
        let tips = vcs::tips(&source, &network)?;
        vcs::bring(&source, &tips, &mirror_path(&data, &source.key), &network)?;
        Ok::<_, ApiError>(NewWatch {
            id: WatchId::fresh(),
            source: wanted.source,
            title: format!("{}/{}", source.org, source.name),
            key: source.key,
            every_s: wanted.every_s,
            tips,
        })
    })
    .await?;
    let source = new.source.clone();
    let command = WatchCommand::Add(Box::new(new));
    send(&server, caller, command, source).await
}

pub(super) async fn look(
    State(server): State<Server>,
    Path(reference): Path<String>,
) -> Answer<WatchRef> {
    let record = find(&server, reference).await?;
    if !server.watching.look_now(record.id) {
        return Err(ApiError::not_found("watched repository", &record.source));
    }
    Ok(Json(WatchRef {
        watch: record.id.to_string(),
        source: record.source,
    }))
}

pub(super) async fn remove(
    State(server): State<Server>,
    caller: Caller,
    Path(reference): Path<String>,
) -> Answer<Written<WatchRef>> {
    let record = find(&server, reference).await?;
    let command = WatchCommand::Remove(record.id);
    send(&server, caller, command, record.source).await
}

async fn send(
    server: &Server,
    caller: Caller,
    command: WatchCommand,
    source: String,
) -> Answer<Written<WatchRef>> {
    let server = server.clone();
    let (seq, reply) = to_its_end(async move {
        let answer = caller.send(&server, Command::Watch(command)).await?;
        blocking(move || server.watching.reread()).await?;
        Ok(answer)
    })
    .await?;
    let Reply::Watch { watch } = reply else {
        return Err(ApiError::astray("a watched repository"));
    };
    Ok(Json(Written {
        seq,
        value: WatchRef {
            watch: watch.to_string(),
            source,
        },
    }))
}

/// By id, a beginning of it, path, URL, or the name of its project.
async fn find(server: &Server, reference: String) -> Result<WatchRecord, ApiError> {
    let store = server.view.store.clone();
    let mut records = blocking(move || store.watches()).await?;
    if let Some(at) = records.iter().position(|watch| watch.source == reference) {
        return Ok(records.swap_remove(at));
    }
    records.retain(|watch| {
        watch.title == reference
            || (reference.len() >= 4 && watch.id.to_string().starts_with(&reference))
    });
    match records.len() {
        0 => Err(ApiError::not_found("watched repository", &reference)
            .hint("`roundel watch --list` lists them")),
        1 => Ok(records.swap_remove(0)),
        _ => {
            let sources: Vec<&str> = records.iter().map(|watch| watch.source.as_str()).collect();
            Err(ApiError::several(
                &reference,
                "watched repositories",
                &sources,
            ))
        }
    }
}
