//! The verbs, against a server that the first of them starts.

use std::fs;
use std::io::{BufRead, BufReader};

use serde_json::Value;

use crate::support::{Home, Said, until};

/// One quick job, then two copies of another.
const TWO: &str = r#"version: 2.1
jobs:
  build:
    machine: true
    steps:
      - run: {name: Say it, command: "printf 'one\\n\\033[31mtwo\\n'; echo three >&2"}
  test:
    machine: true
    parallelism: 2
    steps:
      - run: echo "copy $CIRCLE_NODE_INDEX"
workflows:
  main:
    jobs: [build, {test: {requires: [build]}}]
"#;

/// One job that takes as long as it is let.
const LONG: &str = r#"version: 2.1
jobs:
  long:
    machine: true
    steps:
      - run: for i in $(seq 600); do echo "line $i"; sleep 0.1; done
workflows: {main: {jobs: [long]}}
"#;

fn json(said: &Said) -> Value {
    serde_json::from_str(&said.out).unwrap()
}

fn names(status: &str) -> Vec<String> {
    let rows = status.lines().skip(1).take_while(|line| !line.is_empty());
    rows.map(|line| line.split_whitespace().next().unwrap().to_owned())
        .collect()
}

#[test]
fn a_build_starts_a_server_streams_its_log_and_ends_well() {
    let home = Home::new();
    let repository = home.repository("web", TWO);
    fs::write(repository.join("more"), "not committed").unwrap();
    let said = home.run(&["build", "web"]).with_code(0);
    assert!(
        said.err
            .contains("warning: 1 file with changes that are not committed"),
        "{}",
        said.err
    );
    for line in [
        "one\n",
        "two\n",
        "three\n",
        "copy 0\n",
        "copy 1\n",
        "--> Say it\n",
    ] {
        assert!(said.out.contains(line), "{line:?}\n{}", said.out);
    }
    assert!(!said.out.contains('\x1b'), "{:?}", said.out);
    let order = [
        "==> build (#1) on",
        "==> build (#1) success",
        "==> test 1/2 (#2) on",
        "local/web #1 success",
    ];
    let places: Vec<_> = order
        .iter()
        .map(|text| said.out.find(text).unwrap())
        .collect();
    assert!(places.is_sorted(), "{places:?}\n{}", said.out);

    let status = home.run(&["status"]).with_code(0).out;
    let heading: Vec<_> = status.lines().next().unwrap().split_whitespace().collect();
    assert_eq!(heading, ["ID", "Type", "Priority", "Status"]);
    let runs = names(&status);
    assert_eq!(runs.len(), 3);
    assert!(
        status
            .lines()
            .skip(1)
            .all(|line| line.ends_with("batch  50        dead")),
        "{status}"
    );

    let first = runs
        .iter()
        .find(|name| name.ends_with("-0-build-local-web-1"))
        .unwrap();
    assert_eq!(
        home.run(&["logs", "--raw", first]).with_code(0).out,
        "one\n\u{1b}[31mtwo\nthree\n"
    );
    assert_eq!(
        home.run(&["logs", "--raw", "--stream", "err", first])
            .with_code(0)
            .out,
        "three\n"
    );
    assert_eq!(
        home.run(&["logs", "-tail", "-n", "1", first])
            .with_code(0)
            .out,
        "three\n"
    );
    assert_eq!(
        home.run(&["logs", "--step", "Say it", "-f", &first[..12]])
            .with_code(0)
            .out
            .lines()
            .count(),
        3
    );
    let said = home.run(&["logs", "--raw", "-job", "web#2"]).with_code(0);
    assert_eq!(said.out, "copy 0\ncopy 1\n");
    let said = home.run(&["logs", "-job", "-stderr", first]).with_code(0);
    assert!(said.out.contains("step ended"), "{}", said.out);
    let line: Value = serde_json::from_str(
        home.run(&["logs", "-json", "--step", "1", first])
            .out
            .lines()
            .next()
            .unwrap(),
    )
    .unwrap();
    assert_eq!((&line["step"], &line["text"]), (&"1".into(), &"one".into()));

    let detail = json(&home.run(&["status", "--json", first]).with_code(0));
    assert_eq!(detail["run"]["outcome"], "success");
    let audit = json(&home.run(&["audit", "list", "-json"]).with_code(0));
    assert_eq!(
        (&audit["total"], &audit["rows"][0]["action"]),
        (&1.into(), &"build.create".into())
    );
}

