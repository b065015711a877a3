//! What is taken along from a screen: a file, and the command that shows the same to somebody else.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::support::{Home, THREE, Terminal, decoded, key, until};

#[test]
fn a_view_is_saved_with_its_locator_and_never_over_another_file_unasked() {
    let home = Home::new();
    home.repository("web", THREE);
    home.run(&["build", "web"]).with_code(0);
    let mut console = Terminal::open(&home, (100, 30), &[]);
    console.sees(&["local/web #1", "success"]);
    console.press("\x13", &["save this view to", "roundel-builds-2"]);
    // All of the offered name goes, another is typed.
    console.keys("\x15");
    console.press("view.txt", &["save this view to  view.txt"]);
    console.press(key::ENTER, &["saved ", " to view.txt"]);
    let path = home.path("view.txt");
    let text = fs::read_to_string(&path).unwrap();
    assert!(
        text.starts_with("roundel console --screen builds\n"),
        "{text}"
    );
    assert!(
        text.contains("local/web #1") && text.contains("success"),
        "{text}"
    );
    assert!(
        !text.contains('\x1b') && !text.contains("save this view"),
        "{text}"
    );
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    fs::write(&path, "theirs").unwrap();
    for (keys, kept) in [("", "theirs"), (key::RIGHT, "roundel console")] {
        console.press("\x13", &["save this view to"]);
        console.keys("\x15view.txt\r");
        console.sees(&["Replace view.txt?", "[ Cancel ]"]);
        console.keys(keys);
        console.keys(key::ENTER);
        console.loses("Replace view.txt?");
        until("the file is as it was answered", || {
            fs::read_to_string(&path).is_ok_and(|text| text.starts_with(kept))
        });
    }
    console.press("\x13", &["save this view to"]);
    console.keys("\x15/nonexistent/x\r");
    console.sees(&["cannot save to /nonexistent/x: "]);
}

#[test]
fn a_text_that_is_read_is_saved_too() {
    let home = Home::new();
    let mut console = Terminal::open(&home, (100, 30), &[]);
    console.sees(&["Nothing has been built here yet."]);
    console.press("?", &["Keys", "this help"]);
    console.press("\x13", &["save to", "roundel-builds-2"]);
    console.keys("\x15keys.txt\r");
    console.sees(&["saved ", "keys.txt"]);
    let text = fs::read_to_string(home.path("keys.txt")).unwrap();
    assert!(text.contains("this help"), "{text}");
}

#[test]
fn the_locator_of_every_screen_shows_the_same_to_a_colleague() {
    let home = Home::new();
    home.repository("web", THREE);
    home.run(&["build", "web"]).with_code(0);
    let mut console = Terminal::open(&home, (120, 36), &[]);
    console.sees(&["local/web #1", "success"]);
    let ways: [(&str, &[&str]); 6] = [
        ("2", &["Nothing waits."]),
        ("3", &["local/web #1", "3/3"]),
        (key::ENTER, &["Builds › local/web #1", "build number"]),
        (key::ENTER, &["Steps", "Spin up environment"]),
        ("4", &["1 node", "ready"]),
        (key::ENTER, &["Cluster › ", "what runs there"]),
    ];
    for (i, (keys, words)) in ways.into_iter().enumerate() {
        console.press(keys, words);
        console.press("\x07", &["copied roundel console --screen "]);
        console.wait("it is on the clipboard", |screen| {
            screen.clipboard().len() == i + 1
        });
        let locator = decoded(&console.screen().clipboard()[i]);
        let mut words_of: Vec<&str> = locator.split(' ').collect();
        assert_eq!(words_of.remove(0), "roundel");
        words_of.push("--once");
        let said = home.run(&words_of).with_code(0);
        for word in words {
            assert!(said.out.contains(word), "{locator} {word}\n{}", said.out);
        }
    }
}
