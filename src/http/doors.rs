//! The addresses that a server listens on: that of consoles, by TLS alone, and the public ones, where the settings say
//! whether TLS is asked for. Opens them, and keeps their certificates those of the settings.
//!
//! A public address speaks both: who begins a handshake gets one, and who does not is answered, or sent to `https://`
//! while `privacy.ssl_only` is on.

use std::net::{Ipv6Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::port::{self, Port, Seats};
use super::router::{Server, router};
use super::serve::ServeError;
use crate::api::Network;
use crate::clock;
use crate::services::certificates::{Certificates, Place, Served};
use crate::services::tls;
use crate::settings::value::Values;

/// The port that `https://` means where none is said.
const HTTPS: u16 = 443;

/// What is listened on, before anything is served there.
#[derive(Debug, Default)]
pub(super) struct Doors {
    console: Option<TcpListener>,
    public: Vec<TcpListener>,
    own: Option<Served>,
    /// Where consoles come in.
    pub network: Option<Network>,
    /// The public addresses.
    pub addresses: Vec<String>,
}

impl Doors {
    /// Opens them, with the certificate of the data directory to begin with.
    pub(super) async fn open(
        data: &Path,
        console: Option<SocketAddr>,
        public: &[SocketAddr],
        host: &str,
    ) -> Result<Self, ServeError> {
        let mut doors = Self::default();
        if console.is_none() && public.is_empty() {
            return Ok(doors);
        }
        let identity = tls::identity(data, host)?;
        doors.own = Served::own(&identity).ok();
        if let Some(address) = console {
            let (listener, address) = bind(address).await?;
            let network = Network {
                address,
                fingerprint: identity.fingerprint.to_string(),
            };
            tracing::info!(address = %network.address, fingerprint = %network.fingerprint, "listening, by TLS");
            doors.console = Some(listener);
            doors.network = Some(network);
        }
        for address in public {
            let (listener, address) = bind(*address).await?;
            tracing::info!(%address, "listening for everybody");
            doors.public.push(listener);
            doors.addresses.push(address);
        }
        Ok(doors)
    }

    /// Serves on all of them until what it answers is dropped.
    pub(super) fn serve(self, server: &Server) -> tokio::task::JoinSet<()> {
        let mut served = tokio::task::JoinSet::new();
        let certificates = server.view.certificates.clone();
        let Some(own) = self.own else { return served };
        if self.console.is_some() {
            certificates.open(Place::Console, own.clone());
        }
        if !self.public.is_empty() {
            certificates.open(Place::Public, own);
        }
        let values = server.view.values.clone();
        certificates.follow(&values.borrow(), clock::now());
        served.spawn(follow(certificates.clone(), values.clone()));
        let app = router(server.clone(), false);
        if let Some(listener) = self.console {
            let port = Port {
                listener,
                certificates: certificates.clone(),
                place: Place::Console,
                app: app.clone(),
                plain: None,
                seats: Seats::new(port::CONSOLES),
                handle: server.handle.clone(),
            };
            served.spawn(port.serve());
        }
        let seats = Seats::new(port::PUBLIC);
        let first = self.public.first().and_then(|one| one.local_addr().ok());
        let guard = Guard {
            values,
            port: first.map_or(HTTPS, |address| address.port()),
        };
        let plain = app
            .clone()
            .layer(middleware::from_fn_with_state(guard, by_tls));
        for listener in self.public {
            let port = Port {
                listener,
                certificates: certificates.clone(),
                place: Place::Public,
                app: app.clone(),
                plain: Some(plain.clone()),
                seats: seats.clone(),
                handle: server.handle.clone(),
            };
            served.spawn(port.serve());
        }
        served
    }
}

async fn bind(address: SocketAddr) -> Result<(TcpListener, String), ServeError> {
    let failed = |source| ServeError::Port { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?.to_string();
    Ok((listener, address))
}

/// Swaps certificates as settings are saved.
async fn follow(certificates: Certificates, mut values: watch::Receiver<Arc<Values>>) {
    // An end of the engine is an end of the server.
    while values.changed().await.is_ok() {
        let now = values.borrow_and_update().clone();
        certificates.follow(&now, clock::now());
    }
}

/// What requests without TLS meet.
#[derive(Clone)]
struct Guard {
    values: watch::Receiver<Arc<Values>>,
    /// Where TLS is spoken, as those outside know it.
    port: u16,
}

/// Sends who comes without TLS to where it is spoken, while nothing else is allowed. `/health` says no more than well
/// or not, and is answered: balancers ask it so.
async fn by_tls(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let hostname = {
        let values = guard.values.borrow();
        if !values.on("privacy.ssl_only") || request.uri().path() == "/health" {
            None
        } else {
            Some(values.text("hostname"))
        }
    };
    let Some(hostname) = hostname else {
        return next.run(request).await;
    };
    let asked = request.headers().get(header::HOST);
    let asked = asked.and_then(|host| host.to_str().ok());
    let path = request.uri().path_and_query();
    let path = path.map_or("/", |path| path.as_str());
    let location = location(&hostname, asked, guard.port, path);
    match location.and_then(|text| HeaderValue::from_str(&text).ok()) {
        // Not for ever: a browser would keep to it when the setting is off again.
        Some(to) => (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, to)]).into_response(),
        None => (StatusCode::BAD_REQUEST, "This address speaks TLS only.\n").into_response(),
    }
}

/// The same by TLS: at the hostname of the settings, else at the name that was asked.
fn location(hostname: &str, asked: Option<&str>, port: u16, path: &str) -> Option<String> {
    let host = if hostname.is_empty() {
        asked?.parse::<Authority>().ok()?.host().to_owned()
    } else if hostname.parse::<Ipv6Addr>().is_ok() {
        format!("[{hostname}]")
    } else {
        hostname.to_owned()
    };
    let port = match port {
        HTTPS => String::new(),
        port => format!(":{port}"),
    };
    Some(format!("https://{host}{port}{path}"))
}

/// Everything of a server that has to do with its addresses, as it is now.
pub(super) fn network(server: &Server) -> Option<Network> {
    let network = server.hello.network.clone()?;
    let fingerprint = match server.view.certificates.at(Place::Console) {
        Some(standing) => standing.facts.fingerprint.to_string(),
        None => network.fingerprint,
    };
    Some(Network {
        fingerprint,
        ..network
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_leads_to_the_hostname_or_to_the_name_that_was_asked() {
        for (hostname, asked, port, path, to) in [
            (
                "ci.example.com",
                Some("x:80"),
                443,
                "/a?b=c",
                "https://ci.example.com/a?b=c",
            ),
            (
                "ci.example.com",
                None,
                8443,
                "/",
                "https://ci.example.com:8443/",
            ),
            ("2001:db8::1", None, 443, "/", "https://[2001:db8::1]/"),
            (
                "",
                Some("ci.example.com:80"),
                443,
                "/",
                "https://ci.example.com/",
            ),
            ("", Some("[::1]:80"), 8443, "/", "https://[::1]:8443/"),
            (
                "",
                Some("ci.example.com"),
                443,
                "//evil.example.com",
                "https://ci.example.com//evil.example.com",
            ),
        ] {
            assert_eq!(location(hostname, asked, port, path).as_deref(), Some(to));
        }
        for asked in [None, Some(""), Some("a b"), Some("a/b")] {
            assert_eq!(location("", asked, 443, "/"), None, "{asked:?}");
        }
    }
}
