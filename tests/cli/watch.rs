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

/// The pipelines that there are, from the API.
fn rows(home: &Home) -> Vec<Value> {
    let console = home.run(&[
        "console", "--once", "--format", "json", "--screen", "builds", "--size", "120x200",
    ]);
    let frame: Value = serde_json::from_str(&console.out).unwrap_or_default();
    frame["rows"].as_array().cloned().unwrap_or_default()
}

/// Number of them by commit.
fn pipelines(home: &Home) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for row in rows(home) {
        *found
            .entry(row["revision"].as_str().unwrap().to_owned())
            .or_default() += 1;
    }
    found
}

/// Id of the one whose commit has this subject.
fn pipeline(home: &Home, subject: &str) -> String {
    let rows = rows(home);
    let row = rows.iter().find(|row| row["subject"] == subject);
    row.unwrap()["id"].as_str().unwrap().to_owned()
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
    // On the branch that was there before, whatever their names.
    sh(
        &home.path("clone"),
        "git commit -q --allow-empty -m both && git branch early && git push -q origin main early 2>&1",
    );
    home.run(&["watch", "--now", "bare.git"]).with_code(0);
    until("it is built", || pipelines(&home).len() == 4);
    let built = self::rows(&home)
        .into_iter()
        .find(|row| row["subject"] == "both");
    assert_eq!(built.unwrap()["branch"], "main");
    // A merge that makes no commit makes no build, which is told.
    sh(
        &home.path("clone"),
        "git checkout -q side && git merge -q --ff-only main && git push -q origin side 2>&1",
    );
    home.run(&["watch", "--now", "bare.git"]).with_code(0);
    until("it is told", || {
        let listed = home.run(&["watch", "--list"]).with_code(0);
        listed.out.contains("what came to side was built before")
    });
    assert_eq!(pipelines(&home).len(), 4);
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

#[test]
fn a_branch_is_built_where_one_was_that_left_it_no_room() {
    let home = Home::new();
    pair(&home);
    home.run(&["watch", "bare.git", "--every", "1h"])
        .with_code(0);
    let push = |script: &str, built: usize| {
        sh(&home.path("clone"), script);
        home.run(&["watch", "--now", "bare.git"]).with_code(0);
        until(script, || pipelines(&home).len() == built);
    };
    push(
        "git checkout -q -b fix && git commit -q --allow-empty -m one && git push -q origin fix 2>&1",
        1,
    );
    push(
        "git checkout -q -b fix-2 && git commit -q --allow-empty -m two
         git push -q origin :fix 2>&1 && git push -q origin HEAD:refs/heads/fix/2 2>&1",
        2,
    );
    push(
        "git commit -q --allow-empty -m three
         git push -q origin :fix/2 2>&1 && git push -q origin HEAD:refs/heads/fix 2>&1",
        3,
    );
    assert_eq!(last_look(&home), Value::Null);
    // What was built of a branch that is gone is still there to be built again.
    let config = QUICK.replace("steps:", "steps:\n      - checkout");
    fs::write(home.path("clone/.circleci/config.yml"), config).unwrap();
    push(
        "git commit -q -a -m four && git push -q origin HEAD:refs/heads/passing 2>&1",
        4,
    );
    push(
        "git commit -q --allow-empty -m five
         git push -q origin :passing 2>&1 && git push -q origin HEAD:refs/heads/passing/by 2>&1",
        5,
    );
    let passing = pipeline(&home, "four");
    let built = |times: usize| {
        let detail = home.json(&["status", &passing, "--json"]);
        let passes = detail["workflows"].as_array().unwrap();
        passes.len() == times && passes.iter().all(|pass| pass["status"] == "success")
    };
    until("it was built", || built(1));
    home.run(&["rerun", &passing]).with_code(0);
    until("it was built again", || built(2));
}

/// Why the last look failed.
fn last_look(home: &Home) -> Value {
    home.json(&["watch", "--list", "--json"])[0]["failure"].clone()
}

#[test]
fn what_cannot_be_taken_in_stops_nothing_else() {
    let home = Home::new();
    pair(&home);
    home.run(&["watch", "bare.git", "--every", "1h"])
        .with_code(0);
    let giant = QUICK.to_owned() + &"# words\n".repeat(400_000);
    fs::write(home.path("clone/.circleci/config.yml"), giant).unwrap();
    sh(
        &home.path("clone"),
        "git commit -q -a -m giant && git revert --no-edit HEAD && git push -q origin main 2>&1
         git commit -q --allow-empty -m odd && git push -q origin \"HEAD:refs/heads/$(printf 'caf\\351')\" 2>&1",
    );
    home.run(&["watch", "--now", "bare.git"]).with_code(0);
    until("both are there", || pipelines(&home).len() == 2);
    assert_eq!(last_look(&home), Value::Null);
    let ids = sh(&home.path("clone"), "git log --format=%H HEAD~3..HEAD~1");
    let expected: BTreeMap<String, usize> = ids.lines().map(|id| (id.to_owned(), 1)).collect();
    assert_eq!(pipelines(&home), expected);
    let said = home.run(&["status", &pipeline(&home, "giant")]);
    let words = "`.circleci/config.yml` is longer than 3145728 bytes";
    assert!(said.out.contains(words), "{said:?}");
    // Said once, however many looks there are.
    push(&home, "on");
    home.run(&["watch", "--now", "bare.git"]).with_code(0);
    until("the next one is built", || pipelines(&home).len() == 4);
    let log = fs::read_to_string(home.data().join("log/server.log")).unwrap();
    assert_eq!(log.matches("are left out").count(), 1, "{log}");
}
