//! Tests of settings: who may, on which values, and the steps as they end.

use std::convert::Infallible;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;

use super::body::Asked;
use super::caller::Caller;
use super::error::ApiError;
use super::router::Server;
use super::settings::{read, record};
use crate::access::Role;
use crate::api::trial::Try;
use crate::engine::{Note, opened, proposed};
use crate::services::trial::{self, Ask, Trial};

/// Steps that wait for whoever listens: more than any test has, so that none waits for a slow reader.
const STEPS: usize = 64;

pub(super) async fn run(
    State(server): State<Server>,
    caller: Caller,
    Asked(wanted): Asked<Try>,
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
    caller.note(&server, note).await?;
    let record = record(&server).await?;
    let mut values = opened(proposed(&record).into_iter(), &server.seal);
    values.change(changes);
    let ask = Ask {
        values,
        words: wanted.words,
        data: server.data.clone(),
    };
    Ok(told(STEPS, |to| async move {
        trial::run(wanted.test, &ask, &mut Trial::new(to)).await;
    }))
}

/// An answer of a line of JSON for each item that some work tells, as it comes; `most` items wait for a slow reader. The
/// work ends when whoever asked goes away.
pub(super) fn told<T, W>(most: usize, work: impl FnOnce(mpsc::Sender<T>) -> W) -> Response
where
    T: Serialize + Send + 'static,
    W: Future<Output = ()> + Send + 'static,
{
    let (to, from) = mpsc::channel(most);
    let work = work(to.clone());
    tokio::spawn(async move {
        tokio::select! {
            () = work => {}
            () = to.closed() => {}
        }
    });
    let lines = ReceiverStream::new(from).map(|item| {
        let mut line = serde_json::to_vec(&item).expect("words of the wire are JSON");
        line.push(b'\n');
        Ok::<_, Infallible>(Bytes::from(line))
    });
    let kind = [(header::CONTENT_TYPE, "application/x-ndjson")];
    (kind, Body::from_stream(lines)).into_response()
}