#[test]
fn a_step_that_fails_gives_1_its_name_and_its_last_lines() {
    let home = Home::new();
    home.repository(
        "web",
        &TWO.replace("echo three >&2", "echo three >&2; exit 7"),
    );
    let said = home.run(&["build", "web"]).with_code(1);
    let (_, summary) = said.out.split_once("local/web #1 failed").unwrap();
    for text in [
        "build (#1): step \"Say it\" exited with 7",
        "  three\n",
        "not_run",
        "rerun --from-failed",
        " logs ",
    ] {
        assert!(summary.contains(text), "{text}\n{summary}");
    }
    let pipeline = said
        .out
        .lines()
        .find_map(|line| line.strip_prefix("pipeline "))
        .unwrap();
    let again = json(
        &home
            .run(&["rerun", "--from-failed", pipeline, "--json"])
            .with_code(0),
    );
    assert_eq!(again["pipeline"], pipeline);
    until("the rerun has ended", || {
        let detail = json(&home.run(&["status", "--json", pipeline]));
        detail["workflows"]
            .as_array()
            .is_some_and(|passes| passes.len() == 2 && passes[1]["status"] == "failed")
    });
}

#[test]
fn json_is_one_object_a_line_and_the_last_is_the_end() {
    let home = Home::new();
    home.repository("web", TWO);
    let said = home.run(&["build", "web", "--json"]).with_code(0);
    let events: Vec<Value> = said
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(events[0]["event"], "created");
    let last = events.last().unwrap();
    assert_eq!(
        (&last["event"], &last["exit_code"]),
        (&"finished".into(), &0.into())
    );
    assert_eq!(last["pipeline"]["row"]["status"], "success");
    for (event, times) in [
        ("run_began", 3),
        ("run_ended", 3),
        ("step_began", 6),
        ("step_ended", 6),
    ] {
        assert_eq!(
            events.iter().filter(|e| e["event"] == event).count(),
            times,
            "{event}"
        );
    }
}

#[test]
fn two_builds_at_the_same_moment_share_one_server() {
    let home = Home::new();
    home.repository("web", TWO);
    let builds: Vec<_> = (0..3).map(|_| home.start(&["build", "web"])).collect();
    for build in builds {
        Said::from(build.wait_with_output().unwrap()).with_code(0);
    }
    assert_eq!(names(&home.run(&["status"]).out).len(), 9);
}

#[test]
fn configs_with_errors_are_shown_as_compilers_do() {
    let home = Home::new();
    home.repository("web", &TWO.replace("steps", "setps"));
    let said = home.run(&["build", "web"]).with_code(2);
    assert!(
        said.err.contains("\n.circleci/config.yml:5:5: error: "),
        "{}",
        said.err
    );
    assert!(said.err.contains("\n  hint: "), "{}", said.err);
    let body: Value =
        serde_json::from_str(&home.run(&["build", "web", "--json"]).with_code(2).err).unwrap();
    assert_eq!(body["problems"][1]["line"], 5);
    for (source, code) in [("none", 4), ("-x", 2)] {
        home.run(&["build", "--", source]).with_code(code);
    }
}

#[test]
fn what_will_never_start_is_code_3_with_the_reason_unless_waited_for() {
    let home = Home::new();
    // So many rehearsal nodes that each is smaller than the class.
    fs::write(home.path("c.toml"), "nodes = 64\n").unwrap();
    home.repository(
        "web",
        &LONG.replace(
            "machine: true",
            "machine: true\n    resource_class: 2xlarge+",
        ),
    );
    let said = home
        .run(&["--config", "c.toml", "build", "web"])
        .with_code(3);
    assert!(
        said.out.contains("long waits in vain: ") && said.out.contains(" cancel "),
        "{}",
        said.out
    );
    let status = home.run(&["status"]).with_code(0).out;
    assert!(status.contains("pending\n\nWaiting\n"), "{status}");
    let run = &names(&status)[0];
    let detail = home.run(&["status", run]).with_code(0).out;
    assert!(
        detail.contains("Placement Failure\nTask Group \"long\":\n"),
        "{detail}"
    );
    home.run(&["stop", &run[..12]]).with_code(5);
    home.run(&["stop", run]).with_code(0);
    until("the run is out of the queue", || {
        home.run(&["status"]).out.contains("dead")
    });
}

