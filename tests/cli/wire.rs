//! Whatever is sent to the socket: an answer or a closed connection, never trouble of the server's own, and a server
//! that is as it was.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::support::{Home, PATIENCE};

const PATHS: &[&str] = &[
    "hello",
    "summary",
    "pipelines",
    "runs",
    "nodes",
    "audit",
    "dashboard",
    "gc",
    "gc/plan",
    "gc/keep",
    "services",
    "session",
    "projects",
    "watches",
    "backups",
    "settings",
    "settings/stage",
    "settings/save",
    "settings/rollback",
    "settings/diff",
    "tokens",
    "rerun/x",
    "approve/x",
    "cancel/x",
    "runs/x/stop",
    "nodes/x/drain",
    "nodes/x/eligibility",
    "logs/x/0",
    "jobs/x/logs/0",
    "compare/x",
    "projects/x/rename",
    "watches/x/look",
    "attempts/x/records",
    "x",
];

/// What the server sends back until it closes; it has been told that nothing more will come.
fn sent(socket: &Path, bytes: &[u8]) -> Vec<u8> {
    let mut stream = UnixStream::connect(socket).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // A server that has heard enough closes before all is written.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(std::net::Shutdown::Write);
    to_its_end(stream)
}

fn to_its_end(mut stream: UnixStream) -> Vec<u8> {
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Err(err) if err.kind() == std::io::ErrorKind::WouldBlock => panic!("no end of the answer"),
        _ => answer,
    }
}

/// Fails when an answer blames the server, or is none of HTTP.
#[track_caller]
fn is_no_trouble(answer: &[u8], request: &[u8]) {
    let text = String::from_utf8_lossy(answer);
    let Some(head) = text.lines().next() else {
        return;
    };
    let status = head
        .strip_prefix("HTTP/1.1 ")
        .or(head.strip_prefix("HTTP/1.0 "));
    let status: u16 = status.unwrap()[..3].parse().unwrap();
    let request = String::from_utf8_lossy(request);
    // 501 says that a method or a coding is none that it knows.
    assert!(status < 500 || status == 501, "{text}\n to {request:?}");
    // Whoever gets as far as a route is told in the API's own form what is wrong.
    if let Some((_, body)) = text.split_once("\r\n\r\n")
        && (400..500).contains(&status)
        && !body.is_empty()
    {
        // What was sent after the request is answered after it.
        let mut values = serde_json::Deserializer::from_str(body).into_iter::<Value>();
        let body = values.next().unwrap().expect(body);
        assert!(body["kind"].is_string(), "{text}\n to {request:?}");
    }
}

/// Any JSON but a text: no body can name a repository, a path or a person.
fn body() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(|n| json!(n)),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let key = prop::sample::select(vec![
            "id",
            "source",
            "branch",
            "job",
            "no_engine",
            "to",
            "logs",
            "every_s",
            "seconds",
            "reason",
            "keep",
            "from_failed",
            "enable",
            "deadline_s",
            "wait",
            "x",
            "",
        ]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key, inner), 0..4).prop_map(|pairs| {
                Value::Object(
                    pairs
                        .into_iter()
                        .map(|(key, value)| (key.to_owned(), value))
                        .collect(),
                )
            }),
        ]
    })
}

/// What follows the path: names, numbers and texts that a query may hold, escaped or not.
fn query() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec![
        "filter", "sort", "limit", "offset", "around", "state", "line", "count", "tail", "search",
        "errors", "before", "from", "to", "stream", "with", "",
    ]);
    let value = prop_oneof![
        any::<i128>().prop_map(|n| n.to_string()),
        prop::sample::select(vec![
            "-created",
            "created",
            "last:1h",
            "last:99999999999999999999d",
            "status:failed",
            "-f+a",
            "!+x",
            "%00",
            "%ff%fe",
            "%",
            "%zz",
            "%0d%0a",
            "true",
            "-1",
            "1e9",
            "18446744073709551615",
            "9223372036854775807",
            "'",
            "%5B",
            "*",
            "%F0%9F%98%80",
        ])
        .prop_map(str::to_owned),
        "[a-z!:*?%+-]{0,12}",
    ];
    prop::collection::vec((name, value), 0..5).prop_map(|pairs| {
        let pairs: Vec<_> = pairs
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        pairs.join("&")
    })
}

