//! One list of runs, filtered and sorted, kept between questions: what changed is taken out and put in where it belongs.

use std::cmp::Ordering;

use super::board::{Board, Run};
use crate::pipeline::status::RunState;
use crate::store::{Filter, Order, RUN_FIELDS, WindowQuery};

/// Which runs, in which order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    /// Pending and running; none = both.
    states: Vec<RunState>,
    /// Words that must occur, or must not.
    filter: String,
    column: Column,
    order: Order,
}

/// What a list can be sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Column {
    /// Pending as in the queue, then running, the newest of those first.
    #[default]
    Own,
    Job,
    Project,
    Waiting,
    State,
    Node,
    Started,
    Needs,
    Name,
}

impl Wanted {
    pub(super) fn new(states: &[RunState], query: &WindowQuery) -> Self {
        let column = match query.sort.as_str() {
            "job" => Column::Job,
            "project" => Column::Project,
            "waiting" => Column::Waiting,
            "state" => Column::State,
            "node" => Column::Node,
            "started" => Column::Started,
            "needs" => Column::Needs,
            "name" => Column::Name,
            _ => Column::Own,
        };
        Self {
            states: states.to_vec(),
            filter: query.filter.clone(),
            // The list's own order has one direction.
            order: if column == Column::Own {
                Order::Ascending
            } else {
                query.order
            },
            column,
        }
    }

    /// A number that orders most pairs of runs as [`Self::compare`] does, and no pair the other way.
    fn hint(&self, run: &Run) -> u64 {
        let text = |text: &str| {
            let mut first = [0; 8];
            let len = text.len().min(8);
            first[..len].copy_from_slice(&text.as_bytes()[..len]);
            u64::from_be_bytes(first)
        };
        let hint = match self.column {
            Column::Job => text(&run.job),
            Column::Project => text(run.origin.title()),
            Column::Name => text(&run.name()),
            Column::Needs => u64::from(run.origin.cpu_millis),
            _ => return 0,
        };
        match self.order {
            Order::Ascending => hint,
            Order::Descending => !hint,
        }
    }

    /// The order of two runs; never equal for two.
    fn compare(&self, a: &Run, b: &Run) -> Ordering {
        let by_column = match self.column {
            Column::Own => return own(a, b),
            Column::Job => a.job.cmp(&b.job),
            Column::Project if std::sync::Arc::ptr_eq(&a.origin, &b.origin) => Ordering::Equal,
            Column::Project => a.origin.title().cmp(b.origin.title()),
            Column::Waiting => b.queued.cmp(&a.queued),
            Column::State => a.state.word().cmp(b.state.word()),
            Column::Node => a.node().cmp(&b.node()),
            Column::Started => a.started().cmp(&b.started()),
            Column::Needs => a.origin.cpu_millis.cmp(&b.origin.cpu_millis),
            Column::Name => a.name().cmp(&b.name()),
        };
        match self.order {
            Order::Ascending => by_column,
            Order::Descending => by_column.reverse(),
        }
        .then_with(|| line(a, b))
    }
}

/// Who goes first of two that wait.
fn line(a: &Run, b: &Run) -> Ordering {
    (b.priority, a.queued, a.id).cmp(&(a.priority, b.queued, b.id))
}

/// Those that wait in line, then those that run, the newest first.
fn own(a: &Run, b: &Run) -> Ordering {
    match (a.state, b.state) {
        (RunState::Pending, RunState::Pending) => line(a, b),
        (RunState::Pending, _) => Ordering::Less,
        (_, RunState::Pending) => Ordering::Greater,
        _ => (b.placed(), b.id).cmp(&(a.placed(), a.id)),
    }
}

/// The runs that are wanted, in order, as of some change.
#[derive(Debug, Default)]
pub(super) struct Ranking {
    wanted: Wanted,
    slots: Vec<u32>,
    as_of: u64,
}

impl Ranking {
    /// Cut out of another list, which holds all runs.
    pub(super) fn cut(wanted: Wanted, from: &Ranking, board: &Board) -> Self {
        let slots = sorted(&wanted, from.slots.iter().copied(), board);
        Self {
            wanted,
            slots,
            as_of: from.as_of,
        }
    }

    pub(super) fn is_of(&self, wanted: &Wanted) -> bool {
        self.wanted == *wanted
    }

    /// The slots of its runs, in order.
    pub(super) fn slots(&self) -> &[u32] {
        &self.slots
    }

    /// Takes in what changed.
    pub(super) fn refresh(&mut self, board: &Board) {
        if self.as_of == board.now() {
            return;
        }
        let changed = board.changes_since(self.as_of).map(|slots| {
            let mut slots: Vec<u32> = slots.collect();
            slots.sort_unstable();
            slots.dedup();
            slots
        });
        match changed {
            Some(changed) if changed.len() <= self.slots.len() / 4 + 16 => {
                self.slots
                    .retain(|slot| !board.changed_since(*slot, self.as_of));
                let new = sorted(&self.wanted, changed.into_iter(), board);
                self.merge(&new, board);
            }
            // So much of it is new that it is made anew; in its old order, which is most of the new one.
            _ => {
                let known: std::collections::HashSet<u32> = self.slots.iter().copied().collect();
                let old = std::mem::take(&mut self.slots);
                let others = board.all().filter(|slot| !known.contains(slot));
                self.slots = sorted(&self.wanted, old.into_iter().chain(others), board);
            }
        }
        self.as_of = board.now();
    }

    fn merge(&mut self, new: &[u32], board: &Board) {
        if new.is_empty() {
            return;
        }
        let mut merged = Vec::with_capacity(self.slots.len() + new.len());
        let mut rest = &self.slots[..];
        for &slot in new {
            let (before, after) = rest.split_at(self.wanted.position(rest, slot, board));
            merged.extend_from_slice(before);
            merged.push(slot);
            rest = after;
        }
        merged.extend_from_slice(rest);
        self.slots = merged;
    }

    /// Where a run stands, from 0; `None` when it is not wanted.
    pub(super) fn rank(&self, slot: u32, board: &Board) -> Option<usize> {
        let at = self.wanted.position(&self.slots, slot, board);
        (self.slots.get(at) == Some(&slot)).then_some(at)
    }
}

impl Wanted {
    /// Where a slot stands, or would stand, among sorted ones.
    fn position(&self, sorted: &[u32], slot: u32, board: &Board) -> usize {
        let Some(run) = board.run(slot) else {
            return sorted.len();
        };
        sorted.partition_point(|other| {
            board
                .run(*other)
                .is_some_and(|other| self.compare(other, run).is_lt())
        })
    }
}

/// Those of the slots that hold a run that is wanted, in order.
fn sorted(wanted: &Wanted, slots: impl Iterator<Item = u32>, board: &Board) -> Vec<u32> {
    let filter = Filter::read(&wanted.filter, RUN_FIELDS);
    let mut room = String::new();
    let mut matches = |run: &Run| {
        (wanted.states.is_empty() || wanted.states.contains(&run.state))
            && filter.passes(|term| run.holds(term, &mut room))
    };
    let mut found: Vec<(u64, u32, &Run)> = slots
        .filter_map(|slot| Some((slot, board.run(slot)?)))
        .filter(|(_, run)| matches(run))
        .map(|(slot, run)| (wanted.hint(run), slot, run))
        .collect();
    // A stable sort is quick with what is mostly in order: what it is given mostly is.
    found.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| wanted.compare(a.2, b.2)));
    found.into_iter().map(|(_, slot, _)| slot).collect()
}
