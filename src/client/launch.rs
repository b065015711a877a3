//! Which server: where it should be, and how one is started when nobody is there.
//!
//! Knows the order of the ways to name a server, the data directory's rights and the program's own `serve --auto`; it
//! knows nothing of what a server does. A server started here is detached: it outlives whoever started it, and ends
//! by itself when it has been idle for a minute.

mod error;
mod start;

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::timeout;

use super::{Address, Client, ClientError, Known, Remote};
use crate::api::Hello;
use crate::secret::Secret;
use crate::settings::paths::socket_path;

pub use error::LaunchError;

/// Where the server of a machine listens that is started at boot.
pub const SYSTEM_SOCKET: &str = "/run/roundel/socket";

/// The data directory of that server, as its unit has it.
pub const SYSTEM_DATA: &str = "/var/lib/roundel";

/// Its bootstrap file.
pub const SYSTEM_CONFIG: &str = "/etc/roundel/config.toml";

/// How long the system's server may take to say that it is there.
const SYSTEM_PATIENCE: Duration = Duration::from_secs(1);

/// What was said about which server is meant; everything may be left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// `--server`: the path of a socket, with or without `unix:` before it, or `https://HOST[:PORT]`.
    pub server: Option<String>,
    /// `--token-file`.
    pub token_file: Option<PathBuf>,
    /// `--data`.
    pub data: Option<PathBuf>,
    /// `data` of the bootstrap file.
    pub file_data: Option<PathBuf>,
}

/// Where the server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// On this socket; it is never started from here.
    Socket(PathBuf),
    /// On this data directory; it can be started.
    Data(PathBuf),
    /// On another machine.
    Remote(Remote),
}

impl Place {
    /// Whether it is that of the server which is started at boot.
    #[must_use]
    pub fn is_system(&self) -> bool {
        matches!(self, Self::Socket(socket) if socket == Path::new(SYSTEM_SOCKET))
    }
}

/// A server that answered.
#[derive(Clone, Debug)]
pub struct Connected {
    /// The way to it.
    pub client: Client,
    /// What it said.
    pub hello: Hello,
    /// It was started for this call.
    pub started: bool,
}

