//! A data directory with the server that a verb started in it, and repositories to build. Shared by the test binaries.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use roundel::clock;
use rustix::process::Pid;
use serde_json::Value;
use tempfile::TempDir;

/// How long anything here may take before the test says that it never came.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A directory for one test. Ends the server in it, if one runs, when it goes away.
pub struct Home {
    root: TempDir,
}

impl Home {
    pub fn new() -> Self {
        Self {
            root: tempfile::tempdir().unwrap(),
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    pub fn data(&self) -> PathBuf {
        self.path("data")
    }

    /// The program with these words, at this data directory, with nothing of the surroundings.
    pub fn command(&self, words: &[&str]) -> Command {
        self.program(env!("CARGO_BIN_EXE_roundel"), words)
    }

    /// Another program in its place.
    pub fn program(&self, program: impl AsRef<OsStr>, words: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .args(words)
            .env_remove("ROUNDEL_SERVER")
            .env_remove("RUST_BACKTRACE")
            .env("ROUNDEL_DATA", self.data())
            .env_remove("ROUNDEL_THEME")
            .env("LC_ALL", "C.UTF-8")
            // What a test says of engines must not depend on the machine's.
            .env(
                "DOCKER_HOST",
                format!("unix://{}", self.path("engine.sock").display()),
            )
            .env("XDG_CONFIG_HOME", self.path("config"))
            .current_dir(self.root.path())
            .stdin(Stdio::null());
        command
    }

    pub fn run(&self, words: &[&str]) -> Said {
        Said::from(self.command(words).output().unwrap())
    }

    /// What a verb that has to go well says as JSON, for which its words ask.
    #[track_caller]
    pub fn json(&self, words: &[&str]) -> Value {
        serde_json::from_str(&self.run(words).with_code(0).out).unwrap()
    }

    /// A server that an administrator starts with this bootstrap file, once it answers.
    pub fn serve(&self, config: &str) -> Child {
        self.serve_with(env!("CARGO_BIN_EXE_roundel"), config)
    }

    /// The same of another program.
    pub fn serve_with(&self, program: impl AsRef<OsStr>, config: &str) -> Child {
        self.serve_in(program, config, |_| ())
    }

    /// The same in other surroundings.
    pub fn serve_in(
        &self,
        program: impl AsRef<OsStr>,
        config: &str,
        surround: impl FnOnce(&mut Command),
    ) -> Child {
        let file = self.path("roundel.toml");
        fs::write(&file, config).unwrap();
        let mut command = self.program(program, &["serve", "--config", file.to_str().unwrap()]);
        surround(command.stdout(Stdio::null()).stderr(Stdio::null()));
        // A verb that finds nobody at a socket starts a server of its own, and one that was killed left its socket.
        let socket = self.data().join("socket");
        if self.server().is_none_or(is_gone) {
            let _ = fs::remove_file(&socket);
        }
        let child = command.spawn().unwrap();
        until("the server answers", || {
            socket.exists() && self.run(&["status"]).code == Some(0)
        });
        child
    }

    /// Process id of the server that has the data directory.
    pub fn server(&self) -> Option<Pid> {
        let text = fs::read_to_string(self.data().join("lock")).ok()?;
        Pid::from_raw(text.trim().parse().ok()?)
    }

    /// Ends the server, if one runs, and waits until it is gone.
    pub fn end_server(&self) {
        if let Some(pid) = self.server() {
            // It may have ended by itself, and a test that fails must not fail twice.
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
            let begun = clock::monotonic();
            while !is_gone(pid) && begun.elapsed() < PATIENCE {
                std::thread::sleep(Duration::from_millis(10));
            }
        }
    }

    /// Kills the server as a crash would.
    pub fn kill_server(&self) {
        let pid = self.server().unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
        until("the killed server is gone", || is_gone(pid));
    }

    /// A repository whose config is `config`.
    pub fn repository(&self, name: &str, config: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.join(".circleci")).unwrap();
        fs::write(path.join(".circleci/config.yml"), config).unwrap();
        git(&path, &["init", "--quiet", "--initial-branch=main"]);
        self.commit(name, "Start");
        path
    }

    /// Commits all that lies in a repository.
    pub fn commit(&self, name: &str, message: &str) {
        let path = self.path(name);
        git(&path, &["add", "--all"]);
        git(&path, &["commit", "--quiet", "--message", message]);
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        self.end_server();
    }
}

fn is_gone(pid: Pid) -> bool {
    rustix::process::test_kill_process(pid).is_err()
}

fn git(path: &Path, words: &[&str]) {
    let status = Command::new("git")
        .args(["-c", "user.name=Test", "-c", "user.email=test@example.com"])
        .arg("-C")
        .arg(path)
        .args(words)
        .status()
        .unwrap();
    assert!(status.success(), "git {words:?}");
}

/// What the program said, and how it ended.
#[derive(Debug)]
pub struct Said {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Said {
    /// Its output, when it ended with this code.
    #[track_caller]
    pub fn with_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }
}

/// Waits until `condition` holds; fails when it never does.
#[track_caller]
pub fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let begun = clock::monotonic();
    while !condition() {
        assert!(begun.elapsed() < PATIENCE, "never came: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
