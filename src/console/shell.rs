//! What holds on every screen: the connection, who the server is, the counters, the clock, the size of the terminal.
//!
//! Plain state; changed by `app` alone.

use std::collections::VecDeque;
use std::time::Duration;

use ratatui::layout::Rect;
use roundel::api::session::Session;
use roundel::api::tokens;
use roundel::api::{Hello, Summary};
use roundel::clock::Timestamp;

use crate::console::event::{Done, Failure, Link, Repository};
use crate::console::keymap::{Cmd, Context, Keymap};
use crate::console::theme::{self, Role};

/// Below this the screen shows one pane and says so.
pub const SMALLEST: (u16, u16) = (60, 15);
/// From this on there is room for a line of tabs, rules and blank lines between thoughts.
pub const AIRY: (u16, u16) = (100, 30);
/// How long a sentence stays in the flash line.
const FLASH: Duration = Duration::from_secs(8);
/// Lines of the palette remembered.
const HISTORY_MAX: usize = 100;
/// Writes remembered for `@`: all of what can be marked at once, and some.
const WROTE_MAX: usize = 1200;

/// A sentence in the flash line.
#[derive(Clone, PartialEq, Debug)]
pub struct Flash {
    /// The sentence.
    pub text: String,
    /// What it is: accent for news, failed for errors.
    pub role: Role,
    /// Gone then.
    pub until: Timestamp,
}

/// A write of this session, for `@`.
#[derive(Clone, PartialEq, Debug)]
pub struct Wrote {
    /// When it was sent.
    pub at: Timestamp,
    /// The command of a shell that does the same.
    pub command: String,
    /// Number of the many writes it was sent with.
    pub many: Option<u64>,
    /// What came of it; `None` while it is under way.
    pub result: Option<Result<Done, Failure>>,
}

/// What is known of the present directory.
#[derive(Clone, PartialEq, Debug)]
pub enum Look {
    /// Nobody has looked.
    NotYet,
    /// Somebody is looking.
    Looking,
    /// A repository, or none.
    Found(Option<Repository>),
}

/// The state that all screens share.
#[derive(Debug)]
pub struct Shell {
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// This machine's clock.
    pub now: Timestamp,
    /// How far the server's clock is ahead, in ms; zero when the two agree.
    pub skew: i64,
    /// The connection.
    pub link: Link,
    /// Since when what is on the screen is old; `None` while the server is there, and before it first was.
    pub old_since: Option<Timestamp>,
    /// Who the server is, as last heard.
    pub hello: Option<Hello>,
    /// Whether this console may write, as last heard.
    pub session: Option<Session>,
    /// The counters, as last heard.
    pub summary: Option<Summary>,
    /// The flash line.
    pub flash: Option<Flash>,
    /// Writes of this session, newest last.
    pub wrote: VecDeque<Wrote>,
    /// How often many things were written at once.
    pub many: u64,
    /// What the present directory holds.
    pub look: Look,
    /// The console has the mouse.
    pub mouse: bool,
    /// Lines of the palette that were carried out, newest last.
    pub history: VecDeque<String>,
    /// Names of the themes there are.
    pub themes: Vec<String>,
    /// What the keys mean.
    pub keymap: Keymap,
    /// The terminal takes texts for its clipboard, as far as can be told.
    pub copies: bool,
    /// The frame is read to somebody: what stands in it is told in words too.
    pub reads: bool,
    /// The line to the terminal is slow: little is drawn.
    pub slow: bool,
}

impl Shell {
    /// A shell that knows nothing yet.
    #[must_use]
    pub fn new(size: (u16, u16), now: Timestamp) -> Self {
        Self {
            size,
            now,
            skew: 0,
            link: Link::Connecting,
            old_since: None,
            hello: None,
            session: None,
            summary: None,
            flash: None,
            wrote: VecDeque::new(),
            many: 0,
            look: Look::NotYet,
            mouse: true,
            history: VecDeque::new(),
            themes: theme::built_in().map(str::to_owned).collect(),
            keymap: Keymap::standard(),
            copies: true,
            reads: false,
            slow: false,
        }
    }

