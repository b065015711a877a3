//! The removal of what has been kept for long enough: in passes, on a period and on demand, one at a time.
//!
//! A pass takes no input and is idempotent. What the store says comes first and is durable before a file goes: a server
//! that is killed in between leaves files that nobody can ask for, and the next pass finds them. Nothing of what runs,
//! waits or is watched is ever a candidate: those are the rules of `candidates`.

use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use super::command::{Actor, Command, CommandError, KeepCommand, Reply, SettingsCommand};
use super::handle::Handle;
use super::view::View;
use crate::clock::{self, Timestamp};
use crate::error::Chain;
use crate::services::health::Part;
use crate::settings::keep::{self, Keep, Kept, Span};
use crate::settings::value::Value;
use crate::store::StoreError;

mod candidates;
mod pass;

pub use candidates::Candidate;
pub(super) use candidates::Finder;
use candidates::What;
pub(super) use pass::Board;
pub use pass::{CleaningError, Pass, Passes, Plan, Removed};

/// Time between two passes, unless something is kept for less.
const EVERY: Duration = Duration::from_secs(3600);
/// Time between two passes at least: a pass looks through the folder of all logs.
const LEAST: Duration = Duration::from_secs(30);
/// A server that has just started has better things to do.
const FIRST: Duration = Duration::from_secs(30);
/// Builds, or runs with logs, that are forgotten in one transaction: others wait for it.
const BATCH: u32 = 50;

/// The passes; cheap to clone.
#[derive(Clone, Debug)]
pub struct Cleaning {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    handle: Handle,
    view: View,
    finder: Finder,
    one: tokio::sync::Mutex<()>,
}

