//! The bootstrap file: what must be known before the database is open. TOML, by default `config.toml` in the XDG
//! configuration directory.
//!
//! It never holds a setting of the registry, so file and database cannot disagree. Knows nothing of flags and of the
//! environment; those that start a server let them win over what stands here.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use super::span::seconds;
use crate::error::{Explain, Kind};
use crate::secret::is_variable;

/// Most rehearsal nodes that one machine can be split into: as many as the console and the scheduler are measured with.
pub const NODES_MAX: u32 = 10_000;

/// Seconds after which a run is stopped when nothing else is said: five hours.
pub const DEADLINE_S: u64 = 5 * 3600;

/// Seconds of silence after which a Build Agent counts as unreachable when nothing else is said.
pub const SILENCE_S: u64 = 60;

/// Longest silence: an hour.
const SILENCE_MAX_S: u64 = 3600;

/// Longest wait of a VM for a job: a day.
const CYCLE_MAX_S: u64 = 86_400;

/// Longest deadline: a week.
const DEADLINE_MAX_S: u64 = 7 * 86_400;

/// What the file can say; everything may be left out.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Bootstrap {
    /// The data directory, absolute.
    pub data: Option<PathBuf>,
    /// Addresses to listen on besides the socket.
    pub listen: Option<String>,
    /// Addresses to listen on for everybody, as `0.0.0.0:443`; people are sent to the first.
    pub public: Option<Vec<String>>,
    /// Rehearsal nodes that this machine is split into, 1 to [`NODES_MAX`].
    pub nodes: Option<u32>,
    /// What is logged, as `info` or `info,roundel::engine=debug`.
    pub log: Option<String>,
    /// Account of host jobs; `self` = the server's own, also when that is root.
    pub host_user: Option<String>,
    /// Names of variables of the server's environment that host jobs get.
    pub host_env: Option<Vec<String>>,
    /// Most runs at once.
    pub max_runs: Option<u32>,
    /// Most runs of one project at once.
    pub max_runs_per_project: Option<u32>,
    /// Time after which a run is stopped, as `5h` or `90m`.
    pub deadline: Option<String>,
    /// Silence after which a Build Agent counts as unreachable, as `60s`.
    pub silence: Option<String>,
    /// Socket of the container engine, absolute; by default those of Docker and Podman are tried.
    pub engine: Option<PathBuf>,
    /// File that says where VMs are reached instead of their own addresses, absolute. For tests of Roundel.
    pub vm_ssh_map: Option<PathBuf>,
    /// The longest that a VM waits for a job before it is replaced, as `12h`; a day when nothing is said.
    pub vm_cycle: Option<String>,
    /// Resource classes of this installation's own, by name.
    pub classes: BTreeMap<String, Class>,
}

/// A resource class: `[classes.tiny]`, `cpu = 0.5`, `memory = "64MB"`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Class {
    /// Cores; parts of one too.
    pub cpu: f64,
    /// Memory, in whole `MB` or `GB` of 1024 each.
    pub memory: String,
}

impl Class {
    /// Thousandths of a core and MiB; `None` when either cannot be.
    #[must_use]
    pub fn size(&self) -> Option<(u32, u32)> {
        let (number, unit) = match self
            .memory
            .split_at_checked(self.memory.len().checked_sub(2)?)?
        {
            (number, "MB") => (number, 1),
            (number, "GB") => (number, 1024),
            _ => return None,
        };
        let memory = number.trim().parse::<u32>().ok()?.checked_mul(unit)?;
        // Docker refuses less than 6 MB, and a hundredth of a core is the least that it counts in.
        let fits = (0.01..=1024.0).contains(&self.cpu) && memory >= 6;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "0.01 to 1024"
        )]
        let millis = (self.cpu * 1000.0).round() as u32;
        fits.then_some((millis, memory))
    }
}

/// Why a bootstrap file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BootstrapError {
    /// It cannot be read.
    #[error("failed to read the bootstrap file `{file}`")]
    Read {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is not TOML, or a key is unknown or of another type.
    #[error("{file}:{line}: {message}")]
    Form {
        /// The file.
        file: String,
        /// Line from 1.
        line: usize,
        /// What is wrong; names the key.
        message: String,
    },
    /// A key's value cannot be.
    #[error("{file}: `{key}` {message}")]
    Value {
        /// The file.
        file: String,
        /// The key.
        key: &'static str,
        /// What is wrong with it.
        message: String,
    },
}

impl Explain for BootstrapError {
    fn kind(&self) -> Kind {
        Kind::Usage
    }

    fn hint(&self) -> Option<String> {
        match self {
            BootstrapError::Read { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                Some("check the path that follows --config, or leave --config out".to_owned())
            }
            BootstrapError::Read { .. } => {
                Some("--config names a TOML file that you may read".to_owned())
            }
            BootstrapError::Form { .. } | BootstrapError::Value { .. } => None,
        }
    }
}

