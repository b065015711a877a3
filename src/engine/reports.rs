//! What agents and fleets tell the engine, in the engine's own words.

use crate::clock::Timestamp;
use crate::ids::AttemptId;
use crate::pipeline::status::{Outcome, StepStatus};

/// Something an agent reported. Output is not among it: it goes to the logs and never to the dispatcher.
#[derive(Clone, Debug, PartialEq)]
pub enum AgentEvent {
    /// The agent runs.
    Started {
        /// Since when.
        at: Timestamp,
    },
    /// A step began.
    StepStarted {
        /// Step index.
        step: u16,
        /// When.
        at: Timestamp,
    },
    /// A step ended or was skipped.
    StepEnded {
        /// Step index.
        step: u16,
        /// When.
        at: Timestamp,
        /// How.
        status: StepStatus,
        /// Exit code.
        exit_code: Option<i32>,
    },
    /// The run ended.
    Finished {
        /// When.
        at: Timestamp,
        /// How.
        outcome: Outcome,
        /// Why, in words.
        cause: String,
        /// Step that decided.
        step: Option<u16>,
        /// Its exit code.
        exit_code: Option<i32>,
    },
}

/// A report to the dispatcher.
#[derive(Clone, Debug)]
pub(super) enum Report {
    /// An agent's events with their sequence numbers; `last_seq` covers output in between.
    Events {
        attempt: AttemptId,
        last_seq: u64,
        events: Vec<(u64, AgentEvent)>,
    },
    /// An agent is gone.
    Gone { attempt: AttemptId, cause: String },
    /// An attempt was placed and never began.
    NeverStarted { attempt: AttemptId },
}

impl AgentEvent {
    /// The event a record carries, if it carries one.
    #[must_use]
    pub fn from_record(record: &crate::api::agent::Record) -> Option<Self> {
        use crate::api::agent::{Event, RecordBody};
        let RecordBody::Event(event) = &record.body else {
            return None;
        };
        Some(match event {
            Event::AgentStarted { .. } => AgentEvent::Started {
                at: Timestamp(record.micros / 1000),
            },
            Event::StepStarted { step, at } => AgentEvent::StepStarted {
                step: *step,
                at: *at,
            },
            Event::StepEnded {
                step,
                at,
                status,
                exit_code,
            } => AgentEvent::StepEnded {
                step: *step,
                at: *at,
                status: *status,
                exit_code: *exit_code,
            },
            Event::Finished(end) => AgentEvent::Finished {
                at: end.at,
                outcome: end.outcome,
                cause: end.cause.clone(),
                step: end.step,
                exit_code: end.exit_code,
            },
        })
    }
}
