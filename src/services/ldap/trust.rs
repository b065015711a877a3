//! Whom a directory's certificate may come from: the system's authorities and those of the settings.

use std::sync::Arc;

use tokio_rustls::rustls::RootCertStore;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;

use crate::settings::value::Values;

/// The authorities. Blocks: the system's lie in files. What cannot be read is left out.
pub(super) fn roots(values: &Values) -> Arc<RootCertStore> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let own = values.text("ca.certificates");
    roots.add_parsable_certificates(
        CertificateDer::pem_slice_iter(own.as_bytes()).filter_map(Result::ok),
    );
    Arc::new(roots)
}
