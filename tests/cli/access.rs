//! Tokens and roles: what each opens, that every write asks, and that each refusal is told of.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;

use regex::Regex;
use roundel::client::Client;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::support::{Home, until};

const ROOT: &str = "/api/roundel/v1";

/// Asks on the socket; answers the status, and what else came with the first bytes.
fn ask(socket: &Path, method: &str, path: &str, token: Option<&str>, body: &str) -> (u16, String) {
    let mut stream = UnixStream::connect(socket).unwrap();
    let token = token.map_or(String::new(), |token| {
        format!("authorization: Bearer {token}\r\n")
    });
    let length = body.len();
    // In one piece: who is refused is not read to the end.
    let request = format!(
        "{method} {ROOT}{path} HTTP/1.1\r\nhost: roundel\r\n{token}content-type: application/json\r\n\
         content-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let (mut said, mut buffer) = (Vec::new(), [0; 65536]);
    // A stream of changes does not end: its head is enough.
    while !said.windows(4).any(|four| four == b"\r\n\r\n") {
        let n = stream.read(&mut buffer).unwrap();
        assert!(n > 0, "{method} {path}: {}", String::from_utf8_lossy(&said));
        said.extend_from_slice(&buffer[..n]);
    }
    let text = String::from_utf8_lossy(&said).into_owned();
    (text[9..12].parse().unwrap(), text)
}

/// Every route of the people's API with its methods, from the table of routes itself: one that is added is among them.
fn routes() -> Vec<(&'static str, String)> {
    let text = include_str!("../../src/http/router.rs");
    let (_, table) = text.split_once("let clients").unwrap();
    let (table, _) = table.split_once("let watchers").unwrap();
    let route = Regex::new(r#"\.route\(\s*"([^"]+)",((?:[^()]|\([^()]*\))*)\)"#).unwrap();
    let place = Regex::new(r"\{[^}]*\}").unwrap();
    let mut found = Vec::new();
    for route in route.captures_iter(table) {
        let path = place.replace_all(&route[1], "0").into_owned();
        for (call, method) in [
            ("get(", "GET"),
            ("post(", "POST"),
            ("put(", "PUT"),
            ("patch(", "PATCH"),
            ("delete(", "DELETE"),
        ] {
            if route[2].contains(call) {
                found.push((method, path.clone()));
            }
        }
    }
    let calls = Regex::new(r"\b(get|post|put|patch|delete)\(").unwrap();
    let written = calls.find_iter(table).count();
    assert_eq!(found.len(), written, "every route is understood: {found:?}");
    assert!(found.len() > 30, "{found:?}");
    found
}

/// A token of this role.
fn token(home: &Home, role: &str) -> String {
    let made = home
        .run(&["token", "create", role, "--role", role])
        .with_code(0);
    assert!(made.err.contains("only time"), "{}", made.err);
    made.out.trim().to_owned()
}

fn audit(home: &Home, words: &[&str]) -> Vec<Value> {
    let page = home.json(&[&["audit", "list", "-n", "1000", "-json"], words].concat());
    page["rows"].as_array().unwrap().clone()
}

/// What is only read, and is for administrators all the same: the route, and its name in the audit log.
const INNER: [(&str, &str); 3] = [
    ("/tokens", "token.list"),
    ("/people", "people.list"),
    ("/settings/drift", "settings.drift"),
];

#[test]
fn a_viewer_is_refused_every_write_and_each_refusal_is_in_the_audit_log() {
    let home = Home::new();
    home.run(&["status"]).with_code(0);
    let socket = home.data().join("socket");
    let viewer = token(&home, "viewer");
    let place = Regex::new(r"\{[^}]*\}").unwrap();
    let mut writes = 0;
    for (method, path) in routes() {
        let (status, said) = ask(&socket, method, &path, Some(&viewer), "{}");
        let reads = method == "GET";
        let inner = INNER.iter().find(|(inner, _)| reads && *inner == path);
        if reads && inner.is_none() {
            assert!(![401, 403].contains(&status), "{method} {path}: {said}");
            continue;
        }
        assert_eq!(status, 403, "{method} {path}: {said}");
        writes += 1;
        let what = path.replace('0', "");
        let rows = audit(&home, &["action:access.refused"]);
        let told = rows.iter().any(|row| {
            let object = row["object"].as_str().unwrap();
            let object = place.replace_all(object, "");
            let named = inner.is_some_and(|(_, name)| *name == object);
            (named || object == format!("{method} {what}"))
                && row["result"].as_str().unwrap().contains("needs the role")
                && row["actor"].as_str().unwrap().ends_with("(viewer)")
        });
        assert!(told, "{method} {path} is not in the audit log: {rows:#?}");
    }
    assert!(writes > 12, "{writes} writes");
}

#[test]
fn an_operator_builds_and_drains_and_does_no_more() {
    let home = Home::new();
    home.run(&["status"]).with_code(0);
    let socket = home.data().join("socket");
    let (operator, admin) = (token(&home, "operator"), token(&home, "admin"));
    let drain = r#"{"enable": true}"#;
    for token in [&operator, &admin] {
        assert_eq!(
            ask(&socket, "POST", "/nodes/self/drain", Some(token), drain).0,
            200
        );
    }
    let backup = format!(
        r#"{{"to": "{}", "logs": true}}"#,
        home.path("copy").display()
    );
    let new = r#"{"name": "more", "role": "admin"}"#;
    for (path, body, word) in [
        ("/services/stop", "", "installation.stop"),
        ("/backups", backup.as_str(), "backup.create"),
        ("/tokens", new, "token.create"),
    ] {
        let (status, said) = ask(&socket, "POST", path, Some(&operator), body);
        assert_eq!(status, 403, "{path}: {said}");
        assert!(said.contains("needs the role admin"), "{said}");
        assert_eq!(
            audit(&home, &["action:access.refused", word]).len(),
            1,
            "{word}"
        );
        assert_eq!(
            ask(&socket, "POST", path, Some(&admin), body).0,
            200,
            "{path}"
        );
    }
    assert_eq!(
        audit(&home, &["action:backup.create"]).len(),
        1,
        "the refused one made none"
    );
    let by: Vec<_> = audit(&home, &["action:node.drain"])
        .iter()
        .map(|row| row["actor"].to_string())
        .collect();
    assert!(
        by[0].contains("(admin)") && by[1].contains("(operator)"),
        "{by:?}"
    );
}

#[test]
fn a_token_opens_until_it_is_revoked_or_its_time_is_over_and_so_does_what_is_open_with_it() {
    let home = Home::new();
    home.run(&["status"]).with_code(0);
    let socket = home.data().join("socket");
    let [first, second] = ["viewer", "operator"].map(|role| token(&home, role));
    let short = home
        .run(&["token", "create", "short", "--expires", "2s"])
        .with_code(0);
    let short = short.out.trim().to_owned();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let client = |token: &str| Client::unix(&socket).with_token(token);
        let mut streams = Vec::new();
        for token in [&first, &second, &short] {
            streams.push(client(token).events(None).await.unwrap());
        }
        let id = first.split('_').nth(1).unwrap();
        home.run(&["token", "revoke", id]).with_code(0);
        // Both end by themselves; the third goes on.
        for ended in [0, 2] {
            while streams[ended].next().await.is_some() {}
        }
        assert!(streams[1].next().await.unwrap().is_ok());
        assert!(client(&second).summary().await.is_ok());
        for (token, why) in [(&first, "revoked"), (&short, "expired")] {
            let err = client(token).summary().await.unwrap_err().to_string();
            assert!(err.contains(why), "{err}");
            let last = format!("{}0", &token[..token.len() - 1]);
            assert!(client(&last).summary().await.is_err());
        }
        home.run(&["token", "revoke", id]).with_code(4);
    });
    let list = home.run(&["token", "list"]).with_code(0).out;
    for words in ["revoked 20", "valid", "expired", "never"] {
        assert!(list.contains(words), "{words}: {list}");
    }
    let secret = second.rsplit('_').next().unwrap();
    assert!(!list.contains(secret));
    let database = fs::read(home.data().join("roundel.db")).unwrap();
    let journal = fs::read(home.data().join("roundel.db-wal")).unwrap_or_default();
    for bytes in [database, journal] {
        assert!(
            !bytes
                .windows(secret.len())
                .any(|part| part == secret.as_bytes()),
            "only its hash is kept"
        );
    }
    let refused = audit(&home, &["action:access.refused", "sign-in"]);
    assert_eq!(refused.len(), 1, "several are one row: {refused:#?}");
}

