//! The console on a terminal of its own, and what is built in its tests.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use roundel::clock;
use rustix::process::{Pid, Signal, kill_process};
use rustix::termios::{OptionalActions, Termios, Winsize, tcgetattr, tcsetattr, tcsetwinsize};

#[path = "../support/home.rs"]
mod home;
#[path = "../support/pty.rs"]
mod pty;
mod screen;

pub use home::{Home, until};
pub use screen::{Color, Screen};

/// How long a screen may take to be as wanted before the test says that it never was.
const COMES: Duration = Duration::from_secs(30);

/// The words that open the console on the builds: most tests begin with one.
pub const BUILDS: [&str; 3] = ["console", "--screen", "builds"];

/// Three jobs, one of them in two copies.
pub const THREE: &str = r#"version: 2.1
jobs:
  build:
    machine: true
    steps:
      - run: {name: Say it, command: "echo one; echo two; echo three >&2"}
  test:
    machine: true
    parallelism: 2
    steps:
      - run: echo "copy $CIRCLE_NODE_INDEX"
  lint:
    machine: true
    steps:
      - run: echo tidy
workflows:
  main:
    jobs: [build, lint, {test: {requires: [build]}}]
"#;

/// One job that prints a line for each file that appears in a directory: `1`, `2` and so on; `end` ends it.
pub fn gated(gate: &Path) -> String {
    format!(
        r#"version: 2.1
jobs:
  slow:
    machine: true
    steps:
      - run:
          name: Wait
          command: |
            n=1
            while [ ! -e {gate}/end ]; do
              if [ -e {gate}/$n ]; then echo "line number $n"; n=$((n + 1)); else sleep 0.02; fi
            done
workflows: {{main: {{jobs: [slow]}}}}
"#,
        gate = gate.display()
    )
}

/// A server of four nodes, started as an administrator does.
pub fn four_nodes(home: &Home) -> Child {
    home.serve("host_user = \"self\"\nnodes = 4\n")
}

/// A way to a terminal as modems make it: so many bytes a second, each of which is under way for so long.
#[derive(Clone, Copy)]
pub struct Modem {
    pub rate: usize,
    pub delay: Duration,
}

/// A terminal with a program in it. What the program writes is taken in as it comes.
pub struct Terminal {
    ours: File,
    /// Where keys go when they are under way for a while.
    far: Option<(UnderWay, Duration)>,
    /// Kept open: how the terminal is set can be read after the program has gone.
    theirs: Option<File>,
    child: Child,
    shown: Arc<Shown>,
    reader: Option<thread::JoinHandle<()>>,
    /// How the terminal was set before the program had it.
    pub before: Termios,
}

struct Shown {
    screen: Mutex<Screen>,
    changed: Condvar,
}

impl Terminal {
    /// Opens the program with these words on a terminal of this size; without any, on the builds.
    pub fn open(home: &Home, size: (u16, u16), words: &[&str]) -> Self {
        let words = if words.is_empty() { &BUILDS[..] } else { words };
        Self::start(&home.command(words), size)
    }

    /// Starts a command as the leader of a session on a terminal.
    pub fn start(command: &Command, size: (u16, u16)) -> Self {
        Self::launch(command, size, None)
    }

    /// The same at the end of a serial line that says its speed as serial lines do, and of a long way.
    pub fn slow(command: &Command, size: (u16, u16), modem: Modem) -> Self {
        Self::launch(command, size, Some(modem))
    }

