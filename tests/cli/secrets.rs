//! Secrets of a project reach its jobs and nothing else: whatever a job prints, none is on a disk, in a list of processes,
//! or on a screen. The same search finds them where a test has planted them.

use std::fs;

use crate::docker;
use crate::search::{Search, forms};
use crate::support::{Home, Said, fed, until};

/// Forty characters, some of which URLs and JSON write otherwise.
const TOKEN: &str = "q9Zr+mW2/T7vB\"1nK8&Ld5hJ3f 6pY0cQe%iOaXw";
/// The second of three lines.
const LINE: &str = "MIIEpAIBAAKCAQEAy8Dbv8prpJ";

/// Prints TOKEN in every way, and a line of KEY.
const SCRIPT: &str = r#"
url() { rest=$1; while [ -n "$rest" ]; do c=${rest%"${rest#?}"}; rest=${rest#?}
  case $c in [a-zA-Z0-9._~-]) printf %s "$c";; *) printf %%%02X "'$c";; esac; done; echo; }
echo "raw $TOKEN end"
echo "raw $TOKEN" >&2
for before in '' x xy; do
  printf %s "$before$TOKEN!!" | base64
  printf %s "$before$TOKEN!!" | base64 | tr +/ -_
done
printf %s "$TOKEN" | od -An -tx1 | tr -d ' \n'; echo
printf %s "$TOKEN" | od -An -tx1 | tr -d ' \n' | tr a-f A-F; echo
url "$TOKEN"
printf '{"token":"%s"}\n' "$(printf %s "$TOKEN" | sed 's/["\\]/\\&/g')"
printf %s "$(printf %.20s "$TOKEN")"; sleep 0.8; printf '%s\n' "${TOKEN#????????????????????}"
printf '%s\n' "$KEY" | sed -n 2p
env
echo "and this stays"
"#;

/// The search for the token in all its forms, and for the line.
fn search() -> Search {
    let line = ("LINE".to_owned(), LINE.as_bytes().to_vec());
    Search::of([forms("TOKEN", TOKEN.as_bytes()), vec![line]].concat())
}

/// A job that says it all of its variables TOKEN and KEY, waits while the shell finds `wait` true, and says it again.
pub fn config(executor: &str, wait: &str, environment: &str) -> String {
    let script = format!("{SCRIPT}\nwhile {wait}; do sleep 0.1; done\n{SCRIPT}");
    let script = script.replace('\n', "\n            ");
    format!(
        "version: 2.1\njobs:\n  tell:\n    {executor}\n    environment: {environment}\n    steps:\n      - run:\n          name: Tell\n          command: |\n            {script}\nworkflows: {{main: {{jobs: [tell]}}}}\n"
    )
}

fn set(home: &Home, project: &str, name: &str, value: &str) -> Said {
    let words = ["project", "env", "set", project, name];
    fed(&mut home.command(&words), value)
}

fn key() -> String {
    format!("-----BEGIN KEY-----\n{LINE}\n-----END KEY-----\n")
}

/// Builds `web` with its secrets set, and searches while it runs and after. `go_on` lets the job end its wait.
pub fn nothing_is_found(home: &Home, executor: &str, wait: &str, go_on: impl Fn()) {
    let search = search();
    home.repository("web", &config(executor, wait, "{A: b}"));
    set(home, "./web", "TOKEN", &format!("{TOKEN}\n")).with_code(0);
    set(home, "./web", "KEY", &key()).with_code(0);
    let build = home.start(&["build", "web"]);
    let attempt = || {
        home.json(&["status", "--json"])["rows"][0]["attempt"]
            .as_str()
            .map(str::to_owned)
    };
    until("it runs", || attempt().is_some());
    let attempt = attempt().unwrap();
    let log = |home: &Home| home.run(&["logs", "web#1"]).out;
    until("all was said once", || log(home).contains("and this stays"));

    let pid = home.data().join("attempts").join(&attempt).join("pid");
    if let Ok(pid) = fs::read_to_string(pid) {
        let agent = pid.split(' ').next().unwrap().to_owned();
        assert_eq!(search.found_in_processes(&[&agent]), [], "while it runs");
    }
    assert_eq!(search.found_below(&[&home.data()]), [], "while it runs");
    // The agent is adopted by the next server, and goes on to hide.
    home.kill_server();
    home.run(&["status"]).with_code(0);
    go_on();
    let built = Said::from(build.wait_with_output().unwrap());
    until("it is over", || {
        home.json(&["status", "web#1", "--json"])["run"]["outcome"] == "success"
    });
    assert_eq!(search.found_in(&built.out), [""; 0], "{}", built.out);

    home.run(&["backup", "create", "kept"]).with_code(0);
    assert_eq!(search.found_below(&[&home.data(), &home.path("kept")]), []);
    let said = log(home);
    assert!(said.contains("raw **** end\n"), "{said}");
    assert!(said.contains("{\"token\":\"****\"}\n"), "{said}");
    assert!(
        said.contains("and this stays\n") && said.contains("A=b\n"),
        "{said}"
    );
    let shown = home
        .run(&[
            "console", "--once", "--size", "120x400", "--screen", "job", "web#1",
        ])
        .out;
    let raw = home.run(&["logs", "--raw", "web#1"]).out;
    let agent = home.run(&["logs", "-stderr", "web#1"]).out;
    let rows = home.run(&["project", "env", "list", "web", "--json"]).out;
    let audit = home.run(&["audit", "list", "--json"]).out;
    let status = home.run(&["status", "web#1", "--json"]).out;
    for text in [shown, raw, agent, rows, audit, status, said] {
        assert_eq!(search.found_in(&text), [""; 0], "{text}");
    }
}

