//! Why files of the machine cannot be looked at or written.

use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Explain, Kind};

/// Why files cannot be looked at or written.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// Something in the way that is not ours to move.
    #[error("`{}` {why}", path.display())]
    InTheWay {
        /// Which file.
        path: PathBuf,
        /// What it is.
        why: String,
        /// What to do.
        fix: &'static str,
    },
    /// It cannot be read or written.
    #[error("failed to {what} `{}`", path.display())]
    Io {
        /// What was to be done.
        what: &'static str,
        /// To which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// What was written before cannot be looked up.
    #[error("`{}` does not say which files were written", path.display())]
    Record {
        /// Where that is kept.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
}

impl Explain for FilesError {
    fn kind(&self) -> Kind {
        match self {
            FilesError::InTheWay { .. } => Kind::Conflict,
            FilesError::Io { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                Kind::Refused
            }
            FilesError::Io { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                Kind::NotFound
            }
            FilesError::Io { .. } | FilesError::Record { .. } => Kind::Infrastructure,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            FilesError::InTheWay { fix, .. } => Some((*fix).to_owned()),
            FilesError::Io { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                let fix = "the server writes them, as its own account: run it as root, or write below a directory that it may \
                           write (`--root DIR`) and copy from there";
                Some(fix.to_owned())
            }
            FilesError::Io { .. } => None,
            FilesError::Record { .. } => {
                Some("remove it: what was written is then taken for somebody else's".to_owned())
            }
        }
    }
}

/// Something in a file that only a person can set right.
pub(super) fn in_the_way(path: &Path, why: &str) -> FilesError {
    FilesError::InTheWay {
        path: path.to_owned(),
        why: why.to_owned(),
        fix: "set it right by hand, and render again",
    }
}
