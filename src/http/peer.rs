//! Who is at the other end of a connection.

use axum::extract::connect_info::Connected;
use axum::serve::IncomingStream;
use tokio::net::UnixListener;

use crate::cluster::embedded::account;
use crate::engine::Actor;

/// The peer of a unix socket, by its credentials.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    /// User id; `None` when the kernel would not say.
    pub uid: Option<u32>,
}

impl Peer {
    /// The name that goes into the audit log.
    #[must_use]
    pub fn actor(self) -> Actor {
        match self.uid {
            Some(uid) => Actor(format!("uid {uid} ({})", account::name_of(uid))),
            None => Actor("an unknown peer".to_owned()),
        }
    }
}

impl Connected<IncomingStream<'_, UnixListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, UnixListener>) -> Self {
        Self {
            uid: stream.io().peer_cred().ok().map(|peer| peer.uid()),
        }
    }
}
