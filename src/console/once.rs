//! One frame of any screen, printed: for tickets, pipes, serial lines, and tests.

use std::time::Duration;

use roundel::clock;
use roundel::error::Kind;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use crate::console::action::Action;
use crate::console::app::App;
use crate::console::backend::{Backend, Server};
use crate::console::event::{Event, Link};
use crate::console::keymap::Keymap;
use crate::console::place::Place;
use crate::console::shell::{Look, Shell};
use crate::console::view;

/// How long is waited for the data of the frame, a server's start included.
const PATIENCE: Duration = Duration::from_secs(12);
/// How long is waited for more once the frame could be drawn: parts that depend on others.
const SETTLE: Duration = Duration::from_millis(40);
/// Events on their way.
const EVENTS: usize = 64;

/// What the frame came to.
#[derive(Debug)]
pub struct Frame {
    app: App,
}

/// Reads what a screen shows, until it is complete or patience ends.
pub async fn read(server: Server, place: Option<Place>, size: (u16, u16), keymap: Keymap) -> Frame {
    let (events, mut inbox) = mpsc::channel(EVENTS);
    let backend = Backend::spawn(server, events);
    let mut app = App::new(Shell::new(size, clock::now()), place);
    app.shell.keymap = keymap;
    let mut actions = app.start();
    let deadline = Instant::now() + PATIENCE;
    loop {
        for action in actions {
            if matches!(
                action,
                Action::Fetch(..) | Action::Refresh(..) | Action::LookAt(_)
            ) {
                backend.ask(action).await;
            }
        }
        let until = if is_complete(&app) {
            Instant::now() + SETTLE
        } else {
            deadline
        };
        let Ok(Some(event)) = timeout_at(until.min(deadline), inbox.recv()).await else {
            break;
        };
        let broken = matches!(
            &event,
            Event::Link(Link::Lost { .. } | Link::SignedOut { .. })
        );
        actions = app.update(Event::Tick(clock::now()));
        actions.extend(app.update(event));
        if broken {
            break;
        }
    }
    Frame { app }
}

fn is_complete(app: &App) -> bool {
    app.shell.is_live() && app.screen().is_settled() && app.shell.look != Look::Looking
}

impl Frame {
    /// Why it does not show what it was asked to: there is no server, or no such thing.
    #[must_use]
    pub fn refused(&self) -> Option<Kind> {
        match self.app.shell.link {
            Link::Live => self.app.screen().refused(),
            Link::SignedOut { .. } => Some(Kind::SignIn),
            _ => Some(Kind::NoServer),
        }
    }

    /// What the terminal would show, without escape sequences.
    #[must_use]
    pub fn text(&self, ascii: bool) -> String {
        view::text(&self.app, ascii)
    }

    /// What it shows, as the API gave it.
    #[must_use]
    pub fn json(&self) -> Value {
        let shell = &self.app.shell;
        let state = match shell.link {
            Link::Live => "live",
            Link::Connecting | Link::Starting => "connecting",
            Link::Lost { .. } => "reconnecting",
            Link::SignedOut { .. } => "signed_out",
        };
        json!({
            "screen": self.app.place().to_string(),
            "state": state,
            "seq": self.app.screen().seq(),
            "total": self.app.screen().total(),
            "rows": self.app.screen().rows(),
            "summary": shell.summary,
            "hello": shell.hello,
        })
    }
}
