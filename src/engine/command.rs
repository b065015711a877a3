//! What can be asked of the engine, and what it answers.

mod error;

use std::collections::BTreeMap;

use super::cleaning::Pass;
use super::sessions::SessionCommand;
use super::vms::VmCommand;
use crate::access::{Fingerprint, Hash, Role};
use crate::certificates::Certificate;
use crate::clock::Timestamp;
use crate::ids::{AttemptId, JobId, NodeId, PipelineId, ProjectId, VmId, WatchId, WorkflowId};
use crate::pipeline::Plan;
use crate::pipeline::status::Phase;
use crate::settings::value::Value;

pub use error::CommandError;

/// Who asks, and what they may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// `uid 1000 (ann)`, `token 1f2e3d4c5b6a (laptop)`, `watch of ...`.
    pub name: String,
    /// What they may do.
    pub role: Role,
}

impl Actor {
    /// Somebody who may do everything: who may open the socket, and the server itself.
    pub fn admin(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            role: Role::Admin,
        }
    }
}

/// A wish to change something.
#[derive(Clone, Debug)]
pub enum Command {
    /// On pipelines and runs.
    Build(BuildCommand),
    /// On nodes.
    Fleet(FleetCommand),
    /// On the installation as a whole.
    Installation(InstallationCommand),
    /// On watched repositories.
    Watch(WatchCommand),
    /// On what is kept, and for how long.
    Keep(KeepCommand),
    /// On projects.
    Project(ProjectCommand),
    /// On tokens.
    Token(TokenCommand),
    /// On sessions of people.
    Session(SessionCommand),
    /// On settings.
    Settings(SettingsCommand),
    /// On VMs.
    Vm(VmCommand),
    /// Nothing to be decided: what was done outside of the engine is written into the audit log.
    Note(Note),
}

impl Command {
    /// The least role that may ask for it.
    #[must_use]
    pub fn needs(&self) -> Role {
        match self {
            Command::Build(_) | Command::Fleet(_) | Command::Vm(_) | Command::Watch(_) => {
                Role::Operator
            }
            Command::Installation(_)
            | Command::Keep(_)
            | Command::Project(_)
            | Command::Settings(_)
            | Command::Token(_) => Role::Admin,
            Command::Session(command) => command.needs(),
            // What was done was permitted before it was done.
            Command::Note(_) => Role::Operator,
        }
    }
}

/// Wishes on the installation as a whole.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InstallationCommand {
    /// Takes no new work; what runs may end.
    Stop,
    /// Takes work again.
    Start,
}

/// Wishes on what is kept.
#[derive(Clone, Debug)]
pub enum KeepCommand {
    /// These builds are forgotten, unless they have been taken up again. The server's own doing, told by its pass.
    ForgetBuilds(Vec<PipelineId>),
    /// The logs of these runs are about to be removed. The same.
    ForgetLogs(Vec<AttemptId>),
    /// A pass has ended; a deed when it removed something or failed.
    Passed(Pass),
}

/// A deed outside of the engine, as the audit log has it.
#[derive(Clone, Debug)]
pub struct Note {
    /// What: `backup.create`.
    pub action: &'static str,
    /// On which object.
    pub object: String,
    /// How, in words; may be empty.
    pub detail: String,
    /// Why it came to nothing, when it did.
    pub failure: Option<String>,
}

/// Wishes on pipelines and runs.
#[derive(Clone, Debug)]
pub enum BuildCommand {
    /// Takes a compiled revision in; does nothing when the pipeline is there.
    Create(Box<NewBuild>),
    /// Runs a workflow again.
    Rerun {
        /// Which pass.
        workflow: WorkflowId,
        /// Keep what succeeded.
        from_failed: bool,
    },
    /// Approves a job that waits for it.
    Approve(JobId),
    /// Stops all of a pipeline.
    CancelPipeline(PipelineId),
    /// Stops a pass.
    CancelWorkflow(WorkflowId),
    /// Stops a job.
    CancelJob(JobId),
    /// Stops one run.
    StopRun(AttemptId),
}

/// Wishes on nodes.
#[derive(Clone, Debug)]
pub enum FleetCommand {
    /// Turns a drain on or off.
    SetDrain {
        /// The node.
        node: NodeId,
        /// On or off.
        enable: bool,
        /// Seconds until what still runs is stopped; `None` = never.
        deadline_s: Option<u64>,
    },
    /// Lets a node take new work, or not.
    SetEligibility {
        /// The node.
        node: NodeId,
        /// Takes new work.
        eligible: bool,
    },
}

/// Wishes on watched repositories.
#[derive(Clone, Debug)]
pub enum WatchCommand {
    /// Watches a repository; asked again for the same one, changes its period.
    Add(Box<NewWatch>),
    /// A look at it has been taken in up to these tips. The server's own doing, and no deed for the audit log.
    Seen {
        /// Which.
        watch: WatchId,
        /// Branch to commit.
        tips: BTreeMap<String, String>,
    },
    /// Watches it no more.
    Remove(WatchId),
}

/// Wishes on projects. Each names the project as whoever asks knows it, for the audit log.
#[derive(Clone, Debug)]
pub enum ProjectCommand {
    /// Gives it another name.
    Rename {
        /// Which.
        project: ProjectId,
        /// Its name.
        title: String,
        /// Owner part of the new name.
        org: String,
        /// Name part.
        name: String,
    },
    /// Removes it with all that was built of it.
    Remove {
        /// Which.
        project: ProjectId,
        /// Its name.
        title: String,
    },
    /// Sets a variable for its jobs; makes the project when it is not there.
    SetVariable {
        /// Which.
        project: ProjectOf,
        /// The variable.
        name: String,
        /// Its value, sealed.
        sealed: String,
        /// The end of the value, when that may be shown.
        hint: String,
    },
    /// Takes a variable away.
    UnsetVariable {
        /// Which.
        project: ProjectId,
        /// Its name.
        title: String,
        /// The variable.
        name: String,
    },
}

