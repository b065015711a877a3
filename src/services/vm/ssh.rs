//! Whether a VM answers SSH: a connection, and the line that a server begins with (RFC 4253, 4.2). Nobody signs in.
//!
//! And where a test says that instances are to be reached instead: see [`Places`].

use std::path::PathBuf;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

/// Time for the connection and the line together: a guest's own network may take a connection before its server is up.
const PATIENCE: Duration = Duration::from_secs(5);

/// Longest beginning that is read; a server may say some lines before its own.
const READ_MAX: usize = 4096;

/// Whether an SSH server answers there.
///
/// # Errors
/// Why not, in words.
pub async fn probe(address: &str, port: u16) -> Result<(), String> {
    let hello = async {
        let stream = TcpStream::connect((address, port)).await;
        let mut stream = stream.map_err(|err| err.to_string())?;
        let mut read = Vec::new();
        loop {
            let mut buffer = [0; 256];
            match stream.read(&mut buffer).await {
                Ok(0) => return Err("it hangs up without a word".to_owned()),
                Ok(n) => read.extend_from_slice(&buffer[..n]),
                Err(err) => return Err(err.to_string()),
            }
            if says_ssh(&read) {
                return Ok(());
            }
            if read.len() > READ_MAX {
                return Err("something else than SSH answers".to_owned());
            }
        }
    };
    match tokio::time::timeout(PATIENCE, hello).await {
        Ok(answer) => answer,
        Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
    }
}

fn says_ssh(read: &[u8]) -> bool {
    read.split(|byte| *byte == b'\n')
        .any(|line| line.starts_with(b"SSH-2.0-") || line.starts_with(b"SSH-1.99-"))
}

/// Where instances are reached instead of their own addresses: for tests, whose provider has no real machines.
///
/// It comes from the bootstrap file (`vm_ssh_map`), not from the registry: whoever may change it could send jobs, with what
/// they know, to any address, so it belongs to whoever starts the server. It is the name of a file that is read at each
/// look, because ids are known only once the instances are there: a line each, `i-0123 127.0.0.1:2222`, with `user@` before the host where it is
/// another account than usual; `*` is for all others.
#[derive(Clone, Debug, Default)]
pub struct Places(Option<PathBuf>);

/// Where an instance is reached instead.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// Account, where it is another one than usual.
    pub user: Option<String>,
    /// Address or name.
    pub host: String,
    /// Port of SSH.
    pub port: u16,
}

impl Places {
    /// Those of a file.
    #[must_use]
    pub fn of(file: Option<PathBuf>) -> Self {
        Self(file)
    }

    /// Where an instance is reached, when that was said.
    #[must_use]
    pub fn find(&self, instance: &str) -> Option<Place> {
        let text = std::fs::read_to_string(self.0.as_ref()?).ok()?;
        let place = |name: &str| {
            text.lines().find_map(|line| {
                let (id, place) = line.trim().split_once(' ')?;
                let (place, port) = place.trim().rsplit_once(':')?;
                let (user, host) = match place.split_once('@') {
                    Some((user, host)) => (Some(user.to_owned()), host),
                    None => (None, place),
                };
                (id == name).then_some(Place {
                    user,
                    host: host.to_owned(),
                    port: port.parse().ok()?,
                })
            })
        };
        place(instance).or_else(|| place("*"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpListener;

    async fn said(greeting: &'static [u8]) -> Result<(), String> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(greeting).await.unwrap();
        });
        let answer = probe("127.0.0.1", port).await;
        server.await.unwrap();
        answer
    }

    #[tokio::test]
    async fn only_an_ssh_server_answers() {
        assert_eq!(said(b"SSH-2.0-dropbear_2022.83\r\n").await, Ok(()));
        assert_eq!(said(b"Welcome\r\nSSH-2.0-x\r\n").await, Ok(()));
        assert!(said(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.is_err());
        assert!(said(b"").await.is_err());
        let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        assert!(probe("127.0.0.1", port).await.is_err());
    }

    #[test]
    fn a_file_says_where_instances_are() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("map");
        let places = Places::of(Some(file.clone()));
        assert_eq!(places.find("i-1"), None);
        std::fs::write(&file, "i-1 127.0.0.1:2222\nnonsense\n* root@::1:22\n").unwrap();
        let place = |user: Option<&str>, host: &str, port| {
            Some(Place {
                user: user.map(str::to_owned),
                host: host.to_owned(),
                port,
            })
        };
        assert_eq!(places.find("i-1"), place(None, "127.0.0.1", 2222));
        assert_eq!(places.find("i-2"), place(Some("root"), "::1", 22));
        assert_eq!(Places::default().find("i-1"), None);
    }
}
