//! The nodes as readers see them. There may be ten thousand: of those that did not change nothing is made anew.

use std::collections::HashMap;
use std::sync::Arc;

use super::state::{Capacity, State};
use crate::ids::NodeId;
use crate::queue::ExecutorKind;
use crate::scheduler::Used;
use crate::store::{Field, Filter, NodeRecord};

/// A node as readers see it.
#[derive(Clone, Debug)]
pub struct NodeView {
    /// What is remembered of it.
    pub record: NodeRecord,
    /// What it has.
    pub capacity: Capacity,
    /// What is given out.
    pub used: Used,
    /// What filters look at, and the same in lower case: name, id, states and executors.
    text: [Box<str>; 2],
    /// Where in it name, id and states end.
    ends: [usize; 3],
}

/// What can be asked of a node by name. Nodes are in memory: no column stands behind a field.
const FIELDS: &[Field] = &[
    Field::new("node", ""),
    Field::new("status", ""),
    Field::new("executor", ""),
];

/// The word of an executor kind, as nodes list it and demands name it.
#[must_use]
pub fn kind_word(kind: ExecutorKind) -> &'static str {
    match kind {
        ExecutorKind::Host => "machine",
        ExecutorKind::Docker => "docker",
        ExecutorKind::Vm => "vm",
        ExecutorKind::Other => "other",
    }
}

impl NodeView {
    /// A node as it stands.
    #[must_use]
    pub fn new(record: NodeRecord, capacity: Capacity, used: Used) -> Self {
        let drain = match record.drain {
            None => "ready",
            Some(_) if used.runs == 0 => "draining drained safe",
            Some(_) => "draining",
        };
        let eligible = if record.eligible {
            "eligible"
        } else {
            "ineligible"
        };
        let kinds = capacity.executors.iter().map(|kind| kind_word(*kind));
        let kinds = kinds.collect::<Vec<_>>().join(" ");
        let (name, id, states) = (&record.name, record.id, format!("{drain} {eligible}"));
        let text = format!("{name} {id} {states} {kinds}");
        let kinds_at = text.len() - kinds.len() - 1;
        let ends = [name.len(), kinds_at - states.len() - 1, kinds_at];
        let lower = text.to_ascii_lowercase();
        Self {
            record,
            capacity,
            used,
            text: [text, lower].map(String::into_boxed_str),
            ends,
        }
    }

    fn of(state: &State, id: NodeId) -> Option<Self> {
        let node = state.nodes.get(&id)?;
        let used = state.scheduler.node(id).map(|(_, used)| used);
        Some(Self::new(
            node.record.clone(),
            node.capacity.clone(),
            used.unwrap_or_default(),
        ))
    }

    /// Reads a filter of nodes.
    #[must_use]
    pub fn filter(text: &str) -> Filter {
        Filter::read(text, FIELDS)
    }

    /// Whether it matches.
    #[must_use]
    pub fn passes(&self, filter: &Filter) -> bool {
        let [name, id, states] = self.ends;
        filter.passes(|term| {
            let text = &self.text[usize::from(!term.exact)];
            term.is_in(match term.field {
                Some("node") => &text[..name],
                Some("status") => &text[id + 1..states],
                Some("executor") => &text[states + 1..],
                _ => text,
            })
        })
    }
}

/// Nodes by state, and what they give out together.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Totals {
    /// Ready and eligible.
    pub ready: u32,
    /// Draining.
    pub draining: u32,
    /// Ready but not eligible.
    pub ineligible: u32,
    /// CPU that can be given to runs, in thousandths of a core.
    pub cpu_millis: u64,
    /// Memory that can be given to runs, in MiB.
    pub memory_mb: u64,
    /// CPU given to runs.
    pub cpu_used_millis: u64,
    /// Memory given to runs.
    pub memory_used_mb: u64,
}

impl Totals {
    fn add(&mut self, node: &NodeView) {
        *self.state(node) += 1;
        let (cpu, memory) = room(node);
        self.cpu_millis += cpu;
        self.memory_mb += memory;
        self.cpu_used_millis += u64::from(node.used.cpu_millis);
        self.memory_used_mb += u64::from(node.used.memory_mb);
    }

    fn take_off(&mut self, node: &NodeView) {
        *self.state(node) -= 1;
        let (cpu, memory) = room(node);
        self.cpu_millis -= cpu;
        self.memory_mb -= memory;
        self.cpu_used_millis -= u64::from(node.used.cpu_millis);
        self.memory_used_mb -= u64::from(node.used.memory_mb);
    }

    fn state(&mut self, node: &NodeView) -> &mut u32 {
        if node.record.drain.is_some() {
            &mut self.draining
        } else if node.record.eligible {
            &mut self.ready
        } else {
            &mut self.ineligible
        }
    }
}

fn room(node: &NodeView) -> (u64, u64) {
    let of = &node.capacity;
    (
        u64::from(of.cpu_total_millis - of.cpu_reserved_millis),
        u64::from(of.memory_total_mb - of.memory_reserved_mb),
    )
}

