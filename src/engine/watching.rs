//! Looks at watched repositories for new commits, each in its own time, and has them built.
//!
//! Each look is idempotent: it asks for the tips of all branches, has every commit built that is new since the tips that
//! were taken in last, oldest first, and only then takes in the new ones. The engine makes one pipeline of a commit however
//! often it is asked, so a server that is killed in between does it again and nothing twice.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinHandle;

use super::command::{Actor, BuildCommand, Command, CommandError, WatchCommand};
use super::handle::Handle;
use super::intake::{self, IntakeError, Prepared, Wanted};
use super::view::View;
use crate::clock::{self, Timestamp};
use crate::cluster::embedded::mirror_path;
use crate::error::Chain;
use crate::ids::{PipelineId, WatchId};
use crate::pipeline::Classes;
use crate::services::proxy::{self, ProxyError};
use crate::settings::value::Values;
use crate::store::{StoreError, WatchRecord};
use crate::vcs::{self, Tips, VcsError};

/// Commits of one branch that one look has built; of more, the oldest are passed over.
pub const COMMITS_MAX: usize = 50;

/// Looks at the same time: each is a `git` that mostly waits for a remote.
const LOOKS: usize = 4;

/// What the last look at a repository came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// When it ended.
    pub at: Option<Timestamp>,
    /// Why it failed, when it did; it is tried again after the period.
    pub failure: Option<String>,
    /// Pipelines made by this server's looks.
    pub built: u64,
    /// Branches that had moved at the last look that found any, and hold nothing that was not built before.
    pub passed_over: Vec<String>,
}

/// The looks at all watched repositories; cheap to clone.
#[derive(Clone, Debug)]
pub struct Watching {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    handle: Handle,
    view: View,
    data: PathBuf,
    watched: Mutex<HashMap<WatchId, Watched>>,
    looks: Semaphore,
}

#[derive(Debug)]
struct Watched {
    every_s: u64,
    look: Look,
    now: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Why a look came to nothing.
#[derive(Debug, thiserror::Error)]
enum LookError {
    #[error(transparent)]
    Vcs(#[from] VcsError),
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    #[error(transparent)]
    Intake(#[from] IntakeError),
    #[error(transparent)]
    Engine(#[from] CommandError),
    #[error("the look was given up")]
    GivenUp,
}

impl Watching {
    /// Begins to look at what the store says is watched.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn start(handle: Handle, view: View, data: PathBuf) -> Result<Self, StoreError> {
        let watching = Self {
            shared: Arc::new(Shared {
                handle,
                view,
                data,
                watched: Mutex::default(),
                looks: Semaphore::new(LOOKS),
            }),
        };
        watching.reread()?;
        Ok(watching)
    }

    /// Takes in what was added to and removed from the store. Blocks on it.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn reread(&self) -> Result<(), StoreError> {
        let records = self.shared.view.store.watches()?;
        let mut watched = self.watched();
        watched.retain(|id, known| {
            records
                .iter()
                .any(|record| record.id == *id && record.every_s == known.every_s)
        });
        for record in records {
            watched.entry(record.id).or_insert_with(|| {
                let now = Arc::new(Notify::new());
                Watched {
                    every_s: record.every_s,
                    look: Look::default(),
                    now: now.clone(),
                    task: tokio::spawn(self.clone().keep_looking(record, now)),
                }
            });
        }
        Ok(())
    }

    /// Looks at one of them at once; false when it is not watched.
    #[must_use]
    pub fn look_now(&self, id: WatchId) -> bool {
        let watched = self.watched();
        let known = watched.get(&id);
        if let Some(known) = known {
            known.now.notify_one();
        }
        known.is_some()
    }

    /// What the last look came to.
    #[must_use]
    pub fn last_look(&self, id: WatchId) -> Look {
        self.watched()
            .get(&id)
            .map(|known| known.look.clone())
            .unwrap_or_default()
    }

    /// Whether anything is watched.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        !self.watched().is_empty()
    }

    fn watched(&self) -> std::sync::MutexGuard<'_, HashMap<WatchId, Watched>> {
        self.shared
            .watched
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    async fn keep_looking(self, mut record: WatchRecord, now: Arc<Notify>) {
        let every = Duration::from_secs(record.every_s.max(1));
        loop {
            let looked = {
                let _turn = self.shared.looks.acquire().await;
                self.look(&mut record).await
            };
            if let Err(err) = &looked {
                tracing::warn!(source = %record.source, error = %Chain(err), "a look at a watched repository failed");
            }
            if let Some(known) = self.watched().get_mut(&record.id) {
                known.look.at = Some(clock::now());
                known.look.failure = looked.err().map(|err| Chain(&err).to_string());
            }
            tokio::select! {
                () = now.notified() => {}
                () = tokio::time::sleep(every) => {}
            }
        }
    }

