//! The only way to read: lists and history from the store, the hot state from memory.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::watch;

use super::gate::Gate;
use super::publish::{Feed, Live};
use super::roster::Roster;
use crate::access::Tokens;
use crate::ids::AttemptId;
use crate::pipeline::Classes;
use crate::pipeline::status::RunState;
use crate::queue::{ExecutorKind, Shape, Waiting};
use crate::scheduler::Reason;
use crate::services::certificates::Certificates;
use crate::services::health::Pulse;
use crate::settings::value::Values;
use crate::store::{
    Filter, RUN_FIELDS, ReadPool, RunFilter, RunRecord, StoreError, Window, WindowQuery,
};

/// Reads; cheap to clone. The store's methods block, so call them from a blocking thread.
#[derive(Clone, Debug)]
pub struct View {
    /// Lists and history.
    pub store: ReadPool,
    /// Hot state and streams.
    pub feed: Feed,
    /// Who may report.
    pub gate: Arc<Gate>,
    /// Tokens that open, latest wins.
    pub tokens: watch::Receiver<Arc<Tokens>>,
    /// What the settings say that hold, secrets open, latest wins: of a setting that holds once saved the newest version's
    /// value, of another that of the version that the services run with.
    pub values: watch::Receiver<Arc<Values>>,
    /// What is measured.
    pub pulse: Pulse,
    /// The certificates that are served.
    pub certificates: Certificates,
    pub(super) roster: Arc<Roster>,
    /// How the passes of housekeeping stand.
    pub(super) passes: super::cleaning::Board,
    /// Resource classes of the installation's own.
    pub classes: Arc<Classes>,
}

impl View {
    /// The hot state now.
    #[must_use]
    pub fn live(&self) -> Arc<Live> {
        self.feed.live()
    }

    /// A window of the runs. Those that are not over are found in memory: there may be very many, and they change all
    /// the time. A row is as the store has it now, which may be newer than its place.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn runs(
        &self,
        filter: &RunFilter,
        query: &WindowQuery,
    ) -> Result<Window<RunRecord>, StoreError> {
        let over = filter.states.is_empty() || filter.states.contains(&RunState::Dead);
        // How long the same jobs took before is known to the store alone.
        let slow = Filter::read(&query.filter, RUN_FIELDS).asks("status", "slow");
        if over || slow || filter.node.is_some() {
            return self.store.runs(filter, query);
        }
        let found = self.roster.window(&filter.states, query);
        Ok(Window {
            rows: self.store.runs_by_id(&found.rows)?,
            total: found.total,
            offset: found.offset,
        })
    }

    /// Places in line, from 1, of those of the runs that wait.
    #[must_use]
    pub fn places<'r>(
        &self,
        runs: impl IntoIterator<Item = &'r RunRecord>,
    ) -> HashMap<AttemptId, u64> {
        let waiting = runs
            .into_iter()
            .filter(|run| run.state == RunState::Pending);
        self.roster
            .places(waiting.map(|run| run.id))
            .into_iter()
            .collect()
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
            if shape.executor == ExecutorKind::Docker {
                return Some(super::containers::reason(&live.containers));
            }
            reason.text = format!(
                "no node offers executor \"{}\": will never start",
                run.executor
            );
        }
        Some(reason)
    }
}
