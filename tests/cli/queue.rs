//! Runs that wait: why, in the numbers of the nodes, and what becomes of them; and the trace that each write leaves.

use std::fs;
use std::io::{BufRead, BufReader};

use roundel::clock;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::support::{Home, until};

/// So many rehearsal nodes that each is as small as they get, on any machine.
const SMALL_NODES: &str = "nodes = 64\n";

fn config(place: &str, command: &str) -> String {
    format!(
        "version: 2.1\njobs:\n  job:\n    {place}\n    steps:\n      - run: {{name: It, command: {command}}}\n\
         workflows: {{main: {{jobs: [job]}}}}\n"
    )
}

/// The newest row of a project's run, once it is in this state.
fn run_in(home: &Home, project: &str, state: &str) -> Value {
    let mut found = Value::Null;
    until(&format!("a run of {project} is {state}"), || {
        let page = home.json(&["status", "-json"]);
        let rows = page["rows"].as_array().unwrap();
        let row = rows
            .iter()
            .find(|row| row["project"] == project && row["state"] == state);
        found = row.cloned().unwrap_or_default();
        row.is_some()
    });
    found
}

/// Thousandths as they are written: `1.5`.
fn cpu(millis: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a node has few cores")]
    let cores = millis as f64 / 1000.0;
    cores.to_string()
}

fn memory(mb: u64) -> String {
    if mb.is_multiple_of(1024) {
        format!("{} GB", mb / 1024)
    } else {
        format!("{mb} MB")
    }
}

/// What the largest node has for runs.
fn largest(home: &Home) -> (u64, u64) {
    let page = home.json(&["node-status", "-json"]);
    let rows = page["rows"].as_array().unwrap().iter();
    let number = |row: &Value, key: &str| row[key].as_u64().unwrap();
    rows.map(|row| {
        (
            number(row, "cpu_total_millis") - number(row, "cpu_reserved_millis"),
            number(row, "memory_total_mb") - number(row, "memory_reserved_mb"),
        )
    })
    .max()
    .unwrap()
}

#[test]
fn runs_that_no_node_can_take_say_so_in_the_numbers_of_the_nodes() {
    let home = Home::new();
    fs::create_dir_all(home.path("config/roundel")).unwrap();
    fs::write(home.path("config/roundel/config.toml"), SMALL_NODES).unwrap();
    let (most_cpu, most_memory) = largest(&home);
    // Class, its cpu and its memory, by CircleCI's tables.
    let sizes = [
        ("machine: true", "large", 4000, 15_360),
        ("machine: true", "2xlarge+", 32_000, 65_536),
        ("docker: [{image: x}]", "2xlarge", 16_000, 32_768),
    ];
    for (n, (place, class, asked_cpu, asked_memory)) in sizes.into_iter().enumerate() {
        let name = format!("size{n}");
        home.repository(
            &name,
            &config(&format!("{place}\n    resource_class: {class}"), "echo x"),
        );
        let fits = asked_cpu <= most_cpu && asked_memory <= most_memory;
        assert!(
            !fits,
            "a node of {most_cpu} and {most_memory} is no small one"
        );
        let mut lacks = Vec::new();
        if asked_cpu > most_cpu {
            let (asked, most) = (cpu(asked_cpu), cpu(most_cpu));
            lacks.push(format!("as {asked} cpu; the largest has {most}"));
        }
        if asked_memory > most_memory {
            let (asked, most) = (memory(asked_memory), memory(most_memory));
            lacks.push(format!("as {asked} memory; the largest has {most}"));
        }
        let expected = format!(
            "no node is as large {}: will never start",
            lacks.join(", nor ")
        );
        let said = home.run(&["build", "--no-engine", &name]).with_code(3);
        assert!(
            said.out
                .contains(&format!("job waits in vain: {expected}\n")),
            "{}",
            said.out
        );
        let row = run_in(&home, &format!("local/{name}"), "pending");
        assert_eq!(
            (&row["reason"]["text"], &row["reason"]["never"]),
            (&expected.into(), &true.into())
        );
    }
    home.repository("mac", &config("macos: {xcode: 15.0.0}", "echo x"));
    home.run(&["build", "mac"]).with_code(3);
    let row = run_in(&home, "local/mac", "pending");
    assert_eq!(
        row["reason"]["text"],
        "no node offers executor \"macos\": will never start"
    );
    let status = home.run(&["status"]).with_code(0).out;
    let rows: Vec<&str> = status
        .lines()
        .skip(1)
        .take_while(|line| !line.is_empty())
        .collect();
    assert_eq!(rows.len(), 4, "{status}");
    assert!(
        rows.iter()
            .all(|row| row.ends_with("batch  50        pending")),
        "{status}"
    );

    // Asked to wait, it waits, until it is told otherwise.
    let waiting = home.start(&["build", "--wait", "--no-engine", "size0"]);
    until("it is in the queue", || {
        home.json(&["status", "-json"])["total"] == 5
    });
    kill_process(Pid::from_child(&waiting), Signal::INT).unwrap();
    let output = waiting.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{output:?}");
}

