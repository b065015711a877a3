//! Runs `git` with a clean environment, a time limit, and bounded output.

use std::io::{self, Read};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::Signal;

use super::VcsError;
use crate::secret::Secret;
use crate::{clock, processes};

/// Most bytes of a message kept.
const SAID_MAX: usize = 600;
/// Most bytes of all messages kept; the rest is read and forgotten.
const COMPLAINTS_MAX: usize = 64 * 1024;
/// How long somebody else may hold the pipe of messages once git has ended.
const HELD: Duration = Duration::from_millis(500);
/// How long git may take to end when it is asked to, before it is killed.
const GRACE: Duration = Duration::from_secs(2);
/// Between two looks at whether it has ended.
const PAUSE_MAX: Duration = Duration::from_millis(10);

/// What git answered.
#[derive(Debug)]
pub(super) struct Said {
    pub ok: bool,
    pub out: Vec<u8>,
    pub err: String,
}

impl Said {
    /// Its output, or its words as an error.
    pub(super) fn or_failed(self, what: &'static str) -> Result<Vec<u8>, VcsError> {
        if self.ok {
            Ok(self.out)
        } else {
            Err(VcsError::Failed {
                what,
                said: self.err,
            })
        }
    }
}

/// The file of the authorities that this process's git is to believe, once it was named.
static AUTHORITIES: OnceLock<PathBuf> = OnceLock::new();

/// Has git believe the authorities of a file, for as long as that is there, in place of the system's. The first one that a
/// process names holds.
pub fn trust(bundle: PathBuf) {
    // A second server of this process has the authorities of the first, which only tests start.
    let _ = AUTHORITIES.set(bundle);
}

/// A command in `directory` (a work tree or a git directory). Settings that could run programs are off.
pub(super) fn git(directory: &Path) -> Command {
    let mut command = Command::new("git");
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("GIT_")
            && !name.to_string_lossy().starts_with("GIT_SSL")
        {
            command.env_remove(name);
        }
    }
    if let Some(bundle) = AUTHORITIES.get().filter(|bundle| bundle.is_file()) {
        command.env("GIT_SSL_CAINFO", bundle);
    }
    command
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("LC_ALL", "C")
        .args([
            "-c",
            "protocol.ext.allow=never",
            "-c",
            "core.fsmonitor=false",
        ])
        .args(["-c", "core.hooksPath=/dev/null", "-c", "gc.auto=0", "-C"])
        .arg(directory)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// How git reaches what is not on this machine.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Network {
    /// As the account's own settings of git and the surroundings have it: nothing was said of a proxy.
    #[default]
    Unsaid,
    /// By no proxy, whatever else says.
    Direct,
    /// By the proxy at this URL.
    Proxy(Secret),
}

impl Network {
    /// Tells git, by its environment: everybody can read the words of a command.
    pub(super) fn tell(&self, command: &mut Command) {
        const NAMES: [&str; 4] = ["http_proxy", "https_proxy", "all_proxy", "no_proxy"];
        let proxy = match self {
            Network::Unsaid => return,
            // Git's word for none at all.
            Network::Direct => "",
            Network::Proxy(url) => url.expose(),
        };
        for name in NAMES {
            command.env_remove(name).env_remove(name.to_uppercase());
        }
        command
            .env("GIT_CONFIG_COUNT", "1")
            .env("GIT_CONFIG_KEY_0", "http.proxy")
            .env("GIT_CONFIG_VALUE_0", proxy);
    }
}

/// Runs it. Output beyond `max` bytes is an error, and so is whatever takes longer than `limit`; nothing that git started is
/// left running then.
pub(super) fn run(
    mut command: Command,
    what: &'static str,
    limit: Duration,
    max: usize,
) -> Result<Said, VcsError> {
    let begun = clock::monotonic();
    let late = || VcsError::Late {
        what,
        seconds: limit.as_secs(),
    };
    let mut child = command.spawn().map_err(VcsError::NoGit)?;
    let mut out = Pipe::of(child.stdout.take(), max.saturating_add(1));
    let mut err = Pipe::of(child.stderr.take(), COMPLAINTS_MAX);
    let left = || limit.saturating_sub(begun.elapsed());
    while out.is_open() && out.kept.len() <= max && !left().is_zero() {
        listen(&mut out, &mut err, left());
    }
    if out.kept.len() > max {
        end(&mut child);
        return Err(VcsError::TooLong {
            what: format!("git's answer, when it was to {what},"),
            max,
        });
    }
    let mut pause = Duration::from_micros(100);
    let status = loop {
        match child.try_wait().map_err(VcsError::NoGit)? {
            Some(status) if !out.is_open() => break status,
            _ if left().is_zero() => {
                end(&mut child);
                return Err(late());
            }
            _ => {}
        }
        listen(&mut out, &mut err, pause.min(left()));
        pause = (pause * 2).min(PAUSE_MAX);
    };
    // A connection that SSH keeps for the next one may hold the pipe for long.
    let ended = clock::monotonic();
    let held = || HELD.saturating_sub(ended.elapsed());
    while err.is_open() && !held().is_zero() {
        listen(&mut out, &mut err, held());
    }
    Ok(Said {
        ok: status.success(),
        out: out.kept,
        err: said(&err.kept),
    })
}

/// What git says on one of its pipes: its beginning is kept, and the rest read all the same, since who cannot say more is
/// ended by that.
struct Pipe<R> {
    from: Option<R>,
    kept: Vec<u8>,
    max: usize,
}

impl<R: Read + AsFd> Pipe<R> {
    fn of(from: Option<R>, max: usize) -> Self {
        let kept = Vec::new();
        Self { from, kept, max }
    }

    fn is_open(&self) -> bool {
        self.from.is_some()
    }

