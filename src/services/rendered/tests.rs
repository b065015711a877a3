//! Files of a root: written, written again, changed by hand, taken away.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;
use crate::error::{Explain, Kind};

struct Machine {
    data: tempfile::TempDir,
    root: tempfile::TempDir,
}

impl Machine {
    fn new() -> Self {
        let made = || tempfile::tempdir().unwrap();
        Self {
            data: made(),
            root: made(),
        }
    }

    fn put(&self, path: &str, bytes: &[u8]) {
        let path = self.root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    fn get(&self, path: &str) -> Option<Vec<u8>> {
        fs::read(self.root.path().join(path)).ok()
    }

    /// Every path below the root, with the bytes of files.
    fn tree(&self) -> Vec<(PathBuf, Option<Vec<u8>>)> {
        let mut found = Vec::new();
        let mut left = vec![self.root.path().to_owned()];
        while let Some(dir) = left.pop() {
            for entry in fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    left.push(path.clone());
                }
                found.push((path.clone(), fs::read(&path).ok()));
            }
        }
        found.sort();
        found
    }

    fn write(&self, wanted: &[Wanted]) -> Result<Vec<RenderedFile>, FilesError> {
        write(self.data.path(), self.root.path(), wanted)
    }

    fn remove(&self) -> Result<Vec<RenderedFile>, FilesError> {
        remove(self.data.path(), self.root.path(), &[])
    }

    fn states(&self, wanted: &[Wanted]) -> Vec<State> {
        let looked = look(self.data.path(), self.root.path(), wanted).unwrap();
        looked.iter().map(|file| file.state).collect()
    }
}

fn wanted(address: &str) -> Vec<Wanted> {
    let one = |path, part, text: String| Wanted {
        path,
        part,
        text,
        private: false,
        notes: Vec::new(),
    };
    let member = |names: &[&str]| Part::Member(names.iter().map(|&name| name.to_owned()).collect());
    vec![
        one("etc/a.conf", member(&["HttpProxy"]), format!("{address:?}")),
        one("etc/environment", Part::Block, format!("P={address}\n")),
        one(
            "etc/x.d/own.conf",
            Part::Whole,
            format!("{MARK}\nP={address}\n"),
        ),
        one(
            "root/.docker/config.json",
            member(&["proxies", "default"]),
            format!("{{\"httpProxy\":{address:?}}}"),
        ),
    ]
}

#[test]
fn written_twice_it_is_written_once_and_removed_it_was_never_there() {
    let machine = Machine::new();
    machine.put("etc/environment", b"A=1\r\nHTTP_PROXY=old");
    machine.put(
        "root/.docker/config.json",
        b"{\n\t\"auths\": {\"x\": {}}\n}",
    );
    let path = machine.root.path().join("etc/environment");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let before = machine.tree();
    assert_eq!(machine.states(&wanted("p:1")), [State::Absent; 4]);
    let first = machine.write(&wanted("p:1")).unwrap();
    let changes: Vec<Change> = first.iter().map(|file| file.change).collect();
    use Change as C;
    assert_eq!(changes, [C::Make, C::Change, C::Make, C::Change]);
    let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode, 0o640);
    let written = machine.tree();
    let second = machine.write(&wanted("p:1")).unwrap();
    assert!(
        second
            .iter()
            .all(|file| file.change == C::None && file.diff.is_empty())
    );
    assert_eq!(machine.tree(), written);
    assert_eq!(machine.states(&wanted("p:1")), [State::Same; 4]);
    assert_eq!(machine.states(&wanted("p:2")), [State::Behind; 4]);
    machine.write(&wanted("p:2")).unwrap();
    machine.remove().unwrap();
    assert_eq!(machine.tree(), before);
    assert_eq!(drift(machine.data.path()).unwrap(), (0, Vec::new()));
    // Nothing is left to remove.
    assert!(machine.remove().unwrap().is_empty());
}

#[test]
fn where_nothing_was_nothing_is_left() {
    let machine = Machine::new();
    machine.write(&wanted("p:1")).unwrap();
    assert!(machine.tree().len() > 4);
    machine.remove().unwrap();
    assert_eq!(machine.tree(), []);
}

