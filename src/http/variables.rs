//! Variables of a project: list, set, unset. Values are sealed here, before anything else of the server sees them.

use axum::Json;
use axum::extract::{Path, State};

use super::body::Asked;
use super::caller::Caller;
use super::error::{Answer, ApiError, blocking};
use super::projects::{find, is_place};
use super::router::Server;
use crate::access::Role;
use crate::api::Written;
use crate::api::projects::{Variable, VariableRef, VariableRow};
use crate::engine::{Command, ProjectCommand, ProjectOf, Reply};
use crate::secret::Secret;
use crate::vcs;

/// What a variable is sealed as: it opens as this one of this project, and as no other.
pub(super) fn sealed_as(project_key: &str, name: &str) -> String {
    format!("the variable {name} of the project {project_key}")
}

pub(super) async fn list(
    State(server): State<Server>,
    caller: Caller,
    Path(reference): Path<String>,
) -> Answer<Vec<VariableRow>> {
    let project = find(&server, &caller, reference).await?;
    let found = blocking(move || server.view.store.variables(project.id)).await?;
    // Who may set it may tell it from another.
    let admin = caller.actor.role >= Role::Admin;
    let rows = found.into_iter().map(|variable| VariableRow {
        name: variable.name,
        value: format!("xxxx{}", if admin { &variable.hint } else { "" }),
        set_at: variable.at,
        by: variable.by,
    });
    Ok(Json(rows.collect()))
}

pub(super) async fn set(
    State(server): State<Server>,
    caller: Caller,
    Path(reference): Path<String>,
    Asked(wanted): Asked<Variable>,
) -> Answer<Written<VariableRef>> {
    let bytes = wanted.value.expose().as_bytes().to_vec();
    let secret = Secret::variable(&wanted.name, bytes)?;
    let project = find_or_make(&server, &caller, reference).await?;
    let name = wanted.name;
    let object = sealed_as(&project.key, &name);
    let sealed = server.seal.seal(&object, secret.expose())?;
    let hint = secret.hint();
    let command = ProjectCommand::SetVariable {
        project,
        name: name.clone(),
        sealed,
        hint,
    };
    send(&server, caller, command, name).await
}

pub(super) async fn unset(
    State(server): State<Server>,
    caller: Caller,
    Path((reference, name)): Path<(String, String)>,
) -> Answer<Written<VariableRef>> {
    let project = find(&server, &caller, reference).await?;
    let command = ProjectCommand::UnsetVariable {
        title: project.title(),
        project: project.id,
        name: name.clone(),
    };
    send(&server, caller, command, name).await
}

async fn send(
    server: &Server,
    caller: Caller,
    command: ProjectCommand,
    name: String,
) -> Answer<Written<VariableRef>> {
    let command = Command::Project(command);
    let (seq, reply) = caller.send(server, command).await?;
    let Reply::Project { title, .. } = reply else {
        return Err(ApiError::astray("a variable"));
    };
    Ok(Json(Written {
        seq,
        value: VariableRef {
            project: title,
            name,
        },
    }))
}

/// A project that is there, or one that its repository's place names: its first build may need the variable.
async fn find_or_make(
    server: &Server,
    caller: &Caller,
    reference: String,
) -> Result<ProjectOf, ApiError> {
    match find(server, caller, reference.clone()).await {
        Ok(project) => Ok(ProjectOf {
            key: project.key,
            org: project.org,
            name: project.name,
            origin: project.origin,
        }),
        Err(err) if !is_place(&reference) => Err(err),
        Err(_) => {
            caller.may_name(&reference)?;
            let source = blocking(move || vcs::locate(&reference)).await?;
            Ok(ProjectOf {
                key: source.key,
                org: source.org,
                name: source.name,
                origin: source.origin,
            })
        }
    }
}
