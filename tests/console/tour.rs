//! From the first start through every screen, by the keys that people know.

use std::fs;

use crate::support::{Home, THREE, Terminal, gated, key};

/// Sizes at which everything must be there: the least common denominator, and a comfortable one.
const SIZES: [(u16, u16); 2] = [(80, 24), (120, 36)];

#[test]
fn the_first_start_offers_the_repository_of_this_directory() {
    for size in SIZES {
        let home = Home::new();
        let repository = home.repository("web", THREE);
        let mut command = home.command(&[]);
        command.current_dir(&repository);
        let mut console = Terminal::start(&command, size);
        console.sees(&[
            "Nothing has been built here yet.",
            "web   branch main at ",
            "3 jobs, 1 workflow",
            "Build it",
            "Path or URL of another",
            "roundel build .",
            "Enter build",
            "? help",
        ]);
        console.press("2", &["Nothing waits.", "roundel build ."]);
        console.press("4", &["1 node", "ready", "NAME", "STATUS"]);
        console.press("3", &["Build it"]);
        console.press(key::ENTER, &["local/web #1", "build", "lint", "test"]);
        console.press(key::ESC, &["STATUS", "BUILD", "local/web #1"]);
        assert!(
            console.screen().strange().is_empty(),
            "{}",
            console.screen()
        );
    }
}

#[test]
fn elsewhere_it_asks_for_a_path_or_url() {
    for size in SIZES {
        let home = Home::new();
        let repository = home.repository("web", THREE);
        let mut console = Terminal::open(&home, size, &[]);
        console.sees(&[
            "This directory is no git repository",
            "Path or URL of another",
        ]);
        console.press("P", &["path or URL of a git repository to build"]);
        console.keys(repository.to_str().unwrap());
        console.sees(&["/web"]);
        console.press(key::ENTER, &["local/web #1"]);
    }
}

#[test]
fn rows_lead_to_the_job_and_its_log_and_esc_leads_back_but_never_out() {
    let home = Home::new();
    home.repository("web", THREE);
    home.run(&["build", "web"]).with_code(0);
    for size in SIZES {
        let mut console = Terminal::open(&home, size, &[]);
        console.sees(&["local/web #1", "success", "3/3"]);
        console.press(key::ENTER, &["Builds › ", "build number", "lint", "test"]);
        console.press(key::ENTER, &["Steps", "Say it", "one", "two", "three"]);
        console.press("s", &["Say it", "3 lines"]);
        console.loses("Steps");
        console.press("s", &["Steps"]);
        console.keys(key::ESC);
        console.wait("the steps have the keys", |screen| {
            let (steps, accent) = (screen.find("Steps"), screen.find("◆"));
            steps.zip(accent).is_some_and(|(a, b)| a.1.fg == b.1.fg)
        });
        console.keys(key::ESC);
        console.loses("Steps");
        console.sees(&["Builds › "]);
        console.press(key::ESC, &["STATUS", "BUILD"]);
        console.press(key::ESC, &["q quits"]);
        console.press("2", &["Nothing waits."]);
        console.press(key::ESC, &["q quits"]);
        assert!(console.runs());
    }
}

#[test]
fn a_build_shows_up_in_an_open_console_and_its_log_follows() {
    let home = Home::new();
    let gate = home.path("gate");
    fs::create_dir(&gate).unwrap();
    home.repository("slow", &gated(&gate));
    let mut console = Terminal::open(&home, (120, 36), &[]);
    console.sees(&["Nothing has been built here yet."]);
    let mut build = home.command(&["build", "slow"]);
    let mut build = build.stdout(std::process::Stdio::null()).spawn().unwrap();
    console.sees(&["local/slow #1", "running"]);
    console.press(key::ENTER, &["Builds › ", "build number"]);
    console.press("l", &["Steps", "Wait"]);
    // More lines than the screen has, each seen before the next is written.
    for n in 1..=40 {
        fs::write(gate.join(n.to_string()), "").unwrap();
        console.sees(&[&format!("line number {n}")]);
    }
    fs::write(gate.join("end"), "").unwrap();
    console.sees(&["success", "line number 40"]);
    assert!(build.wait().unwrap().success());
}

#[test]
fn the_command_line_the_filter_and_the_help_do_what_they_say() {
    let home = Home::new();
    home.repository("web", THREE);
    home.repository("api", THREE);
    home.run(&["build", "web"]).with_code(0);
    home.run(&["build", "api"]).with_code(0);
    home.run(&["build", "api"]).with_code(0);
    for size in SIZES {
        let mut console = Terminal::open(&home, size, &[]);
        console.sees(&["local/web #1", "local/api #1"]);
        console.keys("/web");
        console.wait("only the row that matches", |screen| {
            let text = screen.text();
            text.contains("1 of 1 shown")
                || (text.contains("local/web #1") && !text.contains("local/api #1"))
        });
        console.keys(key::ENTER);
        console.sees(&["filter / web"]);
        console.press(key::ESC, &["local/api #1", "filter / none"]);
        console.press("?", &["Keys", "Builds", "run it again"]);
        console.press("G", &["quit; twice leaves at once"]);
        console.keys(key::ESC);
        console.loses("quit; twice leaves at once");
        console.press(":", &["cluster"]);
        console.press("cluster", &["cluster"]);
        console.press(key::ENTER, &["1 node", "ready"]);
        // Builds are numbered apart from their jobs: a build by its name is that build.
        console.press("3", &["local/api #1"]);
        console.press(":", &["queue"]);
        console.press("api #2", &["pipeline local/api #2"]);
        console.press(key::TAB, &[": pipeline local/api #2"]);
        console.press(key::ENTER, &["Builds › local/api #2", "build number"]);
        console.press(":", &["queue"]);
        console.press("clusterr", &["clusterr"]);
        console.press(key::ENTER, &["nearest: cluster"]);
    }
}

#[test]
fn quitting_asks_first_and_says_that_builds_go_on() {
    let home = Home::new();
    let mut console = Terminal::open(&home, (80, 24), &[]);
    console.sees(&["Nothing has been built here yet."]);
    console.press(
        "q",
        &[
            "Leave the console?",
            "Builds never end with a console",
            "[ Stay ]",
            "Quit",
        ],
    );
    console.keys(key::ESC);
    console.loses("Leave the console?");
    console.press("q", &["[ Stay ]"]);
    console.press(key::RIGHT, &["[ Quit ]"]);
    console.keys(key::ENTER);
    assert!(console.ended().success());
    console.is_given_back();
}

#[test]
fn another_size_is_drawn_anew() {
    let home = Home::new();
    home.repository("web", THREE);
    home.run(&["build", "web"]).with_code(0);
    let console = Terminal::open(&home, (80, 24), &[]);
    console.sees(&["local/web #1"]);
    for size in [(120, 36), (59, 14), (200, 50), (80, 24)] {
        console.resize(size);
        console.sees(&["local/web #1"]);
    }
}
