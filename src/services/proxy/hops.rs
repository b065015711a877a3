//! A URL is reached hop by hop, each hop a step that says what it met: which way, names, connections, the proxy's word, TLS
//! with its chain, and the answer. What fails names its own fix.
//!
//! Speaks for itself, and not by the client that everything else goes by: that one tells only whether it came through.
//! Passwords go to the proxy alone.

mod tls;

use std::fmt::Display;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Request, Response, StatusCode, body::Incoming};
use hyper_util::rt::TokioIo;
use reqwest::Url;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{Address, Routes, Way, without_passwords};
use crate::error::{Chain, Explain, Kind};
use crate::sanitise::line;
use crate::services::trial::{self, Ask, Trial};
use crate::settings::value::Values;

/// Time for a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// Time for a handshake.
const HANDSHAKE: Duration = Duration::from_secs(15);
/// Time for an answer: a proxy tries to reach its host for as long, a minute as squid comes.
const ANSWER: Duration = Duration::from_secs(65);
/// Addresses of one name that are tried.
const ADDRESSES: usize = 4;
/// Most bytes of a header that are told.
const TOLD: usize = 200;

/// The key of the proxy's address.
const URL: Option<&str> = Some("proxy.url");
/// The key of what is reached directly.
const DIRECT: Option<&str> = Some("proxy.no_proxy");

/// A connection, whatever lies below it.
pub trait Line: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Line for T {}
type Boxed = Box<dyn Line>;

/// A step that failed.
#[derive(Debug)]
pub struct Failed {
    /// Its name: `proxy connect`.
    pub name: &'static str,
    /// What sort of failure it is.
    pub kind: Kind,
    /// The setting at fault, where it is one.
    pub field: Option<&'static str>,
    /// What was seen.
    pub found: String,
    /// What to do.
    pub fix: String,
}

impl Failed {
    fn new(name: &'static str, kind: Kind, found: impl Into<String>, fix: &str) -> Self {
        Self {
            name,
            kind,
            field: None,
            found: found.into(),
            fix: fix.to_owned(),
        }
    }

    fn at(self, field: Option<&'static str>) -> Self {
        Self { field, ..self }
    }
}

/// Reaches the URL that is the word `url`, by the way that the settings say; without one, where the repositories are.
pub async fn test(ask: &Ask, trial: &mut Trial) {
    if let Err(step) = hops(ask, trial).await {
        trial
            .failed(step.name, step.kind, step.field, step.found, step.fix)
            .await;
    }
}

/// The URL to reach.
fn wanted(ask: &Ask) -> Result<Url, Failed> {
    let given = match ask.word("url") {
        Some(url) => url.trim().to_owned(),
        None if ask.values.text("ghe_type") == "github_type_enterprise" => {
            ask.values.text("ghe_domain")
        }
        None => "github.com".to_owned(),
    };
    let whole = if given.contains("://") {
        given.clone()
    } else {
        format!("https://{given}")
    };
    let failed = |why: &dyn Display| {
        let shown = without_passwords(&line(&given));
        let found = format!("`{shown}` cannot be reached: {why}");
        let fix = "give a URL as https://host/path";
        Failed::new("way", Kind::Usage, found, fix)
    };
    let url = Url::parse(&whole).map_err(|err| failed(&err))?;
    if !["http", "https"].contains(&url.scheme()) {
        return Err(failed(&format!(
            "only http and https, not `{}`",
            url.scheme()
        )));
    }
    url.host_str()
        .filter(|host| !host.is_empty())
        .ok_or_else(|| failed(&"it names no host"))?;
    Ok(url)
}

async fn hops(ask: &Ask, trial: &mut Trial) -> Result<(), Failed> {
    let url = wanted(ask)?;
    let routes = Routes::of(&ask.values).map_err(|err| {
        let fix = err.hint().unwrap_or_default();
        Failed::new("way", err.kind(), Chain(&err).to_string(), &fix).at(URL)
    })?;
    let way = routes.way(&url);
    trial.ok("way", way.told()).await;
    let mut line = reach(&url, &routes, &way, &ask.values, trial).await?;
    let proxy = match way {
        Way::Proxy { address, .. } => Some(address),
        Way::Direct { .. } => None,
    };
    let secure = url.scheme() == "https";
    if secure {
        line = tls::open("tls", bare(&url), None, line, &ask.values, trial).await?;
    }
    // The proxy of a tunnel sees nothing of what is asked through it.
    status(&url, proxy.filter(|_| !secure), line, trial).await
}

/// A connection by this way, of `routes`: to the host of the URL, by a tunnel where it goes by the proxy; for `http:` to the
/// proxy itself, which is asked in the open.
///
/// # Errors
/// The hop that failed.
pub async fn reach(
    url: &Url,
    routes: &Routes,
    way: &Way,
    values: &Values,
    trial: &mut Trial,
) -> Result<Boxed, Failed> {
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().unwrap_or(443);
    let Way::Proxy { address, .. } = way else {
        let bypassed = routes.address().is_some();
        return to_host(bare(url), port, bypassed, trial).await;
    };
    let mut line = to_proxy(address, trial).await?;
    if address.tls {
        line = tls::open("proxy tls", &address.host, URL, line, values, trial).await?;
    }
    match url.scheme() {
        "http" => Ok(line),
        _ => tunnel(address, &format!("{host}:{port}"), line, trial).await,
    }
}