impl Wanted {
    /// Decides which server is meant: `--server`, `ROUNDEL_SERVER`, `--data`, `ROUNDEL_DATA`, the bootstrap file's
    /// directory, the system's socket if it answers or should, the data directory of the person. `env` reads the
    /// environment.
    ///
    /// # Errors
    /// When an address is none, or no directory can be told.
    pub async fn place(
        &self,
        env: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Place, LaunchError> {
        let env = |name: &str| env(name).filter(|value| !value.is_empty());
        let server = match &self.server {
            Some(server) => Some(server.clone()),
            None => env("ROUNDEL_SERVER").map(|value| value.to_string_lossy().into_owned()),
        };
        if let Some(server) = server {
            if let Ok(address) = server.parse() {
                let variable =
                    env("ROUNDEL_TOKEN").map(|token| token.to_string_lossy().into_owned());
                return self.remote(address, variable).map(Place::Remote);
            }
            return address(&server).map(Place::Socket);
        }
        let data = self
            .data
            .clone()
            .or_else(|| env("ROUNDEL_DATA").map(PathBuf::from));
        if let Some(data) = data.or_else(|| self.file_data.clone()) {
            return absolute(&data).map(Place::Data);
        }
        let system = Client::unix(SYSTEM_SOCKET);
        let answers = matches!(timeout(SYSTEM_PATIENCE, system.hello()).await, Ok(Ok(_)));
        // While it is away, a server of root's own would take in what is meant for it.
        if answers || should_answer() {
            return Ok(Place::Socket(SYSTEM_SOCKET.into()));
        }
        default_data().map(Place::Data)
    }

    /// What is known of a server on another machine, and what to sign in by: a named file, the environment, what
    /// `login` has kept.
    fn remote(&self, address: Address, variable: Option<String>) -> Result<Remote, LaunchError> {
        let known = Known::usual();
        let read = |path: PathBuf| move |source| LaunchError::Data { path, source };
        let (pin, kept) = match &known {
            Some(known) => (
                known.fingerprint(&address).map_err(read(known.servers()))?,
                known
                    .token(&address)
                    .map_err(read(known.token_file(&address)))?,
            ),
            None => (None, None),
        };
        let own = self.token_file.is_none() && variable.is_none();
        let token = match &self.token_file {
            Some(path) => Some(
                fs::read_to_string(path)
                    .map_err(read(path.clone()))?
                    .trim()
                    .to_owned(),
            ),
            None => variable.or(kept),
        };
        Ok(Remote {
            address,
            pin,
            token: token.map(Secret::new),
            kept: own,
        })
    }
}

/// Whether this account is one for which the system's server should answer: root, on a machine that runs services and has
/// this one.
fn should_answer() -> bool {
    rustix::process::geteuid().is_root()
        && Path::new("/run/systemd/system").is_dir()
        && Path::new(SYSTEM_CONFIG).exists()
}

/// The data directory of the person, as the XDG rules have it.
///
/// # Errors
/// When there is no home directory.
pub fn default_data() -> Result<PathBuf, LaunchError> {
    let dirs = directories::ProjectDirs::from("", "", "roundel").ok_or(LaunchError::NoHome)?;
    Ok(dirs.data_dir().to_owned())
}

/// Makes a data directory that is not there (0700) and answers its one true path, so that clients and server agree on
/// it however it was written.
///
/// # Errors
/// When it cannot be made.
pub fn prepare_data(data: &Path) -> Result<PathBuf, LaunchError> {
    let failed = |source| LaunchError::Data {
        path: data.to_owned(),
        source,
    };
    // Another verb may make it in the same moment, so it is asked about once.
    match fs::metadata(data) {
        Ok(found) if found.is_dir() => {}
        Ok(_) => {
            return Err(failed(io::Error::new(
                io::ErrorKind::NotADirectory,
                "it is not a directory",
            )));
        }
        Err(_) => fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(data)
            .map_err(failed)?,
    }
    data.canonicalize().map_err(failed)
}

/// Connects to the server that is there.
///
/// # Errors
/// When none answers.
pub async fn connect(place: &Place) -> Result<Connected, LaunchError> {
    let client = match place {
        Place::Socket(socket) => Client::unix(socket),
        Place::Data(data) => Client::unix(socket_of(
            &data.canonicalize().unwrap_or_else(|_| data.clone()),
        )),
        Place::Remote(remote) => Client::remote(remote.clone()),
    };
    let hello = client.hello().await?;
    Ok(Connected {
        client,
        hello,
        started: false,
    })
}

/// Connects to the server; starts one when nobody is there and the place is a data directory. `config` is the
/// bootstrap file that the started one shall read.
///
/// # Errors
/// When none answers and none can be started.
pub async fn ensure(place: &Place, config: Option<&Path>) -> Result<Connected, LaunchError> {
    match (connect(place).await, place) {
        (Err(LaunchError::Client(ClientError::NoServer { .. })), Place::Data(data)) => {
            let data = prepare_data(data)?;
            start::start(&data, config).await
        }
        (result, _) => result,
    }
}

/// The socket of a data directory. One whose path would be too long lies elsewhere, and the file `socket` says where.
fn socket_of(data: &Path) -> PathBuf {
    let plain = data.join("socket");
    match fs::symlink_metadata(&plain) {
        Ok(found) if found.file_type().is_file() => match fs::read_to_string(&plain) {
            Ok(text) if !text.trim().is_empty() => text.trim_end_matches('\n').into(),
            _ => socket_path(data),
        },
        Ok(found) if found.file_type().is_socket() => plain,
        _ => socket_path(data),
    }
}

fn address(server: &str) -> Result<PathBuf, LaunchError> {
    let path = Path::new(server.strip_prefix("unix:").unwrap_or(server));
    if server.contains("://") || !(path.is_absolute() || server.starts_with('.')) {
        return Err(LaunchError::Address {
            text: server.to_owned(),
        });
    }
    absolute(path)
}

fn absolute(path: &Path) -> Result<PathBuf, LaunchError> {
    std::path::absolute(path).map_err(|source| LaunchError::Data {
        path: path.to_owned(),
        source,
    })
}

impl From<ClientError> for LaunchError {
    fn from(err: ClientError) -> Self {
        LaunchError::Client(err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Explain;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
    }

    fn place(wanted: &Wanted, env: &[(&str, &str)]) -> Result<Place, LaunchError> {
        runtime().block_on(wanted.place(|name| {
            env.iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| OsString::from(value))
        }))
    }

