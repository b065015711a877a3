//! Runs `git` with a clean environment, a time limit, and bounded output.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{OnceLock, mpsc};
use std::thread;
use std::time::Duration;

use super::VcsError;
use crate::secret::Secret;

/// Most bytes of a message kept.
const SAID_MAX: usize = 600;

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

/// Runs it. Output beyond `max` bytes is an error; the process is killed after `limit`.
pub(super) fn run(
    mut command: Command,
    what: &'static str,
    limit: Duration,
    max: usize,
) -> Result<Said, VcsError> {
    let mut child = command.spawn().map_err(VcsError::NoGit)?;
    let out = child.stdout.take().expect("stdout is piped");
    let err = child.stderr.take().expect("stderr is piped");
    let (to, from) = mpsc::channel();
    let reader = thread::spawn(move || {
        let mut bytes = Vec::new();
        // A pipe that breaks ends the output; the exit status tells the rest.
        let _ = out.take(max as u64 + 1).read_to_end(&mut bytes);
        // Whoever waits may have given up.
        let _ = to.send(());
        bytes
    });
    let complaints = thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = err.take(64 * 1024).read_to_end(&mut bytes);
        bytes
    });
    let late = from.recv_timeout(limit).is_err();
    if late {
        // It may have ended in this very moment.
        let _ = child.kill();
    }
    let status = child.wait().map_err(VcsError::NoGit)?;
    if late {
        return Err(VcsError::Late {
            what,
            seconds: limit.as_secs(),
        });
    }
    let out = reader.join().unwrap_or_default();
    if out.len() > max {
        return Err(VcsError::TooLong {
            what: format!("git's answer, when it was to {what},"),
            max,
        });
    }
    let err = said(&complaints.join().unwrap_or_default());
    Ok(Said {
        ok: status.success(),
        out,
        err,
    })
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
