//! Read-only consoles: what they may not do, how they are armed, and that it is the server that decides.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::process::{Child, Command, Stdio};

use roundel::api::ListQuery;
use roundel::api::fleet::SetDrain;
use roundel::api::session::Arm;
use roundel::client::{Client, ClientError};
use rustix::process::{Pid, Signal, getuid, kill_process};

use crate::skip::skip;
use crate::support::{Home, Terminal, key, until};

/// An account that owns nothing: every Linux has its number.
const NOBODY: u32 = 65_534;

#[test]
fn a_console_that_is_held_back_changes_nothing_until_it_is_armed() {
    let home = Home::new();
    home.run(&["status"]).with_code(0);
    for (size, armed) in [((80, 24), "armed 10:00"), ((120, 36), "(replace n07)")] {
        let words = ["console", "--read-only", "--screen", "cluster"];
        let mut console = Terminal::open(&home, size, &words);
        console.sees(&["1 ready", "read-only"]);
        console.press("x", &["drain it", "read-only: :arm 10m reason"]);
        console.keys(key::ESC);
        console.loses(":arm 10m reason");
        console.press("D", &["cannot drain it: read-only"]);
        console.keys(":arm\r");
        console.sees(&[": arm 10m", "and a reason"]);
        console.keys("replace n07\r");
        console.sees(&["armed for 10m", armed]);
        // The time that is left counts down.
        console.sees(&["armed 9:5"]);
        console.press("D", &["Drain ", "[ Cancel ]"]);
        console.press("d", &["drains, without a deadline", "draining"]);
        console.press("@", &[":arm 10m replace n07", "roundel node-drain -enable"]);
        console.keys(key::ESC);
        console.loses(":arm 10m replace n07");
        // What D asks goes by the row, which comes a moment after the answer.
        console.sees(&["○ drained"]);
        console.press("D", &["End the drain of"]);
        console.press("e", &["has ended", "1 ready", "drain by hand"]);
        console.keys(":disarm\r");
        console.sees(&["disarmed", "read-only"]);
        console.press("D", &["cannot drain it: read-only"]);
    }
    let audit = home.run(&["audit", "list", "session"]).with_code(0).out;
    for words in ["session.arm", "for 600 s: replace n07", "session.disarm"] {
        assert!(audit.contains(words), "{words}: {audit}");
    }
    let mut own = Terminal::open(&home, (120, 36), &["console", "--screen", "cluster"]);
    own.sees(&["1 ready"]);
    assert!(!own.screen().text().contains("read-only"));
    own.press("D", &["[ Cancel ]"]);
}

fn refused<T: std::fmt::Debug>(result: Result<T, ClientError>) -> (u16, String, Option<String>) {
    match result {
        Err(ClientError::Server { status, body }) => (status, body.code, body.hint),
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn the_server_enforces_it_for_sessions_and_takes_verbs_as_they_are() {
    let home = Home::new();
    home.run(&["status"]).with_code(0);
    let verb = Client::unix(home.data().join("socket"));
    let held = verb.clone().in_session("one", true);
    let other = verb.clone().in_session("two", true);
    let drain = SetDrain {
        enable: true,
        deadline_s: None,
    };
    let arm = |seconds, reason: &str| Arm {
        seconds,
        reason: reason.to_owned(),
    };
    let not_armed = (
        403,
        "not_armed".to_owned(),
        Some(":arm 10m reason".to_owned()),
    );
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        assert_eq!(refused(held.set_drain("self", &drain).await), not_armed);
        // Arming is let through; a thing that happens to be called as its route is not.
        assert_eq!(refused(held.remove_project("session").await), not_armed);
        assert!(
            held.nodes(&ListQuery::default()).await.is_ok(),
            "reading is"
        );
        verb.set_drain("self", &drain).await.unwrap();
        assert!(verb.session().await.unwrap().owner);
        assert!(!held.session().await.unwrap().owner);

        for bad in [
            arm(60, " "),
            arm(9 * 3600, "why"),
            arm(60, &"x".repeat(201)),
        ] {
            assert_eq!(refused(held.arm(&bad).await).0, 422, "{bad:?}");
        }
        assert_eq!(refused(verb.arm(&arm(60, "why")).await).0, 422);
        let armed = held.arm(&arm(60, "why\u{7} so")).await.unwrap().value;
        assert!(armed.armed_until.is_some());
        assert!(!armed.reason.contains('\u{7}'), "{armed:?}");
        held.set_drain("self", &drain).await.unwrap();
        assert_eq!(refused(other.set_drain("self", &drain).await), not_armed);
        held.arm(&arm(0, "")).await.unwrap();
        assert_eq!(refused(held.set_drain("self", &drain).await), not_armed);

        held.arm(&arm(1, "for a second")).await.unwrap();
        while held.session().await.unwrap().armed_until.is_some() {
            tokio::task::yield_now().await;
        }
        assert_eq!(refused(held.set_drain("self", &drain).await), not_armed);
        // A server that starts anew has armed nobody.
        held.arm(&arm(600, "long")).await.unwrap();
    });
    home.end_server();
    home.run(&["status"]).with_code(0);
    let again = Client::unix(home.data().join("socket")).in_session("one", true);
    runtime.block_on(async {
        assert_eq!(refused(again.set_drain("self", &drain).await), not_armed);
    });
}

/// A server of another account in this data directory.
fn serve_as(home: &Home, uid: u32) -> Child {
    let root = home.path("");
    fs::set_permissions(&root, fs::Permissions::from_mode(0o755)).unwrap();
    fs::create_dir(home.data()).unwrap();
    fs::set_permissions(home.data(), fs::Permissions::from_mode(0o700)).unwrap();
    chown(home.data(), Some(uid), Some(uid)).unwrap();
    let words = [
        &*format!("--reuid={uid}"),
        &*format!("--regid={uid}"),
        "--clear-groups",
        env!("CARGO_BIN_EXE_roundel"),
        "serve",
    ];
    home.program("setpriv", &words)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn root_on_the_socket_of_somebody_else_is_held_back_too() {
    if !getuid().is_root() {
        return skip("needs root");
    }
    if Command::new("setpriv").arg("--version").output().is_err() {
        return skip("needs setpriv");
    }
    let home = Home::new();
    let mut server = serve_as(&home, NOBODY);
    until("the server answers", || {
        home.data().join("socket").exists() && home.run(&["status"]).code == Some(0)
    });
    let mut console = Terminal::open(&home, (120, 36), &["console", "--screen", "cluster"]);
    console.sees(&["1 ready", "read-only"]);
    console.press("D", &["cannot drain it: read-only"]);
    console.keys(":arm 5m the owner sleeps\r");
    console.sees(&["armed for 5m", "(the owner sleeps)"]);
    console.press("D", &["[ Cancel ]"]);
    console.press("d", &["draining"]);
    // A verb is an intent by itself.
    home.run(&["node-drain", "-disable", "self"]).with_code(0);
    console.sees(&["1 ready"]);
    let audit = home.run(&["audit", "list"]).with_code(0).out;
    assert!(audit.contains("the owner sleeps"), "{audit}");
    drop(console);
    kill_process(Pid::from_child(&server), Signal::TERM).unwrap();
    server.wait().unwrap();
}
