//! The fleet as placement sees it: every node with what is given out on it, and the lists that answer "which node
//! fits", "which has most" and "could any ever" without looking at each.
//!
//! Knows no queue.

use std::collections::{BTreeSet, HashMap};

use super::rooms::{Room, Rooms};
use super::{NodeSpec, Used};
use crate::ids::NodeId;
use crate::queue::{ExecutorKind, Shape};

/// A node and what is given out on it.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) spec: NodeSpec,
    pub(super) used: Used,
}

impl Node {
    /// Takes new work.
    pub(super) fn is_usable(&self) -> bool {
        self.spec.eligible && !self.spec.draining && !self.spec.down
    }

    pub(super) fn offers(&self, executor: ExecutorKind) -> bool {
        self.spec.executors.contains(&executor)
    }

    /// Would fit if nothing ran on it.
    pub(super) fn is_large_enough(&self, shape: Shape) -> bool {
        self.spec.cpu_millis >= shape.cpu_millis && self.spec.memory_mb >= shape.memory_mb
    }

    /// Has room now and takes new work.
    pub(super) fn fits(&self, shape: Shape) -> bool {
        self.is_usable() && self.has_room(shape)
    }

    /// Has room now, whether it takes new work or not.
    pub(super) fn has_room(&self, shape: Shape) -> bool {
        let free = self.free();
        self.offers(shape.executor)
            && free.cpu_millis >= shape.cpu_millis
            && free.memory_mb >= shape.memory_mb
    }

    /// How far it is from having room for a shape: what is missing of each, as shares of what is asked for, added up,
    /// in thousandths.
    pub(super) fn lacks(&self, shape: Shape) -> u64 {
        distance(self.free(), shape)
    }

    /// The same, if nothing ran on it.
    pub(super) fn falls_short(&self, shape: Shape) -> u64 {
        distance(self.size(), shape)
    }

    /// What is not given out; nothing, when adopted runs took more than there is.
    pub(super) fn free(&self) -> Room {
        Room {
            cpu_millis: self.spec.cpu_millis.saturating_sub(self.used.cpu_millis),
            memory_mb: self.spec.memory_mb.saturating_sub(self.used.memory_mb),
            node: self.spec.id,
        }
    }

    fn size(&self) -> Room {
        Room {
            cpu_millis: self.spec.cpu_millis,
            memory_mb: self.spec.memory_mb,
            node: self.spec.id,
        }
    }
}

fn distance(room: Room, shape: Shape) -> u64 {
    let share = |has: u32, asked: u32| {
        u64::from(asked.saturating_sub(has)) * 1000 / u64::from(asked.max(1))
    };
    share(room.cpu_millis, shape.cpu_millis) + share(room.memory_mb, shape.memory_mb)
}

/// Nodes that offer one kind of executor.
#[derive(Clone, Debug, Default)]
pub(super) struct Offer {
    /// What is free, of nodes that take new work; without the one that is kept for somebody.
    pub(super) free: Rooms,
    /// What there is, of nodes that take new work.
    pub(super) usable: Rooms,
    /// What there is, of all.
    pub(super) all: Rooms,
}

/// All nodes.
#[derive(Clone, Debug, Default)]
pub(super) struct Nodes {
    nodes: HashMap<NodeId, Node>,
    by_name: BTreeSet<(String, NodeId)>,
    offers: [Offer; ExecutorKind::ALL.len()],
    /// Not offered to everyone, though it may have room.
    kept: Option<NodeId>,
    usable: usize,
    down: usize,
}

impl Nodes {
    pub(super) fn get(&self, node: NodeId) -> Option<&Node> {
        self.nodes.get(&node)
    }

    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Number that take new work.
    pub(super) fn usable(&self) -> usize {
        self.usable
    }

    /// Number that are down.
    pub(super) fn down(&self) -> usize {
        self.down
    }

    pub(super) fn kept(&self) -> Option<NodeId> {
        self.kept
    }

