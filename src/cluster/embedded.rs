//! The embedded fleet: this machine as one node, or as several rehearsal nodes; runs are `roundel agent` processes.
//!
//! Knows processes and the files of `attempts/`, and nothing of the queue: where a run goes was decided before.

pub mod account;
mod capacity;
mod containers;
mod prepare;
mod watch;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use tokio::sync::Semaphore;

pub use capacity::{Machine, Share, split};
pub use containers::first_look;
pub use prepare::{Account, StartError, mirror_path};

use super::{Containers, Fleet, LeftOver, Reports, Submission};
use crate::clock::{self, Timestamp};
use crate::containers::Engine;
use crate::error::Chain;
use crate::ids::AttemptId;
use crate::processes;
use crate::settings::keep::Kept;
use crate::storage::trees;

/// Starts in flight: starting is short work on the CPU, more at once only makes all of them late.
const STARTING: usize = 4;

/// What the embedded fleet needs to know.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The `roundel` program to run as an agent.
    pub program: PathBuf,
    /// The data directory.
    pub data: PathBuf,
    /// The server's socket.
    pub socket: PathBuf,
    /// Where HOME and project of each attempt are made.
    pub scratch: PathBuf,
    /// Who steps run as.
    pub account: Account,
    /// Names of variables of the server's own environment that jobs get, with their values.
    pub host_env: Vec<(String, String)>,
    /// Seconds after which a run is stopped as timed out.
    pub deadline_s: u64,
    /// Seconds of silence after which an agent counts as unreachable; also how long after its deadline, or after it was
    /// told to stop, one that still lives is killed.
    pub silence_s: u64,
    /// By which what is made in the container engine is known as ours: the id of the data, or of this copy of them.
    pub mark: String,
    /// Sockets where a container engine is looked for.
    pub engines: Vec<PathBuf>,
}

/// The embedded fleet.
#[derive(Debug)]
pub struct Embedded<R> {
    inner: Arc<Inner<R>>,
}

#[derive(Debug)]
pub(super) struct Inner<R> {
    settings: Settings,
    reports: R,
    starting: Semaphore,
    engine: Mutex<Option<Engine>>,
    /// What the engine of builds was told of it at first.
    told: Containers,
}

impl<R: Reports> Embedded<R> {
    /// Makes the fleet. `engine` is the container engine that was found, `told` what the engine of builds knows of it.
    #[must_use]
    pub fn new(settings: Settings, reports: R, engine: Option<Engine>, told: Containers) -> Self {
        Self {
            inner: Arc::new(Inner {
                settings,
                reports,
                starting: Semaphore::new(STARTING),
                engine: Mutex::new(engine),
                told,
            }),
        }
    }
}

impl<R: Reports> Fleet for Embedded<R> {
    fn submit(&self, submission: Submission) {
        let inner = self.inner.clone();
        tokio::spawn(async move {
            let attempt = submission.attempt;
            let child = {
                // Never closed, so this is only ever a wait.
                let _turn = inner.starting.acquire().await;
                let starter = inner.clone();
                let socket = inner.engine_socket();
                tokio::task::spawn_blocking(move || {
                    prepare::start(&starter.settings, socket, submission)
                })
                .await
            };
            match child {
                Ok(Ok(child)) => inner.watch_child(attempt, child).await,
                Ok(Err(err)) => {
                    tracing::error!(attempt = %attempt, error = %Chain(&err), "an agent could not be started");
                    let cause = format!("the build agent could not be started: {}", Chain(&err));
                    inner.gone(attempt, cause).await;
                }
                Err(join) => {
                    tracing::error!(attempt = %attempt, error = %join, "a start was broken off");
                }
            }
        });
    }

    fn stop(&self, attempt: AttemptId) {
        let inner = self.inner.clone();
        tokio::spawn(async move { inner.stop(attempt).await });
    }

    fn adopt(&self, attempts: Vec<AttemptId>) {
        tokio::spawn(self.inner.clone().keep_containers());
        for attempt in self.inner.left_over(&attempts) {
            let inner = self.inner.clone();
            tokio::spawn(async move { inner.clear_left_over(attempt).await });
        }
        for attempt in attempts {
            let inner = self.inner.clone();
            tokio::spawn(async move { inner.adopt(attempt).await });
        }
    }

    fn left_overs(&self, kind: Kept, before: Timestamp) -> Vec<LeftOver> {
        let settings = &self.inner.settings;
        let folder = match kind {
            Kept::Attempts => settings.data.join("attempts"),
            Kept::Scratch => settings.scratch.clone(),
            _ => return Vec::new(),
        };
        attempts_in(&folder)
            .filter(|(attempt, _)| attempt.made() < before && self.inner.is_over(*attempt))
            .map(|(attempt, path)| LeftOver {
                attempt,
                kind,
                path,
            })
            .collect()
    }

    fn clear(&self, left: &LeftOver) -> io::Result<()> {
        if left.kind == Kept::Attempts {
            processes::sweep(&left.path);
        }
        trees::remove(&left.path)
    }
}

/// Directories of attempts in `folder`, with their attempts.
fn attempts_in(folder: &Path) -> impl Iterator<Item = (AttemptId, PathBuf)> + use<> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| {
        let attempt = entry.file_name().to_str()?.parse().ok()?;
        Some((attempt, entry.path()))
    })
}

impl<R: Reports> Inner<R> {
    fn attempt_dir(&self, attempt: AttemptId) -> PathBuf {
        self.settings
            .data
            .join("attempts")
            .join(attempt.to_string())
    }

    /// Reports until the server takes it.
    async fn deliver(&self, report: super::Report) {
        while !self.reports.report(report.clone()).await {
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        }
    }

    async fn gone(&self, attempt: AttemptId, cause: String) {
        self.deliver(super::Report::Gone {
            attempt,
            at: clock::now(),
            cause,
        })
        .await;
    }
}
