//! Version control through the `git` program: which repository, which revision, and what its config says.
//!
//! Every call blocks and is bounded in time and output. What comes from a repository is data: names that begin with
//! `-` never reach git as an argument, helpers and hooks of a repository are not run, and messages are made inert.

mod git;
mod log;
mod mirror;
mod source;
mod tips;

use std::io;
use std::path::PathBuf;

use crate::error::{Explain, Kind};

pub use git::{Network, trust, version};
pub use log::{Between, Commit, between};
pub use mirror::{Revision, bring_back, fetch, read_file};
pub use source::{Place, Source, is_local, locate};
pub use tips::{Tips, bring, commits_since, tips};

/// What git could not do for us.
#[derive(Debug, thiserror::Error)]
pub enum VcsError {
    /// Refused before git saw it.
    #[error("`{what}` is refused as a repository: {why}")]
    Refused {
        /// What was asked for.
        what: String,
        /// Why it is refused.
        why: &'static str,
    },
    /// No such path.
    #[error("there is no `{}`", path.display())]
    NoPath {
        /// The path.
        path: PathBuf,
    },
    /// Not a repository.
    #[error("`{}` is not in a git repository", path.display())]
    NotARepository {
        /// The path.
        path: PathBuf,
    },
    /// Nothing committed.
    #[error("`{what}` has no commit yet")]
    NoCommit {
        /// The repository.
        what: String,
    },
    /// No such branch.
    #[error("`{what}` has no branch `{branch}`")]
    NoBranch {
        /// The repository.
        what: String,
        /// The branch asked for.
        branch: String,
        /// Some branches it has.
        known: Vec<String>,
    },
    /// The program is missing or cannot run.
    #[error("git cannot be run")]
    NoGit(#[source] io::Error),
    /// It took too long.
    #[error("git did not end within {seconds} s while it was to {what}")]
    Late {
        /// What it was to do.
        what: &'static str,
        /// The limit.
        seconds: u64,
    },
    /// A branch that cannot be.
    #[error("`{name}` is not a name that a branch can have")]
    BranchName {
        /// As it was asked for, made inert.
        name: String,
    },
    /// More than is taken.
    #[error("{what} is longer than {max} bytes")]
    TooLong {
        /// The file, or git's answer.
        what: String,
        /// The limit.
        max: usize,
    },
    /// The remote could not be asked.
    #[error("failed to fetch from `{remote}`: git says: {said}")]
    Remote {
        /// The remote, without the name and password that its URL may hold.
        remote: String,
        /// Git's own words, made inert and cut.
        said: String,
    },
    /// It said no.
    #[error("git failed to {what}: {said}")]
    Failed {
        /// What it was to do.
        what: &'static str,
        /// Its own words, made inert and cut.
        said: String,
    },
    /// The mirror cannot be made or written.
    #[error("failed to keep a mirror in `{}`", path.display())]
    Mirror {
        /// Its path.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl Explain for VcsError {
    fn kind(&self) -> Kind {
        match self {
            VcsError::Refused { .. }
            | VcsError::BranchName { .. }
            | VcsError::TooLong { .. }
            | VcsError::NotARepository { .. }
            | VcsError::NoCommit { .. } => Kind::Usage,
            VcsError::NoPath { .. } | VcsError::NoBranch { .. } => Kind::NotFound,
            VcsError::Mirror { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                Kind::Unavailable
            }
            VcsError::NoGit(_)
            | VcsError::Late { .. }
            | VcsError::Failed { .. }
            | VcsError::Remote { .. }
            | VcsError::Mirror { .. } => Kind::Infrastructure,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            VcsError::Refused { .. } => Some("give a path, or an https, ssh, git or file URL".to_owned()),
            VcsError::BranchName { .. } => Some("name a branch as `git branch` lists it".to_owned()),
            VcsError::NotARepository { .. } => {
                Some("builds run what is committed: `git init`, commit, and try again".to_owned())
            }
            VcsError::NoCommit { .. } => Some("commit something first".to_owned()),
            VcsError::NoBranch { known, .. } if !known.is_empty() => Some(format!("it has {}", known.join(", "))),
            VcsError::Remote { .. } => Some(
                "check the URL, and that the account the server runs as can fetch it: `git ls-remote` with that URL"
                    .to_owned(),
            ),
            VcsError::NoGit(_) => Some("install git where the server can find it".to_owned()),
            VcsError::Failed { said, .. } if said.contains("dubious ownership") => {
                Some(
                    "it belongs to another account than the server's: where whoever can write to it is trusted with that, \
                     `git config --system --add safe.directory PATH`; else run the server as its owner"
                        .to_owned(),
                )
            }
            _ => None,
        }
    }
}