#[test]
fn the_reason_of_a_waiting_run_has_the_free_room_and_follows_a_drain_within_a_second() {
    let home = Home::new();
    home.repository("web", &config("machine: true", "sleep 600"));
    // One that asks for no class takes what this machine can give, however small it is.
    let (has_cpu, has_memory) = largest(&home);
    let mut running = vec![home.start(&["build", "web"])];
    let row = run_in(&home, "local/web", "running");
    let asks = (
        row["cpu_millis"].as_u64().unwrap(),
        row["memory_mb"].as_u64().unwrap(),
    );
    assert_eq!(asks, (has_cpu.min(2000), has_memory.min(7680)));
    until("the agent's own log tells of its step", || {
        let name = row["name"].as_str().unwrap();
        let said = home.run(&["logs", "-job", "-stderr", name]).with_code(0);
        said.out.contains("step started")
    });
    assert!(
        home.run(&["status"])
            .out
            .contains("batch  50        running")
    );
    // More of the same until one waits.
    while running.len() < 2 || home.json(&["status", "-json"])["rows"][0]["state"] != "pending" {
        running.push(home.start(&["build", "web"]));
        until("it is placed or waits", || {
            home.json(&["status", "-json"])["total"] == running.len()
        });
        if running.len() as u64 <= (has_cpu / asks.0).min(has_memory / asks.1) {
            until("it runs", || {
                home.json(&["status", "-json"])["rows"][0]["state"] == "running"
            });
        }
    }
    let waiting = run_in(&home, "local/web", "pending");
    let run = waiting["name"].as_str().unwrap();
    let reason = || home.json(&["status", "-json", run])["run"]["reason"]["text"].clone();
    let in_numbers = || {
        let node = home.json(&["node-status", "-self", "-json"])["node"].clone();
        let used = |key: &str| node[key].as_u64().unwrap();
        let (free_cpu, free_memory) = (
            has_cpu - used("cpu_used_millis"),
            has_memory - used("memory_used_mb"),
        );
        let name = node["name"].as_str().unwrap();
        if free_cpu < asks.0 {
            let (asks, free) = (cpu(asks.0), cpu(free_cpu));
            format!("no node has {asks} cpu free; best is {name} with {free}")
        } else {
            let (asks, free) = (memory(asks.1), memory(free_memory));
            format!("no node has {asks} memory free; best is {name} with {free}")
        }
    };
    // Both are of a picture that is made ten times a second: at first they may be of two of them.
    let mut expected = String::new();
    until("the reason has the numbers of the node", || {
        expected = in_numbers();
        reason() == expected.as_str()
    });
    let mut quickest = u128::MAX;
    // A machine with other things to do may be late once.
    for _ in 0..5 {
        home.run(&["node-drain", "-enable", "-self", "-yes"])
            .with_code(0);
        let begun = clock::monotonic();
        until("the reason is the drain", || {
            reason() == "every node is draining or ineligible"
        });
        quickest = quickest.min(begun.elapsed().as_millis());
        home.run(&["node-drain", "-disable", "-self"]).with_code(0);
        until("the reason is the room again", || {
            reason() == expected.as_str()
        });
        if quickest < 1000 {
            break;
        }
    }
    for (switch, why) in [
        ("-disable", "every node is draining or ineligible"),
        ("-enable", expected.as_str()),
    ] {
        home.run(&["node-eligibility", switch, "-self"])
            .with_code(0);
        until("the reason follows the eligibility", || reason() == why);
    }
    assert!(quickest < 1000, "{quickest} ms");
    for build in running {
        // Its first interrupt cancels the build.
        kill_process(Pid::from_child(&build), Signal::INT).unwrap();
        assert_eq!(build.wait_with_output().unwrap().status.code(), Some(130));
    }
    let status = home.run(&["status"]).with_code(0).out;
    assert!(
        !status.contains("running") && !status.contains("pending"),
        "{status}"
    );
}

