//! Steps as processes of this machine: each in a group of its own, all in the control groups of the attempt.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, chown, fchown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::rc::Rc;
use std::time::Duration;

use rustix::process::Signal;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Child;
use tokio::task::JoinHandle;

use super::heard::Heard;
use super::memory::Memory;
use super::{End, Executor, GRACE, NotReady, Program, last_words, let_go};
use crate::agent::environment::Environment;
use crate::agent::journal::Journal;
use crate::agent::paths::Places;
use crate::api::agent::{OUTPUT_MAX, RunAs, Task};
use crate::clock;
use crate::processes::{self, cgroup::Cgroup};

/// The host as one attempt sees it.
#[derive(Debug)]
pub(in crate::agent) struct Host {
    pub places: Places,
    pub cgroup: Cgroup,
    memory: Memory,
    scratch: PathBuf,
    attempt: String,
    environment: Environment,
    run_as: Option<RunAs>,
    bash_env: PathBuf,
    readers: Vec<JoinHandle<()>>,
}

impl Host {
    /// Makes home, project directory and control groups.
    pub(in crate::agent) fn prepare(
        task: &Task,
        environment: Environment,
        dir: &Path,
    ) -> io::Result<Self> {
        let places = Places::new(&task.scratch, &task.working_directory);
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&places.home)?;
        // In a directory that the steps may write to, as what edits it in place has to.
        let own = task.scratch.join("own");
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&own)?;
        let bash_env = own.join("bash_env");
        fs::write(&bash_env, b"")?;
        let cgroup = Cgroup::create(&task.attempt.short(), task.cpu_millis, task.memory_mb);
        fs::write(dir.join("cgroup"), cgroup.lines())?;
        let host = Self {
            places,
            memory: Memory::of_job(cgroup.kills(), task),
            cgroup,
            scratch: task.scratch.clone(),
            attempt: task.attempt.to_string(),
            environment,
            run_as: task.run_as.clone(),
            bash_env,
            readers: Vec::new(),
        };
        if let Some(account) = &host.run_as {
            for path in [&host.places.home, &own, &host.bash_env] {
                chown(path, Some(account.uid), Some(account.gid))?;
            }
            // The steps of other runs have the same user, so what keeps them out is not theirs: only this run's group
            // comes in, and no user but root can change that. Nor may the steps make anything there: what the agent
            // writes beside their home it writes as root, and would follow their links.
            chown(&task.scratch, None, Some(account.gid))?;
            fs::set_permissions(&task.scratch, fs::Permissions::from_mode(0o710))?;
        }
        host.make_dir(&host.places.project)?;
        Ok(host)
    }

    /// The side of a run elsewhere on which git works: with this machine's programs, and a directory of its own.
    pub(super) fn for_git(task: &Task, dir: &Path) -> Result<Self, NotReady> {
        let own = |name: &str| Some((name.to_owned(), std::env::var(name).ok()?));
        let own: Vec<_> = ["PATH", "LANG"].into_iter().filter_map(own).collect();
        let task = Task {
            working_directory: "~".to_owned(),
            ..task.clone()
        };
        Self::prepare(
            &task,
            Environment::before(&own, Environment::default()),
            dir,
        )
        .map_err(|err| NotReady::Broken(format!("the environment could not be made: {err}")))
    }

    /// Makes a directory as the account of the steps: what is below its home may be links of its own making.
    pub(in crate::agent) fn make_dir(&self, path: &Path) -> io::Result<()> {
        if self.run_as.is_none() {
            return fs::create_dir_all(path);
        }
        if path.is_dir() {
            return Ok(());
        }
        let mut command = Command::new("mkdir");
        command
            .arg("-p")
            .arg("--")
            .arg(path)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        self.become_account(&mut command);
        let status = command.status()?;
        if status.success() {
            Ok(())
        } else {
            Err(io::Error::other(format!("mkdir ended with {status}")))
        }
    }

    fn become_account(&self, command: &mut Command) {
        if let Some(account) = &self.run_as {
            // As root, std drops the supplementary groups along with these.
            command.gid(account.gid).uid(account.uid);
        }
    }

    async fn run_to_end(&mut self, program: &Program<'_>, journal: &Rc<Journal>) -> End {
        let heard = Rc::new(Heard::new());
        self.memory.forget();
        let (mut child, group) = match self.spawn(program).await {
            Ok(spawned) => spawned,
            Err(err) => return End::Failed(err),
        };
        tracing::info!(step = program.step, pid = group, "step started");
        let step = program.step;
        let readers = [
            child
                .stdout
                .take()
                .map(|pipe| listen(pipe, step, 1, journal.clone(), heard.clone())),
            child
                .stderr
                .take()
                .map(|pipe| listen(pipe, step, 2, journal.clone(), heard.clone())),
        ];
        let mut readers: Vec<JoinHandle<()>> = readers.into_iter().flatten().collect();
        if program.background {
            self.readers.append(&mut readers);
            tokio::task::spawn_local(async move {
                // Its exit code is nobody's business; waiting only keeps it from being a zombie.
                let _ = child.wait().await;
            });
            return End::Left;
        }
        let end = match program.watch(child.wait(), &heard, journal).await {
            Ok(Ok(status)) => End::Exited(code(status)),
            Ok(Err(err)) => End::Failed(err),
            Err(cut_short) => cut_short,
        };
        if !matches!(end, End::Exited(_)) {
            self.end_group(group, &mut child).await;
        }
        last_words(&mut readers, &heard).await;
        self.readers.append(&mut readers);
        self.memory.told(end, step, journal).await
    }

    async fn spawn(&self, program: &Program<'_>) -> io::Result<(Child, u32)> {
        let named = |what: &str, path: &Path, err: &io::Error| {
            io::Error::new(
                err.kind(),
                format!("failed to {what} `{}`: {err}", path.display()),
            )
        };
        self.make_dir(&program.directory)
            .map_err(|err| named("make its working directory", &program.directory, &err))?;
        let mut words = program.words.iter();
        let first = words
            .next()
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the shell is empty"))?;
        let mut command = Command::new(first);
        command
            .args(words)
            .current_dir(&program.directory)
            .env_clear()
            .envs(self.environment.iter())
            .env("HOME", &self.places.home)
            .env("BASH_ENV", &self.bash_env)
            .envs(
                program
                    .environment
                    .iter()
                    .map(|(name, value)| (name, value)),
            )
            .env("PWD", &program.directory)
            .env(processes::MARK, &self.attempt)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        self.become_account(&mut command);
        // The child begins in the control groups because its parent is in them at that moment: nothing can slip out
        // between fork and a later move. The kernel may take 20 ms for the move, in which the agent can report.
        let cgroup = self.cgroup.clone();
        // Broken off only when the agent itself ends.
        let _ = tokio::task::spawn_blocking(move || cgroup.enter()).await;
        let child = tokio::process::Command::from(command).spawn();
        self.cgroup.leave();
        let child = child.map_err(|err| named("run", Path::new(first), &err))?;
        let group = child.id().unwrap_or_default();
        Ok((child, group))
    }

    /// TERM to the step's group, then, after a while, KILL to everything of the attempt.
    async fn end_group(&self, group: u32, child: &mut Child) {
        signal_group(group, Signal::TERM);
        let polite = tokio::time::timeout(GRACE, child.wait()).await.is_ok();
        if !polite {
            tracing::warn!(group, "the step did not end when asked to; killing it");
        }
        self.kill_everything().await;
        // Killed processes are gone at once, so this cannot last.
        let _ = child.wait().await;
    }

    /// Kills what is left of the attempt. Cheap when nothing is.
    async fn kill_everything(&self) {
        if self.cgroup.can_kill() {
            self.cgroup.kill();
            return;
        }
        let own = std::process::id();
        let killed = tokio::task::spawn_blocking(move || {
            processes::kill_all(|| processes::descendants(own));
        });
        // Broken off only when the agent itself ends.
        let _ = killed.await;
    }

    async fn end(self) {
        let own = std::process::id();
        let can_kill = self.cgroup.can_kill();
        let left = || {
            if can_kill {
                self.cgroup.pids()
            } else {
                processes::descendants(own)
            }
        };
        let pids = left();
        if !pids.is_empty() {
            tracing::info!(processes = pids.len(), "ending what the steps left running");
            processes::signal(&pids, Signal::TERM);
            let begun = clock::monotonic();
            while !left().is_empty() && begun.elapsed() < GRACE {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            self.kill_everything().await;
        }
        let_go(self.readers).await;
        // Without a wait the end of the last step and that of the run reach the server in one report.
        if !self.cgroup.remove_at_once() {
            let cgroup = self.cgroup.clone();
            // Broken off only when the agent itself ends.
            let _ = tokio::task::spawn_blocking(move || cgroup.remove()).await;
        }
    }
}