impl Cleaning {
    /// Begins to make passes, for as long as the runtime lives.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(super) fn start(handle: Handle, view: View, finder: Finder) -> Result<Self, StoreError> {
        let last = view.store.last_pass()?;
        // What an older build wrote in another form is as if there had been none.
        lock(&view.passes).last = last.and_then(|text| serde_json::from_str(&text).ok());
        let cleaning = Self {
            shared: Arc::new(Shared {
                handle,
                view,
                finder,
                one: tokio::sync::Mutex::default(),
            }),
        };
        tokio::spawn(cleaning.clone().keep_passing());
        Ok(cleaning)
    }

    /// How long each kind is kept.
    #[must_use]
    pub fn keep(&self) -> Keep {
        Keep::of_values(&self.shared.view.values.borrow())
    }

    /// Keeps a kind so long from now on: saves the setting, whatever else is staged.
    ///
    /// # Errors
    /// As [`Handle::send`].
    pub async fn set_keep(
        &self,
        kind: Kept,
        span: Span,
        actor: Actor,
        key: Option<String>,
    ) -> Result<i64, CommandError> {
        let command = Command::Settings(SettingsCommand::Put {
            changes: vec![(kind.key(), Some(Value::Text(keep::written(span))))],
            origin: "gc",
        });
        let (seq, _) = self.shared.handle.send(command, actor, key).await?;
        Ok(seq)
    }

    /// How the passes stand.
    #[must_use]
    pub fn passes(&self) -> Passes {
        lock(&self.shared.view.passes).clone()
    }

    /// What a pass would remove now, `each` of a kind by name. Blocks on the disk.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn plan(&self, each: usize) -> Result<Plan, CleaningError> {
        let keep = self.keep();
        let now = clock::now();
        let mut sum = Pass {
            at: now,
            took_ms: 0,
            removed: Vec::new(),
            error: None,
        };
        let mut candidates = Vec::new();
        for kind in Kept::ALL {
            let found = self.shared.finder.find(kind, &keep, now, u32::MAX)?;
            for (n, one) in found.into_iter().enumerate() {
                let bytes = self.shared.finder.bytes(&one);
                sum.add(kind, bytes);
                if n < each {
                    candidates.push((one, bytes));
                }
            }
        }
        Ok(Plan {
            removed: sum.removed,
            candidates,
        })
    }

    /// Makes a pass now, after one that is under way.
    ///
    /// # Errors
    /// When there was none.
    ///
    /// # Cancel safety
    /// Dropped, what is removed is removed and the rest waits for the next pass.
    pub async fn activate(&self, actor: Actor) -> Result<Pass, CleaningError> {
        let shared = &self.shared;
        let _turn = shared.one.lock().await;
        let (at, begun) = (clock::now(), clock::monotonic());
        lock(&shared.view.passes).running = Some(at);
        let result = self.pass(at).await;
        let meter = shared.view.pulse.of(Part::Housekeeping);
        let told = match result {
            Ok(mut pass) => {
                pass.took_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
                match &pass.error {
                    None => meter.done(begun.elapsed(), clock::now()),
                    Some(why) => meter.failed(why.clone(), clock::now()),
                }
                if !pass.removed.is_empty() {
                    tracing::info!(
                        took_ms = pass.took_ms,
                        "housekeeping removed {}",
                        pass.words()
                    );
                }
                lock(&shared.view.passes).last = Some(pass.clone());
                let command = Command::Keep(KeepCommand::Passed(pass.clone()));
                // A store that takes no writes has said so already.
                let _ = shared.handle.send(command, actor, None).await;
                Ok(pass)
            }
            Err(err) => {
                meter.failed(Chain(&err).to_string(), clock::now());
                Err(err)
            }
        };
        lock(&shared.view.passes).running = None;
        told
    }

    async fn pass(&self, at: Timestamp) -> Result<Pass, CleaningError> {
        let keep = self.keep();
        let mut pass = Pass {
            at,
            took_ms: 0,
            removed: Vec::new(),
            error: None,
        };
        for kind in Kept::ALL {
            loop {
                let finder = self.clone();
                let found =
                    blocking(move || finder.shared.finder.find(kind, &keep, at, BATCH)).await??;
                let full = found.len() >= BATCH as usize;
                if found.is_empty() || !self.remove(found, &mut pass).await? || !full {
                    break;
                }
            }
        }
        Ok(pass)
    }

    /// Removes what was found of a kind; answers whether there was any progress, without which nobody need look again.
    async fn remove(&self, found: Vec<Candidate>, pass: &mut Pass) -> Result<bool, CleaningError> {
        if !self.forget(&found, pass).await? {
            return Ok(false);
        }
        let worker = self.clone();
        let done = blocking(move || {
            let remove = |one: Candidate| {
                let bytes = worker.shared.finder.bytes(&one);
                (one.kind, bytes, worker.shared.finder.remove(&one))
            };
            found.into_iter().map(remove).collect::<Vec<_>>()
        })
        .await?;
        let mut progress = false;
        for (kind, bytes, result) in done {
            match result {
                Ok(true) => {
                    pass.add(kind, bytes);
                    progress = true;
                }
                Ok(false) => {}
                Err(why) => pass.fail(why),
            }
        }
        Ok(progress)
    }

    /// Has the store say first that these things are gone; what has only files is as if it had.
    async fn forget(&self, found: &[Candidate], pass: &mut Pass) -> Result<bool, CleaningError> {
        let (mut builds, mut logs) = (Vec::new(), Vec::new());
        for one in found {
            match &one.what {
                What::Build(id, _) => builds.push(*id),
                What::Log(id) => logs.push(*id),
                What::Orphan(_) | What::LeftOver(_) | What::Mirror(_) => {}
            }
        }
        for command in [
            (!builds.is_empty()).then_some(KeepCommand::ForgetBuilds(builds)),
            (!logs.is_empty()).then_some(KeepCommand::ForgetLogs(logs)),
        ]
        .into_iter()
        .flatten()
        {
            let server = Actor::admin("server");
            let sent = self
                .shared
                .handle
                .send(Command::Keep(command), server, None);
            match sent.await {
                Ok((_, Reply::Forgotten { count })) if count > 0 => {}
                Ok(_) => return Ok(false),
                Err(CommandError::ShuttingDown) => return Err(CleaningError::Ended),
                Err(err) => {
                    pass.fail(Chain(&err).to_string());
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Makes a pass whenever one is due.
    async fn keep_passing(self) {
        let started = clock::now();
        let mut values = self.shared.view.values.clone();
        let (mut keep, mut earliest) = (self.keep(), started.plus(FIRST));
        loop {
            values.mark_unchanged();
            let wanted = self.keep();
            if wanted != keep {
                // Whoever said so wants to see what it would remove, and may have slipped.
                (keep, earliest) = (wanted, clock::now().plus(EVERY));
            }
            let span = keep.shortest().map_or(EVERY, Duration::from_secs);
            // A clock that was ahead once must not put the next one off.
            let last = self.passes().last.map(|pass| pass.at.min(clock::now()));
            let due = last
                .map_or(started, |last| last.plus(span.clamp(LEAST, EVERY)))
                .max(earliest);
            lock(&self.shared.view.passes).next = Some(due);
            tokio::select! {
                () = tokio::time::sleep(due.since(clock::now())) => {}
                changed = values.changed() => match changed {
                    Ok(()) => continue,
                    Err(_) => return,
                },
            }
            match self.activate(Actor::admin("server")).await {
                Ok(_) => {}
                Err(CleaningError::Ended) => return,
                Err(err) => {
                    tracing::warn!(error = %Chain(&err), "housekeeping failed");
                    // Without a pass the last one stays the last.
                    tokio::time::sleep(LEAST).await;
                }
            }
        }
    }
}

fn lock(board: &Board) -> MutexGuard<'_, Passes> {
    board.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Work on the disk and the store; `Ended` when the runtime ends before it.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, CleaningError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| CleaningError::Ended)
}
