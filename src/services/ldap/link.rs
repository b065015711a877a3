//! The way to a directory: name, connection, encryption. Each step in its time.
//!
//! The library gets a pair of sockets of this process, behind which bytes are looked at before they go on: see `guard`.

use std::io;
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::rustls;
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::pki_types::ServerName;

use super::certificate::{self, Certificate, Distrust};
use super::error::DirectoryError;
use super::guard;
use super::reason::Answer;
use super::{Encryption, Endpoint};
use crate::services::ca::Witness;

/// Most addresses of a name that are tried.
const ADDRESSES_MAX: usize = 8;

/// Most bytes that one connection takes in: some thousand groups, with room.
const BYTES_MAX: u64 = 64 << 20;

/// Bytes that are read at once.
const PIECE: usize = 16 * 1024;

/// The extended request StartTLS as message 1 (RFC 4511 §4.14.1).
const START_TLS: &[u8; 31] = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037";

/// A connection that is ready for the library.
#[derive(Debug)]
pub(super) struct Link {
    /// The library's end.
    pub(super) stream: UnixStream,
    /// What was wrong with what came in, once something was.
    pub(super) fault: Fault,
    /// The protocol's version and the chain, where it is encrypted.
    pub(super) tls: Option<(String, Vec<Certificate>)>,
}

/// What was wrong with what came in.
pub(super) type Fault = Arc<OnceLock<guard::Fault>>;

/// The addresses of the directory.
pub(super) async fn resolve(
    at: &Endpoint,
    limit: Duration,
) -> Result<Vec<SocketAddr>, DirectoryError> {
    let failed = |source| DirectoryError::Resolve {
        host: at.host.clone(),
        source,
    };
    let looked = timeout(limit, tokio::net::lookup_host((at.host.as_str(), at.port))).await;
    let addresses: Vec<_> = looked
        .map_err(|_| DirectoryError::silent(at, "address from the name servers", limit))?
        .map_err(failed)?
        .take(ADDRESSES_MAX)
        .collect();
    if addresses.is_empty() {
        return Err(failed(io::Error::other("the name has no address")));
    }
    Ok(addresses)
}