    fn launch(command: &Command, size: (u16, u16), modem: Option<Modem>) -> Self {
        let (ours, theirs) = pty::open();
        set_size(&ours, size);
        if let Some(modem) = modem {
            let mut line = tcgetattr(&theirs).unwrap();
            let baud = u32::try_from(modem.rate).unwrap() * 10;
            line.set_speed(baud).unwrap();
            tcsetattr(&theirs, OptionalActions::Now, &line).unwrap();
        }
        let before = tcgetattr(&theirs).unwrap();
        let mut leader = Command::new("setsid");
        leader
            .arg("--ctty")
            .arg(command.get_program())
            .args(command.get_args())
            .env("TERM", "xterm-256color");
        for name in ["NO_COLOR", "COLORTERM", "COLORFGBG", "TMUX", "SSH_TTY"] {
            leader.env_remove(name);
        }
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => leader.env(name, value),
                None => leader.env_remove(name),
            };
        }
        if let Some(dir) = command.get_current_dir() {
            leader.current_dir(dir);
        }
        let child = leader
            .stdin(theirs.try_clone().unwrap())
            .stdout(theirs.try_clone().unwrap())
            .stderr(theirs.try_clone().unwrap())
            .spawn()
            .expect("setsid of util-linux is there");
        let shown = Arc::new(Shown {
            screen: Mutex::new(Screen::new(size)),
            changed: Condvar::new(),
        });
        let mut source = ours.try_clone().unwrap();
        let taken_in = Arc::clone(&shown);
        let take = move |bytes: &[u8]| {
            taken_in.screen.lock().unwrap().take(bytes);
            taken_in.changed.notify_all();
        };
        // Each ends once both the program and we have let go of its other end.
        let (reader, far) = match modem {
            None => {
                let reader = thread::spawn(move || {
                    let mut buffer = vec![0; 16 * 1024];
                    while let Ok(n) = source.read(&mut buffer) {
                        take(&buffer[..n]);
                    }
                });
                (reader, None)
            }
            Some(Modem { rate, delay }) => {
                let arriving = under_way(take);
                let reader = thread::spawn(move || {
                    // As much as the line carries in a twentieth of a second, then that long nothing.
                    let mut buffer = vec![0; rate / 20];
                    while let Ok(n) = source.read(&mut buffer) {
                        let due = clock::monotonic() + delay;
                        arriving.send((due, buffer[..n].to_vec())).unwrap();
                        thread::sleep(Duration::from_millis(50));
                    }
                });
                let mut keyboard = ours.try_clone().unwrap();
                // A program that has ended takes no more keys.
                let far = under_way(move |bytes: &[u8]| _ = keyboard.write_all(bytes));
                (reader, Some((far, delay)))
            }
        };
        Self {
            ours,
            far,
            theirs: Some(theirs),
            child,
            shown,
            reader: Some(reader),
            before,
        }
    }

    /// Process id of the program.
    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Types; a chord as the bytes that terminals send for it.
    pub fn keys(&mut self, keys: &str) {
        match &self.far {
            Some((far, delay)) => {
                let due = clock::monotonic() + *delay;
                far.send((due, keys.into())).unwrap();
            }
            None => self.ours.write_all(keys.as_bytes()).unwrap(),
        }
    }

    /// Sends a signal to the program.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// Makes the terminal another size.
    pub fn resize(&self, size: (u16, u16)) {
        self.screen().resize(size);
        set_size(&self.ours, size);
        // Only the foreground group of a terminal that controls it is told by the kernel; that is the program.
    }

    /// What the terminal shows now.
    pub fn screen(&self) -> MutexGuard<'_, Screen> {
        self.shown.screen.lock().unwrap()
    }

    /// How the terminal is set now.
    pub fn settings(&self) -> Termios {
        tcgetattr(self.theirs.as_ref().unwrap()).unwrap()
    }

    /// Waits until the screen is as wanted; fails with the screen when it never is.
    #[track_caller]
    pub fn wait(&self, what: &str, mut condition: impl FnMut(&Screen) -> bool) {
        let begun = clock::monotonic();
        let mut screen = self.screen();
        // Half a frame is nothing that anybody sees.
        while screen.is_drawing() || !condition(&screen) {
            let Some(left) = COMES.checked_sub(begun.elapsed()) else {
                panic!("never came: {what}\n{screen}");
            };
            (screen, _) = self.shown.changed.wait_timeout(screen, left).unwrap();
        }
    }

    /// Waits until all of these words are on the screen.
    #[track_caller]
    pub fn sees(&self, words: &[&str]) {
        self.wait(&format!("{words:?}"), |screen| {
            let text = screen.text();
            words.iter().all(|word| text.contains(word))
        });
    }

    /// Types, then waits until all of these words are on the screen.
    #[track_caller]
    pub fn press(&mut self, keys: &str, words: &[&str]) {
        self.keys(keys);
        self.sees(words);
    }

    /// Types, then waits until something of it is drawn. After Esc that is no proof: wait for what it takes away.
    #[track_caller]
    pub fn acts(&mut self, keys: &str) {
        let before = self.screen().bytes().len();
        self.keys(keys);
        self.wait(&format!("a frame after {keys:?}"), |screen| {
            screen.bytes().len() > before
        });
    }

    /// Waits until these words are no longer on the screen.
    #[track_caller]
    pub fn loses(&self, words: &str) {
        self.wait(&format!("without {words:?}"), |screen| {
            !screen.text().contains(words)
        });
    }

    /// Waits until the program has ended.
    #[track_caller]
    pub fn ended(&mut self) -> ExitStatus {
        let mut status = None;
        until("the console has ended", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap()
    }

    /// Whether the program still runs.
    pub fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Fails unless the terminal is as it was before the program had it.
    #[track_caller]
    pub fn is_given_back(&self) {
        self.wait("the terminal is given back", |screen| {
            screen.modes_on().is_empty()
        });
        assert_eq!(words(&self.settings()), words(&self.before));
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended; and a test that fails must not fail twice.
        _ = self.child.kill();
        _ = self.child.wait();
        drop(self.theirs.take());
        if let Some(reader) = self.reader.take() {
            _ = reader.join();
        }
    }
}

