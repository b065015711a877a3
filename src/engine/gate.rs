//! Who may report for which attempt: checked on every report without a question to the dispatcher.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use crate::access::{Hash, hash};
use crate::clock::Timestamp;
use crate::ids::AttemptId;
use crate::secret::same;

/// How long an agent may take to come back to a server that has just started: longer than its longest wait between two
/// tries.
const RETURN_MS: i64 = 10_000;

/// Attempts that are placed, each with the hash of its token.
#[derive(Debug)]
pub struct Gate {
    /// Silence after which an agent counts as unreachable.
    silence_ms: i64,
    open: RwLock<HashMap<AttemptId, Arc<Entry>>>,
}

#[derive(Debug)]
struct Entry {
    token: Hash,
    heard: AtomicI64,
    lost: AtomicBool,
    stop: AtomicBool,
    seq: AtomicU64,
}

impl Entry {
    /// When the agent was last heard of, and whether it has yet to come back since the server started.
    fn heard(&self) -> (Timestamp, bool) {
        let heard = Timestamp(self.heard.load(Ordering::Relaxed));
        (heard, self.lost.load(Ordering::Relaxed))
    }
}

/// Answer at the gate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Admission {
    /// Come in; `stop`: the run is to stop.
    Open {
        /// The run is to stop.
        stop: bool,
    },
    /// The token is not this attempt's.
    WrongToken,
    /// The attempt is over, or was never placed.
    Over,
}

impl Gate {
    /// A gate that is closed to all; an agent that is silent for so long counts as unreachable.
    #[must_use]
    pub fn new(silence_s: u64) -> Self {
        Self {
            silence_ms: i64::try_from(silence_s.saturating_mul(1000)).unwrap_or(i64::MAX),
            open: RwLock::default(),
        }
    }

    /// Checks a report's token and notes that the agent was heard.
    #[must_use]
    pub fn admit(&self, attempt: AttemptId, token: &str, now: Timestamp) -> Admission {
        let Some(entry) = self.entry(attempt) else {
            return Admission::Over;
        };
        if !same(&hash(token), &entry.token) {
            return Admission::WrongToken;
        }
        entry.heard.store(now.0, Ordering::Relaxed);
        entry.lost.store(false, Ordering::Relaxed);
        Admission::Open {
            stop: entry.stop.load(Ordering::Relaxed),
        }
    }

    /// Since when an agent is silent that has been for too long, or that has not come back since the server started although
    /// it has had the time.
    #[must_use]
    pub fn unreachable(&self, attempt: AttemptId, now: Timestamp) -> Option<Timestamp> {
        let (heard, lost) = self.entry(attempt)?.heard();
        self.is_unreachable(heard, lost, now).then_some(heard)
    }

    /// All attempts whose agents are unreachable.
    #[must_use]
    pub(super) fn all_unreachable(&self, now: Timestamp) -> HashSet<AttemptId> {
        self.silent(now).into_iter().map(|(id, _)| id).collect()
    }

    fn is_unreachable(&self, heard: Timestamp, lost: bool, now: Timestamp) -> bool {
        let span = now.0 - heard.0;
        span > self.silence_ms || (lost && span > RETURN_MS)
    }

    /// Agents that are unreachable, and when they were last heard of.
    #[must_use]
    pub fn silent(&self, now: Timestamp) -> Vec<(AttemptId, Timestamp)> {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        let mut silent: Vec<_> = open
            .iter()
            .map(|(id, entry)| {
                let (heard, lost) = entry.heard();
                (*id, heard, lost)
            })
            .filter(|(_, heard, lost)| self.is_unreachable(*heard, *lost, now))
            .map(|(id, heard, _)| (id, heard))
            .collect();
        silent.sort_by_key(|(id, heard)| (*heard, *id));
        silent
    }

    /// Attempts that are placed.
    #[must_use]
    pub fn count(&self) -> usize {
        self.open
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .len()
    }

    /// Newest report taken from an attempt; `None` when it is over.
    #[must_use]
    pub fn taken(&self, attempt: AttemptId) -> Option<u64> {
        self.entry(attempt)
            .map(|entry| entry.seq.load(Ordering::Relaxed))
    }

    /// Opens the gate for a placed attempt; `lost`: its agent has yet to come back.
    pub(super) fn open(
        &self,
        attempt: AttemptId,
        token: Hash,
        seq: u64,
        stop: bool,
        lost: bool,
        now: Timestamp,
    ) {
        let entry = Entry {
            token,
            heard: AtomicI64::new(now.0),
            lost: AtomicBool::new(lost),
            stop: AtomicBool::new(stop),
            seq: AtomicU64::new(seq),
        };
        self.write().insert(attempt, Arc::new(entry));
    }

    pub(super) fn close(&self, attempt: AttemptId) {
        self.write().remove(&attempt);
    }

    pub(super) fn tell_to_stop(&self, attempt: AttemptId) {
        if let Some(entry) = self.entry(attempt) {
            entry.stop.store(true, Ordering::Relaxed);
        }
    }

    fn entry(&self, attempt: AttemptId) -> Option<Arc<Entry>> {
        self.open
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&attempt)
            .cloned()
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, HashMap<AttemptId, Arc<Entry>>> {
        self.open.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_attempts_own_token_opens_it_and_only_while_it_lives() {
        let (gate, attempt, now) = (Gate::new(60), AttemptId::fresh(), Timestamp(1000));
        assert_eq!(gate.admit(attempt, "t", now), Admission::Over);
        gate.open(attempt, hash("t"), 0, false, false, now);
        assert_eq!(gate.admit(attempt, "u", now), Admission::WrongToken);
        assert_eq!(
            gate.admit(attempt, "t", now),
            Admission::Open { stop: false }
        );
        gate.tell_to_stop(attempt);
        assert_eq!(
            gate.admit(attempt, "t", now),
            Admission::Open { stop: true }
        );
        gate.close(attempt);
        assert_eq!(gate.admit(attempt, "t", now), Admission::Over);
    }

    #[test]
    fn silence_makes_an_agent_unreachable_and_a_word_brings_it_back() {
        let (gate, attempt) = (Gate::new(60), AttemptId::fresh());
        gate.open(attempt, hash("t"), 7, false, true, Timestamp(0));
        assert_eq!(gate.taken(attempt), Some(7));
        let _ = gate.admit(attempt, "t", Timestamp(2));
        assert_eq!(gate.unreachable(attempt, Timestamp(3)), None);
        let later = Timestamp(60_003);
        assert_eq!(gate.unreachable(attempt, later), Some(Timestamp(2)));
        assert_eq!(gate.silent(Timestamp(3)), []);
        let silent = gate.silent(later);
        assert_eq!(silent, [(attempt, Timestamp(2))]);
    }

    #[test]
    fn an_agent_has_a_moment_to_come_back_before_anybody_is_troubled() {
        let (gate, attempt) = (Gate::new(60), AttemptId::fresh());
        gate.open(attempt, hash("t"), 7, false, true, Timestamp(0));
        let (within, after) = (Timestamp(RETURN_MS), Timestamp(RETURN_MS + 1));
        assert_eq!(gate.unreachable(attempt, within), None);
        assert_eq!(gate.silent(within), []);
        assert_eq!(gate.unreachable(attempt, after), Some(Timestamp(0)));
        assert_eq!(gate.silent(after).len(), 1);
    }
}
