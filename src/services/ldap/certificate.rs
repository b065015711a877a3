//! The chain that a directory shows, also when it is refused: who it is of, who signed it, its fingerprint.

use std::sync::{Arc, Mutex, PoisonError};

use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{
    CertificateError, DigitallySignedStruct, Error as TlsError, SignatureScheme,
};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::access::Fingerprint;
use crate::sanitise::line;

/// Most certificates of a chain that are kept: longer ones are nobody's.
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
        let (subject, issuer) = match X509Certificate::from_der(der) {
            Ok((_, certificate)) => (
                line(&certificate.subject().to_string()).into_owned(),
                line(&certificate.issuer().to_string()).into_owned(),
            ),
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

/// Trusts whom the verifier trusts, and remembers what it was shown.
#[derive(Debug)]
pub(super) struct Witness {
    inner: Arc<WebPkiServerVerifier>,
    seen: Mutex<Vec<Certificate>>,
}

impl Witness {
    pub(super) fn new(inner: Arc<WebPkiServerVerifier>) -> Self {
        let seen = Mutex::new(Vec::new());
        Self { inner, seen }
    }

    /// The chain; empty where none was shown.
    pub(super) fn seen(&self) -> Vec<Certificate> {
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let chain = std::iter::once(certificate).chain(others).take(CHAIN_MAX);
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) =
            chain.map(|der| Certificate::of(der)).collect();
        self.inner
            .verify_server_cert(certificate, others, name, ocsp, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.inner
            .verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.inner
            .verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
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