impl Bootstrap {
    /// Reads `file`; or the file at its usual place, which need not be there.
    ///
    /// # Errors
    /// When it is named and missing, or there and wrong.
    pub fn load(file: Option<&Path>) -> Result<Self, BootstrapError> {
        let usual = usual_file();
        let (path, named) = match (file, &usual) {
            (Some(path), _) => (path, true),
            (None, Some(path)) => (path.as_path(), false),
            (None, None) => return Ok(Self::default()),
        };
        match fs::read_to_string(path) {
            Ok(text) => Self::parse(&text, &path.display().to_string()),
            Err(err) if err.kind() == io::ErrorKind::NotFound && !named => Ok(Self::default()),
            Err(source) => Err(BootstrapError::Read {
                file: path.to_owned(),
                source,
            }),
        }
    }

    /// Reads the text of a file; `file` is its name, for errors.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn parse(text: &str, file: &str) -> Result<Self, BootstrapError> {
        let read: Self = toml::from_str(text).map_err(|err| {
            let start = err.span().map_or(0, |span| span.start.min(text.len()));
            let line = text.as_bytes()[..start]
                .iter()
                .filter(|byte| **byte == b'\n')
                .count()
                + 1;
            BootstrapError::Form {
                file: file.to_owned(),
                line,
                message: err.message().trim_end().replace('\n', ", "),
            }
        })?;
        read.check()
            .map_err(|(key, message)| BootstrapError::Value {
                file: file.to_owned(),
                key,
                message,
            })?;
        Ok(read)
    }

    /// Seconds after which a run is stopped.
    #[must_use]
    pub fn deadline_s(&self) -> u64 {
        self.deadline
            .as_deref()
            .and_then(seconds)
            .unwrap_or(DEADLINE_S)
    }

    /// Seconds of silence after which a Build Agent counts as unreachable.
    #[must_use]
    pub fn silence_s(&self) -> u64 {
        self.silence
            .as_deref()
            .and_then(seconds)
            .unwrap_or(SILENCE_S)
    }

    /// The longest that a VM waits for a job, where something was said.
    #[must_use]
    pub fn vm_cycle(&self) -> Option<Duration> {
        let seconds = self.vm_cycle.as_deref().and_then(seconds)?;
        Some(Duration::from_secs(seconds))
    }

    fn check(&self) -> Result<(), (&'static str, String)> {
        if let Some(data) = &self.data
            && !data.is_absolute()
        {
            return Err((
                "data",
                format!("must be an absolute path, and `{}` is none", data.display()),
            ));
        }
        if let Some(engine) = &self.engine
            && !engine.is_absolute()
        {
            return Err((
                "engine",
                format!(
                    "must be the absolute path of a socket, and `{}` is none",
                    engine.display()
                ),
            ));
        }
        if let Some((name, _)) = self
            .classes
            .iter()
            .find(|(_, class)| class.size().is_none())
        {
            return Err((
                "classes",
                format!(
                    "`{name}` needs `cpu` from 0.01 to 1024 and `memory` as \"64MB\" or \"2GB\", at least 6MB"
                ),
            ));
        }
        if let Some(text) = &self.listen
            && address(text).is_none()
        {
            return Err((
                "listen",
                format!("must be an address of this machine as `0.0.0.0:{PORT}`, and is `{text}`"),
            ));
        }
        let public = self.public.as_deref().unwrap_or_default();
        if public.len() > PUBLIC_MAX {
            return Err(("public", format!("holds more than {PUBLIC_MAX} addresses")));
        }
        if let Some(text) = public.iter().find(|text| public_address(text).is_none()) {
            return Err((
                "public",
                format!(
                    "must hold addresses of this machine as `0.0.0.0:{PUBLIC_PORT}`, and holds `{text}`"
                ),
            ));
        }
        if let Some(nodes) = self.nodes
            && !(1..=NODES_MAX).contains(&nodes)
        {
            return Err(("nodes", format!("must be 1 to {NODES_MAX}, and is {nodes}")));
        }
        for (key, limit) in [
            ("max_runs", self.max_runs),
            ("max_runs_per_project", self.max_runs_per_project),
        ] {
            if limit == Some(0) {
                return Err((
                    key,
                    "must be at least 1; leave it out for no limit".to_owned(),
                ));
            }
        }
        if self.host_user.as_deref() == Some("") {
            return Err(("host_user", "must name an account, or be `self`".to_owned()));
        }
        if let Some(bad) = self
            .host_env
            .iter()
            .flatten()
            .find(|name| !is_variable(name))
        {
            return Err((
                "host_env",
                format!("holds `{bad}`, which cannot be the name of a variable"),
            ));
        }
        if let Some(text) = &self.deadline
            && !seconds(text).is_some_and(|span| (1..=DEADLINE_MAX_S).contains(&span))
        {
            return Err((
                "deadline",
                format!("must be a span as `5h` or `90m`, at most a week, and is `{text}`"),
            ));
        }
        if let Some(path) = &self.vm_ssh_map
            && !path.is_absolute()
        {
            let why = format!("must be an absolute path, and `{}` is none", path.display());
            return Err(("vm_ssh_map", why));
        }
        if let Some(text) = &self.vm_cycle
            && !seconds(text).is_some_and(|span| (1..=CYCLE_MAX_S).contains(&span))
        {
            let why = format!("must be a span as `12h`, at most a day, and is `{text}`");
            return Err(("vm_cycle", why));
        }
        if let Some(text) = &self.silence
            && !seconds(text).is_some_and(|span| (1..=SILENCE_MAX_S).contains(&span))
        {
            return Err((
                "silence",
                format!("must be a span as `60s`, from a second to an hour, and is `{text}`"),
            ));
        }
        Ok(())
    }
}

