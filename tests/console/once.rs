//! One frame of each screen, printed: for tickets and pipes.

use serde_json::Value;

use crate::support::{Home, THREE, Terminal, gated, key};

/// One frame as JSON.
fn json(home: &Home, words: &[&str]) -> Value {
    let said = home.run(&[&["console", "--once", "--format", "json"], words].concat());
    serde_json::from_str(&said.with_code(0).out).unwrap()
}

#[test]
fn every_screen_prints_itself_in_both_forms_and_sizes() {
    let home = Home::new();
    home.repository("web", THREE);
    home.run(&["build", "web"]).with_code(0);
    let node = json(&home, &["--screen", "cluster"])["rows"][0]["name"]
        .as_str()
        .unwrap()
        .to_owned();
    let node = format!("node:{node}");
    let screens: [(&str, &[&str]); 6] = [
        ("queue", &["Nothing waits.", "2 Queue"]),
        ("builds", &["local/web #1", "success", "3/3"]),
        ("pipeline:web#1", &["local/web #1", "build", "lint", "test"]),
        ("job:web#1/build", &["Say it", "one", "two", "three"]),
        ("cluster", &["1 node", "ready", "safe"]),
        (
            &node,
            &["Cluster › ", "gives to runs", "Nothing runs there now."],
        ),
    ];
    for (screen, words) in screens {
        for (size, columns, rows) in [("80x24", 80, 24), ("120x36", 120, 36)] {
            let asked = ["--screen", screen, "--size", size];
            let said = home
                .run(&[&["console", "--once"], &asked[..]].concat())
                .with_code(0);
            for word in words {
                let airy = *word == "2 Queue" && columns < 100;
                assert!(
                    airy || said.out.contains(word),
                    "{screen} {size} {word}\n{}",
                    said.out
                );
            }
            assert!(
                !said.out.contains('…') || screen == "builds",
                "{screen} {size} cuts a word:\n{}",
                said.out
            );
            assert_eq!(said.out.lines().count(), rows, "{screen} {size}");
            let widest = said.out.lines().map(|line| line.chars().count()).max();
            assert!(widest <= Some(columns), "{screen} {size}: {widest:?}");
            assert!(!said.out.contains('\x1b'), "{screen}");
            let frame = json(&home, &asked);
            assert_eq!(frame["state"], "live");
            assert!(frame["seq"].as_i64().is_some(), "{screen}: {frame:#}");
            let filled = frame["rows"]
                .as_array()
                .is_some_and(|rows| !rows.is_empty());
            assert_eq!(filled, screen != "queue", "{screen}: {frame:#}");
        }
    }
}

#[test]
fn a_job_that_is_not_there_is_named_and_not_waited_for() {
    let home = Home::new();
    home.repository("web", THREE);
    home.run(&["build", "web"]).with_code(0);
    let asked = ["console", "--once", "--screen", "job:web#1/nosuch"];
    let said = home.run(&asked).with_code(4);
    assert!(
        said.out.contains("this build has no job `nosuch`"),
        "{}",
        said.out
    );
    assert!(!said.out.contains("loading"), "{}", said.out);
}

#[test]
fn a_job_that_has_not_begun_says_so_at_once() {
    let home = Home::new();
    let gate = home.path("gate");
    std::fs::create_dir(&gate).unwrap();
    let config = gated(&gate).replace("jobs: [slow]", "jobs: [slow, {late: {requires: [slow]}}]");
    let late = "jobs:\n  late:\n    machine: true\n    steps:\n      - run: echo late\n";
    home.repository("slow", &config.replace("jobs:\n", late));
    let mut console = Terminal::open(&home, (80, 24), &[]);
    console.sees(&["Nothing has been built here yet."]);
    let mut build = home.command(&["build", "slow"]);
    let mut build = build.stdout(std::process::Stdio::null()).spawn().unwrap();
    console.sees(&["local/slow #1", "running"]);
    let id = json(&home, &["--screen", "builds"])["rows"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let screen = format!("job:{id}/late");
    let said = home
        .run(&["console", "--once", "--screen", &screen])
        .with_code(0);
    assert!(said.out.contains("not in the queue yet"), "{}", said.out);
    console.press(key::ENTER, &["slow", "late"]);
    std::fs::write(gate.join("end"), "").unwrap();
    assert!(build.wait().unwrap().success());
}

#[test]
fn what_is_not_there_is_told_in_the_frame_and_by_the_exit_code() {
    let home = Home::new();
    for screen in ["run:abcd", "node:nosuch", "pipeline:0190"] {
        let said = home
            .run(&["console", "--once", "--screen", screen])
            .with_code(4);
        assert!(
            said.out.contains("✗ there is no "),
            "{screen}: {}",
            said.out
        );
    }
}

#[test]
fn a_name_that_is_no_screen_is_a_usage_error() {
    let home = Home::new();
    let said = home
        .run(&["console", "--once", "--screen", "dash"])
        .with_code(2);
    assert!(said.err.contains("no screen `dash`"), "{}", said.err);
}
