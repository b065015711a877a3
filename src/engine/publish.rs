//! What the dispatcher shows to readers: the hot counters, the nodes, the verdicts of the queue, and the changes.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::{broadcast, watch};

use super::nodes::Nodes;
use super::state::State;
use crate::clock::Timestamp;
use crate::cluster::Containers;
use crate::pipeline::status::Outcome;
use crate::scheduler::Verdicts;
use crate::store::InstallationRecord;

/// Upper bounds of the histogram of waits, in ms; the last bar is open.
pub const WAIT_BOUNDS: [u64; 5] = [100, 1_000, 10_000, 60_000, 600_000];

/// The queue objective: a run is placed within this many milliseconds. One of the bounds.
pub const OBJECTIVE_MS: u64 = WAIT_BOUNDS[1];

/// A minute of the queue objective.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WaitMinute {
    /// Its beginning.
    pub at: Timestamp,
    /// Runs placed in it.
    pub runs: u64,
    /// Those of them that had waited within the objective.
    pub met: u64,
}

/// What has happened since the server started, in numbers that only grow.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// How long the runs that were placed had waited, one count per bound and one above.
    pub waits: [u64; WAIT_BOUNDS.len() + 1],
    /// How long they had waited together, in ms.
    pub waited_ms: u64,
    /// Runs that ended, in the order of [`Outcome::ALL`].
    pub ended: [u64; Outcome::ALL.len()],
}

/// The hot state, latest wins.
#[derive(Clone, Debug)]
pub struct Live {
    /// Order of the newest change included.
    pub seq: i64,
    /// Runs that wait.
    pub waiting: u64,
    /// Runs that run.
    pub running: u64,
    /// Since when the oldest waits.
    pub oldest_waiting: Option<Timestamp>,
    /// Nodes, by name.
    pub nodes: Arc<Nodes>,
    /// Why the server takes no writes.
    pub read_only: Option<String>,
    /// Whether new work is taken.
    pub installation: InstallationRecord,
    /// The version of the settings that the services run with.
    pub settings_running: u64,
    /// The secrets are locked: what needs one waits.
    pub locked: bool,
    /// Why the disk has too little room for runs to be placed.
    pub disk_low: Option<String>,
    /// The fleet's container engine.
    pub containers: Containers,
    /// How long runs placed within the last hour had waited, one count per bound and one above.
    pub waits: [u64; WAIT_BOUNDS.len() + 1],
    /// The minutes of that hour in which runs were placed, oldest first.
    pub wait_minutes: Vec<WaitMinute>,
    /// All that was placed and ended since the server started.
    pub tally: Tally,
    /// From which the reason of any waiting run is told.
    pub verdicts: Arc<Verdicts>,
}

/// A change as it is broadcast.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// Its order.
    pub seq: i64,
    /// Topic's word.
    pub topic: &'static str,
    /// Ids, none for "several".
    pub ids: Vec<String>,
}

/// Where changes, logs and counters are heard of.
#[derive(Clone, Debug)]
pub struct Feed {
    pub(super) live: watch::Receiver<Arc<Live>>,
    pub(super) changes: broadcast::Sender<Changed>,
    logs: broadcast::Sender<(crate::ids::AttemptId, u16, u64)>,
}

/// Changes that a slow stream may lag behind before it is told to read anew.
const LAG: usize = 1024;

impl Feed {
    pub(super) fn new(live: watch::Receiver<Arc<Live>>) -> Self {
        Self {
            live,
            changes: broadcast::channel(LAG).0,
            logs: broadcast::channel(LAG).0,
        }
    }

    /// The hot state now.
    #[must_use]
    pub fn live(&self) -> Arc<Live> {
        self.live.borrow().clone()
    }

    /// A receiver that wakes whenever the hot state changes.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Arc<Live>> {
        self.live.clone()
    }

    /// Changes from now on.
    #[must_use]
    pub fn changes(&self) -> broadcast::Receiver<Changed> {
        self.changes.subscribe()
    }

    /// Growth of logs from now on: attempt, step, length.
    #[must_use]
    pub fn logs(&self) -> broadcast::Receiver<(crate::ids::AttemptId, u16, u64)> {
        self.logs.subscribe()
    }

    /// Tells that a log grew.
    pub fn log_advanced(&self, attempt: crate::ids::AttemptId, step: u16, bytes: u64) {
        // Nobody listening is fine.
        let _ = self.logs.send((attempt, step, bytes));
    }
}

