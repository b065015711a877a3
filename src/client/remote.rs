//! A server on another machine: its address, the certificate it is known by, and a connection to it by TLS.
//!
//! No authority is asked: a server is known by the fingerprint of its certificate, which a person has seen once.

use std::fmt;
use std::io;
use std::str::FromStr;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::ServerName;

use super::error::ClientError;
use crate::access::Fingerprint;
use crate::secret::Secret;
use crate::services::ca::Witness;
use crate::settings::bootstrap::PORT;

/// Time for a connection and its handshake.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where a server is: `https://HOST[:PORT]`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Address {
    /// Name or address of the machine; one of IPv6 without its brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl fmt::Display for Address {
    /// `host:port`, as known servers are listed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') {
            write!(f, "[{host}]:{port}")
        } else {
            write!(f, "{host}:{port}")
        }
    }
}

impl FromStr for Address {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let rest = text
            .strip_prefix("https://")
            .ok_or(())?
            .trim_end_matches('/');
        let (host, port) = match rest.strip_prefix('[').map(|rest| rest.split_once(']')) {
            Some(Some((host, port))) => (host, port.strip_prefix(':')),
            Some(None) => return Err(()),
            None => match rest.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (rest, None),
            },
        };
        let host = host.to_ascii_lowercase();
        ServerName::try_from(host.clone()).map_err(|_| ())?;
        let port = port.map_or(Ok(PORT), |port| port.parse().map_err(|_| ()))?;
        Ok(Self { host, port })
    }
}

/// A server, as it is to be reached.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Remote {
    /// Where.
    pub address: Address,
    /// What its certificate has to be; `None` when nobody has seen it yet.
    pub pin: Option<Fingerprint>,
    /// What to sign in by.
    pub token: Option<Secret>,
    /// That is what `login` has kept, and may keep anew.
    pub kept: bool,
}

impl Remote {
    /// The fingerprint of what answers there; nothing is said to it.
    ///
    /// # Errors
    /// When nobody answers by TLS.
    pub async fn look(&self) -> Result<Fingerprint, ClientError> {
        let unknown = Self {
            pin: None,
            ..self.clone()
        };
        match unknown.connect().await {
            Err(ClientError::Certificate { seen, .. }) => Ok(seen),
            Err(err) => Err(err),
            Ok(_) => Err(ClientError::protocol(
                "a certificate nobody knows was taken",
            )),
        }
    }

    /// Connects, and makes sure who is there before anything is said.
    pub(super) async fn connect(&self) -> Result<TlsStream<TcpStream>, ClientError> {
        let server = self.address.to_string();
        let nobody = |source| ClientError::NoServer {
            server: server.clone(),
            source,
        };
        let witness = Witness::of_one(self.pin);
        let name = ServerName::try_from(self.address.host.clone())
            .map_err(|err| nobody(io::Error::other(err)))?;
        let opening = async {
            let stream =
                TcpStream::connect((self.address.host.as_str(), self.address.port)).await?;
            stream.set_nodelay(true)?;
            witness.connector().connect(name, stream).await
        };
        let opened = timeout(PATIENCE, opening)
            .await
            .map_err(|_| ClientError::Timeout {
                server: server.clone(),
                limit: PATIENCE,
            })?;
        let seen = witness.shown().first().map(|one| Fingerprint::of(one));
        match (opened, seen) {
            (Ok(stream), _) => Ok(stream),
            (Err(_), Some(seen)) if self.pin != Some(seen) => Err(ClientError::Certificate {
                server,
                known: self.pin,
                seen,
            }),
            (Err(err), _) => Err(nobody(err)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_name_and_a_port() {
        for (text, shown) in [
            ("https://ci.example.com", "ci.example.com:8800"),
            ("https://CI.example.com:99/", "ci.example.com:99"),
            ("https://[2001:db8::1]:99", "[2001:db8::1]:99"),
            ("https://192.0.2.1", "192.0.2.1:8800"),
        ] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), shown);
        }
        for bad in [
            "http://x",
            "ci.example.com",
            "https://",
            "https://a:b",
            "https://a/b",
            "https://[::1",
        ] {
            assert!(bad.parse::<Address>().is_err(), "{bad}");
        }
    }
}
