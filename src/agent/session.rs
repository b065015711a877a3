//! Taking up an attempt: the claim on its token, the process's standing, and the signals it obeys.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use rustix::process::{DumpableBehavior, set_child_subreaper, set_dumpable_behavior, setsid};
use tokio::signal::unix::{SignalKind, signal};

use super::journal::Journal;
use crate::api::agent::Task;
use crate::processes;
use crate::storage::spool;

/// An attempt that this process has taken up.
#[derive(Debug)]
pub(super) struct Session {
    pub task: Task,
    pub token: String,
    pub pid_start: u64,
}

/// Why an attempt cannot be taken up.
#[derive(Debug, thiserror::Error)]
pub(super) enum ClaimError {
    #[error("failed to read `{path}`")]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("`{path}` is not a task of this version")]
    Task {
        path: PathBuf,
        #[source]
        source: serde_json::Error,
    },
    #[error("the token was taken or revoked")]
    Token(#[source] io::Error),
    #[error("failed to write `{path}`")]
    Write {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

impl Session {
    /// Claims the attempt. Whoever renames the token has it: a server that comes back and finds it unclaimed renames
    /// it too, and then knows that no agent ever began.
    pub(super) fn claim(dir: &Path) -> Result<Self, ClaimError> {
        let path = dir.join("task.json");
        let bytes = fs::read(&path).map_err(|source| ClaimError::Read {
            path: path.clone(),
            source,
        })?;
        let task: Task =
            serde_json::from_slice(&bytes).map_err(|source| ClaimError::Task { path, source })?;
        let claimed = dir.join("token.claimed");
        fs::rename(dir.join("token"), &claimed).map_err(ClaimError::Token)?;
        let token = fs::read_to_string(&claimed).map_err(ClaimError::Token)?;
        fs::remove_file(&claimed).map_err(ClaimError::Token)?;

        stand_alone();
        let pid = std::process::id();
        let pid_start = processes::start_time(pid).unwrap_or(0);
        let path = dir.join("pid");
        // After a loss of power no process has this id any more, so it need not be on disk.
        spool::write_at_once(&path, format!("{pid} {pid_start}").as_bytes())
            .map_err(|source| ClaimError::Write { path, source })?;
        Ok(Self {
            task,
            token,
            pid_start,
        })
    }
}

/// A session of its own, so that no hang-up reaches it; parent of all orphans below it; not to be read by others of
/// its user (it holds a token). Each is a strengthening: without it the run is still right.
fn stand_alone() {
    if let Err(err) = setsid() {
        tracing::warn!(error = %err, "no session of its own");
    }
    if let Err(err) = set_child_subreaper(rustix::process::Pid::from_raw(1)) {
        tracing::warn!(error = %err, "orphans of steps will not come back to the agent");
    }
    if let Err(err) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        tracing::warn!(error = %err, "the agent's memory can be read by others of its user");
    }
}

/// How long a child of the agent's own may have ended before whoever started it has waited for it.
const MOMENT: Duration = Duration::from_secs(1);

/// Waits for the orphans of steps, which come back to the agent: none is to stay a zombie until the run ends, which
/// whoever waits for its end by its id would take for life. Children of the agent's own are waited for where they were
/// started, within a moment; what is there for longer is nobody else's.
pub(super) async fn bury_orphans() {
    let mut ended = match signal(SignalKind::child()) {
        Ok(ended) => ended,
        Err(err) => {
            tracing::warn!(error = %err, "orphans of steps stay zombies until the run ends");
            return;
        }
    };
    while ended.recv().await.is_some() {
        let seen = processes::zombies();
        if seen.is_empty() {
            continue;
        }
        // One that ends meanwhile has told so by another signal.
        tokio::time::sleep(MOMENT).await;
        for pid in processes::zombies().intersection(&seen) {
            processes::bury(*pid);
        }
    }
}

/// SIGTERM and SIGINT mean: stop the run. Further ones change nothing.
pub(super) fn obey_signals(journal: &Rc<Journal>) -> io::Result<()> {
    for kind in [SignalKind::terminate(), SignalKind::interrupt()] {
        let mut stream = signal(kind)?;
        let journal = journal.clone();
        tokio::task::spawn_local(async move {
            while stream.recv().await.is_some() {
                tracing::info!("told to stop by a signal");
                journal.stop();
            }
        });
    }
    Ok(())
}
