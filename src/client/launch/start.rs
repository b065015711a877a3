//! Starts `roundel serve --auto`, detached, and waits until it answers.
//!
//! Two that start at the same moment race for the data directory's lock; the server that loses ends with success, and
//! its starter finds the other one.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, Command};
use tokio::time::sleep;

use super::{Connected, LaunchError, socket_of};
use crate::client::Client;
use crate::clock;
use crate::storage::own_log;
use crate::storage::space::Space;

/// How long a server may take until it answers; with 100,000 runs in its queue it takes one second.
const LIMIT: Duration = Duration::from_secs(10);

/// Pause between two looks; a start takes some 30 ms.
const LOOK: Duration = Duration::from_millis(5);

/// How long after a lost race the winner may stay away before another start is tried: the winner may have been an old
/// server on its way out.
const SECOND_TRY: Duration = Duration::from_millis(700);

/// How much of a dead server's log is repeated.
const TAIL_MAX: u64 = 4096;

/// Starts a server on `data` and connects to it, or to the one that was faster.
pub(super) async fn start(data: &Path, config: Option<&Path>) -> Result<Connected, LaunchError> {
    let begun = clock::monotonic();
    let mut server = Started::spawn(data, config)?;
    let mut lost = None;
    loop {
        let client = Client::unix(socket_of(data));
        if let Ok(hello) = client.hello().await {
            return Ok(Connected {
                client,
                hello,
                started: true,
            });
        }
        match server.child.try_wait().map_err(LaunchError::Spawn)? {
            None => {}
            Some(status) if status.success() => {
                let since = *lost.get_or_insert_with(clock::monotonic);
                if since.elapsed() > SECOND_TRY {
                    server = Started::spawn(data, config)?;
                    lost = None;
                }
            }
            Some(status) => {
                let Some(tail) = server.tail() else {
                    return Err(server.silent_death(data, status.code()));
                };
                return Err(LaunchError::Died {
                    data: data.to_owned(),
                    code: status.code(),
                    tail,
                });
            }
        }
        if begun.elapsed() > LIMIT {
            return Err(LaunchError::Slow {
                data: data.to_owned(),
                limit: LIMIT,
                log: server.log,
            });
        }
        sleep(LOOK).await;
    }
}

struct Started {
    child: Child,
    log: PathBuf,
    /// Length of the log before it was started.
    before: u64,
}

impl Started {
    fn spawn(data: &Path, config: Option<&Path>) -> Result<Self, LaunchError> {
        let path = own_log::path(data);
        let log = own_log::open(&path).map_err(|source| LaunchError::Data {
            path: data.to_owned(),
            source,
        })?;
        let before = log.metadata().map_or(0, |file| file.len());
        let program = std::env::current_exe().map_err(LaunchError::Spawn)?;
        let again = log.try_clone().map_err(LaunchError::Spawn)?;
        let mut command = Command::new(program);
        command.args(["serve", "--auto", "--data"]).arg(data);
        if let Some(config) = config {
            command.arg("--config").arg(config);
        }
        // It makes itself the leader of a session of its own; until then it is a child like any other.
        let child = command
            .current_dir("/")
            .env_remove("ROUNDEL_SERVER")
            .env_remove("ROUNDEL_DATA")
            .env_remove("ROUNDEL_TOKEN")
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(again)
            .spawn()
            .map_err(LaunchError::Spawn)?;
        Ok(Self {
            child,
            log: path,
            before,
        })
    }

    /// It could not even say why: its log takes nothing when the disk is full.
    fn silent_death(&self, data: &Path, code: Option<i32>) -> LaunchError {
        if Space::of(data).is_some_and(|space| space.free == 0) {
            return LaunchError::Data {
                path: data.to_owned(),
                source: io::Error::new(
                    io::ErrorKind::StorageFull,
                    "no space is left on its file system",
                ),
            };
        }
        LaunchError::Died {
            data: data.to_owned(),
            code,
            tail: format!("it said nothing in `{}`", self.log.display()),
        }
    }

    /// What it wrote, the end of it; `None` for nothing.
    fn tail(&self) -> Option<String> {
        let read = || -> io::Result<String> {
            let mut file = File::open(&self.log)?;
            let length = file.metadata()?.len();
            file.seek(SeekFrom::Start(
                self.before.max(length.saturating_sub(TAIL_MAX)),
            ))?;
            let mut bytes = Vec::new();
            file.take(TAIL_MAX).read_to_end(&mut bytes)?;
            Ok(String::from_utf8_lossy(&bytes).trim_end().to_owned())
        };
        read().ok().filter(|text| !text.is_empty())
    }
}
