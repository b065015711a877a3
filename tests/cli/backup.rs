//! A backup made while builds run, restored elsewhere, answers as the installation did.

use std::fs;

use serde_json::Value;

use crate::support::{Home, Said};

/// Output on both streams that is worth comparing.
const TALKS: &str = r#"version: 2.1
jobs:
  talk:
    machine: true
    steps:
      - run: {name: Talk, command: "for i in $(seq 2000); do echo line $i; echo err $i >&2; done"}
workflows: {main: {jobs: [talk]}}
"#;

fn json(said: &Said) -> Value {
    serde_json::from_str(&said.out).unwrap()
}

/// Everything that lists of the API say, but what names the moment of asking.
fn answers(home: &Home, data: &str) -> Vec<Value> {
    let ask = |words: &[&str]| {
        let words: Vec<&str> = ["--data", data, "--json"]
            .iter()
            .chain(words)
            .copied()
            .collect();
        json(&home.run(&words).with_code(0))
    };
    let mut answers = vec![
        ask(&["status"]),
        ask(&["status", "web#1"]),
        ask(&["audit", "list"]),
    ];
    for answer in &mut answers {
        if let Some(page) = answer.as_object_mut() {
            page.remove("seq");
        }
    }
    answers
}

#[test]
fn a_restored_backup_answers_as_the_installation_did() {
    let home = Home::new();
    home.repository("web", TALKS);
    home.run(&["build", "web"]).with_code(0);
    let made = json(
        &home
            .run(&["backup", "create", "kept", "--json"])
            .with_code(0),
    );
    assert_eq!(
        (&made["pipelines"], &made["logs"]),
        (&1.into(), &true.into())
    );

    let log = home.run(&["logs", "web#1"]).with_code(0).out;
    assert!(log.contains("line 2000\n") && log.contains("err 2000\n"));
    let data = home.data();
    let before = answers(&home, data.to_str().unwrap());
    // The deed itself is in the audit log of the one, and after the moment of the other.
    let (last, rest) = before[2]["rows"].as_array().unwrap().split_first().unwrap();
    assert_eq!(
        (&last["action"], &last["result"]),
        (&"backup.create".into(), &"ok".into())
    );
    let expected = rest.to_vec();

    home.run(&["backup", "verify", "kept"]).with_code(0);
    let again = home.path("again");
    let again = again.to_str().unwrap();
    home.run(&["backup", "restore", "kept", again]).with_code(0);
    let restored = answers(&home, again);
    assert_eq!(before[..2], restored[..2]);
    assert_eq!(&expected, restored[2]["rows"].as_array().unwrap());
    assert_eq!(
        log,
        home.run(&["--data", again, "logs", "web#1"])
            .with_code(0)
            .out
    );
    // A build there goes on counting where the other stopped.
    let said = home.run(&["--data", again, "build", "web"]).with_code(0);
    assert!(said.out.contains("local/web #2 success"), "{}", said.out);
    end(again);
}

#[test]
fn a_log_that_no_backup_held_is_told_to_be_missing() {
    let home = Home::new();
    home.repository("web", TALKS);
    home.run(&["build", "web"]).with_code(0);
    home.run(&["backup", "create", "kept", "--without-logs"])
        .with_code(0);
    let again = home.path("again");
    let again = again.to_str().unwrap();
    let said = home.run(&["backup", "restore", "kept", again]).with_code(0);
    assert!(said.out.contains("logs are not in this backup"), "{said:?}");
    assert!(!said.out.contains("It watches"), "{said:?}");
    for words in [&["logs", "web#1"][..], &["logs", "web#1", "--json"]] {
        let words = [&["--data", again], words].concat();
        let missing = home.run(&words).with_code(4);
        assert!(
            missing.err.contains("there is no log of the run"),
            "{missing:?}"
        );
        assert!(missing.err.contains("folder `logs`"), "{missing:?}");
    }
    let place = home.data().join("logs/kept");
    let within = home
        .run(&["backup", "create", place.to_str().unwrap()])
        .with_code(2);
    assert!(within.err.contains("would be lost with it"), "{within:?}");
    end(again);
}

