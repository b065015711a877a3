//! Why somebody is not signed in.

use std::time::Duration;

use super::directory::DirectoryError;
use crate::engine::command::CommandError;
use crate::error::{Explain, Kind};

/// Why somebody is not signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// Nothing of the kind is set up.
    #[error("nobody signs in so here")]
    Nowhere,
    /// No password was given; none is asked about.
    #[error("no password was given")]
    Empty,
    /// Nobody of that name, or another password: which of the two is not told.
    #[error("the name or the password is wrong")]
    Wrong,
    /// Wrong too often.
    #[error("too many failed sign-ins of that name, or from there")]
    Throttled(Duration),
    /// The directory knows them, and their groups may not come in.
    #[error("`{0}` is in no group that may sign in here")]
    NoGroup(String),
    /// The password of the console cannot be read now.
    #[error("the secrets of this installation are locked")]
    Locked,
    /// Too many others are being asked about.
    #[error("too many sign-ins are under way")]
    Busy,
    /// The directory did not answer in time.
    #[error("the directory did not answer within {} s", .0.as_secs())]
    Silent(Duration),
    /// The directory could not say.
    #[error("the directory could not be asked")]
    Directory(#[source] DirectoryError),
    /// The session could not be kept.
    #[error("the session could not be begun")]
    Engine(#[from] CommandError),
}

impl SignInError {
    /// How long to wait before the next try.
    #[must_use]
    pub fn wait(&self) -> Option<Duration> {
        match self {
            SignInError::Throttled(wait) => Some(*wait),
            SignInError::Busy => Some(Duration::from_secs(1)),
            _ => None,
        }
    }

    /// Whether somebody was refused, who is then in the audit log; else it is the server's or the directory's trouble.
    pub(super) fn is_refusal(&self) -> bool {
        matches!(
            self,
            SignInError::Nowhere
                | SignInError::Empty
                | SignInError::Wrong
                | SignInError::Throttled(_)
                | SignInError::NoGroup(_)
        )
    }
}

impl Explain for SignInError {
    fn kind(&self) -> Kind {
        match self {
            SignInError::Nowhere | SignInError::NoGroup(_) => Kind::Refused,
            SignInError::Empty => Kind::Usage,
            SignInError::Wrong => Kind::SignIn,
            SignInError::Throttled(_) => Kind::Throttled,
            SignInError::Locked
            | SignInError::Busy
            | SignInError::Silent(_)
            | SignInError::Directory(_) => Kind::Unavailable,
            SignInError::Engine(err) => err.kind(),
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            SignInError::Nowhere => {
                "an administrator sets up LDAP (`ldap.enabled`) or the password of the console, or makes a token: `roundel token create NAME`"
            }
            SignInError::Throttled(_) | SignInError::Busy => "wait, then sign in once more",
            SignInError::NoGroup(_) => {
                "an administrator adds a group of theirs to `ldap.viewer_groups`, `ldap.operator_groups` or `ldap.admin_groups`"
            }
            SignInError::Locked => "an administrator opens them: `roundel unlock`",
            SignInError::Silent(_) | SignInError::Directory(_) => {
                "an administrator finds out why: `roundel ldap test`"
            }
            SignInError::Engine(err) => return err.hint(),
            SignInError::Empty | SignInError::Wrong => return None,
        };
        Some(hint.to_owned())
    }
}