#[test]
fn what_a_job_prints_of_its_secrets_is_nowhere_to_be_found() {
    let home = Home::new();
    let hold = home.path("hold");
    fs::write(&hold, "").unwrap();
    let wait = format!("[ -e {} ]", hold.display());
    nothing_is_found(&home, "machine: true", &wait, || {
        fs::remove_file(&hold).unwrap();
    });
}

#[test]
fn what_a_job_in_a_container_prints_of_its_secrets_is_nowhere_to_be_found() {
    let Some(engine) = docker::engine() else {
        return;
    };
    let home = docker::home(&engine);
    let executor = "docker: [{image: \"roundel-test:1\"}]\n    resource_class: tiny";
    nothing_is_found(&home, executor, "[ ! -e /tmp/go ]", || {
        let containers = docker::inspected(&home, &engine);
        assert!(containers.contains("roundel-test"), "{containers}");
        assert_eq!(search().found_in(&containers), [""; 0], "{containers}");
        docker::run_in_each(&home, &engine, "touch /tmp/go");
    });
}

#[test]
fn the_same_search_finds_what_is_not_a_secret_of_the_project() {
    let home = Home::new();
    let environment = serde_json::json!({"TOKEN": TOKEN, "KEY": key()}).to_string();
    home.repository("web", &config("machine: true", "false", &environment));
    let built = home.run(&["build", "web"]).with_code(0);
    let search = search();
    let every = search.every();
    assert_eq!(search.found_in(&built.out), every, "{}", built.out);
    let found = search.found_below(&[&home.data().join("logs")]);
    assert!(found.iter().any(|(_, forms)| *forms == every), "{found:?}");
    // The config itself is in the database.
    let found = search.found_below(&[&home.data()]);
    assert!(
        found
            .iter()
            .any(|(path, _)| path.ends_with("roundel.db") || path.ends_with("roundel.db-wal")),
        "{found:?}"
    );
}

#[test]
fn variables_are_set_from_a_pipe_or_file_and_never_shown() {
    let home = Home::new();
    home.repository("web", "version: 2.1\njobs: {a: {machine: true, steps: [{run: env}]}}\nworkflows: {main: {jobs: [a]}}\n");
    let said = home.run(&["project", "env", "list", "web"]).with_code(4);
    assert!(said.err.contains("./path"), "{}", said.err);
    let said = set(&home, "./web", "TOKEN", TOKEN).with_code(0);
    assert_eq!(said.out, "TOKEN is set for local/web.\n");
    fs::write(home.path("value"), "short-one\n").unwrap();
    home.run(&["project", "env", "set", "web", "_B2", "--file", "value"])
        .with_code(0);
    for (name, value, why) in [
        ("TOKEN", "abc\n", "fewer than 4"),
        ("2B", "abcdef", "no name"),
        ("A B", "abcdef", "no name"),
        ("C", "abc\0def", "NUL"),
        ("D", &"x".repeat(40_000), "more than"),
    ] {
        let said = set(&home, "web", name, value).with_code(2);
        assert!(
            said.err.contains(why) && !said.err.contains("abc"),
            "{}",
            said.err
        );
    }
    home.run(&["project", "env", "set", "web", "E", "--file", "none"])
        .with_code(4);

    let rows = home.json(&["project", "env", "list", "web", "--json"]);
    let shown: Vec<(&str, &str)> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            (
                row["name"].as_str().unwrap(),
                row["value"].as_str().unwrap(),
            )
        })
        .collect();
    // The end of a long one, as CircleCI shows it.
    assert_eq!(shown, [("TOKEN", "xxxxOaXw"), ("_B2", "xxxx")]);
    assert!(rows[0]["by"].as_str().unwrap().starts_with("uid "));

    let built = home.run(&["build", "web"]).with_code(0);
    for line in ["TOKEN=****", "_B2=****"] {
        assert!(built.out.contains(line), "{}", built.out);
    }
    home.run(&["project", "env", "unset", "web", "TOKEN"])
        .with_code(0);
    home.run(&["project", "env", "unset", "web", "TOKEN"])
        .with_code(4);
    let built = home.run(&["build", "web"]).with_code(0);
    assert!(!built.out.contains("TOKEN=") && built.out.contains("_B2=****"));
    let audit = home.run(&["audit", "list", "project.env"]).with_code(0).out;
    assert!(audit.contains("project.env.set") && audit.contains("project.env.unset"));
    assert!(
        audit.contains("TOKEN") && !audit.contains("short-one"),
        "{audit}"
    );
}

#[test]
fn with_another_key_nothing_is_handed_over_and_the_run_names_the_file() {
    let home = Home::new();
    home.repository("web", "version: 2.1\njobs: {a: {machine: true, steps: [{run: 'echo \"$TOKEN\" | wc -c'}]}}\nworkflows: {main: {jobs: [a]}}\n");
    set(&home, "./web", "TOKEN", TOKEN).with_code(0);
    let (key, away) = (home.data().join("secrets/key"), home.path("key"));
    home.end_server();
    fs::rename(&key, &away).unwrap();
    let built = home.run(&["build", "web"]).with_code(3);
    let said = format!("{}{}", built.out, built.err);
    assert!(said.contains(key.to_str().unwrap()), "{said}");
    assert!(said.contains("TOKEN of the project"), "{said}");
    home.end_server();
    fs::rename(&away, &key).unwrap();
    let built = home.run(&["build", "web"]).with_code(0);
    assert!(built.out.contains("41"), "{}", built.out);
}
