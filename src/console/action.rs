//! What the console wants done: the only way from its state to the world. The runner performs them, nobody else.
//!
//! Plain data. A [`Want`] is a window of what is on the screen; a [`Write`] changes something and has passed a
//! confirmation where it destroys.

use roundel::api::builds::LogQuery;
use roundel::api::fleet::SetDrain;
use roundel::api::{Change, ListQuery, Topic};
use roundel::sanitise::shell_word;

mod settings;

pub use settings::{Edits, SelfSigned, SettingsWrite, TryOut};

/// What to do.
#[derive(Clone, PartialEq, Debug)]
pub enum Action {
    /// Read a window for a place of the screen; a later one for the same slot replaces it.
    Fetch(Slot, Want),
    /// The same because something changed, not because somebody asked: it may wait a moment for more changes.
    Refresh(Slot, Want),
    /// Change something.
    Write(Write),
    /// Connect at once instead of waiting for the next try.
    Reconnect,
    /// Start a server on this data directory.
    StartServer,
    /// See whether a path, or the present directory, is a repository to build.
    LookAt(Option<String>),
    /// Write something to a file.
    Save(Save),
    /// Put values of settings to their test before they are saved.
    Try(TryOut),
    /// Read a file of this machine as the text of a setting.
    Load {
        /// Key of the setting.
        key: String,
        /// Path; `~/` is the home of whoever runs the console.
        path: String,
    },
    /// Have the server fetch what a host shows.
    FetchChain(String),
    /// Make a certificate that signs itself, for these names.
    SelfSign(String),
    /// Complete a path that is being typed.
    Complete(String),
    /// Put a text on the clipboard of the terminal.
    Copy(String),
    /// Take the mouse, or leave it to the terminal.
    Mouse(bool),
    /// Take another theme.
    Theme(String),
    /// Hand the terminal back to the shell until resumed.
    Suspend,
    /// Lend the terminal to a program until it ends.
    Lend(Errand),
    /// Draw every cell anew.
    Redraw,
    /// End the console.
    Quit,
    /// Panic, to test that the terminal is restored.
    #[cfg(feature = "fault-injection")]
    Panic,
}

/// What the terminal is lent for.
#[derive(Clone, PartialEq, Debug)]
pub enum Errand {
    /// A shell.
    Shell,
    /// A command of the shell.
    Run(String),
    /// To read a text in an editor.
    Edit(String),
}

/// Something that is to be written to a file.
#[derive(Clone, PartialEq, Debug)]
pub struct Save {
    /// Where; `~/` is the home of whoever runs the console.
    pub path: String,
    /// What.
    pub what: Kept,
    /// What is there already goes away: somebody was asked.
    pub replace: bool,
}

/// What is written to a file.
#[derive(Clone, PartialEq, Debug)]
pub enum Kept {
    /// The frame on the screen, with its locator and the time.
    View,
    /// This text.
    Text(String),
    /// A whole log, byte for byte.
    Log(WholeLog),
}

/// A log that is written to a file as `roundel logs --raw` prints it.
#[derive(Clone, PartialEq, Debug)]
pub struct WholeLog {
    /// The attempts, one after the other.
    pub attempts: Vec<String>,
    /// Index of the step; `None` = the Build Agent's own log.
    pub step: Option<u16>,
    /// `out` or `err`; both when absent.
    pub stream: Option<String>,
    /// A name for the file, without an ending.
    pub name: String,
    /// The command that prints the same.
    pub command: String,
}

/// A place of the screen that holds one window.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Slot {
    /// The table of the screen.
    Rows,
    /// The panel below it, or what the whole screen is about.
    Detail,
    /// The run whose steps are shown.
    Run,
    /// The log.
    Log,
    /// What a search found in the log.
    Search,
    /// Names of nodes for what is being typed.
    NodeNames,
    /// Names of builds.
    BuildNames,
    /// Names of runs.
    RunNames,
    /// Builds that are watched for their end; no screen's.
    News,
}

/// A window.
#[derive(Clone, PartialEq, Debug)]
pub enum Want {
    /// Of the runs.
    Runs(ListQuery),
    /// One run, by attempt, fleet name or prefix.
    Run(String),
    /// Of the pipelines.
    Pipelines(ListQuery),
    /// One pipeline, by id, prefix or `project#number`.
    Pipeline(String),
    /// What a build did differently.
    Compare {
        /// The build.
        id: String,
        /// The one to compare with; empty = the last green one.
        with: String,
    },
    /// Of the nodes.
    Nodes(ListQuery),
    /// One node, by id, name or prefix.
    Node(String),
    /// Whether the installation is well.
    Dashboard,
    /// Of the audit log.
    Audit(ListQuery),
    /// Every setting, with what is wrong.
    Settings,
    /// What a save of the settings would change.
    SettingsDiff,
    /// The versions of the settings.
    SettingsVersions,
    /// Of a log.
    Lines {
        /// Which.
        of: Source,
        /// Which lines.
        query: LogQuery,
    },
    /// Lines of a log that hold something.
    Matches {
        /// Which.
        of: Source,
        /// What and from where.
        query: LogQuery,
    },
}

/// A log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Source {
    /// Of a step of a run.
    Step {
        /// The run's attempt.
        attempt: String,
        /// Index of the step.
        step: u16,
    },
    /// A Build Agent's own.
    Agent {
        /// The run's attempt.
        attempt: String,
    },
    /// Of a step of all parallel runs of a job, by time.
    Together {
        /// The job.
        job: String,
        /// Index of the step.
        step: u16,
    },
}

impl Source {
    /// The attempt, where it is the log of one.
    #[must_use]
    pub fn attempt(&self) -> Option<&str> {
        match self {
            Source::Step { attempt, .. } | Source::Agent { attempt } => Some(attempt),
            Source::Together { .. } => None,
        }
    }

