//! Control groups of this machine, and of version 2 alone, which it need not have: in a guest, whose kernel is told so. The
//! guest has no init system; Roundel, git and bash are put into its first file system.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::skip::skip;
use crate::support::Home;

const CONFIG: &str = r#"version: 2.1
jobs:
  job:
    machine: true
    resource_class: tiny
    steps:
      - run: |
          group=/sys/fs/cgroup$(cut -d: -f3 /proc/self/cgroup)
          cat $group/memory.max $group/cpu.max
          sleep 600 &
          echo left
      - run: dd if=/dev/zero of=/dev/null bs=200M count=1
workflows: {main: {jobs: [job]}}
"#;

/// What its second step's log tells.
const KILLED: &str =
    "Killed: out of memory, the job's 64 MB were not enough (resource class tiny).";

/// A class too small for the second step.
const TINY: &str = "host_user = \"self\"\n[classes.tiny]\ncpu = 0.5\nmemory = \"64MB\"\n";

/// What the guest does in place of an init system.
const INIT: &str = r#"#!/bin/sh
export PATH=/bin:/sbin:/usr/bin HOME=/root
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
mount -t tmpfs tmp /tmp; mount -t cgroup2 none /sys/fs/cgroup
ip link set lo up
cd /repo
git init -q; git config user.email a@example.com; git config user.name a
git add -A; git commit -qm Start
/roundel --config /config.toml --data /tmp/data doctor
/roundel --config /config.toml --data /tmp/data build .
echo "ended with $?"
echo "groups left: $(find /sys/fs/cgroup -name 'roundel-*' | wc -l)"
echo "processes left: $(ps | grep -c '[s]leep 600')"
poweroff -f
"#;

/// Puts a program and the libraries it is linked with below `root`.
fn bring(root: &Path, program: &Path, to: &str) {
    let put = |from: &Path, to: &Path| {
        let to = root.join(to.strip_prefix("/").unwrap());
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(from, to).unwrap();
    };
    put(program, Path::new(to));
    let linked = Command::new("ldd").arg(program).output().unwrap();
    let linked = String::from_utf8(linked.stdout).unwrap();
    for library in linked
        .split_whitespace()
        .filter(|word| word.starts_with('/'))
    {
        put(Path::new(library), Path::new(library));
    }
}

/// The first file system of the guest: that of all guests of the tests, and this on top.
fn initrd(home: &Home, guest: &Path) -> PathBuf {
    let root = home.path("root");
    for (program, to) in [
        (Path::new(env!("CARGO_BIN_EXE_roundel")), "/roundel"),
        (Path::new("/usr/bin/git"), "/usr/bin/git"),
        (Path::new("/bin/bash"), "/bin/bash"),
    ] {
        bring(&root, program, to);
    }
    symlink("git", root.join("usr/bin/git-upload-pack")).unwrap();
    let mut stripped = Command::new("strip");
    assert!(
        stripped
            .arg(root.join("roundel"))
            .status()
            .unwrap()
            .success()
    );
    fs::create_dir_all(root.join("repo/.circleci")).unwrap();
    fs::write(root.join("repo/.circleci/config.yml"), CONFIG).unwrap();
    fs::write(root.join("config.toml"), TINY).unwrap();
    fs::create_dir_all(root.join("var/tmp")).unwrap();
    fs::write(root.join("groups"), INIT).unwrap();
    fs::set_permissions(root.join("groups"), fs::Permissions::from_mode(0o755)).unwrap();
    let initrd = home.path("initrd");
    fs::copy(guest.join("initrd"), &initrd).unwrap();
    let packed = Command::new("sh")
        .args([
            "-c",
            "cd \"$0\" && find . | busybox cpio -o -H newc | gzip -1 >>\"$1\"",
        ])
        .args([&root, &initrd])
        .stderr(Stdio::null())
        .status();
    assert!(packed.unwrap().success());
    initrd
}

#[test]
fn a_step_that_takes_more_memory_than_its_job_has_is_told_so() {
    let home = Home::new();
    fs::create_dir_all(home.path("config/roundel")).unwrap();
    fs::write(home.path("config/roundel/config.toml"), TINY).unwrap();
    let doctor = home.run(&["doctor"]).out;
    if !doctor.contains("limits of CPU and memory hold") {
        return skip("needs control groups with limits, which doctor does not find here");
    }
    let too_much = "dd if=/dev/zero of=/dev/null bs=200M count=1";
    let config = |command: &str| {
        format!(
            "version: 2.1\njobs:\n  job:\n    machine: true\n    resource_class: tiny\n    steps:\n      - run: {{name: Take, command: {command}}}\nworkflows: {{main: {{jobs: [job]}}}}\n"
        )
    };
    home.repository("web", &config(too_much));
    let said = home.run(&["build", "web"]).with_code(1);
    said.says(&[KILLED]);
    let run = home.json(&["status", "-json"]);
    let text = run.to_string();
    assert!(
        text.contains("exited with 137: out of memory, the job's 64 MB"),
        "{text}"
    );
    // A job that goes on without what was killed succeeds, and its log tells of the kill all the same.
    home.repository("other", &config(&format!("'{too_much} || echo went on'")));
    let said = home.run(&["build", "other"]).with_code(0);
    said.says(&[
        "went on",
        "A process was killed: out of memory, the job's 64 MB were not enough (resource class tiny).",
    ]);
}

#[test]
fn limits_hold_and_nothing_stays_where_there_is_version_2_alone() {
    let Some(guest) = std::env::var_os("ROUNDEL_TEST_GUEST").map(PathBuf::from) else {
        let why = std::env::var("ROUNDEL_TEST_GUEST_NEEDS");
        return skip(&format!(
            "needs {}",
            why.as_deref()
                .unwrap_or("the image of a guest: tests/run makes one")
        ));
    };
    let home = Home::new();
    let initrd = initrd(&home, &guest);
    let serial = home.path("serial");
    let ran = Command::new("timeout")
        .args([
            "300",
            "qemu-system-x86_64",
            "-accel",
            "tcg",
            "-cpu",
            "max",
            "-m",
            "1500",
        ])
        .args([
            "-display",
            "none",
            "-vga",
            "none",
            "-net",
            "none",
            "-no-reboot",
            "-serial",
        ])
        .arg(format!("file:{}", serial.display()))
        .arg("-kernel")
        .arg(guest.join("vmlinuz"))
        .arg("-initrd")
        .arg(initrd)
        .args([
            "-append",
            "console=ttyS0 quiet rdinit=/groups cgroup_no_v1=all",
        ])
        .status();
    let said = String::from_utf8_lossy(&fs::read(serial).unwrap()).into_owned();
    assert!(ran.unwrap().success(), "{said}");
    for words in [
        "limits of CPU and memory hold; what a job leaves running is ended by the kernel",
        "Limits: 0.5 cpu, 64 MB.",
        "67108864",
        "50000 100000",
        "left",
        KILLED,
        "exited with 137: out of memory, the job's 64 MB were not enough (resource class tiny)",
        "ended with 1",
        "groups left: 0",
        "processes left: 0",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
}
