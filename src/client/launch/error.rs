//! Why no server could be reached or started.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::client::ClientError;
use crate::error::{Explain, Kind};

/// Why no server could be reached or started.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// The address of a server is none that this version can reach.
    #[error("`{text}` is no server that can be reached")]
    Address {
        /// As it was written.
        text: String,
    },
    /// There is nowhere to keep data.
    #[error("there is no home directory to keep data in")]
    NoHome,
    /// The data directory cannot be used.
    #[error("the data directory `{path}` cannot be used")]
    Data {
        /// The directory, or the file in it.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The program could not be run.
    #[error("failed to start a server")]
    Spawn(#[source] io::Error),
    /// The server that was started ended at once.
    #[error("the server that was started for `{data}` ended at once:\n{tail}")]
    Died {
        /// The data directory.
        data: PathBuf,
        /// Its exit code; `None` when a signal ended it.
        code: Option<i32>,
        /// What it said last.
        tail: String,
    },
    /// The server that was started does not answer.
    #[error("the server that was started for `{data}` did not answer within {} s", limit.as_secs())]
    Slow {
        /// The data directory.
        data: PathBuf,
        /// How long was waited.
        limit: Duration,
        /// Where it writes what it does.
        log: PathBuf,
    },
    /// A server is there, or should be, and the conversation failed.
    #[error(transparent)]
    Client(ClientError),
}

impl Explain for LaunchError {
    fn kind(&self) -> Kind {
        match self {
            LaunchError::Address { .. } | LaunchError::NoHome => Kind::Usage,
            LaunchError::Data { .. } | LaunchError::Spawn(_) => Kind::Infrastructure,
            // It said why by the table of exit codes.
            LaunchError::Died { code, .. } => match code {
                Some(2) => Kind::Usage,
                Some(4) => Kind::Conflict,
                Some(5) => Kind::Refused,
                _ => Kind::Infrastructure,
            },
            LaunchError::Slow { .. } => Kind::NoServer,
            LaunchError::Client(err) => err.kind(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            LaunchError::Address { .. } => Some("give the path of its socket, as /run/roundel/socket, or https://HOST".to_owned()),
            LaunchError::NoHome => Some("name a data directory with --data".to_owned()),
            LaunchError::Data { source, .. } => Some(
                match source.kind() {
                    io::ErrorKind::ReadOnlyFilesystem => {
                        "it is on a file system that is mounted read-only; choose another with --data"
                    }
                    io::ErrorKind::PermissionDenied => "choose a directory you may write, with --data",
                    io::ErrorKind::StorageFull => "free some space, or choose another directory with --data",
                    _ => "choose another directory with --data",
                }
                .to_owned(),
            ),
            LaunchError::Slow { log, .. } => Some(format!("its log is `{}`", log.display())),
            LaunchError::Spawn(_) | LaunchError::Died { .. } => None,
            LaunchError::Client(err) => err.hint(),
        }
    }
}
