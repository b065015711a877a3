//! Everything an agent has to say: numbered, spooled to disk, and sent from there until the server has it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};

use super::mask::{Mask, Stream};
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
pub(super) const BACKOFF: (Duration, Duration) =
    (Duration::from_millis(100), Duration::from_secs(2));
/// How long a finished agent waits for a server that is away; after that the server takes the files by itself.
const PATIENCE: Duration = Duration::from_secs(600);
/// How often a full disk is tried again.
const FULL_DISK_PAUSE: Duration = Duration::from_millis(500);

/// How long a stream may pause with a few bytes held back that may be the beginning of a secret, before they are shown:
/// nobody who looks on notices it, and a program that writes in pieces is faster.
const PAUSE: Duration = Duration::from_millis(500);

/// The journal. Single-threaded: steps write, the sender reads.
#[derive(Debug)]
pub(super) struct Journal {
    spool: RefCell<Spool>,
    seq: Cell<u64>,
    written: Notify,
    finished: Cell<bool>,
    stop: watch::Sender<bool>,
    /// What is hidden, and each stream as it was searched.
    mask: RefCell<Option<Masked>>,
    pid_start: u64,
    attempt: String,
    socket: PathBuf,
    heartbeat: Duration,
}

/// What is hidden in output.
#[derive(Debug)]
struct Masked {
    mask: Arc<Mask>,
    /// By step and stream; they stay, since what a step left running may write on.
    streams: BTreeMap<(u16, u8), Output>,
}

#[derive(Debug)]
struct Output {
    text: Stream,
    /// Somebody waits for a pause of it.
    watched: bool,
    /// It went on since.
    goes_on: bool,
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
            mask: RefCell::default(),
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
        self.end_streams(Some(step)).await;
        self.append(RecordBody::Event(Event::StepEnded {
            step,
            at: clock::now(),
            status,
            exit_code,
        }))
        .await;
    }

    /// Hides this in all that is written from now on.
    pub(super) fn hide(&self, mask: Arc<Mask>) {
        self.mask.replace(Some(Masked {
            mask,
            streams: BTreeMap::new(),
        }));
    }

    /// A text of the agent's own, with what is hidden hidden.
    pub(super) fn clean(&self, text: String) -> String {
        match &*self.mask.borrow() {
            Some(masked) => {
                let clean = masked.mask.whole(text.as_bytes());
                String::from_utf8_lossy(&clean).into_owned()
            }
            None => text,
        }
    }

    /// Output of a step, without what is hidden.
    pub(super) async fn output(self: &Rc<Self>, step: u16, stream: u8, bytes: &[u8]) {
        let Some((clean, watch)) = self.masked(step, stream, |mask, output| {
            let clean = mask.feed(&mut output.text, bytes);
            let watch = output.text.waits() && !output.watched;
            output.watched |= watch;
            output.goes_on = !watch;
            (clean, watch)
        }) else {
            return self.append_output(step, stream, bytes).await;
        };
        if watch {
            let journal = self.clone();
            tokio::task::spawn_local(async move { journal.show_after_pause(step, stream).await });
        }
        self.append_output(step, stream, &clean).await;
    }

    /// Shows the few bytes that are held back of a stream once it has paused.
    async fn show_after_pause(&self, step: u16, stream: u8) {
        loop {
            tokio::time::sleep(PAUSE).await;
            let shown = self.masked(step, stream, |_, output| {
                if std::mem::take(&mut output.goes_on) && output.text.waits() {
                    return None;
                }
                output.watched = false;
                Some(output.text.pause())
            });
            match shown {
                Some(None) => {}
                Some(Some(clean)) => return self.append_output(step, stream, &clean).await,
                None => return,
            }
        }
    }

    /// The ends of streams: all is shown that is still held back. Of a step, or of all of them.
    async fn end_streams(&self, of: Option<u16>) {
        let ended: Vec<(u16, u8)> = match &*self.mask.borrow() {
            Some(masked) => masked.streams.keys().copied().collect(),
            None => return,
        };
        for (step, stream) in ended {
            if of.is_none_or(|of| of == step)
                && let Some(clean) =
                    self.masked(step, stream, |mask, output| mask.finish(&mut output.text))
            {
                self.append_output(step, stream, &clean).await;
            }
        }
    }

    /// Does something with a stream, when anything is hidden.
    fn masked<T>(
        &self,
        step: u16,
        stream: u8,
        work: impl FnOnce(&Mask, &mut Output) -> T,
    ) -> Option<T> {
        let mut masked = self.mask.borrow_mut();
        let Masked { mask, streams } = masked.as_mut()?;
        let output = streams.entry((step, stream)).or_insert_with(|| Output {
            text: mask.stream(),
            watched: false,
            goes_on: false,
        });
        Some(work(mask, output))
    }

    /// Cut into records of the size the wire takes.
    async fn append_output(&self, step: u16, stream: u8, bytes: &[u8]) {
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

    /// The end of all output; answers the number of the newest record.
    pub(super) async fn end_output(&self) -> u64 {
        self.end_streams(None).await;
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
pub(super) fn moved_to(dir: &Path) -> Option<PathBuf> {
    let text = std::fs::read_to_string(dir.join("server")).ok()?;
    Some(PathBuf::from(text)).filter(|path| path.is_absolute())
}
