//! Nodes: drain, eligibility, and drains that reach their deadline.

use std::time::Duration;

use super::builds::Batch;
use super::command::{Actor, CommandError, FleetCommand, Reply};
use super::outbox::Topic;
use super::state::StopReason;
use crate::ids::{AttemptId, NodeId};
use crate::store::StoreError;

impl Batch<'_, '_> {
    /// Decides a wish on nodes.
    pub(super) fn fleet(
        &mut self,
        command: &FleetCommand,
        actor: &Actor,
    ) -> Result<Reply, CommandError> {
        match *command {
            FleetCommand::SetDrain {
                node,
                enable,
                deadline_s,
            } => {
                let drain = enable.then(|| {
                    let deadline = deadline_s.map(|s| self.now.plus(Duration::from_secs(s)));
                    (self.now, deadline, actor.name.clone())
                });
                let reply = self.change_node(node, |record| {
                    record.eligible = drain.is_none();
                    record.drain = drain;
                })?;
                if deadline_s == Some(0) {
                    self.end_drains()?;
                }
                Ok(reply)
            }
            FleetCommand::SetEligibility { node, eligible } => {
                let draining = self
                    .state
                    .nodes
                    .get(&node)
                    .filter(|known| known.record.drain.is_some());
                if let Some(known) = draining.filter(|_| eligible) {
                    return Err(CommandError::Conflict {
                        what: "node",
                        name: known.record.name.clone(),
                        why: "is draining; end the drain first".to_owned(),
                    });
                }
                self.change_node(node, |record| record.eligible = eligible)
            }
        }
    }

    fn change_node(
        &mut self,
        id: NodeId,
        change: impl FnOnce(&mut crate::store::NodeRecord),
    ) -> Result<Reply, CommandError> {
        let node = self
            .state
            .nodes
            .get_mut(&id)
            .ok_or(CommandError::NotFound {
                what: "node",
                name: id.to_string(),
            })?;
        change(&mut node.record);
        self.tx.set_node(&node.record)?;
        self.state.scheduler.upsert_node(node.spec());
        self.out.touch_node(id);
        self.out.at_once = true;
        // Whoever waits may now wait for another reason.
        self.out.touch(Topic::Runs, id);
        Ok(Reply::Node {
            node: id,
            name: node.record.name.clone(),
        })
    }

    /// Stops what still runs on nodes whose drain has reached its deadline.
    pub(super) fn end_drains(&mut self) -> Result<(), StoreError> {
        let due: Vec<NodeId> = self
            .state
            .nodes
            .values()
            .filter(|node| {
                matches!(&node.record.drain, Some((_, Some(deadline), _)) if *deadline <= self.now)
            })
            .map(|node| node.record.id)
            .collect();
        if due.is_empty() {
            return Ok(());
        }
        let runs: Vec<AttemptId> = self
            .state
            .attempts
            .iter()
            .filter(|(id, attempt)| {
                let node = self.state.scheduler.node_of(**id);
                attempt.stopping.is_none() && node.is_some_and(|node| due.contains(&node))
            })
            .map(|(id, _)| *id)
            .collect();
        for run in runs {
            self.ask_to_stop(run, StopReason::Drained)?;
        }
        Ok(())
    }
}