impl Executor for Host {
    fn places(&self) -> &Places {
        &self.places
    }

    fn has_bash(&self) -> bool {
        Path::new("/bin/bash").exists()
    }

    async fn keep_script(&mut self, name: &str, text: &str) -> io::Result<OsString> {
        let script = self.scratch.join(name);
        let mut file = fs::File::create_new(&script)?;
        file.write_all(text.as_bytes())?;
        if let Some(account) = &self.run_as {
            fchown(&file, Some(account.uid), Some(account.gid))?;
        }
        Ok(script.into())
    }

    async fn run(&mut self, program: &Program<'_>, journal: &Rc<Journal>) -> End {
        self.run_to_end(program, journal).await
    }

    fn git(&mut self, directory: &Path) -> (&mut Host, PathBuf) {
        (self, directory.to_owned())
    }

    async fn bring(&mut self, _: &Program<'_>, _: &Path, _: &Rc<Journal>) -> End {
        End::Exited(0)
    }

    async fn finish(self, _: &Rc<Journal>) {
        self.end().await;
    }
}

/// Copies a pipe into the journal until its last writer closes it. The journal's own pace holds the writer back.
fn listen(
    mut pipe: impl AsyncRead + Unpin + 'static,
    step: u16,
    stream: u8,
    journal: Rc<Journal>,
    heard: Rc<Heard>,
) -> JoinHandle<()> {
    tokio::task::spawn_local(async move {
        let mut buffer = vec![0; OUTPUT_MAX];
        while let Ok(read @ 1..) = pipe.read(&mut buffer).await {
            let taken = journal.output(step, stream, &buffer[..read]);
            heard.taking(taken).await;
        }
    })
}

fn signal_group(group: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(group)
        .ok()
        .and_then(rustix::process::Pid::from_raw)
    {
        // A group that is gone already needs no signal.
        let _ = rustix::process::kill_process_group(pid, signal);
    }
}

fn code(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal))
        .unwrap_or(-1)
}
