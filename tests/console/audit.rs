//! The audit log: what changed in the last hour, and by whom.

use crate::support::{Home, THREE, Terminal, key};

#[test]
fn what_changed_in_the_last_hour_and_by_whom_is_two_keys_away() {
    let home = Home::new();
    home.repository("web", THREE);
    home.run(&["build", "web"]).with_code(0);
    home.run(&["node-drain", "-enable", "-self", "-yes"])
        .with_code(0);
    home.run(&["node-drain", "-disable", "-self"]).with_code(0);
    for size in [(80, 24), (120, 36), (200, 60)] {
        let mut console = Terminal::open(&home, size, &[]);
        console.sees(&["local/web #1"]);
        console.press(
            "7",
            &["3 events", "ACTOR", "node.drain", "build.create", "✓ ok"],
        );
        console.press("h", &["3 events in the last hour", "filter / last:1h"]);
        console.press(
            key::ENTER,
            &["\"action\": \"node.drain\"", "\"result\": \"ok\""],
        );
        console.keys(key::ESC);
        console.loses("\"action\"");
        console.keys("/");
        console.press(" create", &["1 event in the last hour"]);
        console.keys(key::ENTER);
        console.press(key::ESC, &["3 events"]);
        console.press("S", &["Sort by", "actor", "object"]);
        console.keys(key::ESC);
        console.loses("Sort by");
        console.press("3", &["STATUS"]);
        console.press("ga", &["3 events"]);
    }
}

#[test]
fn an_event_shows_up_as_it_happens() {
    let home = Home::new();
    let mut console = Terminal::open(&home, (80, 24), &["console", "--screen", "audit"]);
    console.sees(&["Nothing was changed here yet."]);
    home.run(&["services", "stop", "-yes"]).with_code(0);
    console.sees(&["1 event", "installation.stop"]);
    home.run(&["services", "start"]).with_code(0);
    console.sees(&["2 events", "installation.start"]);
    console.press("j", &["installation.stop"]);
    console.press(":audit\r", &["2 events"]);
    let said = home
        .run(&["console", "--once", "--screen", "audit"])
        .with_code(0);
    assert!(said.out.contains("installation.start"), "{}", said.out);
}
