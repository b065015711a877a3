//! Certificates of others: what a host shows, looked at by the server on the way that the settings say.

use axum::Json;
use axum::extract::State;

use super::caller::Caller;
use super::error::{Answer, ApiError};
use super::router::Server;
use super::settings::record;
use crate::access::Role;
use crate::api::certificates::{FetchChain, Fetched, FetchedChain};
use crate::certificates::pem;
use crate::engine::{Note, opened, proposed};
use crate::services::ca::{self, fetch};

pub(super) async fn chain(
    State(server): State<Server>,
    caller: Caller,
    Json(wanted): Json<FetchChain>,
) -> Answer<FetchedChain> {
    caller.permit(&server, Role::Admin, "tls.chain").await?;
    let url = fetch::place(&wanted.place)?;
    // As a test of the settings: a proxy that is only staged counts already.
    let record = record(&server).await?;
    let values = opened(proposed(&record).into_iter(), &server.seal);
    let fetched = fetch::fetch(&url, &values).await.map_err(ApiError::from);
    let note = Note {
        action: "tls.chain",
        object: crate::sanitise::line(&wanted.place).into_owned(),
        detail: fetched.as_ref().map_or(String::new(), |one| one.way.told()),
        failure: fetched.as_ref().err().map(ApiError::text),
    };
    caller.note(&server, note).await?;
    let fetched = fetched?;
    let certificates = fetched.chain.iter().map(|one| Fetched {
        shown: ca::shown(one),
        pem: pem(one.der()),
    });
    Ok(Json(FetchedChain {
        way: fetched.way.told(),
        certificates: certificates.collect(),
    }))
}
