//! The handshake of a hop: with the chain that was shown, also where it is not trusted.

use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::{Boxed, Failed, HANDSHAKE};
use crate::error::Kind;
use crate::sanitise::line as inert;
use crate::services::ca;
use crate::services::trial::{Ask, Trial};

/// Certificates of a chain that are told of.
const TOLD: usize = 8;

/// Where authorities of one's own are set.
const AUTHORITIES: Option<&str> = Some("ca.certificates");

/// Looks as everything of Roundel does, and remembers what it was shown.
#[derive(Debug)]
struct Remembering {
    strict: Arc<WebPkiServerVerifier>,
    shown: Mutex<Vec<CertificateDer<'static>>>,
}

impl ServerCertVerifier for Remembering {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let chain = std::iter::once(leaf).chain(others).take(TOLD);
        let chain = chain.map(|one| one.clone().into_owned()).collect();
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = chain;
        self.strict
            .verify_server_cert(leaf, others, name, ocsp, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.strict.verify_tls12_signature(message, leaf, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.strict.verify_tls13_signature(message, leaf, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.strict.supported_verify_schemes()
    }
}

/// Speaks TLS over a connection; `field`: the setting that names the host.
pub(super) async fn open(
    step: &'static str,
    host: &str,
    field: Option<&'static str>,
    line: Boxed,
    ask: &Ask,
    trial: &mut Trial,
) -> Result<Boxed, Failed> {
    let failed = |found: String, fix: &str| Failed::new(step, Kind::Infrastructure, found, fix);
    let values = ask.values.clone();
    let strict = tokio::task::spawn_blocking(move || ca::verifier(ca::roots(&values)));
    let Ok(Some(strict)) = strict.await else {
        let found = "no authority is trusted".to_owned();
        let fix =
            "install this machine's ca-certificates, or add an authority with `roundel ca add`";
        return Err(failed(found, fix).at(AUTHORITIES));
    };
    let remembering = Arc::new(Remembering {
        strict,
        shown: Mutex::default(),
    });
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|err| failed(err.to_string(), "this is a fault of Roundel"))?
        .dangerous()
        .with_custom_certificate_verifier(remembering.clone())
        .with_no_client_auth();
    let name = ServerName::try_from(host.to_owned())
        .map_err(|err| failed(format!("{host}: {err}"), "correct the name").at(field))?;
    let handshake = TlsConnector::from(Arc::new(config)).connect(name, line);
    let done = timeout(HANDSHAKE, handshake).await;
    let chain = {
        let shown = remembering.shown.lock();
        let shown = shown.unwrap_or_else(PoisonError::into_inner);
        shown
            .iter()
            .map(|one| told(one))
            .collect::<Vec<_>>()
            .join("\n")
    };
    let with_chain = |first: String| match chain.as_str() {
        "" => first,
        chain => format!("{first}\n{chain}"),
    };
    match done {
        Ok(Ok(stream)) => {
            let version = match stream.get_ref().1.protocol_version() {
                Some(rustls::ProtocolVersion::TLSv1_2) => "TLS 1.2",
                _ => "TLS 1.3",
            };
            let found = format!("{version}, trusted for {host}");
            trial.ok(step, with_chain(found)).await;
            Ok(Box::new(stream))
        }
        Ok(Err(err)) => {
            let why = err
                .get_ref()
                .and_then(|inner| inner.downcast_ref::<Error>());
            let (fix, field) = remedy(why, host, field);
            let found = with_chain(format!("{host}: {err}"));
            Err(failed(found, &fix).at(field))
        }
        Err(_) => {
            let found = format!("{host}: no handshake within {} s", HANDSHAKE.as_secs());
            Err(failed(found, "see whether what listens there speaks TLS").at(field))
        }
    }
}

/// What to do about a handshake that came to nothing, and the setting that it is about.
fn remedy(
    why: Option<&Error>,
    host: &str,
    field: Option<&'static str>,
) -> (String, Option<&'static str>) {
    use CertificateError as C;
    let Some(Error::InvalidCertificate(why)) = why else {
        let fix = "see whether what listens there speaks TLS; where it does not, write http:// in place of https://";
        return (fix.to_owned(), field);
    };
    match why {
        C::UnknownIssuer | C::BadSignature => (
            format!(
                "add the authority that signed it: `roundel ca fetch {host}`; where a proxy opens TLS, the proxy's own authority"
            ),
            AUTHORITIES,
        ),
        C::Expired | C::ExpiredContext { .. } => (
            "have the certificate renewed; compare this machine's clock".to_owned(),
            field,
        ),
        C::NotValidYet | C::NotValidYetContext { .. } => (
            "compare this machine's clock with that of the host".to_owned(),
            field,
        ),
        C::NotValidForName | C::NotValidForNameContext { .. } => {
            ("use a name that the certificate holds".to_owned(), field)
        }
        _ => ("have the certificate made anew".to_owned(), field),
    }
}

/// A certificate in a line.
fn told(certificate: &CertificateDer<'_>) -> String {
    match X509Certificate::from_der(certificate) {
        Ok((_, one)) => {
            let text = format!(
                "{}, issued by {}, until {}",
                one.subject(),
                one.issuer(),
                one.validity().not_after
            );
            inert(&text).into_owned()
        }
        Err(_) => "a certificate that cannot be read".to_owned(),
    }
}
