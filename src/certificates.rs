//! Certificates and private keys as bytes: what a file is, whether key and certificate belong together, in which order a
//! chain stands, for which names it is, and all that is wrong with it.
//!
//! Pure: bytes, a name and a moment in, findings out. Knows no clock, no file and no socket, and gives out no byte of a key
//! but to what serves with it.

mod certificate;
mod chain;
mod der;
mod file;
mod key;
mod look;
mod names;
mod public;
#[cfg(test)]
mod tests;

pub use certificate::{Certificate, Signed, Unreadable};
pub use chain::{Order, order};
pub use file::{Block, File, KeyForm, PEM_MAX, Thing, read};
pub use key::{PrivateKey, UnusableKey};
pub use look::{Finding, Front, Look, Of, Question, Verdict, authorities, look};
pub use names::Name;
pub use public::{Algorithm, Public};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Days before the end of a certificate from which somebody should see to a new one.
pub const SOON_DAYS: i64 = 30;

/// Columns of base64 in a line of PEM (RFC 7468 §2).
const COLUMNS: usize = 64;

/// A certificate as a block of PEM.
#[must_use]
pub fn pem(der: &[u8]) -> String {
    let body = STANDARD.encode(der);
    let mut text = String::from("-----BEGIN CERTIFICATE-----\n");
    let mut rest = body.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(COLUMNS));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.push_str("-----END CERTIFICATE-----\n");
    text
}
