//! The only way to read: lists and history from the store, the hot state from memory.

use std::sync::Arc;

use super::gate::Gate;
use super::publish::{Feed, Live};
use crate::pipeline::status::RunState;
use crate::queue::{ExecutorKind, Shape, Waiting};
use crate::scheduler::Reason;
use crate::services::health::Pulse;
use crate::store::{ReadPool, RunRecord};

/// Reads; cheap to clone. The store's methods block, so call them from a blocking thread.
#[derive(Clone, Debug)]
pub struct View {
    /// Lists and history.
    pub store: ReadPool,
    /// Hot state and streams.
    pub feed: Feed,
    /// Who may report.
    pub gate: Arc<Gate>,
    /// What is measured.
    pub pulse: Pulse,
}

impl View {
    /// The hot state now.
    #[must_use]
    pub fn live(&self) -> Arc<Live> {
        self.feed.live()
    }

    /// Why a run waits; `None` when it does not.
    #[must_use]
    pub fn reason(&self, run: &RunRecord) -> Option<Reason> {
        if run.state != RunState::Pending {
            return None;
        }
        let live = self.live();
        if let Some(why) = &live.read_only {
            return Some(Reason {
                code: "read_only",
                text: format!("the server is read-only: {why}"),
                never: false,
            });
        }
        let shape = Shape {
            cpu_millis: run.cpu_millis,
            memory_mb: run.memory_mb,
            executor: super::state::executor_kind(&run.executor),
        };
        let mut reason = live.verdicts.reason(&Waiting {
            attempt: run.id,
            project: crate::ids::ProjectId(run.project),
            shape,
            priority: run.priority,
            queued: run.queued,
        });
        // The scheduler knows kinds of executor; the word of the config says more.
        if reason.never && reason.text.starts_with("no node offers executor") {
            reason.text = match shape.executor {
                ExecutorKind::Docker => "no node offers executor \"docker\", which comes with the Docker executor: will \
                     never start; `roundel build --no-engine` runs docker jobs on the host"
                    .to_owned(),
                _ => format!("no node offers executor \"{}\": will never start", run.executor),
            };
        }
        Some(reason)
    }
}
