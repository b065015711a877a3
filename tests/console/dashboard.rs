//! The dashboard: what the console opens with once something was built, what needs somebody, and the installation
//! stopped and started from it.

use std::fs;

use crate::support::{Home, THREE, Terminal, gated, key, until};

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 36), (200, 60)];

fn frame(home: &Home, size: &str) -> String {
    let words = ["console", "--once", "--screen", "dashboard", "--size", size];
    home.run(&words).with_code(0).out
}

#[test]
fn the_console_opens_with_it_once_something_was_built() {
    let home = Home::new();
    home.repository("web", THREE);
    home.run(&["build", "web"]).with_code(0);
    for size in SIZES {
        let mut console = Terminal::start(&home.command(&[]), size);
        console.sees(&[
            "● Started",
            "Needs attention",
            "Services",
            "commits within",
            "Last builds",
            "local/web #1",
        ]);
        assert!(
            console.screen().strange().is_empty(),
            "{}",
            console.screen()
        );
        console.press("3", &["STATUS", "BUILD"]);
        console.press("1", &["Needs attention"]);
        console.press("3", &["STATUS", "BUILD"]);
        console.press("gd", &["Needs attention"]);
        console.press("G", &["commit  "]);
        console.press(key::ENTER, &["Builds › local/web #1"]);
        console.press(key::ESC, &["Needs attention"]);
    }
}

#[test]
fn one_frame_of_it_is_printed_at_any_size_and_as_json() {
    let home = Home::new();
    home.repository("web", THREE);
    home.run(&["build", "web"]).with_code(0);
    for size in ["80x24", "120x36", "200x60"] {
        let text = frame(&home, size);
        for word in [
            "● Started",
            "Needs attention",
            "engine",
            "api socket",
            "local/web #1",
        ] {
            assert!(text.contains(word), "{size}: {word}\n{text}");
        }
        let (columns, rows) = size.split_once('x').unwrap();
        assert_eq!(text.lines().count(), rows.parse::<usize>().unwrap());
        let widest = text.lines().map(|line| line.chars().count()).max();
        assert!(widest <= columns.parse().ok(), "{size}\n{text}");
    }
    let words = [
        "console",
        "--once",
        "--screen",
        "dashboard",
        "--format",
        "json",
    ];
    let json = home.json(&words);
    let row = &json["rows"][0];
    assert_eq!(row["built"], 1);
    assert_eq!(row["installation"]["phase"], "started");
    assert_eq!(row["services"].as_array().unwrap().len(), 7);
    let placed = row["objective"]["minutes"].as_array().unwrap().iter();
    let runs: u64 = placed.map(|minute| minute["runs"].as_u64().unwrap()).sum();
    assert_eq!(runs, 4, "three jobs, one of them in two copies: {row:#}");
    let memory = row["machine"]["samples"][0]["memory_total_mb"].as_u64();
    assert!(memory > Some(0), "{row:#}");
}

#[test]
fn a_stop_from_the_dashboard_is_seen_everywhere_and_what_waits_says_why() {
    let home = Home::new();
    let gate = home.path("gate");
    fs::create_dir(&gate).unwrap();
    home.repository("slow", &gated(&gate));
    home.repository("web", THREE);
    let mut slow = home.command(&["build", "slow"]);
    let mut slow = slow.stdout(std::process::Stdio::null()).spawn().unwrap();
    let mut console = Terminal::open(&home, (120, 36), &["console", "--screen", "dashboard"]);
    console.sees(&["● Started", "1 running"]);
    console.press(
        "X",
        &[
            "Stop the installation?",
            "1 run goes on",
            "[ Cancel ]",
            "roundel services stop",
        ],
    );
    console.keys(key::ENTER);
    console.loses("Stop the installation?");
    console.press("X", &["[ Cancel ]"]);
    console.press(key::RIGHT, &["[ Stop now ]"]);
    console.press(
        key::ENTER,
        &["◐ Stopping", "◐ stopping", "the installation is stopping"],
    );

    let mut web = home.command(&["build", "web"]);
    let mut web = web.stdout(std::process::Stdio::null()).spawn().unwrap();
    console.press("2", &["the installation is stopped, by "]);
    fs::write(gate.join("end"), "").unwrap();
    assert!(slow.wait().unwrap().success());
    // On every screen, in the bar at the top.
    for (tab, words) in [
        ("3", "STATUS"),
        ("4", "1 node"),
        ("7", "installation.stopped"),
        ("2", "waiting"),
    ] {
        console.press(tab, &[words, "○ stopped"]);
    }
    console.press("1", &["○ Stopped", "runs wait"]);
    console.press("X", &["Start the installation?", "[ Cancel ]"]);
    console.press(key::RIGHT, &["[ Start now ]"]);
    console.press(key::ENTER, &["● Started"]);
    console.loses("○ stopped");
    assert!(web.wait().unwrap().success());
    console.press(
        "@",
        &["roundel services stop -yes", "roundel services start"],
    );
}

#[test]
fn what_needs_somebody_is_told_and_enter_goes_there() {
    let home = Home::new();
    let macos = "version: 2.1\njobs:\n  ios:\n    macos: {xcode: 15.0.0}\n    steps: [{run: echo x}]\n\
                 workflows: {main: {jobs: [ios]}}\n";
    home.repository("app", macos);
    home.run(&["build", "app"]).with_code(3);
    home.run(&["node-drain", "-enable", "-self", "-yes"])
        .with_code(0);
    until("both are told", || {
        let text = frame(&home, "120x36");
        text.contains("1 run will never start") && text.contains("safe to terminate")
    });
    let mut console = Terminal::open(&home, (80, 24), &["console", "--screen", "dashboard"]);
    console.sees(&[
        "Needs attention  2",
        "1 run will never start",
        "safe to terminate",
    ]);
    console.press(key::ENTER, &["ios", "will never start"]);
    console.loses("Needs attention");
    console.press(key::ESC, &["Needs attention"]);
    console.press("j", &["node-drain -disable"]);
    console.press(key::ENTER, &["Cluster › ", "safe to terminate"]);
}
