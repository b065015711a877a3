//! Wire types of a comparison of two builds.

use serde::{Deserialize, Serialize};

use super::builds::{PipelineRow, Status};
use crate::clock::Timestamp;

/// Query of `GET /compare/{ref}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CompareQuery {
    /// The build to compare with; empty = the last earlier one of the same project, branch and workflow that ended green.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub with: String,
}

/// `GET /compare/{ref}`: what a build did differently from another, earlier one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Comparison {
    /// The build.
    pub build: PipelineRow,
    /// The one it is compared with; `None` when there is none.
    pub with: Option<PipelineRow>,
    /// Which one that is, or why there is none, in words: `the last green build of main before it`.
    pub which: String,
    /// What lies between their commits.
    pub commits: Commits,
    /// Lines that differ in what their configs compiled to; empty when nothing does.
    pub config: Vec<ConfigLine>,
    /// Such lines left out of `config`.
    pub config_cut: u64,
    /// The jobs of both, those that differ first.
    pub jobs: Vec<JobChange>,
    /// Order of the newest change this answer includes.
    pub seq: i64,
}

/// The commits between two builds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commits {
    /// Commits that only the build has, newest first, 50 at most.
    pub rows: Vec<Commit>,
    /// Number of them.
    pub total: u64,
    /// Number of commits that only the other one has.
    pub missing: u64,
    /// Why nothing can be said of them, if so.
    pub unknown: String,
}

/// A commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// Full id.
    pub id: String,
    /// Name of its author.
    pub author: String,
    /// When it was committed.
    pub at: Timestamp,
    /// First line of its message.
    pub subject: String,
}

/// A line of what a config compiled to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigLine {
    /// `+` only in the build, `-` only in the other one, blank for one that says where.
    pub sign: char,
    /// The line.
    pub text: String,
}

/// A job in both builds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobChange {
    /// Name of its workflow.
    pub workflow: String,
    /// Its name.
    pub name: String,
    /// How it went in the other one; `None` when it was not there.
    pub then: Option<JobSide>,
    /// How it went in the build; `None` when it is not there.
    pub now: Option<JobSide>,
    /// What differs, in words; empty when nothing does.
    pub changes: Vec<String>,
}

/// How a job went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobSide {
    /// Id.
    pub job: String,
    /// Status.
    pub status: Status,
    /// How long it ran, in ms, once it ended.
    pub took_ms: Option<u64>,
    /// Nodes it ran on.
    pub nodes: Vec<String>,
    /// Why it ended so, in words; may be empty.
    pub cause: String,
}
