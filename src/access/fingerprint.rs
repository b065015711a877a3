//! The fingerprint of a certificate: how people and clients know a server again.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

/// SHA-256 of a certificate's DER form, written `sha256:` and 64 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fingerprint([u8; 32]);

/// What is no fingerprint.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no fingerprint: it has 64 hex digits, as sha256:1f2e...")]
pub struct NoFingerprint(String);

impl Fingerprint {
    /// Of a certificate in DER.
    #[must_use]
    pub fn of(certificate: &[u8]) -> Self {
        Self(Sha256::digest(certificate).into())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256:")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for Fingerprint {
    type Err = NoFingerprint;

    /// Also with colons and in capitals, as other programs print it.
    fn from_str(text: &str) -> Result<Self, NoFingerprint> {
        let none = || NoFingerprint(text.to_owned());
        let lower = text.trim().to_ascii_lowercase();
        let digits = lower.strip_prefix("sha256:").unwrap_or(&lower);
        let digits: Vec<u8> = digits.bytes().filter(|byte| *byte != b':').collect();
        if digits.len() != 64 {
            return Err(none());
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
            let digit = |c: u8| {
                char::from(c)
                    .to_digit(16)
                    .and_then(|digit| u8::try_from(digit).ok())
            };
            let (high, low) = digit(pair[0]).zip(digit(pair[1])).ok_or_else(none)?;
            *byte = high << 4 | low;
        }
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_as_it_is_written_and_as_others_write_it() {
        let print = Fingerprint::of(b"a certificate");
        let text = print.to_string();
        assert_eq!(text.len(), 71);
        let hex = text.trim_start_matches("sha256:").to_uppercase();
        let pairs: Vec<&str> = (0..32).map(|n| &hex[2 * n..2 * n + 2]).collect();
        for written in [&text, &hex, &pairs.join(":"), &format!(" SHA256:{hex}\n")] {
            assert_eq!(written.parse(), Ok(print), "{written}");
        }
        for bad in ["", "sha256:", "sha256:12", &"g".repeat(64), &"ä".repeat(32)] {
            assert!(bad.parse::<Fingerprint>().is_err(), "{bad}");
        }
    }
}
