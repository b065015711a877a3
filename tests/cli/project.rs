//! Projects as such: listed, shown, renamed, removed with what was built of them.

use std::fs;

use crate::support::{Home, until};

const QUICK: &str = "version: 2.1\njobs:\n  quick:\n    machine: true\n    steps:\n      - run: echo quick\nworkflows: {main: {jobs: [quick]}}\n";
const HELD: &str = "version: 2.1\njobs:\n  quick:\n    machine: true\n    steps:\n      - run: echo quick\nworkflows: {main: {jobs: [{ask: {type: approval}}, {quick: {requires: [ask]}}]}}\n";

#[test]
fn a_project_is_listed_shown_and_renamed_with_what_was_built_of_it() {
    let home = Home::new();
    let said = home.run(&["project", "list"]).with_code(0);
    assert!(said.out.contains("no project yet"), "{}", said.out);
    let path = home.repository("web", QUICK);
    home.repository("api", QUICK);
    home.run(&["build", "web"]).with_code(0);
    home.run(&["build", "api"]).with_code(0);

    let rows = home.json(&["project", "list", "--json"]);
    let names: Vec<&str> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["project"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["local/api", "local/web"]);
    // By name, by its end, by folder, by key.
    let key = path.canonicalize().unwrap().display().to_string();
    for named in ["local/web", "web", "./web", &key] {
        let shown = home.json(&["project", "show", named, "--json"]);
        assert_eq!(
            (&shown["key"], &shown["pipelines"]),
            (&key.as_str().into(), &1.into())
        );
    }
    home.run(&["project", "show", "nothing"]).with_code(4);

    home.run(&["project", "rename", "web", "local/api"])
        .with_code(4);
    for wrong in ["site", "acme/", "a b/c", "acme/web/x"] {
        home.run(&["project", "rename", "web", wrong]).with_code(2);
    }
    let said = home
        .run(&["project", "rename", "web", "acme/site"])
        .with_code(0);
    assert_eq!(said.out, "local/web is acme/site now.\n");
    // What was built before and what is built from now on is of the new name.
    assert_eq!(
        home.json(&["status", "acme/site#1", "--json"])["run"]["project"],
        "acme/site"
    );
    home.run(&["status", "web#1"]).with_code(4);
    home.run(&["build", "web"]).with_code(0);
    assert!(
        home.run(&["logs", "site#2"])
            .with_code(0)
            .out
            .contains("quick")
    );
    // Watched under the name it has, by which it is found and kept.
    home.run(&["watch", "web"]).with_code(0);
    home.run(&["watch", "--now", "acme/site"]).with_code(0);
    let said = home
        .run(&["project", "remove", "acme/site", "-yes"])
        .with_code(4);
    assert!(said.err.contains("is watched"), "{}", said.err);
    let audit = home
        .run(&["audit", "list", "project.rename", "ok"])
        .with_code(0)
        .out;
    assert!(
        audit.contains("local/web") && audit.contains("to acme/site"),
        "{audit}"
    );
}

#[test]
fn a_project_that_is_at_work_stays_and_one_at_rest_goes_with_its_files() {
    let home = Home::new();
    home.repository("web", HELD);
    home.repository("api", QUICK);
    home.run(&["build", "api"]).with_code(0);
    home.run(&["build", "web"]).with_code(3);
    let said = home.run(&["project", "remove", "web", "-yes"]).with_code(4);
    assert!(
        said.err.contains("a workflow that is not over"),
        "{}",
        said.err
    );
    home.run(&["project", "rename", "web", "a/b"]).with_code(4);
    let pipeline = home.json(&[
        "console", "--once", "--format", "json", "--screen", "builds", "--json",
    ]);
    let held = pipeline["rows"].as_array().unwrap().iter();
    let held = held
        .clone()
        .find(|row| row["project"] == "local/web")
        .unwrap();
    home.run(&["approve", held["id"].as_str().unwrap()])
        .with_code(0);
    until("it is over", || {
        home.json(&["status", "web#2", "--json"])["run"]["state"] == "dead"
    });

    // Nobody to ask, then a yes.
    home.run(&["project", "remove", "web"]).with_code(5);
    let logs = || fs::read_dir(home.data().join("logs")).unwrap().count();
    let mirrors = || {
        let found = fs::read_dir(home.data().join("repos")).unwrap();
        let mirror = |path: &std::path::Path| path.extension() == Some("git".as_ref());
        found
            .filter(|entry| mirror(&entry.as_ref().unwrap().path()))
            .count()
    };
    assert_eq!((logs(), mirrors()), (2, 2));
    let said = home
        .run(&["project", "remove", "web", "--yes"])
        .with_code(0);
    assert_eq!(said.out, "Removed local/web with 1 pipeline and 1 run.\n");
    assert_eq!((logs(), mirrors()), (1, 1));
    home.run(&["status", "web#2"]).with_code(4);
    home.run(&["project", "show", "web"]).with_code(4);
    assert!(
        home.run(&["logs", "api#1"])
            .with_code(0)
            .out
            .contains("quick")
    );
    let audit = home
        .run(&["audit", "list", "project.remove"])
        .with_code(0)
        .out;
    assert_eq!(audit.matches("project.remove").count(), 2, "{audit}");

    // Watched, it would come back by itself.
    home.run(&["watch", "api", "--every", "1h"]).with_code(0);
    let said = home.run(&["project", "remove", "api", "-yes"]).with_code(4);
    assert!(said.err.contains("is watched"), "{}", said.err);
}
