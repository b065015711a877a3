//! Signals of the process, as a console hears them.

use std::io;

use futures_util::FutureExt;
use futures_util::future::select_all;
use rustix::process::Signal;
use tokio::signal::unix::{self, SignalKind, signal};

/// Those that mean something to a console.
#[derive(Debug)]
pub(super) struct Signals {
    /// The terminal is gone, or somebody ends the process.
    ends: Vec<unix::Signal>,
    /// What ctrl-c and ctrl-\ send, on a terminal that sends them.
    keys: Vec<unix::Signal>,
    size: unix::Signal,
    stop: unix::Signal,
    resume: unix::Signal,
}

impl Signals {
    /// Listens from now on.
    pub(super) fn listen() -> io::Result<Self> {
        let all = |kinds: [SignalKind; 2]| {
            kinds
                .map(signal)
                .into_iter()
                .collect::<io::Result<Vec<_>>>()
        };
        Ok(Self {
            ends: all([SignalKind::hangup(), SignalKind::terminate()])?,
            keys: all([SignalKind::interrupt(), SignalKind::quit()])?,
            size: signal(SignalKind::window_change())?,
            stop: signal(SignalKind::from_raw(Signal::TSTP.as_raw()))?,
            resume: signal(SignalKind::from_raw(Signal::CONT.as_raw()))?,
        })
    }

    /// Waits for the next one. Ends come first.
    pub(super) async fn next(&mut self) -> Heard {
        tokio::select! {
            biased;
            () = any(&mut self.ends) => Heard::End,
            () = any(&mut self.keys) => Heard::Key,
            _ = self.stop.recv() => Heard::Stop,
            _ = self.resume.recv() => Heard::Resume,
            _ = self.size.recv() => Heard::Size,
        }
    }

    /// Waits for a stop, and takes it.
    pub(super) async fn stopped(&mut self) {
        self.stop.recv().await;
    }

    /// Waits for the signal that ends a stop; false when it is to stop again before it has heard that.
    pub(super) async fn resumed(&mut self) -> bool {
        tokio::select! {
            _ = self.resume.recv() => true,
            _ = self.stop.recv() => false,
        }
    }

    /// Forgets stops and resumes that have come and were not taken.
    pub(super) fn forget_stops(&mut self) {
        while self.stop.recv().now_or_never().is_some() {}
        while self.resume.recv().now_or_never().is_some() {}
    }
}

/// What was heard.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Heard {
    /// The console is to end.
    End,
    /// ctrl-c or ctrl-\ of a terminal that sends signals for them.
    Key,
    /// It is to stop.
    Stop,
    /// It goes on.
    Resume,
    /// The terminal has another size.
    Size,
}

/// Waits for the first of several signals.
async fn any(signals: &mut [unix::Signal]) {
    let waits = signals.iter_mut().map(|signal| Box::pin(signal.recv()));
    select_all(waits).await;
}
