//! The mouse: what is clicked does what its key does, the wheel scrolls what is under it, and `m` gives it all back.

use crate::support::{Home, THREE, Terminal, key};

/// Where the first of these words begins, one-based as terminals count.
fn at(console: &Terminal, words: &str) -> (usize, usize) {
    let found = console.screen().place(words);
    let (x, y) = found.unwrap_or_else(|| panic!("no {words:?} in\n{}", console.screen()));
    (x + 1, y + 1)
}

/// Presses and releases the first button on these words.
fn click(console: &mut Terminal, words: &str) {
    let (x, y) = at(console, words);
    console.keys(&format!("\x1b[<0;{x};{y}M\x1b[<0;{x};{y}m"));
}

/// Turns the wheel on these words.
fn wheel(console: &mut Terminal, words: &str, down: bool) {
    let (x, y) = at(console, words);
    let button = if down { 65 } else { 64 };
    console.keys(&format!("\x1b[<{button};{x};{y}M"));
}

/// Whether the row with these words has another ground than the row with those.
fn stands_out(console: &Terminal, words: &str, other: &str) {
    console.wait(&format!("the cursor is on {words}"), |screen| {
        let (row, plain) = (screen.find(words), screen.find(other));
        row.zip(plain).is_some_and(|(a, b)| a.1.bg != b.1.bg)
    });
}

fn built() -> Home {
    let home = Home::new();
    home.repository("web", THREE);
    home.run(&["build", "web"]).with_code(0);
    home.run(&["build", "web"]).with_code(0);
    home
}

#[test]
fn tabs_rows_heads_and_hints_are_clicked() {
    let home = built();
    let mut console = Terminal::open(&home, (120, 36), &[]);
    console.sees(&["local/web #1", "local/web #2"]);
    click(&mut console, "4 Cluster");
    console.sees(&["1 node", "ready"]);
    click(&mut console, "3 Builds");
    console.sees(&["local/web #1", "local/web #2"]);
    stands_out(&console, "local/web #2", "local/web #1");
    click(&mut console, "local/web #1");
    stands_out(&console, "local/web #1", "local/web #2");
    click(&mut console, "local/web #1");
    console.sees(&["Builds › local/web #1", "build number"]);
    // The graph: the box, then into it.
    click(&mut console, "lint");
    console.sees(&["─ lint"]);
    click(&mut console, "lint");
    console.sees(&["Builds › local/web #1 › main › lint", "Steps"]);
    click(&mut console, "? help");
    console.sees(&["Keys", "one down"]);
    console.keys(key::ESC);
    console.loses("one down");
    console.keys("3");
    console.sees(&["STARTED ↓"]);
    click(&mut console, "BRANCH");
    console.sees(&["BRANCH ↑"]);
    assert!(console.screen().strange().is_empty());
}

#[test]
fn menus_and_dialogs_are_clicked_and_nothing_through_them() {
    let home = built();
    let mut console = Terminal::open(&home, (120, 36), &[]);
    console.sees(&["local/web #1"]);
    console.press("4", &["1 node", "gives to runs"]);
    console.press("x", &["drain it"]);
    // A tab behind the menu is not there for the mouse.
    click(&mut console, "2 Queue");
    click(&mut console, "drain it");
    console.sees(&["[ Cancel ]", "Drain, wait"]);
    click(&mut console, "Cancel");
    console.loses("[ Cancel ]");
    console.sees(&["1 node"]);
    console.press("D", &["[ Cancel ]"]);
    click(&mut console, "rain, wait");
    console.sees(&["safe to terminate"]);
    console.press("g", &["g q", "Queue"]);
    click(&mut console, "g q");
    console.sees(&["Nothing waits."]);
    console.press(":", &["builds", "tab 3"]);
    click(&mut console, "tab 3");
    console.sees(&["local/web #1"]);
}

/// A job with more lines than a screen has.
const LONG: &str = r#"version: 2.1
jobs:
  long:
    machine: true
    steps:
      - run: {name: Count, command: "seq -f 'number %g.' 1 300"}
      - run: {name: Again, command: "echo done"}
workflows: {main: {jobs: [long]}}
"#;

#[test]
fn the_wheel_scrolls_what_is_under_it() {
    let home = Home::new();
    home.repository("long", LONG);
    home.run(&["build", "long"]).with_code(0);
    let mut console = Terminal::open(&home, (100, 24), &[]);
    console.sees(&["local/long #1"]);
    console.press(key::ENTER, &["build number"]);
    console.press(key::ENTER, &["Steps", "Count", "Again"]);
    click(&mut console, "Count");
    console.sees(&["number 300."]);
    // The steps have the keys; the log scrolls all the same.
    wheel(&mut console, "number 299.", false);
    console.loses("number 300.");
    wheel(&mut console, "number 297.", true);
    console.sees(&["number 300."]);
    click(&mut console, "Again");
    console.sees(&["done"]);
    console.press("?", &["Keys", "0 above"]);
    wheel(&mut console, "Keys", true);
    console.sees(&["3 above"]);
    wheel(&mut console, "Keys", false);
    console.sees(&["0 above"]);
}

#[test]
fn m_gives_the_mouse_to_the_terminal_and_takes_it_again() {
    let home = Home::new();
    let mut console = Terminal::open(&home, (100, 30), &[]);
    console.sees(&["Nothing has been built here yet."]);
    for keys in ["m", "?m"] {
        console.press(keys, &["the mouse is the terminal’s, to select text"]);
        console.wait("the mouse is free", |screen| {
            screen.modes_on() == [1049, 2004, 25]
        });
        console.press("m", &["the mouse is the console’s"]);
        console.wait("the mouse is taken", |screen| {
            screen.modes_on() == [1000, 1006, 1049, 2004, 25]
        });
    }
    let mut command = home.command(&["console", "--screen", "builds", "--no-mouse"]);
    command.env("TERM", "xterm");
    let console = Terminal::start(&command, (80, 24));
    console.sees(&["Nothing has been built here yet."]);
    console.wait("the mouse was never taken", |screen| {
        screen.modes_on() == [1049, 2004, 25]
    });
}
