//! Who may report for which attempt: checked on every report without a question to the dispatcher.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use crate::access::{Hash, hash, same};
use crate::clock::Timestamp;
use crate::ids::AttemptId;

/// Silence after which an agent counts as unreachable: twelve heartbeats.
const SILENCE_MS: i64 = 60_000;

/// How long an agent may take to come back to a server that has just started: two heartbeats.
const RETURN_MS: i64 = 10_000;

/// Attempts that are placed, each with the hash of its token.
#[derive(Debug, Default)]
pub struct Gate {
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

    /// Whether an agent has been silent for too long, or has not come back since the server started.
    #[must_use]
    pub fn unreachable(&self, attempt: AttemptId, now: Timestamp) -> bool {
        self.entry(attempt).is_some_and(|entry| {
            entry.lost.load(Ordering::Relaxed)
                || now.0 - entry.heard.load(Ordering::Relaxed) > SILENCE_MS
        })
    }

    /// Agents that are unreachable and were last heard of longer ago than it takes one to come back, and when that was.
    #[must_use]
    pub fn silent(&self, now: Timestamp) -> Vec<(AttemptId, Timestamp)> {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        let mut silent: Vec<_> = open
            .iter()
            .map(|(id, entry)| {
                let heard = Timestamp(entry.heard.load(Ordering::Relaxed));
                (*id, heard, entry.lost.load(Ordering::Relaxed))
            })
            .filter(|(_, heard, lost)| {
                let span = now.0 - heard.0;
                span > SILENCE_MS || (*lost && span > RETURN_MS)
            })
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
        let (gate, attempt, now) = (Gate::default(), AttemptId::fresh(), Timestamp(1000));
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
        let (gate, attempt) = (Gate::default(), AttemptId::fresh());
        gate.open(attempt, hash("t"), 7, false, true, Timestamp(0));
        assert!(gate.unreachable(attempt, Timestamp(1)));
        assert_eq!(gate.taken(attempt), Some(7));
        let _ = gate.admit(attempt, "t", Timestamp(2));
        assert!(!gate.unreachable(attempt, Timestamp(3)));
        assert!(gate.unreachable(attempt, Timestamp(3 + SILENCE_MS)));
        assert_eq!(gate.silent(Timestamp(3)), []);
        let silent = gate.silent(Timestamp(3 + SILENCE_MS));
        assert_eq!(silent, [(attempt, Timestamp(2))]);
    }

    #[test]
    fn an_agent_has_a_moment_to_come_back_before_anybody_is_troubled() {
        let (gate, attempt) = (Gate::default(), AttemptId::fresh());
        gate.open(attempt, hash("t"), 7, false, true, Timestamp(0));
        assert_eq!(gate.silent(Timestamp(RETURN_MS)), []);
        assert_eq!(gate.silent(Timestamp(RETURN_MS + 1)).len(), 1);
    }
}
