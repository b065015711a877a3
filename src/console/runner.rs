//! The event loop: everything that happens comes in on one channel, is taken in that order, and drawn once.
//!
//! The only place that performs actions. Sleeps until something happens or a visible text changes by time alone.

use std::io;
use std::time::Duration;

use crossterm::event::{Event as TerminalEvent, EventStream, MouseButton, MouseEventKind};
use futures_util::StreamExt;
use roundel::clock;
use rustix::process::{Signal, getpid, getsid, kill_current_process_group, kill_process};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::console::action::{Action, Kept, Save};
use crate::console::app::App;
use crate::console::backend::{Backend, Server};
use crate::console::chord::Chord;
use crate::console::event::Event;
use crate::console::place::Place;
use crate::console::preferences::Preferences;
use crate::console::shell::Shell;
use crate::console::spot::{Does, Pointer};
use crate::console::terminal::{Frames, Guard, copy};
use crate::console::theme::{Depth, Role, Theme};
use crate::console::view::{text, view};

/// Events on their way. More than a screen's answers and a burst of keys; who sends more waits.
const EVENTS: usize = 256;
/// Least time between frames that nobody's key asked for.
const FRAME: Duration = Duration::from_millis(33);

/// Lines that one turn of the wheel scrolls.
const WHEEL: i32 = 3;

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
    place: Place,
    look: Look,
    theme: Theme,
    preferences: Preferences,
) -> io::Result<End> {
    let guard = Guard::take(look.mouse)?;
    let size = crossterm::terminal::size()?;
    let (events, inbox) = mpsc::channel(EVENTS);
    let mut shell = Shell::new(size, clock::now(), &look.theme);
    shell.mouse = look.mouse;
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
    };
    runner.run(inbox).await
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
}

impl Runner {
    async fn run(mut self, mut inbox: mpsc::Receiver<Event>) -> io::Result<End> {
        let mut keys = EventStream::new();
        let mut ends = [
            SignalKind::hangup(),
            SignalKind::terminate(),
            SignalKind::interrupt(),
            SignalKind::quit(),
        ]
        .map(signal)
        .into_iter()
        .collect::<io::Result<Vec<_>>>()?;
        let mut stop = signal(SignalKind::from_raw(Signal::TSTP.as_raw()))?;
        // The stream of keys forgets a change of size that comes along with a key.
        let mut resized = signal(SignalKind::window_change())?;
        let mut resume = signal(SignalKind::from_raw(Signal::CONT.as_raw()))?;
        let first = self.app.start();
        if let Some(end) = self.perform(first, &mut resume).await? {
            return Ok(end);
        }
        self.draw()?;
        loop {
            let wake = self.wake;
            let mut urgent = true;
            let event = tokio::select! {
                biased;
                () = any(&mut ends) => Some(Event::Ended),
                _ = stop.recv() => {
                    self.suspend(&mut resume, false).await?;
                    Some(Event::Resumed)
                }
                _ = resized.recv() => {
                    let size = crossterm::terminal::size().ok();
                    size.map(|(columns, rows)| Event::Resize(columns, rows))
                }
                _ = resume.recv() => {
                    self.guard.retake()?;
                    Some(Event::Resumed)
                }
                key = keys.next() => match key {
                    Some(Ok(event)) => translate(event),
                    // The terminal is gone.
                    _ => Some(Event::Ended),
                },
                event = inbox.recv() => {
                    urgent = false;
                    event
                }
                () = sleep_until(wake.unwrap_or_else(Instant::now)), if wake.is_some() => None,
            };
            let interrupted = matches!(event, Some(Event::Ended));
            if let Some(end) = self.take(event, &mut inbox, &mut resume).await? {
                return Ok(if interrupted { End::Interrupted } else { end });
            }
            // What the server tells may come thousands of times a second; eyes need no more than thirty frames.
            let due = self.drawn_at + FRAME;
            if urgent || Instant::now() >= due {
                self.draw()?;
            } else {
                self.wake = Some(self.wake.map_or(due, |at| at.min(due)));
            }
        }
    }

