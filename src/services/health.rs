//! How well the parts of the server do: what each takes, and what last went wrong with it; and how the machine does.
//!
//! Measured where the work is done, kept in bounded memory, since the server started. Knows nothing of who asks.

pub mod history;
pub mod machine;
pub mod meter;
pub mod process;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::clock::{self, Timestamp};
pub use crate::pipeline::status::Health;

use history::{History, Sample};
use machine::Machine;
use meter::Meter;

/// The parts that are measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// The one loop that changes state: how long a batch waits to be decided and written.
    Engine,
    /// The database: how long a commit takes.
    Store,
    /// What steps print: how long it takes to keep a report's output.
    Logs,
    /// Mirrors of repositories: how long bringing a revision in takes.
    Git,
    /// Starting runs on the fleet.
    Fleet,
    /// The door: how long an answer takes.
    Api,
    /// The removal of what has been kept for long enough.
    Housekeeping,
    /// The looks at those who are signed in: how long the directory takes to tell of all of them.
    SignIn,
}

impl Part {
    /// All of them, in the order they are listed.
    pub const ALL: [Part; 8] = [
        Self::Engine,
        Self::Store,
        Self::Logs,
        Self::Git,
        Self::Fleet,
        Self::Api,
        Self::Housekeeping,
        Self::SignIn,
    ];

    /// The name people know it by.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Engine => "engine",
            Self::Store => "store",
            Self::Logs => "log storage",
            Self::Git => "git mirrors",
            Self::Fleet => "fleet",
            Self::Api => "api socket",
            Self::Housekeeping => "housekeeping",
            Self::SignIn => "sign-in",
        }
    }
}

/// Since when a part does as it does.
#[derive(Clone, Copy, Debug)]
struct Standing {
    health: Health,
    since: Timestamp,
}

/// All measurements; cheap to clone.
#[derive(Clone, Debug)]
pub struct Pulse(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    meters: [Meter; Part::ALL.len()],
    standings: Mutex<[Standing; Part::ALL.len()]>,
    history: Mutex<History>,
    logged: AtomicU64,
    started: Timestamp,
}

impl Default for Pulse {
    /// Nothing measured yet.
    fn default() -> Self {
        let started = clock::now();
        Self(Arc::new(Inner {
            meters: Default::default(),
            standings: Mutex::new(
                [Standing {
                    health: Health::Ok,
                    since: started,
                }; Part::ALL.len()],
            ),
            history: Mutex::new(History::new(started)),
            logged: AtomicU64::new(0),
            started,
        }))
    }
}

impl Pulse {
    /// Since when is measured: the start of the server.
    #[must_use]
    pub fn started(&self) -> Timestamp {
        self.0.started
    }

    /// What is measured of a part.
    #[must_use]
    pub fn of(&self, part: Part) -> &Meter {
        &self.0.meters[part as usize]
    }

    /// Notes how a part does now; answers since when it has done so.
    #[must_use]
    pub fn stands(&self, part: Part, health: Health, now: Timestamp) -> Timestamp {
        let mut all = self
            .0
            .standings
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let known = &mut all[part as usize];
        if known.health != health {
            *known = Standing { health, since: now };
        }
        known.since
    }

    /// Counts bytes of output that were kept.
    pub fn logged(&self, bytes: u64) {
        self.0.logged.fetch_add(bytes, Ordering::Relaxed);
        self.history(|history| history.logged(bytes));
    }

    /// Bytes of output that were kept since the start of the server.
    #[must_use]
    pub fn logged_ever(&self) -> u64 {
        self.0.logged.load(Ordering::Relaxed)
    }

    /// So many runs wait and run now: what comes and goes between two looks counts too.
    pub fn loaded(&self, runs: (u64, u64), now: Timestamp) {
        self.history(|history| history.loaded(runs, now));
    }

    /// Takes a look at the machine; `runs` are those that wait and those that run.
    pub fn sample(&self, machine: &Machine, runs: (u64, u64), now: Timestamp) {
        self.history(|history| history.push(machine, runs, now));
    }

    /// The looks of the last quarter of an hour, oldest first.
    #[must_use]
    pub fn samples(&self) -> Vec<Sample> {
        self.history(|history| history.samples().collect())
    }

    /// Most runs that waited and that ran in each of the last sixty minutes, oldest first.
    #[must_use]
    pub fn load(&self) -> Vec<history::Load> {
        self.history(|history| history.load().collect())
    }

    fn history<T>(&self, with: impl FnOnce(&mut History) -> T) -> T {
        with(
            &mut self
                .0
                .history
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_stands_since_it_last_changed() {
        let pulse = Pulse::default();
        let at = |n: i64| Timestamp(pulse.started().0 + n);
        assert_eq!(pulse.stands(Part::Store, Health::Ok, at(5)), at(0));
        assert_eq!(pulse.stands(Part::Store, Health::Slow, at(10)), at(10));
        assert_eq!(pulse.stands(Part::Store, Health::Slow, at(90)), at(10));
        assert_eq!(pulse.stands(Part::Store, Health::Ok, at(99)), at(99));
        assert_eq!(pulse.stands(Part::Logs, Health::Ok, at(99)), at(0));
    }

    #[test]
    fn every_part_has_a_place_and_a_name_of_its_own() {
        for (i, part) in Part::ALL.into_iter().enumerate() {
            assert_eq!(part as usize, i);
            let others = Part::ALL.iter().filter(|other| **other != part);
            assert!(others.into_iter().all(|other| other.name() != part.name()));
        }
    }
}
