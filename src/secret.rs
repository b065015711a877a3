//! A value that nobody may read by accident: it prints as nothing, and its memory is wiped when it goes.
//!
//! Knows what may be a project's variable, and nothing of where one is kept.

pub mod password;

use std::fmt;

use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Deserializer, Serializer};
use zeroize::Zeroizing;

use crate::error::{Explain, Kind};

/// Fewest characters: a shorter value is found everywhere in a log by chance, so that hiding it would hide the log.
pub const CHARS_MIN: usize = 4;

/// Most bytes: no key is longer, and each byte costs a Build Agent some dozens to look for.
pub const BYTES_MAX: usize = 32 * 1024;

/// Fewest characters of a value whose end may be shown: three times as many stay unknown as are shown.
const HINTED_MIN: usize = 16;

/// Most bytes of a variable's name.
const NAME_MAX: usize = 128;

/// The value. Text without NUL, since it becomes a variable of a process.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

/// Why a variable cannot be.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SecretError {
    /// Too short to be hidden.
    #[error("the value of `{name}` has {chars} characters, fewer than {CHARS_MIN}")]
    Short {
        /// The variable.
        name: String,
        /// Its length.
        chars: usize,
    },
    /// Too long.
    #[error("the value of `{name}` has {bytes} bytes, more than {BYTES_MAX}")]
    Long {
        /// The variable.
        name: String,
        /// Its length.
        bytes: usize,
    },
    /// No variable of a process can hold it.
    #[error("the value of `{name}` is not text: it {why}")]
    NotText {
        /// The variable.
        name: String,
        /// In which way.
        why: &'static str,
    },
    /// Not a name.
    #[error("`{name}` is no name for a variable")]
    Name {
        /// As it was given.
        name: String,
    },
}

impl Explain for SecretError {
    fn kind(&self) -> Kind {
        Kind::Usage
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            SecretError::Short { .. } => {
                "a short value stands in many a line by chance, so it cannot be masked; what is no secret belongs into \
                 `environment` of the config"
            }
            SecretError::Long { .. } => "keep large files elsewhere, and the key to them here",
            SecretError::NotText { .. } => "keep it as base64, and decode it in the step",
            SecretError::Name { .. } => "letters, digits and `_`, not beginning with a digit",
        };
        Some(hint.to_owned())
    }
}

impl Secret {
    /// Takes a value that is one already.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// Takes the value of the variable `name`, as it came from a file or pipe. A single line loses the line ending that
    /// editors and `echo` put there; several lines stay as they are.
    ///
    /// # Errors
    /// When it, or the name, cannot be.
    pub fn variable(name: &str, bytes: Vec<u8>) -> Result<Self, SecretError> {
        let bytes = Zeroizing::new(bytes);
        let name = checked_name(name)?.to_owned();
        if bytes.len() > BYTES_MAX {
            let bytes = bytes.len();
            return Err(SecretError::Long { name, bytes });
        }
        let Ok(text) = std::str::from_utf8(&bytes) else {
            let why = "is not UTF-8";
            return Err(SecretError::NotText { name, why });
        };
        if text.contains('\0') {
            let why = "holds a NUL";
            return Err(SecretError::NotText { name, why });
        }
        let line = text.strip_suffix('\n').unwrap_or(text);
        let line = line.strip_suffix('\r').unwrap_or(line);
        let text = if line.contains('\n') { text } else { line };
        let chars = text.trim().chars().count();
        if chars < CHARS_MIN {
            return Err(SecretError::Short { name, chars });
        }
        Ok(Self::new(text.to_owned()))
    }

    /// The value itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Its last four characters, by which whoever knows it can tell it from another; empty when it is so short that they
    /// would help to guess it.
    #[must_use]
    pub fn hint(&self) -> String {
        let text: Vec<char> = self.0.trim().chars().collect();
        let last = text.len().saturating_sub(4);
        if text.len() < HINTED_MIN {
            return String::new();
        }
        text[last..].iter().collect()
    }

    /// Writes it in clear: named at each field that is to carry one (`#[serde(serialize_with)]`), so that none does by chance.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn reveal<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.expose())
    }
}

/// Random bytes of the kernel's.
///
/// # Panics
/// When it has none to give, which it has from its start on.
#[must_use]
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    SystemRandom::new()
        .fill(&mut bytes)
        .expect("the kernel gives randomness");
    bytes
}

/// Compares in constant time: how far a guess is right must not show. Lengths are no secret.
#[must_use]
pub(crate) fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |diff, (x, y)| diff | (x ^ y)) == 0
}

/// The name of a variable.
///
/// # Errors
/// When a shell could not hold it.
pub fn checked_name(name: &str) -> Result<&str, SecretError> {
    if name.len() <= NAME_MAX && is_variable(name) {
        return Ok(name);
    }
    let name = crate::sanitise::line(name).chars().take(NAME_MAX).collect();
    Err(SecretError::Name { name })
}

/// Whether a shell can hold a variable of this name.
pub(crate) fn is_variable(name: &str) -> bool {
    let mut chars = name.chars();
    chars
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_prints_as_nothing() {
        let secret = Secret::new("hunter2!".to_owned());
        assert_eq!(
            format!("{secret:?} {:#?}", Some(&secret)),
            "Secret Some(\n    Secret,\n)"
        );
    }

    #[test]
    fn one_line_loses_its_ending_and_several_keep_theirs() {
        let taken = |text: &str| {
            Secret::variable("A", text.into())
                .unwrap()
                .expose()
                .to_owned()
        };
        assert_eq!(taken("token\n"), "token");
        assert_eq!(taken("token\r\n"), "token");
        assert_eq!(taken("token"), "token");
        assert_eq!(taken("-----\nkey\n-----\n"), "-----\nkey\n-----\n");
    }

    #[test]
    fn what_cannot_be_a_variable_is_refused_without_its_value() {
        let long = vec![b'x'; BYTES_MAX + 1];
        let cases: [(&str, &[u8]); 7] = [
            ("A", b"abc\n"),
            ("A", b"ab \n\n"),
            ("A", b"zzzz\0zzzz"),
            ("A", b"zzzz\xff"),
            ("A", &long),
            ("1A", b"zzzzz"),
            ("A-B", b"zzzzz"),
        ];
        for (name, value) in cases {
            let err = Secret::variable(name, value.to_vec()).unwrap_err();
            assert!(!err.to_string().contains("zzz"), "{err}");
            assert!(err.hint().is_some());
        }
    }

    #[test]
    fn the_end_is_shown_of_long_values_only() {
        let hint = |text: &str| Secret::new(text.to_owned()).hint();
        assert_eq!(hint("0123456789abcde"), "");
        assert_eq!(hint("0123456789abcdef"), "cdef");
    }
}
