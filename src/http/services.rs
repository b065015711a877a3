//! The installation as a whole: stopped and started.

use axum::Json;
use axum::extract::{ConnectInfo, State};
use axum::http::HeaderMap;

use super::error::{Answer, ApiError};
use super::peer::Peer;
use super::pipelines::key;
use super::router::Server;
use crate::api::Written;
use crate::api::services::Installation;
use crate::engine::{Command, InstallationCommand, Reply};
use crate::error::Kind;

pub(super) async fn stop(
    State(server): State<Server>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    headers: HeaderMap,
) -> Answer<Written<Installation>> {
    send(&server, peer, &headers, InstallationCommand::Stop).await
}

pub(super) async fn start(
    State(server): State<Server>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    headers: HeaderMap,
) -> Answer<Written<Installation>> {
    send(&server, peer, &headers, InstallationCommand::Start).await
}

async fn send(
    server: &Server,
    peer: Peer,
    headers: &HeaderMap,
    command: InstallationCommand,
) -> Answer<Written<Installation>> {
    let (seq, reply) = server
        .handle
        .send(Command::Installation(command), peer.actor(), key(headers))
        .await?;
    match reply {
        Reply::Installation { phase, since, by } => Ok(Json(Written {
            seq,
            value: Installation {
                phase,
                since: Some(since),
                by,
            },
        })),
        _ => Err(ApiError::new(
            Kind::Internal,
            "the installation was asked for and something else answered",
        )),
    }
}