    /// All, sorted by name.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Node> {
        self.by_name.iter().filter_map(|(_, id)| self.nodes.get(id))
    }

    pub(super) fn offer(&self, executor: ExecutorKind) -> &Offer {
        &self.offers[executor as usize]
    }

    /// Adds a node or changes its spec, and sets what is given out on it.
    pub(super) fn upsert(&mut self, spec: NodeSpec, used: Used) {
        self.remove(spec.id);
        let node = Node { spec, used };
        self.by_name.insert((node.spec.name.clone(), node.spec.id));
        self.list(&node, true);
        self.nodes.insert(node.spec.id, node);
    }

    pub(super) fn remove(&mut self, node: NodeId) -> Option<Node> {
        let node = self.nodes.remove(&node)?;
        self.by_name.remove(&(node.spec.name.clone(), node.spec.id));
        self.list(&node, false);
        Some(node)
    }

    /// Changes what is given out on a node; false when there is no such node.
    pub(super) fn change_used(&mut self, node: NodeId, change: impl FnOnce(&mut Used)) -> bool {
        let Some(node) = self.nodes.get_mut(&node) else {
            return false;
        };
        let before = node.free();
        change(&mut node.used);
        if node.is_usable() && self.kept != Some(node.spec.id) {
            let after = node.free();
            for executor in ExecutorKind::ALL
                .into_iter()
                .filter(|executor| node.offers(*executor))
            {
                let free = &mut self.offers[executor as usize].free;
                free.remove(before);
                free.insert(after);
            }
        }
        true
    }

    /// Takes one node out of the lists of free room, or puts the one that was out back.
    pub(super) fn keep(&mut self, kept: Option<NodeId>) {
        for (id, out) in [(self.kept, false), (kept, true)] {
            let Some(node) = id
                .and_then(|id| self.nodes.get(&id))
                .filter(|node| node.is_usable())
            else {
                continue;
            };
            for executor in ExecutorKind::ALL
                .into_iter()
                .filter(|executor| node.offers(*executor))
            {
                let free = &mut self.offers[executor as usize].free;
                if out {
                    free.remove(node.free());
                } else {
                    free.insert(node.free());
                }
            }
        }
        self.kept = kept;
    }

    /// Puts a node into all lists it belongs to, or takes it out of them.
    fn list(&mut self, node: &Node, add: bool) {
        let change = |rooms: &mut Rooms, room: Room| {
            if add {
                rooms.insert(room);
            } else {
                rooms.remove(room);
            }
        };
        for executor in ExecutorKind::ALL
            .into_iter()
            .filter(|executor| node.offers(*executor))
        {
            let offer = &mut self.offers[executor as usize];
            change(&mut offer.all, node.size());
            if node.is_usable() {
                change(&mut offer.usable, node.size());
                if self.kept != Some(node.spec.id) {
                    change(&mut offer.free, node.free());
                }
            }
        }
        let count = |number: &mut usize, counts: bool| match (counts, add) {
            (true, true) => *number += 1,
            (true, false) => *number -= 1,
            (false, _) => {}
        };
        count(&mut self.usable, node.is_usable());
        count(&mut self.down, node.spec.down);
    }

    /// Panics when the lists do not hold what the nodes say.
    #[cfg(test)]
    pub(super) fn check_invariants(&self) {
        assert_eq!(self.by_name.len(), self.nodes.len());
        assert_eq!(
            self.usable,
            self.nodes.values().filter(|node| node.is_usable()).count()
        );
        assert_eq!(
            self.down,
            self.nodes.values().filter(|node| node.spec.down).count()
        );
        for executor in ExecutorKind::ALL {
            let offering: Vec<&Node> = self
                .nodes
                .values()
                .filter(|node| node.offers(executor))
                .collect();
            let usable: Vec<&Node> = offering
                .iter()
                .filter(|node| node.is_usable())
                .copied()
                .collect();
            let free = usable
                .iter()
                .filter(|node| self.kept != Some(node.spec.id))
                .map(|node| node.free())
                .collect();
            let offer = self.offer(executor);
            let same = |list: &Rooms, mut rooms: Vec<Room>| {
                rooms.sort_by_key(crate::queue::ordered::Item::key);
                assert_eq!(list.all(), rooms);
            };
            same(
                &offer.all,
                offering.iter().map(|node| node.size()).collect(),
            );
            same(
                &offer.usable,
                usable.iter().map(|node| node.size()).collect(),
            );
            same(&offer.free, free);
        }
    }
}
