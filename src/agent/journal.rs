//! Everything an agent has to say: numbered, spooled to disk, and sent from there until the server has it.

use std::cell::{Cell, RefCell};
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::{Notify, watch};

use super::session::Session;
use crate::api::agent::{BODY_MAX, Event, Finished, OUTPUT_MAX, Record, RecordBody};
use crate::api::builds::StepStatus;
use crate::client::{Client, ClientError};
use crate::clock;
use crate::error::Chain;
use crate::storage::spool::Spool;

/// How often an agent shows that it lives within the silence that the server calls unreachable.
const HEARTBEATS: u32 = 12;
/// First and longest wait before a server that is away is tried again.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));
/// How long a finished agent waits for a server that is away; after that the server takes the files by itself.
const PATIENCE: Duration = Duration::from_secs(600);
/// How often a full disk is tried again.
const FULL_DISK_PAUSE: Duration = Duration::from_millis(500);

/// The journal. Single-threaded: steps write, the sender reads.
#[derive(Debug)]
pub(super) struct Journal {
    spool: RefCell<Spool>,
    seq: Cell<u64>,
    written: Notify,
    finished: Cell<bool>,
    stop: watch::Sender<bool>,
    pid_start: u64,
    attempt: String,
    socket: PathBuf,
    heartbeat: Duration,
}

/// Tries until a write goes through: a full disk holds the run up and loses nothing. Gives up when the directory is
/// gone, which no waiting brings back.
pub(super) async fn until_written(what: &str, mut write: impl FnMut() -> io::Result<()>) {
    let mut failed = false;
    while let Err(err) = write() {
        if err.kind() == io::ErrorKind::NotFound {
            tracing::error!(error = %err, "{what} has no place any more");
            return;
        }
        if !failed {
            tracing::warn!(error = %err, "{what} cannot be written; trying on");
            failed = true;
        }
        tokio::time::sleep(FULL_DISK_PAUSE).await;
    }
    if failed {
        tracing::info!("{what} could be written at last");
    }
}

impl Journal {
    pub(super) fn open(dir: &Path, session: &Session) -> io::Result<Self> {
        Ok(Self {
            spool: RefCell::new(Spool::create(&dir.join("spool"))?),
            seq: Cell::new(0),
            written: Notify::new(),
            finished: Cell::new(false),
            stop: watch::channel(false).0,
            pid_start: session.pid_start,
            attempt: session.task.attempt.to_string(),
            socket: session.task.socket.clone(),
            heartbeat: Duration::from_secs(session.task.silence_s) / HEARTBEATS,
        })
    }

    async fn append(&self, body: RecordBody) {
        self.seq.set(self.seq.get() + 1);
        let record = Record {
            seq: self.seq.get(),
            micros: clock::now_micros(),
            body,
        };
        until_written("the spool", || self.spool.borrow_mut().append(&record)).await;
        self.written.notify_one();
    }

    pub(super) async fn agent_started(&self) {
        self.append(RecordBody::Event(Event::AgentStarted {
            pid: std::process::id(),
            pid_start: self.pid_start,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }))
        .await;
    }

    pub(super) async fn step_started(&self, step: u16) {
        self.append(RecordBody::Event(Event::StepStarted {
            step,
            at: clock::now(),
        }))
        .await;
    }

    pub(super) async fn step_ended(&self, step: u16, status: StepStatus, exit_code: Option<i32>) {
        self.append(RecordBody::Event(Event::StepEnded {
            step,
            at: clock::now(),
            status,
            exit_code,
        }))
        .await;
    }

    /// Output of a step, as it came; cut into records of the size the wire takes.
    pub(super) async fn output(&self, step: u16, stream: u8, bytes: &[u8]) {
        for part in bytes.chunks(OUTPUT_MAX) {
            self.append(RecordBody::Output {
                step,
                stream,
                bytes: part.to_vec(),
            })
            .await;
        }
    }

    /// The last record.
    pub(super) async fn finish(&self, finished: Finished) {
        self.append(RecordBody::Event(Event::Finished(finished)))
            .await;
        self.finished.set(true);
        self.written.notify_one();
    }

    /// Number of the newest record.
    pub(super) fn last_seq(&self) -> u64 {
        self.seq.get()
    }

    /// The run is to stop.
    pub(super) fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Resolves once the run is to stop.
    pub(super) async fn stopped(&self) {
        let mut stop = self.stop.subscribe();
        // The sender lives as long as the journal, so this only ever waits.
        let _ = stop.wait_for(|stop| *stop).await;
    }

    pub(super) fn is_stopped(&self) -> bool {
        *self.stop.borrow()
    }
}

/// Sends what is spooled until all is said and acknowledged, or the server says that the attempt is over.
pub(super) async fn send(journal: Rc<Journal>, dir: PathBuf, token: String) {
    let mut socket = journal.socket.clone();
    let mut client = Client::unix(&socket);
    let mut pause = BACKOFF.0;
    let mut away = Duration::ZERO;
    loop {
        let frames = journal.spool.borrow().unacknowledged(BODY_MAX);
        let frames = match frames {
            Ok(frames) => frames,
            Err(err) => {
                tracing::error!(error = %err, "the spool cannot be read");
                tokio::time::sleep(BACKOFF.1).await;
                continue;
            }
        };
        if frames.is_empty() {
            if journal.finished.get() {
                return;
            }
            let heard = tokio::time::timeout(journal.heartbeat, journal.written.notified())
                .await
                .is_ok();
            if heard {
                continue;
            }
        }
        let length = frames.len();
        match client.report(&journal.attempt, &token, frames.into()).await {
            Ok(ack) => {
                if away > Duration::ZERO {
                    tracing::info!(away_s = away.as_secs(), "the server is back");
                }
                (pause, away) = (BACKOFF.0, Duration::ZERO);
                journal.spool.borrow_mut().acknowledge(length);
                if ack.stop && !journal.is_stopped() {
                    tracing::info!("told to stop by the server");
                    journal.stop();
                }
            }
            Err(ClientError::Server { status: 410, .. }) => {
                tracing::info!("the attempt is over for the server");
                journal.stop();
                return;
            }
            Err(err) => {
                if away.is_zero() {
                    tracing::warn!(error = %Chain(&err), "the server cannot be reached; spooling");
                }
                if journal.finished.get() && away > PATIENCE {
                    return;
                }
                if is_gone(&dir) {
                    tracing::error!(
                        "the attempt's directory was removed: nobody will ever ask for this run"
                    );
                    journal.stop();
                    return;
                }
                tokio::time::sleep(pause).await;
                away += pause;
                pause = (pause * 2).min(BACKOFF.1);
                if let Some(moved) = moved_to(&dir).filter(|moved| *moved != socket) {
                    tracing::info!(socket = %moved.display(), "the server has moved");
                    client = Client::unix(&moved);
                    socket = moved;
                }
            }
        }
    }
}

/// Whether a directory was removed, as opposed to out of reach for a while.
fn is_gone(dir: &Path) -> bool {
    std::fs::symlink_metadata(dir).is_err_and(|err| err.kind() == io::ErrorKind::NotFound)
}

/// Where a later server says it listens.
fn moved_to(dir: &Path) -> Option<PathBuf> {
    let text = std::fs::read_to_string(dir.join("server")).ok()?;
    Some(PathBuf::from(text)).filter(|path| path.is_absolute())
}
