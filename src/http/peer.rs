//! Who is at the other end of a connection.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::connect_info::Connected;
use axum::serve::IncomingStream;
use tokio::net::UnixListener;

use crate::access::Origin;
use crate::cluster::embedded::account;

/// The other end of a connection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Peer {
    /// On the unix socket, by the credentials that the kernel tells.
    Socket {
        /// User id; `None` when the kernel would not say.
        uid: Option<u32>,
        /// What the account is called in the audit log: looked up once for a connection, not for each of its requests.
        name: Arc<str>,
    },
    /// Over the network.
    Address(IpAddr),
}

impl Peer {
    /// Where it is, for the limits on wrong sign-ins, and the same in words.
    pub(super) fn place(&self) -> (Origin, String) {
        match self {
            Peer::Socket { name, .. } => (Origin::Socket, name.to_string()),
            Peer::Address(address) => ((*address).into(), address.to_string()),
        }
    }
}

impl Connected<IncomingStream<'_, UnixListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, UnixListener>) -> Self {
        let uid = stream.io().peer_cred().ok().map(|peer| peer.uid());
        let name = match uid {
            Some(uid) => format!("uid {uid} ({})", account::name_of(uid)),
            None => "an unknown peer".to_owned(),
        };
        Self::Socket {
            uid,
            name: name.into(),
        }
    }
}
