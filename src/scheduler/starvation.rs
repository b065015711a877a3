//! Against starvation: a large run must not wait for ever because smaller ones keep taking what becomes free.
//!
//! The rule: once the first parked run in line has waited [`STARVED_AFTER`], one node that is large enough for it is
//! kept for its shape. Nothing else starts there, whatever its priority, until a run of that shape has started
//! (there or elsewhere), or the node stops taking work. One node at a time: that bounds what keeping can waste.

use std::time::Duration;

use super::rooms::Room;
use super::{Node, Scheduler};
use crate::clock::Timestamp;
use crate::ids::NodeId;
use crate::queue::Shape;

/// How long a run may be overtaken: long against a placement, short against the length of a build.
pub const STARVED_AFTER: Duration = Duration::from_secs(5 * 60);

/// A node and the shape it is kept for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Kept {
    pub(super) shape: Shape,
    pub(super) node: NodeId,
}

impl Scheduler {
    /// Keeps a node for the first starving run, if there is one and no node is kept yet.
    pub(super) fn keep_for_starving(&mut self, now: Timestamp) {
        // Where only one shape waits nobody overtakes; at the total limit nobody starts. This is asked before anything is
        // placed, so that a run which would start at once counts among those that wait.
        if self.kept.is_some() || self.queue.shape_count() < 2 || self.queue.is_full() {
            return;
        }
        let heads = self
            .queue
            .parked()
            .filter_map(|shape| Some((self.queue.head(shape)?, shape)));
        let mut starving: Vec<_> = heads
            .filter(|(turn, _)| now.since(turn.queued()) >= STARVED_AFTER)
            .collect();
        starving.sort_unstable();
        let found = starving.into_iter().find_map(|(_, shape)| {
            Some(Kept {
                shape,
                node: self.nearly_fitting(shape)?,
            })
        });
        if let Some(kept) = found {
            self.verdicts = None;
            self.nodes.keep(Some(kept.node));
            self.kept = Some(kept);
        }
    }

    /// Gives the kept node up when nobody starves for it any more.
    pub(super) fn review_kept(&mut self, now: Timestamp) {
        let Some(kept) = self.kept else { return };
        let head = self.queue.head(kept.shape);
        if head.is_none_or(|turn| now.since(turn.queued()) < STARVED_AFTER) {
            self.unkeep();
        }
    }

    /// Gives the kept node up when it cannot serve.
    pub(super) fn review_kept_node(&mut self) {
        let Some(kept) = self.kept else { return };
        if !self
            .nodes
            .get(kept.node)
            .is_some_and(|node| can_serve(node, kept.shape))
        {
            self.unkeep();
        }
    }

    /// Gives the kept node up once a run of its shape has started.
    pub(super) fn unkeep_after(&mut self, started: Shape) {
        if self.kept.is_some_and(|kept| kept.shape == started) {
            self.unkeep();
        }
    }

    fn unkeep(&mut self) {
        if let Some(kept) = self.kept.take() {
            self.verdicts = None;
            self.nodes.keep(None);
            self.wake_for(kept.node);
        }
    }

    /// A node that is large enough, and near to having room as far as can be told without looking at all of them:
    /// the one with the most free cpu, the one with the most free memory, else the smallest that is large enough.
    fn nearly_fitting(&self, shape: Shape) -> Option<NodeId> {
        let offer = self.nodes.offer(shape.executor);
        let free = [
            offer.free.most_memory(shape.cpu_millis),
            offer.free.most_cpu(),
            offer.free.most_memory(0),
        ];
        let usable = offer.usable.tightest(shape.cpu_millis, shape.memory_mb);
        let nodes = free
            .into_iter()
            .chain([usable])
            .flatten()
            .filter_map(|room: Room| self.nodes.get(room.node));
        nodes
            .filter(|node| can_serve(node, shape))
            .min_by_key(|node| node.lacks(shape))
            .map(|node| node.spec.id)
    }
}

fn can_serve(node: &Node, shape: Shape) -> bool {
    node.is_usable() && node.offers(shape.executor) && node.is_large_enough(shape)
}
