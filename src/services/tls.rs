//! The server's certificate: made at the first start, kept in the data directory, and what is served with it.
//!
//! Clients know it by its fingerprint, so it names this machine for whoever looks at it, and no authority has signed it.

pub mod make;
pub mod verify;

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::access::Fingerprint;
use crate::error::{Explain, Kind};
use crate::storage::spool::write_whole;

/// Why there is nothing to serve with.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read or written.
    #[error("failed to keep the server's certificate in `{path}`")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file is not what it should be.
    #[error("`{path}` holds no certificate or key")]
    Pem {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: pem::Error,
    },
    /// None can be made.
    #[error("failed to make a certificate")]
    Make(#[from] rcgen::Error),
    /// They do not fit each other.
    #[error("the certificate and the key in `{path}` cannot be used")]
    Unfit {
        /// Their directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: tokio_rustls::rustls::Error,
    },
}

impl Explain for TlsError {
    fn kind(&self) -> Kind {
        Kind::Infrastructure
    }

    fn hint(&self) -> Option<String> {
        match self {
            TlsError::Pem { path, .. } => Some(again(path.parent().unwrap_or(path))),
            TlsError::Unfit { path, .. } => Some(again(path)),
            _ => None,
        }
    }
}

fn again(dir: &Path) -> String {
    format!(
        "put the right files back, or remove server.crt and server.key from `{}`: others are then made, and clients ask anew",
        dir.display()
    )
}

/// What a port is served with.
#[derive(Clone, Debug)]
pub struct Identity {
    /// For the handshakes: TLS 1.2 and 1.3.
    pub config: Arc<ServerConfig>,
    /// Of the certificate.
    pub fingerprint: Fingerprint,
    /// The certificate.
    pub certificate: CertificateDer<'static>,
}

/// What a port is served with: TLS 1.2 and 1.3, HTTP/1.1 and nothing else within.
///
/// # Errors
/// When certificate and key do not fit each other, or cannot be used.
pub fn server_config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<ServerConfig, tokio_rustls::rustls::Error> {
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?;
    let mut config = builder.with_no_client_auth().with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// The certificate of the data directory, made when there is none; `host` is this machine's name. Blocks.
///
/// # Errors
/// When it can be neither read nor made.
pub fn identity(data: &Path, host: &str) -> Result<Identity, TlsError> {
    let dir = data.join("tls");
    let (certificate, key) = (dir.join("server.crt"), dir.join("server.key"));
    if !certificate.exists() {
        make(&dir, &certificate, &key, host)?;
    }
    let unread = |path: &Path| {
        let path = path.to_owned();
        move |source| TlsError::Pem { path, source }
    };
    let chain = CertificateDer::pem_file_iter(&certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(unread(&certificate))?;
    let private = PrivateKeyDer::from_pem_file(&key).map_err(unread(&key))?;
    let first = chain
        .first()
        .cloned()
        .ok_or(pem::Error::NoItemsFound)
        .map_err(unread(&certificate))?;
    let config =
        server_config(chain, private).map_err(|source| TlsError::Unfit { path: dir, source })?;
    Ok(Identity {
        config: Arc::new(config),
        fingerprint: Fingerprint::of(&first),
        certificate: first,
    })
}

/// Makes both files; the certificate last, so that where it is the key is too.
fn make(dir: &Path, certificate: &Path, key: &Path, host: &str) -> Result<(), TlsError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| TlsError::File { path, source }
    };
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(failed(dir))?;
    let names = [host, "localhost", "127.0.0.1", "::1"].map(str::to_owned);
    let made = rcgen::generate_simple_self_signed(names)?;
    // Whole or not at all: a start that was killed half way makes no server that cannot start.
    write_whole(key, made.signing_key.serialize_pem().as_bytes()).map_err(failed(key))?;
    write_whole(certificate, made.cert.pem().as_bytes()).map_err(failed(certificate))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_certificate_is_made_once_and_its_key_is_for_nobody_else() {
        let root = tempfile::tempdir().unwrap();
        let first = identity(root.path(), "ci.example.com").unwrap().fingerprint;
        assert_eq!(identity(root.path(), "other").unwrap().fingerprint, first);
        let mode = |name: &str| {
            fs::metadata(root.path().join(name))
                .unwrap()
                .permissions()
                .mode()
                & 0o777
        };
        assert_eq!((mode("tls"), mode("tls/server.key")), (0o700, 0o600));
    }

    #[test]
    fn files_that_do_not_fit_are_named() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for root in [&one, &two] {
            identity(root.path(), "ci.example.com").unwrap();
        }
        fs::copy(
            two.path().join("tls/server.key"),
            one.path().join("tls/server.key"),
        )
        .unwrap();
        let err = identity(one.path(), "x").unwrap_err();
        assert!(matches!(err, TlsError::Unfit { .. }), "{err}");
        fs::write(one.path().join("tls/server.crt"), "nothing").unwrap();
        let err = identity(one.path(), "x").unwrap_err();
        assert!(err.to_string().contains("server.crt"), "{err}");
        assert!(err.hint().unwrap().contains("server.key"));
    }
}
