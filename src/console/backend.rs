//! The way to the server: keeps the stream of changes open, reads the windows that are on the screen, and writes.
//!
//! Owns the client; talks to the console in [`Event`]s only. Per slot one question is under way and the newest waits.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use roundel::client::Client;
use roundel::client::launch::Place;
use tokio::sync::{Notify, Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::console::action::{Action, Slot, Want};
use crate::console::event::Event;

pub mod children;
mod fetch;
mod link;
mod look;
mod save;
mod write;

/// Windows read each second at most: as often as a screen can change in a way that eyes follow.
const FETCHES_PER_SECOND: u32 = 30;
/// The same on a slow line, over which the screen changes more rarely.
const SLOW_FETCHES_PER_SECOND: u32 = 10;
/// Windows read at once after a pause: all panes of a screen that was just entered.
const BURST: u32 = 6;
/// Writes under way at once: many things are changed one after the other, and the server has others to answer.
const WRITES: usize = 4;
/// Requests on their way here. A key makes at most six.
const REQUESTS: usize = 64;

/// Which server, and how one is started.
#[derive(Clone, Debug)]
pub struct Server {
    /// Where it is.
    pub place: Place,
    /// The bootstrap file for one that is started.
    pub config: Option<PathBuf>,
    /// Start one at the first connection when there is none.
    pub start: bool,
    /// Name of this console's session: what it may write is decided by that.
    pub session: String,
    /// It is to be held back until armed, also where it could write.
    pub read_only: bool,
}

/// The console's end.
#[derive(Clone, Debug)]
pub struct Backend {
    requests: mpsc::Sender<Action>,
    slow: Arc<AtomicBool>,
}

impl Backend {
    /// Connects in the background; everything that comes of it goes to `events`.
    pub fn spawn(server: Server, events: mpsc::Sender<Event>) -> Self {
        let (requests, inbox) = mpsc::channel(REQUESTS);
        let (client, clients) = watch::channel(None);
        let now = Arc::new(Notify::new());
        tokio::spawn(link::keep(
            server.clone(),
            client,
            Arc::clone(&now),
            events.clone(),
        ));
        let slow = Arc::new(AtomicBool::new(false));
        tokio::spawn(work(server, inbox, clients, now, events, Arc::clone(&slow)));
        Self { requests, slow }
    }

    /// Reads less often, or as often as usual.
    pub fn set_slow(&self, slow: bool) {
        self.slow.store(slow, Ordering::Relaxed);
    }

    /// Has an action done.
    pub async fn ask(&self, action: Action) {
        // The receiver lives as long as the runtime: an error means that the console is ending.
        _ = self.requests.send(action).await;
    }
}

async fn work(
    server: Server,
    mut inbox: mpsc::Receiver<Action>,
    mut clients: watch::Receiver<Option<Client>>,
    reconnect: Arc<Notify>,
    events: mpsc::Sender<Event>,
    slow: Arc<AtomicBool>,
) {
    let mut fetches = Fetches::new(Instant::now());
    let mut under_way: JoinSet<Slot> = JoinSet::new();
    let turns = Arc::new(Semaphore::new(WRITES));
    loop {
        let client = clients.borrow_and_update().clone();
        fetches.per_second = f64::from(if slow.load(Ordering::Relaxed) {
            SLOW_FETCHES_PER_SECOND
        } else {
            FETCHES_PER_SECOND
        });
        if let Some(client) = &client {
            while let Some((slot, want)) = fetches.next(Instant::now()) {
                under_way.spawn(fetch::fetch(client.clone(), slot, want, events.clone()));
            }
        }
        let allowed_at = fetches.allowed_at().filter(|_| client.is_some());
        tokio::select! {
            action = inbox.recv() => match action {
                None => return,
                Some(Action::Fetch(slot, want)) => fetches.push(slot, want),
                Some(Action::Reconnect) => reconnect.notify_one(),
                Some(Action::LookAt(path)) => _ = tokio::spawn(look::look(path, events.clone())),
                Some(Action::StartServer) => _ = tokio::spawn(link::start(server.clone(), Arc::clone(&reconnect), events.clone())),
                Some(Action::Save(what)) => _ = tokio::spawn(save::save(client, what, events.clone())),
                Some(Action::Write(write)) => {
                    _ = tokio::spawn(write::write(Arc::clone(&turns), client, write, events.clone()));
                }
                Some(_) => {}
            },
            Some(done) = under_way.join_next() => if let Ok(slot) = done { fetches.done(slot); },
            _ = clients.changed() => {}
            () = sleep_until(allowed_at.unwrap_or_else(Instant::now)), if allowed_at.is_some() => {}
        }
    }
}

/// Which windows are to be read, in which order, and when the next may be.
#[derive(Debug)]
struct Fetches {
    waiting: VecDeque<(Slot, Want)>,
    busy: Vec<Slot>,
    tokens: f64,
    counted_at: Instant,
    per_second: f64,
}

impl Fetches {
    fn new(now: Instant) -> Self {
        Self {
            waiting: VecDeque::new(),
            busy: Vec::new(),
            tokens: f64::from(BURST),
            counted_at: now,
            per_second: f64::from(FETCHES_PER_SECOND),
        }
    }

    fn push(&mut self, slot: Slot, want: Want) {
        self.waiting.retain(|(known, _)| *known != slot);
        self.waiting.push_back((slot, want));
    }

    fn done(&mut self, slot: Slot) {
        self.busy.retain(|known| *known != slot);
    }

    fn ready(&self) -> Option<usize> {
        self.waiting
            .iter()
            .position(|(slot, _)| !self.busy.contains(slot))
    }

    /// The next window to read, if one may be read now.
    fn next(&mut self, now: Instant) -> Option<(Slot, Want)> {
        let more = now.duration_since(self.counted_at).as_secs_f64() * self.per_second;
        self.tokens = (self.tokens + more).min(f64::from(BURST));
        self.counted_at = now;
        let at = self.ready()?;
        if self.tokens < 1.0 {
            return None;
        }
        self.tokens -= 1.0;
        let (slot, want) = self.waiting.remove(at)?;
        self.busy.push(slot);
        Some((slot, want))
    }

    /// When one that waits may be read.
    fn allowed_at(&self) -> Option<Instant> {
        self.ready()?;
        let missing = (1.0 - self.tokens).max(0.0) / self.per_second;
        Some(self.counted_at + Duration::from_secs_f64(missing))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn want(id: &str) -> Want {
        Want::Run(id.to_owned())
    }

    #[test]
    fn the_newest_question_of_a_slot_replaces_the_one_that_waits() {
        let now = Instant::now();
        let mut fetches = Fetches::new(now);
        fetches.push(Slot::Run, want("a"));
        assert_eq!(fetches.next(now), Some((Slot::Run, want("a"))));
        fetches.push(Slot::Run, want("b"));
        fetches.push(Slot::Run, want("c"));
        assert_eq!(fetches.next(now), None, "one at a time");
        fetches.done(Slot::Run);
        assert_eq!(fetches.next(now), Some((Slot::Run, want("c"))));
    }

    #[test]
    fn a_storm_is_read_at_the_rate_of_the_screen() {
        let begun = Instant::now();
        let mut now = begun;
        let mut fetches = Fetches::new(now);
        let mut read = 0;
        while now - begun < Duration::from_secs(1) {
            fetches.push(Slot::Rows, want("x"));
            while fetches.next(now).is_some() {
                read += 1;
                fetches.done(Slot::Rows);
                fetches.push(Slot::Rows, want("x"));
            }
            let Some(at) = fetches.allowed_at() else {
                panic!("something waits")
            };
            now = at.max(now + Duration::from_millis(1));
        }
        assert!(
            (FETCHES_PER_SECOND..=FETCHES_PER_SECOND + BURST + 1).contains(&read),
            "{read}"
        );
    }
}
