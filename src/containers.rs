//! The container engine of this machine: found, asked for its version, given images to pull, and swept.
//!
//! Speaks the Engine API, 1.41 and later, of Docker and of Podman, over a unix socket. Knows attempts only by their ids,
//! with which everything that is made for one is labelled; knows nothing of queues and of steps.

mod plain;
pub mod pull;
pub mod sweep;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bollard::{ClientVersion, Docker};

pub use plain::{State, state};

/// Whose it is: the id of the data of the server that made it, or of its copy of them.
pub const LABEL_DATA: &str = "roundel.data";
/// What for: the id of the attempt.
pub const LABEL_ATTEMPT: &str = "roundel.attempt";

/// The oldest API that is spoken: Docker 20.10 of 2020, Podman 3.
const OLDEST: ClientVersion = ClientVersion {
    major_version: 1,
    minor_version: 41,
};

/// Most time that one request may take before its answer begins, in seconds. An upload is answered at its end.
const PATIENCE_S: u64 = 3600;

/// How long an engine may take to say who it is. One that answers later is of no use to a step either.
const GREETING: Duration = Duration::from_secs(3);

/// What somebody without an engine can do.
const HOW_TO_GET_ONE: &str = "`apt install docker.io` gives this machine one; `roundel build --no-engine` runs docker jobs on the host";

/// Why there is no engine.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// There is no socket at any of the places.
    #[error("there is no container engine: no socket at {places}")]
    Absent {
        /// The places, in words.
        places: String,
    },
    /// Its socket is closed to the account that this runs as.
    #[error("the container engine at `{socket}` does not let this account in")]
    Denied {
        /// Its socket.
        socket: PathBuf,
    },
    /// It does not answer.
    #[error("the container engine at `{socket}` does not answer")]
    Silent {
        /// Its socket.
        socket: PathBuf,
        /// Why.
        #[source]
        source: Box<bollard::errors::Error>,
    },
    /// It took too long.
    #[error("the container engine at `{socket}` took longer than {} s to answer", GREETING.as_secs())]
    Slow {
        /// Its socket.
        socket: PathBuf,
    },
    /// It is too old.
    #[error("the container engine at `{socket}` speaks API {api}; 1.41 is the oldest that will do")]
    Old {
        /// Its socket.
        socket: PathBuf,
        /// What it speaks.
        api: String,
    },
}

impl EngineError {
    /// There is not even a socket, or none for this account: nothing that waiting would bring.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        matches!(
            self,
            EngineError::Absent { .. } | EngineError::Denied { .. }
        )
    }

    /// What can be done.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            EngineError::Absent { .. } => HOW_TO_GET_ONE,
            EngineError::Denied { .. } => {
                "a member of the group of that socket gets in (`usermod -aG docker USER`), once the server was started anew"
            }
            EngineError::Silent { .. } | EngineError::Slow { .. } => {
                "`systemctl status docker`, or podman.socket, says why"
            }
            EngineError::Old { .. } => "install a newer one",
        }
    }
}

/// An engine that answered.
#[derive(Clone, Debug)]
pub struct Engine {
    /// The way to it.
    pub api: Docker,
    /// Its socket.
    pub socket: PathBuf,
    /// What it is, as `Docker 20.10.24`.
    pub name: String,
}

impl Engine {
    /// Whether it is Podman, which speaks the same API in a few words of its own.
    #[must_use]
    pub fn is_podman(&self) -> bool {
        self.name.starts_with("Podman")
    }

    /// Whether it still answers. Costs it next to nothing, where telling its version makes Podman ask the package manager.
    pub async fn answers(&self) -> bool {
        matches!(
            tokio::time::timeout(GREETING, self.api.ping()).await,
            Ok(Ok(_))
        )
    }
}

/// The sockets where an engine is looked for: the one that is named, else those of Docker and Podman, the machine's own
/// before those of the account.
#[must_use]
pub fn places(named: Option<PathBuf>, runtime_dir: Option<&Path>) -> Vec<PathBuf> {
    if let Some(named) = named {
        return vec![named];
    }
    let mut places = vec![
        PathBuf::from("/var/run/docker.sock"),
        PathBuf::from("/run/podman/podman.sock"),
    ];
    if let Some(dir) = runtime_dir {
        places.push(dir.join("docker.sock"));
        places.push(dir.join("podman/podman.sock"));
    }
    places
}

/// The socket that a value of `DOCKER_HOST` names; `None` for other than unix sockets.
#[must_use]
pub fn socket_of(docker_host: &str) -> Option<PathBuf> {
    let path = docker_host.strip_prefix("unix://")?;
    path.starts_with('/').then(|| PathBuf::from(path))
}