    async fn look(&self, record: &mut WatchRecord) -> Result<(), LookError> {
        let (data, watched) = (self.shared.data.clone(), record.clone());
        let classes = self.shared.view.classes.clone();
        let values = self.shared.view.values.borrow().clone();
        let found = tokio::task::spawn_blocking(move || find(&data, &watched, &classes, &values));
        let Some(found) = found.await.map_err(|_| LookError::GivenUp)?? else {
            return Ok(());
        };
        let Found {
            tips,
            new,
            passed_over,
        } = found;
        let actor = Actor::admin(format!("watch of {}", record.actor));
        for prepared in new {
            let mut build = prepared.new;
            build.watch = Some(record.id);
            let command = Command::Build(BuildCommand::Create(Box::new(build)));
            self.shared
                .handle
                .send(command, actor.clone(), None)
                .await?;
            if let Some(known) = self.watched().get_mut(&record.id) {
                known.look.built += 1;
            }
        }
        let seen = WatchCommand::Seen {
            watch: record.id,
            tips: tips.clone(),
        };
        self.shared
            .handle
            .send(Command::Watch(seen), actor, None)
            .await?;
        record.tips = tips;
        if let Some(known) = self.watched().get_mut(&record.id) {
            known.look.passed_over = passed_over;
        }
        Ok(())
    }
}

struct Found {
    tips: Tips,
    new: Vec<Prepared>,
    passed_over: Vec<String>,
}

/// What is new in a watched repository; `None` when nothing is. Blocks on git.
fn find(
    data: &std::path::Path,
    record: &WatchRecord,
    classes: &Classes,
    values: &Arc<Values>,
) -> Result<Option<Found>, LookError> {
    let source = vcs::locate(&record.source)?;
    let network = proxy::for_git(&record.source, values)?;
    let tips = vcs::tips(&source, &network)?;
    if tips == record.tips {
        return Ok(None);
    }
    let mirror = mirror_path(data, &source.key);
    vcs::bring(&source, &tips, &mirror, &network)?;
    let mut known: Vec<String> = record.tips.values().cloned().collect();
    let (mut new, mut passed_over) = (Vec::new(), Vec::new());
    let (moved, made): (Vec<_>, Vec<_>) = tips
        .iter()
        .filter(|(branch, tip)| record.tips.get(*branch) != Some(tip))
        .partition(|(branch, _)| record.tips.contains_key(*branch));
    // A commit that came with a branch of its own is built on the one that it was merged to: that one has more to run.
    for (branch, tip) in moved.into_iter().chain(made) {
        let commits = vcs::commits_since(&mirror, branch, tip, known.iter(), COMMITS_MAX)?;
        if commits.is_empty() && record.tips.contains_key(branch) {
            tracing::info!(source = %record.source, %branch, "nothing new on a branch that moved: its commits were built before");
            passed_over.push(branch.clone());
        }
        for revision in commits {
            if is_skipped(&revision.subject) {
                continue;
            }
            let wanted = Wanted {
                id: PipelineId::fresh(),
                source: record.source.clone(),
                only_job: None,
                no_engine: false,
                classes: classes.clone(),
                values: values.clone(),
            };
            match intake::compile(&source, &mirror, revision.clone(), &wanted) {
                Ok(prepared) => new.push(prepared),
                // One commit stops neither the look nor the commits after it; its author sees why it is not built.
                Err(IntakeError::Vcs(err @ VcsError::TooLong { .. })) => {
                    new.push(intake::unread(&source, revision, &wanted, &err));
                }
                // A commit that has nothing to run is passed over, as it would be if somebody pushed it by hand.
                Err(err @ (IntakeError::NoConfig { .. } | IntakeError::NotText { .. })) => {
                    tracing::info!(source = %record.source, "{err}: passed over");
                }
                Err(err) => return Err(err.into()),
            }
        }
        known.push(tip.clone());
    }
    Ok(Some(Found {
        tips,
        new,
        passed_over,
    }))
}

/// Whether the commit message asks not to be built, in the words that CircleCI knows.
fn is_skipped(subject: &str) -> bool {
    let lower = subject.to_lowercase();
    lower.contains("[ci skip]") || lower.contains("[skip ci]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_can_ask_not_to_be_built() {
        assert!(is_skipped("Fix a word [skip ci]"));
        assert!(is_skipped("[CI SKIP] notes"));
        assert!(!is_skipped("skip ci"));
    }
}