/// The host of a URL, an address of IPv6 without its brackets.
pub(in crate::services) fn bare(url: &Url) -> &str {
    let host = url.host_str().unwrap_or_default();
    host.trim_start_matches('[').trim_end_matches(']')
}

async fn to_host(
    host: &str,
    port: u16,
    bypassed: bool,
    trial: &mut Trial,
) -> Result<Boxed, Failed> {
    let (field, fix) = if bypassed {
        (
            DIRECT,
            "where only the proxy reaches it, take what covers it out of proxy.no_proxy",
        )
    } else {
        (
            URL,
            "see whether the name is right and the host is up; where only a proxy gets out, set proxy.url",
        )
    };
    let failed =
        |name, found: String| Failed::new(name, Kind::Infrastructure, found, fix).at(field);
    let addresses = resolve(host, port)
        .await
        .map_err(|found| failed("resolve", found))?;
    trial.ok("resolve", listed(host, &addresses)).await;
    let (line, address) = connect(&addresses)
        .await
        .map_err(|found| failed("connect", found))?;
    trial.ok("connect", format!("connected to {address}")).await;
    Ok(line)
}

async fn to_proxy(address: &Address, trial: &mut Trial) -> Result<Boxed, Failed> {
    let failed =
        |name, found: String, fix| Failed::new(name, Kind::Infrastructure, found, fix).at(URL);
    let addresses = resolve(&address.host, address.port)
        .await
        .map_err(|found| {
            failed(
                "proxy resolve",
                found,
                "correct the host in proxy.url, or enter its name in DNS",
            )
        })?;
    trial
        .ok("proxy resolve", listed(&address.host, &addresses))
        .await;
    let (line, at) = connect(&addresses).await.map_err(|found| {
        failed(
            "proxy connect",
            found,
            "start the proxy, let this machine reach it, or correct proxy.url",
        )
    })?;
    trial
        .ok("proxy connect", format!("connected to {at}"))
        .await;
    Ok(line)
}

async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, String> {
    let mut addresses = trial::resolve(host, port).await?;
    addresses.truncate(ADDRESSES);
    Ok(addresses)
}

fn listed(host: &str, addresses: &[SocketAddr]) -> String {
    let mut texts: Vec<String> = addresses.iter().map(|one| one.ip().to_string()).collect();
    texts.dedup();
    if texts == [host] {
        format!("{host} is an address")
    } else {
        format!("{host} is {}", texts.join(", "))
    }
}

/// Connects to the first address that answers.
async fn connect(addresses: &[SocketAddr]) -> Result<(Boxed, SocketAddr), String> {
    let mut why = Vec::new();
    for address in addresses {
        match timeout(CONNECT, TcpStream::connect(address)).await {
            Ok(Ok(line)) => return Ok((Box::new(line), *address)),
            Ok(Err(err)) => why.push(format!("{address}: {err}")),
            Err(_) => why.push(format!(
                "{address}: no answer within {} s",
                CONNECT.as_secs()
            )),
        }
    }
    Err(why.join("; "))
}

/// Asks over a connection; answers the answer's head, with the body unread.
async fn ask_over(
    line: Boxed,
    request: Request<Empty<Bytes>>,
) -> Result<Response<Incoming>, String> {
    let exchange = async {
        let (mut sender, connection) = http1::handshake(TokioIo::new(line)).await?;
        // Ends with the sender, or with the tunnel that it becomes.
        tokio::spawn(connection.with_upgrades());
        sender.send_request(request).await
    };
    match timeout(ANSWER, exchange).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(err)) => Err(format!("the connection broke off: {}", Chain(&err))),
        Err(_) => Err(format!("no answer within {} s", ANSWER.as_secs())),
    }
}

/// Has the proxy make a tunnel (RFC 9110 §9.3.6).
async fn tunnel(
    address: &Address,
    authority: &str,
    line: Boxed,
    trial: &mut Trial,
) -> Result<Boxed, Failed> {
    const NAME: &str = "tunnel";
    let failed = |found: String, fix| Failed::new(NAME, Kind::Infrastructure, found, fix).at(URL);
    let mut request = Request::connect(authority)
        .header(header::HOST, authority)
        .body(Empty::new())
        .map_err(|err| {
            failed(
                format!("`{authority}` cannot be asked for: {err}"),
                "correct the URL",
            )
        })?;
    sign(address, request.headers_mut());
    let fix = "see whether proxy.url names an HTTP proxy, and its protocol";
    let answer = ask_over(line, request)
        .await
        .map_err(|found| failed(found, fix))?;
    if !answer.status().is_success() {
        return Err(refusal(NAME, address, authority, &answer));
    }
    let found = format!("CONNECT {authority}: {}", answer.status());
    let upgraded = timeout(HANDSHAKE, hyper::upgrade::on(answer)).await;
    let upgraded = match upgraded {
        Ok(Ok(upgraded)) => upgraded,
        Ok(Err(err)) => return Err(failed(Chain(&err).to_string(), fix)),
        Err(_) => return Err(failed("the tunnel was never made".to_owned(), fix)),
    };
    trial.ok(NAME, found).await;
    Ok(Box::new(TokioIo::new(upgraded)))
}

