//! The outcome of a compile: plain data, stored as JSON, handed to the engine and (steps) to the agent.
//!
//! Knows nothing of YAML. A field added here needs a serde default, so that plans stored by older builds load.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Everything one revision asks to be run.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Plan {
    /// Workflows in the order of the file; empty when every one was filtered out.
    pub workflows: Vec<WorkflowPlan>,
}

/// One graph of jobs.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct WorkflowPlan {
    /// Name as written; `workflow` (2.1) or `build` (2.0) for the implicit one.
    pub name: String,
    /// Jobs in an order in which each stands after all it requires.
    pub jobs: Vec<JobPlan>,
}

/// One job of a workflow, complete: nothing of the config is needed any more to run it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct JobPlan {
    /// Final name, unique in the workflow.
    pub name: String,
    /// Names of the jobs of this workflow that must succeed first.
    pub requires: Vec<String>,
    /// Where it runs.
    pub executor: Executor,
    /// Resource class as written; `None` when the config names none.
    #[serde(default)]
    pub resource_class: Option<String>,
    /// CPU asked for in thousandths of a core, from the class or the executor's default class.
    pub cpu_millis: u32,
    /// Memory asked for in MiB, from the class or the executor's default class.
    pub memory_mb: u32,
    /// Number of parallel copies, at least 1.
    pub parallelism: u32,
    /// The job's environment, executor's merged in; in the order of the file.
    #[serde(default)]
    pub environment: Vec<(String, String)>,
    /// As written; `~/project` by default.
    pub working_directory: String,
    /// Shell of `run` steps that name none; `None` = the agent's default.
    #[serde(default)]
    pub shell: Option<String>,
    /// Steps in order; none of an approval, else never empty.
    pub steps: Vec<Step>,
    /// Sentences for step 0 (what was shrunk, what runs on the host for want of an engine).
    #[serde(default)]
    pub notes: Vec<String>,
}

/// Where a job runs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Executor {
    /// `machine`: where the settings of the VM provider say, on the embedded fleet as a process of the host unless they say more.
    Machine {
        /// Image as written, if any.
        #[serde(default)]
        image: Option<String>,
    },
    /// `docker`: containers; the first is the primary one.
    Docker {
        /// At least one.
        containers: Vec<Container>,
    },
    /// Nowhere: somebody's approval lets what requires it go on.
    Approval,
    /// Known to CircleCI, run by no node here (`macos`, `windows`): waits as "will never start".
    Other {
        /// The executor's word.
        name: String,
    },
}

impl Executor {
    /// Its word, as it is shown and stored.
    #[must_use]
    pub fn word(&self) -> &str {
        match self {
            Self::Machine { .. } => "machine",
            Self::Docker { .. } => "docker",
            Self::Approval => "approval",
            Self::Other { name } => name,
        }
    }
}

/// One container of a `docker` job.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Container {
    /// Image as written.
    pub image: String,
    /// Host name of a service container.
    pub name: Option<String>,
    /// Entry point, words.
    pub entrypoint: Vec<String>,
    /// Command, words.
    pub command: Vec<String>,
    /// User inside.
    pub user: Option<String>,
    /// Environment of the container.
    pub environment: BTreeMap<String, String>,
    /// Who pulls the image, if its registry asks.
    pub auth: Option<Auth>,
}

/// The account at a registry. `$NAME` in either stands for a variable of the run: a password has no business in a config.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Auth {
    /// As written.
    pub username: String,
    /// As written.
    pub password: String,
}

/// When a step runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// In any case (but not after a cancel or a time-out).
    Always,
    /// While nothing has failed.
    #[default]
    OnSuccess,
    /// Once something has failed.
    OnFail,
}

/// One step.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Step {
    /// Runs a command.
    Run(RunStep),
    /// Checks the revision out.
    Checkout {
        /// Name shown; `Checkout code` by default.
        name: String,
        /// Target as written; `None` = the working directory.
        #[serde(default)]
        path: Option<String>,
    },
}

impl JobPlan {
    /// Whether it is an approval: nothing of it runs.
    #[must_use]
    pub fn is_approval(&self) -> bool {
        self.executor == Executor::Approval
    }
}

impl Step {
    /// The name shown.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Step::Run(run) => &run.name,
            Step::Checkout { name, .. } => name,
        }
    }
}

/// A `run` step.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RunStep {
    /// Name shown: as written, else the command text.
    pub name: String,
    /// The script.
    pub command: String,
    /// Shell words as written.
    pub shell: Option<String>,
    /// Environment of this step alone.
    pub environment: Vec<(String, String)>,
    /// As written.
    pub working_directory: Option<String>,
    /// Left running while later steps run; killed at the end.
    pub background: bool,
    /// Seconds without a byte of output after which the step is killed; 600 by default.
    pub no_output_timeout_s: u64,
    /// When it runs.
    pub when: When,
}
