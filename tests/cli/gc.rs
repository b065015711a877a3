//! Housekeeping by its verb, on real builds: what goes, what stays, and a server that is killed in the middle of it.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::support::{Home, until};

const ONE: &str = "version: 2.1\njobs:\n  job:\n    machine: true\n    steps: [{run: echo said it}]\n\
                   workflows: {main: {jobs: [job]}}\n";

/// An attempt of many years ago, of no run.
const LONG_AGO: &str = "0100a0b1-c2d3-7e4f-8a5b-0123456789ab";

fn runs(home: &Home) -> Vec<Value> {
    let page = home.json(&["status", "-json"]);
    page["rows"].as_array().unwrap().clone()
}

fn log_of(home: &Home, run: &Value) -> PathBuf {
    let attempt = run["attempt"].as_str().unwrap();
    home.data().join("logs").join(attempt)
}

#[test]
fn a_log_that_was_kept_for_long_enough_goes_and_says_so_where_it_would_be() {
    let home = Home::new();
    home.repository("app", ONE);
    home.run(&["build", "app"]).with_code(0);
    let said = home.run(&["gc"]).with_code(0);
    assert!(said.out.starts_with("Removed nothing in "), "{}", said.out);

    let said = home
        .run(&["gc", "--keep", "logs=0", "--keep", "repos=forever"])
        .with_code(0);
    assert!(said.out.contains("logs      0\n"), "{}", said.out);
    assert!(said.out.contains("builds    365d\n"), "{}", said.out);
    assert!(said.out.contains("repos     forever\n"), "{}", said.out);
    let run = runs(&home).remove(0);
    let name = run["name"].as_str().unwrap();
    let said = home.run(&["gc", "--dry-run"]).with_code(0);
    assert!(
        said.out.contains(name) && said.out.contains("Would remove 1 logs ("),
        "{}",
        said.out
    );
    assert!(log_of(&home, &run).exists());

    let pass = home.json(&["gc", "-json"]);
    assert_eq!(pass["removed"][0]["kind"], "logs", "{pass}");
    assert_eq!(pass["removed"][0]["count"], 1, "{pass}");
    assert!(pass["removed"][0]["bytes"].as_u64().unwrap() > 0, "{pass}");
    assert!(!log_of(&home, &run).exists());
    let run = runs(&home).remove(0);
    let removed = run["log_removed_at"].as_str().unwrap();
    let said = home.run(&["logs", "app#1"]).with_code(4);
    let sentence = format!("the log was removed on {}, ", &removed[..10]);
    assert!(said.err.contains(&sentence), "{}", said.err);
    let said = home
        .run(&[
            "console",
            "--once",
            "--screen",
            "job:app#1/job",
            "--size",
            "120x36",
        ])
        .with_code(0);
    assert!(said.out.contains(&sentence), "{}", said.out);

    let status = home.run(&["gc", "--status"]).with_code(0).out;
    assert!(status.contains(": Removed 1 logs ("), "{status}");
    assert!(status.contains("\nNext at "), "{status}");
    let services = home.run(&["services"]).with_code(0).out;
    assert!(services.contains(" ago removed 1 logs, "), "{services}");
    let said = home.run(&["gc", "--keep", "cats=1d"]).with_code(2);
    assert!(said.err.contains("`cats` is not one of"), "{}", said.err);
}

