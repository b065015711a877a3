//! Wire types of what keeps the secrets: how it stands, and the passphrase that opens them.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::secret::Secret;

/// Code of the answer to what needs a secret while they are locked.
pub const LOCKED: &str = "locked";

/// `GET /secrets`: what keeps the key of the secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretsStand {
    /// What keeps it.
    pub guard: Guard,
    /// The passphrase has not been given since the server started: what needs a secret waits.
    pub locked: bool,
}

/// What keeps the key of the secrets.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Guard {
    /// A file that the server's account alone can read.
    File,
    /// A passphrase.
    Passphrase,
    /// A credential of systemd.
    Credential,
}

impl fmt::Display for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Guard::File => "a file",
            Guard::Passphrase => "a passphrase",
            Guard::Credential => "a credential of systemd",
        })
    }
}

/// Body of `POST /secrets/unlock`, `/secrets/protect`, `/secrets/unprotect`, and of `POST /settings/export`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GivePassphrase {
    /// The passphrase.
    #[serde(serialize_with = "Secret::reveal")]
    pub passphrase: Secret,
}