/// A connection to the first of the addresses that takes one.
pub(super) async fn connect(
    at: &Endpoint,
    addresses: &[SocketAddr],
    limit: Duration,
) -> Result<TcpStream, DirectoryError> {
    let stream = timeout(limit, TcpStream::connect(addresses))
        .await
        .map_err(|_| DirectoryError::silent(at, "connection", limit))?
        .map_err(|source| DirectoryError::Connect {
            address: at.to_string(),
            source,
        })?;
    // Questions are small, and each is waited for; where it cannot be set, they are only slower.
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

/// Encrypts the connection as the settings say, and puts it before the library.
pub(super) async fn secure(
    at: &Endpoint,
    mut stream: TcpStream,
    verifier: Option<Arc<WebPkiServerVerifier>>,
    limit: Duration,
) -> Result<Link, DirectoryError> {
    if at.encryption == Encryption::Plain {
        return link(at, stream, None);
    }
    if at.encryption == Encryption::StartTls {
        timeout(limit, start_tls(at, &mut stream))
            .await
            .map_err(|_| DirectoryError::silent(at, "answer to StartTLS", limit))??;
    }
    let verifier = verifier.ok_or(DirectoryError::NoAuthority)?;
    let witness = Witness::of_authorities(verifier);
    let name = ServerName::try_from(at.host.clone())
        .map_err(|err| DirectoryError::handshake(at, io::Error::other(err)))?;
    let shaken = timeout(limit, witness.connector().connect(name, stream))
        .await
        .map_err(|_| DirectoryError::silent(at, "TLS handshake", limit))?;
    let chain = certificate::read(&witness.shown());
    match shaken {
        Ok(stream) => {
            let version = stream.get_ref().1.protocol_version();
            let version = version.map_or("TLS", |version| match version {
                rustls::ProtocolVersion::TLSv1_3 => "TLS 1.3",
                _ => "TLS 1.2",
            });
            link(at, stream, Some((version.to_owned(), chain)))
        }
        Err(source) => Err(not_shaken(at, source, chain)),
    }
}

fn not_shaken(at: &Endpoint, source: io::Error, chain: Vec<Certificate>) -> DirectoryError {
    let inner = source
        .get_ref()
        .and_then(|err| err.downcast_ref::<rustls::Error>());
    match inner.and_then(Distrust::of) {
        Some(why) => DirectoryError::Certificate {
            address: at.to_string(),
            why,
            chain,
            ldaps: at.encryption == Encryption::Ldaps,
        },
        None => DirectoryError::handshake(at, source),
    }
}

/// Asks for encryption, and takes nothing but the answer: what came after it would have come from anybody.
async fn start_tls(at: &Endpoint, stream: &mut TcpStream) -> Result<(), DirectoryError> {
    let ended = |source| DirectoryError::ended(at, source);
    let garbled = |why: guard::Fault| DirectoryError::garbled(at, why);
    stream.write_all(START_TLS).await.map_err(ended)?;
    let mut bytes = Vec::new();
    let length = loop {
        if let Some(length) = guard::message(&bytes).map_err(garbled)? {
            break length;
        }
        if stream.read_buf(&mut bytes).await.map_err(ended)? == 0 {
            return Err(ended(io::ErrorKind::UnexpectedEof.into()));
        }
    };
    if length != bytes.len() {
        return Err(garbled("more came than the answer to StartTLS"));
    }
    match answer(&bytes).map_err(garbled)? {
        Answer { code: 0, .. } => Ok(()),
        answer => Err(DirectoryError::NoStartTls {
            address: at.to_string(),
            answer,
        }),
    }
}

/// The result in an extended response.
fn answer(message: &[u8]) -> Result<Answer, guard::Fault> {
    const EXTENDED_RESPONSE: u8 = 0x78;
    let (_, content, _) = guard::split(message)?;
    let (_, _, rest) = guard::split(content)?;
    let (tag, response, _) = guard::split(rest)?;
    if tag != EXTENDED_RESPONSE {
        return Err("the answer to StartTLS is something else");
    }
    let (_, code, rest) = guard::split(response)?;
    let (_, _, rest) = guard::split(rest)?;
    let (_, text, _) = guard::split(rest)?;
    Ok(Answer {
        code: code
            .iter()
            .take(4)
            .fold(0, |code, byte| code << 8 | u32::from(*byte)),
        text: String::from_utf8_lossy(text).into_owned(),
        referrals: Vec::new(),
    })
}

/// Puts a connection before the library. It ends when the library lets go of its end.
fn link(
    at: &Endpoint,
    stream: impl AsyncRead + AsyncWrite + Send + 'static,
    tls: Option<(String, Vec<Certificate>)>,
) -> Result<Link, DirectoryError> {
    let failed = |source| DirectoryError::ended(at, source);
    let (ours, theirs) = UnixStream::pair().map_err(failed)?;
    ours.set_nonblocking(true).map_err(failed)?;
    let ours = tokio::net::UnixStream::from_std(ours).map_err(failed)?;
    let fault = Fault::default();
    let told = fault.clone();
    tokio::spawn(async move {
        let (mut from, mut to) = tokio::io::split(stream);
        let (mut asked, answered) = ours.into_split();
        tokio::select! {
            // Whichever side ends first takes the other with it.
            _ = tokio::io::copy(&mut asked, &mut to) => {}
            judged = pass(&mut from, answered) => {
                if let Err(why) = judged {
                    let _ = told.set(why);
                }
            }
        }
    });
    Ok(Link {
        stream: theirs,
        fault,
        tls,
    })
}

/// Passes whole messages on, until there are no more or one is none.
async fn pass(
    from: &mut (impl AsyncRead + Unpin),
    mut to: impl AsyncWrite + Unpin,
) -> Result<(), guard::Fault> {
    let mut from = from.take(BYTES_MAX);
    let mut bytes = Vec::with_capacity(PIECE);
    loop {
        match from.read_buf(&mut bytes).await {
            Ok(0) if from.limit() == 0 => return Err("more came than any answer needs"),
            // The library sees that there is no more.
            Ok(0) | Err(_) => return Ok(()),
            Ok(_) => {}
        }
        let mut done = 0;
        while let Some(length) = guard::message(&bytes[done..])? {
            done += length;
        }
        if to.write_all(&bytes[..done]).await.is_err() {
            return Ok(());
        }
        bytes.drain(..done);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_to_starttls_is_read() {
        let yes = [0x30, 0x0c, 2, 1, 1, 0x78, 7, 10, 1, 0, 4, 0, 4, 0];
        assert_eq!(answer(&yes).unwrap().code, 0);
        let no = [
            0x30, 0x0e, 2, 1, 1, 0x78, 9, 10, 1, 2, 4, 0, 4, 2, b'n', b'o',
        ];
        let no = answer(&no).unwrap();
        assert_eq!((no.code, no.text.as_str()), (2, "no"));
        let bind = [0x30, 0x0c, 2, 1, 1, 0x61, 7, 10, 1, 0, 4, 0, 4, 0];
        assert!(answer(&bind).is_err());
        assert!(answer(&bind[..4]).is_err());
    }

    #[test]
    fn the_question_for_starttls_is_a_message() {
        assert_eq!(guard::message(START_TLS), Ok(Some(START_TLS.len())));
    }

    #[tokio::test]
    async fn only_whole_messages_are_passed_on() {
        let bind = [0x30, 0x0c, 2, 1, 1, 0x61, 7, 10, 1, 0, 4, 0, 4, 0];
        let sent = [&bind[..], &bind[..5]].concat();
        let mut out = Vec::new();
        assert_eq!(pass(&mut &sent[..], &mut out).await, Ok(()));
        assert_eq!(out, bind);
        let mut out = Vec::new();
        let sent = [&bind[..], b"HTTP/1.1"].concat();
        assert!(pass(&mut &sent[..], &mut out).await.is_err());
    }
}
