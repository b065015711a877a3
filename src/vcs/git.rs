//! Runs `git` with a clean environment, a time limit, and bounded output.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

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
    let out = child.stdout.take().expect("stdout is piped");
    let err = child.stderr.take().expect("stderr is piped");
    let (to, from) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // A pipe that breaks ends the output; the exit status tells the rest.
        let _ = out.take(max as u64 + 1).read_to_end(&mut bytes);
        // Whoever waits may have given up.
        let _ = to.send(bytes);
    });
    let complaints = Complaints::of(err);
    let Ok(out) = from.recv_timeout(limit) else {
        end(&mut child);
        return Err(late());
    };
    if out.len() > max {
        end(&mut child);
        return Err(VcsError::TooLong {
            what: format!("git's answer, when it was to {what},"),
            max,
        });
    }
    let left = limit.saturating_sub(begun.elapsed());
    let Some(status) = ended_within(&mut child, left).map_err(VcsError::NoGit)? else {
        end(&mut child);
        return Err(late());
    };
    Ok(Said {
        ok: status.success(),
        out,
        err: said(&complaints.heard()),
    })
}

/// What git says on its standard error, as it is read.
struct Complaints {
    bytes: Arc<Mutex<Vec<u8>>>,
    ended: mpsc::Receiver<()>,
}

impl Complaints {
    /// Keeps the beginning, and reads on: who cannot say more is ended by that.
    fn of(mut pipe: impl Read + Send + 'static) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let (to, ended) = mpsc::channel();
        let kept = bytes.clone();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            loop {
                let n = match pipe.read(&mut buffer) {
                    Err(err) if err.kind() == io::ErrorKind::Interrupted => continue,
                    Ok(0) | Err(_) => break,
                    Ok(n) => n,
                };
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                let room = COMPLAINTS_MAX.saturating_sub(kept.len());
                kept.extend_from_slice(&buffer[..n.min(room)]);
            }
            // Whoever waits may have given up.
            let _ = to.send(());
        });
        Self { bytes, ended }
    }

    /// All of it, once git has ended. A connection that SSH keeps for the next one may hold the pipe for long.
    fn heard(&self) -> Vec<u8> {
        let _ = self.ended.recv_timeout(HELD);
        let mut bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut bytes)
    }
}

/// Waits for the end of a process whose output has ended, and no longer than this.
fn ended_within(child: &mut Child, limit: Duration) -> io::Result<Option<ExitStatus>> {
    let begun = clock::monotonic();
    let mut pause = Duration::from_micros(100);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if begun.elapsed() >= limit {
            return Ok(None);
        }
        thread::sleep(pause);
        pause = (pause * 2).min(PAUSE_MAX);
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
