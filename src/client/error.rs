//! Why a call failed.

use std::error::Error;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::api::ProblemBody;
use crate::error::{Explain, Kind};

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody listens on the socket.
    #[error("no server answers on `{socket}`")]
    NoServer {
        /// The socket.
        socket: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// No answer in time; a write may have happened.
    #[error("the server on `{socket}` did not answer within {} s", limit.as_secs())]
    Timeout {
        /// The socket.
        socket: PathBuf,
        /// How long was waited.
        limit: Duration,
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

    /// Whether the server went away, so that a later server may answer.
    #[must_use]
    pub fn server_gone(&self) -> bool {
        match self {
            ClientError::NoServer { .. }
            | ClientError::Timeout { .. }
            | ClientError::Protocol { .. } => true,
            ClientError::Server { body, .. } => body.kind == Kind::Unavailable,
        }
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
            ClientError::NoServer { .. } | ClientError::Timeout { .. } => Kind::NoServer,
            ClientError::Server { body, .. } => body.kind,
            ClientError::Protocol { .. } => Kind::Unavailable,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            ClientError::NoServer { .. } => Some(
                "start one with `roundel serve`, or name another with --server or --data"
                    .to_owned(),
            ),
            ClientError::Server { body, .. } => body.hint.clone(),
            ClientError::Timeout { .. } | ClientError::Protocol { .. } => None,
        }
    }
}
