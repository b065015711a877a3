//! Who is at the other end of a connection.

use std::net::IpAddr;

use axum::extract::connect_info::Connected;
use axum::serve::IncomingStream;
use tokio::net::UnixListener;

/// The other end of a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Peer {
    /// On the unix socket, by the credentials that the kernel tells.
    Socket {
        /// User id; `None` when the kernel would not say.
        uid: Option<u32>,
    },
    /// Over the network.
    Address(IpAddr),
}

impl Connected<IncomingStream<'_, UnixListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, UnixListener>) -> Self {
        Self::Socket {
            uid: stream.io().peer_cred().ok().map(|peer| peer.uid()),
        }
    }
}
