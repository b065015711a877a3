//! Whom outgoing connections trust: the authorities that this machine trusts.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};

use crate::settings::value::Values;

/// Everybody who is trusted. Blocks for as long as reading some files takes.
#[must_use]
pub fn roots(_: &Values) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    // What cannot be read is trusted by nobody.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}

/// How Roundel connects to others by TLS 1.2 and 1.3. Blocks as [`roots`] does.
#[must_use]
pub fn client_config(values: &Values) -> Arc<ClientConfig> {
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider has ciphers for TLS 1.2 and 1.3")
        .with_root_certificates(roots(values))
        .with_no_client_auth();
    Arc::new(config)
}

/// The look that Roundel's own connections take at a server; `None` when nobody is trusted at all.
#[must_use]
pub fn verifier(roots: RootCertStore) -> Option<Arc<WebPkiServerVerifier>> {
    let provider = Arc::new(ring::default_provider());
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .ok()
}
