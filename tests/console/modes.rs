//! What the console does to the terminal, and that all of it is undone however the console ends or pauses.

use std::fs;

use rustix::process::{Pid, Signal};

use crate::support::{Home, Terminal, at_rest, key, until, words};

fn open() -> (Home, Terminal) {
    let home = Home::new();
    let console = Terminal::open(&home, (80, 24), &[]);
    console.sees(&["Nothing has been built here yet."]);
    console.wait("the frame is complete", at_rest);
    assert_ne!(words(&console.settings()), words(&console.before), "raw");
    (home, console)
}

#[test]
fn ctrl_c_asks_and_leaves_at_the_second() {
    let (_home, mut console) = open();
    console.press(key::CTRL_C, &["Leave the console?"]);
    console.keys(key::CTRL_C);
    assert!(console.ended().success());
    console.is_given_back();
}

#[test]
fn signals_that_end_it_give_the_terminal_back() {
    for signal in [Signal::TERM, Signal::HUP, Signal::INT] {
        let (_home, mut console) = open();
        console.signal(signal);
        assert_eq!(console.ended().code(), Some(130), "{signal:?}");
        console.is_given_back();
    }
}

#[test]
fn signals_that_end_it_stage_what_was_typed_but_no_secret() {
    for signal in [Signal::TERM, Signal::HUP] {
        let home = Home::new();
        let words = ["console", "--screen", "settings:ldap"];
        let mut console = Terminal::open(&home, (120, 36), &words);
        console.sees(&["Enable LDAP-only Authentication"]);
        console.press(" ", &["Base DN"]);
        console.press("\t\tldap.example.com", &["ldap.example.com"]);
        console.press("\tmany", &["is no whole number"]);
        console.press("\t\t\thunter2-hunter2", &["•••••••••"]);
        console.signal(signal);
        assert_eq!(console.ended().code(), Some(130), "{signal:?}");
        console.is_given_back();
        console
            .sees(&["typed and not staged: ldap.port (no value), ldap.search_password (a secret)"]);
        let staged = home.run(&["settings", "diff"]).with_code(0).out;
        assert!(staged.contains("ldap.example.com"), "{staged}");
        for key in ["ldap.search_password", "ldap.port"] {
            assert!(!staged.contains(key), "{staged}");
        }
    }
}

#[test]
fn a_frame_that_was_open_is_closed_by_the_end() {
    let (_home, mut console) = open();
    console.press(key::CTRL_C, &["Leave the console?"]);
    console.signal(Signal::TERM);
    console.ended();
    console.is_given_back();
    let screen = console.screen();
    assert!(screen.strange().is_empty(), "{screen}");
}

#[test]
fn stopped_it_lends_the_terminal_and_resumed_it_draws_all_of_it_again() {
    let (_home, console) = open();
    console.signal(Signal::TSTP);
    let pid = console.pid();
    until("it has stopped", || state(pid) == Some('T'));
    console.is_given_back();
    console.signal(Signal::CONT);
    console.wait("it has the terminal again", at_rest);
    console.sees(&["Nothing has been built here yet.", "? help"]);
    assert_ne!(words(&console.settings()), words(&console.before), "raw");
}

/// State of a process, as the kernel's one letter.
fn state(pid: Pid) -> Option<char> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    text.rsplit_once(") ")?.1.chars().next()
}

/// Deliberate faults are compiled in by `tests/run` alone.
#[cfg(feature = "fault-injection")]
#[test]
fn a_panic_gives_the_terminal_back_before_it_is_told() {
    let (_home, mut console) = open();
    console.press(":", &["cluster"]);
    console.press("panic", &["panic"]);
    console.keys(key::ENTER);
    assert_eq!(console.ended().code(), Some(101));
    console.is_given_back();
    console.sees(&["a panic was asked for"]);
    assert!(!console.screen().is_alternate());
}

#[cfg(not(feature = "fault-injection"))]
#[test]
fn a_panic_cannot_be_asked_for() {
    let (_home, mut console) = open();
    console.press(":", &["cluster"]);
    console.press("panic", &["panic"]);
    console.press(key::ENTER, &["`panic` means nothing here"]);
}
