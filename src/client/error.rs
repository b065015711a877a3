//! Why a call failed.

use std::error::Error;
use std::io;
use std::time::Duration;

use super::launch::SYSTEM_SOCKET;
use crate::access::Fingerprint;
use crate::api::{ProblemBody, secrets};
use crate::error::{Explain, Kind};

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody listens on the socket.
    #[error("{}", nobody(server, source))]
    NoServer {
        /// Its socket, or its address.
        server: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// No answer in time; a write may have happened.
    #[error("the server on `{server}` did not answer within {} s", limit.as_secs())]
    Timeout {
        /// Its socket, or its address.
        server: String,
        /// How long was waited.
        limit: Duration,
    },
    /// The certificate of the server is not the one that it is known by, or it is not known.
    #[error("{}", stranger(server, *known, *seen))]
    Certificate {
        /// Its address.
        server: String,
        /// What it is known by.
        known: Option<Fingerprint>,
        /// What it showed.
        seen: Fingerprint,
    },
    /// The server answered that it failed, and why.
    #[error("{}", sentence(body))]
    Server {
        /// HTTP status.
        status: u16,
        /// What it said.
        body: Box<ProblemBody>,
    },
    /// The connection broke, or what came is not of this API.
    #[error("the conversation with the server broke: {what}")]
    Protocol {
        /// What went wrong.
        what: &'static str,
        /// Why.
        #[source]
        source: Option<Box<dyn Error + Send + Sync>>,
    },
}

impl ClientError {
    pub(super) fn protocol(what: &'static str) -> Self {
        ClientError::Protocol { what, source: None }
    }

    /// Whether the secrets of the server are locked.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        matches!(self, ClientError::Server { body, .. } if body.code == secrets::LOCKED)
    }

    /// Whether the server went away, so that a later server may answer.
    #[must_use]
    pub fn server_gone(&self) -> bool {
        match self {
            ClientError::NoServer { .. }
            | ClientError::Timeout { .. }
            | ClientError::Protocol { .. } => true,
            ClientError::Certificate { .. } => false,
            ClientError::Server { body, .. } => body.kind == Kind::Unavailable,
        }
    }
}

/// Whether there is a socket, and not for this account.
fn is_closed(why: &io::Error) -> bool {
    why.kind() == io::ErrorKind::PermissionDenied
}

fn nobody(server: &str, why: &io::Error) -> String {
    if is_closed(why) {
        format!("the socket `{server}` is not open to this account")
    } else {
        format!("no server answers on `{server}`")
    }
}

fn stranger(server: &str, known: Option<Fingerprint>, seen: Fingerprint) -> String {
    match known {
        None => format!("the certificate of `{server}` is not known: its fingerprint is {seen}"),
        Some(known) => format!(
            "the certificate of `{server}` is not the one that is known: known is {known}, now it is {seen}"
        ),
    }
}

/// The message and its causes in one line.
fn sentence(body: &ProblemBody) -> String {
    body.causes
        .iter()
        .fold(body.message.clone(), |text, cause| {
            format!("{text}: {cause}")
        })
}

impl Explain for ClientError {
    fn kind(&self) -> Kind {
        match self {
            ClientError::NoServer { source, .. } if is_closed(source) => Kind::Refused,
            ClientError::NoServer { .. } | ClientError::Timeout { .. } => Kind::NoServer,
            ClientError::Certificate { .. } => Kind::Refused,
            ClientError::Server { body, .. } => body.kind,
            ClientError::Protocol { .. } => Kind::Unavailable,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            ClientError::NoServer { source, .. } if is_closed(source) => Some(
                "it is its server's account's alone: run this as that account, or sign in by the network with `roundel login`"
                    .to_owned(),
            ),
            ClientError::NoServer { server, .. } if server == SYSTEM_SOCKET => Some(
                "`systemctl start roundel` starts it; --data names another installation".to_owned(),
            ),
            ClientError::NoServer { .. } => Some(
                "start one with `roundel serve`, or name another with --server or --data"
                    .to_owned(),
            ),
            ClientError::Certificate {
                server,
                known: None,
                seen,
            } => Some(format!(
                "compare it with what `roundel services` shows there, then: `roundel login --server https://{server} --fingerprint {seen}`"
            )),
            ClientError::Certificate { server, .. } => Some(format!(
                "somebody may stand between you and the server; if its certificate was replaced, ask its administrator for the new fingerprint and say `roundel login --server https://{server} --fingerprint sha256:...`"
            )),
            ClientError::Server { body, .. } => body.hint.clone(),
            ClientError::Timeout { .. } | ClientError::Protocol { .. } => None,
        }
    }
}
