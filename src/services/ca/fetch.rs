//! What a host shows of itself: its chain, looked at and not believed. It is reached by the way that the settings say.

use std::io;
use std::time::Duration;

use reqwest::Url;
use rustls::pki_types::ServerName;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::Witness;
use crate::certificates::Certificate;
use crate::error::{Explain, Kind};
use crate::sanitise::line;
use crate::services::proxy::{self, ProxyError, Routes, Way};
use crate::services::trial::Trial;
use crate::settings::value::Values;

/// Time for a handshake; each hop before it has a limit of its own.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// The port of https.
const HTTPS: u16 = 443;
/// The port of ldaps.
const LDAPS: u16 = 636;

/// Why nothing was shown.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// It names no host.
    #[error("`{0}` names no host")]
    Place(String),
    /// It is not known which way to go.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    /// A hop of the way there.
    #[error("failed to reach {place} {way}: {}: {}", .hop.name, .hop.found)]
    Hop {
        /// Where.
        place: String,
        /// Which way, in words.
        way: String,
        /// What failed of it.
        hop: Box<proxy::Failed>,
    },
    /// Nobody there who speaks TLS.
    #[error("failed to speak TLS with {place}, reached {way}")]
    Tls {
        /// Where.
        place: String,
        /// Which way, in words.
        way: String,
        /// Why.
        #[source]
        source: io::Error,
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
            FetchError::Proxy(err) => err.kind(),
            FetchError::Hop { hop, .. } if hop.kind != Kind::Infrastructure => hop.kind,
            // It is no fault of this server.
            _ => Kind::Unavailable,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            FetchError::Proxy(err) => return err.hint(),
            FetchError::Hop { hop, .. } => return Some(hop.fix.clone()),
            FetchError::Place(_) => "write it as HOST or HOST:PORT; an address of IPv6 as [2001:db8::1]:443",
            FetchError::Tls { .. } => {
                "is there another port for TLS, as 636 for LDAP? A port that begins in the clear (StartTLS) is not looked at"
            }
            FetchError::Unreadable { .. } => "look at it with `openssl s_client -showcerts -connect HOST:PORT`",
        }
        .to_owned())
    }
}

/// What was shown.
#[derive(Debug)]
pub struct Fetched {
    /// Which way the host was reached.
    pub way: Way,
    /// Its chain, as it shows it.
    pub chain: Vec<Certificate>,
}

/// A host and a port as a URL, from `HOST`, `HOST:PORT`, `[ADDRESS]:PORT` or a URL. The port of ldaps is ldaps, which goes by
/// no proxy.
///
/// # Errors
/// [`FetchError::Place`].
pub fn place(text: &str) -> Result<Url, FetchError> {
    let none = || FetchError::Place(line(text).into_owned());
    let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
    let rest = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let usual = match scheme {
        "ldaps" => LDAPS,
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
    let host = match host.contains(':') {
        true => format!("[{host}]"),
        false => host.to_ascii_lowercase(),
    };
    let scheme = match (scheme, port) {
        ("ldaps", _) | ("", LDAPS) => "ldaps",
        _ => "https",
    };
    Url::parse(&format!("{scheme}://{host}:{port}")).map_err(|_| none())
}

/// The chain that a host shows; nothing of it is believed, and nothing is said to the host.
///
/// # Errors
/// When the way there is not known or ends at a hop, and when nobody there speaks TLS, or shows what can be read.
pub async fn fetch(url: &Url, values: &Values) -> Result<Fetched, FetchError> {
    let host = url.host_str().unwrap_or_default();
    let place = format!("{host}:{}", url.port_or_known_default().unwrap_or(HTTPS));
    let name = ServerName::try_from(proxy::bare(url).to_owned())
        .map_err(|_| FetchError::Place(line(host).into_owned()))?;
    let routes = Routes::of(values)?;
    let way = routes.way(url);
    // The hops that went well are told to nobody; the one that did not says so itself.
    let mut trial = Trial::new(mpsc::channel(1).0);
    let reached = proxy::reach(url, &routes, &way, values, &mut trial).await;
    let stream = reached.map_err(|hop| FetchError::Hop {
        place: place.clone(),
        way: way.told(),
        hop: Box::new(hop),
    })?;
    // Nobody is believed, so that it always ends as an error.
    let witness = Witness::of_one(None);
    let ended = timeout(HANDSHAKE, witness.connector().connect(name, stream)).await;
    let shown = witness.shown();
    if shown.is_empty() {
        let source = match ended {
            Ok(Err(err)) => err,
            _ => io::ErrorKind::TimedOut.into(),
        };
        let way = way.told();
        return Err(FetchError::Tls { place, way, source });
    }
    let read = shown.iter().map(|der| Certificate::read(der));
    match read.collect() {
        Ok(chain) => Ok(Fetched { way, chain }),
        Err(_) => Err(FetchError::Unreadable { place }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_hop_that_fails_is_named_with_the_way() {
        let values = Values::typed(&[("proxy.url", "http://ann:hunter2@127.0.0.1:1")]);
        let err = fetch(&place("ghe.example.com").unwrap(), &values).await;
        let err = err.unwrap_err();
        let text = err.to_string();
        assert!(
            text.starts_with(
                "failed to reach ghe.example.com:443 by the proxy http://ann@127.0.0.1:1: "
            ) && text.contains(": proxy connect: 127.0.0.1:1: "),
            "{text}"
        );
        assert_eq!(err.kind(), Kind::Unavailable);
        assert!(err.hint().unwrap().contains("start the proxy"));
        // What is spoken with a directory goes by no proxy.
        let err = fetch(&place("ldaps://127.0.0.1:1").unwrap(), &values).await;
        assert!(
            err.unwrap_err()
                .to_string()
                .contains(" directly: `ldaps:` does not go by a proxy: connect: ")
        );
    }

    #[test]
    fn a_place_is_a_host_and_a_port() {
        for (text, url) in [
            ("ghe.example.com", "https://ghe.example.com/"),
            ("GHE.example.com:8443", "https://ghe.example.com:8443/"),
            ("https://ghe.example.com/api/v3", "https://ghe.example.com/"),
            (
                "https://ghe.example.com:636",
                "https://ghe.example.com:636/",
            ),
            ("ldaps://ldap.example.com", "ldaps://ldap.example.com:636"),
            ("ldap.example.com:636", "ldaps://ldap.example.com:636"),
            ("192.0.2.7:443", "https://192.0.2.7/"),
            ("[2001:db8::1]:8443", "https://[2001:db8::1]:8443/"),
            ("2001:db8::1", "https://[2001:db8::1]/"),
        ] {
            assert_eq!(place(text).unwrap().as_str(), url, "{text}");
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
        let url = place(&format!("127.0.0.1:{port}")).unwrap();
        let err = fetch(&url, &Values::default()).await.unwrap_err();
        assert!(
            err.to_string().contains("speak TLS with 127.0.0.1"),
            "{err}"
        );
        assert!(err.hint().unwrap().contains("StartTLS"));
    }
}
