//! Remembers the certificates that are shown at a handshake, taken or not, so that people can be told of them.

use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{
    WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};
use tokio_rustls::TlsConnector;

use crate::access::Fingerprint;

/// Most certificates that are remembered: a chain has four at most.
const CHAIN_MAX: usize = 16;

/// Who is believed.
#[derive(Debug)]
enum Believed {
    /// Whom these authorities have signed.
    Signed(Arc<WebPkiServerVerifier>),
    /// Who shows this certificate, and nobody where there is none.
    Known(Option<Fingerprint>),
}

/// Looks at what a server shows, and remembers it.
#[derive(Debug)]
pub struct Witness {
    believed: Believed,
    shown: Mutex<Vec<CertificateDer<'static>>>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Witness {
    /// Takes whom these authorities have signed.
    #[must_use]
    pub fn of_authorities(authorities: Arc<WebPkiServerVerifier>) -> Arc<Self> {
        Self::new(Believed::Signed(authorities))
    }

    /// Takes who shows this certificate. Without one nobody is taken: the handshake ends once something was shown, and
    /// nothing is said.
    #[must_use]
    pub fn of_one(known: Option<Fingerprint>) -> Arc<Self> {
        Self::new(Believed::Known(known))
    }

    fn new(believed: Believed) -> Arc<Self> {
        Arc::new(Self {
            believed,
            shown: Mutex::default(),
            algorithms: ring::default_provider().signature_verification_algorithms,
        })
    }

    /// For the handshakes that are to be looked at.
    #[must_use]
    pub fn connector(self: &Arc<Self>) -> TlsConnector {
        let config = super::connecting()
            .dangerous()
            .with_custom_certificate_verifier(self.clone())
            .with_no_client_auth();
        TlsConnector::from(Arc::new(config))
    }

    /// The chain of the last handshake, the server's own first; empty where none was shown.
    #[must_use]
    pub fn shown(&self) -> Vec<CertificateDer<'static>> {
        self.shown
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
    ) -> Result<ServerCertVerified, Error> {
        let shown = std::iter::once(certificate).chain(others).take(CHAIN_MAX);
        let shown = shown.map(|one| one.clone().into_owned()).collect();
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = shown;
        match &self.believed {
            Believed::Signed(authorities) => {
                authorities.verify_server_cert(certificate, others, name, ocsp, now)
            }
            Believed::Known(known) if *known == Some(Fingerprint::of(certificate)) => {
                Ok(ServerCertVerified::assertion())
            }
            Believed::Known(_) => Err(CertificateError::ApplicationVerificationFailure.into()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
