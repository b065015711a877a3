//! The event loop: everything that happens comes in on one channel, is taken in that order, and drawn once.
//!
//! The only place that performs actions. Sleeps until something happens or a visible text changes by time alone.

use std::io::{self, Write as _};
use std::time::Duration;

use roundel::clock;
use rustix::process::WaitStatus;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::console::action::{Action, Kept, Save};
use crate::console::app::App;
use crate::console::backend::{Backend, Server};
use crate::console::event::Event;
use crate::console::place::Place;
use crate::console::preferences::Preferences;
use crate::console::shell::Shell;
use crate::console::terminal::{Between, Frames, Guard, Keys, Output, Pace};
use crate::console::theme::{Depth, Role, Theme};
use crate::console::view::{text, view};

mod lend;
mod signals;

use signals::{Heard, Signals};

/// Events on their way. More than a screen's answers and a burst of keys; who sends more waits.
const EVENTS: usize = 256;
/// Least time between frames that nobody's key asked for.
const FRAME: Duration = Duration::from_millis(33);

/// The same on a slow line, and the time that a key's own frame has for itself there.
const SLOW_FRAME: Duration = Duration::from_millis(500);

/// Time for the server to take what was typed in forms, once the console is made to end.
const PARTING: Duration = Duration::from_secs(3);

/// How the console looks.
#[derive(Clone, Debug)]
pub struct Look {
    /// Name of the theme.
    pub theme: String,
    /// Colours of the terminal.
    pub depth: Depth,
    /// Drawing characters are replaced by ASCII.
    pub ascii: bool,
    /// Frames are bracketed by DEC 2026.
    pub synchronized: bool,
    /// The console has the mouse from the start.
    pub mouse: bool,
    /// What stands between the console and the terminal.
    pub between: Between,
    /// The terminal is on another machine.
    pub far: bool,
}

/// How the console ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// Somebody left it.
    Quit,
    /// A signal, or the terminal is gone.
    Interrupted,
}

/// Runs the console until it ends.
///
/// # Errors
/// When there is no terminal.
pub async fn run(
    server: Server,
    place: Option<Place>,
    look: Look,
    theme: Theme,
    preferences: Preferences,
) -> io::Result<End> {
    let guard = Guard::take(look.mouse)?;
    let size = guard.size();
    let pace = Pace::new(guard.baud(), Instant::now());
    let torn = look.far || pace.is_slow();
    let (events, inbox) = mpsc::channel(EVENTS);
    let mut shell = Shell::new(size, clock::now());
    shell.mouse = look.mouse;
    shell.copies = look.between != Between::Deaf;
    let (keymap, problems) = preferences.keymap();
    shell.keymap = keymap;
    shell.themes = preferences.themes();
    let mut app = App::new(shell, place);
    app.warn("Some keys are as shipped", &problems);
    let runner = Runner {
        app,
        frames: Frames::new(size, look.synchronized),
        backend: Backend::spawn(server, events),
        guard,
        theme,
        look,
        preferences,
        drawn_at: Instant::now(),
        wake: None,
        keys: Keys::listen(torn)?,
        output: Output::open()?,
        pace,
        owed: false,
        key_at: None,
        signals: Signals::listen()?,
        lent: None,
    };
    let (end, left) = runner.run(inbox).await?;
    if let Some(left) = left {
        // The terminal may be gone, too.
        _ = writeln!(io::stderr(), "{left}");
    }
    Ok(end)
}

struct Runner {
    app: App,
    frames: Frames,
    backend: Backend,
    guard: Guard,
    theme: Theme,
    look: Look,
    preferences: Preferences,
    drawn_at: Instant,
    /// When the next frame is due without an event.
    wake: Option<Instant>,
    keys: Keys,
    output: Output,
    pace: Pace,
    /// A frame is to be drawn once there is room for it.
    owed: bool,
    /// When the last key came, on a slow line.
    key_at: Option<Instant>,
    signals: Signals,
    /// How the program ended to which the terminal was lent last.
    lent: Option<WaitStatus>,
}

impl Runner {
    /// Runs until it ends; answers with how it ended what goes away with it.
    async fn run(mut self, mut inbox: mpsc::Receiver<Event>) -> io::Result<(End, Option<String>)> {
        let end = self.go_on(&mut inbox).await?;
        let left = match end {
            End::Interrupted => self.part(&mut inbox).await,
            End::Quit => None,
        };
        Ok((end, left))
    }

    /// Has what was typed in forms staged, for as long as a server may take; answers what is not.
    async fn part(&mut self, inbox: &mut mpsc::Receiver<Event>) -> Option<String> {
        if let Some(write) = self.app.end() {
            self.backend.ask(write).await;
        }
        let until = Instant::now() + PARTING;
        while self.app.is_ending() {
            match timeout_at(until, inbox.recv()).await {
                // What else it asks for is not done any more.
                Ok(Some(event)) => _ = self.app.update(event),
                Ok(None) | Err(_) => break,
            }
        }
        self.app.left_behind()
    }

