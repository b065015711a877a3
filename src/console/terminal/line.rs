//! The line to the terminal: bytes that come are read only while somebody asks for them, and bytes that go never block.
//!
//! Both ends are opened anew, so that what is set here is not set for the shell as well; where that is refused (another
//! account's terminal), the guard sets it back.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::time::Duration;

use rustix::fs::OFlags;
use tokio::net::unix::pipe::{Receiver, Sender};
use tokio::time::{Instant, timeout_at};

use super::parse::Parser;
use crate::console::event::Event;

/// How long an Escape may be the beginning of another key: longer than a slow line tears one apart, shorter than hands
/// notice.
const ESCAPE: Duration = Duration::from_millis(50);

/// The same on this machine, where a terminal writes a key at once.
const ESCAPE_HERE: Duration = Duration::from_millis(5);

/// Keys, pastes and the mouse as they come.
#[derive(Debug)]
pub struct Keys {
    tty: Receiver,
    parser: Parser,
    ready: std::collections::VecDeque<Event>,
    /// When what is held counts as complete.
    settles: Option<Instant>,
    /// How long after the last byte that is.
    patience: Duration,
}

impl Keys {
    /// Listens on standard input; `torn`: the line to it may tear a key apart.
    ///
    /// # Errors
    /// When it cannot be listened on.
    pub fn listen(torn: bool) -> io::Result<Self> {
        let tty = unblocked(
            &io::stdin(),
            OpenOptions::new().read(true),
            "/proc/self/fd/0",
        )?;
        Ok(Self {
            // Only its readiness is used, which a terminal has as a pipe has.
            tty: Receiver::from_owned_fd_unchecked(tty)?,
            parser: Parser::default(),
            ready: std::collections::VecDeque::new(),
            settles: None,
            patience: if torn { ESCAPE } else { ESCAPE_HERE },
        })
    }

    /// Waits for the next event; may be dropped and asked again without a loss. Reads nothing while nobody asks.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub async fn next(&mut self) -> io::Result<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Ok(event);
            }
            let read = match self.settles {
                Some(at) => match timeout_at(at, read(&self.tty)).await {
                    Ok(read) => read,
                    Err(_) => {
                        self.settles = None;
                        self.ready.extend(self.parser.settle());
                        continue;
                    }
                },
                None => read(&self.tty).await,
            };
            self.ready.extend(self.parser.take(&read?));
            self.settles = self.parser.waits().then(|| Instant::now() + self.patience);
        }
    }
}

async fn read(tty: &Receiver) -> io::Result<Vec<u8>> {
    let mut buffer = vec![0; 4096];
    loop {
        tty.readable().await?;
        match tty.try_read(&mut buffer) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(n) => {
                buffer.truncate(n);
                return Ok(buffer);
            }
            Err(err) if is_moment(&err) => {}
            Err(err) => return Err(err),
        }
    }
}

/// Something that is over when it is tried again.
fn is_moment(err: &io::Error) -> bool {
    matches!(
        err.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
    )
}

/// What is on its way to the terminal.
#[derive(Debug)]
pub struct Output {
    tty: Sender,
    waiting: Vec<u8>,
    sent: usize,
    /// Since when the terminal takes nothing.
    blocked: Option<Instant>,
}

impl Output {
    /// Writes to standard output.
    ///
    /// # Errors
    /// When it cannot be written to.
    pub fn open() -> io::Result<Self> {
        let tty = unblocked(
            &io::stdout(),
            OpenOptions::new().write(true),
            "/proc/self/fd/1",
        )?;
        Ok(Self {
            tty: Sender::from_owned_fd_unchecked(tty)?,
            waiting: Vec::new(),
            sent: 0,
            blocked: None,
        })
    }

    /// Adds bytes to what is on its way.
    pub fn push(&mut self, bytes: &[u8]) {
        self.waiting.extend_from_slice(bytes);
    }

    /// Nothing is on its way.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.sent == self.waiting.len()
    }

    /// Forgets what is on its way: somebody else has the terminal.
    pub fn forget(&mut self) {
        self.waiting.clear();
        (self.sent, self.blocked) = (0, None);
    }

    /// Sends some of it; answers how many bytes, and how long the terminal had taken none. Waits for ever when there is
    /// nothing. May be dropped and asked again without a loss.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub async fn send(&mut self) -> io::Result<(usize, Duration)> {
        if self.is_idle() {
            return std::future::pending().await;
        }
        loop {
            self.tty.writable().await?;
            match self.tty.try_write(&self.waiting[self.sent..]) {
                Ok(n) => {
                    self.sent += n;
                    if self.is_idle() {
                        self.waiting.clear();
                        self.sent = 0;
                    }
                    let blocked = self
                        .blocked
                        .take()
                        .map_or(Duration::ZERO, |at| at.elapsed());
                    return Ok((n, blocked));
                }
                // It takes no more just now.
                Err(err) if is_moment(&err) => _ = self.blocked.get_or_insert_with(Instant::now),
                Err(err) => return Err(err),
            }
        }
    }
}

/// A descriptor of the same terminal that never blocks.
fn unblocked(inherited: &impl AsFd, how: &OpenOptions, again: &str) -> io::Result<OwnedFd> {
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let flags = i32::try_from(flags.bits()).map_err(io::Error::other)?;
    let opened: io::Result<File> = how.clone().custom_flags(flags).open(again);
    if let Ok(file) = opened {
        return Ok(file.into());
    }
    let shared = inherited.as_fd().try_clone_to_owned()?;
    super::share_unblocked();
    Ok(shared)
}
