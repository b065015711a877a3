//! Marks and ranges: what is done to many rows at once.

use std::fs;
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};

use crate::support::{Home, THREE, Terminal, four_nodes, gated, key};

#[test]
fn marked_nodes_are_drained_together_and_all_of_them_only_by_the_words() {
    let home = Home::new();
    let mut server = four_nodes(&home);
    for size in [(80, 24), (120, 36)] {
        let mut console = Terminal::open(&home, size, &["console", "--screen", "cluster"]);
        console.sees(&["4 nodes", "4 ready"]);
        console.press(" ", &["1 marked"]);
        console.press("jv", &["3 marked"]);
        console.press("x", &["3 nodes marked", "drain 3 nodes"]);
        console.press("D", &["Drain 3 nodes?", "[ Cancel ]", "node-drain -enable"]);
        console.press(key::ENTER, &["3 marked"]);
        console.press("D", &["Drain 3 nodes?"]);
        console.press("d", &["3 of 3 went through", "3 draining"]);
        console.loses("marked");
        // One is left: draining it too takes the words.
        console.press("G ", &["1 marked"]);
        console.press("D", &["Drain 1 node?", "type “drain all” first"]);
        console.press("d", &["first:  d"]);
        console.press(key::TAB, &["[ Drain, wait ]"]);
        console.press(key::ENTER, &["type “drain all” first"]);
        console.keys("rain all");
        console.sees(&["first:  drain all"]);
        console.press(key::ENTER, &["1 of 1 went through", "4 draining"]);
        // And back, all four, each as a command behind `@`.
        console.keys("gg");
        console.acts(" ");
        console.press("Gv", &["4 marked"]);
        console.press("D", &["End the drain of 4 nodes?"]);
        console.press("e", &["4 of 4 went through", "4 ready"]);
        console.press("@", &["node-drain -disable", "node-drain -enable"]);
        console.keys(key::ESC);
        console.loses("Esc close");
        console.keys("q");
        console.sees(&["Leave the console?"]);
    }
    kill_process(Pid::from_child(&server), Signal::TERM).unwrap();
    server.wait().unwrap();
}

#[test]
fn marks_outlive_filters_and_esc_takes_them_away_first() {
    let home = Home::new();
    home.repository("web", THREE);
    home.repository("api", THREE);
    for name in ["web", "api", "web"] {
        home.run(&["build", name]).with_code(0);
    }
    let mut console = Terminal::open(&home, (120, 36), &[]);
    console.sees(&["local/web #2", "local/api #1"]);
    console.press(" ", &["1 marked"]);
    console.keys("/api");
    console.press(key::ENTER, &["filter / api", "1 marked", "1 of 1 shown"]);
    console.press(" ", &["2 marked"]);
    console.press("c", &["copied 2 names"]);
    console.press("d", &["2 marked", "local/web #2", "local/api #1"]);
    console.keys(key::ESC);
    console.loses("Esc close");
    console.keys(key::ESC);
    console.loses("marked");
    console.sees(&["filter / api"]);
    console.press(key::ESC, &["filter / none", "local/web #2"]);
    assert!(
        console.screen().strange().is_empty(),
        "{}",
        console.screen()
    );
}

#[test]
fn what_cannot_be_done_is_left_out_and_what_fails_is_told() {
    let home = Home::new();
    let gate = home.path("gate");
    fs::create_dir(&gate).unwrap();
    home.repository("slow", &gated(&gate));
    home.repository("web", THREE);
    home.run(&["build", "web"]).with_code(0);
    let mut build = home.command(&["build", "slow"]);
    let mut build = build
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut console = Terminal::open(&home, (120, 36), &[]);
    console.sees(&["local/slow #1", "running", "local/web #1"]);
    console.press("gg", &["local/slow #1"]);
    console.press(" ", &["1 marked"]);
    console.press("Gv", &["2 marked"]);
    console.press(
        "X",
        &["Cancel 1 build?", "Left out: 1: it has ended already."],
    );
    // It ends before the answer: the server refuses, and the console says so.
    fs::write(gate.join("end"), "").unwrap();
    assert!(build.wait().unwrap().success());
    console.press(
        "s",
        &["0 of 1 went through", "is over already", "roundel cancel"],
    );
    console.keys(key::ESC);
    console.loses("0 of 1 went through");
    console.press("gg v", &["2 marked"]);
    console.press("r", &["Run 2 builds again", "all jobs", "none of them can"]);
    console.press("r", &["Run again all jobs of 2 builds?"]);
    console.press("r", &["2 of 2 went through"]);
}
