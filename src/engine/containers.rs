//! What the fleet's container engine is, as nodes offer it and as runs wait for it.

use super::builds::Batch;
use super::state::{Capacity, State};
use crate::cluster::Containers;
use crate::containers::HOW_TO_GET_ONE;
use crate::ids::AttemptId;
use crate::queue::ExecutorKind;
use crate::scheduler::Reason;
use crate::store::StoreError;

impl Capacity {
    /// Offers containers or no longer, as their engine answers.
    pub fn set_containers(&mut self, containers: &Containers) {
        self.executors.retain(|kind| *kind != ExecutorKind::Docker);
        self.engine = None;
        if let Containers::Answer(name) = containers {
            self.executors.push(ExecutorKind::Docker);
            self.engine = Some(name.clone());
        }
    }
}

impl State {
    /// Takes note of the engine. Where there is none, runs that wait for one are marked to be ended.
    pub(super) fn set_containers(&mut self, containers: Containers) {
        for node in self.nodes.values_mut() {
            node.capacity.set_containers(&containers);
            self.scheduler.upsert_node(node.spec());
        }
        self.unserved.clear();
        if matches!(containers, Containers::Absent(_)) {
            let waiting = self.attempts.iter().filter(|(_, attempt)| {
                attempt.node.is_none() && attempt.waiting.shape.executor == ExecutorKind::Docker
            });
            self.unserved.extend(waiting.map(|(id, _)| *id));
        }
        self.containers = containers;
    }

    /// A run was put in the queue: without an engine it is marked to be ended.
    pub(super) fn note_unserved(&mut self, id: AttemptId, executor: ExecutorKind) {
        if executor == ExecutorKind::Docker && matches!(self.containers, Containers::Absent(_)) {
            self.unserved.push(id);
        }
    }
}

impl Batch<'_, '_> {
    /// Ends the runs that wait for a container engine where there is none: nobody would ever start them.
    pub(super) fn end_unserved(&mut self) -> Result<(), StoreError> {
        // Ending one may let the next of its workflow into the queue.
        while let Some(id) = self.state.unserved.pop() {
            if let Containers::Absent(why) = &self.state.containers {
                let cause = format!("{why}; {HOW_TO_GET_ONE}");
                self.end_waiting(id, &cause)?;
            }
        }
        Ok(())
    }
}

/// Why a `docker` run waits while no node offers containers.
pub(super) fn reason(containers: &Containers) -> Reason {
    match containers {
        Containers::Absent(why) => Reason {
            code: "never",
            text: format!("{why}: will never start; {HOW_TO_GET_ONE}"),
            never: true,
        },
        Containers::Away(why) => Reason {
            code: "containers",
            text: format!("{why}: it is given a minute"),
            never: false,
        },
        Containers::Answer(name) => Reason {
            code: "containers",
            text: format!("{name} answers again: starts soon"),
            never: false,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_waits_for_an_engine_is_told_what_to_do() {
        let cases = [
            (
                Containers::Absent("there is none".to_owned()),
                true,
                "apt install docker.io",
            ),
            (
                Containers::Away("it does not answer".to_owned()),
                false,
                "given a minute",
            ),
            (
                Containers::Answer("Podman 4.3.1".to_owned()),
                false,
                "Podman 4.3.1",
            ),
        ];
        for (containers, never, words) in cases {
            let reason = reason(&containers);
            assert_eq!(reason.never, never, "{containers:?}");
            assert!(reason.text.contains(words), "{}", reason.text);
        }
    }
}