/// All nodes, by name.
#[derive(Clone, Debug, Default)]
pub struct Nodes {
    rows: Vec<Arc<NodeView>>,
    places: Arc<HashMap<NodeId, usize>>,
    /// Counted together.
    pub totals: Totals,
}

impl Nodes {
    /// All of them as they are now.
    pub(super) fn all(state: &State) -> Self {
        let nodes = state.nodes.keys();
        nodes.filter_map(|id| NodeView::of(state, *id)).collect()
    }

    /// The same with those anew that changed.
    pub(super) fn with(&self, state: &State, changed: &[NodeId]) -> Self {
        let mut all = self.clone();
        for id in changed {
            if let (Some(&at), Some(node)) = (self.places.get(id), NodeView::of(state, *id)) {
                all.totals.take_off(&all.rows[at]);
                all.totals.add(&node);
                all.rows[at] = Arc::new(node);
            }
        }
        all
    }

    /// By name.
    #[must_use]
    pub fn rows(&self) -> &[Arc<NodeView>] {
        &self.rows
    }

    /// One of them.
    #[must_use]
    pub fn get(&self, id: NodeId) -> Option<&NodeView> {
        self.rows.get(*self.places.get(&id)?).map(AsRef::as_ref)
    }

    /// One of them, by its whole name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&NodeView> {
        let at = self
            .rows
            .binary_search_by(|node| node.record.name.as_str().cmp(name))
            .ok()?;
        self.rows.get(at).map(AsRef::as_ref)
    }
}

impl FromIterator<NodeView> for Nodes {
    fn from_iter<I: IntoIterator<Item = NodeView>>(nodes: I) -> Self {
        let mut rows: Vec<_> = nodes.into_iter().map(Arc::new).collect();
        rows.sort_by(|a, b| a.record.name.cmp(&b.record.name));
        let mut totals = Totals::default();
        rows.iter().for_each(|node| totals.add(node));
        let places = rows.iter().map(|node| node.record.id).zip(0..).collect();
        Self {
            rows,
            places: Arc::new(places),
            totals,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;

    fn node(name: &str, eligible: bool, drains: bool, cpu_millis: u32) -> NodeView {
        let record = NodeRecord {
            id: NodeId::fresh(),
            name: name.to_owned(),
            created: Timestamp(0),
            eligible,
            drain: drains.then(|| (Timestamp(0), None, "ann".to_owned())),
        };
        let capacity = Capacity {
            cpu_total_millis: 4000,
            cpu_reserved_millis: 1000,
            memory_total_mb: 8000,
            memory_reserved_mb: 2000,
            executors: vec![ExecutorKind::Host],
            overcommitted: false,
            engine: None,
        };
        let used = Used {
            cpu_millis,
            memory_mb: 100,
            runs: 1,
        };
        NodeView::new(record, capacity, used)
    }

    #[test]
    fn nodes_stand_by_name_and_are_found_by_id_and_by_name() {
        let nodes: Nodes = ["n3", "n1", "n2"]
            .map(|name| node(name, true, false, 0))
            .into_iter()
            .collect();
        let names = nodes.rows().iter().map(|node| node.record.name.as_str());
        assert_eq!(names.collect::<Vec<_>>(), ["n1", "n2", "n3"]);
        let second = nodes.named("n2").unwrap();
        assert_eq!(nodes.get(second.record.id).unwrap().record.name, "n2");
        assert!(nodes.named("n").is_none() && nodes.get(NodeId::fresh()).is_none());
    }

    #[test]
    fn totals_count_each_state_and_what_is_given_out() {
        let all = [
            node("a", true, false, 500),
            node("b", false, false, 0),
            node("c", false, true, 250),
        ];
        let mut nodes: Nodes = all.into_iter().collect();
        let expected = Totals {
            ready: 1,
            draining: 1,
            ineligible: 1,
            cpu_millis: 9000,
            memory_mb: 18_000,
            cpu_used_millis: 750,
            memory_used_mb: 300,
        };
        assert_eq!(nodes.totals, expected);
        let gone = nodes.rows()[1].clone();
        nodes.totals.take_off(&gone);
        assert_eq!(
            (nodes.totals.ineligible, nodes.totals.cpu_millis),
            (0, 6000)
        );
    }

    #[test]
    fn filters_find_the_name_the_id_the_state_and_what_it_offers() {
        let node = node("Rack-7", false, true, 0);
        let passes = |filter: &str| node.passes(&NodeView::filter(filter));
        let id = node.record.id.to_string();
        for filter in [
            "rack",
            "Rack-7",
            "draining",
            "ineligible !Ready",
            "node:rack executor:machine",
            "status:ineligible",
            "-f rk7",
            "-f status:dgie",
            "! status:eligible status:ready",
            id.as_str(),
        ] {
            assert!(passes(filter), "{filter}");
        }
        for filter in [
            "RACK",
            "!draining",
            "rack-8",
            "status:rack",
            "node:draining",
            "executor:docker",
            "status:safe",
        ] {
            assert!(!passes(filter), "{filter}");
        }
    }
}