/// The first of the places where an engine answers.
///
/// # Errors
/// Why not at the first place that has a socket, or that none has.
pub async fn find(places: &[PathBuf]) -> Result<Engine, EngineError> {
    let mut failure = None;
    for socket in places.iter().filter(|socket| socket.exists()) {
        match connect(socket).await {
            Ok(engine) => return Ok(engine),
            Err(err) => failure = failure.or(Some(err)),
        }
    }
    Err(failure.unwrap_or_else(|| EngineError::Absent {
        places: places
            .iter()
            .map(|place| place.display().to_string())
            .collect::<Vec<_>>()
            .join(", "),
    }))
}

async fn connect(socket: &Path) -> Result<Engine, EngineError> {
    let silent = |source| EngineError::Silent {
        socket: socket.to_owned(),
        source: Box::new(source),
    };
    let path = socket.display().to_string();
    if let Err(err) = tokio::net::UnixStream::connect(socket).await
        && err.kind() == std::io::ErrorKind::PermissionDenied
    {
        return Err(EngineError::Denied {
            socket: socket.to_owned(),
        });
    }
    let greeting = async {
        let api = Docker::connect_with_unix(&path, PATIENCE_S, bollard::API_DEFAULT_VERSION)
            .map_err(silent)?
            .negotiate_version()
            .await
            .map_err(silent)?;
        let version = api.version().await.map_err(silent)?;
        Ok((api, version))
    };
    let (api, version) = tokio::time::timeout(GREETING, greeting)
        .await
        .map_err(|_| EngineError::Slow {
            socket: socket.to_owned(),
        })??;
    if api.client_version() < OLDEST {
        return Err(EngineError::Old {
            socket: socket.to_owned(),
            api: version.api_version.unwrap_or_default(),
        });
    }
    let is_podman = version
        .components
        .iter()
        .flatten()
        .any(|part| part.name.to_lowercase().contains("podman"));
    let number = version.version.unwrap_or_default();
    // Distributions add their own: `20.10.24+dfsg1`.
    let number = number.split('+').next().unwrap_or_default();
    Ok(Engine {
        api,
        socket: socket.to_owned(),
        name: format!("{} {number}", if is_podman { "Podman" } else { "Docker" }),
    })
}

/// The labels of what is made for an attempt.
#[must_use]
pub fn labels(data_id: &str, attempt: &str) -> HashMap<String, String> {
    [(LABEL_DATA, data_id), (LABEL_ATTEMPT, attempt)]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

/// What the engine says is wrong, without the frame that the client puts around it.
#[must_use]
pub fn said(err: &bollard::errors::Error) -> String {
    use bollard::errors::Error;
    match err {
        Error::DockerResponseServerError { message, .. } => message.trim().to_owned(),
        Error::DockerStreamError { error } => error.trim().to_owned(),
        other => crate::error::Chain(other).to_string(),
    }
}

/// Whether the thing asked for is not there (any more).
#[must_use]
pub fn is_missing(err: &bollard::errors::Error) -> bool {
    use bollard::errors::Error::DockerResponseServerError as Answer;
    match err {
        Answer {
            status_code: 404, ..
        } => true,
        // Podman of a container that goes while it is asked about it.
        Answer {
            status_code: 500,
            message,
        } => message.contains("no such container"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_gone_is_known_in_the_words_of_either_engine() {
        let answer = |status_code, message: &str| {
            is_missing(&bollard::errors::Error::DockerResponseServerError {
                status_code,
                message: message.to_owned(),
            })
        };
        assert!(answer(404, "No such container: a"));
        assert!(answer(
            500,
            "container a does not exist in database: no such container"
        ));
        assert!(!answer(500, "no space left on device"));
    }

    #[test]
    fn an_engine_is_looked_for_where_it_is_named_or_at_the_usual_places() {
        let named = Some(PathBuf::from("/x.sock"));
        assert_eq!(places(named, None), [PathBuf::from("/x.sock")]);
        let usual = places(None, Some(Path::new("/run/user/7")));
        assert_eq!(usual.len(), 4);
        assert!(usual[3].ends_with("podman/podman.sock"));
        assert_eq!(places(None, None).len(), 2);
    }

    #[test]
    fn only_unix_sockets_are_taken_from_docker_host() {
        let cases = [
            ("unix:///run/d.sock", Some("/run/d.sock")),
            ("unix://d.sock", None),
            ("tcp://127.0.0.1:2375", None),
            ("", None),
        ];
        for (value, expected) in cases {
            assert_eq!(socket_of(value), expected.map(PathBuf::from), "{value}");
        }
    }

    #[tokio::test]
    async fn a_machine_without_an_engine_says_where_it_was_looked_for() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("none.sock");
        let err = find(std::slice::from_ref(&place)).await.unwrap_err();
        assert!(err.is_absent());
        assert!(err.to_string().contains(&place.display().to_string()));

        // A socket of which nobody listens is another thing: it may come back.
        drop(std::os::unix::net::UnixListener::bind(&place).unwrap());
        let err = find(&[place]).await.unwrap_err();
        assert!(!err.is_absent(), "{err}");
        assert!(err.to_string().contains("does not answer"), "{err}");
    }
}