fn request() -> impl Strategy<Value = Vec<u8>> {
    let method = prop::sample::select(vec![
        "GET", "GET", "GET", "POST", "POST", "DELETE", "HEAD", "PUT", "X",
    ]);
    let body = prop_oneof![
        2 => Just(Vec::new()),
        4 => body().prop_map(|value| value.to_string().into_bytes()),
        1 => prop::collection::vec(any::<u8>(), 0..60),
        1 => (1..3000_usize).prop_map(|depth| b"[".repeat(depth)),
    ];
    (method, prop::sample::select(PATHS), query(), any::<bool>(), body).prop_map(|(method, path, query, json, body)| {
        let kind = if json { "Content-Type: application/json\r\n" } else { "" };
        let head = format!(
            "{method} /api/roundel/v1/{path}?{query} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{kind}Content-Length: {}\r\n\r\n",
            body.len()
        );
        [head.into_bytes(), body].concat()
    })
}

/// The files of raw requests, changed in some bytes.
fn raw(files: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let changes = prop::collection::vec((any::<Index>(), any::<u8>()), 0..4);
    (any::<Index>(), changes, any::<Index>()).prop_map(move |(file, changes, cut)| {
        let mut bytes = file.get(&files).clone();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(cut.index(2 * bytes.len() + 1));
        bytes
    })
}

#[test]
fn whatever_comes_over_the_socket_the_server_is_as_it_was() {
    let home = Home::new();
    home.run(&["status"]).with_code(0);
    let server = home.server().unwrap();
    let socket = home.data().join("socket");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/hostile/http");
    let files: Vec<Vec<u8>> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| std::fs::read(entry.unwrap().path()).unwrap())
        .collect();
    for bytes in &files {
        is_no_trouble(&sent(&socket, bytes), bytes);
    }
    let config = Config {
        failure_persistence: None,
        ..Config::default()
    };
    let ask = |bytes: Vec<u8>| {
        is_no_trouble(&sent(&socket, &bytes), &bytes);
        Ok(())
    };
    TestRunner::new(config.clone())
        .run(&request(), ask)
        .unwrap();
    TestRunner::new(config).run(&raw(files), ask).unwrap();

    // More than a body may have is not read to its end.
    let long = format!(
        "POST /api/roundel/v1/pipelines HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: 8000000\r\n\r\n{}",
        " ".repeat(8_000_000)
    );
    let answer = sent(&socket, long.as_bytes());
    assert!(
        answer.is_empty() || answer.starts_with(b"HTTP/1.1 413 "),
        "{}",
        String::from_utf8_lossy(&answer)
    );

    assert_eq!(home.server(), Some(server));
    for list in ["pipelines", "projects", "watches"] {
        let (head, body) = home.http(&format!("/api/roundel/v1/{list}"));
        assert!(head.starts_with("http/1.1 200 "), "{head}");
        let body: Value = serde_json::from_str(&body).unwrap();
        assert!(
            body["rows"]
                .as_array()
                .unwrap_or(body.as_array().unwrap_or(&vec![]))
                .is_empty(),
            "{body}"
        );
    }
    let (_, health) = home.http("/health");
    assert!(health.contains("\"ok\""), "{health}");
    let log = std::fs::read_to_string(home.data().join("log/server.log")).unwrap();
    assert!(!log.contains("panicked"), "{log}");
}

#[test]
fn what_no_route_takes_is_told_in_the_apis_own_form() {
    let home = Home::new();
    home.run(&["status"]).with_code(0);
    let socket = home.data().join("socket");
    let json = "Content-Type: application/json\r\n";
    let cases = [
        (
            "GET",
            "/nothing",
            "",
            "",
            404,
            "not_found",
            "the API has no",
        ),
        (
            "DELETE",
            "/runs",
            "",
            "",
            405,
            "usage",
            "Method Not Allowed",
        ),
        ("POST", "/pipelines", "", "{}", 415, "usage", "Content-Type"),
        ("POST", "/pipelines", json, "{", 400, "usage", "EOF"),
        (
            "POST",
            "/pipelines",
            json,
            "{}",
            422,
            "usage",
            "missing field",
        ),
        (
            "GET",
            "/runs?limit=many",
            "",
            "",
            400,
            "usage",
            "invalid digit",
        ),
    ];
    for (method, path, header, body, status, kind, words) in cases {
        let request = format!(
            "{method} /api/roundel/v1{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{header}Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut stream = UnixStream::connect(&socket).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let answer = to_its_end(stream);
        let answer = String::from_utf8_lossy(&answer);
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{answer}"
        );
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let body: Value = serde_json::from_str(body).expect(body);
        assert_eq!(body["kind"], kind, "{answer}");
        assert!(body.to_string().contains(words), "{answer}");
        assert_eq!(
            head.to_ascii_lowercase().contains("allow:"),
            status == 405,
            "{answer}"
        );
    }
}