/// Port that is listened on when none is said.
pub const PORT: u16 = 8800;

/// An address to listen on: `0.0.0.0:8800`, `[::]:8800`, or without the port.
#[must_use]
pub fn address(text: &str) -> Option<SocketAddr> {
    at(text, PORT)
}

/// Port of a public address that says none.
pub const PUBLIC_PORT: u16 = 443;

/// Most public addresses: both ports on two addresses of each kind.
pub const PUBLIC_MAX: usize = 8;

/// A public address: `0.0.0.0:443`, or without the port.
#[must_use]
pub fn public_address(text: &str) -> Option<SocketAddr> {
    at(text, PUBLIC_PORT)
}

fn at(text: &str, port: u16) -> Option<SocketAddr> {
    let alone = |text: &str| Some(SocketAddr::new(text.parse().ok()?, port));
    text.parse().ok().or_else(|| alone(text))
}

/// The file that is read when none is named.
#[must_use]
pub fn usual_file() -> Option<PathBuf> {
    directories::ProjectDirs::from("", "", "roundel")
        .map(|dirs| dirs.config_dir().join("config.toml"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_file_is_read() {
        let text = r#"
            data = "/var/lib/roundel"
            nodes = 3
            log = "debug"
            host_user = "self"
            host_env = ["SSH_AUTH_SOCK"]
            max_runs = 8
            max_runs_per_project = 2
            deadline = "90m"
            silence = "2m"
            engine = "/run/podman/podman.sock"
            [classes.tiny]
            cpu = 0.5
            memory = "64MB"
            [classes.huge]
            cpu = 64
            memory = "2GB"
        "#;
        let read = Bootstrap::parse(text, "f").unwrap();
        assert_eq!(read.data.as_deref(), Some(Path::new("/var/lib/roundel")));
        assert_eq!(
            (read.nodes, read.max_runs, read.max_runs_per_project),
            (Some(3), Some(8), Some(2))
        );
        let size = |name: &str| read.classes[name].size();
        assert_eq!(
            (size("tiny"), size("huge")),
            (Some((500, 64)), Some((64_000, 2048)))
        );
        assert_eq!((read.deadline_s(), read.silence_s()), (5400, 120));
        assert_eq!(Bootstrap::default().silence_s(), SILENCE_S);
        assert_eq!(Bootstrap::default().deadline_s(), DEADLINE_S);
    }

    #[test]
    fn each_error_names_the_file_and_the_key() {
        let cases = [
            ("\nnode = 3", "f:2: unknown field `node`"),
            ("nodes = \"three\"", "f:1: invalid type"),
            ("nodes = ", "f:1: "),
            ("nodes = 0", "f: `nodes` must be 1 to 10000"),
            ("data = \"here\"", "f: `data` must be an absolute path"),
            (
                "listen = \"ci.example.com\"",
                "f: `listen` must be an address",
            ),
            (
                "public = [\"443\"]",
                "f: `public` must hold addresses of this machine",
            ),
            (
                "engine = \"docker.sock\"",
                "f: `engine` must be the absolute path",
            ),
            (
                "[classes.a]\ncpu = 0\nmemory = \"1GB\"",
                "f: `classes` `a` needs `cpu`",
            ),
            (
                "[classes.a]\ncpu = 1\nmemory = \"1TB\"",
                "f: `classes` `a` needs `cpu`",
            ),
            (
                "[classes.a]\ncpu = 1\nmemory = \"B\"",
                "f: `classes` `a` needs `cpu`",
            ),
            ("[classes.a]\ncpu = 1", "f:1: missing field `memory`"),
            ("max_runs = 0", "f: `max_runs` must be at least 1"),
            ("host_env = [\"A B\"]", "f: `host_env` holds `A B`"),
            ("deadline = \"soon\"", "f: `deadline` must be a span"),
            ("silence = \"0\"", "f: `silence` must be a span"),
            ("vm_cycle = \"2d\"", "f: `vm_cycle` must be a span"),
            (
                "vm_ssh_map = \"map\"",
                "f: `vm_ssh_map` must be an absolute path",
            ),
        ];
        for (text, beginning) in cases {
            let err = Bootstrap::parse(text, "f").unwrap_err();
            assert!(err.to_string().starts_with(beginning), "{text}: {err}");
            assert_eq!(err.kind().exit_code(), 2);
        }
    }

    #[test]
    fn a_file_that_is_named_must_be_there() {
        let root = tempfile::tempdir().unwrap();
        assert!(matches!(
            Bootstrap::load(Some(&root.path().join("none"))),
            Err(BootstrapError::Read { .. })
        ));
    }
}
