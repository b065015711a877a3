//! Projects: list, show, rename, remove.

use std::path::Path as FilePath;

use axum::Json;
use axum::extract::{Path, State};

use super::body::Asked;
use super::caller::Caller;
use super::error::{Answer, ApiError, blocking};
use super::router::Server;
use crate::api::Written;
use crate::api::projects::{ProjectRef, ProjectRow, RenameProject};
use crate::cluster::embedded::mirror_path;
use crate::engine::{Command, ProjectCommand, Reply};
use crate::error::{Chain, Kind};
use crate::ids::AttemptId;
use crate::storage::trees;
use crate::store::ProjectRecord;
use crate::vcs;

pub(super) async fn list(State(server): State<Server>) -> Answer<Vec<ProjectRow>> {
    let records = blocking(move || server.view.store.projects()).await?;
    Ok(Json(records.into_iter().map(row).collect()))
}

pub(super) async fn detail(
    State(server): State<Server>,
    caller: Caller,
    Path(reference): Path<String>,
) -> Answer<ProjectRow> {
    Ok(Json(row(find(&server, &caller, reference).await?)))
}

pub(super) async fn rename(
    State(server): State<Server>,
    caller: Caller,
    Path(reference): Path<String>,
    Asked(wanted): Asked<RenameProject>,
) -> Answer<Written<ProjectRef>> {
    let Some((org, name)) = wanted.to.split_once('/').filter(|parts| is_name(*parts)) else {
        return Err(ApiError::new(
            Kind::Usage,
            format!("`{}` is no name for a project", wanted.to),
        )
        .hint("write it as org/name, in letters, digits, `.`, `_` and `-`"));
    };
    let project = find(&server, &caller, reference).await?;
    let command = ProjectCommand::Rename {
        title: project.title(),
        project: project.id,
        org: org.to_owned(),
        name: name.to_owned(),
    };
    send(&server, caller, command).await
}

pub(super) async fn remove(
    State(server): State<Server>,
    caller: Caller,
    Path(reference): Path<String>,
) -> Answer<Written<ProjectRef>> {
    let project = find(&server, &caller, reference).await?;
    let store = server.view.store.clone();
    let id = project.id;
    let runs = blocking(move || store.runs_of_project(id)).await?;
    let command = ProjectCommand::Remove {
        title: project.title(),
        project: project.id,
    };
    let answer = send(&server, caller, command).await?;
    blocking(move || {
        clear(&server, &project, &runs);
        Ok::<_, ApiError>(())
    })
    .await?;
    Ok(answer)
}

async fn send(
    server: &Server,
    caller: Caller,
    command: ProjectCommand,
) -> Answer<Written<ProjectRef>> {
    let command = Command::Project(command);
    let (seq, reply) = caller.send(server, command).await?;
    let Reply::Project {
        title,
        pipelines,
        runs,
    } = reply
    else {
        return Err(ApiError::astray("a project"));
    };
    Ok(Json(Written {
        seq,
        value: ProjectRef {
            project: title,
            pipelines,
            runs,
        },
    }))
}

/// Removes the files of what is no more: logs, what agents left, the mirror. What cannot be removed takes room and
/// harms nothing else, so it is only told.
fn clear(server: &Server, project: &ProjectRecord, runs: &[AttemptId]) {
    let remove = |path: &FilePath| {
        if let Err(err) = trees::remove(path) {
            tracing::warn!(path = %path.display(), error = %err, "files of a removed project are left");
        }
    };
    for run in runs {
        if let Err(err) = server.logs.remove(*run) {
            tracing::warn!(error = %Chain(&err), "a log of a removed project is left");
        }
        remove(&server.data.join("attempts").join(run.to_string()));
    }
    remove(&mirror_path(&server.data, &project.key));
}

/// By name (`org/name`, or `name` where only one project has it), by key, or by where its repository is: an absolute
/// path or a URL.
pub(super) async fn find(
    server: &Server,
    caller: &Caller,
    reference: String,
) -> Result<ProjectRecord, ApiError> {
    let store = server.view.store.clone();
    let place = is_place(&reference) && caller.may_name(&reference).is_ok();
    blocking(move || {
        let mut projects = store.projects()?;
        let source = place.then(|| vcs::locate(&reference)).transpose();
        projects.retain(|project| match &source {
            Ok(Some(source)) => project.key == source.key,
            _ => {
                project.key == reference
                    || project.title() == reference
                    || project.name == reference
            }
        });
        // A whole name or key means that project, whatever else ends so.
        let whole = |project: &ProjectRecord| {
            project.key == reference || project.title() == reference
        };
        if let Some(at) = projects.iter().position(whole) {
            return Ok(projects.swap_remove(at));
        }
        match (projects.len(), source) {
            (1, _) => Ok(projects.swap_remove(0)),
            (0, Err(err)) => Err(err.into()),
            (0, _) => Err(ApiError::not_found("project", &reference)
                .hint("`roundel project list` lists them; one that is not built yet is named by ./path or URL")),
            _ => {
                let keys: Vec<&str> = projects.iter().map(|project| &*project.key).collect();
                Err(ApiError::several(&reference, "projects", &keys))
            }
        }
    })
    .await
}

/// Whether it says where a repository is, and is not a name.
pub(super) fn is_place(reference: &str) -> bool {
    reference.starts_with('/') || reference.contains(':')
}

/// Whether both parts are such that a person can type them, and a fleet name can hold them.
fn is_name((org, name): (&str, &str)) -> bool {
    [org, name].iter().all(|part| {
        (1..=100).contains(&part.len())
            && part.starts_with(|c: char| c.is_ascii_alphanumeric())
            && part
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
    })
}

fn row(record: ProjectRecord) -> ProjectRow {
    ProjectRow {
        project: record.title(),
        key: record.key,
        origin: record.origin,
        pipelines: record.pipelines,
        last_build: record.last_build,
        last_at: record.last,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_two_plain_parts() {
        for (org, name) in [("acme", "web"), ("Acme-2", "a.b_c")] {
            assert!(is_name((org, name)), "{org}/{name}");
        }
        for (org, name) in [
            ("", "web"),
            ("acme", ""),
            ("-a", "b"),
            ("a", "b/c"),
            ("a", "b c"),
        ] {
            assert!(!is_name((org, name)), "{org}/{name}");
        }
    }
}