/// Bytes that arrive at a moment.
type UnderWay = mpsc::Sender<(Instant, Vec<u8>)>;

/// A way on which bytes arrive when they are due, in their order.
fn under_way(mut arrive: impl FnMut(&[u8]) + Send + 'static) -> UnderWay {
    let (way, arriving) = mpsc::channel::<(Instant, Vec<u8>)>();
    thread::spawn(move || {
        for (due, bytes) in arriving {
            thread::sleep(due.saturating_duration_since(clock::monotonic()));
            arrive(&bytes);
        }
    });
    way
}

/// The mouse, alternate screen, bracketed paste, hidden cursor, and no frame under way.
pub fn at_rest(screen: &Screen) -> bool {
    screen.is_alternate() && screen.modes_on() == [1000, 1006, 1049, 2004, 25]
}

/// What a text for the clipboard says.
pub fn decoded(base64: &str) -> String {
    let digit = |c: u8| match c {
        b'A'..=b'Z' => c - b'A',
        b'a'..=b'z' => c - b'a' + 26,
        b'0'..=b'9' => c - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let mut bytes = Vec::new();
    for four in base64.trim_end_matches('=').as_bytes().chunks(4) {
        let n = four
            .iter()
            .fold(0u32, |n, c| (n << 6) | u32::from(digit(*c)))
            << (6 * (4 - four.len()));
        bytes.extend_from_slice(&n.to_be_bytes()[1..four.len()]);
    }
    String::from_utf8(bytes).unwrap()
}

/// Everything about how a terminal is set, to be compared.
pub fn words(settings: &Termios) -> String {
    format!("{settings:?}")
}

fn set_size(terminal: &File, (columns, rows): (u16, u16)) {
    let size = Winsize {
        ws_row: rows,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(terminal, size).unwrap();
}

/// Keys that are not a letter, as terminals send them.
pub mod key {
    pub const ENTER: &str = "\r";
    pub const ESC: &str = "\x1b";
    pub const TAB: &str = "\t";
    pub const RIGHT: &str = "\x1b[C";
    pub const CTRL_C: &str = "\x03";
    pub const CTRL_Z: &str = "\x1a";
}
