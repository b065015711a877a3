//! The client against small servers that answer as they are told.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use roundel::api::{ListQuery, ProblemBody, Topic};
use roundel::client::{Client, ClientError, StreamItem};
use roundel::error::{Explain, Kind};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};

fn socket(root: &TempDir) -> PathBuf {
    root.path().join("socket")
}

/// Serves `routes` below the API's root.
fn serve(root: &TempDir, routes: Router) -> Client {
    let listener = UnixListener::bind(socket(root)).unwrap();
    let app = Router::new().nest(roundel::api::ROOT, routes);
    tokio::spawn(async move { axum::serve(listener, app).await });
    Client::unix(socket(root))
}

/// Reads one request, head and body; answers its text.
async fn request(stream: &mut UnixStream) -> String {
    let mut text = String::new();
    let mut buffer = [0; 4096];
    loop {
        let n = stream.read(&mut buffer).await.unwrap();
        text.push_str(std::str::from_utf8(&buffer[..n]).unwrap());
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        if n == 0 || body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
            return text;
        }
    }
}

fn key(request: &str) -> &str {
    request
        .lines()
        .find_map(|line| line.strip_prefix("idempotency-key: "))
        .unwrap()
}

async fn answer(stream: &mut UnixStream, body: &str) {
    let text = format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(text.as_bytes()).await.unwrap();
}

const WRITTEN: &str = r#"{"seq":7,"pipeline":"p"}"#;

#[tokio::test]
async fn a_write_whose_answer_was_lost_is_asked_again_under_the_same_key() {
    let root = tempfile::tempdir().unwrap();
    let listener = UnixListener::bind(socket(&root)).unwrap();
    let server = tokio::spawn(async move {
        let (mut first, _) = listener.accept().await.unwrap();
        let lost = request(&mut first).await;
        drop(first);
        let (mut second, _) = listener.accept().await.unwrap();
        let again = request(&mut second).await;
        answer(&mut second, WRITTEN).await;
        let other = request(&mut second).await;
        answer(&mut second, WRITTEN).await;
        (lost, again, other)
    });
    let client = Client::unix(socket(&root));
    assert_eq!(client.cancel("acme/web#17").await.unwrap().seq, 7);
    client.cancel("acme/web#17").await.unwrap();
    let (lost, again, other) = server.await.unwrap();
    assert!(
        lost.starts_with("POST /api/roundel/v1/cancel/acme%2Fweb%2317 "),
        "{lost}"
    );
    assert_eq!(lost, again);
    assert_ne!(key(&again), key(&other), "another wish has another key");
}

#[tokio::test]
async fn a_write_is_not_asked_a_third_time() {
    let root = tempfile::tempdir().unwrap();
    let listener = UnixListener::bind(socket(&root)).unwrap();
    let server = tokio::spawn(async move {
        for _ in 0..2 {
            let (mut stream, _) = listener.accept().await.unwrap();
            request(&mut stream).await;
        }
        listener
    });
    let err = Client::unix(socket(&root)).stop_run("a").await.unwrap_err();
    assert!(
        matches!(err, ClientError::Protocol { .. }) && err.server_gone(),
        "{err}"
    );
    server.await.unwrap();
}