/// Waits of the runs placed within the last hour, by minute.
#[derive(Debug, Default)]
pub(super) struct Waits {
    minutes: VecDeque<(i64, [u64; WAIT_BOUNDS.len() + 1])>,
    /// All since the server started, and how the runs ended.
    pub tally: Tally,
}

impl Waits {
    pub(super) fn add(&mut self, now: Timestamp, waited_ms: i64) {
        let minute = now.0 / 60_000;
        if self.minutes.back().is_none_or(|(last, _)| *last != minute) {
            self.minutes.push_back((minute, [0; WAIT_BOUNDS.len() + 1]));
        }
        let waited = u64::try_from(waited_ms).unwrap_or(0);
        let bar = WAIT_BOUNDS
            .iter()
            .position(|bound| waited <= *bound)
            .unwrap_or(WAIT_BOUNDS.len());
        if let Some((_, bars)) = self.minutes.back_mut() {
            bars[bar] += 1;
        }
        self.tally.waits[bar] += 1;
        self.tally.waited_ms = self.tally.waited_ms.saturating_add(waited);
    }

    fn last_hour(&mut self, now: Timestamp) -> [u64; WAIT_BOUNDS.len() + 1] {
        let first = now.0 / 60_000 - 60;
        while self
            .minutes
            .front()
            .is_some_and(|(minute, _)| *minute <= first)
        {
            self.minutes.pop_front();
        }
        self.minutes
            .iter()
            .fold([0; WAIT_BOUNDS.len() + 1], |mut sum, (_, bars)| {
                sum.iter_mut().zip(bars).for_each(|(sum, bar)| *sum += bar);
                sum
            })
    }

    /// The minutes that [`Waits::last_hour`] has kept.
    fn by_minute(&self) -> Vec<WaitMinute> {
        let within = WAIT_BOUNDS.partition_point(|bound| *bound <= OBJECTIVE_MS);
        self.minutes
            .iter()
            .map(|(minute, bars)| WaitMinute {
                at: Timestamp(minute * 60_000),
                runs: bars.iter().sum(),
                met: bars[..within].iter().sum(),
            })
            .collect()
    }
}

/// Takes the picture that readers see.
pub(super) fn picture(
    state: &mut State,
    nodes: Arc<Nodes>,
    waits: &mut Waits,
    read_only: Option<String>,
    locked: bool,
    now: Timestamp,
) -> Live {
    let (waiting, running) = state.scheduler.counts();
    Live {
        seq: state.seq,
        waiting: waiting as u64,
        running: running as u64,
        oldest_waiting: state.scheduler.oldest_waiting(),
        nodes,
        read_only,
        installation: state.installation.clone(),
        settings_running: state.settings_running,
        locked,
        disk_low: state.disk_low.clone(),
        containers: state.containers.clone(),
        waits: waits.last_hour(now),
        wait_minutes: waits.by_minute(),
        tally: waits.tally,
        verdicts: state.scheduler.verdicts(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_counted_for_an_hour() {
        let mut waits = Waits::default();
        let start = Timestamp(1_000_000_000);
        waits.add(start, 50);
        waits.add(start, 5_000);
        waits.add(Timestamp(start.0 + 30 * 60_000), 10_000_000);
        assert_eq!(
            waits.last_hour(Timestamp(start.0 + 31 * 60_000)),
            [1, 0, 1, 0, 0, 1]
        );
        let minutes: Vec<_> = waits.by_minute().iter().map(|m| (m.runs, m.met)).collect();
        assert_eq!(minutes, [(2, 1), (1, 0)]);
        assert_eq!(
            waits.last_hour(Timestamp(start.0 + 61 * 60_000)),
            [0, 0, 0, 0, 0, 1]
        );
        assert_eq!(waits.tally.waits, [1, 0, 1, 0, 0, 1], "these only grow");
        assert_eq!(waits.tally.waited_ms, 10_005_050);
    }
}