#[test]
fn what_runs_keeps_its_files_and_what_lies_about_goes() {
    let home = Home::new();
    let waits = "version: 2.1\njobs:\n  job:\n    machine: true\n    steps: [{run: 'while [ ! -e ../../../../go ]; do sleep 0.05; done'}]\n\
                 workflows: {main: {jobs: [job]}}\n";
    home.repository("app", waits);
    let mut build = home.start(&["build", "app"]);
    let scratch = home.data().join("scratch");
    until("the run has begun", || {
        fs::read_dir(&scratch).is_ok_and(|mut entries| entries.next().is_some())
    });
    let old: Vec<PathBuf> = ["attempts", "scratch"]
        .map(|folder| home.data().join(folder).join(LONG_AGO))
        .into();
    for path in &old {
        fs::create_dir(path).unwrap();
        fs::write(path.join("file"), vec![0; 10_000]).unwrap();
    }
    let all = ["attempts=0", "scratch=0", "repos=0", "logs=0", "builds=0"];
    let mut words = vec!["gc"];
    all.iter().for_each(|one| words.extend(["--keep", one]));
    home.run(&words).with_code(0);
    let pass = home.json(&["gc", "-json"]);
    let counts: Vec<_> = pass["removed"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            (
                one["kind"].as_str().unwrap(),
                one["count"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(counts, [("attempts", 1), ("scratch", 1)]);
    assert!(old.iter().all(|path| !path.exists()));
    fs::write(home.data().join("go"), "").unwrap();
    assert!(build.wait().unwrap().success(), "it had all it needed");
}

#[test]
fn a_build_whose_mirror_was_removed_is_run_again_all_the_same() {
    let home = Home::new();
    home.repository("app", &ONE.replace("[{run", "[checkout, {run"));
    home.run(&["build", "app"]).with_code(0);
    fs::write(home.path("app/more"), "").unwrap();
    home.commit("app", "More");
    home.run(&["gc", "--keep", "repos=0"]).with_code(0);
    let mirrors = || {
        let names = fs::read_dir(home.data().join("repos")).unwrap();
        let names = names.map(|entry| entry.unwrap().path());
        names
            .filter(|path| path.extension().is_some_and(|word| word == "git"))
            .count()
    };
    assert_eq!(mirrors(), 1);
    // What was used within this very second is still in use.
    until("the mirror goes", || {
        home.run(&["gc"]).with_code(0);
        mirrors() == 0
    });
    home.run(&["rerun", "app#1"]).with_code(0);
    until("it ran again", || {
        let rows = runs(&home);
        rows.len() == 2 && rows.iter().all(|row| row["outcome"] == "success")
    });
}

#[test]
fn a_server_that_is_killed_in_the_middle_leaves_every_log_whole_or_gone() {
    const COPIES: usize = 12;
    let home = Home::new();
    home.repository(
        "app",
        &ONE.replace("    machine", "    parallelism: 12\n    machine"),
    );
    home.run(&["build", "app"]).with_code(0);
    let runs_before = runs(&home);
    assert_eq!(runs_before.len(), COPIES);
    // So that the removal of each takes a moment.
    for run in &runs_before {
        let log = log_of(&home, run);
        for n in 0..1500 {
            fs::write(log.join(format!("{n}.more")), "").unwrap();
        }
    }
    home.run(&["gc", "--keep", "logs=0"]).with_code(0);
    let mut clean = home.start(&["gc"]);
    let files = || -> usize {
        let logs = runs_before.iter().map(|run| log_of(&home, run));
        logs.filter_map(|log| Some(fs::read_dir(log).ok()?.count()))
            .sum()
    };
    let whole = files();
    until("the removal is under way", || files() < whole);
    home.kill_server();
    clean.wait().unwrap();

    // Whatever a run says of its log holds.
    for run in runs(&home) {
        let attempt = run["attempt"].as_str().unwrap();
        let said = home.run(&["logs", "--raw", attempt]);
        match run["log_removed_at"].as_str() {
            None => assert_eq!(said.with_code(0).out, "said it\n"),
            Some(_) => assert!(said.with_code(4).err.contains("the log was removed on ")),
        }
    }
    home.run(&["gc"]).with_code(0);
    assert_eq!(files(), 0);
    let left = fs::read_dir(home.data().join("logs")).unwrap().count();
    assert_eq!(left, 0);
    assert!(
        runs(&home)
            .iter()
            .all(|run| run["log_removed_at"].is_string())
    );
}

#[test]
fn the_servers_own_log_is_bounded_while_it_runs() {
    let home = Home::new();
    home.run(&["status"]).with_code(0);
    // A pass that removes something leaves a line.
    let ask = |home: &Home| {
        fs::create_dir(home.data().join("scratch").join(LONG_AGO)).unwrap();
        home.run(&["gc"]).with_code(0);
    };
    let server = home.server().unwrap();
    let folder = home.data().join("log");
    let log = folder.join("server.log");
    for _ in 0..5 {
        let file = fs::File::options().append(true).open(&log).unwrap();
        let full = 9 << 20;
        file.set_len(full).unwrap();
        until("the server goes on in another file", || {
            ask(&home);
            fs::metadata(&log).is_ok_and(|file| file.len() < full)
        });
    }
    assert_eq!(
        home.server(),
        Some(server),
        "it is the same server all the time"
    );
    let mut names: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(
        names,
        ["server.log", "server.log.1", "server.log.2", "server.log.3"]
    );
    for fd in ["1", "2"] {
        let path = format!("/proc/{}/fd/{fd}", server.as_raw_nonzero());
        assert_eq!(fs::read_link(path).unwrap(), log);
    }

    // Another that comes and goes puts it aside; this one follows.
    fs::rename(&log, folder.join("server.log.1")).unwrap();
    fs::write(&log, "").unwrap();
    until("the server writes where its log is now", || {
        ask(&home);
        fs::metadata(&log).is_ok_and(|file| file.len() > 0)
    });
}
