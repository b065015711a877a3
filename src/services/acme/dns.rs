//! What DNS shows as TXT records of a name: a question to the system's servers, or to one that was named (RFC 1035).
//!
//! What comes back decides no more than how long is waited.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

/// The port of DNS.
pub(super) const PORT: u16 = 53;

/// Time for an answer; another server is asked after it.
const PATIENCE: Duration = Duration::from_secs(3);

/// Servers that are asked, as a resolver does (resolv.conf(5)).
const SERVERS_MAX: usize = 3;

/// Largest answer: the length that comes before one over TCP has two bytes.
const ANSWER_MAX: usize = u16::MAX as usize;

/// Records that are looked at.
const RECORDS_MAX: u16 = 200;

const TXT: u16 = 16;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum DnsError {
    #[error("`{0}` is no name in DNS")]
    Name(String),
    #[error("no DNS server answers: {0}")]
    Silent(String),
    #[error("the DNS server refuses to answer (code {0})")]
    Refused(u8),
    #[error("the DNS server's answer cannot be read")]
    Garbled,
}

/// The servers of the system.
pub(super) fn servers() -> Vec<SocketAddr> {
    of_file(&std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default())
}

fn of_file(text: &str) -> Vec<SocketAddr> {
    let named = text.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        (words.next()? == "nameserver").then(|| words.next()?.parse::<IpAddr>().ok())?
    });
    let mut all: Vec<SocketAddr> = named
        .take(SERVERS_MAX)
        .map(|address| SocketAddr::new(address, PORT))
        .collect();
    if all.is_empty() {
        all.push(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), PORT));
    }
    all
}

/// The TXT records that the first server which answers shows; none for a name that is not there.
pub(super) async fn txt(servers: &[SocketAddr], name: &str) -> Result<Vec<String>, DnsError> {
    let mut last = DnsError::Silent("there is none".to_owned());
    for server in servers {
        let id = u16::from_be_bytes(
            uuid::Uuid::new_v4().as_bytes()[..2]
                .try_into()
                .unwrap_or([0, 1]),
        );
        let question = question(id, name).ok_or_else(|| DnsError::Name(name.to_owned()))?;
        match timeout(PATIENCE, ask(*server, &question)).await {
            Ok(Ok(answer)) => match read(id, &answer) {
                Ok(texts) => return Ok(texts),
                Err(err) => last = err,
            },
            Ok(Err(err)) => last = DnsError::Silent(format!("{server}: {err}")),
            Err(_) => last = DnsError::Silent(format!("{server} is silent")),
        }
    }
    Err(last)
}

async fn ask(server: SocketAddr, question: &[u8]) -> io::Result<Vec<u8>> {
    let here: SocketAddr = match server {
        SocketAddr::V4(_) => ([0, 0, 0, 0], 0).into(),
        SocketAddr::V6(_) => ([0; 16], 0).into(),
    };
    let socket = UdpSocket::bind(here).await?;
    socket.connect(server).await?;
    socket.send(question).await?;
    let mut answer = vec![0; ANSWER_MAX];
    let length = socket.recv(&mut answer).await?;
    answer.truncate(length);
    // Cut off: the whole is had over TCP.
    if answer.get(2).is_some_and(|flags| flags & 0x02 != 0) {
        let mut stream = TcpStream::connect(server).await?;
        let length = u16::try_from(question.len()).map_err(io::Error::other)?;
        stream.write_all(&length.to_be_bytes()).await?;
        stream.write_all(question).await?;
        let length = stream.read_u16().await?;
        answer = vec![0; usize::from(length)];
        stream.read_exact(&mut answer).await?;
    }
    Ok(answer)
}

/// A question for the TXT records of a name, to be looked for by the server.
fn question(id: u16, name: &str) -> Option<Vec<u8>> {
    let mut bytes = id.to_be_bytes().to_vec();
    bytes.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    let before = bytes.len();
    for label in name.trim_end_matches('.').split('.') {
        let length = u8::try_from(label.len()).ok()?;
        if !(1..=63).contains(&length) || !label.is_ascii() {
            return None;
        }
        bytes.push(length);
        bytes.extend(label.as_bytes());
    }
    bytes.push(0);
    if bytes.len() - before > 255 {
        return None;
    }
    bytes.extend(TXT.to_be_bytes());
    bytes.extend([0, 1]);
    Some(bytes)
}