#[test]
fn a_commit_that_is_checked_out_is_built_without_a_branch() {
    let home = Home::new();
    let script =
        r#"echo "on [$CIRCLE_BRANCH] [$(git branch --show-current)] $(git log -1 --format=%s)""#;
    let config = LONG.replace(
        "      - run: for i in $(seq 600); do echo \"line $i\"; sleep 0.1; done",
        &format!("      - checkout\n      - run: '{script}'"),
    );
    let repository = home.repository("web", &config);
    let detached = std::process::Command::new("git")
        .args(["checkout", "--quiet", "--detach"])
        .current_dir(&repository)
        .status();
    assert!(detached.unwrap().success());
    let said = home.run(&["build", "web"]).with_code(0);
    said.says(&["on [] [] Start"]);
    let first = said.out.lines().next().unwrap();
    assert!(
        first.starts_with("local/web #1 ") && !first.contains("  "),
        "{first}"
    );
    for words in [
        &["status", "web#1"][..],
        &["status", "web#1", "--json"],
        &["audit", "list"],
    ] {
        let said = home.run(words).with_code(0);
        assert!(!said.out.contains("HEAD"), "{}", said.out);
    }
}

#[test]
fn nodes_are_listed_shown_and_drained() {
    let home = Home::new();
    let list = home.run(&["node-status"]).with_code(0).out;
    let heading: Vec<_> = list.lines().next().unwrap().split_whitespace().collect();
    assert_eq!(
        heading,
        [
            "ID",
            "DC",
            "Name",
            "Class",
            "Drain",
            "Status",
            "Eligibility"
        ]
    );
    assert_eq!(list.lines().count(), 2);
    assert!(list.ends_with("false  ready   eligible\n"), "{list}");
    let own = home.run(&["node-status", "-self"]).with_code(0).out;
    assert!(
        own.contains("\nAllocated Resources\n") && own.contains("\nHost Resource Utilization\n"),
        "{own}"
    );

    let said = home.run(&["node-drain", "-enable", "-self"]).with_code(5);
    assert!(
        said.err.contains("no terminal to ask on") && said.err.contains("-yes"),
        "{}",
        said.err
    );
    let said = home
        .run(&["node-drain", "-enable", "-self", "-yes", "-deadline", "10m"])
        .with_code(0);
    assert!(said.out.contains("safe to terminate"), "{}", said.out);
    assert!(
        home.run(&["node-status"])
            .out
            .contains("true   ready   ineligible")
    );
    let detail = json(&home.run(&["node-status", "-self", "-json"]).with_code(0));
    assert_eq!(detail["node"]["safe_to_terminate"], true);
    let said = home.run(&["node-drain", "-disable", "-self"]).with_code(0);
    assert!(said.out.contains("takes new work again"), "{}", said.out);
    home.run(&["node-status", "no-such-node"]).with_code(4);
}

#[test]
fn the_first_interrupt_cancels_and_the_build_ends_with_130() {
    let home = Home::new();
    home.repository("web", LONG);
    let mut build = home.start(&["build", "web"]);
    let mut lines = BufReader::new(build.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap() == "line 2"));
    let pid = rustix::process::Pid::from_child(&build);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    assert_eq!(build.wait().unwrap().code(), Some(130), "{rest:#?}");
    assert!(
        rest.iter()
            .any(|line| line.starts_with("local/web #1 canceled")),
        "{rest:#?}"
    );
}

#[test]
fn a_build_outlives_the_server_and_shows_every_line_once() {
    let home = Home::new();
    home.repository("web", &LONG.replace("600", "30"));
    let mut build = home.start(&["build", "web"]);
    let mut lines = BufReader::new(build.stdout.take().unwrap()).lines();
    let mut said: Vec<String> = Vec::new();
    while said.last().is_none_or(|line| line != "line 3") {
        said.push(lines.next().unwrap().unwrap());
    }
    home.kill_server();
    // The build itself starts no server; another verb does.
    home.run(&["status"]).with_code(0);
    said.extend(lines.map(Result::unwrap));
    assert_eq!(build.wait().unwrap().code(), Some(0), "{said:#?}");
    let counted: Vec<_> = said
        .iter()
        .filter(|line| line.starts_with("line "))
        .cloned()
        .collect();
    assert_eq!(
        counted,
        (1..=30).map(|n| format!("line {n}")).collect::<Vec<_>>()
    );
}

