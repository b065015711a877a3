//! Whether the server can do its work, for whoever watches over it: no account is needed, and no more is told than that.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};

use super::router::Server;
use crate::api::services::{Health, HealthAnswer};
use crate::clock;
use crate::services::health::Part;

/// 200 while builds can be taken in and recorded, else 503. An agent that is silent or a remote that does not answer is
/// nothing that another start of the server would mend.
pub(super) async fn read(State(server): State<Server>) -> Response {
    let parts = server.view.parts(clock::now()).into_iter();
    let failing: Vec<String> = parts
        .filter(|one| matches!(one.part, Part::Engine | Part::Store))
        .filter(|one| one.health == Health::Failing)
        .map(|one| one.part.name().to_owned())
        .collect();
    let (status, health) = match failing.is_empty() {
        true => (StatusCode::OK, Health::Ok),
        false => (StatusCode::SERVICE_UNAVAILABLE, Health::Failing),
    };
    let answer = HealthAnswer {
        status: health,
        failing,
    };
    (status, [(CACHE_CONTROL, "no-store")], Json(answer)).into_response()
}
