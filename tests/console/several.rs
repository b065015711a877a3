//! Several consoles at once, and a server that dies under them.

use serde_json::Value;

use crate::support::{Home, THREE, Terminal, until};

/// One frame as JSON.
fn frame(home: &Home) -> Value {
    let said = home
        .run(&[
            "console", "--once", "--screen", "builds", "--format", "json",
        ])
        .with_code(0);
    serde_json::from_str(&said.out).unwrap()
}

fn ids(frame: &Value) -> Vec<String> {
    let rows = frame["rows"].as_array().unwrap();
    rows.iter()
        .map(|row| row["id"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn two_consoles_see_the_same_lose_the_server_together_and_find_it_again() {
    let home = Home::new();
    home.repository("web", THREE);
    let mut server = home.serve("host_user = \"self\"\n");
    home.run(&["build", "web"]).with_code(0);
    let mut consoles = [(80, 24), (120, 36)]
        .map(|size| Terminal::open(&home, size, &["console", "--screen", "builds"]));
    for console in &consoles {
        console.sees(&["local/web #1", "success"]);
    }

    // Both frames must be of the same moment: a last change may still be on its way when the first is read.
    let mut pair = (frame(&home), frame(&home));
    until("two frames agree", || {
        pair = (frame(&home), frame(&home));
        pair.0["seq"] == pair.1["seq"]
    });
    assert_eq!(ids(&pair.0), ids(&pair.1));
    assert_eq!(ids(&pair.0).len(), 1);
    assert!(pair.0["seq"].as_i64().unwrap() > 0);
    assert_eq!(pair.0["state"], "live");

    // As a crash would end it.
    server.kill().unwrap();
    server.wait().unwrap();
    for console in &mut consoles {
        console.sees(&["reconnecting", "local/web #1", "success"]);
        assert!(console.runs());
    }

    let mut server = home.serve("host_user = \"self\"\n");
    home.run(&["build", "web"]).with_code(0);
    for console in &consoles {
        console.sees(&["local/web #2", "●"]);
        console.loses("reconnecting");
    }
    let rows = ids(&frame(&home));
    assert_eq!(rows.len(), 2);
    server.kill().unwrap();
    server.wait().unwrap();
}

#[test]
fn a_lost_server_is_started_again_by_one_key() {
    let home = Home::new();
    home.repository("web", THREE);
    home.run(&["build", "web"]).with_code(0);
    let mut console = Terminal::open(&home, (80, 24), &[]);
    console.sees(&["local/web #1"]);
    home.kill_server();
    console.sees(&["reconnecting", "starts one here", "local/web #1"]);
    console.keys("\r");
    console.loses("reconnecting");
    console.sees(&["local/web #1", "●"]);
}