/// The texts of an answer; those of other names are what an alias leads to.
fn read(id: u16, answer: &[u8]) -> Result<Vec<String>, DnsError> {
    let mut at = Cursor(answer);
    let head = at.take(12).ok_or(DnsError::Garbled)?;
    let number = |n: usize| u16::from_be_bytes([head[n], head[n + 1]]);
    if number(0) != id || head[2] & 0x80 == 0 {
        return Err(DnsError::Garbled);
    }
    match head[3] & 0x0f {
        0 => {}
        // There is no such name.
        3 => return Ok(Vec::new()),
        code => return Err(DnsError::Refused(code)),
    }
    let mut texts = Vec::new();
    let mut all = || {
        for _ in 0..number(4).min(RECORDS_MAX) {
            at.name()?;
            at.take(4)?;
        }
        for _ in 0..number(6).min(RECORDS_MAX) {
            at.name()?;
            let kind = at.number()?;
            at.take(6)?;
            let length = at.number()?;
            let mut data = Cursor(at.take(usize::from(length))?);
            if kind == TXT {
                let mut text = Vec::new();
                while let Some(length) = data.take(1) {
                    text.extend(data.take(usize::from(length[0]))?);
                }
                texts.push(String::from_utf8_lossy(&text).into_owned());
            }
        }
        Some(())
    };
    all().ok_or(DnsError::Garbled)?;
    Ok(texts)
}

struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(n)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<u16> {
        let bytes = self.take(2)?;
        Some(u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    /// Passes over a name; one that goes on elsewhere ends here.
    fn name(&mut self) -> Option<()> {
        loop {
            let length = self.take(1)?[0];
            match length {
                0 => return Some(()),
                0xc0.. => return self.take(1).map(|_| ()),
                length => self.take(usize::from(length))?,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An answer to a question with these records: type and data each.
    fn answer(question: &[u8], code: u8, records: &[(u16, &[u8])]) -> Vec<u8> {
        let mut bytes = question.to_vec();
        bytes[2] = 0x81;
        bytes[3] = 0x80 | code;
        bytes[7] = u8::try_from(records.len()).unwrap();
        for (kind, data) in records {
            bytes.extend([0xc0, 12]);
            bytes.extend(kind.to_be_bytes());
            bytes.extend([0, 1, 0, 0, 0, 60]);
            bytes.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
            bytes.extend(*data);
        }
        bytes
    }

    #[test]
    fn texts_are_read_whole_and_what_is_not_there_is_nothing() {
        let asked = question(7, "_acme-challenge.ci.example.com.").unwrap();
        assert!(asked[12..].starts_with(b"\x0f_acme-challenge\x02ci\x07example\x03com\0"));
        let records: [(u16, &[u8]); 3] = [
            (5, b"\x01a\x00"),
            (TXT, b"\x03one"),
            (TXT, b"\x03two\x04more"),
        ];
        let whole = answer(&asked, 0, &records);
        assert_eq!(read(7, &whole).unwrap(), ["one", "twomore"]);
        assert_eq!(
            read(7, &answer(&asked, 3, &[])).unwrap(),
            Vec::<String>::new()
        );
        assert!(matches!(
            read(7, &answer(&asked, 2, &[])),
            Err(DnsError::Refused(2))
        ));
        assert!(
            matches!(read(8, &whole), Err(DnsError::Garbled)),
            "another question's"
        );
        for end in 0..whole.len() {
            assert!(
                matches!(read(7, &whole[..end]), Err(DnsError::Garbled)),
                "{end}"
            );
        }
    }

    #[test]
    fn names_that_cannot_be_are_not_asked_for() {
        for name in [
            "",
            "a..b",
            &"x".repeat(64),
            &vec!["x".repeat(60); 5].join("."),
            "ä.example.com",
        ] {
            assert_eq!(question(1, name), None, "{name}");
        }
    }

    #[test]
    fn the_systems_servers_are_those_of_its_file() {
        let text =
            "# x\nnameserver 192.0.2.1\nsearch a\nnameserver 2001:db8::1\nnameserver nonsense\n";
        let shown: Vec<String> = of_file(text).iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["192.0.2.1:53", "[2001:db8::1]:53"]);
        assert_eq!(of_file("")[0].to_string(), "127.0.0.1:53");
    }
}
