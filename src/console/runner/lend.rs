//! Lends the terminal: to the shell that started the console until it resumes it, or to a program that the console
//! starts, until that ends.
//!
//! What the server tells meanwhile is taken in as always; only nothing is drawn.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use roundel::clock;
use rustix::process::{
    Pid, Signal, WaitOptions, WaitStatus, getpgid, getpgrp, getpid, getppid, getsid,
    kill_current_process_group, kill_process, waitpid,
};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::signals::Heard;
use super::{End, Runner};
use crate::console::action::Errand;
use crate::console::backend::children;
use crate::console::event::Event;
use crate::console::theme::Role;

/// How long the same ctrl-z may take to reach this process after its child.
const BOTH: Duration = Duration::from_millis(200);

impl Runner {
    /// Gives the terminal back and stops until somebody resumes the process; `asked` = by a key, not by a signal.
    pub(super) async fn suspend(&mut self, asked: bool) -> io::Result<()> {
        let (wrappers, shell) = above();
        if asked && !shell {
            self.app
                .shell
                .say(Role::Warning, "there is no shell to suspend to");
            return Ok(());
        }
        self.guard.lend();
        self.halt(asked && !wrappers.is_empty()).await;
        self.retake()
    }

    /// Stops the process until it is resumed; with its whole job where a script around it is what the shell waits for.
    async fn halt(&mut self, job: bool) {
        // An old resume must not be taken for the one that ends this stop.
        self.signals.forget_stops();
        loop {
            let stopped = if job {
                // A child caught between its fork and its exec would keep this process from stopping, and the shell
                // from its prompt: none is being started now.
                let _held = children::hold();
                kill_current_process_group(Signal::STOP)
            } else {
                kill_process(getpid(), Signal::STOP)
            };
            // The stop may take effect a moment after the call: what proves that it is over is the signal that ends it.
            // A stop right after that one takes it away.
            if stopped.is_err() || self.signals.resumed().await {
                return;
            }
        }
    }

    /// Has the terminal again: as large as it is now, and nothing of ours on it.
    pub(super) fn retake(&mut self) -> io::Result<()> {
        self.output.forget();
        self.guard.retake()?;
        self.frames.forget();
        let (columns, rows) = self.guard.size();
        self.app.update(Event::Resize(columns, rows));
        Ok(())
    }

    /// Lends the terminal to a program until it ends; answers how the console ends, if it must meanwhile.
    pub(super) async fn lend(
        &mut self,
        errand: Errand,
        inbox: &mut mpsc::Receiver<Event>,
    ) -> io::Result<Option<End>> {
        let (mut command, file) = match program(&errand) {
            Ok(program) => program,
            Err(err) => {
                let why = format!("✗ no file for the editor: {err}");
                self.app.shell.say(Role::Failed, why);
                return Ok(None);
            }
        };
        self.guard.lend_to_child();
        let end = match command.spawn() {
            Ok(child) => {
                let end = self.wait(Pid::from_child(&child), inbox).await;
                if let (None, Errand::Run(_)) = (end, &errand) {
                    self.pause(inbox).await
                } else {
                    end
                }
            }
            Err(err) => {
                let name = command.get_program().to_string_lossy().into_owned();
                self.app
                    .shell
                    .say(Role::Failed, format!("✗ cannot start {name}: {err}"));
                None
            }
        };
        drop(file);
        if end.is_none() {
            self.retake()?;
        }
        Ok(end)
    }

    /// Waits until a child has ended; stops with it where it stops.
    async fn wait(&mut self, child: Pid, inbox: &mut mpsc::Receiver<Event>) -> Option<End> {
        loop {
            let mut ended = spawn_blocking(move || waitpid(Some(child), WaitOptions::UNTRACED));
            let status = loop {
                tokio::select! {
                    biased;
                    heard = self.signals.next() => match heard {
                        Heard::End => return Some(End::Interrupted),
                        Heard::Stop => self.stop_with(child).await,
                        // ctrl-c is the child's.
                        Heard::Key | Heard::Resume | Heard::Size => {}
                    },
                    status = &mut ended => break status,
                    event = inbox.recv() => self.take_in(event?).await,
                }
            };
            match status {
                Ok(Ok(Some((_, status)))) if status.stopped() => {
                    // ctrl-z of the terminal comes to this process too: one stop is enough.
                    _ = timeout(BOTH, self.signals.stopped()).await;
                    if is_stopped(child) {
                        self.stop_with(child).await;
                    }
                }
                Ok(Ok(Some((_, status)))) => {
                    self.lent = Some(status);
                    return None;
                }
                _ => return None,
            }
        }
    }

    /// Stops because the child has; without a shell that could resume both, the child goes on.
    async fn stop_with(&mut self, child: Pid) {
        if above().1 {
            self.halt(false).await;
        } else {
            // It may have ended meanwhile.
            _ = kill_process(child, Signal::CONT);
        }
    }

