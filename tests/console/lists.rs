//! Filters by field, by scattered letters and turned round; what runs for longer than usual.

use std::fs;
use std::process::Stdio;

use crate::support::{Home, THREE, Terminal, gated, key};

#[test]
fn a_list_is_filtered_by_words_fields_letters_and_turned_round() {
    let home = Home::new();
    home.repository("web", THREE);
    home.repository("api", &THREE.replace("echo tidy", "exit 1"));
    home.run(&["build", "web"]).with_code(0);
    home.run(&["build", "api"]).with_code(1);
    for size in [(80, 24), (120, 36)] {
        let mut console = Terminal::open(&home, size, &[]);
        console.sees(&["local/web #1", "local/api #1"]);
        for (filter, row, other) in [
            ("status:failed", "local/api #1", "local/web #1"),
            ("!status:failed", "local/web #1", "local/api #1"),
            ("project:web", "local/web #1", "local/api #1"),
            ("! web", "local/api #1", "local/web #1"),
            ("-f lwb", "local/web #1", "local/api #1"),
            ("branch:main !api", "local/web #1", "local/api #1"),
        ] {
            console.keys("/");
            console.keys(filter);
            console.press(
                key::ENTER,
                &[&format!("filter / {filter}"), "1 of 1 shown", row],
            );
            assert!(!console.screen().text().contains(other), "{filter}");
            console.press(key::ESC, &["filter / none", "2 of 2 shown"]);
        }
        // An order stays with its screen for the session.
        console.press("S", &["Sort by"]);
        console.press("b", &["BUILD ↑"]);
        console.press("4", &["1 node", "NAME ↑"]);
        console.press("/status:draining", &["No node matches"]);
        console.press(key::ENTER, &["filter / status:draining"]);
        console.press(key::ESC, &["1 ready", "1 of 1 shown"]);
        console.press("3", &["BUILD ↑"]);
    }
}

#[test]
fn what_runs_for_longer_than_usual_is_two_keys_away_and_says_so() {
    let home = Home::new();
    let gate = home.path("gate");
    fs::create_dir(&gate).unwrap();
    fs::write(gate.join("end"), "").unwrap();
    home.repository("slow", &gated(&gate));
    home.repository("web", THREE);
    for name in ["slow", "slow", "slow", "web"] {
        home.run(&["build", name]).with_code(0);
    }
    fs::remove_file(gate.join("end")).unwrap();
    let mut build = home.command(&["build", "slow"]);
    let mut build = build
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    for size in [(80, 24), (120, 36)] {
        let mut console = Terminal::open(&home, size, &["console", "--screen", "queue"]);
        console.sees(&["Nothing waits."]);
        // It takes its time to be late; the list is read anew until it is.
        console.keys("gw");
        console.sees(&["filter / status:slow"]);
        console.wait("the build that is late", |screen| {
            let text = screen.text();
            text.contains("local/slow #4") && text.contains('×')
        });
        assert!(!console.screen().text().contains("local/web #1"));
        console.press(key::ENTER, &["local/slow #4", "its usual", "median of 3"]);
        console.press("4", &["local/slow #4", "usually"]);
    }
    fs::write(gate.join("end"), "").unwrap();
    assert!(build.wait().unwrap().success());
}
