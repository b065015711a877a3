//! Data directories on file systems that are full or read-only. They are mounted for the test and unmounted after it.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::skip::skip;
use crate::support::{Home, Said, until};

/// A home whose data directory is a small file system of its own.
struct SmallDisk {
    home: Home,
}

impl SmallDisk {
    /// Without the right to mount the test is skipped.
    fn mount(megabytes: u32) -> Option<Self> {
        let home = Home::new();
        fs::create_dir(home.data()).unwrap();
        let size = format!("size={megabytes}m,mode=0700");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "roundel-test"])
            .arg(home.data())
            .output();
        if !mounted.is_ok_and(|output| output.status.success()) {
            skip("needs the right to mount");
            return None;
        }
        Some(Self { home })
    }

    fn remount(&self, how: &str) {
        let status = Command::new("mount")
            .args(["-o", how])
            .arg(self.home.data())
            .status();
        assert!(status.unwrap().success(), "{how}");
    }

    fn ballast(&self) -> PathBuf {
        self.home.data().join("ballast")
    }

    /// Takes what is left but for about this many kilobytes.
    fn leave(&self, kilobytes: u64) {
        let fs = rustix::fs::statvfs(self.home.data()).unwrap();
        let free = fs.f_bavail * fs.f_frsize;
        let taken = usize::try_from(free - kilobytes * 1024).unwrap();
        fs::write(self.ballast(), vec![0; taken]).unwrap();
    }

    /// Takes all the space that is left.
    fn fill(&self) {
        let mut file = File::create(self.ballast()).unwrap();
        for block in [1 << 20, 4096, 1] {
            while file.write_all(&vec![0; block]).is_ok() {}
        }
        assert_eq!(
            file.write(&[0]).unwrap_err().kind(),
            io::ErrorKind::StorageFull
        );
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        self.home.end_server();
        // Lazily: an agent that a failing test left may still be in there.
        let _ = Command::new("umount")
            .arg("--lazy")
            .arg(self.home.data())
            .status();
    }
}

/// Two hundred lines of 15 kB, some four seconds; then it says that it is done.
const WRITER: &str = r#"version: 2.1
jobs:
  write:
    machine: true
    steps:
      - run: |
          pad=$(head -c 15000 /dev/zero | tr '\0' x)
          for i in $(seq 200); do echo "line $i $pad"; sleep 0.02; done
workflows: {main: {jobs: [write]}}
"#;

