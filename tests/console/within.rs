//! The console inside tmux and GNU screen, at sizes that change while data does, and on a terminal that is unplugged.

use std::fs;
use std::process::Command;

use rustix::process::Signal;

use crate::skip::skip;
use crate::support::{Home, THREE, Terminal, gated, key, until};

/// Whether a program is there; says so where it is not.
fn there(program: &str) -> bool {
    let there = Command::new(program).arg("-V").output().is_ok()
        || Command::new(program).arg("-v").output().is_ok();
    if !there {
        skip(&format!("needs {program}"));
    }
    there
}

fn built() -> Home {
    let home = Home::new();
    home.repository("web", THREE);
    home.run(&["build", "web"]).with_code(0);
    home
}

/// The words that a shell starts the console of this home by.
fn words(home: &Home) -> String {
    format!(
        "env -u NO_COLOR ROUNDEL_DATA={} XDG_CONFIG_HOME={} {} console --screen builds",
        home.data().display(),
        home.path("config").display(),
        env!("CARGO_BIN_EXE_roundel")
    )
}

#[test]
fn inside_tmux_frames_are_right_and_a_copy_arrives() {
    if !there("tmux") {
        return;
    }
    let home = built();
    let socket = home.path("tmux.socket");
    let tmux = |words: &[&str]| {
        let said = Command::new("tmux")
            .arg("-S")
            .arg(&socket)
            .args(["-f", "/dev/null"])
            .args(words)
            .env_remove("TMUX")
            .output()
            .unwrap();
        String::from_utf8_lossy(&said.stdout).into_owned()
    };
    tmux(&["new-session", "-d", "-x", "100", "-y", "30", &words(&home)]);
    tmux(&["set", "-s", "set-clipboard", "on"]);
    let sees = |wanted: &str| {
        until(wanted, || tmux(&["capture-pane", "-p"]).contains(wanted));
    };
    sees("local/web #1");
    sees("? help");
    tmux(&["send-keys", "Enter"]);
    sees("build number");
    tmux(&["send-keys", "C-g"]);
    sees("copied roundel console --screen pipeline:");
    until("tmux has the text", || {
        tmux(&["show-buffer"]).starts_with("roundel console --screen pipeline:")
    });
    tmux(&["resize-window", "-x", "80", "-y", "24"]);
    sees("local/web #1");
    tmux(&["kill-server"]);
}

#[test]
fn inside_gnu_screen_frames_are_right() {
    if !there("screen") {
        return;
    }
    let home = built();
    let name = format!("roundel-test-{}", std::process::id());
    let config = home.path("screenrc");
    fs::write(&config, "startup_message off\ndefutf8 on\n").unwrap();
    let screen = |words: &[&str]| {
        Command::new("screen")
            .args(words)
            .env("SCREENDIR", {
                let dir = home.path("sockets");
                fs::create_dir_all(&dir).unwrap();
                let own = std::os::unix::fs::PermissionsExt::from_mode(0o700);
                fs::set_permissions(&dir, own).unwrap();
                dir
            })
            .env("LC_ALL", "C.UTF-8")
            .env_remove("STY")
            .output()
            .unwrap()
    };
    let start = words(&home);
    screen(&[
        "-c",
        config.to_str().unwrap(),
        "-U",
        "-dmS",
        &name,
        "sh",
        "-c",
        &start,
    ]);
    let shot = home.path("shot");
    let sees = |wanted: &str| {
        until(wanted, || {
            screen(&["-S", &name, "-X", "hardcopy", shot.to_str().unwrap()]);
            let text = fs::read(&shot).unwrap_or_default();
            String::from_utf8_lossy(&text).contains(wanted)
        });
    };
    sees("local/web #1");
    sees("? help");
    screen(&["-S", &name, "-X", "stuff", "4"]);
    sees("1 node");
    screen(&["-S", &name, "-X", "quit"]);
}

#[test]
fn resizes_at_any_moment_neither_end_nor_tear_it() {
    let home = built();
    let gate = home.path("gate");
    fs::create_dir(&gate).unwrap();
    home.repository("slow", &gated(&gate));
    let mut console = Terminal::open(&home, (80, 24), &[]);
    console.sees(&["local/web #1"]);
    let mut build = home.command(&["build", "slow"]);
    let mut build = build.stdout(std::process::Stdio::null()).spawn().unwrap();
    console.sees(&["local/slow #1"]);
    // The cursor's row held still; the new build stands above it.
    console.acts("k");
    console.press("l", &["Wait"]);
    // Sizes by a simple generator, and the extremes; data and keys come meanwhile.
    let mut n: u32 = 20_261;
    let extremes = [(1, 1), (59, 14), (500, 200), (2, 60), (300, 2)];
    for round in 1..=40u32 {
        n = n.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let size = match extremes.get(usize::try_from(round / 2).unwrap()) {
            Some(extreme) if round.is_multiple_of(2) => *extreme,
            _ => (1 + (n >> 8) as u16 % 200, 1 + (n >> 20) as u16 % 70),
        };
        fs::write(gate.join(round.to_string()), "").unwrap();
        console.resize(size);
        console.keys(["j", "2", "3", "4", "?", key::ESC][(n >> 16) as usize % 6]);
        assert!(console.runs(), "at {size:?}");
    }
    console.resize((100, 30));
    console.wait("it has all of the new size", |screen| {
        screen.row(29).contains("help") || screen.row(29).contains("Esc close")
    });
    // Whatever stands over the screen by now gives way to a question, and that to its answer.
    console.press(key::CTRL_C, &["Leave the console?"]);
    console.keys(key::ENTER);
    console.loses("Leave the console?");
    console.press("2", &["waited p50"]);
    console.press("3", &["local/slow #1", "local/web #1", "? help"]);
    assert!(
        console.screen().strange().is_empty(),
        "{}",
        console.screen()
    );
    fs::write(gate.join("end"), "").unwrap();
    assert!(build.wait().unwrap().success());
}

#[test]
fn an_unplugged_terminal_ends_the_console_and_no_build() {
    let home = Home::new();
    let gate = home.path("gate");
    fs::create_dir(&gate).unwrap();
    home.repository("slow", &gated(&gate));
    let mut console = Terminal::open(&home, (80, 24), &[]);
    console.sees(&["Nothing has been built here yet."]);
    console.press("P", &["path or URL of a git repository"]);
    console.press(
        &format!("{}\r", home.path("slow").display()),
        &["local/slow #1", "running"],
    );
    console.signal(Signal::HUP);
    assert_eq!(console.ended().code(), Some(130));
    console.is_given_back();
    drop(console);
    // It still waits for what only the test gives it.
    fs::write(gate.join("end"), "").unwrap();
    until("the build has gone on and ended", || {
        home.run(&["status", "slow#1"]).out.contains("success")
    });
}
