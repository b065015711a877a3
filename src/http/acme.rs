//! Certificates by ACME: the order, told as it goes, and the word to go on.

use axum::Json;
use axum::extract::State;
use axum::response::Response;

use super::body::Asked;
use super::caller::Caller;
use super::error::{Answer, ApiError};
use super::router::Server;
use super::trials::told;
use crate::access::Role;
use crate::api::acme::{AcmeGo, AcmeOrder};
use crate::engine::{Note, Wish};
use crate::services::acme::Teller;

/// What waits for whoever listens: an order tells some ten steps, and a wait of each two seconds.
const TOLD: usize = 64;

pub(super) async fn order(
    State(server): State<Server>,
    caller: Caller,
    Asked(wanted): Asked<AcmeOrder>,
) -> Result<Response, ApiError> {
    caller.permit(&server, Role::Admin, "tls.acme").await?;
    let turn = server.issuing.turn()?;
    let note = Note {
        action: "tls.acme",
        object: "certificate".to_owned(),
        detail: match wanted.names.as_slice() {
            [] => "renewal".to_owned(),
            names => crate::sanitise::line(&names.join(", ")).into_owned(),
        },
        failure: None,
    };
    caller.note(&server, note).await?;
    let wish = Wish {
        names: wanted.names,
        directory: wanted.directory,
        email: wanted.email,
        agree_tos: wanted.agree_tos,
        resolver: wanted.resolver,
        if_due: wanted.if_due,
    };
    let (issuing, actor) = (server.issuing.clone(), caller.actor);
    Ok(told(TOLD, |to| async move {
        issuing.run(turn, &wish, actor, &mut Teller::new(to)).await;
    }))
}

pub(super) async fn go_on(State(server): State<Server>, caller: Caller) -> Answer<AcmeGo> {
    caller.permit(&server, Role::Admin, "tls.acme").await?;
    let waited = server.issuing.go_on();
    Ok(Json(AcmeGo { waited }))
}
