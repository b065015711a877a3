//! How states are told: a glyph, a role and a word each, so that nothing is told by colour alone.

use roundel::api::builds::{Outcome, RunRow, RunState, Status, StepStatus};
use roundel::api::fleet::NodeRow;

use crate::console::line::Line;
use crate::console::theme::Role;

/// A state as it is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mark {
    /// One cell.
    pub glyph: &'static str,
    /// Its role.
    pub role: Role,
    /// The word.
    pub word: &'static str,
}

impl Mark {
    const fn new(glyph: &'static str, role: Role, word: &'static str) -> Self {
        Self { glyph, role, word }
    }

    /// Glyph and word.
    #[must_use]
    pub fn line(self) -> Line {
        Line::new().put(self.role, format!("{} {}", self.glyph, self.word))
    }
}

const OK: Mark = Mark::new("✓", Role::Ok, "success");
const FAILED: Mark = Mark::new("✗", Role::Failed, "failed");
const RUNNING: Mark = Mark::new("▶", Role::Running, "running");
const CANCELED: Mark = Mark::new("–", Role::Canceled, "canceled");
const TIMED_OUT: Mark = Mark::new("✗", Role::Failed, "timed out");
const INFRASTRUCTURE: Mark = Mark::new("!", Role::Warning, "infrastructure fail");

/// Of a pipeline, a workflow or a job.
#[must_use]
pub fn status(status: Status) -> Mark {
    match status {
        Status::Blocked => Mark::new("·", Role::Canceled, "waits"),
        Status::OnHold => Mark::new("◌", Role::Warning, "on hold"),
        Status::Queued => Mark::new("◌", Role::Waiting, "queued"),
        Status::Running => RUNNING,
        Status::Failing => Mark::new("▶", Role::Failed, "failing"),
        Status::Success => OK,
        Status::Failed => FAILED,
        Status::Canceled => CANCELED,
        Status::NotRun => Mark::new("·", Role::Canceled, "not run"),
        Status::InfrastructureFail => INFRASTRUCTURE,
        Status::Timedout => TIMED_OUT,
        Status::Errored => Mark::new("✗", Role::Failed, "config error"),
    }
}

/// Of one run.
#[must_use]
pub fn run(run: &RunRow) -> Mark {
    match (run.state, run.outcome) {
        (RunState::Pending, _) => Mark::new("◌", Role::Waiting, "pending"),
        (RunState::Running, _) if run.unreachable => Mark::new("!", Role::Warning, "unreachable"),
        (RunState::Running, _) if run.stopping => Mark::new("▶", Role::Canceled, "stopping"),
        (RunState::Running, _) => RUNNING,
        (RunState::Dead, Some(Outcome::Success)) => OK,
        (RunState::Dead, Some(Outcome::Failed)) => FAILED,
        (RunState::Dead, Some(Outcome::Canceled)) => CANCELED,
        (RunState::Dead, Some(Outcome::Timedout)) => TIMED_OUT,
        (RunState::Dead, Some(Outcome::InfrastructureFail)) => INFRASTRUCTURE,
        (RunState::Dead, Some(Outcome::Interrupted)) => {
            Mark::new("–", Role::Canceled, "interrupted")
        }
        (RunState::Dead, None) => Mark::new("–", Role::Canceled, "dead"),
    }
}

/// Of one step.
#[must_use]
pub fn step(status: StepStatus) -> Mark {
    match status {
        StepStatus::Waiting => Mark::new("·", Role::Canceled, "waits"),
        StepStatus::Running => RUNNING,
        StepStatus::Success => OK,
        StepStatus::Failed => FAILED,
        StepStatus::Skipped => Mark::new("·", Role::Canceled, "skipped"),
        StepStatus::Canceled => CANCELED,
        StepStatus::Timedout => TIMED_OUT,
    }
}

/// Of one node.
#[must_use]
pub fn node(node: &NodeRow) -> Mark {
    match node.status.as_str() {
        "down" => Mark::new("✗", Role::Failed, "down"),
        "initializing" => Mark::new("◌", Role::Waiting, "initializing"),
        _ if node.safe_to_terminate => Mark::new("○", Role::Ok, "drained"),
        _ if node.drain.is_some() => Mark::new("◐", Role::Waiting, "draining"),
        _ if !node.eligible => Mark::new("–", Role::Canceled, "ineligible"),
        _ => Mark::new("●", Role::Ok, "ready"),
    }
}
