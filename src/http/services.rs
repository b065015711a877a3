//! The installation as a whole: stopped and started, and how the parts of the server do.

use axum::Json;
use axum::extract::State;

use super::caller::Caller;
use super::doors;
use super::error::{Answer, ApiError};
use super::router::Server;
use super::translate::installation;
use crate::api::Written;
use crate::api::services::{Installation, LastError, PublicListener, ServiceRow, Services};
use crate::clock;
use crate::engine::{Command, InstallationCommand, PartStands, Reply};
use crate::services::certificates::Place;

pub(super) async fn list(State(server): State<Server>) -> Json<Services> {
    let live = server.view.live();
    Json(Services {
        installation: installation(&live.installation),
        services: rows(server.view.parts(clock::now())),
        network: doors::network(&server),
        public: public(&server),
        seq: live.seq,
    })
}

fn public(server: &Server) -> Option<PublicListener> {
    let standing = server.view.certificates.at(Place::Public)?;
    Some(PublicListener {
        addresses: server.hello.public.clone(),
        ssl_only: server.view.values.borrow().on("privacy.ssl_only"),
        fingerprint: standing.facts.fingerprint.to_string(),
    })
}

/// Parts of the server as rows.
pub(super) fn rows(parts: Vec<PartStands>) -> Vec<ServiceRow> {
    parts
        .into_iter()
        .map(|one| ServiceRow {
            name: one.part.name().to_owned(),
            health: one.health,
            since: one.since,
            last_error: one.error.map(|(at, text)| LastError { at, text }),
            note: one.note,
        })
        .collect()
}

pub(super) async fn stop(
    State(server): State<Server>,
    caller: Caller,
) -> Answer<Written<Installation>> {
    send(&server, caller, InstallationCommand::Stop).await
}

pub(super) async fn start(
    State(server): State<Server>,
    caller: Caller,
) -> Answer<Written<Installation>> {
    send(&server, caller, InstallationCommand::Start).await
}

async fn send(
    server: &Server,
    caller: Caller,
    command: InstallationCommand,
) -> Answer<Written<Installation>> {
    let (seq, reply) = caller.send(server, Command::Installation(command)).await?;
    match reply {
        Reply::Installation { phase, since, by } => Ok(Json(Written {
            seq,
            value: Installation {
                phase,
                since: Some(since),
                by,
            },
        })),
        _ => Err(ApiError::astray("the installation")),
    }
}
