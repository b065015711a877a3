//! Certificates of others: what a host shows, looked at by the server on the way that the settings say; and whom of them to
//! trust.

use axum::Json;
use axum::extract::State;

use super::body::Asked;
use super::caller::Caller;
use super::error::{Answer, ApiError};
use super::router::Server;
use super::settings::{record, send};
use crate::access::{Fingerprint, Role};
use crate::api::Written;
use crate::api::certificates::{FetchChain, Fetched, FetchedChain, Trust};
use crate::api::settings::SettingsRef;
use crate::certificates::{authorities, pem};
use crate::engine::{Note, SettingsCommand, opened, proposed};
use crate::error::Kind;
use crate::services::ca::{self, fetch};

pub(super) async fn chain(
    State(server): State<Server>,
    caller: Caller,
    Asked(wanted): Asked<FetchChain>,
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

pub(super) async fn trust(
    State(server): State<Server>,
    caller: Caller,
    Asked(wanted): Asked<Trust>,
) -> Answer<Written<SettingsRef>> {
    let remove = wanted.remove.iter().map(|print| print.parse());
    let remove: Result<Vec<Fingerprint>, _> = remove.collect();
    let remove = remove.map_err(|err| ApiError::new(Kind::Usage, err.to_string()))?;
    let add = authorities(wanted.add.as_bytes()).path;
    if add.is_empty() && remove.is_empty() {
        let why = "no certificate in PEM is given, and none to be trusted no more";
        return Err(ApiError::new(Kind::Usage, why));
    }
    let command = SettingsCommand::Trust {
        add,
        remove,
        stage: wanted.stage,
        accept_warnings: wanted.accept_warnings,
    };
    send(&server, caller, command).await
}