    /// Reads what is there. A pipe that breaks has ended; the exit status tells the rest.
    fn read(&mut self) {
        let mut buffer = [0; 16 * 1024];
        match self.from.as_mut().map(|from| from.read(&mut buffer)) {
            Some(Err(err)) if err.kind() == io::ErrorKind::Interrupted => {}
            Some(Ok(n @ 1..)) => {
                let room = self.max.saturating_sub(self.kept.len());
                self.kept.extend_from_slice(&buffer[..n.min(room)]);
            }
            _ => self.from = None,
        }
    }
}

/// Waits until one of the pipes says something or ends, and no longer than this; then reads it.
fn listen(out: &mut Pipe<ChildStdout>, err: &mut Pipe<ChildStderr>, limit: Duration) {
    let fds = [
        out.from.as_ref().map(AsFd::as_fd),
        err.from.as_ref().map(AsFd::as_fd),
    ];
    let open = fds.iter().flatten();
    let mut polled: Vec<_> = open.map(|fd| PollFd::new(fd, PollFlags::IN)).collect();
    let limit = Timespec::try_from(limit).ok();
    // One that is interrupted has nothing to tell, and is asked again.
    let _ = poll(&mut polled, limit.as_ref());
    let mut spoke = polled.iter().map(|fd| !fd.revents().is_empty());
    let [of_out, of_err] = fds.map(|fd| fd.is_some() && spoke.next() == Some(true));
    if of_out {
        out.read();
    }
    if of_err {
        err.read();
    }
}

/// Ends git with what it started, which does not end by itself when git is killed. They stay in the server's process group,
/// where a key on its terminal reaches them.
fn end(child: &mut Child) {
    let mut tree = processes::descendants(child.id());
    tree.push(child.id());
    let tree: Vec<(u32, u64)> = tree
        .into_iter()
        .filter_map(|pid| Some((pid, processes::start_time(pid)?)))
        .collect();
    let alive = || -> Vec<u32> {
        let same = |(pid, start): &&(u32, u64)| processes::start_time(*pid) == Some(*start);
        tree.iter().filter(same).map(|(pid, _)| *pid).collect()
    };
    // Asked first: it takes its locks along, which would keep the next one out.
    processes::signal(&alive(), Signal::TERM);
    let begun = clock::monotonic();
    while !alive().is_empty() && begun.elapsed() < GRACE {
        thread::sleep(PAUSE_MAX);
    }
    processes::signal(&alive(), Signal::KILL);
    // It has ended, or is just about to.
    let _ = child.wait();
}

/// Version of the program, as `2.39.5`.
///
/// # Errors
/// When it is missing or does not answer.
pub fn version() -> Result<String, VcsError> {
    let mut command = git(Path::new("/"));
    command.arg("version");
    let what = "tell its version";
    let out = run(command, what, super::source::LOCAL, 4096)?.or_failed(what)?;
    let text = said(&out);
    let number = text.strip_prefix("git version ").unwrap_or(&text);
    Ok(number.split(' ').next().unwrap_or(number).to_owned())
}

/// Git's words in one inert line.
fn said(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let line: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    let mut line = crate::sanitise::line(&line.join("; ")).into_owned();
    if line.len() > SAID_MAX {
        let mut cut = SAID_MAX;
        while !line.is_char_boundary(cut) {
            cut -= 1;
        }
        line.truncate(cut);
    }
    line
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::net::TcpListener;

    use super::*;

    /// Living processes in whose command line this stands.
    fn with(text: &str) -> usize {
        let of = |entry: fs::DirEntry| fs::read(entry.path().join("cmdline")).ok();
        fs::read_dir("/proc")
            .unwrap()
            .filter_map(|entry| of(entry.ok()?))
            .filter(|line| String::from_utf8_lossy(line).contains(text))
            .count()
    }

    #[test]
    fn a_remote_that_never_answers_leaves_nothing_of_git_behind() {
        let remote = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/acme/web", remote.local_addr().unwrap());
        let mut command = git(Path::new("/"));
        Network::Direct.tell(&mut command);
        command.args(["ls-remote", "--", &url]);
        let asked = thread::spawn(|| run(command, "ask", Duration::from_secs(3), 1024));
        // Once it is connected, its helper runs.
        let (connection, _) = remote.accept().unwrap();
        assert!(with(&url) >= 2, "git and its helper");
        let err = asked.join().unwrap().unwrap_err();
        assert!(matches!(err, VcsError::Late { seconds: 3, .. }), "{err}");
        assert_eq!(with(&url), 0);
        drop(connection);
    }

    #[test]
    fn a_process_that_outlives_its_output_is_not_waited_for_longer_than_the_limit() {
        let shell = |script: &str| {
            let mut command = Command::new("sh");
            command
                .args(["-c", script])
                .stdout(Stdio::piped())
                .stderr(Stdio::piped());
            command
        };
        let deaf = shell("exec >&- 2>&-; trap '' TERM; while :; do sleep 7.25; done");
        let err = run(deaf, "end", Duration::from_millis(200), 1024).unwrap_err();
        assert!(matches!(err, VcsError::Late { .. }), "{err}");
        // What it left behind holds the pipe of messages, as SSH does for the next connection.
        let said = run(
            shell("echo words >&2; sleep 5 >&- & echo out"),
            "speak",
            Duration::from_secs(4),
            1024,
        );
        let said = said.unwrap();
        assert_eq!((said.ok, said.err.as_str()), (true, "words"));
        assert_eq!(said.out, b"out\n");
        // More than is kept stops nobody.
        let said = run(
            shell("head -c 300000 /dev/zero >&2; echo out"),
            "speak",
            Duration::from_secs(20),
            1024,
        );
        assert!(said.unwrap().ok);
    }
}
