//! What errors have in common: kinds, the one table to exit codes, the one printer of cause chains.
//!
//! Each module has its own error enum beside its code; this module knows none of them.

use std::error::Error;
use std::fmt;

use serde::{Deserialize, Serialize};

/// What sort of failure it is, whoever reports it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The words of the command or the config file are wrong.
    Usage,
    /// The thing asked for is not there.
    NotFound,
    /// The thing is in a state that does not allow it, or a name means several things.
    Conflict,
    /// The one who asks may not.
    Refused,
    /// It is not known who asks: no token, or one that does not open.
    SignIn,
    /// Asked wrongly too often; the same call may go through later.
    Throttled,
    /// The service cannot do it now; the same call may go through later.
    Unavailable,
    /// Nothing here can run it, or the ground under it gave way (disk, agent, engine).
    Infrastructure,
    /// No server answers.
    NoServer,
    /// A fault of Roundel itself.
    Internal,
}

impl Kind {
    /// The exit code of a verb that ends with this kind; the table of the command line reference.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Kind::Usage => 2,
            Kind::Infrastructure | Kind::Unavailable | Kind::Internal => 3,
            Kind::NotFound | Kind::Conflict => 4,
            Kind::Refused | Kind::SignIn | Kind::Throttled => 5,
            Kind::NoServer => 6,
        }
    }

    /// The HTTP status that carries this kind.
    #[must_use]
    pub fn http_status(self) -> u16 {
        match self {
            Kind::Usage => 422,
            Kind::NotFound => 404,
            Kind::Conflict => 409,
            Kind::SignIn => 401,
            Kind::Refused => 403,
            Kind::Throttled => 429,
            Kind::Unavailable | Kind::NoServer => 503,
            // What failed is beyond the server: a remote, a directory, an engine.
            Kind::Infrastructure => 502,
            Kind::Internal => 500,
        }
    }
}

/// An error that can say what sort it is and what to do about it.
pub trait Explain: Error {
    /// What sort of failure it is.
    fn kind(&self) -> Kind;

    /// Whether the same call may succeed later, unchanged.
    fn retryable(&self) -> bool {
        matches!(self.kind(), Kind::Unavailable | Kind::NoServer)
    }

    /// A word for programs, where the kind says too little; mostly none.
    fn code(&self) -> &'static str {
        ""
    }

    /// What the person can do, as a full sentence without a final period.
    fn hint(&self) -> Option<String> {
        None
    }
}

/// What an error's causes say, the nearest first. One that only repeats the one above it (as the numbered codes of
/// libraries do: `Error code 13: disk is full`) is left out.
#[must_use]
pub fn causes(err: &dyn Error) -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    let mut cause = err.source();
    while let Some(err) = cause {
        let text = err.to_string();
        if texts
            .last()
            .is_none_or(|above| !text.ends_with(above.as_str()))
        {
            texts.push(text);
        }
        cause = err.source();
    }
    texts
}

/// Prints an error and its causes as `a: b: c`.
#[derive(Clone, Copy)]
pub struct Chain<'a>(pub &'a dyn Error);

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        causes(self.0)
            .iter()
            .try_for_each(|cause| write!(f, ": {cause}"))
    }
}

impl fmt::Debug for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("failed to read `{path}`")]
    struct Read {
        path: &'static str,
        #[source]
        source: std::io::Error,
    }

    #[test]
    fn a_chain_names_each_cause_once() {
        let err = Read {
            path: "a.toml",
            source: std::io::Error::other("disk gone"),
        };
        assert_eq!(
            Chain(&err).to_string(),
            "failed to read `a.toml`: disk gone"
        );
    }

    #[test]
    fn the_exit_codes_are_the_documented_ones() {
        let codes = [
            Kind::Usage,
            Kind::Infrastructure,
            Kind::NotFound,
            Kind::Refused,
            Kind::NoServer,
        ]
        .map(Kind::exit_code);
        assert_eq!(codes, [2, 3, 4, 5, 6]);
    }
}
