//! `doctor` on installations that are well and on such that are not, with and without a server.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::process::Command;

use rustix::process::{Signal, kill_process};
use serde_json::Value;

use crate::skip::skip;
use crate::support::{Home, Said};

/// Verdict, evidence and fix of a check.
fn check(said: &Said, name: &str) -> (String, String, String) {
    let found: Value = serde_json::from_str(&said.out).unwrap();
    let checks = found["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["name"] == name);
    let check = check.unwrap_or_else(|| panic!("{name}: {found}"));
    let text = |key: &str| check[key].as_str().unwrap_or_default().to_owned();
    (text("verdict"), text("found"), text("fix"))
}

#[test]
fn an_engine_that_is_closed_to_the_account_is_told_from_one_that_is_not_there() {
    if !rustix::process::getuid().is_root() {
        return skip("needs root");
    }
    if Command::new("setpriv").arg("--version").output().is_err() {
        return skip("needs setpriv");
    }
    let home = Home::new();
    fs::set_permissions(home.path(""), fs::Permissions::from_mode(0o755)).unwrap();
    let socket = home.path("engine.sock");
    let _listens = UnixListener::bind(&socket).unwrap();
    fs::set_permissions(&socket, fs::Permissions::from_mode(0o600)).unwrap();
    let config = home.path("roundel.toml");
    fs::write(&config, format!("engine = {socket:?}\n")).unwrap();
    let mut words = vec!["--reuid=65534", "--regid=65534", "--clear-groups"];
    words.extend([env!("CARGO_BIN_EXE_roundel"), "doctor", "--json"]);
    words.extend(["--config", config.to_str().unwrap()]);
    let said = Said::from(home.program("setpriv", &words).output().unwrap()).with_code(0);
    let (verdict, found, fix) = check(&said, "container engine");
    assert_eq!(verdict, "warning", "{found}");
    assert!(found.ends_with("does not let this account in"), "{found}");
    assert!(fix.contains("usermod -aG docker"), "{fix}");
}

#[test]
fn root_starts_no_other_server_while_that_of_the_machine_is_away() {
    if !rustix::process::getuid().is_root() {
        return skip("needs root");
    }
    let home = Home::new();
    // A machine on which systemd runs and the package is installed, as far as a program can see.
    const MACHINE: &str = "set -e
        mount -t tmpfs none /run; mkdir -p /run/systemd/system
        mount -t tmpfs none /etc; mkdir /etc/roundel
        echo 'engine = \"/nowhere.sock\"' >/etc/roundel/config.toml
        exec env -u ROUNDEL_DATA -u DOCKER_HOST \"$@\"";
    let on_machine = |words: &[&str]| {
        let program = env!("CARGO_BIN_EXE_roundel");
        let before = ["--mount", "sh", "-c", MACHINE, "sh", program];
        let mut command = home.program("unshare", &[&before[..], words].concat());
        Said::from(command.env("HOME", home.path("")).output().unwrap())
    };
    let said = on_machine(&["status"]);
    if said.err.contains("unshare") || said.err.contains("mount:") {
        return skip("needs to mount in a namespace of its own");
    }
    let said = said.with_code(6);
    assert!(said.err.contains("/run/roundel/socket"), "{}", said.err);
    assert!(said.err.contains("systemctl start roundel"), "{}", said.err);
    assert!(
        !home.path(".local").exists(),
        "nothing is started elsewhere"
    );
    let said = on_machine(&["doctor", "--json"]).with_code(3);
    let (verdict, _, fix) = check(&said, "server");
    assert_eq!(verdict, "failed");
    assert!(fix.contains("systemctl start roundel"), "{fix}");
    let (_, found, _) = check(&said, "data directory");
    assert!(found.contains("/var/lib/roundel"), "{found}");
    let (_, found, _) = check(&said, "container engine");
    assert!(found.contains("/nowhere.sock"), "{found}");
}

#[test]
fn it_tells_each_check_with_evidence_and_changes_nothing() {
    let home = Home::new();
    // A machine may have no container engine and no rights to make control groups: these are warnings.
    let said = home.run(&["doctor", "-json"]).with_code(0);
    assert!(!home.data().exists(), "a look makes no directory");
    assert!(check(&said, "server").1.starts_with("none runs"));
    assert!(
        check(&said, "data directory")
            .1
            .contains("is not there yet")
    );

    home.run(&["status"]).with_code(0);
    let said = home.run(&["doctor", "-json"]).with_code(0);
    let pid = home.server().unwrap().as_raw_nonzero().get();
    assert!(
        check(&said, "server")
            .1
            .contains(&format!("pid {pid}, since "))
    );
    assert!(
        check(&said, "data directory")
            .1
            .contains("mode 0700, of uid ")
    );
    let database = check(&said, "database");
    assert_eq!(database.0, "ok");
    let schema = format!("schema {}, 0 pipelines, ", roundel::store::SCHEMA);
    assert!(database.1.starts_with(&schema), "{database:?}");
    for name in ["space", "left-overs", "clock", "git", "port 8800"] {
        assert_eq!(check(&said, name).0, "ok", "{name}: {}", said.out);
    }
    assert_eq!(check(&said, "container engine").0, "warning");
    let text = home.run(&["doctor"]).with_code(0).out;
    for words in [
        "ok       server ",
        "warning  container engine ",
        "  fix: `apt install",
        " checks: 0 failed, ",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
}

#[test]
fn what_is_wrong_is_named_with_a_fix_and_the_exit_code() {
    let home = Home::new();
    home.repository(
        "app",
        "version: 2.1\njobs: {build: {machine: true, steps: [run: x]}}\n",
    );
    home.run(&["build", "app"]).with_code(1);
    let examined = |name: &str| check(&home.run(&["doctor", "-json"]).with_code(3), name);

    // A server that hangs is not one that is away.
    let server = home.server().unwrap();
    kill_process(server, Signal::STOP).unwrap();
    let hung = examined("server");
    kill_process(server, Signal::CONT).unwrap();
    assert!(
        hung.1.contains("does not answer") && hung.2.contains("kill "),
        "{hung:?}"
    );
    home.end_server();

    fs::set_permissions(home.data(), fs::Permissions::from_mode(0o755)).unwrap();
    let rights = examined("data directory");
    assert!(rights.2.starts_with("chmod 700 "), "{rights:?}");
    fs::set_permissions(home.data(), fs::Permissions::from_mode(0o700)).unwrap();
    home.run(&["doctor"]).with_code(0);

    fs::write(home.data().join("repos/half.gone"), "").unwrap();
    let said = home.run(&["doctor", "-json"]).with_code(0);
    let left = check(&said, "left-overs");
    assert!(
        left.0 == "warning" && left.1.contains("half.gone"),
        "{left:?}"
    );

    // Without its middle.
    let path = home.data().join("roundel.db");
    let db = rusqlite::Connection::open(&path).unwrap();
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .unwrap();
    drop(db);
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[4096..middle].fill(0x55);
    fs::write(&path, bytes).unwrap();
    let database = examined("database");
    // Whether SQLite finds it while it opens the file or while it checks it depends on what lay in the middle.
    assert!(
        database.0 == "failed" && database.2.contains("copy"),
        "{database:?}"
    );
    fs::write(&path, "this is no database at all, and never was one").unwrap();
    assert_eq!(examined("database").0, "failed");

    fs::remove_file(&path).unwrap();
    let said = home
        .command(&["doctor", "-json"])
        .env("PATH", "/nowhere")
        .output();
    let said = Said::from(said.unwrap()).with_code(3);
    let git = check(&said, "git");
    assert!(
        git.0 == "failed" && git.2.contains("install git"),
        "{git:?}"
    );
}