#[tokio::test]
async fn one_connection_serves_one_call_after_the_other() {
    let root = tempfile::tempdir().unwrap();
    let listener = UnixListener::bind(socket(&root)).unwrap();
    let connections = Arc::new(AtomicUsize::new(0));
    let count = connections.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                loop {
                    request(&mut stream).await;
                    answer(&mut stream, r#"{"rows":[],"total":0,"offset":0,"seq":1}"#).await;
                }
            });
        }
    });
    let client = Client::unix(socket(&root));
    for _ in 0..20 {
        client.runs(&ListQuery::default()).await.unwrap();
    }
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn what_the_server_says_is_wrong_arrives_whole() {
    let root = tempfile::tempdir().unwrap();
    let said = ProblemBody {
        kind: Kind::Conflict,
        code: String::new(),
        message: "`ab` names several things".to_owned(),
        causes: vec!["two begin so".to_owned()],
        hint: Some("one of abc, abd".to_owned()),
        problems: Vec::new(),
        findings: Vec::new(),
    };
    let routes = Router::new()
        .route(
            "/runs/{id}",
            get(|| async move { (StatusCode::CONFLICT, Json(said)) }),
        )
        .route(
            "/nodes/{id}",
            get(|| async { (StatusCode::NOT_FOUND, "no such page") }),
        )
        .route("/summary", get(|| async { "not JSON" }))
        .route(
            "/hello",
            get(|| async { StatusCode::INTERNAL_SERVER_ERROR }),
        );
    let client = serve(&root, routes);

    let err = client.run("ab").await.unwrap_err();
    assert_eq!(err.to_string(), "`ab` names several things: two begin so");
    assert_eq!(
        (err.kind(), err.hint().as_deref()),
        (Kind::Conflict, Some("one of abc, abd"))
    );
    assert!(matches!(err, ClientError::Server { status: 409, .. }));
    let err = client.node("x").await.unwrap_err();
    assert_eq!(err.kind(), Kind::NotFound);
    assert!(err.to_string().contains("no such page"), "{err}");
    assert_eq!(client.hello().await.unwrap_err().kind(), Kind::Internal);
    assert!(matches!(
        client.summary().await.unwrap_err(),
        ClientError::Protocol { .. }
    ));
}

#[tokio::test]
async fn nobody_there_is_said_at_once() {
    let root = tempfile::tempdir().unwrap();
    let client = Client::unix(socket(&root));
    assert_eq!(client.hello().await.unwrap_err().kind(), Kind::NoServer);
    // The file that a killed server leaves.
    drop(UnixListener::bind(socket(&root)).unwrap());
    assert_eq!(client.hello().await.unwrap_err().kind(), Kind::NoServer);
}

#[tokio::test]
async fn references_and_bytes_arrive_as_they_are() {
    let root = tempfile::tempdir().unwrap();
    let routes = Router::new()
        .route(
            "/rerun/{reference}",
            post(|Path(reference): Path<String>, body: String| async move {
                assert_eq!(
                    (reference.as_str(), body.as_str()),
                    ("acme/web#17", r#"{"from_failed":true}"#)
                );
                WRITTEN
            }),
        )
        .route(
            "/logs/{attempt}/{step}",
            get(|| async { ([("x-roundel-log-length", "900")], [0_u8, 0xff, b'\n']) }),
        );
    let client = serve(&root, routes);
    assert_eq!(
        client
            .rerun("acme/web#17", true)
            .await
            .unwrap()
            .value
            .pipeline,
        "p"
    );
    let (bytes, length) = client.log_bytes("a", "1", Some("out"), 5, 8).await.unwrap();
    assert_eq!((&bytes[..], length), (&[0_u8, 0xff, b'\n'][..], 900));
}

#[tokio::test]
async fn the_stream_resumes_after_a_change_and_ends_when_the_server_ends_it() {
    let root = tempfile::tempdir().unwrap();
    let routes = Router::new().route(
        "/events",
        get(|headers: HeaderMap| async move {
            let after = headers.get("last-event-id").map_or("none", |id| id.to_str().unwrap()).to_owned();
            let text = format!(
                ": alive\n\nevent: change\nid: 5\ndata: {{\"seq\":5,\"topic\":\"nodes\",\"ids\":[\"{after}\"]}}\n\n"
            );
            ([("content-type", "text/event-stream")], text).into_response()
        }),
    );
    let client = serve(&root, routes);
    for (after, told) in [(Some(4), "4"), (None, "none")] {
        let mut stream = client.events(after).await.unwrap();
        let Some(Ok(StreamItem::Change(change))) = stream.next().await else {
            panic!("no change came");
        };
        assert_eq!(
            (change.seq, change.topic, change.ids),
            (5, Topic::Nodes, vec![told.to_owned()])
        );
        assert!(stream.next().await.is_none());
    }
}