/// Two jobs that wait until they are let go.
fn two(gate: &Path) -> String {
    let job = format!(
        "machine: true\n    steps: [{{run: 'while [ ! -e {}/$CIRCLE_JOB ]; do sleep 0.02; done'}}]",
        gate.display()
    );
    format!(
        "version: 2.1\njobs:\n  one:\n    {job}\n  two:\n    {job}\nworkflows: {{main: {{jobs: [one, two]}}}}\n"
    )
}

#[test]
fn a_runs_token_opens_its_attempt_and_nothing_else_and_dies_with_it() {
    let home = Home::new();
    let (program, tokens) = (home.path("roundel"), home.path("tokens"));
    fs::create_dir(&tokens).unwrap();
    fs::copy(env!("CARGO_BIN_EXE_roundel"), &program).unwrap();
    let mut server = home.serve_with(&program, "host_user = \"self\"\nnodes = 2\n");
    // Agents are started from where the server's program was: one that first keeps a copy of its token.
    let script = format!(
        "#!/bin/sh\ncp \"$3/token\" {}/\"${{3##*/}}\"\nexec {} \"$@\"\n",
        tokens.display(),
        env!("CARGO_BIN_EXE_roundel")
    );
    let other = home.path("agent");
    fs::write(&other, script).unwrap();
    fs::set_permissions(&other, fs::Permissions::from_mode(0o755)).unwrap();
    fs::rename(&other, &program).unwrap();

    let gate = home.path("gate");
    fs::create_dir(&gate).unwrap();
    home.repository("app", &two(&gate));
    let mut build = home.start(&["build", "app"]);
    let running = |home: &Home| {
        let page = home.json(&["status", "-json"]);
        let rows = page["rows"].as_array().unwrap().clone();
        rows.into_iter()
            .filter(|row| row["state"] == "running" && !row["started_at"].is_null())
            .collect::<Vec<_>>()
    };
    until("both run", || running(&home).len() == 2);
    let runs: Vec<(String, String, String)> = running(&home)
        .iter()
        .map(|row| {
            let attempt = row["attempt"].as_str().unwrap().to_owned();
            let token = fs::read_to_string(tokens.join(&attempt)).unwrap();
            (attempt, row["job_name"].as_str().unwrap().to_owned(), token)
        })
        .collect();
    let socket = home.data().join("socket");
    for (attempt, _, _) in &runs {
        assert!(
            !home
                .data()
                .join("attempts")
                .join(attempt)
                .join("token")
                .exists(),
            "unlinked once read"
        );
    }
    for (method, path) in routes() {
        // Too many of them are answered otherwise, but answered no better.
        let (status, said) = ask(&socket, method, &path, Some(&runs[0].2), "{}");
        assert!([401, 429].contains(&status), "{method} {path}: {said}");
    }
    let report = |attempt: &str, token: Option<&str>| {
        ask(
            &socket,
            "POST",
            &format!("/attempts/{attempt}/records"),
            token,
            "",
        )
        .0
    };
    assert_eq!(report(&runs[0].0, Some(&runs[0].2)), 200);
    assert_eq!(report(&runs[1].0, Some(&runs[0].2)), 403, "another attempt");
    assert_eq!(report(&runs[1].0, None), 403, "no token");
    let people = token(&home, "admin");
    assert_eq!(
        report(&runs[0].0, Some(&people)),
        403,
        "a person's token is no run's"
    );
    let refused = audit(&home, &["action:access.refused", "attempt"]);
    assert!(!refused.is_empty(), "a wrong token of a run is told of");

    fs::write(gate.join(&runs[0].1), "").unwrap();
    until("the first has ended", || running(&home).len() == 1);
    assert_eq!(
        report(&runs[0].0, Some(&runs[0].2)),
        410,
        "it died with the run"
    );
    assert_eq!(report(&runs[1].0, Some(&runs[1].2)), 200);
    fs::write(gate.join(&runs[1].1), "").unwrap();
    assert!(build.wait().unwrap().success());
    kill_process(Pid::from_child(&server), Signal::TERM).unwrap();
    server.wait().unwrap();
}
