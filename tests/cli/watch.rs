//! A watched repository: each commit that is pushed becomes one pipeline, whatever happens to the server.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::{Home, until};

const QUICK: &str = "version: 2.1\njobs:\n  quick:\n    machine: true\n    steps:\n      - run: echo quick\nworkflows: {main: {jobs: [quick]}}\n";

/// A bare repository with one commit, and a clone that pushes to it.
fn pair(home: &Home) {
    home.repository("clone", QUICK);
    sh(
        &home.path(""),
        "git clone -q --bare clone bare.git && cd clone && git remote add origin ../bare.git",
    );
}

fn sh(directory: &Path, script: &str) -> String {
    let done = Command::new("sh")
        .args(["-e", "-c", script])
        .current_dir(directory)
        .envs([
            ("GIT_AUTHOR_NAME", "Test"),
            ("GIT_AUTHOR_EMAIL", "test@example.com"),
            ("GIT_COMMITTER_NAME", "Test"),
            ("GIT_COMMITTER_EMAIL", "test@example.com"),
        ])
        .output()
        .unwrap();
    assert!(done.status.success(), "{done:?}");
    String::from_utf8(done.stdout).unwrap()
}

fn push(home: &Home, subject: &str) {
    let script =
        format!("git commit -q --allow-empty -m '{subject}' && git push -q origin HEAD 2>&1");
    sh(&home.path("clone"), &script);
}

/// Number of pipelines by commit, from the API.
fn pipelines(home: &Home) -> BTreeMap<String, usize> {
    let console = home.run(&[
        "console", "--once", "--format", "json", "--screen", "builds", "--size", "120x200",
    ]);
    let frame: Value = serde_json::from_str(&console.out).unwrap_or_default();
    let mut found = BTreeMap::new();
    for row in frame["rows"].as_array().into_iter().flatten() {
        *found
            .entry(row["revision"].as_str().unwrap().to_owned())
            .or_default() += 1;
    }
    found
}

#[test]
fn every_commit_becomes_one_pipeline_though_the_server_is_killed() {
    let home = Home::new();
    pair(&home);
    let said = home
        .run(&["watch", "bare.git", "--every", "1s"])
        .with_code(0);
    assert!(
        said.out
            .contains("commits that are pushed from now on are built"),
        "{}",
        said.out
    );
    for n in 1..=20 {
        push(&home, &format!("number {n}"));
        // Two pushes while nobody looks, two while somebody does, who is killed after them.
        match n % 4 {
            0 => home.kill_server(),
            2 => drop(home.run(&["status"]).with_code(0)),
            _ => {}
        }
    }
    let log = sh(&home.path("clone"), "git log --format=%H HEAD~20..HEAD");
    let expected: BTreeMap<String, usize> = log.lines().map(|id| (id.to_owned(), 1)).collect();
    assert_eq!(expected.len(), 20);
    until("all commits are built", || pipelines(&home).len() >= 20);
    home.run(&["watch", "bare.git", "--now"]).with_code(0);
    until("one more look has ended", || {
        let rows: Value =
            serde_json::from_str(&home.run(&["watch", "--list", "--json"]).out).unwrap();
        !rows[0]["looked_at"].is_null() && rows[0]["failure"].is_null()
    });
    assert_eq!(pipelines(&home), expected);
}

#[test]
fn branches_are_built_where_they_part_and_skips_are_skipped() {
    let home = Home::new();
    pair(&home);
    home.run(&["watch", "bare.git", "--every", "1h"])
        .with_code(0);
    push(&home, "first");
    push(&home, "words only [skip ci]");
    sh(
        &home.path("clone"),
        "git checkout -q -b side && git commit -q --allow-empty -m aside && git push -q origin side 2>&1",
    );
    // What a hook of the repository would say.
    home.run(&["watch", "--now", "bare.git"]).with_code(0);
    until("both are built", || pipelines(&home).len() == 2);
    let rows: Value =
        serde_json::from_str(&home.run(&["watch", "--list", "--json"]).with_code(0).out).unwrap();
    assert_eq!(
        (&rows[0]["branches"], &rows[0]["built"]),
        (&2.into(), &2.into())
    );
    // A merge that brings nothing of its own but itself.
    sh(
        &home.path("clone"),
        "git checkout -q main && git merge -q --no-ff -m merged side && git push -q origin main 2>&1",
    );
    home.run(&["watch", "--now", "bare.git"]).with_code(0);
    until("the merge is built", || pipelines(&home).len() == 3);
    let said = home.run(&["audit", "list", "watch"]).with_code(0);
    assert!(said.out.contains("watch.add"), "{}", said.out);
    assert!(!said.out.contains("Seen"), "{}", said.out);
}

#[test]
fn what_cannot_be_watched_says_so_and_a_failing_look_is_seen() {
    let home = Home::new();
    pair(&home);
    home.run(&["watch"]).with_code(2);
    home.run(&["watch", "bare.git", "--every", "soon"])
        .with_code(2);
    home.run(&["watch", "bare.git", "--every", "0s"])
        .with_code(2);
    let said = home.run(&["watch", "nowhere"]).with_code(4);
    assert!(said.err.contains("nowhere"), "{}", said.err);
    assert!(
        home.run(&["watch", "--list"])
            .with_code(0)
            .out
            .contains("Nothing is watched")
    );
    home.run(&["watch", "bare.git", "--every", "1s"])
        .with_code(0);
    home.run(&["watch", "bare.git", "--every", "2s"])
        .with_code(0);
    fs::rename(home.path("bare.git"), home.path("away.git")).unwrap();
    let list = || -> Value {
        serde_json::from_str(&home.run(&["watch", "--list", "--json"]).out).unwrap()
    };
    until("the look has failed", || list()[0]["failure"].is_string());
    assert_eq!(list().as_array().unwrap().len(), 1);
    assert_eq!(list()[0]["every_s"], 2);
    fs::rename(home.path("away.git"), home.path("bare.git")).unwrap();
    until("it is well again", || list()[0]["failure"].is_null());
    home.run(&["watch", "--remove", "bare.git"]).with_code(0);
    assert_eq!(list().as_array().unwrap().len(), 0);
    home.run(&["watch", "--remove", "bare.git"]).with_code(4);
}
