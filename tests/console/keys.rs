//! The keys of a person: `keymap.toml` beside the bootstrap file.

use std::fs;

use serde_json::Value;

use crate::support::{Home, THREE, Terminal, key};

/// Writes the keymap of a home.
fn keymap(home: &Home, text: &str) {
    let dir = home.path("config/roundel");
    fs::create_dir_all(&dir).unwrap();
    fs::write(dir.join("keymap.toml"), text).unwrap();
}

#[test]
fn a_rebound_key_does_it_and_the_help_and_the_hints_say_so() {
    let home = Home::new();
    home.repository("web", THREE);
    home.run(&["build", "web"]).with_code(0);
    keymap(
        &home,
        "[builds]\nrerun = [\"ctrl-x\", \"K\"]\n[everywhere]\nhelp = \"f4\"\n[goto]\ngo-queue = \"z\"\n",
    );
    let mut console = Terminal::open(&home, (200, 60), &[]);
    console.sees(&["local/web #1", "ctrl-x rerun", "F4 help"]);
    console.press("\x18", &["Run local/web #1 again"]);
    console.keys(key::ESC);
    console.loses("Run local/web #1 again");
    console.press("K", &["Run local/web #1 again"]);
    console.keys(key::ESC);
    console.loses("Run local/web #1 again");
    console.press("\x1bOS", &["ctrl-x  K", "run it again"]);
    console.press("G", &["2  g z", "F4"]);
    console.keys(key::ESC);
    console.loses("2  g z");
    console.press("g", &["g z", "Queue"]);
    console.press("z", &["Nothing waits."]);
    assert!(!console.screen().text().contains("Some keys"));
}

#[test]
fn a_clash_is_told_when_it_opens_and_all_other_keys_hold() {
    let home = Home::new();
    home.repository("web", THREE);
    home.run(&["build", "web"]).with_code(0);
    keymap(&home, "[builds]\nstop = \"P\"\nrerun = \"K\"\n");
    let mut console = Terminal::open(&home, (80, 24), &[]);
    console.sees(&[
        "Some keys are as shipped",
        "keymap.toml:2",
        "stop",
        "build-path",
    ]);
    console.keys(key::ESC);
    console.loses("Some keys");
    console.press("K", &["Run local/web #1 again"]);
    console.keys(key::ESC);
    console.loses("again");
    console.press("P", &["path or URL of a git repository"]);
    // And where nobody looks at a console.
    let said = home.run(&["console", "--keys"]).with_code(2);
    assert!(
        said.err.contains("keymap.toml:2: `P` would be both"),
        "{}",
        said.err
    );
    let said = home.run(&["console", "--once"]).with_code(0);
    assert!(said.err.contains("keymap.toml:2: `P`"), "{}", said.err);
}

#[test]
fn the_live_keys_are_printed_and_what_is_printed_is_a_keymap() {
    let home = Home::new();
    keymap(&home, "[builds]\nrerun = \"K\"\n");
    let said = home.run(&["console", "--keys"]).with_code(0);
    assert!(
        said.out.contains("[builds]\n") && said.out.contains("rerun = [\"K\"]"),
        "{}",
        said.out
    );
    keymap(&home, &said.out);
    assert_eq!(home.run(&["console", "--keys"]).with_code(0).out, said.out);
    let json: Value = home.json(&["console", "--keys", "--json"]);
    let rerun = json
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["context"] == "builds" && row["command"] == "rerun");
    assert_eq!(rerun.unwrap()["keys"][0], "K");
    assert!(home.server().is_none(), "it needs no server");
}
