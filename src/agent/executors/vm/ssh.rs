//! The connection to a machine: OpenSSH's own client, one master whose connection all sessions share.
//!
//! Nothing of a user's own configuration, agent or known hosts is used. What a session runs there is a plain shell that
//! reads what to do from its input: no value ever stands on a command line, here or there.
//!
//! The master's own session is a guard: it tells what the machine is like, and once its input ends, because the run is
//! over, the agent was killed or the network is gone, it ends what the steps left and removes their files.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use zeroize::Zeroizing;

use super::last_line;
use super::script::{self, Inside};
use crate::clock;
use crate::processes::MARK;
use crate::secret::Secret;

/// How long TCP and the greeting may take before another try: a machine that starts takes in what it then drops.
const GREETING: Duration = Duration::from_secs(3);
/// How long all of a try may take: a guest under emulation is slow at keys.
const TRY: Duration = Duration::from_secs(30);
/// Time between two tries.
const PAUSE: Duration = Duration::from_millis(200);
/// Seconds without a byte after which the machine is asked whether it is there, and how often it may not answer.
const KEEPALIVE: (u32, u32) = (5, 3);
/// How long a small errand may take. Ending what a run left takes the longest.
const ERRAND: Duration = Duration::from_secs(30);
/// How long the guard may take to clear up once it is told: what the steps left has five seconds of it.
const FAREWELL: Duration = Duration::from_secs(12);
/// Most bytes taken of what an errand, or the guard at the beginning, says.
const SAID_MAX: usize = 64 * 1024;

/// Names of files in the connection's directory. They are short, and the client works there: a socket's path may have
/// no more than 108 bytes, and data directories lie anywhere.
const KEY: &str = "key";
const KNOWN: &str = "known_hosts";
const CONTROL: &str = "ctl";
const SAID: &str = "said";

/// The command of every session that reads a script.
const SHELL: &str = "exec /bin/sh";

/// Where to.
#[derive(Clone, Debug)]
pub(super) struct Target {
    /// How it is called.
    pub name: String,
    pub address: String,
    pub port: u16,
    pub user: String,
    /// Its host key, when it is known before.
    pub host_key: Option<String>,
}

/// An open connection.
#[derive(Debug)]
pub(super) struct Ssh {
    dir: PathBuf,
    target: Target,
    attempt: String,
    master: Child,
    /// Keeps the guard waiting.
    guard: Option<ChildStdin>,
    _told: BufReader<ChildStdout>,
}

/// Why a try came to nothing.
enum Miss {
    /// It may come. Why not now, where the machine or the client has said something.
    NotYet(Option<String>),
    /// It will not.
    Never(String),
}

/// The directory of a connection: nobody else's, in the attempt's.
pub(super) fn place(attempt_dir: &Path) -> io::Result<PathBuf> {
    let dir = attempt_dir.join("ssh");
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&dir)?;
    Ok(dir)
}

/// Keeps a key where the client finds it, for as long as it takes to connect.
pub(super) fn keep_key(dir: &Path, key: &Secret) -> io::Result<()> {
    let mut text = Zeroizing::new(key.expose().trim_end().to_owned());
    text.push('\n');
    let mut file = fs::OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(dir.join(KEY))?;
    io::Write::write_all(&mut file, text.as_bytes())
}

/// Makes a key for one connection, kept where the client finds it. Answers the public half, in one line.
pub(super) async fn make_key(dir: &Path) -> io::Result<String> {
    let output = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-C", "roundel", "-f", KEY])
        .current_dir(dir)
        .stdin(Stdio::null())
        .output()
        .await
        .map_err(|err| io::Error::new(err.kind(), format!("failed to run `ssh-keygen`: {err}")))?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        return Err(io::Error::other(format!("ssh-keygen: {}", words.trim())));
    }
    let line = fs::read_to_string(dir.join("key.pub"))?;
    Ok(line.trim().to_owned())
}

