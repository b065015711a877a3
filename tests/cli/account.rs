//! Host jobs of another account: nothing of the server's is open to them, and nothing of a run that goes on beside them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::skip::skip;
use crate::support::{Home, until};

/// Tries to read what is the server's, and what the other run has: its files, its environment, its directory. Prints
/// whatever can be read, and how often it tried.
const HUNT: &str = r#"#!/bin/sh
tried=0
try() {
    tried=$((tried + 1))
    if "$@" >/dev/null 2>&1; then echo "could: $*"; fi
}
try ls "$DATA"
for name in socket lock roundel.db roundel.db-wal secrets/key attempts logs log repos scratch; do
    try test -e "$DATA/$name"
    try ls "$DATA/$name"
    try head -c 1 "$DATA/$name"
done
try sh -c "cat $DATA/attempts/*/task.json"
home=$(cat "$GATE/home") pid=$(cat "$GATE/pid")
try ls "$home"
try ls "${home%/*}"
try cat "$home/kept"
try touch "$home/left"
try cat "/proc/$pid/environ"
try ls "/proc/$pid/cwd/"
try readlink "/proc/$pid/fd/1"
try cat "/proc/$pid/maps"
echo "tried $tried times"
"#;

fn config(data: &Path, gate: &Path) -> String {
    let (data, gate) = (data.display(), gate.display());
    format!(
        "version: 2.1
jobs:
  prey:
    machine: true
    environment: {{KEPT: in-the-environment}}
    steps:
      - run: |
          echo in-a-file > ~/kept
          echo $$ > {gate}/pid.new && mv {gate}/pid.new {gate}/pid
          echo ~ > {gate}/home.new && mv {gate}/home.new {gate}/home
          until [ -e {gate}/enough ]; do sleep 0.05; done
  hunter:
    machine: true
    environment: {{DATA: {data}, GATE: {gate}}}
    steps:
      - checkout
      - run: |
          until [ -e {gate}/home ]; do sleep 0.05; done
          id -u
          cat ~/../own/bash_env
          sh hunt
workflows: {{main: {{jobs: [prey, hunter]}}}}
"
    )
}

#[test]
fn a_host_job_reads_nothing_of_the_server_and_nothing_of_the_run_beside_it() {
    if !rustix::process::geteuid().is_root() {
        return skip("needs root, to run jobs as another account");
    }
    let home = Home::new();
    // What keeps a job out has to be the server's own doing, not the directory of this test.
    let open = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    open(&home.path(""), 0o755);
    let gate = home.path("gate");
    fs::create_dir(&gate).unwrap();
    open(&gate, 0o777);
    let mut server = home.serve("host_user = \"nobody\"\nnodes = 2\n");
    let app = home.repository("app", &config(&home.data(), &gate));
    fs::write(app.join("hunt"), HUNT).unwrap();
    home.commit("app", "Hunt");
    let mut build = home.start(&["build", "app"]);
    // The attempt of the hunter, once it is over.
    let hunter = || {
        let page = home.json(&["status", "-json"]);
        let rows = page["rows"].as_array().unwrap();
        let over = |row: &&Value| row["job_name"] == "hunter" && row["state"] == "dead";
        let row = rows.iter().find(over)?;
        Some(row["attempt"].as_str().unwrap().to_owned())
    };
    until("the hunter has tried", || hunter().is_some());
    let said = home.run(&["logs", &hunter().unwrap()]).with_code(0).out;

    // The same by root finds all of it: there was something to be read.
    let by_root = Command::new("sh")
        .arg(app.join("hunt"))
        .env("DATA", home.data())
        .env("GATE", &gate)
        .output()
        .unwrap();
    let by_root = String::from_utf8(by_root.stdout).unwrap();
    fs::write(gate.join("enough"), "").unwrap();
    assert!(build.wait().unwrap().success());

    assert!(said.contains("tried 40 times"), "{said}");
    assert!(!said.contains("could:"), "{said}");
    assert!(
        !said.lines().any(|line| line.trim() == "0"),
        "not as root: {said}"
    );
    for found in [
        "roundel.db",
        "secrets/key",
        "kept",
        "environ",
        "cwd",
        "maps",
        "task.json",
    ] {
        let line = by_root
            .lines()
            .any(|line| line.starts_with("could:") && line.contains(found));
        assert!(line, "{found}: {by_root}");
    }
    kill_process(Pid::from_child(&server), Signal::TERM).unwrap();
    server.wait().unwrap();
}

#[test]
fn a_job_makes_nothing_beside_its_home_that_root_would_write_through() {
    if !rustix::process::geteuid().is_root() {
        return skip("needs root, to run jobs as another account");
    }
    let home = Home::new();
    fs::set_permissions(home.path(""), fs::Permissions::from_mode(0o755)).unwrap();
    // What the agent of a careless build would write through: it is there for root alone.
    let target = home.path("target");
    fs::create_dir(&target).unwrap();
    fs::set_permissions(&target, fs::Permissions::from_mode(0o700)).unwrap();
    let mut server = home.serve("host_user = \"nobody\"\n");
    let long = "            echo long\n".repeat(15_000);
    let config = format!(
        "version: 2.1
jobs:
  job:
    machine: true
    steps:
      - run: |
          for name in step-0 step-1 step-2 step-3 mirror.git; do
              ln -s {}/x ~/../$name && echo made $name
          done
          echo 'export KEPT=kept' >> $BASH_ENV && sed -i s/kept/edited/ $BASH_ENV
      - run:
          command: |
{long}            echo \"$KEPT with $(umask)\"
      - checkout
workflows: {{main: {{jobs: [job]}}}}
",
        target.display()
    );
    home.repository("app", &config);
    let said = home.run(&["build", "app"]).with_code(0);
    let lines = |wanted: &str| said.out.lines().filter(|line| *line == wanted).count();
    assert_eq!(lines("long"), 15_000);
    assert_eq!(lines("edited with 0022"), 1, "{}", said.err);
    assert!(!said.out.lines().any(|line| line.starts_with("made ")));
    assert_eq!(fs::read_dir(&target).unwrap().count(), 0);
    kill_process(Pid::from_child(&server), Signal::TERM).unwrap();
    server.wait().unwrap();
}
