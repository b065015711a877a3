//! What the fleet's container engine is, as nodes offer it and as runs wait for it; and the runs that wait for nothing that
//! would ever come.

use super::builds::Batch;
use super::machines;
use super::state::{Capacity, State};
use crate::cluster::Containers;
use crate::ids::AttemptId;
use crate::queue::{ExecutorKind, Waiting};
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
        self.containers = containers;
        self.mark_unserved();
    }

    /// Marks the runs to be ended that wait for what is not there, or is refused.
    pub(super) fn mark_unserved(&mut self) {
        self.unserved.clear();
        let kinds = [ExecutorKind::Docker, ExecutorKind::Host];
        let [docker, host] = kinds.map(|kind| self.why_unserved(kind).is_some());
        if docker || host {
            let unserved = |run: &&Waiting| match run.shape.executor {
                ExecutorKind::Docker => docker,
                ExecutorKind::Host => host,
                _ => false,
            };
            let waiting = self.scheduler.line(0).filter(unserved);
            self.unserved.extend(waiting.map(|run| run.attempt));
        }
    }

    /// A run was put in the queue: when it waits for what is not there, it is marked to be ended.
    pub(super) fn note_unserved(&mut self, id: AttemptId, executor: ExecutorKind) {
        if self.why_unserved(executor).is_some() {
            self.unserved.push(id);
        }
    }

    /// Why nothing will start a run of this kind, before something is changed: a sentence without a period.
    fn why_unserved(&self, executor: ExecutorKind) -> Option<String> {
        match (executor, &self.containers) {
            (ExecutorKind::Docker, Containers::Absent(why)) => Some(why.clone()),
            (ExecutorKind::Host, _) => machines::refused(&self.values).map(str::to_owned),
            _ => None,
        }
    }
}

impl Batch<'_, '_> {
    /// Ends the runs that wait for a container engine where there is none, or for a machine where those are refused: nobody
    /// would ever start them.
    pub(super) fn end_unserved(&mut self) -> Result<(), StoreError> {
        // Ending one may let the next of its workflow into the queue.
        while let Some(id) = self.state.unserved.pop() {
            let executor = self
                .state
                .scheduler
                .waiting(id)
                .map(|run| run.shape.executor);
            if let Some(cause) = executor.and_then(|kind| self.state.why_unserved(kind)) {
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
            text: format!("will never start: {why}"),
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
                Containers::Absent("there is none; install one".to_owned()),
                true,
                "never start: there is none; install one",
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
