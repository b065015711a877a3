//! Why a command was not carried out, in words and as a kind.

use crate::access::Role;
use crate::error::{Explain, Kind};
use crate::settings::check::Finding;
use crate::storage::seal::SealError;
use crate::store::StoreError;

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// There is no such thing.
    #[error("there is no {what} `{name}`")]
    NotFound {
        /// Kind of thing.
        what: &'static str,
        /// As it was asked for.
        name: String,
    },
    /// Its state does not allow it.
    #[error("{what} `{name}` {why}")]
    Conflict {
        /// Kind of thing.
        what: &'static str,
        /// Which.
        name: String,
        /// What stands against it.
        why: String,
    },
    /// The values of settings cannot be so.
    #[error("the settings have {} errors or warnings", findings.len())]
    Settings {
        /// All that is wrong.
        findings: Vec<Finding>,
    },
    /// The one who asks may not.
    #[error("{what} needs the role {needs}, and {who} has {has}")]
    Role {
        /// Who asked.
        who: String,
        /// Their role.
        has: Role,
        /// What they asked for.
        what: String,
        /// The least role for it.
        needs: Role,
    },
    /// A secret cannot be sealed now.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The store takes no writes.
    #[error("the server is read-only: {why}")]
    ReadOnly {
        /// Why.
        why: String,
    },
    /// The engine has ended.
    #[error("the server is shutting down")]
    ShuttingDown,
    /// The store failed otherwise.
    #[error("the store failed")]
    Store(#[source] StoreError),
}

impl Explain for CommandError {
    fn code(&self) -> &'static str {
        match self {
            CommandError::Seal(err) => err.code(),
            _ => "",
        }
    }

    fn kind(&self) -> Kind {
        match self {
            CommandError::NotFound { .. } => Kind::NotFound,
            CommandError::Conflict { .. } => Kind::Conflict,
            CommandError::Role { .. } => Kind::Refused,
            CommandError::Settings { .. } => Kind::Usage,
            CommandError::Seal(err) => err.kind(),
            CommandError::ReadOnly { .. } | CommandError::ShuttingDown => Kind::Unavailable,
            CommandError::Store(err) => err.kind(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            CommandError::ReadOnly { .. } => {
                Some("free some space on the data directory's file system; nothing is lost, and it goes on by itself".to_owned())
            }
            CommandError::Role { needs, .. } => {
                Some(format!("an administrator makes such a token: `roundel token create NAME --role {needs}`"))
            }
            CommandError::Store(err) => err.hint(),
            CommandError::Seal(err) => err.hint(),
            _ => None,
        }
    }
}

impl From<StoreError> for CommandError {
    fn from(err: StoreError) -> Self {
        CommandError::Store(err)
    }
}