    #[test]
    fn the_first_that_holds_is_taken() {
        let socket = |path: &str| Place::Socket(path.into());
        let data = |path: &str| Place::Data(path.into());
        let full = Wanted {
            server: Some("/s".into()),
            data: Some("/d".into()),
            file_data: Some("/f".into()),
            token_file: None,
        };
        let env = [("ROUNDEL_SERVER", "unix:/es"), ("ROUNDEL_DATA", "/ed")];
        let cases = [
            (full.clone(), &env[..], socket("/s")),
            (
                Wanted {
                    server: None,
                    ..full.clone()
                },
                &env[..],
                socket("/es"),
            ),
            (
                Wanted {
                    server: None,
                    ..full.clone()
                },
                &env[1..],
                data("/d"),
            ),
            (
                Wanted {
                    file_data: full.file_data.clone(),
                    ..Wanted::default()
                },
                &env[1..],
                data("/ed"),
            ),
            (
                Wanted {
                    file_data: full.file_data.clone(),
                    ..Wanted::default()
                },
                &[("ROUNDEL_DATA", "")],
                data("/f"),
            ),
        ];
        for (wanted, env, expected) in cases {
            assert_eq!(place(&wanted, env).unwrap(), expected, "{wanted:?} {env:?}");
        }
    }

    #[test]
    fn an_address_that_is_no_socket_is_refused() {
        for text in ["http://ci.example.com:8800", "ci.example.com", "tcp://x"] {
            let wanted = Wanted {
                server: Some(text.into()),
                ..Wanted::default()
            };
            assert!(
                matches!(place(&wanted, &[]), Err(LaunchError::Address { .. })),
                "{text}"
            );
        }
    }

    #[test]
    fn verbs_that_make_the_data_directory_at_once_all_have_it() {
        let root = tempfile::tempdir().unwrap();
        for n in 0..200 {
            let data = root.path().join(format!("{n}/data"));
            std::thread::scope(|scope| {
                let verbs: Vec<_> = (0..4)
                    .map(|_| scope.spawn(|| prepare_data(&data)))
                    .collect();
                for verb in verbs {
                    verb.join().unwrap().unwrap();
                }
            });
        }
        let file = root.path().join("file");
        fs::write(&file, "").unwrap();
        let err = prepare_data(&file).unwrap_err();
        assert!(
            crate::error::Chain(&err)
                .to_string()
                .contains("not a directory")
        );
    }

    #[test]
    fn a_socket_elsewhere_is_found_by_the_file_that_names_it() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(socket_of(root.path()), socket_path(root.path()));
        fs::write(root.path().join("socket"), "/run/user/1/roundel-x/socket\n").unwrap();
        assert_eq!(
            socket_of(root.path()),
            Path::new("/run/user/1/roundel-x/socket")
        );
    }

    #[test]
    fn connecting_starts_nothing_and_says_that_nobody_is_there() {
        let root = tempfile::tempdir().unwrap();
        let err = runtime()
            .block_on(connect(&Place::Data(root.path().to_owned())))
            .unwrap_err();
        assert_eq!(err.kind(), crate::error::Kind::NoServer);
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0);
    }
}
