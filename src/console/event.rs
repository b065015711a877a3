//! What can happen to the console: the one kind of item on its one channel. Their order is the order of everything.
//!
//! Plain data; knows nothing of where an event came from.

use roundel::api::builds::{LogLines, LogMatches, PipelineDetail, PipelineRow, RunDetail, RunRow};
use roundel::api::certificates::FetchedChain;
use roundel::api::compare::Comparison;
use roundel::api::dashboard::Dashboard;
use roundel::api::fleet::{NodeDetail, NodeRow};
use roundel::api::session::Session;
use roundel::api::settings::{DiffRow, Settings, VersionRow};
use roundel::api::trial::Step;
use roundel::api::{AuditRow, Change, Hello, LogAdvanced, Page, Summary};
use roundel::clock::Timestamp;
use roundel::error::Kind;
use roundel::pipeline::Problem;
use roundel::secret::Secret;
use roundel::settings::check::Finding;

use crate::console::action::{Save, SelfSigned, Slot, Want, Write};
use crate::console::chord::Chord;
use crate::console::spot::Pointer;

/// What happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// A key went down.
    Key(Chord),
    /// The mouse did something.
    Pointer(Pointer),
    /// Text was pasted.
    Paste(String),
    /// The terminal has this many columns and rows now.
    Resize(u16, u16),
    /// Time went on; sent before every other event and whenever a visible text changes by time alone.
    Tick(Timestamp),
    /// The connection to the server changed.
    Link(Link),
    /// The server said who it is.
    Hello(Box<Hello>),
    /// The hot counters.
    Summary(Box<Summary>),
    /// Whether this console may write.
    Session(Session),
    /// Something changed on the server.
    Change(Change),
    /// A log grew.
    LogAdvanced(LogAdvanced),
    /// Changes were missed: everything must be read anew.
    Reset,
    /// A window that was asked for, or why there is none.
    Answer(Slot, Want, Result<Box<Answer>, Failure>),
    /// A write went through (with a sentence that says what came of it), or did not.
    Written(Write, Result<Done, Failure>),
    /// A file was written (with a sentence that says so), or was not.
    Saved(Save, Result<Done, Failure>),
    /// Something came of a test of settings, by its number.
    Tried(u64, Tried),
    /// The text of a file for a setting, or why it cannot be had.
    Loaded {
        /// Key of the setting.
        key: String,
        /// The file.
        path: String,
        /// Its text.
        text: Result<Secret, Failure>,
    },
    /// What a path that is being typed could go on with.
    Completed {
        /// As far as it was typed.
        typed: String,
        /// The paths that begin so.
        paths: Vec<String>,
    },
    /// What a host shows.
    Fetched {
        /// The host, as it was typed.
        place: String,
        /// Its chain.
        chain: Result<FetchedChain, Failure>,
    },
    /// A certificate that signs itself.
    Made {
        /// Its names, as they were typed.
        names: String,
        /// The certificate.
        made: Result<SelfSigned, Failure>,
    },
    /// What stands at the path that was looked at.
    Found(Option<Repository>),
    /// The server that was to be started could not be.
    NotStarted(Failure),
    /// The console comes back from having been suspended.
    Resumed,
    /// A signal asks the console to end.
    Ended,
}

/// What comes of a test of settings.
#[derive(Clone, Debug)]
pub enum Tried {
    /// A step ended.
    Step(Step),
    /// The test is over, or broke for this reason.
    End(Option<Failure>),
}

/// How the console stands with its server.
#[derive(Clone, PartialEq, Debug)]
pub enum Link {
    /// Not connected yet.
    Connecting,
    /// The stream is open.
    Live,
    /// Lost; tried again at a moment.
    Lost {
        /// Since when.
        since: Timestamp,
        /// Next try.
        retry_at: Timestamp,
        /// Why, in words.
        why: String,
    },
    /// The server does not take any more who asks; tried again once somebody has signed in anew.
    SignedOut {
        /// Since when.
        since: Timestamp,
        /// Why, in words.
        why: String,
    },
    /// The person asked for a server; it is being started.
    Starting,
}

/// What a window held.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Of the runs.
    Runs(Page<RunRow>),
    /// One run.
    Run(RunDetail),
    /// Of the pipelines.
    Pipelines(Page<PipelineRow>),
    /// One pipeline.
    Pipeline(PipelineDetail),
    /// What a build did differently.
    Compare(Comparison),
    /// Of the nodes.
    Nodes(Page<NodeRow>),
    /// One node.
    Node(NodeDetail),
    /// Whether the installation is well.
    Dashboard(Dashboard),
    /// Of the audit log.
    Audit(Page<AuditRow>),
    /// Every setting.
    Settings(Settings),
    /// What versions of the settings differ in.
    SettingsDiff(Vec<DiffRow>),
    /// The versions of the settings.
    SettingsVersions(Vec<VersionRow>),
    /// Of a log.
    Lines(LogLines),
    /// Lines that hold a text.
    Matches(LogMatches),
}

/// Why something was not done.
#[derive(Clone, PartialEq, Debug)]
pub struct Failure {
    /// What sort of failure.
    pub kind: Kind,
    /// The error and its causes, on one line.
    pub text: String,
    /// What to do.
    pub hint: Option<String>,
    /// Problems of a config file, when it is about one.
    pub problems: Vec<Problem>,
    /// What is wrong with settings, when it is about them.
    pub findings: Vec<Finding>,
}

impl Failure {
    /// A failure in words alone.
    pub fn new(kind: Kind, text: impl Into<String>) -> Self {
        Self {
            kind,
            text: text.into(),
            hint: None,
            problems: Vec::new(),
            findings: Vec::new(),
        }
    }
}

/// What came of a write.
#[derive(Clone, PartialEq, Debug)]
pub struct Done {
    /// A sentence without a period.
    pub text: String,
    /// The pipeline it made, to go there.
    pub pipeline: Option<String>,
}

/// A git repository that could be built.
#[derive(Clone, PartialEq, Debug)]
pub struct Repository {
    /// Absolute path.
    pub path: String,
    /// Branch checked out; empty on a detached HEAD.
    pub branch: String,
    /// Short commit id.
    pub revision: String,
    /// Jobs and workflows of its config, or why it has none that can be built.
    pub config: Result<(usize, usize), String>,
}
