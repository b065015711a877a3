//! The way to the server: keeps the stream of changes open, reads the windows that are on the screen, and writes.
//!
//! Owns the client; talks to the console in [`Event`]s only. Per slot one question is under way and the newest waits.

use std::collections::{HashMap, VecDeque};
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
mod file;
mod link;
mod look;
mod save;
mod write;

/// Windows that keys ask for, each second at most: as often as a screen can change in a way that eyes follow.
const FETCHES_PER_SECOND: u32 = 30;
/// The same on a slow line, over which the screen changes more rarely.
const SLOW_FETCHES_PER_SECOND: u32 = 10;
/// Windows read at once after a pause: all panes of a screen that was just entered.
const BURST: u32 = 6;
/// Writes under way at once: many things are changed one after the other, and the server has others to answer.
const WRITES: usize = 4;
/// Least time between two readings of a window that nobody's key asked for: changes may come hundreds a second, and
/// whoever waits for a key's answer goes first.
const REFRESH: Duration = Duration::from_millis(100);
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
                Some(Action::Refresh(slot, want)) => fetches.push_later(slot, want),
                Some(Action::Reconnect) => reconnect.notify_one(),
                Some(Action::LookAt(path)) => _ = tokio::spawn(look::look(path, events.clone())),
                Some(Action::StartServer) => _ = tokio::spawn(link::start(server.clone(), Arc::clone(&reconnect), events.clone())),
                Some(Action::Try(what)) => _ = tokio::spawn(file::try_out(client, what, events.clone())),
                Some(Action::Load { key, path }) => _ = tokio::spawn(file::load(key, path, events.clone())),
                Some(Action::FetchChain(place)) => _ = tokio::spawn(file::fetch_chain(client, place, events.clone())),
                Some(Action::SelfSign(names)) => _ = tokio::spawn(file::self_sign(names, events.clone())),
                Some(Action::Complete(typed)) => _ = tokio::spawn(file::complete(typed, events.clone())),
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
    waiting: VecDeque<Waiting>,
    busy: Vec<Slot>,
    begun: HashMap<Slot, Instant>,
    tokens: f64,
    counted_at: Instant,
    per_second: f64,
}

/// A window that is to be read.
#[derive(Debug)]
struct Waiting {
    slot: Slot,
    want: Want,
    /// Nobody's key asked for it: not before then.
    later: Option<Instant>,
}

impl Fetches {
    fn new(now: Instant) -> Self {
        Self {
            waiting: VecDeque::new(),
            busy: Vec::new(),
            begun: HashMap::new(),
            tokens: f64::from(BURST),
            counted_at: now,
            per_second: f64::from(FETCHES_PER_SECOND),
        }
    }

    fn push(&mut self, slot: Slot, want: Want) {
        self.waiting.retain(|known| known.slot != slot);
        let later = None;
        self.waiting.push_back(Waiting { slot, want, later });
    }

    /// One that nobody's key asked for; what a key asked for meanwhile stays as urgent as it was.
    fn push_later(&mut self, slot: Slot, want: Want) {
        match self.waiting.iter_mut().find(|known| known.slot == slot) {
            Some(known) => known.want = want,
            None => {
                let begun = self.begun.get(&slot).copied();
                // On a slow line as much more rarely as all else.
                let apart = REFRESH.mul_f64(f64::from(FETCHES_PER_SECOND) / self.per_second);
                let later = Some(begun.map_or(self.counted_at, |at| at + apart));
                self.waiting.push_back(Waiting { slot, want, later });
            }
        }
    }

    fn done(&mut self, slot: Slot) {
        self.busy.retain(|known| *known != slot);
    }

    /// When a window that waits may be read; `None` while its slot is busy.
    fn due(&self, of: &Waiting) -> Option<Instant> {
        if self.busy.contains(&of.slot) {
            return None;
        }
        let missing = (1.0 - self.tokens).max(0.0) / self.per_second;
        Some(
            of.later
                .unwrap_or(self.counted_at + Duration::from_secs_f64(missing)),
        )
    }

    /// The next window to read, if one may be read now.
    fn next(&mut self, now: Instant) -> Option<(Slot, Want)> {
        let more = now.duration_since(self.counted_at).as_secs_f64() * self.per_second;
        self.tokens = (self.tokens + more).min(f64::from(BURST));
        self.counted_at = now;
        let at = self
            .waiting
            .iter()
            .position(|one| self.due(one).is_some_and(|due| due <= now))?;
        let Waiting { slot, want, later } = self.waiting.remove(at)?;
        if later.is_none() {
            self.tokens -= 1.0;
        }
        self.busy.push(slot);
        self.begun.insert(slot, now);
        Some((slot, want))
    }

    /// When one that waits may be read.
    fn allowed_at(&self) -> Option<Instant> {
        self.waiting.iter().filter_map(|one| self.due(one)).min()
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

    #[test]
    fn changes_are_read_ten_times_a_second_and_a_key_does_not_wait_for_them() {
        let begun = Instant::now();
        let ms = |ms| begun + Duration::from_millis(ms);
        let mut fetches = Fetches::new(begun);
        fetches.push_later(Slot::Rows, want("a"));
        assert_eq!(
            fetches.next(begun),
            Some((Slot::Rows, want("a"))),
            "at once"
        );
        fetches.done(Slot::Rows);
        fetches.push_later(Slot::Rows, want("b"));
        assert_eq!(fetches.next(ms(60)), None);
        assert_eq!(fetches.allowed_at(), Some(ms(100)));
        fetches.push_later(Slot::Rows, want("c"));
        assert_eq!(
            fetches.next(ms(100)),
            Some((Slot::Rows, want("c"))),
            "the newest of them"
        );
        fetches.done(Slot::Rows);
        fetches.push_later(Slot::Rows, want("d"));
        fetches.push(Slot::Rows, want("e"));
        fetches.push_later(Slot::Rows, want("f"));
        assert_eq!(fetches.next(ms(101)), Some((Slot::Rows, want("f"))));
    }
}