#[test]
fn what_a_step_left_running_writes_after_its_end_is_shown_too() {
    let home = Home::new();
    let (go, done) = (home.path("go"), home.path("done"));
    let config = format!(
        r#"version: 2.1
jobs:
  job:
    machine: true
    steps:
      - run: {{name: Behind, command: 'until [ -e {go} ]; do sleep 0.1; done; echo from behind; printf "no end"; touch {done}', background: true}}
      - run: {{name: In front, command: 'echo in front; until [ -e {done} ]; do sleep 0.1; done'}}
workflows: {{main: {{jobs: [job]}}}}
"#,
        go = go.display(),
        done = done.display()
    );
    home.repository("web", &config);
    let follow: [&[&str]; 3] = [
        &["build", "web"],
        &["logs", "web#1", "-f"],
        &["logs", "web#1", "-f", "-n", "1"],
    ];
    let mut followed: Vec<_> = follow
        .iter()
        .map(|words| {
            let mut child = home.start(words);
            let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
            // By now the step in the background is over, for whoever reads its row.
            let front = lines
                .by_ref()
                .map(Result::unwrap)
                .find(|line| line.contains("in front"));
            assert!(front.is_some(), "{words:?}");
            (words, child, lines)
        })
        .collect();
    fs::write(&go, "").unwrap();
    for (words, child, lines) in &mut followed {
        let shown: Vec<String> = lines.map(Result::unwrap).collect();
        assert!(child.wait().unwrap().success());
        for text in ["from behind", "no end"] {
            let times = shown.iter().filter(|line| line.contains(text)).count();
            assert_eq!(times, 1, "{words:?}: {shown:#?}");
        }
    }
}

#[test]
fn a_data_directory_of_a_newer_roundel_is_refused_with_both_numbers() {
    let home = Home::new();
    fs::create_dir(home.data()).unwrap();
    fs::write(home.data().join("VERSION"), "7\n").unwrap();
    let said = home.run(&["status"]).with_code(4);
    assert!(
        said.err.contains("form 7") && said.err.contains("hint"),
        "{}",
        said.err
    );
    let said = home.run(&["serve"]).with_code(4);
    assert!(said.err.contains("form 7"), "{}", said.err);
}

#[test]
fn a_second_server_on_the_directory_is_a_conflict() {
    let home = Home::new();
    home.run(&["status"]).with_code(0);
    let said = home.run(&["serve"]).with_code(4);
    assert!(said.err.contains("another server"), "{}", said.err);
    // One that was only meant to be there ends well: somebody is.
    home.run(&["serve", "--auto"]).with_code(0);
}

#[test]
fn a_terminal_gets_headings_and_no_command_of_a_job() {
    let home = Home::new();
    home.repository("web", TWO);
    let run = ["logs", "web#1"];
    home.run(&["build", "web"]).with_code(0);
    let said = home.on_terminal(&run, "");
    assert!(said.contains("==> build: Say it"), "{said:?}");
    assert!(said.contains("one\r\ntwo\r\nthree\r\n"), "{said:?}");
    let plain = said.replace("\x1b[1m", "").replace("\x1b[0m", "");
    assert!(
        !plain.contains('\x1b'),
        "only our own emphasis is left: {said:?}"
    );
    let said = home.on_terminal(&["--no-color", "logs", "web#1"], "");
    assert!(!said.contains('\x1b'), "{said:?}");
}

#[test]
fn a_drain_is_asked_for_on_a_terminal() {
    let home = Home::new();
    let said = home.on_terminal(&["node-drain", "-enable", "-self"], "n\n");
    assert!(
        said.contains("[y/N]") && said.contains("nothing was changed"),
        "{said:?}"
    );
    assert!(
        home.run(&["node-status"])
            .out
            .contains("false  ready   eligible")
    );
    let said = home.on_terminal(&["node-drain", "-enable", "-self"], "y\n");
    assert!(said.contains("safe to terminate"), "{said:?}");
}
