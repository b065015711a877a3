//! Refusals on their way into the audit log: each is there, and no flood of them can fill it.
//!
//! The first of somebody at something is a row at once; those that follow within a minute are counted and become one
//! row. Of those who come when too many are counted already, one row tells together.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::command::Note;
use crate::clock::Timestamp;

/// Time that one row stands for.
const SPAN: Duration = Duration::from_secs(60);

/// Pairs of somebody and something that are counted by themselves: as many rows a minute at most.
const MOST: usize = 256;

/// Who stands for those that are not counted by themselves.
const OTHERS: &str = "others";

/// What was refused to somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Who: an actor, or an address that is none.
    pub who: String,
    /// What was asked.
    pub what: String,
    /// Why not.
    pub why: String,
    /// Where it came from; may be empty.
    pub from: String,
}

/// Those of the last minute.
#[derive(Debug, Default)]
pub(super) struct Refusals(Mutex<HashMap<(String, String), Slot>>);

#[derive(Debug)]
struct Slot {
    last: Refusal,
    written: Timestamp,
    more: u64,
}

/// A row of the audit log: who, and what it says.
pub(super) type Row = (String, Note);

impl Refusals {
    /// Counts a refusal; answers the row that is to be written at once.
    pub(super) fn note(&self, refusal: Refusal, now: Timestamp) -> Option<Row> {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut key = (refusal.who.clone(), refusal.what.clone());
        if slots.len() >= MOST && !slots.contains_key(&key) {
            key = (OTHERS.to_owned(), String::new());
        }
        if let Some(slot) = slots.get_mut(&key) {
            slot.more += 1;
            slot.last = refusal;
            return None;
        }
        let row = row(&key, &refusal, refusal.from.clone());
        let slot = Slot {
            last: refusal,
            written: now,
            more: 0,
        };
        slots.insert(key, slot);
        Some(row)
    }

    /// Rows of those that were counted and whose minute is over.
    pub(super) fn due(&self, now: Timestamp) -> Vec<Row> {
        let mut rows = Vec::new();
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slots.retain(|key, slot| {
            let span = now.since(slot.written);
            if span < SPAN {
                return true;
            }
            let more = std::mem::take(&mut slot.more);
            if more == 0 {
                return false;
            }
            let times = format!("{more} more times within {} s", span.as_secs());
            let from = &slot.last.from;
            let detail = if from.is_empty() {
                times
            } else {
                format!("{times}, last {from}")
            };
            rows.push(row(key, &slot.last, detail));
            slot.written = now;
            true
        });
        rows
    }
}

fn row((who, what): &(String, String), refusal: &Refusal, detail: String) -> Row {
    let note = Note {
        action: "access.refused",
        object: what.clone(),
        detail,
        failure: Some(refusal.why.clone()),
    };
    (who.clone(), note)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(who: &str) -> Refusal {
        Refusal {
            who: who.to_owned(),
            what: "node.drain".to_owned(),
            why: "a viewer may not".to_owned(),
            from: String::new(),
        }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp(1_000_000 + seconds * 1000)
    }

    #[test]
    fn the_first_is_told_at_once_and_a_flood_in_one_row_a_minute() {
        let refusals = Refusals::default();
        let (who, first) = refusals.note(refusal("ann"), at(0)).unwrap();
        assert_eq!((who.as_str(), first.object.as_str()), ("ann", "node.drain"));
        assert_eq!(first.failure.as_deref(), Some("a viewer may not"));
        for n in 0..1000 {
            assert!(refusals.note(refusal("ann"), at(n % 60)).is_none());
        }
        assert!(
            refusals.note(refusal("ben"), at(1)).is_some(),
            "somebody else is told of"
        );
        assert!(refusals.due(at(59)).is_empty());
        let due = refusals.due(at(60));
        assert_eq!(due.len(), 1);
        assert_eq!(due[0].1.detail, "1000 more times within 60 s");
        assert!(refusals.due(at(200)).is_empty());
        assert!(
            refusals.note(refusal("ann"), at(201)).is_some(),
            "a quiet minute begins anew"
        );
    }

    #[test]
    fn many_together_are_told_in_one_row() {
        let refusals = Refusals::default();
        let rows = (0..10_000).filter_map(|n| refusals.note(refusal(&n.to_string()), at(0)));
        assert_eq!(rows.count(), MOST + 1);
        let due = refusals.due(at(61));
        assert_eq!(due.len(), 1);
        assert_eq!(due[0].0, OTHERS);
    }
}