    async fn go_on(&mut self, inbox: &mut mpsc::Receiver<Event>) -> io::Result<End> {
        let first = self.app.start();
        if let Some(end) = self.perform(first, inbox).await? {
            return Ok(end);
        }
        self.slow_down();
        self.draw();
        loop {
            let wake = self.wake;
            let mut urgent = true;
            let event = tokio::select! {
                biased;
                heard = self.signals.next() => match heard {
                    Heard::End | Heard::Key => Some(Event::Ended),
                    Heard::Stop => {
                        self.suspend(false).await?;
                        Some(Event::Resumed)
                    }
                    Heard::Resume => {
                        self.retake()?;
                        Some(Event::Resumed)
                    }
                    Heard::Size => {
                        let (columns, rows) = self.guard.size();
                        Some(Event::Resize(columns, rows))
                    }
                },
                // The terminal is gone when it gives no more.
                event = self.keys.next() => Some(event.unwrap_or(Event::Ended)),
                sent = self.output.send() => {
                    self.sent(sent?);
                    continue;
                }
                event = inbox.recv() => {
                    // What a key asked for is to be seen at once too; answers to changes come ten times a second.
                    urgent = matches!(event, Some(Event::Answer(..)));
                    event
                }
                () = sleep_until(wake.unwrap_or_else(Instant::now)), if wake.is_some() => {
                    urgent = false;
                    None
                }
            };
            let interrupted = matches!(event, Some(Event::Ended));
            if let Some(end) = self.take(event, inbox).await? {
                return Ok(if interrupted { End::Interrupted } else { end });
            }
            if urgent && self.pace.is_slow() {
                self.key_at = Some(Instant::now());
            }
            self.show(urgent);
        }
    }

    /// Draws now, or as soon as there is room and it is worth it: what was not drawn meanwhile nobody misses.
    fn show(&mut self, urgent: bool) {
        let now = Instant::now();
        let slow = self.pace.is_slow();
        let mut due = now;
        if !urgent {
            // What the server tells may come thousands of times a second; eyes need no more than thirty frames.
            due = due.max(self.drawn_at + if slow { SLOW_FRAME } else { FRAME });
            // On a slow line the next key must find it free.
            due = due.max(self.key_at.map_or(now, |at| at + SLOW_FRAME));
        }
        due = due.max(self.pace.free_at(now).unwrap_or(now));
        self.owed = !self.output.is_idle();
        if self.owed {
            // Not by time: it is drawn when the last byte has gone.
            self.wake = None;
            return;
        }
        if due <= now {
            self.draw();
        } else {
            self.wake = Some(self.wake.map_or(due, |at| at.min(due)));
        }
    }

    /// Bytes have gone; once all have, the frame that is owed is drawn.
    fn sent(&mut self, (bytes, blocked): (usize, Duration)) {
        let slow = self.pace.is_slow();
        self.pace.sent(bytes, blocked, Instant::now());
        if self.pace.is_slow() != slow {
            self.slow_down();
        }
        if self.owed && self.output.is_idle() {
            self.show(true);
        }
    }

    /// On a slow line less is read and less is drawn.
    fn slow_down(&mut self) {
        let slow = self.pace.is_slow();
        self.app.shell.slow = slow;
        self.backend.set_slow(slow);
    }

    /// Takes an event and all that came with it.
    async fn take(
        &mut self,
        event: Option<Event>,
        inbox: &mut mpsc::Receiver<Event>,
    ) -> io::Result<Option<End>> {
        let mut actions = self.app.update(Event::Tick(clock::now()));
        if let Some(event) = event {
            actions.extend(self.app.update(event));
        }
        while let Ok(event) = inbox.try_recv() {
            actions.extend(self.app.update(event));
        }
        self.perform(actions, inbox).await
    }

    async fn perform(
        &mut self,
        actions: Vec<Action>,
        inbox: &mut mpsc::Receiver<Event>,
    ) -> io::Result<Option<End>> {
        for action in actions {
            match action {
                Action::Quit => return Ok(Some(End::Quit)),
                Action::Redraw => self.frames.forget(),
                Action::Copy(text) => self.output.push(&self.look.between.copy(&text)),
                Action::Save(save) => {
                    let what = match save.what {
                        Kept::View => {
                            let frame = text(&self.app, self.look.ascii);
                            Kept::Text(self.app.head_of_view() + &frame)
                        }
                        what => what,
                    };
                    self.backend.ask(Action::Save(Save { what, ..save })).await;
                }
                Action::Mouse(on) => self.output.push(self.guard.mouse(on)),
                Action::Theme(name) => {
                    self.take_theme(name);
                }
                Action::Suspend => self.suspend(true).await?,
                Action::Lend(errand) => {
                    if let Some(end) = self.lend(errand, inbox).await? {
                        return Ok(Some(end));
                    }
                }
                #[cfg(feature = "fault-injection")]
                Action::Panic => panic!("a panic was asked for"),
                action => self.backend.ask(action).await,
            }
        }
        Ok(None)
    }

    /// Changes the theme, or says why not and keeps the present one.
    fn take_theme(&mut self, name: String) {
        match self.preferences.theme(&name, self.look.depth) {
            Ok(theme) => {
                self.theme = theme;
                self.app.shell.say(Role::Accent, format!("theme {name}"));
            }
            Err(err) => self.app.shell.say(Role::Failed, format!("✗ {err}")),
        }
    }

    fn draw(&mut self) {
        let buffer = self.frames.blank(self.app.shell.size);
        let drawn = view(&self.app, &self.theme, self.look.ascii, buffer);
        let bytes = self.frames.present(drawn.cursor);
        self.output.push(&bytes);
        self.owed = false;
        self.drawn_at = Instant::now();
        self.app.drawn(drawn.spots);
        let now = clock::now();
        self.wake = drawn.wake.map(|at| self.drawn_at + at.since(now));
    }
}
