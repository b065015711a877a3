//! Where steps run: on the host, in containers, or in a machine of their own. One trait, so that from step to log there is one way.

mod docker;
mod heard;
mod host;
mod memory;
mod pack;
mod vm;

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;

pub(super) use docker::Docker;
use heard::Heard;
pub(super) use host::Host;
pub(super) use vm::Vm;

use super::journal::Journal;
use super::paths::Places;

/// Time between the polite signal and the other one.
const GRACE: Duration = Duration::from_secs(5);
/// How long a pipe that a left-over process holds open is listened to after its step has ended, counted from its
/// last byte.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// A place that was made for the steps of one attempt.
pub(super) trait Executor {
    /// Where home and project are, as steps see them.
    fn places(&self) -> &Places;

    /// Whether there is a `/bin/bash`.
    fn has_bash(&self) -> bool;

    /// Keeps a script that is too long for a command line; answers its path as steps see it.
    async fn keep_script(&mut self, name: &str, text: &str) -> io::Result<OsString>;

    /// Runs a step's program to its end, or leaves it in the background.
    async fn run(&mut self, program: &Program<'_>, journal: &Rc<Journal>) -> End;

    /// The side on which git works, which is always this machine's, and where it puts what is to be in `directory`.
    fn git(&mut self, directory: &Path) -> (&mut Host, PathBuf);

    /// Brings what git put in `from` to the directory of `program`, where that is another place.
    async fn bring(&mut self, program: &Program<'_>, from: &Path, journal: &Rc<Journal>) -> End;

    /// The end of the run: what was left in the background is asked to go, then made to, and nothing is left.
    async fn finish(self, journal: &Rc<Journal>);
}

/// Why there is no place for the steps.
#[derive(Debug)]
pub(super) enum NotReady {
    /// The ground gave way: a sentence.
    Broken(String),
    /// The config asks for what cannot be: a sentence.
    Wrong(String),
    /// The run was told to stop meanwhile.
    Stopped,
    /// The run's time was up before.
    Late,
}

/// What a step runs.
#[derive(Debug)]
pub(in crate::agent) struct Program<'a> {
    pub step: u16,
    pub words: Vec<OsString>,
    pub directory: PathBuf,
    pub environment: &'a [(String, String)],
    /// Silence after which it is killed.
    pub silence: Option<Duration>,
    /// Moment after which it is killed.
    pub deadline: Instant,
    pub background: bool,
}

/// How a step's program ended.
#[derive(Debug)]
pub(in crate::agent) enum End {
    /// By itself, with this code (128+n for a signal).
    Exited(i32),
    /// It was left in the background.
    Left,
    /// The run was told to stop.
    Stopped,
    /// No byte for too long.
    Silent,
    /// The run's time is up.
    Late,
    /// It could not be started.
    Failed(io::Error),
    /// It ended with this code after the kernel had killed for want of memory: a sentence that says so.
    OutOfMemory(i32, String),
    /// The place where it ran is no more: a sentence.
    Gone(String),
}

impl Program<'_> {
    /// Waits for `work`, and no longer than a step may take. What cut it short is the error.
    async fn watch<T>(
        &self,
        work: impl Future<Output = T>,
        heard: &Heard,
        journal: &Journal,
    ) -> Result<T, End> {
        tokio::select! {
            done = work => Ok(done),
            () = journal.stopped() => Err(End::Stopped),
            () = heard.silent(self.silence) => Err(End::Silent),
            () = tokio::time::sleep_until(self.deadline.into()) => Err(End::Late),
        }
    }
}

/// Waits for pipes to close, and no longer than a moment past the last byte when left-over processes hold them.
async fn last_words(readers: &mut Vec<JoinHandle<()>>, heard: &Heard) {
    heard.now();
    while !readers.is_empty() && heard.quiet() < LAST_WORDS {
        let next = readers.last_mut().expect("there is one");
        if tokio::time::timeout(LAST_WORDS, next).await.is_ok() {
            readers.pop();
        }
    }
}

/// Hears out the readers of what is over, and no more of them than [`last_words`].
async fn let_go(mut readers: Vec<JoinHandle<()>>) {
    last_words(&mut readers, &Heard::new()).await;
    readers.iter().for_each(JoinHandle::abort);
}
