//! The installation as a whole, by verbs: stopped, started, and what that does to what waits.

use crate::support::{Home, until};

const QUICK: &str = "version: 2.1\njobs:\n  job:\n    machine: true\n    steps: [{run: echo done}]\n\
                     workflows: {main: {jobs: [job]}}\n";

#[test]
fn a_stopped_installation_takes_builds_in_and_says_who_holds_them_back() {
    let home = Home::new();
    home.repository("app", QUICK);
    let said = home.run(&["services", "stop"]).with_code(5);
    assert!(said.err.contains("say -yes"), "{}", said.err);
    assert_eq!(
        home.json(&["services", "-json"])["installation"]["phase"],
        "started"
    );

    let said = home
        .run(&["services", "stop", "-yes", "--wait"])
        .with_code(0);
    assert!(said.out.starts_with("Stopped since "), "{}", said.out);
    let now = home.json(&["services", "-json"])["installation"].clone();
    assert_eq!(now["phase"], "stopped");
    let by = now["by"].as_str().unwrap().to_owned();
    assert!(by.starts_with("uid "), "{now}");

    let mut build = home.start(&["build", "app"]);
    let mut reason = String::new();
    until("the run waits for the installation", || {
        let page = home.json(&["status", "-json"]);
        let row = &page["rows"][0];
        reason = row["reason"]["text"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        row["reason"]["code"] == "stopped"
    });
    assert_eq!(
        reason,
        format!(
            "the installation is stopped, by {by} since {}",
            now["since"].as_str().unwrap()
        )
    );
    let said = home.run(&["status"]).with_code(0);
    assert!(
        said.err
            .contains("warning: the installation: Stopped since "),
        "{}",
        said.err
    );

    // A server that starts anew keeps to it.
    home.kill_server();
    assert_eq!(home.json(&["services", "-json"])["installation"], now);
    let said = home.run(&["services", "start"]).with_code(0);
    assert!(said.out.starts_with("Started since "), "{}", said.out);
    assert!(build.wait().unwrap().success());
    let rows = home.json(&["audit", "list", "installation", "-json"]);
    let actions: Vec<_> = rows["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["action"].as_str().unwrap())
        .collect();
    assert_eq!(actions, ["installation.start", "installation.stop"]);
}

/// Whether it begins as `11 of 12 commits within` does.
fn tells_how_many(note: &str) -> bool {
    let words: Vec<&str> = note.split(' ').collect();
    let number = |at: usize| {
        words
            .get(at)
            .is_some_and(|word| word.parse::<u64>().is_ok())
    };
    number(0) && words.get(1) == Some(&"of") && number(2) && words.get(4) == Some(&"within")
}

#[test]
fn the_parts_of_the_server_are_told_with_measured_figures() {
    let home = Home::new();
    home.repository("app", QUICK);
    home.run(&["build", "app"]).with_code(0);
    let services = home.json(&["services", "-json"]);
    let rows = services["services"].as_array().unwrap();
    let names: Vec<_> = rows
        .iter()
        .map(|row| row["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "engine",
            "store",
            "log storage",
            "git mirrors",
            "fleet",
            "api socket",
            "housekeeping"
        ]
    );
    for row in rows {
        assert_eq!(row["health"], "ok", "{row}");
        assert!(row["last_error"].is_null(), "{row}");
        let note = row["note"].as_str().unwrap();
        let begins = ["1 node, ", "next in "];
        let measured = begins.iter().any(|words| note.starts_with(words)) || tells_how_many(note);
        assert!(measured, "a build has used {row}");
    }
    let said = home.run(&["services"]).with_code(0);
    for word in [
        "Name",
        "Last error",
        "log storage",
        "commits within",
        "Started since ",
    ] {
        assert!(said.out.contains(word), "{word}: {}", said.out);
    }
}

#[test]
fn changes_of_the_last_hour_are_asked_for_by_a_word() {
    let home = Home::new();
    home.run(&["services", "stop", "-yes"]).with_code(0);
    home.run(&["services", "start"]).with_code(0);
    let rows = |words: &[&str]| {
        let page = home.json(&[&["audit", "list", "-json"], words].concat());
        page["total"].as_u64().unwrap()
    };
    assert_eq!(rows(&["last:1h"]), 2);
    assert_eq!(rows(&["last:1h", "installation.stop"]), 1);
    assert_eq!(rows(&["last:0"]), 0);
    let said = home.run(&["audit", "list", "last:soon"]).with_code(2);
    assert!(said.err.contains("as in last:30m"), "{}", said.err);
}
