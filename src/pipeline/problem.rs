//! A problem of a config file: where, what, and what to do about it.
//!
//! Knows nothing of how it is printed.

use serde::{Deserialize, Serialize};

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Nothing is built.
    Error,
    /// Said, and built all the same.
    Warning,
}

/// One problem. `line` and `column` count from 1, columns in characters.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Problem {
    /// Error or warning.
    pub severity: Severity,
    /// Name of the file.
    pub file: String,
    /// Line, from 1; 0 when the problem has no place.
    pub line: u32,
    /// Column in characters, from 1; 0 when the problem has no place.
    pub column: u32,
    /// Last line of the span (for editors); equal to `line` for a point.
    pub end_line: u32,
    /// Column after the span.
    pub end_column: u32,
    /// Path of the key, as `jobs.build.steps[1].run`; empty for the whole file.
    pub key: String,
    /// A lowercase fragment that names the object.
    pub message: String,
    /// One hint: the nearest known name, or what to write instead.
    #[serde(default)]
    pub hint: Option<String>,
}

impl std::fmt::Display for Problem {
    /// `file:line:column: error: message [key]`, without the hint.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let word = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        write!(
            f,
            "{}:{}:{}: {word}: {}",
            self.file, self.line, self.column, self.message
        )?;
        if self.key.is_empty() {
            Ok(())
        } else {
            write!(f, " [{}]", self.key)
        }
    }
}
