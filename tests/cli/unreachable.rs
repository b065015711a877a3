//! Build Agents that are held up: said wherever their run is shown, forgotten when they speak again, and ended when they
//! do not.

use std::fs;
use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde_json::Value;

use crate::support::{Home, Said, until};

const WAITS: &str = "version: 2.1\njobs:\n  job:\n    machine: true\n    \
                     steps: [{run: 'while [ ! -e ../../../../go ]; do sleep 0.05; done'}]\n\
                     workflows: {main: {jobs: [job]}}\n";

/// A home whose server bears with little silence, and with one run whose agent is held up.
struct Held {
    home: Home,
    build: Child,
    agent: Pid,
}

impl Held {
    fn new(bounds: &str) -> Self {
        let home = Home::new();
        fs::create_dir_all(home.path("config/roundel")).unwrap();
        fs::write(home.path("config/roundel/config.toml"), bounds).unwrap();
        home.repository("app", WAITS);
        let mut build = home.command(&["build", "app"]);
        let told = fs::File::create(home.path("told")).unwrap();
        let build = build.stdout(Stdio::piped()).stderr(told).spawn().unwrap();
        let attempts = home.data().join("attempts");
        let mut agent = None;
        until("the run has begun", || {
            let dir = fs::read_dir(&attempts)
                .ok()
                .and_then(|mut dirs| dirs.next());
            agent = dir.and_then(|dir| {
                let text = fs::read_to_string(dir.unwrap().path().join("pid")).ok()?;
                Pid::from_raw(text.split(' ').next()?.parse().ok()?)
            });
            agent.is_some() && row(&home)["step"] == 1
        });
        let held = Self {
            home,
            build,
            agent: agent.unwrap(),
        };
        kill_process(held.agent, Signal::STOP).unwrap();
        until("it is missed", || row(&held.home)["unreachable"] == true);
        held
    }

    fn ends(self) -> (Home, Said) {
        let said = Said::from(self.build.wait_with_output().unwrap());
        until("the agent is gone", || {
            test_kill_process(self.agent).is_err()
        });
        (self.home, said)
    }
}

fn row(home: &Home) -> Value {
    home.json(&["status", "-json"])["rows"][0].clone()
}

#[test]
fn silence_is_told_wherever_the_run_is_shown_until_the_agent_speaks_again() {
    let held = Held::new("silence = \"2s\"\n");
    let home = &held.home;
    let heard = row(home)["heard_at"].as_str().unwrap().to_owned();
    let name = row(home)["name"].as_str().unwrap().to_owned();
    let shown = |words: &[&str]| home.run(words).with_code(0).out;
    let sentence = format!("(its agent is unreachable, last heard of {heard})");
    assert!(shown(&["status", &name]).contains(&sentence));
    let list = shown(&["status"]);
    assert!(
        list.contains("Last heard of") && list.contains(&heard),
        "{list}"
    );
    until("the services miss it too", || {
        shown(&["services"]).contains("1 agent, 1 unreachable")
    });
    let (_, dashboard) = home.http("/api/roundel/v1/dashboard");
    let concern = "the Build Agent of local/app #1 job is unreachable";
    assert!(dashboard.contains(concern), "{dashboard}");
    let (_, metrics) = home.http("/metrics");
    let sample = "\nroundel_runs{state=\"unreachable\"} 1\n";
    assert!(metrics.contains(sample), "{metrics}");
    let node = format!("node:{}", row(home)["node"].as_str().unwrap());
    for (screen, words) in [
        ("job:app#1/job", "! agent unreachable for "),
        (node.as_str(), "! unreachable"),
    ] {
        let frame = shown(&["console", "--once", "--screen", screen, "--size", "120x36"]);
        assert!(frame.contains(words), "{screen}: {frame}");
    }

    kill_process(held.agent, Signal::CONT).unwrap();
    until("it is heard again", || row(home)["unreachable"] == false);
    assert!(row(home)["heard_at"].is_null());
    let told = || fs::read_to_string(home.path("told")).unwrap();
    until("whoever follows is told", || {
        told().contains("the Build Agent of job is back")
    });
    let missed = format!("the Build Agent of job is unreachable, last heard of {heard}");
    assert!(told().contains(&missed), "{}", told());
    fs::write(home.data().join("go"), "").unwrap();
    held.ends().1.with_code(0);
}

#[test]
fn a_run_ends_at_its_deadline_and_a_step_at_the_end_of_its_patience() {
    let home = Home::new();
    fs::create_dir_all(home.path("config/roundel")).unwrap();
    let bounds = "deadline = \"2s\"\n";
    fs::write(home.path("config/roundel/config.toml"), bounds).unwrap();
    home.repository("app", WAITS);
    let quiet = "steps: [{run: {command: sleep 60, no_output_timeout: 1s}}]\n";
    let config = WAITS.replace(
        "steps: [{run: 'while [ ! -e ../../../../go ]; do sleep 0.05; done'}]\n",
        quiet,
    );
    home.repository("quiet", &config);
    for (name, cause) in [
        ("app", "the run took longer than 2s"),
        ("quiet", "too long with no output (exceeded 1s)"),
    ] {
        home.run(&["build", name]).with_code(1);
        let row = row(&home);
        assert_eq!(row["outcome"], "timedout", "{row}");
        assert!(row["cause"].as_str().unwrap().contains(cause), "{row}");
    }
}

#[test]
fn a_held_up_agent_is_killed_soon_after_the_deadline_of_its_run() {
    let held = Held::new("silence = \"2s\"\ndeadline = \"4s\"\n");
    let (home, said) = held.ends();
    said.with_code(3);
    let row = row(&home);
    assert_eq!(row["outcome"], "infrastructure_fail", "{row}");
    let cause = row["cause"].as_str().unwrap();
    assert!(
        cause.contains("did not end the run at its deadline"),
        "{cause}"
    );
    until("its files are gone", || {
        let attempts = fs::read_dir(home.data().join("attempts"));
        attempts.unwrap().next().is_none()
    });
}

#[test]
fn so_it_is_by_the_server_that_comes_after() {
    let held = Held::new("silence = \"2s\"\ndeadline = \"6s\"\n");
    held.home.kill_server();
    // Somebody looks, and so a server starts.
    held.home.run(&["status"]).with_code(0);
    let (home, said) = held.ends();
    said.with_code(3);
    assert_eq!(row(&home)["outcome"], "infrastructure_fail");
}

#[test]
fn a_held_up_agent_that_is_told_to_stop_is_killed() {
    let held = Held::new("silence = \"2s\"\n");
    let name = row(&held.home)["name"].as_str().unwrap().to_owned();
    held.home.run(&["stop", &name]).with_code(0);
    let (home, _) = held.ends();
    until("the run is over", || row(&home)["state"] == "dead");
    assert_eq!(row(&home)["outcome"], "canceled");
}