    /// The data on the screen is as fresh as it can be.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.link == Link::Live
    }

    /// The moment to which ages on the screen refer: the server's clock, stopped when the connection broke.
    #[must_use]
    pub fn data_now(&self) -> Timestamp {
        let here = self.old_since.unwrap_or(self.now);
        Timestamp(here.0.saturating_add(self.skew))
    }

    /// Why nothing can be written just now, if so.
    #[must_use]
    pub fn write_protected(&self) -> Option<String> {
        self.unreachable().or_else(|| {
            let held_back = self.armed().is_some_and(|armed| armed.is_none());
            held_back.then(|| "read-only: :arm 10m reason".to_owned())
        })
    }

    /// Why not even this console can be armed, if so.
    #[must_use]
    pub fn unreachable(&self) -> Option<String> {
        // A server that has shown its first rows takes writes, also before its stream is open.
        if matches!(self.link, Link::Lost { .. } | Link::Starting) {
            return Some("the server is away".to_owned());
        }
        if matches!(self.link, Link::SignedOut { .. }) {
            return Some("nobody is signed in any more".to_owned());
        }
        if self.role() == Some(tokens::Role::Viewer) {
            return Some("your role here is viewer, which reads".to_owned());
        }
        self.summary
            .as_ref()?
            .read_only
            .as_ref()
            .map(|why| format!("the server is read-only: {why}"))
    }

    /// What whoever sits here may do, once the server has said.
    #[must_use]
    pub fn role(&self) -> Option<tokens::Role> {
        self.session.as_ref().map(|session| session.role)
    }

    /// Of a console that must be armed: how long it still is, and why; `None` where it may write as it is.
    #[must_use]
    pub fn armed(&self) -> Option<Option<(Duration, &str)>> {
        let session = self.session.as_ref().filter(|session| !session.owner)?;
        let now = Timestamp(self.now.0.saturating_add(self.skew));
        let until = session.armed_until.filter(|until| *until > now);
        Some(until.map(|until| (until.since(now), session.reason.as_str())))
    }

    /// Remembers a line of the palette; one that is carried out again stands once.
    pub fn recall(&mut self, line: &str) {
        self.history.retain(|known| known != line);
        if self.history.len() == HISTORY_MAX {
            self.history.pop_front();
        }
        self.history.push_back(line.to_owned());
    }

    /// The key of a command that holds everywhere, as people see it; blank when nobody gave it one.
    #[must_use]
    pub fn key(&self, cmd: Cmd) -> String {
        let contexts = [Context::Gone, Context::Things, Context::Everywhere];
        self.keymap.key_of(&contexts, cmd).unwrap_or_default()
    }

    /// Says a sentence in the flash line.
    pub fn say(&mut self, role: Role, text: impl Into<String>) {
        self.flash = Some(Flash {
            text: text.into(),
            role,
            until: self.now.plus(FLASH),
        });
    }

    /// Remembers a write that was sent, by itself or as one of many.
    pub fn remember(&mut self, command: String, many: Option<u64>) {
        if self.wrote.len() == WROTE_MAX {
            self.wrote.pop_front();
        }
        self.wrote.push_back(Wrote {
            at: self.now,
            command,
            many,
            result: None,
        });
    }

    /// Too small for more than one pane.
    #[must_use]
    pub fn is_small(&self) -> bool {
        self.size.0 < SMALLEST.0 || self.size.1 < SMALLEST.1
    }

    /// Room for blank lines and rules.
    #[must_use]
    pub fn is_airy(&self) -> bool {
        self.size.1 >= AIRY.1
    }

    /// Room for a line of tabs.
    #[must_use]
    pub fn has_tabs(&self) -> bool {
        self.size.0 >= AIRY.0 && self.size.1 >= AIRY.1
    }

    /// The part of the terminal that belongs to the screen: below the bars, above the filter line.
    #[must_use]
    pub fn body(&self) -> Rect {
        let (columns, rows) = self.size;
        let above = if self.has_tabs() { 2 } else { 1 };
        Rect {
            x: 0,
            y: above,
            width: columns,
            height: rows.saturating_sub(above + 2),
        }
    }
}