    /// Waits for Enter, so that what a command printed can be read.
    async fn pause(&mut self, inbox: &mut mpsc::Receiver<Event>) -> Option<End> {
        let how = match self.lent.and_then(WaitStatus::terminating_signal) {
            Some(signal) => format!("ended by signal {signal}"),
            None => {
                let code = self.lent.and_then(WaitStatus::exit_status).unwrap_or(0);
                format!("ended with {code}")
            }
        };
        // The terminal may be gone: then a signal says so.
        _ = writeln!(io::stdout(), "\n[{how}; Enter goes back to the console]");
        let mut read = spawn_blocking(|| io::stdin().read_line(&mut String::new()));
        loop {
            tokio::select! {
                biased;
                heard = self.signals.next() => match heard {
                    Heard::End => return Some(End::Interrupted),
                    Heard::Stop if above().1 => self.halt(false).await,
                    _ => {}
                },
                _ = &mut read => return None,
                event = inbox.recv() => self.take_in(event?).await,
            }
        }
    }

    /// Takes what the server tells while nothing is drawn.
    async fn take_in(&mut self, event: Event) {
        let mut actions = self.app.update(Event::Tick(clock::now()));
        actions.extend(self.app.update(event));
        for action in actions {
            self.backend.ask(action).await;
        }
    }
}

/// The command of an errand, and the file it reads, which goes away with the answer.
fn program(errand: &Errand) -> io::Result<(Command, Option<Copy>)> {
    let shell = std::env::var_os("SHELL").unwrap_or_else(|| "/bin/sh".into());
    let mut command = Command::new(&shell);
    let file = match errand {
        Errand::Shell => None,
        Errand::Run(line) => {
            command.arg("-c").arg(line);
            None
        }
        Errand::Edit(text) => {
            let file = Copy::write(text)?;
            command = Command::new("/bin/sh");
            // The variables may hold words after the program's name.
            command
                .args(["-c", "${VISUAL:-${EDITOR:-vi}} \"$1\"", "sh"])
                .arg(&file.path);
            Some(file)
        }
    };
    Ok((command, file))
}

/// A copy of a text for an editor, readable by nobody else. Gone when dropped.
#[derive(Debug)]
struct Copy {
    path: PathBuf,
}

impl Copy {
    fn write(text: &str) -> io::Result<Self> {
        let name = format!("roundel-{}.txt", uuid::Uuid::new_v4().simple());
        let path = std::env::temp_dir().join(name);
        let mut options = OpenOptions::new();
        let mut file = options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        let copy = Self { path };
        file.write_all(text.as_bytes())?;
        Ok(copy)
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        // An editor may have replaced or removed it.
        _ = fs::remove_file(&self.path);
    }
}

/// The processes of this job above this one, and whether a shell above them could resume the job: it is of the same
/// session and another job.
fn above() -> (Vec<Pid>, bool) {
    let job = getpgrp();
    let mut wrappers = Vec::new();
    let mut next = getppid();
    while let Some(pid) = next {
        if getpgid(Some(pid)) != Ok(job) {
            return (wrappers, getsid(Some(pid)) == getsid(None));
        }
        wrappers.push(pid);
        next = parent(pid);
    }
    (wrappers, false)
}

fn parent(pid: Pid) -> Option<Pid> {
    let parent = stat(pid)?.split(' ').nth(1)?.parse().ok()?;
    Pid::from_raw(parent)
}

fn is_stopped(pid: Pid) -> bool {
    stat(pid).is_some_and(|fields| fields.starts_with('T'))
}

/// What the kernel says of a process, from its state on.
fn stat(pid: Pid) -> Option<String> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    Some(text.rsplit_once(") ")?.1.to_owned())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_copy_for_the_editor_is_private_and_goes_away() {
        let copy = Copy::write("line\n").unwrap();
        let path = copy.path.clone();
        assert_eq!(fs::read_to_string(&path).unwrap(), "line\n");
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        drop(copy);
        assert!(!path.exists());
    }

    #[test]
    fn an_errand_is_a_command_of_the_persons_own_shell() {
        let shell = std::env::var("SHELL").unwrap_or_else(|_| "/bin/sh".into());
        let said = |errand| {
            let (command, file) = program(&errand).unwrap();
            let words = std::iter::once(command.get_program()).chain(command.get_args());
            let words: Vec<_> = words
                .map(|word| word.to_string_lossy().into_owned())
                .collect();
            (words, file)
        };
        assert_eq!(said(Errand::Shell).0, std::slice::from_ref(&shell));
        assert_eq!(
            said(Errand::Run("ls -l | wc".into())).0,
            [shell, "-c".into(), "ls -l | wc".into()]
        );
        let (words, file) = said(Errand::Edit("text".into()));
        let path = file.unwrap().path.to_string_lossy().into_owned();
        assert_eq!(words.last(), Some(&path));
    }

    #[test]
    fn this_process_has_a_parent_and_is_not_stopped() {
        assert_eq!(parent(getpid()), getppid());
        assert!(!is_stopped(getpid()));
    }
}