/// The client with all that must not be left to chance.
fn client(dir: &Path, target: &Target, attempt: &str) -> Command {
    let mut command = Command::new("ssh");
    let mut option = |text: &str| {
        command.arg("-o").arg(text);
    };
    option("BatchMode=yes");
    option("PreferredAuthentications=publickey");
    option("IdentitiesOnly=yes");
    option("IdentityAgent=none");
    option(&format!("IdentityFile={KEY}"));
    option(&format!("UserKnownHostsFile={KNOWN}"));
    option("GlobalKnownHostsFile=/dev/null");
    // One machine, one name: addresses and ports come and go.
    option("HostKeyAlias=machine");
    option("CheckHostIP=no");
    option("UpdateHostKeys=no");
    option(match target.host_key {
        Some(_) => "StrictHostKeyChecking=yes",
        None => "StrictHostKeyChecking=accept-new",
    });
    option(&format!("ConnectTimeout={}", GREETING.as_secs()));
    option("ConnectionAttempts=1");
    option(&format!("ServerAliveInterval={}", KEEPALIVE.0));
    option(&format!("ServerAliveCountMax={}", KEEPALIVE.1));
    option("ClearAllForwardings=yes");
    option("PermitLocalCommand=no");
    option("EscapeChar=none");
    option("LogLevel=ERROR");
    command
        // Neither the person's configuration nor the machine's, no agent, no X11, no terminal.
        .args(["-F", "none", "-a", "-x", "-T", "-S", CONTROL])
        .arg("-l")
        .arg(&target.user)
        .arg("-p")
        .arg(target.port.to_string())
        .current_dir(dir)
        .env_clear()
        .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
        .env("LC_ALL", "C")
        .env(MARK, attempt)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// Connects, as often as it takes a machine to start, until `patience` is over. The key's file is gone afterwards.
///
/// # Errors
/// A sentence.
pub(super) async fn connect(
    dir: &Path,
    target: Target,
    attempt: &str,
    patience: Duration,
) -> Result<(Ssh, Inside), String> {
    if let Some(key) = &target.host_key {
        fs::write(dir.join(KNOWN), format!("machine {key}\n"))
            .map_err(|err| format!("the machine's host key could not be kept: {err}"))?;
    }
    let begun = clock::monotonic();
    let at = format!("{}@{}:{}", target.user, target.address, target.port);
    let mut last = "it does not answer".to_owned();
    let connected = loop {
        match attempt_once(dir, &target, attempt, begun + patience).await {
            Ok(connected) => break connected,
            Err(Miss::Never(why)) => return Err(format!("no SSH at {at}: {why}")),
            Err(Miss::NotYet(Some(why))) => last = why,
            // A try that was cut off says less than one before it.
            Err(Miss::NotYet(None)) => {}
        }
        if begun.elapsed() + PAUSE >= patience {
            return Err(format!(
                "no SSH at {at} within {} s: {last}",
                patience.as_secs()
            ));
        }
        tokio::time::sleep(PAUSE).await;
    };
    // Further sessions go through the master.
    let _ = fs::remove_file(dir.join(KEY));
    Ok(connected)
}

async fn attempt_once(
    dir: &Path,
    target: &Target,
    attempt: &str,
    until: Instant,
) -> Result<(Ssh, Inside), Miss> {
    let failed = |what: &str, err: &io::Error| Miss::Never(format!("{what}: {err}"));
    // Left by a try that was cut off.
    let _ = fs::remove_file(dir.join(CONTROL));
    let said = fs::File::create(dir.join(SAID))
        .map_err(|err| failed("what the client says has no place", &err))?;
    let mut master = client(dir, target, attempt)
        .arg("-M")
        .arg("--")
        .arg(&target.address)
        .arg(SHELL)
        .stderr(said)
        .spawn()
        .map_err(|err| failed("failed to run `ssh`", &err))?;
    let mut guard = master.stdin.take().expect("it was asked for");
    let mut told = BufReader::new(master.stdout.take().expect("it was asked for"));
    let greeting = async {
        // One that does not come to read it has ended, which is told below.
        let _ = guard.write_all(script::guard(attempt).as_bytes()).await;
        inside(&mut told, attempt).await
    };
    let limit = TRY.min(until.saturating_duration_since(clock::monotonic()));
    let found = tokio::time::timeout(limit, greeting).await;
    if let Ok(Some(inside)) = found {
        let ssh = Ssh {
            dir: dir.to_owned(),
            target: target.clone(),
            attempt: attempt.to_owned(),
            master,
            guard: Some(guard),
            _told: told,
        };
        return Ok((ssh, inside));
    }
    let late = found.is_err();
    drop(guard);
    let _ = master.kill().await;
    let words = fs::read(dir.join(SAID)).ok();
    let words = words.and_then(|text| last_line(&text));
    Err(match words {
        Some(words) if words.contains("Host key verification failed") => {
            Miss::Never("it shows another host key than the one that is known of it".to_owned())
        }
        None if !late => Miss::NotYet(Some("it ended the session of the shell".to_owned())),
        words => Miss::NotYet(words),
    })
}

/// What the guard tells first. `None` when it ends before; what a shell's own start-up files say is passed over.
async fn inside(told: &mut BufReader<ChildStdout>, attempt: &str) -> Option<Inside> {
    let mut text = String::new();
    let mut line = Vec::new();
    while text.len() < SAID_MAX {
        line.clear();
        let mut part = (&mut *told).take(SAID_MAX as u64);
        if part.read_until(b'\n', &mut line).await.ok()? == 0 {
            return None;
        }
        let line = String::from_utf8_lossy(&line);
        match line.trim_end().strip_prefix(attempt).map(str::trim_start) {
            Some("end") => return script::inside(&text),
            Some(fact) => {
                text.push_str(fact);
                text.push('\n');
            }
            None => {}
        }
    }
    None
}

impl Ssh {
    /// A session of its own whose shell runs `command`; a command that takes no script has quoted words only.
    pub(super) fn session(&self, command: &str) -> Command {
        let mut session = client(&self.dir, &self.target, &self.attempt);
        session
            // Never around the master, whose end is the end.
            .args(["-o", "ControlMaster=no", "-o", "ProxyCommand=exec false"])
            .arg("--")
            .arg(&self.target.address)
            .arg(command);
        session
    }

    /// A session whose shell does what a script says.
    pub(super) fn shell(&self) -> Command {
        self.session(SHELL)
    }

    /// Runs a small script to its end. Answers its exit code and what it printed.
    pub(super) async fn errand(&self, script: &str) -> io::Result<(i32, String)> {
        let work = async {
            let mut child = self.shell().stderr(Stdio::null()).spawn()?;
            let mut input = child.stdin.take().expect("it was asked for");
            let output = child.stdout.take().expect("it was asked for");
            // One that does not read it tells why by its exit code.
            let _ = input.write_all(script.as_bytes()).await;
            drop(input);
            let mut text = Vec::new();
            output.take(SAID_MAX as u64).read_to_end(&mut text).await?;
            let status = child.wait().await?;
            let text = String::from_utf8_lossy(&text).into_owned();
            Ok((status.code().unwrap_or(-1), text))
        };
        tokio::time::timeout(ERRAND, work)
            .await
            .map_err(|_| io::Error::other(format!("it took longer than {} s", ERRAND.as_secs())))?
    }

    /// Whether the machine still answers.
    pub(super) async fn answers(&mut self) -> bool {
        self.is_open()
            && self
                .errand("exit 0\n")
                .await
                .is_ok_and(|(code, _)| code == 0)
    }

    /// Whether the client has given it up.
    pub(super) fn is_open(&mut self) -> bool {
        matches!(self.master.try_wait(), Ok(None))
    }

    /// How the machine is called.
    pub(super) fn name(&self) -> &str {
        &self.target.name
    }

    /// Its host key's fingerprint, as everybody who was shown it knows it.
    pub(super) async fn fingerprint(&self) -> Option<String> {
        let output = Command::new("ssh-keygen")
            .args(["-l", "-f", KNOWN])
            .current_dir(&self.dir)
            .stdin(Stdio::null())
            .output()
            .await
            .ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        let mut words = text.split_ascii_whitespace();
        words
            .find(|word| word.starts_with("SHA256:"))
            .map(str::to_owned)
    }

    /// Closes it: the guard clears up, then the client ends.
    pub(super) async fn close(mut self) {
        drop(self.guard.take());
        if tokio::time::timeout(FAREWELL, self.master.wait())
            .await
            .is_err()
        {
            tracing::warn!("the machine did not clear up in time");
        }
        let _ = self.master.kill().await;
    }
}