/// A project as its repository tells it.
#[derive(Clone, Debug)]
pub struct ProjectOf {
    /// Normalised origin URL, else the path.
    pub key: String,
    /// Owner part of its name.
    pub org: String,
    /// Name part.
    pub name: String,
    /// What a checkout's origin should be.
    pub origin: String,
}

/// Wishes on settings.
#[derive(Clone, Debug)]
pub enum SettingsCommand {
    /// Stages values for the next save; `None` gives the default back.
    Stage(Vec<(String, Option<Value>)>),
    /// Forgets what is staged: these keys, or everything when there are none.
    Discard(Vec<String>),
    /// Saves what is staged as a version.
    Save {
        /// Staged first.
        changes: Vec<(String, Option<Value>)>,
        /// Warnings are known.
        accept_warnings: bool,
    },
    /// Saves these and nothing else as a version: what others have staged stays staged.
    Put {
        /// Saved.
        changes: Vec<(String, Option<Value>)>,
        /// Whose doing it is, as the history says: `acme`.
        origin: &'static str,
    },
    /// Trusts some authorities more and some no more, of those that are set or staged at that moment: what several people do
    /// at once is all done.
    Trust {
        /// Trusted too.
        add: Vec<Certificate>,
        /// Trusted no more.
        remove: Vec<Fingerprint>,
        /// Only staged; else saved, with all that is staged.
        stage: bool,
        /// Warnings are known.
        accept_warnings: bool,
    },
    /// Brings the values of a version back, as a new one.
    Rollback(u64),
    /// Reads what holds anew: secrets that were locked can be opened.
    Reload,
}

/// Wishes on tokens.
#[derive(Clone, Debug)]
pub enum TokenCommand {
    /// Makes one.
    Create(NewToken),
    /// Takes one back, by its id.
    Revoke(String),
}

/// A token to be remembered.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// What names it.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Of its secret.
    pub hash: Hash,
    /// When it ends; `None` for never.
    pub expires: Option<Timestamp>,
}

/// A repository to watch.
#[derive(Clone, Debug)]
pub struct NewWatch {
    /// Its id, unless it is watched already.
    pub id: WatchId,
    /// Path or URL.
    pub source: String,
    /// `org/name` of its project, unless that has another by now.
    pub title: String,
    /// The project's key.
    pub key: String,
    /// Seconds between two looks.
    pub every_s: u64,
    /// What is there already, and is not built: branch to commit.
    pub tips: BTreeMap<String, String>,
}

/// A revision with its plan.
#[derive(Clone, Debug)]
pub struct NewBuild {
    /// Chosen by the API client.
    pub id: PipelineId,
    /// Key of the project: normalised origin URL, else the path.
    pub project_key: String,
    /// Owner part of the project's name.
    pub org: String,
    /// Name part.
    pub name: String,
    /// What a checkout's origin should be.
    pub origin: String,
    /// Path or URL it was asked for by.
    pub source: String,
    /// Branch; empty on a tag build.
    pub branch: String,
    /// Tag; empty on a branch build.
    pub tag: String,
    /// Full commit id.
    pub revision: String,
    /// First line of the commit message.
    pub subject: String,
    /// What to run; `None` when the config has errors.
    pub plan: Option<Plan>,
    /// JSON list of problems: errors, or warnings beside a plan.
    pub problems: String,
    /// The watch that found it; it makes one pipeline of a commit, however often it asks.
    pub watch: Option<WatchId>,
}

/// What came of a command.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum Reply {
    /// A pipeline was made or changed.
    Pipeline {
        /// Which.
        pipeline: PipelineId,
        /// The pass a rerun made.
        workflow: Option<WorkflowId>,
    },
    /// A node was changed.
    Node {
        /// Which.
        node: NodeId,
        /// Its name.
        name: String,
    },
    /// A watched repository was changed.
    Watch {
        /// Which.
        watch: WatchId,
    },
    /// So many things were forgotten.
    Forgotten {
        /// How many.
        count: u64,
    },
    /// A project was changed.
    Project {
        /// Its name now.
        title: String,
        /// Pipelines that were removed with it.
        pipelines: u64,
        /// Runs that were.
        runs: u64,
    },
    /// The settings were changed, or staged.
    Settings {
        /// The newest version.
        version: u64,
        /// What it changed, when this made it.
        keys: Vec<String>,
    },
    /// A token was made or revoked.
    Token {
        /// Which.
        id: String,
        /// What it is called.
        name: String,
    },
    /// A VM was asked for, lent or ended.
    Vm {
        /// Which.
        vm: VmId,
    },
    /// It is in the audit log.
    Noted,
    /// The installation is so now.
    Installation {
        /// Its state.
        phase: Phase,
        /// Since when.
        since: Timestamp,
        /// By whom.
        by: String,
    },
}

/// An audit row in the making.
#[derive(Clone, Debug)]
pub(super) struct Deed {
    pub at: Timestamp,
    pub actor: Actor,
    pub action: &'static str,
    pub object: String,
    pub detail: String,
    /// Why it came to nothing, where that was known beforehand.
    pub failure: Option<String>,
}