    /// Takes an event and all that came with it.
    async fn take(
        &mut self,
        event: Option<Event>,
        inbox: &mut mpsc::Receiver<Event>,
        resume: &mut tokio::signal::unix::Signal,
    ) -> io::Result<Option<End>> {
        let mut actions = self.app.update(Event::Tick(clock::now()));
        if let Some(event) = event {
            actions.extend(self.app.update(event));
        }
        while let Ok(event) = inbox.try_recv() {
            actions.extend(self.app.update(event));
        }
        self.perform(actions, resume).await
    }

    async fn perform(
        &mut self,
        actions: Vec<Action>,
        resume: &mut tokio::signal::unix::Signal,
    ) -> io::Result<Option<End>> {
        for action in actions {
            match action {
                Action::Quit => return Ok(Some(End::Quit)),
                Action::Redraw => self.frames.forget(),
                Action::Copy(text) => copy(&text, std::env::var_os("TMUX").is_some())?,
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
                Action::Mouse(on) => self.guard.set_mouse(on)?,
                Action::Theme(name) => {
                    self.take_theme(name);
                }
                Action::Suspend => self.suspend(resume, true).await?,
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
                self.app.shell.theme = name;
            }
            Err(err) => self.app.shell.say(Role::Failed, format!("✗ {err}")),
        }
    }

    /// Gives the terminal back and stops until somebody resumes the process.
    async fn suspend(
        &mut self,
        resume: &mut tokio::signal::unix::Signal,
        with_group: bool,
    ) -> io::Result<()> {
        if with_group && getsid(None).is_ok_and(|leader| leader == getpid()) {
            // Started by a terminal and not by a shell: nobody could resume it.
            self.app
                .shell
                .say(Role::Warning, "there is no shell to suspend to");
            return Ok(());
        }
        self.guard.lend();
        // A shell sees a stopped job only when the whole group of it has stopped.
        let stopped = if with_group {
            kill_current_process_group(Signal::STOP)
        } else {
            kill_process(getpid(), Signal::STOP)
        };
        if stopped.is_ok() {
            // The stop may take effect a moment after the call: what proves that it is over is the signal that ends it.
            resume.recv().await;
        }
        self.guard.retake()?;
        self.frames.forget();
        Ok(())
    }

    fn draw(&mut self) -> io::Result<()> {
        let buffer = self.frames.blank(self.app.shell.size);
        let drawn = view(&self.app, &self.theme, self.look.ascii, buffer);
        self.frames.present(drawn.cursor)?;
        self.drawn_at = Instant::now();
        self.app.drawn(drawn.spots);
        let now = clock::now();
        self.wake = drawn.wake.map(|at| self.drawn_at + at.since(now));
        Ok(())
    }
}

/// Waits for the first of several signals.
async fn any(signals: &mut [tokio::signal::unix::Signal]) {
    let waits = signals.iter_mut().map(|signal| Box::pin(signal.recv()));
    futures_util::future::select_all(waits).await;
}

fn translate(event: TerminalEvent) -> Option<Event> {
    match event {
        TerminalEvent::Key(key) => Chord::from_terminal(key).map(Event::Key),
        TerminalEvent::Paste(text) => Some(Event::Paste(text)),
        TerminalEvent::Mouse(mouse) => {
            let does = match mouse.kind {
                MouseEventKind::Down(MouseButton::Left) => Does::Click,
                MouseEventKind::ScrollDown => Does::Wheel(WHEEL),
                MouseEventKind::ScrollUp => Does::Wheel(-WHEEL),
                _ => return None,
            };
            Some(Event::Pointer(Pointer {
                x: mouse.column,
                y: mouse.row,
                does,
            }))
        }
        TerminalEvent::Resize(columns, rows) => Some(Event::Resize(columns, rows)),
        _ => None,
    }
}
