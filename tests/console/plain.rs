//! The plain console: screens as lines of words, choices by number, news by themselves; for voices, braille and printers.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use roundel::clock;

use crate::support::{BUILDS, Home, THREE, Terminal};

/// A conversation with the plain console over two pipes.
struct Talk {
    child: Child,
    to: Option<ChildStdin>,
    from: Receiver<String>,
    heard: Vec<String>,
}

impl Talk {
    fn begin(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (lines, from) = channel();
        let out = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                if lines.send(line).is_err() {
                    return;
                }
            }
        });
        Self {
            to: child.stdin.take(),
            child,
            from,
            heard: Vec::new(),
        }
    }

    /// Waits for a line with these words; answers it.
    #[track_caller]
    fn hears(&mut self, words: &str) -> String {
        let begun = clock::monotonic();
        loop {
            let left = Duration::from_secs(30).saturating_sub(begun.elapsed());
            let Ok(line) = self.from.recv_timeout(left) else {
                panic!("never said: {words}\n{}", self.heard.join("\n"));
            };
            assert!(!line.contains('\x1b'), "{line:?}");
            self.heard.push(line.clone());
            if line.contains(words) {
                return line;
            }
        }
    }

    /// Types a line, then waits for all of these words in this order.
    #[track_caller]
    fn says(&mut self, line: &str, words: &[&str]) {
        writeln!(self.to.as_mut().unwrap(), "{line}").unwrap();
        for word in words {
            self.hears(word);
        }
    }

    fn ended(mut self) {
        self.to = None;
        assert!(self.child.wait().unwrap().success());
    }
}

fn built() -> Home {
    let home = Home::new();
    home.repository("web", THREE);
    home.run(&["build", "web"]).with_code(0);
    home
}

#[test]
fn every_screen_is_read_with_its_labels_and_opened_by_number() {
    let home = built();
    let mut talk = Talk::begin(&mut home.command(&["console", "--plain", "--screen", "builds"]));
    talk.hears("Type a number");
    talk.hears("Builds.");
    let row = talk.hears("1. status success");
    for words in ["build local/web #1", "branch main", "jobs 3/3", "took "] {
        assert!(row.contains(words), "{words} in {row}");
    }
    talk.hears("?");
    talk.says(
        "1",
        &["Pipeline ", "job build: success", "job lint: success", "?"],
    );
    let at = talk.heard.iter().rev().find_map(|line| {
        let (n, _) = line.split_once(". job build")?;
        Some(n.trim().to_owned())
    });
    talk.says(&at.unwrap(), &["step Say it: success", "?"]);
    talk.says("b", &["job build: success", "?"]);
    talk.says("0", &["Menu.", "1. ", "?"]);
    talk.says(
        ":cluster",
        &["Cluster.", "1. name ", "status ready"]
            .map(|w| if w == "status ready" { "?" } else { w }),
    );
    talk.says("d", &["?"]);
    talk.says(":queue", &["Queue.", "Nothing waits.", "?"]);
    talk.says("clutser", &["nearest: cluster"]);
    talk.says("?", &["Keys.", "help"]);
    talk.says("q", &[]);
    talk.ended();
}

#[test]
fn what_changes_something_wants_its_word_typed() {
    let home = built();
    let mut talk = Talk::begin(&mut home.command(&["console", "--plain", "--screen", "cluster"]));
    talk.hears("1. name ");
    talk.hears("?");
    talk.says("x", &["1. drain it", "?"]);
    talk.says("1", &["Drain ", "1. Cancel", "2. Drain, wait", "?"]);
    talk.says("2", &["Type Drain, wait to do it"]);
    talk.says("yes", &["Not done.", "status ready"]);
    talk.says("D", &["2. Drain, wait", "?"]);
    talk.says("2", &["Type Drain, wait to do it"]);
    talk.says("drain, wait", &["drains, without a deadline"]);
    talk.says("", &["status drained", "?"]);
    talk.ended();
}

#[test]
fn a_certificate_is_made_by_words_and_what_is_wrong_with_them_is_said() {
    let home = Home::new();
    let words = ["console", "--plain", "--screen", "settings:privacy"];
    let mut talk = Talk::begin(&mut home.command(&words));
    talk.hears("SSL only");
    talk.hears("?");
    talk.says("x", &["6. make a certificate that signs itself", "?"]);
    talk.says("6", &["Type certificate for the names"]);
    talk.says("no/host", &["no/host is no host", "Type certificate"]);
    talk.says(
        "ci.example.com",
        &["A certificate that signs itself", "2. Take it"],
    );
    talk.says("2", &["Type Take it to do it"]);
    talk.says("take it", &["in the form, not saved"]);
    talk.says(
        "",
        &["Certificate File: (1", "Private Key File: typed anew", "?"],
    );
    talk.ended();
}

#[test]
fn the_end_of_a_build_and_the_loss_of_the_server_are_announced() {
    let home = built();
    let mut talk = Talk::begin(&mut home.command(&["console", "--plain", "--screen", "builds"]));
    talk.hears("1. status success");
    home.run(&["build", "web"]).with_code(0);
    talk.hears("Build local/web #2 has ended: success.");
    home.kill_server();
    talk.hears("The server is lost");
    talk.says(":start", &["The server is back."]);
    talk.ended();
}

#[test]
fn a_dumb_terminal_gets_the_plain_console() {
    let home = built();
    let mut command = home.command(&BUILDS);
    command.env("TERM", "dumb");
    let mut console = Terminal::start(&command, (80, 24));
    let before = console.settings();
    console.sees(&["status success; build local/web #1"]);
    console.keys("q\r");
    assert!(console.ended().success());
    assert!(!console.screen().bytes().contains(&0x1b));
    assert_eq!(
        crate::support::words(&before),
        crate::support::words(&console.before)
    );
}
