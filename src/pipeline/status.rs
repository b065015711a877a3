//! The words for how far a thing has come and how it ended: one list for store, engine, wire and screens.
//!
//! Knows nothing of who moves a thing from one to the other.

use serde::{Deserialize, Serialize};

/// A text that is none of the words of its list.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("unknown {list} `{word}`")]
pub struct UnknownWord {
    list: &'static str,
    word: String,
}

macro_rules! words {
    ($name:ident, $list:literal, $($variant:ident => $word:literal),+ $(,)?) => {
        impl $name {
            /// All of them.
            pub const ALL: [Self; [$(Self::$variant),+].len()] = [$(Self::$variant),+];

            /// The word, the same on the wire, in the store and on screens.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl std::str::FromStr for $name {
            type Err = UnknownWord;
            fn from_str(word: &str) -> Result<Self, UnknownWord> {
                match word {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(UnknownWord { list: $list, word: word.to_owned() }),
                }
            }
        }
    };
}

words!(Status, "status",
    Blocked => "blocked", OnHold => "on_hold", Queued => "queued", Running => "running", Failing => "failing", Success => "success",
    Failed => "failed", Canceled => "canceled", NotRun => "not_run", InfrastructureFail => "infrastructure_fail",
    Timedout => "timedout", Errored => "errored");
words!(RunState, "run state", Pending => "pending", Running => "running", Dead => "dead");
words!(Outcome, "outcome",
    Success => "success", Failed => "failed", Canceled => "canceled", Timedout => "timedout",
    InfrastructureFail => "infrastructure_fail", Interrupted => "interrupted");
words!(StepStatus, "step status",
    Waiting => "waiting", Running => "running", Success => "success", Failed => "failed", Skipped => "skipped",
    Canceled => "canceled", Timedout => "timedout");

words!(Phase, "state of the installation",
    Started => "started", Stopping => "stopping", Stopped => "stopped");

words!(VmPurpose, "purpose of a VM", Machine => "machine", RemoteDocker => "remote_docker");
words!(VmState, "state of a VM",
    Creating => "creating", Starting => "starting", Connecting => "connecting", Ready => "ready", Leased => "leased",
    Ending => "ending");

words!(Health, "health", Ok => "ok", Slow => "slow", Failing => "failing");

/// How a part of the server does.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// It does what it should, in the time it should.
    #[default]
    Ok,
    /// It does it too slowly.
    Slow,
    /// It does not.
    Failing,
}

/// How far the installation has come in taking work or no longer taking any.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// It places runs.
    #[default]
    Started,
    /// It places nothing, and some runs have yet to end.
    Stopping,
    /// It places nothing, and nothing runs.
    Stopped,
}

/// Status of a job, a workflow or a pipeline, in CircleCI's words.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Waits for jobs it requires.
    Blocked,
    /// Waits for somebody's approval.
    OnHold,
    /// In the queue.
    Queued,
    /// Runs.
    Running,
    /// Runs on, but something has failed already (workflow).
    Failing,
    /// Ended well.
    Success,
    /// Ended badly.
    Failed,
    /// Stopped by someone.
    Canceled,
    /// Never ran, because something it requires did not succeed.
    NotRun,
    /// The ground gave way: agent killed, node lost.
    InfrastructureFail,
    /// Ran too long, or too long without output.
    Timedout,
    /// The config did not compile (pipeline).
    Errored,
}

impl Status {
    /// Whether nothing more will happen.
    #[must_use]
    pub fn is_final(self) -> bool {
        !matches!(
            self,
            Status::Blocked | Status::OnHold | Status::Queued | Status::Running | Status::Failing
        )
    }
}

/// State of a run on the fleet, in Nomad's words.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Waits.
    Pending,
    /// Placed on a node.
    Running,
    /// Ended, however.
    Dead,
}

/// How a run ended.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// All steps passed.
    Success,
    /// A step failed.
    Failed,
    /// Stopped by someone.
    Canceled,
    /// Past its deadline or without output for too long.
    Timedout,
    /// Agent killed, node lost, could not start.
    InfrastructureFail,
    /// Stopped by a drain; requeued once as another attempt.
    Interrupted,
}

/// Status of a step.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepStatus {
    /// Not reached yet.
    Waiting,
    /// Runs.
    Running,
    /// Passed.
    Success,
    /// Failed.
    Failed,
    /// Not run, by its `when`.
    Skipped,
    /// Stopped by someone.
    Canceled,
    /// Killed for silence or at the deadline.
    Timedout,
}

/// What a virtual machine of the VM provider is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VmPurpose {
    /// The machine executor.
    Machine,
    /// The container engine of a job that asks for one (`setup_remote_docker`).
    RemoteDocker,
}

/// How far a virtual machine has come.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VmState {
    /// The provider is asked for it, and has not been heard to have it.
    Creating,
    /// The provider has it, and it does not run yet.
    Starting,
    /// It runs, and has not answered SSH yet.
    Connecting,
    /// It answers, and waits for a job.
    Ready,
    /// A job has it.
    Leased,
    /// It is to go, and is not known to be gone.
    Ending,
}