/// A restore that was killed before the database was there would look like an empty installation.
#[test]
fn an_interrupted_restore_is_no_installation() {
    let home = Home::new();
    home.run(&["backup", "create", "kept"]).with_code(0);
    home.run(&["backup", "restore", "kept", "again"])
        .with_code(0);
    assert!(!home.path("again/restoring").exists());

    let half = home.path("half");
    fs::create_dir(&half).unwrap();
    fs::write(half.join("restoring"), "").unwrap();
    let half = half.to_str().unwrap();
    for verb in ["serve", "status"] {
        let said = home.run(&["--data", half, verb]).with_code(4);
        assert!(
            said.err.contains(half)
                && said.err.contains("restore that was interrupted")
                && said.err.contains("remove the directory"),
            "{}",
            said.err
        );
    }
    for made in ["roundel.db", "VERSION", "lock", "attempts"] {
        assert!(!home.path("half").join(made).exists(), "{made}");
    }
    let said = home.run(&["--data", half, "doctor"]).with_code(3);
    assert!(said.out.contains("interrupted"), "{}", said.out);
    let said = home.run(&["backup", "restore", "kept", half]).with_code(4);
    assert!(
        said.err.contains("is not empty") && said.err.contains("interrupted"),
        "{}",
        said.err
    );
}

#[test]
fn what_runs_at_the_moment_of_the_backup_ends_where_it_is_restored() {
    let home = Home::new();
    let gate = home.path("gate");
    let slow = format!(
        "version: 2.1\njobs:\n  slow:\n    machine: true\n    steps:\n      - run: while [ ! -e {} ]; do echo on; sleep 0.05; done\nworkflows: {{main: {{jobs: [slow]}}}}\n",
        gate.display()
    );
    home.repository("web", &slow);
    let mut build = home
        .command(&["build", "web"])
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    crate::support::until("the run runs", || {
        home.run(&["logs", "web#1"]).out.contains("on\n")
    });
    home.run(&["backup", "create", "kept"]).with_code(0);
    fs::write(&gate, "").unwrap();
    assert!(
        build.wait().unwrap().success(),
        "a backup is in nobody's way"
    );
    let again = home.path("again");
    let again = again.to_str().unwrap();
    home.run(&["backup", "restore", "kept", again]).with_code(0);
    crate::support::until("the run that was running there is over", || {
        let row = json(&home.run(&["--data", again, "--json", "status", "web#1"]));
        row["run"]["outcome"] == "infrastructure_fail"
    });
    let log = home
        .run(&["--data", again, "logs", "web#1"])
        .with_code(0)
        .out;
    assert!(log.starts_with("on\n") || log.contains("\non\n"), "{log}");
    end(again);
}

#[test]
fn damage_is_named_and_nothing_is_written_over() {
    let home = Home::new();
    home.repository("web", TALKS);
    home.run(&["build", "web"]).with_code(0);
    home.run(&["backup", "create", "kept"]).with_code(0);
    let said = home.run(&["backup", "create", "kept"]).with_code(4);
    assert!(said.err.contains("is not empty"), "{}", said.err);
    let data = home.data();
    let said = home
        .run(&["backup", "restore", "kept", data.to_str().unwrap()])
        .with_code(4);
    assert!(said.err.contains("is not empty"), "{}", said.err);
    let database = home.path("kept/roundel.db");
    let mut bytes = fs::read(&database).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    fs::write(&database, bytes).unwrap();
    let said = home.run(&["backup", "verify", "kept"]).with_code(3);
    assert!(
        said.err.contains("roundel.db is not what it was"),
        "{}",
        said.err
    );
    let said = home
        .run(&["backup", "restore", "kept", "elsewhere"])
        .with_code(3);
    assert!(said.err.contains("damaged"), "{}", said.err);
    assert!(!home.path("elsewhere").exists());
    let said = home.run(&["backup", "verify", "web"]).with_code(2);
    assert!(said.err.contains("is no backup"), "{}", said.err);
}

/// Ends the server of another data directory than the home's own.
fn end(data: &str) {
    let pid: i32 = fs::read_to_string(std::path::Path::new(data).join("lock"))
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    crate::support::until("its server is gone", || {
        rustix::process::test_kill_process(pid).is_err()
    });
}
