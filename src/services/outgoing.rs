//! Connections to the outside: the one way in which everything of Roundel that speaks HTTP to others gets its client.
//!
//! The settings alone say which way it goes (`services::proxy`) and whom it trusts (`services::ca`). The environment says
//! nothing: what a shell has set for other programs must not lead this server's requests and tokens elsewhere.

use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, Proxy};

use super::ca;
use super::proxy::{ProxyError, Routes, Way};
use crate::error::{Explain, Kind};
use crate::settings::value::Values;

/// Time for a connection to stand, with name, proxy and TLS.
const CONNECT: Duration = Duration::from_secs(10);

/// Time without a byte of an answer.
const SILENCE: Duration = Duration::from_secs(30);

/// Time for a whole request with its answer. Who downloads more asks for longer with `RequestBuilder::timeout`.
const WHOLE: Duration = Duration::from_secs(60);

/// Times that an answer may point elsewhere.
const REDIRECTS: usize = 5;

/// Time for which a connection that nobody uses is kept.
const IDLE: Duration = Duration::from_secs(30);

/// Why nothing can be asked of the outside.
#[derive(Debug, thiserror::Error)]
pub enum OutgoingError {
    /// The way there.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    /// The library refuses.
    #[error("no HTTP client can be made")]
    Client(#[source] reqwest::Error),
}

impl Explain for OutgoingError {
    fn kind(&self) -> Kind {
        match self {
            OutgoingError::Proxy(err) => err.kind(),
            OutgoingError::Client(_) => Kind::Internal,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            OutgoingError::Proxy(err) => err.hint(),
            OutgoingError::Client(_) => None,
        }
    }
}

/// A client by these settings. It is as they were: who keeps one makes another when they change. Blocks for as long as
/// reading the system's authorities takes.
///
/// # Errors
/// When the proxy's address cannot be read: nothing goes out past it then.
pub fn client(values: &Values) -> Result<Client, OutgoingError> {
    let routes = Routes::of(values)?;
    let mut builder = Client::builder()
        .no_proxy()
        .tls_backend_preconfigured(ca::client_config(values))
        .user_agent(concat!("roundel/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT)
        .read_timeout(SILENCE)
        .timeout(WHOLE)
        .pool_idle_timeout(IDLE)
        .redirect(Policy::limited(REDIRECTS));
    if let Some(address) = routes.address().cloned() {
        let sign_in = address.sign_in.clone();
        // The address without its password: an error may tell it. The password goes along as a header of its own.
        let plain = address.plain();
        let mut proxy = Proxy::custom(move |url| match routes.way(url) {
            Way::Proxy { .. } => Some(plain.clone()),
            Way::Direct { .. } => None,
        });
        if let Some(who) = sign_in {
            proxy = proxy.basic_auth(&who.user, who.password.expose());
        }
        builder = builder.proxy(proxy);
    }
    builder.build().map_err(OutgoingError::Client)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_made_with_and_without_a_proxy_and_never_past_one() {
        assert!(client(&Values::typed(&[])).is_ok());
        assert!(client(&Values::typed(&[("proxy.url", "http://ann:hunter2@p:1")])).is_ok());
        let err = client(&Values::typed(&[("proxy.url", "p:1")])).unwrap_err();
        assert_eq!(err.kind(), Kind::Usage);
    }
}
