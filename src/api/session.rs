//! Wire types of sessions: signing in and out, and whether a console may write.

use serde::{Deserialize, Serialize};

pub use crate::access::{Role, Way};
use crate::clock::Timestamp;
use crate::secret::Secret;

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
    /// How a person signed in; `None` on the socket and with a token.
    #[serde(default)]
    pub way: Option<Way>,
    /// When the session or token ends by itself; `None` for never.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
}

/// What a server allowed that did not know roles.
fn everything() -> Role {
    Role::Admin
}

/// `POST /session/sign-in`: a name and a password. Taken by TLS and on the socket only.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SignIn {
    /// As the directory knows the person; empty for the password of the console.
    #[serde(default)]
    pub user: String,
    /// The password.
    #[serde(serialize_with = "Secret::reveal")]
    pub password: Secret,
}

/// The answer to it: the only time that the session's token is told.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SignedIn {
    /// What opens from now on, as any token does.
    #[serde(serialize_with = "Secret::reveal")]
    pub token: Secret,
    /// Who it is, as the audit log has it.
    pub who: String,
    /// What they may do.
    pub role: Role,
    /// When the session ends by itself.
    pub expires_at: Timestamp,
}

/// `POST /session/sign-out`: the session that asks is over.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SignedOut {
    /// Whose it was.
    pub who: String,
}

/// The last item of a stream of changes, `end`: whoever reads it may not go on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StreamEnd {
    /// Why.
    pub reason: String,
}

/// `GET /people`: somebody who has signed in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Person {
    /// Where they are known: `ldap`, `github`.
    pub kind: String,
    /// By which name.
    pub name: String,
    /// Their address; may be empty.
    pub email: String,
    /// When they first signed in.
    pub first_at: Timestamp,
    /// When they last did.
    pub last_at: Timestamp,
    /// Their open sessions.
    pub sessions: Vec<OpenSession>,
}

/// An open session of a person.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OpenSession {
    /// What names it.
    pub id: String,
    /// What it may do.
    pub role: Role,
    /// Where it was begun; empty on the server's machine.
    pub from: String,
    /// When.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// When its person was last found to be as they were.
    pub checked_at: Timestamp,
}

/// A person who is forgotten.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Forgotten {
    /// By which name they were known.
    pub name: String,
    /// Sessions that ended with it.
    pub sessions: u64,
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
