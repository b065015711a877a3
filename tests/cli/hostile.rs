//! Jobs that mean harm, or only write much: to the terminal of whoever reads their log, to the server's memory, to the
//! machine they leave.

use std::fs;
use std::io::{Read, Write};
use std::process::Stdio;

use sha2::{Digest, Sha256};

use crate::support::{Home, until};

/// Everything that a terminal would obey, hide or stumble over, in one line.
const ATTACK: &[u8] = b"begin \x1b]0;owned\x07\x1b]52;c;b3duZWQ=\x1b\\\x1b[2J\x1b[9;9H\x1b[?1049h\x1bc\x1bP1$q\x1b\\\
    \xc2\x9b31m\xe2\x80\xaeright\xe2\x80\xac\xe2\x81\xa6left\xe2\x81\xa9\x00\xff\xfe\xc3(\xed\xa0\x80\x08\x0b\x0c\rend\n";
/// Bytes of the one long line.
const LONG_LINE: usize = 50 << 20;
/// Bytes of ordinary lines after it.
const REST: usize = 10 << 20;
const ORDINARY: &[u8] =
    b"\x1b[31mred\x1b[0m \x1b]0;again\x07and what a build says, in a line of some eighty bytes\n";

/// Most that the server's memory may grow by, in KiB.
const GROWTH_MAX: u64 = 64 << 10;

fn write_attack(out: &mut impl Write) {
    out.write_all(ATTACK).unwrap();
    let block = vec![b'x'; 1 << 20];
    for _ in 0..LONG_LINE / block.len() {
        out.write_all(&block).unwrap();
    }
    out.write_all(b"\n").unwrap();
    for _ in 0..REST / ORDINARY.len() {
        out.write_all(ORDINARY).unwrap();
    }
}

/// Most memory that the server ever had, in KiB.
fn most_memory(home: &Home) -> u64 {
    let pid = home.server().unwrap().as_raw_nonzero();
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.unwrap()
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .unwrap()
}

