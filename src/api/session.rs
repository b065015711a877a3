//! Wire types of console sessions: whether they may write.

use serde::{Deserialize, Serialize};

use crate::access::Role;
use crate::clock::Timestamp;

/// Header that names the console session a request comes from. Verbs carry none: they are an intent by themselves.
pub const HEADER: &str = "x-roundel-session";

/// Header of a session that asked to be held back even where it could write.
pub const READ_ONLY: &str = "x-roundel-read-only";

/// Longest time a session is armed for, in seconds.
pub const MAX_S: u64 = 8 * 3600;

/// Longest reason, in characters.
pub const REASON_MAX: usize = 200;

/// `GET /session`: how the session that asks stands.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Session {
    /// Its writes are taken without its being armed: it is the server's own account that speaks.
    pub owner: bool,
    /// It is armed until then.
    pub armed_until: Option<Timestamp>,
    /// Why it was armed.
    pub reason: String,
    /// Who asks, as the audit log has it.
    #[serde(default)]
    pub who: String,
    /// What they may do.
    #[serde(default = "everything")]
    pub role: Role,
}

/// What a server allowed that did not know roles.
fn everything() -> Role {
    Role::Admin
}

/// `POST /session`: lets the session that asks write for a while.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Arm {
    /// For how long; 0 takes it back.
    pub seconds: u64,
    /// Why: goes into the audit log.
    #[serde(default)]
    pub reason: String,
}