#[test]
fn what_was_changed_by_hand_since_is_told_and_what_it_differs_in() {
    let machine = Machine::new();
    machine.write(&wanted("p:1")).unwrap();
    assert_eq!(drift(machine.data.path()).unwrap(), (4, Vec::new()));
    let text = String::from_utf8(machine.get("etc/environment").unwrap()).unwrap();
    machine.put(
        "etc/environment",
        text.replace("P=p:1", "P=mine").as_bytes(),
    );
    machine.put(
        "etc/a.conf",
        br#"{"HttpProxy" : "mine", "LogLevel": "debug"}"#,
    );
    fs::remove_file(machine.root.path().join("etc/x.d/own.conf")).unwrap();
    let (files, drifted) = drift(machine.data.path()).unwrap();
    let states: Vec<State> = drifted.iter().map(|one| one.state).collect();
    assert_eq!(files, 4);
    assert_eq!(states, [State::Edited, State::Edited, State::Gone]);
    let looked = look(machine.data.path(), machine.root.path(), &wanted("p:1")).unwrap();
    let texts: Vec<String> = looked[1]
        .diff
        .iter()
        .map(|line| format!("{}{}", line.sign, line.text))
        .collect();
    assert_eq!(texts, ["-P=mine", "+P=p:1"]);
    // Other things that were added stay, whatever becomes of ours.
    machine.remove().unwrap();
    assert_eq!(
        machine.get("etc/a.conf").unwrap(),
        br#"{ "LogLevel": "debug"}"#
    );
    assert_eq!(machine.get("etc/environment"), None);
}

#[test]
fn what_is_somebody_elses_stays_and_nothing_is_written() {
    let machine = Machine::new();
    machine.put("etc/a.conf", br#"{"HttpProxy": "theirs"}"#);
    let before = machine.tree();
    let err = machine.write(&wanted("p:1")).unwrap_err();
    assert_eq!(err.kind(), Kind::Conflict);
    assert!(
        err.to_string().contains("`HttpProxy` of somebody else's"),
        "{err}"
    );
    assert_eq!(machine.tree(), before);
    // The same, put there by somebody else, is right, and not ours to take away.
    machine.put("etc/a.conf", br#"{"HttpProxy": "p:1"}"#);
    assert_eq!(machine.states(&wanted("p:1"))[0], State::Theirs);
    machine.write(&wanted("p:1")).unwrap();
    machine.remove().unwrap();
    assert_eq!(
        machine.get("etc/a.conf").unwrap(),
        br#"{"HttpProxy": "p:1"}"#
    );
}

#[test]
fn links_and_what_is_no_file_are_refused() {
    for (what, path) in [("etc/environment", "file"), ("etc", "directory")] {
        let machine = Machine::new();
        let elsewhere = tempfile::tempdir().unwrap();
        let target = elsewhere.path().join("victim");
        match path {
            "file" => fs::write(&target, "X=1\n").unwrap(),
            _ => fs::create_dir(&target).unwrap(),
        }
        let link = machine.root.path().join(what);
        fs::create_dir_all(link.parent().unwrap()).unwrap();
        symlink(&target, &link).unwrap();
        let err = machine.write(&wanted("p:1")).unwrap_err();
        assert!(err.to_string().contains("symbolic link"), "{err}");
        assert_eq!(err.kind(), Kind::Conflict);
        if path == "file" {
            assert_eq!(fs::read(&target).unwrap(), b"X=1\n");
        } else {
            assert_eq!(fs::read_dir(&target).unwrap().count(), 0);
        }
    }
    let machine = Machine::new();
    fs::create_dir_all(machine.root.path().join("etc/environment")).unwrap();
    assert!(machine.write(&wanted("p:1")).is_err());
    let machine = Machine::new();
    machine.put("etc/a.conf", b"not json");
    let err = machine.write(&wanted("p:1")).unwrap_err();
    assert!(err.to_string().contains("is no JSON: line 1"), "{err}");
}

#[test]
fn without_a_record_marked_parts_are_known_all_the_same() {
    let machine = Machine::new();
    machine.put("etc/environment", b"A=1");
    machine.write(&wanted("p:1")).unwrap();
    fs::remove_file(machine.data.path().join("rendered.json")).unwrap();
    let known = [
        ("etc/environment", Part::Block),
        ("etc/x.d/own.conf", Part::Whole),
    ];
    remove(machine.data.path(), machine.root.path(), &known).unwrap();
    assert_eq!(machine.get("etc/environment").unwrap(), b"A=1");
    assert_eq!(machine.get("etc/x.d/own.conf"), None);
}
