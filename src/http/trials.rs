//! Tests of settings: who may, on which values, and the steps as they end.

use std::convert::Infallible;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;

use super::caller::Caller;
use super::error::ApiError;
use super::router::Server;
use super::settings::{read, record};
use crate::access::Role;
use crate::api::trial::Try;
use crate::engine::{Command, Note, opened, proposed};
use crate::services::trial::{self, Ask, Trial};

/// Steps that wait for whoever listens: more than any test has, so that none waits for a slow reader.
const STEPS: usize = 64;

pub(super) async fn run(
    State(server): State<Server>,
    caller: Caller,
    Json(wanted): Json<Try>,
) -> Result<Response, ApiError> {
    caller.permit(&server, Role::Admin, "settings.test").await?;
    let changes = read(wanted.changes)?;
    let keys: Vec<&str> = changes.iter().map(|(key, _)| key.as_str()).collect();
    let note = Note {
        action: "settings.test",
        object: wanted.test.word().to_owned(),
        detail: keys.join(", "),
        failure: None,
    };
    let actor = caller.actor;
    server.handle.send(Command::Note(note), actor, None).await?;
    let record = record(&server).await?;
    let mut values = opened(proposed(&record).into_iter(), &server.seal);
    for (key, value) in changes {
        match value {
            Some(value) => values.set(key, value),
            None => values.unset(&key),
        }
    }
    let ask = Ask {
        values,
        words: wanted.words,
        data: server.data.clone(),
    };
    let (to, from) = mpsc::channel(STEPS);
    tokio::spawn(async move {
        let gone = to.clone();
        let mut trial = Trial::new(to);
        tokio::select! {
            () = trial::run(wanted.test, &ask, &mut trial) => {}
            () = gone.closed() => {}
        }
    });
    Ok(lines(from))
}

/// An answer of a line of JSON for each item, as it comes.
pub(super) fn lines<T: Serialize + Send + 'static>(items: mpsc::Receiver<T>) -> Response {
    let lines = ReceiverStream::new(items).map(|item| {
        let mut line = serde_json::to_vec(&item).expect("words of the wire are JSON");
        line.push(b'\n');
        Ok::<_, Infallible>(Bytes::from(line))
    });
    let kind = [(header::CONTENT_TYPE, "application/x-ndjson")];
    (kind, Body::from_stream(lines)).into_response()
}
