//! What a batch wants to happen once it is durable: nothing of it before.

use std::collections::{BTreeMap, BTreeSet};

use super::roster::Move;
use crate::ids::{AttemptId, NodeId};
use crate::pipeline::status::Outcome;

/// Kinds of thing a stream tells about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Topic {
    Builds,
    Runs,
    Nodes,
    Audit,
    Settings,
}

impl Topic {
    pub(super) fn word(self) -> &'static str {
        match self {
            Topic::Builds => "builds",
            Topic::Runs => "runs",
            Topic::Nodes => "nodes",
            Topic::Audit => "audit",
            Topic::Settings => "settings",
        }
    }
}

/// The most ids one change names; more are told as "several" (none).
const IDS_MAX: usize = 64;

/// An effect on the fleet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// An attempt goes to a node, under this token.
    Launch {
        attempt: AttemptId,
        node: NodeId,
        token: String,
    },
    /// An attempt is to stop.
    Stop(AttemptId),
    /// An attempt is over: its gate closes.
    Close(AttemptId),
}

/// Collected while a batch is decided.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    pub effects: Vec<Effect>,
    /// Nodes that changed.
    pub nodes: Vec<NodeId>,
    /// What lists of runs must hear.
    pub moves: Vec<Move>,
    /// How runs ended.
    pub ended: Vec<Outcome>,
    /// Whoever asked for it and looks at once must find it so: it is shown before the answers.
    pub at_once: bool,
    touched: BTreeMap<Topic, BTreeSet<String>>,
}

impl Outbox {
    /// Something of a topic changed.
    pub(super) fn touch(&mut self, topic: Topic, id: impl ToString) {
        let ids = self.touched.entry(topic).or_default();
        if ids.len() <= IDS_MAX {
            ids.insert(id.to_string());
        }
    }

    /// A node changed.
    pub(super) fn touch_node(&mut self, id: NodeId) {
        self.nodes.push(id);
        self.touch(Topic::Nodes, id);
    }

    /// The topics that changed, each with its ids.
    pub(super) fn changes(&mut self) -> impl Iterator<Item = (Topic, Vec<String>)> {
        let touched = std::mem::take(&mut self.touched).into_iter();
        touched.map(|(topic, ids)| {
            if ids.len() > IDS_MAX {
                (topic, Vec::new())
            } else {
                (topic, ids.into_iter().collect())
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_told_once_per_topic_and_many_ids_become_several() {
        let mut outbox = Outbox::default();
        outbox.touch(Topic::Runs, "a");
        outbox.touch(Topic::Runs, "a");
        (0..100).for_each(|n| outbox.touch(Topic::Nodes, n));
        let changes: Vec<_> = outbox.changes().collect();
        assert_eq!(
            changes,
            [(Topic::Runs, vec!["a".to_owned()]), (Topic::Nodes, vec![])]
        );
        assert_eq!(outbox.changes().count(), 0);
    }
}
