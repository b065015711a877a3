//! The container engine of this machine, as the fleet keeps an eye on it: whether it answers, and what attempts that are
//! over have left in it.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use super::Inner;
use super::watch::read_pid;
use crate::clock;
use crate::cluster::{Containers, Report, Reports};
use crate::containers::{self, Engine, EngineError, sweep::sweep};
use crate::error::Chain;
use crate::ids::AttemptId;

/// How often it is asked whether it is there.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How often it is asked who it is, in looks: one that starts with each connection is upgraded without being away.
const NAME_EVERY: u32 = 60;
/// How often left-overs are looked for, in looks. What a dead agent left goes at once; this finds what came after.
const SWEEP_EVERY: u32 = 6;
/// How long an engine that is away is waited for: an upgrade restarts it, a boot starts it after us.
const GRACE: Duration = Duration::from_secs(60);

/// What a server makes of the first look for an engine.
#[must_use]
pub fn first_look(found: Result<&Engine, &EngineError>) -> Containers {
    match found {
        Ok(engine) => Containers::Answer(engine.name.clone()),
        Err(err) if err.is_absent() => absent(err),
        Err(err) => Containers::Away(Chain(err).to_string()),
    }
}

/// Given up, and what to do.
fn absent(err: &EngineError) -> Containers {
    Containers::Absent(format!("{}; {}", Chain(err), err.help()))
}

/// How long it has been away.
#[derive(Debug, Default)]
struct Absence {
    since: Option<Instant>,
}

impl Absence {
    /// What a look says, given when it was made and those before.
    fn judge(
        &mut self,
        found: Result<&Engine, &EngineError>,
        was: &Containers,
        now: Instant,
    ) -> Containers {
        let Err(err) = found else {
            self.since = None;
            return first_look(found);
        };
        let since = *self.since.get_or_insert(now);
        let never_seen = err.is_absent() && matches!(was, Containers::Absent(_));
        if never_seen || now.duration_since(since) >= GRACE {
            absent(err)
        } else {
            Containers::Away(Chain(err).to_string())
        }
    }
}

impl<R: Reports> Inner<R> {
    /// Looks after the engine as long as the server runs.
    pub(super) async fn keep_containers(self: Arc<Self>) {
        let mut told = self.told.clone();
        let mut absence = Absence::default();
        for look in 0u32.. {
            let found = match self.engine().filter(|_| look % NAME_EVERY != 0) {
                Some(known) if known.answers().await => Ok(known),
                _ => containers::find(&self.settings.engines).await,
            };
            let now = absence.judge(found.as_ref(), &told, clock::monotonic());
            let came =
                matches!(now, Containers::Answer(_)) && !matches!(told, Containers::Answer(_));
            self.set_engine(found.ok());
            if now != told {
                match &now {
                    Containers::Answer(name) => {
                        tracing::info!(engine = %name, "the container engine answers");
                    }
                    Containers::Away(why) | Containers::Absent(why) => tracing::warn!("{why}"),
                }
                self.deliver(Report::Containers(now.clone())).await;
                told = now;
            }
            if came || look % SWEEP_EVERY == 0 {
                self.sweep_containers(None).await;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Removes what attempts that are over left in the engine; with `only`, what this one did.
    pub(super) async fn sweep_containers(&self, only: Option<AttemptId>) {
        let Some(engine) = self.engine() else {
            return;
        };
        let mut known = HashSet::new();
        let is_over = |id: &str| {
            let Ok(attempt) = id.parse::<AttemptId>() else {
                return false;
            };
            match only {
                Some(only) => attempt == only,
                None => known.contains(&attempt) || self.is_over(attempt) && known.insert(attempt),
            }
        };
        match sweep(&engine, &self.settings.mark, is_over).await {
            Ok(0) => {}
            Ok(gone) => tracing::info!(
                gone,
                "left-overs of attempts were removed from the container engine"
            ),
            Err(err) => {
                tracing::warn!(error = %Chain(&err), "the container engine could not be swept");
            }
        }
    }

    /// Nobody will ask for it any more, and no agent is at it.
    pub(super) fn is_over(&self, attempt: AttemptId) -> bool {
        let agent = read_pid(&self.attempt_dir(attempt));
        self.reports.taken(attempt).is_none() && !agent.is_some_and(|agent| agent.alive())
    }

    fn engine(&self) -> Option<Engine> {
        self.engine
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn set_engine(&self, engine: Option<Engine>) {
        *self.engine.lock().unwrap_or_else(PoisonError::into_inner) = engine;
    }

    /// Where agents find it: where it answers, or would be expected.
    pub(super) fn engine_socket(&self) -> Option<PathBuf> {
        let found = self.engine().map(|engine| engine.socket);
        found.or_else(|| self.settings.engines.first().cloned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_that_goes_is_waited_for_and_one_that_never_was_is_not() {
        let silent = EngineError::Slow {
            socket: "/run/docker.sock".into(),
        };
        let absent = EngineError::Absent {
            places: "/run/docker.sock".to_owned(),
        };
        let start = clock::monotonic();
        let answered = Containers::Answer("Docker 20.10.24".to_owned());
        let missing = first_look(Err(&absent));
        assert!(matches!(missing, Containers::Absent(_)));
        assert!(matches!(first_look(Err(&silent)), Containers::Away(_)));
        // What the look found, what was known, seconds since the first of these looks, whether it is given up.
        let cases = [
            (&absent, &missing, 0, true),
            (&absent, &answered, 0, false),
            (&silent, &answered, 59, false),
            (&silent, &answered, 60, true),
            (&absent, &answered, 61, true),
        ];
        for (err, was, seconds, given_up) in cases {
            let mut absence = Absence { since: Some(start) };
            let now = absence.judge(Err(err), was, start + Duration::from_secs(seconds));
            assert_eq!(
                matches!(now, Containers::Absent(_)),
                given_up,
                "{err} after {seconds} s"
            );
        }
    }
}
