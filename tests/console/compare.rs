//! What did this build do differently from the last green one? From a failed build it is one key away.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::{Home, Terminal, key};

fn config(command: &str, parallelism: u32) -> String {
    format!(
        r#"version: 2.1
jobs:
  test:
    machine: true
    parallelism: {parallelism}
    steps:
      - run: {{name: Try it, command: "{command}"}}
  lint:
    machine: true
    steps:
      - run: echo tidy
workflows: {{main: {{jobs: [lint, test]}}}}
"#
    )
}

fn commit(repository: &Path, config: &str, message: &str) {
    fs::write(repository.join(".circleci/config.yml"), config).unwrap();
    let status = Command::new("git")
        .args(["-c", "user.name=Ann", "-c", "user.email=ann@example.com"])
        .arg("-C")
        .arg(repository)
        .args(["commit", "--quiet", "--all", "--allow-empty"])
        .arg(format!("--message={message}"))
        .status()
        .unwrap();
    assert!(status.success());
}

#[test]
fn a_failed_build_is_compared_with_the_last_green_one_by_one_key() {
    let home = Home::new();
    let repository = home.repository("web", &config("true", 1));
    // One that failed before there was a green one has nothing to be compared with.
    commit(&repository, &config("false", 1), "Break it at once");
    home.run(&["build", "web"]).with_code(1);
    commit(&repository, &config("true", 1), "Mend it");
    home.run(&["build", "web"]).with_code(0);
    commit(&repository, &config("true", 1), "Say nothing new");
    commit(&repository, &config("false", 2), "Try twice");
    home.run(&["build", "web"]).with_code(1);

    for size in [(80, 24), (120, 36)] {
        let mut console = Terminal::open(&home, size, &[]);
        console.sees(&["local/web #3", "local/web #1"]);
        console.press(
            "=",
            &[
                "local/web #3",
                "compared",
                "with local/web #2",
                "the last green build of main",
                "Jobs that differ",
                "✗ test",
                "failed, was success",
                "1 job as before: lint",
            ],
        );
        console.press(
            "G",
            &["Try twice", "Say nothing new", "parallelism 2", "$ false"],
        );
        console.press(key::ENTER, &["Steps", "Try it"]);
        console.press(key::ESC, &["compared"]);
        console.press(key::ESC, &["STATUS", "BUILD"]);
        console.press("G=", &["local/web #1", "nothing to compare it with"]);
        console.press(key::ESC, &["STATUS", "BUILD"]);
        // Two marked builds are compared with each other, the newer from the older.
        console.keys("gg");
        console.press(" ", &["1 marked"]);
        console.press("G ", &["2 marked"]);
        console.press(
            "=",
            &[
                "local/web #3",
                "with local/web #1",
                "the one that was asked for",
            ],
        );
        assert!(
            console.screen().strange().is_empty(),
            "{}",
            console.screen()
        );
    }

    let said = home.run(&["status", "--json"]).with_code(0);
    let rows: Value = serde_json::from_str(&said.out).unwrap();
    let of = |number: i64| {
        let rows = rows["rows"].as_array().unwrap();
        let row = rows.iter().find(|row| row["number"] == number).unwrap();
        row["pipeline"].as_str().unwrap().to_owned()
    };
    // Jobs are numbered through: 1 and 2 of the first build, 5 and 6 of the third.
    let (first, third) = (of(1), of(5));
    let said = home.run(&["compare", &third]).with_code(0).out;
    for words in [
        "local/web #3",
        "Compared with local/web #2",
        "test: failed, was success",
        "Try twice",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let said = home.run(&["compare", &third, "--json"]).with_code(0).out;
    let json: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(json["commits"]["total"], 2);
    assert_eq!(json["with"]["number"], 2);
    let config = json["config"].as_array().unwrap();
    let changed: Vec<_> = config.iter().filter(|line| line["sign"] != " ").collect();
    assert_eq!(changed.len(), 3, "{config:?}");
    let said = home
        .run(&["compare", &third, &first, "--json"])
        .with_code(0)
        .out;
    let json: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(json["with"]["number"], 1);
    let said = home.run(&["compare", &first]).with_code(0).out;
    assert!(
        said.contains("nothing to compare it with: no build of main"),
        "{said}"
    );
    home.run(&["compare", "deadbeef"]).with_code(4);
}
