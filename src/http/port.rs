//! The door to the network: TCP, TLS, and the bounds on what comes before anybody is known.
//!
//! Whoever connects may be anybody. A handshake and the head of a request have to come within their times, and an
//! address has so many connections and no more: one that takes all it gets leaves enough for others. Which certificate
//! a handshake shows is asked when it begins, so another one is swapped in while connections go on.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::ConnectInfo;
use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::peer::Peer;
use super::sign_in::Protected;
use crate::access::Origin;
use crate::engine::{Handle, Refusal};
use crate::services::certificates::{Certificates, Place};

/// Time for a handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Time for the head of a request, and the longest silence between two.
const HEAD: Duration = Duration::from_secs(30);

/// Size of a request's head, in bytes.
const HEAD_MAX: usize = 64 * 1024;

/// Headers of a request.
const HEADERS_MAX: usize = 64;

/// Connections to the port of consoles: a console takes five, and each some 40 KB.
pub(super) const CONSOLES: Bounds = Bounds {
    each: 64,
    all: 1024,
};

/// Connections to the public addresses: behind one address may be an office, or the balancer that everybody comes by.
pub(super) const PUBLIC: Bounds = Bounds {
    each: 512,
    all: 2048,
};

/// How many connections there may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Of one address.
    pub each: usize,
    /// Altogether.
    pub all: usize,
}

/// First byte of a handshake of TLS.
const HELLO: u8 = 0x16;

/// Said to a client that speaks no TLS.
const PLAIN: &str = "This port speaks TLS only: the address begins with https://\n";

/// A port that is listened on.
pub(super) struct Port {
    pub listener: TcpListener,
    pub certificates: Certificates,
    pub place: Place,
    pub app: Router,
    /// What answers who speaks no TLS; without it they are told to.
    pub plain: Option<Router>,
    pub seats: Arc<Seats>,
    pub handle: Handle,
}

/// A connection on which requests may come.
enum Begun {
    Tls(Box<TlsStream<TcpStream>>),
    Plain(TcpStream),
}

impl Port {
    /// Serves until it is dropped; so do the connections.
    pub(super) async fn serve(self) {
        let mut connections = tokio::task::JoinSet::new();
        loop {
            while connections.try_join_next().is_some() {}
            let (stream, from) = match self.listener.accept().await {
                Ok(accepted) => accepted,
                Err(err) => {
                    // Out of descriptors, mostly: those that are open have to end first.
                    tracing::warn!(error = %err, "a connection could not be taken");
                    tokio::time::sleep(Duration::from_millis(200)).await;
                    continue;
                }
            };
            let Some(seat) = Seats::take(&self.seats, from.ip().into()) else {
                drop(stream);
                let refusal = refusal(from, "too many connections from there, or altogether");
                let handle = self.handle.clone();
                connections.spawn(async move { handle.refused(refusal).await });
                continue;
            };
            let acceptor = self.certificates.config(self.place).map(TlsAcceptor::from);
            let (app, plain) = (self.app.clone(), self.plain.clone());
            connections.spawn(async move {
                let _seat = seat;
                let begun = timeout(HANDSHAKE, begin(stream, acceptor, plain.is_some())).await;
                match (begun, plain) {
                    (Ok(Some(Begun::Tls(stream))), _) => {
                        talk(*stream, from, app.layer(Extension(Protected))).await;
                    }
                    (Ok(Some(Begun::Plain(stream))), Some(plain)) => {
                        talk(stream, from, plain).await;
                    }
                    _ => {}
                }
            });
        }
    }
}

fn refusal(from: SocketAddr, why: &str) -> Refusal {
    Refusal {
        who: from.ip().to_canonical().to_string(),
        what: "connection".to_owned(),
        why: why.to_owned(),
        from: String::new(),
    }
}

/// TLS on a connection, or none where that is spoken too; `None` when the other end does not get that far.
async fn begin(
    mut stream: TcpStream,
    acceptor: Option<TlsAcceptor>,
    speaks_plain: bool,
) -> Option<Begun> {
    // Answers are whole: nothing is gained by waiting for more to send.
    let _ = stream.set_nodelay(true);
    let mut first = [0];
    if stream.peek(&mut first).await.ok()? == 0 {
        return None;
    }
    if first[0] != HELLO {
        if speaks_plain {
            return Some(Begun::Plain(stream));
        }
        // What it asks is read, so that the answer is not thrown away with it.
        let _ = stream.read(&mut [0; 4096]).await;
        let length = PLAIN.len();
        let answer = format!(
            "HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{PLAIN}"
        );
        let _ = stream.write_all(answer.as_bytes()).await;
        let _ = stream.shutdown().await;
        return None;
    }
    match acceptor?.accept(stream).await {
        Ok(stream) => Some(Begun::Tls(Box::new(stream))),
        Err(err) => {
            tracing::debug!(error = %err, "a handshake failed");
            None
        }
    }
}

/// Requests and answers until either end has enough.
async fn talk<S>(stream: S, from: SocketAddr, app: Router)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let peer = Peer::Address(from.ip().to_canonical());
    let app = app.layer(Extension(ConnectInfo(peer)));
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(HEAD_MAX)
        .max_headers(HEADERS_MAX)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(app))
        .await;
    if let Err(err) = served {
        tracing::debug!(error = %err, "a connection broke");
    }
}

/// Connections by where they come from.
#[derive(Debug)]
pub(super) struct Seats {
    taken: Mutex<HashMap<Origin, usize>>,
    bounds: Bounds,
}

/// One of them; free again when dropped.
struct Seat {
    seats: Arc<Seats>,
    origin: Origin,
}

impl Seats {
    pub(super) fn new(bounds: Bounds) -> Arc<Self> {
        Arc::new(Self {
            taken: Mutex::default(),
            bounds,
        })
    }

    fn take(seats: &Arc<Self>, origin: Origin) -> Option<Seat> {
        let bounds = seats.bounds;
        let mut taken = seats.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = taken.values().sum();
        let own = taken.get(&origin).copied().unwrap_or(0);
        if own >= bounds.each || all >= bounds.all {
            return None;
        }
        taken.insert(origin, own + 1);
        drop(taken);
        Some(Seat {
            seats: seats.clone(),
            origin,
        })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self
            .seats
            .taken
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = taken.get_mut(&self.origin) {
            *own -= 1;
            if *own == 0 {
                taken.remove(&self.origin);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_its_seats_and_leaves_the_others_theirs() {
        let seats = Seats::new(CONSOLES);
        let (one, two) = (Origin::V4([192, 0, 2, 1]), Origin::V4([192, 0, 2, 2]));
        let mut taken: Vec<_> = (0..CONSOLES.each)
            .map(|_| Seats::take(&seats, one).unwrap())
            .collect();
        assert!(Seats::take(&seats, one).is_none());
        assert!(Seats::take(&seats, two).is_some());
        taken.pop();
        assert!(Seats::take(&seats, one).is_some(), "one has become free");
        drop(taken);
        assert!(seats.taken.lock().unwrap().is_empty());
    }
}
