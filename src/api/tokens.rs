//! Wire types of tokens.

use serde::{Deserialize, Serialize};

pub use crate::access::Role;
use crate::clock::Timestamp;
use crate::secret::Secret;

/// `POST /tokens`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MakeToken {
    /// What it is called: whose it is, or what it is for. 1 to 64 characters.
    pub name: String,
    /// What it may do.
    #[serde(default)]
    pub role: Role,
    /// Seconds until it ends; `None` for never.
    #[serde(default)]
    pub expires_s: Option<u64>,
}

/// The answer to it: the only time that the token itself is told.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewToken {
    /// What names it.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// The token itself.
    #[serde(serialize_with = "Secret::reveal")]
    pub token: Secret,
}

/// A token in the list.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TokenRow {
    /// What names it.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it.
    pub by: String,
    /// When it ends or ended.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// Whether it opens.
    pub valid: bool,
}

/// A token that was revoked.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TokenRef {
    /// What names it.
    pub id: String,
    /// What it is called.
    pub name: String,
}