#[test]
fn a_second_interrupt_leaves_at_once_and_the_build_is_cancelled() {
    let home = Home::new();
    // It takes its time to go.
    home.repository(
        "web",
        &config(
            "machine: true",
            "\"trap '' TERM INT; echo begun; while :; do sleep 0.2; done\"",
        ),
    );
    let mut child = home.start(&["build", "web"]);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap() == "begun"));
    let mut notes = BufReader::new(child.stderr.take().unwrap()).lines();
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert!(notes.any(|line| line.unwrap().contains("a second ctrl-c leaves it at once")));
    let begun = clock::monotonic();
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(
        begun.elapsed().as_secs() < 4,
        "it did not wait for the job, which takes five seconds to be killed"
    );
    assert_eq!(run_in(&home, "local/web", "dead")["outcome"], "canceled");
}

#[test]
fn every_write_leaves_a_row_and_a_refused_one_too() {
    let home = Home::new();
    home.repository("web", &config("machine: true", "\"false\""));
    home.repository("slow", &config("machine: true", "sleep 600"));
    home.repository(
        "bad",
        "version: 2.1\njobs: {}\nworkflows: {main: {jobs: [none]}}\n",
    );
    home.run(&["build", "web"]).with_code(1);
    home.run(&["build", "bad"]).with_code(2);
    let pipeline = home.json(&["status", "-json"])["rows"][0]["pipeline"].clone();
    let pipeline = pipeline.as_str().unwrap();
    home.run(&["rerun", "--from-failed", pipeline]).with_code(0);
    until("the rerun has ended", || {
        let page = home.json(&["status", "-json"]);
        page["total"] == 2 && page["rows"][0]["state"] == "dead"
    });
    let stopped = home.start(&["build", "slow"]);
    let row = run_in(&home, "local/slow", "running");
    home.run(&["stop", "-yes", row["name"].as_str().unwrap()])
        .with_code(0);
    assert_eq!(stopped.wait_with_output().unwrap().status.code(), Some(1));
    let cancelled = home.start(&["build", "slow"]);
    let row = run_in(&home, "local/slow", "running");
    home.run(&["cancel", row["pipeline"].as_str().unwrap()])
        .with_code(0);
    assert_eq!(cancelled.wait_with_output().unwrap().status.code(), Some(1));
    home.run(&["node-drain", "-enable", "-self", "-yes"])
        .with_code(0);
    home.run(&["node-drain", "-disable", "-self"]).with_code(0);
    // It has ended already: refused, and written down.
    home.run(&["cancel", row["pipeline"].as_str().unwrap()])
        .with_code(4);

    let audit = home.json(&["audit", "list", "-json"]);
    let mut rows: Vec<(&str, bool)> = audit["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["action"].as_str().unwrap(), row["result"] == "ok"))
        .collect();
    rows.reverse();
    let expected = [
        ("build.create", true),
        ("build.create", true),
        ("workflow.rerun", true),
        ("build.create", true),
        ("run.stop", true),
        ("build.create", true),
        ("pipeline.cancel", true),
        ("node.drain", true),
        ("node.drain", true),
        ("pipeline.cancel", false),
    ];
    assert_eq!(rows, expected, "{audit:#}");
    for row in audit["rows"].as_array().unwrap() {
        let uid = rustix::process::getuid().as_raw();
        assert!(
            row["actor"]
                .as_str()
                .unwrap()
                .starts_with(&format!("uid {uid}")),
            "{row}"
        );
    }
}
