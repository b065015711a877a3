//! Who may do what: roles, the form of tokens, and the limits on wrong tokens and passwords. Pure: values in, verdicts out.
//!
//! Knows nothing of where a token is kept or what it is sent over. A secret never leaves this module whole: what is
//! remembered of it is its hash.

mod fingerprint;
mod groups;
mod guesses;
mod throttle;
mod token;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use fingerprint::{Fingerprint, NoFingerprint};
pub use groups::{Roles, role_of};
pub use guesses::{Guess, Guesses};
pub use throttle::{Origin, Throttle};
pub use token::{Entry, Fresh, Hash, Refused, Tokens, Way, hash, parts};

/// What somebody may do; each role may do what those before it may.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads.
    #[default]
    Viewer,
    /// Builds, nodes and watched repositories too.
    Operator,
    /// Everything.
    Admin,
}

impl Role {
    /// All of them, least first.
    pub const ALL: [Role; 3] = [Role::Viewer, Role::Operator, Role::Admin];

    /// As it is written everywhere.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Role::Viewer => "viewer",
            Role::Operator => "operator",
            Role::Admin => "admin",
        }
    }
}

/// What names no role.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no role: viewer, operator or admin")]
pub struct NoRole(String);

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Role {
    type Err = NoRole;

    fn from_str(text: &str) -> Result<Self, NoRole> {
        let mut all = Role::ALL.into_iter();
        all.find(|role| role.word() == text)
            .ok_or_else(|| NoRole(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_may_what_those_before_it_may_and_is_read_back_from_its_word() {
        assert!(Role::Viewer < Role::Operator && Role::Operator < Role::Admin);
        for role in Role::ALL {
            assert_eq!(role.word().parse(), Ok(role));
        }
        assert!("root".parse::<Role>().is_err());
    }
}