#[test]
fn a_build_outlasts_a_full_disk_and_loses_no_byte() {
    let Some(disk) = SmallDisk::mount(24) else {
        return;
    };
    let home = &disk.home;
    home.repository("web", WRITER);
    home.run(&["status"]).with_code(0);
    let server = home.server();
    let shown = home.path("shown");
    let build = home
        .command(&["build", "web"])
        .stdout(File::create(&shown).unwrap())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let has = |line: &str| fs::read_to_string(&shown).unwrap().contains(line);
    until("the build writes", || has("line 20 "));
    disk.fill();
    let mut said = home.run(&["status"]);
    until("the server says that its store is full", || {
        said = home.run(&["status"]);
        said.err
            .contains("warning: the server is read-only: store full: ")
    });
    assert!(said.out.contains("running"), "{}", said.out);
    let (head, body) = home.http("/health");
    assert!(head.starts_with("http/1.1 503 "), "{head}");
    assert_eq!(body, r#"{"status":"failing","failing":["store"]}"#);
    let said = home.run(&["node-status"]).with_code(0);
    assert!(said.err.contains("read-only: store full"), "{}", said.err);
    let refused: [&[&str]; 2] = [
        &["build", "web"],
        &["node-drain", "-enable", "-self", "-yes"],
    ];
    for words in refused {
        let said = home.run(words).with_code(3);
        assert!(
            said.err.contains("full") && said.err.contains("\n  hint: free some space"),
            "{words:?}: {}",
            said.err
        );
    }
    assert!(!has("success"), "it did not end meanwhile");

    fs::remove_file(disk.ballast()).unwrap();
    let said = Said::from(build.wait_with_output().unwrap()).with_code(0);
    assert!(
        said.err.contains("==> the server is read-only: store full"),
        "{}",
        said.err
    );
    assert!(
        said.err.contains("==> the server takes writes again"),
        "{}",
        said.err
    );
    assert!(has("local/web #1 success"));
    let pad = "x".repeat(15_000);
    let expected: String = (1..=200).map(|n| format!("line {n} {pad}\n")).collect();
    let log = home.run(&["logs", "--raw", "web#1"]).with_code(0).out;
    assert!(
        log == expected,
        "{} bytes instead of {}",
        log.len(),
        expected.len()
    );
    assert_eq!(home.server(), server, "it is the same server all the time");
    let said = home.run(&["status"]).with_code(0);
    assert!(said.out.contains("dead") && said.err.is_empty(), "{said:?}");
    home.run(&["node-drain", "-enable", "-self", "-yes"])
        .with_code(0);
}

#[test]
fn nothing_is_placed_while_less_than_a_twentieth_is_free() {
    let Some(disk) = SmallDisk::mount(64) else {
        return;
    };
    let home = &disk.home;
    home.repository("web", &WRITER.replace("seq 200", "seq 2"));
    home.run(&["build", "web"]).with_code(0);
    // Of 64 MB; enough for the store to write on.
    disk.leave(2000);
    until("the server has seen it", || {
        let (head, dashboard) = home.http("/api/roundel/v1/dashboard");
        assert!(head.starts_with("http/1.1 200 "), "{head}");
        dashboard.contains("3 % free, less than 5 %")
    });
    let mut build = home.start(&["build", "web"]);
    let mut reason = Value::Null;
    until("the run says why it waits", || {
        reason = home.json(&["status", "-json"])["rows"][0]["reason"].clone();
        reason["code"] == "disk"
    });
    assert_eq!(
        reason["text"],
        "the data directory's file system has 3 % free, less than 5 %: nothing is placed"
    );
    let said = home.run(&["status"]).with_code(0);
    assert!(said.out.contains("3 % free"), "{}", said.out);
    fs::remove_file(disk.ballast()).unwrap();
    assert!(build.wait().unwrap().success());
}

#[test]
fn a_server_that_cannot_begin_for_want_of_space_is_told_as_that() {
    let Some(disk) = SmallDisk::mount(2) else {
        return;
    };
    disk.fill();
    for words in [&["status"][..], &["serve"]] {
        let said = disk.home.run(words).with_code(3);
        assert!(
            said.err.contains("/data` cannot be used: ") && said.err.contains("o space"),
            "{words:?}: {}",
            said.err
        );
        assert!(
            said.err.contains("\n  hint: free some space"),
            "{words:?}: {}",
            said.err
        );
    }
    fs::remove_file(disk.ballast()).unwrap();
    disk.home.run(&["status"]).with_code(0);
}

#[test]
fn a_read_only_data_directory_is_told_as_that_and_nothing_in_it_is_lost() {
    let Some(disk) = SmallDisk::mount(16) else {
        return;
    };
    let home = &disk.home;
    home.repository("web", &WRITER.replace("seq 200", "seq 2"));
    home.run(&["build", "web"]).with_code(0);
    home.end_server();
    disk.remount("remount,ro");
    for words in [
        &["status"][..],
        &["build", "web"],
        &["serve"],
        &["logs", "web#1"],
    ] {
        let said = home.run(words).with_code(3);
        assert!(
            said.err.contains("error: the data directory `/")
                && said.err.contains("/data` cannot be used: ")
                && said.err.contains("Read-only file system")
                && said
                    .err
                    .contains("\n  hint: it is on a file system that is mounted read-only"),
            "{words:?}: {}",
            said.err
        );
    }
    disk.remount("remount,rw");
    let said = home.run(&["logs", "--raw", "web#1"]).with_code(0);
    assert_eq!(said.out.lines().count(), 2);
}
