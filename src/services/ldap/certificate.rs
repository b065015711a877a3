//! The chain that a directory shows, also when it is refused: who it is of, who signed it, its fingerprint.

use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::{CertificateError, Error as TlsError};

use crate::access::Fingerprint;
use crate::certificates;
use crate::sanitise::line;

/// Most certificates of a chain that are told of: longer ones are nobody's.
const CHAIN_MAX: usize = 10;

/// A certificate as people read it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Certificate {
    /// Whom it is of.
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
    /// SHA-256 of its DER form.
    pub fingerprint: String,
}

impl Certificate {
    fn of(der: &[u8]) -> Self {
        let (subject, issuer) = match certificates::Certificate::read(der) {
            Ok(read) => (read.subject().to_owned(), read.issuer().to_owned()),
            Err(_) => ("(cannot be read)".to_owned(), "(cannot be read)".to_owned()),
        };
        Self {
            subject,
            issuer,
            fingerprint: Fingerprint::of(der).to_string(),
        }
    }
}

impl std::fmt::Display for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{}, issued by {}, {}",
            self.subject, self.issuer, self.fingerprint
        )
    }
}

/// A chain for people to read.
pub(super) fn read(chain: &[CertificateDer<'_>]) -> Vec<Certificate> {
    let chain = chain.iter().take(CHAIN_MAX);
    chain.map(|der| Certificate::of(der)).collect()
}

/// A chain in one line, the directory's own first.
pub(super) fn shown(chain: &[Certificate]) -> String {
    let one = |(number, certificate): (usize, &Certificate)| format!("[{number}] {certificate}");
    (1..).zip(chain).map(one).collect::<Vec<_>>().join("; ")
}

/// Why a certificate is not trusted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Distrust {
    /// No authority that is trusted has signed it.
    Issuer,
    /// It is of other names.
    Name {
        /// Those that stand in it.
        names: Vec<String>,
    },
    /// It is over.
    Expired,
    /// It has not begun.
    Early,
    /// It is an authority's own.
    Authority,
    /// Something else is wrong with it.
    Other(String),
}

impl std::fmt::Display for Distrust {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Distrust::Issuer => f.write_str("no authority that is trusted here has signed it"),
            Distrust::Name { names } if names.is_empty() => f.write_str("it is of no name"),
            Distrust::Name { names } => write!(f, "it is of {}", names.join(", ")),
            Distrust::Expired => f.write_str("it has expired"),
            Distrust::Early => f.write_str("it is not valid yet"),
            Distrust::Authority => {
                f.write_str("it is an authority's own certificate, which no server is to show")
            }
            Distrust::Other(why) => f.write_str(why),
        }
    }
}

impl Distrust {
    /// Of an error of a handshake; `None` when it is about something else than the certificate.
    pub(super) fn of(err: &TlsError) -> Option<Self> {
        let TlsError::InvalidCertificate(err) = err else {
            return None;
        };
        Some(match err {
            CertificateError::UnknownIssuer => Distrust::Issuer,
            CertificateError::NotValidForNameContext { presented, .. } => Distrust::Name {
                names: presented
                    .iter()
                    .map(|name| line(plain(name)).into_owned())
                    .collect(),
            },
            CertificateError::NotValidForName => Distrust::Name { names: Vec::new() },
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                Distrust::Expired
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                Distrust::Early
            }
            // The library has no variant of its own for it: the text is that of its cause.
            CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => {
                Distrust::Authority
            }
            other => Distrust::Other(other.to_string()),
        })
    }
}

/// `ldap.example.com` of `DnsName("ldap.example.com")`, in which form the library gives it.
fn plain(name: &str) -> &str {
    let inner = name
        .split_once('(')
        .and_then(|(_, rest)| rest.strip_suffix(')'));
    inner.unwrap_or(name).trim_matches('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_as_people_write_them() {
        for (given, told) in [
            ("DnsName(\"ldap.example.com\")", "ldap.example.com"),
            ("IpAddress(192.0.2.1)", "192.0.2.1"),
            ("ldap.example.com", "ldap.example.com"),
        ] {
            assert_eq!(plain(given), told);
        }
    }

    #[test]
    fn a_chain_is_told_in_one_line() {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut wanted =
            rcgen::CertificateParams::new(vec!["ldap.example.com".to_owned()]).unwrap();
        wanted
            .distinguished_name
            .push(rcgen::DnType::CommonName, "directory");
        let made = wanted.self_signed(&key).unwrap();
        let told = shown(&[Certificate::of(made.der())]);
        assert!(
            told.starts_with("[1] CN=directory, issued by CN=directory, sha256:"),
            "{told}"
        );
        assert!(shown(&[Certificate::of(b"x")]).contains("cannot be read"));
    }
}
