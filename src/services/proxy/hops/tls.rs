//! The handshake of a hop: with the chain that was shown, also where it is not trusted.

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{CertificateError, Error};
use tokio::time::timeout;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::{Boxed, Failed, HANDSHAKE};
use crate::error::Kind;
use crate::sanitise::line as inert;
use crate::services::ca::{self, Witness};
use crate::services::trial::Trial;
use crate::settings::value::Values;

/// Certificates of a chain that are told of.
const TOLD: usize = 8;

/// Where authorities of one's own are set.
const AUTHORITIES: Option<&str> = Some("ca.certificates");

/// Speaks TLS over a connection; `field`: the setting that names the host.
pub(super) async fn open(
    step: &'static str,
    host: &str,
    field: Option<&'static str>,
    line: Boxed,
    values: &Values,
    trial: &mut Trial,
) -> Result<Boxed, Failed> {
    let failed = |found: String, fix: &str| Failed::new(step, Kind::Infrastructure, found, fix);
    let values = values.clone();
    let strict = tokio::task::spawn_blocking(move || ca::verifier(ca::roots(&values)));
    let Ok(Some(strict)) = strict.await else {
        let found = "no authority is trusted".to_owned();
        let fix =
            "install this machine's ca-certificates, or add an authority with `roundel ca add`";
        return Err(failed(found, fix).at(AUTHORITIES));
    };
    let witness = Witness::of_authorities(strict);
    let name = ServerName::try_from(host.to_owned())
        .map_err(|err| failed(format!("{host}: {err}"), "correct the name").at(field))?;
    let handshake = witness.connector().connect(name, line);
    let done = timeout(HANDSHAKE, handshake).await;
    let shown = witness.shown();
    let chain: Vec<String> = shown.iter().take(TOLD).map(told).collect();
    let chain = chain.join("\n");
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
