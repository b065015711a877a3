//! Whom Roundel trusts when it connects to others: the system's authorities, and besides them those of the setting
//! `ca.certificates`.
//!
//! The setting is the truth. What lies in the data directory is written from it, for other programs ([`files`]).

pub mod fetch;
pub mod files;
mod witness;

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier};

use crate::access::Fingerprint;
use crate::api::certificates::Shown;
use crate::certificates::{self, Certificate};
use crate::settings::value::Values;

pub use witness::Witness;

/// The setting.
pub const SETTING: &str = "ca.certificates";

/// Authorities of the settings, each once; what cannot be read is left out, for the settings' own look has said so.
#[must_use]
pub fn custom(values: &Values) -> Vec<Certificate> {
    certificates::authorities(values.text(SETTING).as_bytes()).path
}

/// The system's authorities, as bytes: from where `SSL_CERT_FILE` and `SSL_CERT_DIR` say, else from the usual places. Blocks
/// for as long as reading some files takes.
#[must_use]
pub fn system() -> Vec<CertificateDer<'static>> {
    let found = rustls_native_certs::load_native_certs();
    for err in &found.errors {
        tracing::warn!(%err, "part of the system's authorities cannot be read");
    }
    found.certs
}

/// Everybody who is trusted. Blocks as [`system`] does: take it once for each change of the values.
#[must_use]
pub fn roots(values: &Values) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    // What rustls cannot use as a root is of no use to anybody here.
    roots.add_parsable_certificates(system());
    let custom = custom(values);
    roots.add_parsable_certificates(custom.iter().map(|one| CertificateDer::from(one.der())));
    roots
}

/// How Roundel connects to others by TLS. Blocks as [`roots`] does.
#[must_use]
pub fn client_config(values: &Values) -> ClientConfig {
    connecting()
        .with_root_certificates(roots(values))
        .with_no_client_auth()
}

/// TLS 1.2 and 1.3, for whoever says next who is believed.
fn connecting() -> ConfigBuilder<ClientConfig, WantsVerifier> {
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider has ciphers for TLS 1.2 and 1.3")
}

/// The look that Roundel's own connections take at a server; `None` when nobody is trusted at all.
#[must_use]
pub fn verifier(roots: RootCertStore) -> Option<Arc<WebPkiServerVerifier>> {
    let provider = Arc::new(ring::default_provider());
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .ok()
}

/// Everybody who is trusted, as certificates that can be looked at. Blocks as [`system`] does.
#[must_use]
pub fn trusted(values: &Values) -> Vec<Certificate> {
    let system = system();
    let system = system.iter().filter_map(|der| Certificate::read(der).ok());
    system.chain(custom(values)).collect()
}

/// A certificate as people are shown it.
#[must_use]
pub fn shown(certificate: &Certificate) -> Shown {
    Shown {
        sha256: Fingerprint::of(certificate.der()).to_string(),
        subject: certificate.subject().to_owned(),
        issuer: certificate.issuer().to_owned(),
        names: certificate
            .names()
            .iter()
            .map(ToString::to_string)
            .collect(),
        not_before: certificate.not_before(),
        not_after: certificate.not_after(),
        key: certificate.public().algorithm.described(),
        authority: certificate.is_authority(),
        self_signed: certificate.is_self_signed(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::value::Value;

    fn made(name: &str) -> String {
        rcgen::generate_simple_self_signed([name.to_owned()])
            .unwrap()
            .cert
            .pem()
    }

    #[test]
    fn those_of_the_settings_are_trusted_besides_the_systems() {
        let mut values = Values::default();
        let before = roots(&values).len();
        let text = format!("{}\n{}", made("one.example.com"), made("two.example.com"));
        values.set(SETTING, Value::Text(format!("{text}{text}")));
        assert_eq!(custom(&values).len(), 2);
        assert_eq!(roots(&values).len(), before + 2);
    }

    #[test]
    fn what_cannot_be_read_takes_nothing_else_with_it() {
        let mut values = Values::default();
        let before = roots(&values).len();
        values.set(SETTING, Value::Text("nonsense".to_owned()));
        assert_eq!(roots(&values).len(), before);
        assert!(client_config(&values).alpn_protocols.is_empty());
    }
}