    /// The step, where it is the log of one.
    #[must_use]
    pub fn step(&self) -> Option<u16> {
        match self {
            Source::Step { step, .. } | Source::Together { step, .. } => Some(*step),
            Source::Agent { .. } => None,
        }
    }
}

impl Want {
    /// Whether a change may have made its answer stale.
    #[must_use]
    pub fn stale_by(&self, change: &Change) -> bool {
        match self {
            Want::Runs(_) | Want::Node(_) => matches!(change.topic, Topic::Runs | Topic::Nodes),
            Want::Nodes(_) => matches!(change.topic, Topic::Nodes | Topic::Runs),
            Want::Pipelines(_) | Want::Pipeline(_) => {
                matches!(change.topic, Topic::Builds | Topic::Runs)
            }
            Want::Dashboard => true,
            Want::Audit(_) => change.topic == Topic::Audit,
            Want::Settings | Want::SettingsDiff | Want::SettingsVersions => {
                change.topic == Topic::Settings
            }
            // Why a run waits depends on all others and on the nodes.
            Want::Run(_) => matches!(change.topic, Topic::Runs | Topic::Nodes),
            // Changes of runs are told by attempt; that of a log of several may be any.
            Want::Lines { of, .. } => {
                change.topic == Topic::Runs
                    && (change.ids.is_empty()
                        || of
                            .attempt()
                            .is_none_or(|attempt| change.ids.iter().any(|id| id == attempt)))
            }
            // Costly to make, and only as new as the build itself.
            Want::Compare { id, .. } => change.topic == Topic::Builds && change.ids.contains(id),
            Want::Matches { .. } => false,
        }
    }
}

/// A change of something, with all that is needed to do it.
#[derive(Clone, PartialEq, Debug)]
pub enum Write {
    /// Drain on or off.
    Drain {
        /// Name of the node.
        node: String,
        /// On or off, and the deadline.
        set: SetDrain,
    },
    /// Takes new work, or not.
    Eligibility {
        /// Name of the node.
        node: String,
        /// Takes new work.
        eligible: bool,
    },
    /// Stop one run.
    StopRun {
        /// The attempt.
        attempt: String,
        /// Fleet name, for people.
        name: String,
    },
    /// Cancel a pipeline.
    Cancel {
        /// The pipeline.
        pipeline: String,
        /// `org/api #12`, for people.
        name: String,
    },
    /// Run a workflow again.
    Rerun {
        /// The workflow, or the pipeline when it has one only.
        id: String,
        /// `org/api #12`, for people.
        name: String,
        /// Keep what succeeded.
        from_failed: bool,
    },
    /// Approve a job that waits for it.
    Approve {
        /// The job, or the pipeline when only one of its jobs waits.
        id: String,
        /// `hold of org/api #12`, for people.
        name: String,
    },
    /// Let this console write for a while; no time at all takes that back.
    Arm {
        /// For how long.
        seconds: u64,
        /// Why.
        reason: String,
    },
    /// The installation takes no new work, or takes it again.
    Services {
        /// Takes it.
        start: bool,
    },
    /// Build a repository.
    Build {
        /// Path or URL.
        source: String,
    },
    /// Change the settings.
    Settings(SettingsWrite),
}

impl Write {
    /// Whether it is what a console may do that may do nothing else.
    #[must_use]
    pub fn arms(&self) -> bool {
        matches!(self, Write::Arm { .. })
    }

    /// The command of a shell that does the same.
    #[must_use]
    pub fn command(&self) -> String {
        match self {
            Write::Drain { node, set } => match (set.enable, set.deadline_s) {
                (false, _) => format!("roundel node-drain -disable {node}"),
                (true, None) => format!("roundel node-drain -enable {node}"),
                (true, Some(0)) => format!("roundel node-drain -enable -deadline 0 {node}"),
                (true, Some(s)) => format!(
                    "roundel node-drain -enable -deadline {} {node}",
                    deadline(s)
                ),
            },
            Write::Eligibility { node, eligible } => {
                format!(
                    "roundel node-eligibility -{} {node}",
                    if *eligible { "enable" } else { "disable" }
                )
            }
            Write::Services { start: true } => "roundel services start".to_owned(),
            Write::Services { start: false } => "roundel services stop -yes".to_owned(),
            Write::StopRun { name, .. } => format!("roundel stop {name}"),
            Write::Approve { id, .. } => format!("roundel approve {id}"),
            Write::Cancel { pipeline, .. } => format!("roundel cancel {pipeline}"),
            Write::Rerun {
                id, from_failed, ..
            } => {
                format!(
                    "roundel rerun {}{id}",
                    if *from_failed { "--from-failed " } else { "" }
                )
            }
            // Only a console is armed: there is no command of a shell for it.
            Write::Arm { seconds: 0, .. } => ":disarm".to_owned(),
            Write::Arm { seconds, reason } => format!(":arm {} {reason}", deadline(*seconds)),
            Write::Build { source } => format!("roundel build {}", shell_word(source)),
            Write::Settings(write) => write.command(),
        }
    }
}

/// Writes seconds as a deadline of the command line: `12m`, `1h`, `90s`.
#[must_use]
pub fn deadline(seconds: u64) -> String {
    match seconds {
        s if s > 0 && s % 3600 == 0 => format!("{}h", s / 3600),
        s if s > 0 && s % 60 == 0 => format!("{}m", s / 60),
        s => format!("{s}s"),
    }
}

/// Reads a deadline of the command line; a bare number is minutes.
#[must_use]
pub fn parse_deadline(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text.get(digits.len()..)? {
        "s" => 1,
        "" | "m" | "min" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests;
