//! What `doctor` found: checks of an installation and of the machine it is on, each with evidence and a fix.

use serde::{Deserialize, Serialize};

/// How a check came out.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// Something will not work as well as it could.
    Warning,
    /// Something does not work.
    Failed,
}

impl Verdict {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Ok => "ok",
            Verdict::Warning => "warning",
            Verdict::Failed => "failed",
        }
    }
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What was looked at.
    pub name: String,
    /// How it came out.
    pub verdict: Verdict,
    /// What was seen: the evidence.
    pub found: String,
    /// What to do about it; not where all is well.
    pub fix: Option<String>,
}

impl Check {
    /// All is well.
    #[must_use]
    pub fn ok(name: &str, found: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            verdict: Verdict::Ok,
            found: found.into(),
            fix: None,
        }
    }

    /// It will not work as well as it could.
    #[must_use]
    pub fn warning(name: &str, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Warning,
            fix: Some(fix.into()),
            ..Self::ok(name, found)
        }
    }

    /// It does not work.
    #[must_use]
    pub fn failed(name: &str, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Failed,
            ..Self::warning(name, found, fix)
        }
    }
}

/// All of them, in the order in which they are best read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Examination {
    /// The worst of the checks.
    pub verdict: Verdict,
    /// The data directory that was looked at.
    pub data: String,
    /// The checks.
    pub checks: Vec<Check>,
}