fn hex(digest: impl AsRef<[u8]>) -> String {
    digest
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// What a terminal was told besides text, line ends and colours.
#[derive(Default)]
struct Told {
    text: String,
    other: Vec<String>,
}

impl vte::Perform for Told {
    fn print(&mut self, c: char) {
        self.text.push(c);
    }

    fn execute(&mut self, byte: u8) {
        match byte {
            b'\n' => self.text.push('\n'),
            b'\r' | b'\t' => {}
            byte => self.other.push(format!("control {byte:#x}")),
        }
    }

    fn csi_dispatch(&mut self, params: &vte::Params, intermediates: &[u8], _: bool, action: char) {
        if action != 'm' || !intermediates.is_empty() {
            self.other.push(format!("csi {params:?} {action}"));
        }
    }

    fn osc_dispatch(&mut self, params: &[&[u8]], _: bool) {
        self.other.push(format!("osc {params:?}"));
    }

    fn esc_dispatch(&mut self, _: &[u8], _: bool, byte: u8) {
        self.other.push(format!("escape {byte:#x}"));
    }

    fn hook(&mut self, _: &vte::Params, _: &[u8], _: bool, action: char) {
        self.other.push(format!("dcs {action}"));
    }
}

fn is_bidi(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[test]
fn a_log_of_attacks_and_great_size_is_kept_exactly_shown_inert_and_costs_no_memory() {
    let home = Home::new();
    let input = home.path("attack");
    write_attack(&mut fs::File::create(&input).unwrap());
    home.repository("web", &one_step(&format!("cat {}", input.display())));
    home.run(&["status"]).with_code(0);
    let idle = most_memory(&home);
    let build = home
        .command(&["build", "web"])
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert_eq!(build.code(), Some(0));

    let mut sum = Sha256::new();
    std::io::copy(&mut fs::File::open(&input).unwrap(), &mut Sink(&mut sum)).unwrap();
    let expected = hex(sum.finalize());
    let mut logs = home
        .command(&["logs", "--raw", "web#1"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut sum = Sha256::new();
    std::io::copy(logs.stdout.as_mut().unwrap(), &mut Sink(&mut sum)).unwrap();
    assert_eq!(logs.wait().unwrap().code(), Some(0));
    assert_eq!(hex(sum.finalize()), expected);

    let shown = home.on_terminal(&["logs", "web#1"], "");
    let mut told = Told::default();
    vte::Parser::new().advance(&mut told, shown.as_bytes());
    assert!(
        told.other.is_empty(),
        "{:?}",
        &told.other[..told.other.len().min(9)]
    );
    assert!(
        !shown
            .chars()
            .any(|c| is_bidi(c) || matches!(c, '\0' | '\u{80}'..='\u{9f}'))
    );
    for text in [
        "begin ",
        "right",
        "left",
        "end\n",
        "red and what a build says",
    ] {
        assert!(told.text.contains(text), "{text}");
    }
    let whole = |line: &str| line.len() == LONG_LINE && line.bytes().all(|byte| byte == b'x');
    assert!(told.text.lines().any(whole), "the long line is whole");

    let grown = most_memory(&home) - idle;
    assert!(
        grown <= GROWTH_MAX,
        "{grown} KiB more than the {idle} KiB of an idle server"
    );
}

struct Sink<'a>(&'a mut Sha256);

impl Write for Sink<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A config whose one job runs `command`.
fn one_step(command: &str) -> String {
    let command = serde_json::to_string(command).unwrap();
    step(&format!("{{name: It, command: {command}}}"))
}

fn step(run: &str) -> String {
    format!(
        "version: 2.1\njobs:\n  job:\n    machine: true\n    steps:\n      - run: {run}\nworkflows: {{main: {{jobs: [job]}}}}\n"
    )
}

/// The processes whose command line holds `words`.
fn processes(words: &str) -> Vec<String> {
    let all = fs::read_dir("/proc").unwrap();
    all.filter_map(|entry| fs::read(entry.ok()?.path().join("cmdline")).ok())
        .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
        .filter(|line| line.contains(words))
        .collect()
}

#[test]
fn what_a_job_leaves_behind_is_ended_also_when_it_detached_itself() {
    let home = Home::new();
    // A span of its own for each process of this test, by which it is found.
    let span = format!("{}.25", 100_000 + std::process::id());
    let command = format!(
        "setsid sleep {span} & (setsid sh -c 'sleep {span} & sleep {span}' >/dev/null 2>&1 &) ; nohup sleep {span} & \
         echo left"
    );
    home.repository("web", &one_step(&command));
    let said = home.run(&["build", "web"]).with_code(0);
    assert!(said.out.contains("left\n"), "{}", said.out);
    until("they are gone", || processes(&span).is_empty());
}

#[test]
fn a_job_without_end_is_cancelled_with_all_it_started() {
    let home = Home::new();
    let span = format!("{}.75", 100_000 + std::process::id());
    home.repository(
        "web",
        &one_step(&format!(
            "trap '' TERM INT; setsid sleep {span} & while :; do sleep {span}; done"
        )),
    );
    let mut build = home.start(&["build", "web"]);
    until("the job runs", || {
        processes(&format!("sleep {span}")).len() >= 2
    });
    let id = first_pipeline(&home);
    home.run(&["cancel", &id]).with_code(0);
    let mut out = String::new();
    build
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut out)
        .unwrap();
    assert_eq!(build.wait().unwrap().code(), Some(1), "{out}");
    assert!(out.contains("local/web #1 canceled"), "{out}");
    until("they are gone", || processes(&span).is_empty());
}

#[test]
fn a_data_directory_that_was_removed_takes_its_runs_with_it() {
    let home = Home::new();
    let span = format!("{}.5", 100_000 + std::process::id());
    home.repository("web", &one_step(&format!("sleep {span}")));
    let mut build = home
        .command(&["build", "web"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    until("the job runs", || {
        !processes(&format!("sleep {span}")).is_empty()
    });
    home.kill_server();
    // It would wait for the server to come back.
    build.kill().unwrap();
    build.wait().unwrap();
    let attempts = home.data().join("attempts");
    let agent = format!("agent --dir {}", attempts.display());
    assert_eq!(processes(&agent).len(), 1);
    fs::remove_dir_all(home.data()).unwrap();
    until("job and agent are gone", || {
        processes(&format!("sleep {span}")).is_empty() && processes(&agent).is_empty()
    });
}

fn first_pipeline(home: &Home) -> String {
    let said = home.run(&["status", "--json"]).with_code(0);
    let page: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    page["rows"][0]["pipeline"].as_str().unwrap().to_owned()
}

#[test]
fn a_step_that_cannot_run_or_falls_silent_says_why() {
    let home = Home::new();
    fs::write(home.path("file"), "").unwrap();
    let file = home.path("file");
    let file = file.display();
    let cases = [
        (
            "false",
            step("{name: It, shell: /bin/false, command: echo x}"),
            1,
            "step \"It\" exited with 1".to_owned(),
        ),
        (
            "shell",
            step("{name: It, shell: /none/sh, command: echo x}"),
            1,
            "step \"It\" could not be started: failed to run `/none/sh`: No such file".to_owned(),
        ),
        (
            "directory",
            step(&format!(
                "{{name: It, working_directory: {file}/in, command: echo x}}"
            )),
            1,
            format!(
                "could not be started: failed to make its working directory `{file}/in`: Not a directory"
            ),
        ),
        (
            "silent",
            step("{name: It, no_output_timeout: 1s, command: echo x; sleep 60}"),
            1,
            "step \"It\": too long with no output (exceeded 1s)".to_owned(),
        ),
        (
            "killed",
            one_step("kill -KILL $$"),
            1,
            "step \"It\" exited with 137".to_owned(),
        ),
        (
            "agent",
            one_step("kill -KILL $PPID; sleep 60"),
            3,
            "the build agent ended without a result (signal: 9 (SIGKILL))".to_owned(),
        ),
    ];
    for (name, config, code, text) in cases {
        home.repository(name, &config);
        let said = home.run(&["build", name]).with_code(code);
        assert!(
            said.out.contains(&text),
            "{name}: no {text:?} in\n{}",
            said.out
        );
    }
}

#[test]
fn a_job_that_fills_stderr_is_read_to_the_end() {
    let home = Home::new();
    home.repository(
        "web",
        &one_step("head -c 3000000 /dev/zero | tr '\\0' e >&2; echo done"),
    );
    home.run(&["build", "web"]).with_code(0);
    let said = home
        .run(&["logs", "--raw", "--stream", "err", "web#1"])
        .with_code(0);
    assert_eq!(
        (said.out.len(), said.out.trim_matches('e')),
        (3_000_000, "")
    );
    let said = home
        .run(&["logs", "--raw", "--stream", "out", "web#1"])
        .with_code(0);
    assert_eq!(said.out, "done\n");
}

#[test]
fn a_job_sees_no_variable_of_the_server_but_those_it_is_given() {
    let home = Home::new();
    home.repository("web", &one_step("env"));
    let build = home
        .command(&["build", "web"])
        .envs([
            ("SECRET_OF_THE_SHELL", "x"),
            ("GIT_DIR", "/x"),
            ("LD_PRELOAD_NOT", "x"),
            ("TZ", "UTC"),
        ])
        .output()
        .unwrap();
    assert!(build.status.success());
    let said = home.run(&["logs", "--raw", "web#1"]).with_code(0);
    let named = [
        "PATH",
        "LANG",
        "TZ",
        "USER",
        "LOGNAME",
        "HOME",
        "PWD",
        "OLDPWD",
        "SHLVL",
        "_",
        "BASH_ENV",
        "CI",
        "CIRCLECI",
        "RUSTUP_HOME",
        "CARGO_HOME",
        "ROUNDEL_ATTEMPT",
    ];
    let names: Vec<&str> = said
        .out
        .lines()
        .filter_map(|line| Some(line.split_once('=')?.0))
        .collect();
    for name in &names {
        assert!(
            named.contains(name) || name.starts_with("CIRCLE_"),
            "{name} is in\n{}",
            said.out
        );
    }
    for name in ["PATH", "HOME", "CI", "CIRCLE_SHA1", "CIRCLE_BUILD_NUM"] {
        assert!(names.contains(&name), "no {name} in\n{}", said.out);
    }
    let home_of_job = said
        .out
        .lines()
        .find_map(|line| line.strip_prefix("HOME="))
        .unwrap();
    assert!(home_of_job.contains("/scratch/"), "{home_of_job}");
}

#[test]
fn a_reader_that_goes_away_is_no_fault() {
    let home = Home::new();
    home.repository("web", &one_step("seq 100000"));
    home.run(&["build", "web"]).with_code(0);
    for words in [
        &["build", "web"][..],
        &["logs", "web#1"],
        &["logs", "--raw", "web#1"],
    ] {
        let mut child = home.start(words);
        let mut out = child.stdout.take().unwrap();
        assert_eq!(out.read(&mut [0; 10]).unwrap(), 10);
        drop(out);
        let ended = child.wait_with_output().unwrap();
        // Not a panic (101), not a signal, and not a word about it.
        assert!(
            matches!(ended.status.code(), Some(0 | 141)),
            "{words:?}: {ended:?}"
        );
        assert_eq!(String::from_utf8_lossy(&ended.stderr), "", "{words:?}");
    }
    let full = fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let ended = home
        .command(&["status"])
        .stdout(full)
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    assert_eq!(ended.status.code(), Some(3));
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(
        said.starts_with("error: failed to write the output: No space left"),
        "{said}"
    );
}

#[test]
fn an_orphan_that_ends_is_gone_while_its_run_goes_on() {
    let home = Home::new();
    home.repository(
        "orphan",
        "version: 2.1
jobs:
  orphan:
    machine: true
    steps:
      - run: |
          (setsid sh -c 'echo $$ > pid; sleep 0.2' &)
          until [ -s pid ]; do sleep 0.05; done
          for i in $(seq 200); do
              [ -e /proc/$(cat pid) ] || exit 0
              sleep 0.1
          done
          cat /proc/$(cat pid)/stat
          exit 1
workflows: {main: {jobs: [orphan]}}
",
    );
    home.run(&["build", "orphan"]).with_code(0);
}
