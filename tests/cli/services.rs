//! The installation as a whole, by verbs: stopped, started, and what that does to what waits.

use serde_json::Value;

use crate::support::{Home, until};

const QUICK: &str = "version: 2.1\njobs:\n  job:\n    machine: true\n    steps: [{run: echo done}]\n\
                     workflows: {main: {jobs: [job]}}\n";

fn json(home: &Home, words: &[&str]) -> Value {
    serde_json::from_str(&home.run(words).with_code(0).out).unwrap()
}

#[test]
fn a_stopped_installation_takes_builds_in_and_says_who_holds_them_back() {
    let home = Home::new();
    home.repository("app", QUICK);
    let said = home.run(&["services", "stop"]).with_code(5);
    assert!(said.err.contains("say -yes"), "{}", said.err);
    assert_eq!(json(&home, &["services", "-json"])["phase"], "started");

    let said = home
        .run(&["services", "stop", "-yes", "--wait"])
        .with_code(0);
    assert!(said.out.starts_with("Stopped since "), "{}", said.out);
    let now = json(&home, &["services", "-json"]);
    assert_eq!(now["phase"], "stopped");
    let by = now["by"].as_str().unwrap().to_owned();
    assert!(by.starts_with("uid "), "{now}");

    let mut build = home.start(&["build", "app"]);
    let mut reason = String::new();
    until("the run waits for the installation", || {
        let page = json(&home, &["status", "-json"]);
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
    assert_eq!(json(&home, &["services", "-json"]), now);
    let said = home.run(&["services", "start"]).with_code(0);
    assert!(said.out.starts_with("Started since "), "{}", said.out);
    assert!(build.wait().unwrap().success());
    let rows = json(&home, &["audit", "list", "installation", "-json"]);
    let actions: Vec<_> = rows["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["action"].as_str().unwrap())
        .collect();
    assert_eq!(actions, ["installation.start", "installation.stop"]);
}
