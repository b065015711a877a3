//! What a host shows of itself: its chain, looked at and not believed.

use std::io;
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Witness;
use crate::certificates::Certificate;
use crate::error::{Explain, Kind};
use crate::sanitise::line;

/// Time for a name, a connection and its handshake together.
const PATIENCE: Duration = Duration::from_secs(10);
/// The port of https.
const HTTPS: u16 = 443;

/// Why nothing was shown.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// It names no host.
    #[error("`{0}` names no host")]
    Place(String),
    /// Nobody there, or nobody who speaks TLS.
    #[error("failed to {what} {place}")]
    Connect {
        /// What was to be done.
        what: &'static str,
        /// Where.
        place: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Nothing came.
    #[error("{place} did not answer within {} s", PATIENCE.as_secs())]
    Late {
        /// Where.
        place: String,
    },
    /// What it shows cannot be read.
    #[error("{place} shows something that is no certificate")]
    Unreadable {
        /// Where.
        place: String,
    },
}

impl Explain for FetchError {
    fn kind(&self) -> Kind {
        match self {
            FetchError::Place(_) => Kind::Usage,
            _ => Kind::Infrastructure,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            FetchError::Place(_) => "write it as HOST or HOST:PORT; an address of IPv6 as [2001:db8::1]:443",
            FetchError::Connect { what: "speak TLS with", .. } => {
                "is there another port for TLS, as 636 for LDAP? A port that begins in the clear (StartTLS) is not looked at"
            }
            FetchError::Connect { .. } | FetchError::Late { .. } => {
                "is the name right, and may this machine reach that port?"
            }
            FetchError::Unreadable { .. } => "look at it with `openssl s_client -showcerts -connect HOST:PORT`",
        }
        .to_owned())
    }
}

/// A host and a port, from `HOST`, `HOST:PORT`, `[ADDRESS]:PORT` or a URL.
///
/// # Errors
/// [`FetchError::Place`].
pub fn place(text: &str) -> Result<(String, u16), FetchError> {
    let none = || FetchError::Place(line(text).into_owned());
    let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
    let rest = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let usual = match scheme {
        "ldaps" => 636,
        "" | "https" => HTTPS,
        _ => return Err(none()),
    };
    let number = |port: &str| {
        port.parse::<u16>()
            .ok()
            .filter(|port| *port > 0)
            .ok_or_else(none)
    };
    let (host, port) =
        if let Some((host, port)) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            match port.strip_prefix(':') {
                Some(port) => (host, number(port)?),
                None if port.is_empty() => (host, usual),
                None => return Err(none()),
            }
        } else {
            match rest.split_once(':') {
                // An address of IPv6 without brackets.
                Some((_, more)) if more.contains(':') => (rest, usual),
                Some((host, port)) => (host, number(port)?),
                None => (rest, usual),
            }
        };
    ServerName::try_from(host).map_err(|_| none())?;
    Ok((host.to_ascii_lowercase(), port))
}

/// The chain that a host shows, as it shows it; nothing of it is believed, and nothing is said to the host.
///
/// # Errors
/// When nobody answers by TLS, or shows what can be read.
pub async fn fetch(host: &str, port: u16) -> Result<Vec<Certificate>, FetchError> {
    let place = match host.contains(':') {
        true => format!("[{host}]:{port}"),
        false => format!("{host}:{port}"),
    };
    let failed = |what| {
        let place = place.clone();
        move |source| FetchError::Connect {
            what,
            place,
            source,
        }
    };
    let looking = async {
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| FetchError::Place(line(host).into_owned()))?;
        let stream = TcpStream::connect((host, port))
            .await
            .map_err(failed("connect to"))?;
        // Nobody is believed, so that it always ends as an error.
        let witness = Witness::of_one(None);
        let ended = witness.connector().connect(name, stream).await;
        match (witness.shown(), ended) {
            (chain, Err(err)) if chain.is_empty() => Err(failed("speak TLS with")(err)),
            (chain, _) => Ok(chain),
        }
    };
    let chain = timeout(PATIENCE, looking)
        .await
        .map_err(|_| FetchError::Late {
            place: place.clone(),
        })??;
    let read = chain.iter().map(|der| Certificate::read(der));
    read.collect::<Result<Vec<_>, _>>()
        .map_err(|_| FetchError::Unreadable { place })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_host_and_a_port() {
        for (text, host, port) in [
            ("ghe.example.com", "ghe.example.com", 443),
            ("GHE.example.com:8443", "ghe.example.com", 8443),
            ("https://ghe.example.com/api/v3", "ghe.example.com", 443),
            ("ldaps://ldap.example.com", "ldap.example.com", 636),
            ("192.0.2.7:443", "192.0.2.7", 443),
            ("[2001:db8::1]:636", "2001:db8::1", 636),
            ("2001:db8::1", "2001:db8::1", 443),
        ] {
            assert_eq!(place(text).unwrap(), (host.to_owned(), port), "{text}");
        }
        for bad in [
            "", "ftp://a", "a:0", "a:b", "[::1", "a b", "https://", "[::1]x", "a:99999",
        ] {
            let err = place(bad).unwrap_err();
            assert_eq!(err.kind(), Kind::Usage, "{bad}");
        }
    }

    #[tokio::test]
    async fn a_port_without_tls_says_so() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            use tokio::io::AsyncWriteExt;
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(b"220 hello\r\n").await.unwrap();
        });
        let err = fetch("127.0.0.1", port).await.unwrap_err();
        assert!(
            err.to_string().contains("speak TLS with 127.0.0.1"),
            "{err}"
        );
        assert!(err.hint().unwrap().contains("StartTLS"));
    }
}