fn sign(address: &Address, headers: &mut HeaderMap) {
    let value = address.authorization();
    let value = value.and_then(|value| HeaderValue::from_str(value.expose()).ok());
    if let Some(mut value) = value {
        value.set_sensitive(true);
        headers.insert(header::PROXY_AUTHORIZATION, value);
    }
}

/// What the proxy has against it, and what to do.
fn refusal(
    name: &'static str,
    address: &Address,
    authority: &str,
    answer: &Response<Incoming>,
) -> Failed {
    let status = answer.status();
    let said = match own_words(answer.headers()) {
        Some(words) => format!("{status} ({words})"),
        None => status.to_string(),
    };
    match status {
        StatusCode::PROXY_AUTHENTICATION_REQUIRED if address.sign_in.is_none() => Failed::new(
            name,
            Kind::Refused,
            format!("{said}: the proxy wants to know who asks"),
            "put user and password into proxy.url: http://user:password@host:port",
        )
        .at(URL),
        StatusCode::PROXY_AUTHENTICATION_REQUIRED => Failed::new(
            name,
            Kind::Refused,
            format!("{said}: the proxy does not take this user and password"),
            "correct user and password in proxy.url",
        )
        .at(URL),
        StatusCode::FORBIDDEN => Failed::new(
            name,
            Kind::Refused,
            format!("{said}: the proxy does not let {authority} be reached"),
            "have it allowed on the proxy; what is reached without it belongs into proxy.no_proxy",
        ),
        StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => {
            Failed::new(
                name,
                Kind::Infrastructure,
                format!("{said}: the proxy does not reach {authority}"),
                "see whether the name is right and the host is up, from where the proxy is",
            )
        }
        StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED => Failed::new(
            name,
            Kind::Infrastructure,
            format!("{said}: the proxy makes no tunnels"),
            "have CONNECT allowed on the proxy, or name another in proxy.url",
        )
        .at(URL),
        _ => Failed::new(
            name,
            Kind::Infrastructure,
            format!("{said}: the proxy answered so"),
            "look into the proxy's log",
        )
        .at(URL),
    }
}

/// What a proxy says of its own refusal: squid's error, RFC 9209, how it wants to be told who asks.
fn own_words(headers: &HeaderMap) -> Option<String> {
    let names = ["x-squid-error", "proxy-status", "proxy-authenticate"];
    names.iter().find_map(|name| told(headers, name))
}

fn told(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = headers.get(name)?;
    let text = String::from_utf8_lossy(value.as_bytes());
    Some(line(&text).chars().take(TOLD).collect())
}

/// Asks for the URL itself; `proxy`: the one that is asked for it in the open.
async fn status(
    url: &Url,
    proxy: Option<Address>,
    line: Boxed,
    trial: &mut Trial,
) -> Result<(), Failed> {
    const NAME: &str = "status";
    let host = match (url.host_str().unwrap_or_default(), url.port()) {
        (host, Some(port)) => format!("{host}:{port}"),
        (host, None) => host.to_owned(),
    };
    let mut target = url.path().to_owned();
    if let Some(query) = url.query() {
        target = format!("{target}?{query}");
    }
    if proxy.is_some() {
        target = format!("{}://{host}{target}", url.scheme());
    }
    let failed = |found: String, fix| Failed::new(NAME, Kind::Infrastructure, found, fix);
    let mut request = Request::get(target)
        .header(header::HOST, &host)
        .header(
            header::USER_AGENT,
            concat!("roundel/", env!("CARGO_PKG_VERSION")),
        )
        .header(header::CONNECTION, "close")
        .body(Empty::new())
        .map_err(|err| failed(format!("it cannot be asked for: {err}"), "correct the URL"))?;
    if let Some(address) = &proxy {
        sign(address, request.headers_mut());
    }
    let fix = "see whether what listens there speaks HTTP";
    let answer = ask_over(line, request)
        .await
        .map_err(|found| failed(found, fix))?;
    let status = answer.status();
    if let Some(address) = &proxy {
        let is_its_own = status == StatusCode::PROXY_AUTHENTICATION_REQUIRED
            || (!status.is_success() && own_words(answer.headers()).is_some());
        if is_its_own {
            return Err(refusal(NAME, address, &host, &answer));
        }
    }
    let found = match told(answer.headers(), "via") {
        Some(via) => format!("{host} answers {status}, by way of {via}"),
        None => format!("{host} answers {status}"),
    };
    if status.is_client_error() || status.is_server_error() {
        let fix = "the way there is right: it is the host that answers so";
        trial.warning(NAME, None, found, fix).await;
    } else {
        trial.ok(NAME, found).await;
    }
    Ok(())
}
