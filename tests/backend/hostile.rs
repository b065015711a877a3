//! Bytes that mean harm: each file of `tests/data/hostile` as it is, and changed at random.
//!
//! The promises looked for are those of the modules that take such bytes in; a terminal of another make judges the
//! sanitiser.

use std::path::Path;

use proptest::prelude::*;
use proptest::sample::Index;
use roundel::sanitise::{Stream, line, spans};

use crate::pipeline::check_text;

/// The files of one kind, sorted by name.
fn files(kind: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(kind);
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "{kind}");
    paths
        .into_iter()
        .map(|path| std::fs::read(path).unwrap())
        .collect()
}

/// A change: of a stretch of the bytes, to a stretch of another file, to random bytes, or to itself several times.
#[derive(Clone, Debug)]
enum Change {
    Copied(Index, Index, Index),
    Written(Vec<u8>),
    Repeated(usize),
}

/// One of the files with up to five changes.
fn changed(files: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let change = prop_oneof![
        any::<(Index, Index, Index)>().prop_map(|(file, from, to)| Change::Copied(file, from, to)),
        prop::collection::vec(any::<u8>(), 0..4).prop_map(Change::Written),
        "[ \n\t:&*'\"\\[{|>#!%-]{1,3}".prop_map(|text| Change::Written(text.into_bytes())),
        (0..70_usize).prop_map(Change::Repeated),
    ];
    let changes = prop::collection::vec((any::<(Index, Index)>(), change), 0..6);
    (any::<Index>(), changes).prop_map(move |(file, changes)| {
        let mut bytes = file.get(&files).clone();
        for ((from, length), change) in changes {
            let from = from.index(bytes.len() + 1);
            let to = from + length.index((bytes.len() - from).min(40) + 1);
            let new = match change {
                Change::Written(new) => new,
                Change::Repeated(times) => bytes[from..to].repeat(times),
                Change::Copied(file, a, b) => {
                    let other = file.get(&files);
                    let (a, b) = (a.index(other.len() + 1), b.index(other.len() + 1));
                    other[a.min(b)..a.max(b)].to_vec()
                }
            };
            bytes.splice(from..to, new);
        }
        bytes
    })
}

fn configs() -> Vec<Vec<u8>> {
    [files("hostile/yaml"), files("config")].concat()
}

/// What a terminal is told to do besides showing characters.
#[derive(Default)]
struct Deeds {
    shown: String,
    others: Vec<String>,
}

impl vte::Perform for Deeds {
    fn print(&mut self, c: char) {
        self.shown.push(c);
    }

    fn execute(&mut self, byte: u8) {
        match byte {
            b'\n' => self.shown.push('\n'),
            other => self.others.push(format!("control {other:#x}")),
        }
    }

    fn hook(&mut self, _: &vte::Params, _: &[u8], _: bool, action: char) {
        self.others.push(format!("device control {action}"));
    }

    fn osc_dispatch(&mut self, params: &[&[u8]], _: bool) {
        self.others.push(format!("operating system {params:?}"));
    }

    fn csi_dispatch(&mut self, _: &vte::Params, _: &[u8], _: bool, action: char) {
        self.others.push(format!("sequence {action}"));
    }

    fn esc_dispatch(&mut self, _: &[u8], _: bool, byte: u8) {
        self.others.push(format!("escape {byte:#x}"));
    }
}

/// Fails unless a terminal shows exactly this text and does nothing else.
#[track_caller]
fn only_shown(text: &str) {
    let (mut terminal, mut deeds) = (vte::Parser::new(), Deeds::default());
    // Any open sequence would swallow what follows.
    terminal.advance(&mut deeds, format!("{text}END").as_bytes());
    assert_eq!(deeds.others, [] as [String; 0], "{text:?}");
    assert_eq!(deeds.shown, format!("{text}END"));
}

fn check_for_terminal(bytes: &[u8]) {
    let mut stream = Stream::default();
    let mut text = stream.push(bytes);
    // No line of a log can hide the next one but one.
    text += &stream.push(b"\nnext\nlast");
    text += &stream.finish();
    only_shown(&text);
    assert!(text.ends_with("\nlast"), "{text:?}");
    for row in String::from_utf8_lossy(bytes).split('\n') {
        only_shown(&line(row));
        for span in spans(row) {
            only_shown(&span.text);
        }
    }
}

#[test]
fn every_file_is_answered() {
    for text in configs() {
        check_text(&String::from_utf8_lossy(&text));
    }
    for bytes in files("hostile/terminal") {
        check_for_terminal(&bytes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn changed_configs_are_answered(bytes in changed(configs())) {
        check_text(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn a_terminal_only_shows_what_was_sanitised(bytes in changed(files("hostile/terminal"))) {
        check_for_terminal(&bytes);
    }
}
