//! The log of a real build: long, of several runs, hostile, searched while it grows, and kept in a file.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use rustix::process::{Pid, Signal, kill_process};

use crate::support::{Home, Terminal, four_nodes, gated, key, until};

/// One job that writes some megabytes, its last line unlike the others; some of them on stderr.
const LONG: &str = r#"version: 2.1
jobs:
  long:
    machine: true
    steps:
      - run:
          name: Fill
          command: |
            seq -f 'line %.0f of a long log that goes on and on' 1 120000
            echo "first on stderr" >&2
            sleep 0.2
            echo "error: the needle in the last line"
workflows: {main: {jobs: [long]}}
"#;

/// Three runs of one job that take turns: each waits for the line of the one before.
const TURNS: &str = r#"version: 2.1
jobs:
  turns:
    machine: true
    parallelism: 3
    steps:
      - run:
          name: Turns
          command: |
            for round in 1 2; do
              n=$(( (round - 1) * 3 + CIRCLE_NODE_INDEX ))
              while [ ! -e GATE/$n ]; do sleep 0.02; done
              printf 'turn %s of \033[31mrun\033[0m \033]0;title\007%s\n' $n $CIRCLE_NODE_INDEX
              sleep 0.05
              touch GATE/$((n + 1))
            done
workflows: {main: {jobs: [turns]}}
"#;

#[test]
fn a_long_log_is_searched_to_its_last_line_in_each_of_its_streams() {
    let home = Home::new();
    home.repository("long", LONG);
    home.run(&["build", "long"]).with_code(0);
    for size in [(80, 24), (120, 36)] {
        let mut console = Terminal::open(&home, size, &[]);
        console.sees(&["local/long #1", "success"]);
        console.press(
            "l",
            &["Steps", "Fill", "the needle in the last line", "follows"],
        );
        console.press("/NEEDLE\r", &["not found"]);
        console.press("/needle\r", &["1 lines, n N", "120,002 of 120,002 · 100%"]);
        console.acts(key::TAB);
        console.press("gg", &["line 1 of a long log"]);
        console.press("!", &["the needle in the last line"]);
        console.press("e", &["first on stderr"]);
        console.loses("line 120000");
        console.press("o", &["stdout", "the needle in the last line"]);
        console.loses("e first on stderr");
        console.press("b", &["stdout and stderr", "e first on stderr"]);
        console.press(":60000\r", &["line 60000 of a long log"]);
        console.press("a", &["Build Agent", "Fill"]);
        console.press("a", &["the needle in the last line"]);
        console.press("s", &["the needle in the last line"]);
        console.loses("Steps");
        assert!(
            console.screen().strange().is_empty(),
            "{}",
            console.screen()
        );
    }
}

#[test]
fn what_is_saved_is_what_the_verb_prints_byte_for_byte() {
    let home = Home::new();
    home.repository("long", LONG);
    home.run(&["build", "long"]).with_code(0);
    let mut console = Terminal::open(&home, (120, 36), &[]);
    console.sees(&["local/long #1", "success"]);
    console.press("l", &["the needle in the last line"]);
    console.acts(key::TAB);
    console.press("\x13", &["save the whole log to", "local-long-1-long-Fill"]);
    console.keys("\x15kept.log\r");
    console.sees(&[
        "saved 5.",
        "MB to kept.log; the same: roundel logs --raw --step",
    ]);
    let path = home.path("kept.log");
    let kept = fs::read_to_string(&path).unwrap();
    let said = home
        .run(&["logs", "--raw", "--step", "Fill", "local/long#1"])
        .with_code(0);
    assert!(kept.len() > 5_000_000 && kept == said.out);
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    // Never over another unasked.
    fs::write(&path, "theirs").unwrap();
    console.keys("\x13");
    console.keys("\x15kept.log\r");
    console.sees(&["Replace kept.log?", "[ Cancel ]"]);
    console.keys(key::ESC);
    console.loses("Replace kept.log?");
    assert_eq!(fs::read_to_string(&path).unwrap(), "theirs");
}

#[test]
fn parallel_runs_read_as_one_log_in_the_order_in_which_they_wrote() {
    let home = Home::new();
    // All three run at once.
    let mut server = four_nodes(&home);
    let gate = home.path("gate");
    fs::create_dir(&gate).unwrap();
    fs::write(gate.join("0"), "").unwrap();
    home.repository("turns", &TURNS.replace("GATE", gate.to_str().unwrap()));
    home.run(&["build", "turns"]).with_code(0);
    for size in [(80, 24), (120, 36)] {
        let mut console = Terminal::open(&home, size, &[]);
        console.sees(&["local/turns #1", "success"]);
        console.press("l", &["Turns", "turn 5 of run 2"]);
        if !console.screen().text().contains("all 3 runs") {
            console.press("p", &["all 3 runs"]);
        }
        console.sees(&["turn 0 of run 0", "turn 5 of run 2"]);
        let text = console.screen().text();
        let turns: Vec<&str> = text
            .lines()
            .filter(|line| line.contains(" of run "))
            .collect();
        assert_eq!(turns.len(), 6, "{text}");
        for (n, line) in turns.iter().enumerate() {
            let (run, words) = (n % 3, format!("turn {n} of run {}", n % 3));
            assert!(line.contains(&words), "{text}");
            assert!(line.contains(&format!(" {} ", run + 1)), "its tag\n{text}");
        }
        // The program's title went nowhere; its red is a red of the theme.
        let screen = console.screen();
        assert!(screen.strange().is_empty(), "{screen}");
        let plain = screen.find("turn 1 of").unwrap().1;
        let red = screen.find("run 1").unwrap().1;
        assert_ne!(plain.fg, red.fg);
    }
    kill_process(Pid::from_child(&server), Signal::TERM).unwrap();
    server.wait().unwrap();
}

#[test]
fn a_paused_log_loses_nothing_and_says_how_much_is_new() {
    let home = Home::new();
    let gate = home.path("gate");
    fs::create_dir(&gate).unwrap();
    home.repository("slow", &gated(&gate));
    let mut build = home.command(&["build", "slow"]);
    let mut build = build.stdout(std::process::Stdio::null()).spawn().unwrap();
    let mut console = Terminal::open(&home, (80, 24), &[]);
    console.sees(&["local/slow #1", "running"]);
    console.press("l", &["Steps", "Wait"]);
    let write = |n: u32| fs::write(gate.join(n.to_string()), "").unwrap();
    write(1);
    console.press("", &["line number 1"]);
    console.press("f", &["paused, f follows"]);
    for n in 2..=40 {
        write(n);
    }
    console.sees(&["paused +39 new, f follows"]);
    // What was not there when it was first looked for is found once it is.
    console.press("/number 40\r", &["line number 40"]);
    fs::write(gate.join("end"), "").unwrap();
    console.press("f", &["line number 40", "follows"]);
    console.sees(&["success after"]);
    assert!(build.wait().unwrap().success());
    until("the log has all of it", || {
        let said = home.run(&["logs", "--raw", "--step", "Wait", "local/slow#1"]);
        said.out.lines().count() == 40
    });
}
