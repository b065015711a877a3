//! The stage for tests of the console: an [`App`] with a size and a clock that the test moves, a server in memory, keys
//! by their names through the real key table, and the frame read back as words and roles.
//!
//! ```ignore
//! let mut stage = Stage::live(Place::Builds, (80, 24), Model::busy());
//! stage.keys("j enter");
//! stage.frame().has(&["Builds › org/api #2", "✗ failed"]);
//! ```

#![allow(dead_code, reason = "a kit holds more than the tests of one day use")]

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use roundel::api::{Change, LogAdvanced, Topic};
use roundel::clock::Timestamp;

use crate::console::action::{Action, Slot, Want, Write};
use crate::console::app::App;
use crate::console::chord::Chord;
use crate::console::event::{Event, Link};
use crate::console::place::Place;
use crate::console::shell::Shell;
use crate::console::text;
use crate::console::theme::{Depth, Role, Theme};
use crate::console::view::view;

mod dashboard;
mod model;
mod rows;
mod settings;

pub use dashboard::*;
pub use model::Model;
pub use rows::*;
pub use settings::*;

/// The sizes at which every screen must be right: least, comfortable, large, and one that is too small.
pub const SIZES: [(u16, u16); 4] = [(80, 24), (120, 36), (200, 60), (59, 14)];

/// A console on a stage.
#[derive(Debug)]
pub struct Stage {
    /// The console.
    pub app: App,
    /// The server.
    pub model: Model,
    /// How it looks.
    pub theme: Theme,
    /// Drawing characters are replaced by ASCII.
    pub ascii: bool,
    /// Windows that were asked for, oldest first, until a test takes them.
    pub asked: Vec<(Slot, Want)>,
    /// Other actions that the console wanted, oldest first, until a test takes them.
    pub done: Vec<Action>,
    /// Answers are held back until [`Stage::answer`].
    pub slow: bool,
    held: Vec<(Slot, Want)>,
}

impl Stage {
    /// A console that has just opened: connected to nothing, its first questions unanswered.
    pub fn cold(place: Place, size: (u16, u16), model: Model) -> Self {
        let mut stage = Self {
            app: App::new(Shell::new(size, NOW), place),
            model,
            theme: Theme::named("dark", Depth::True).unwrap(),
            ascii: false,
            asked: Vec::new(),
            done: Vec::new(),
            slow: true,
            held: Vec::new(),
        };
        let first = stage.app.start();
        stage.perform(first);
        stage
    }

    /// A console that is live and has been answered.
    pub fn live(place: Place, size: (u16, u16), model: Model) -> Self {
        let mut stage = Self::cold(place, size, model);
        stage.connect();
        stage.slow = false;
        stage.answer();
        (stage.asked, stage.done) = (Vec::new(), Vec::new());
        stage
    }

    /// The server answers: who it is, its counters, and the stream is open.
    pub fn connect(&mut self) {
        self.event(Event::Hello(Box::new(self.model.hello.clone())));
        self.summary();
        self.event(Event::Link(Link::Live));
    }

    /// The connection breaks; the next try is in 5 s.
    pub fn lose(&mut self, why: &str) {
        let now = self.now();
        self.held.clear();
        self.event(Event::Link(Link::Lost {
            since: now,
            retry_at: now.plus(Duration::from_secs(5)),
            why: why.into(),
        }));
    }

    /// The server takes the one who asks no more.
    pub fn sign_out(&mut self, why: &str) {
        let since = self.now();
        self.held.clear();
        self.event(Event::Link(Link::SignedOut {
            since,
            why: why.into(),
        }));
    }

    /// The stream brings the counters.
    pub fn summary(&mut self) {
        self.event(Event::Summary(Box::new(self.model.counted())));
    }

    /// The stream says that several things of this topic changed.
    pub fn change(&mut self, topic: Topic) {
        self.event(Event::Change(Change {
            seq: 2,
            topic,
            ids: Vec::new(),
        }));
    }

    /// The stream says that a log grew.
    pub fn grow(&mut self, attempt: &str, step: u16) {
        self.event(Event::LogAdvanced(LogAdvanced {
            attempt: attempt.into(),
            step,
            bytes: 1,
        }));
    }

    /// The clock of the stage.
    pub fn now(&self) -> Timestamp {
        self.app.shell.now
    }

    /// Time goes on by this many milliseconds.
    pub fn wait(&mut self, ms: u64) {
        let to = self.now().plus(Duration::from_millis(ms));
        let actions = self.app.update(Event::Tick(to));
        self.perform(actions);
    }

    /// Something happens, and what comes of it.
    pub fn event(&mut self, event: Event) {
        let actions = self.app.update(Event::Tick(self.now()));
        self.perform(actions);
        let actions = self.app.update(event);
        self.perform(actions);
    }

    /// Presses keys by their names in the key table, with blanks between: `j ctrl-d enter`.
    pub fn keys(&mut self, names: &str) {
        for name in names.split_whitespace() {
            let chord = Chord::parse(name).unwrap_or_else(|| panic!("no key {name}"));
            self.event(Event::Key(chord));
        }
    }

    /// Types a text, character by character.
    pub fn types(&mut self, text: &str) {
        for c in text.chars() {
            let name = if c == ' ' {
                "space".to_owned()
            } else {
                c.to_string()
            };
            self.event(Event::Key(Chord::parse(&name).unwrap()));
        }
    }

    /// Pastes a text.
    pub fn pastes(&mut self, text: &str) {
        self.event(Event::Paste(text.to_owned()));
    }

    /// Answers all that was held back, and what is asked because of that.
    pub fn answer(&mut self) {
        while !self.held.is_empty() {
            for (slot, want) in std::mem::take(&mut self.held) {
                let answer = self.model.answer(&want).map(Box::new);
                let actions = self.app.update(Event::Answer(slot, want, answer));
                self.perform(actions);
            }
        }
    }

    fn perform(&mut self, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Fetch(slot, want) | Action::Refresh(slot, want) => {
                    assert!(self.asked.len() < 10_000, "it asks for ever: {want:?}");
                    self.asked.push((slot, want.clone()));
                    // As the backend does it: the newest question of a place replaces the one that waits.
                    self.held.retain(|(known, _)| *known != slot);
                    self.held.push((slot, want));
                }
                other => self.done.push(other),
            }
        }
        if !self.slow {
            self.answer();
        }
    }

    /// What was wanted besides windows since the last call.
    pub fn wanted(&mut self) -> Vec<Action> {
        std::mem::take(&mut self.done)
    }

    /// Windows that were asked for since the last call.
    pub fn questions(&mut self) -> Vec<Want> {
        let asked = std::mem::take(&mut self.asked);
        asked.into_iter().map(|(_, want)| want).collect()
    }

    /// What was to be changed on the server since the last call.
    pub fn writes(&mut self) -> Vec<Write> {
        let wanted = self.wanted().into_iter();
        let writes = wanted.filter_map(|action| match action {
            Action::Write(write) => Some(write),
            _ => None,
        });
        writes.collect()
    }

    /// The sentence in the flash line.
    pub fn flash(&self) -> &str {
        let flash = self.app.shell.flash.as_ref();
        flash.map_or("", |flash| flash.text.as_str())
    }

    /// Where the console stands, as `--screen` names it.
    pub fn place(&self) -> String {
        self.app.place().to_string()
    }

    /// The console hears what stands where in the frame that would be drawn now: for the mouse.
    pub fn spots(&mut self) {
        let (columns, rows) = self.app.shell.size;
        let mut buffer = Buffer::empty(Rect::new(0, 0, columns, rows));
        let drawn = view(&self.app, &self.theme, self.ascii, &mut buffer);
        self.app.drawn(drawn.spots);
    }

    /// The frame that would be drawn now.
    pub fn frame(&self) -> Frame {
        let (columns, rows) = self.app.shell.size;
        let mut buffer = Buffer::empty(Rect::new(0, 0, columns, rows));
        let drawn = view(&self.app, &self.theme, self.ascii, &mut buffer);
        Frame {
            buffer,
            theme: self.theme.clone(),
            cursor: drawn.cursor,
            wake: drawn.wake,
        }
    }
}

/// A frame, to be read.
#[derive(Debug)]
pub struct Frame {
    /// Its cells.
    pub buffer: Buffer,
    theme: Theme,
    /// Where the terminal's cursor stands.
    pub cursor: Option<Position>,
    /// When it changes by time alone.
    pub wake: Option<Timestamp>,
}

impl Frame {
    /// Its lines, without the blanks at their ends.
    pub fn lines(&self) -> Vec<String> {
        let area = *self.buffer.area();
        (0..area.height).map(|y| self.line(y)).collect()
    }

    /// A line, without the blanks at its end.
    pub fn line(&self, y: u16) -> String {
        let mut line = String::new();
        let mut skip = 0;
        for x in 0..self.buffer.area().width {
            let symbol = self.buffer[(x, y)].symbol();
            if skip == 0 {
                line.push_str(symbol);
            }
            skip = if skip > 0 {
                skip - 1
            } else {
                text::width(symbol).saturating_sub(1)
            };
        }
        line.trim_end().to_owned()
    }

    /// All of it.
    pub fn text(&self) -> String {
        self.lines().join("\n")
    }

    /// Asserts that all of these stand somewhere, each on one line.
    #[track_caller]
    pub fn has(&self, words: &[&str]) {
        let text = self.text();
        for word in words {
            assert!(text.contains(word), "`{word}` is not in\n{text}");
        }
    }

    /// Asserts that none of these stands anywhere.
    #[track_caller]
    pub fn lacks(&self, words: &[&str]) {
        let text = self.text();
        for word in words {
            assert!(!text.contains(word), "`{word}` is in\n{text}");
        }
    }

    /// The first line that holds these words.
    #[track_caller]
    pub fn line_with(&self, words: &str) -> String {
        let found = self.lines().into_iter().find(|line| line.contains(words));
        found.unwrap_or_else(|| panic!("`{words}` is not in\n{}", self.text()))
    }

    /// Column and line where these words first begin.
    #[track_caller]
    pub fn find(&self, words: &str) -> (u16, u16) {
        let area = *self.buffer.area();
        for y in 0..area.height {
            let mut at: Vec<(usize, u16)> = Vec::new();
            let mut line = String::new();
            for x in 0..area.width {
                at.push((line.len(), x));
                line.push_str(self.buffer[(x, y)].symbol());
            }
            if let Some(found) = line.find(words) {
                let place = at.iter().rev().find(|(byte, _)| *byte <= found);
                return (place.unwrap().1, y);
            }
        }
        panic!("`{words}` is not in\n{}", self.text())
    }

    /// How a cell looks.
    pub fn style(&self, (x, y): (u16, u16)) -> Style {
        self.buffer[(x, y)].style()
    }

    /// Asserts that these words first stand in the colour of a role.
    #[track_caller]
    pub fn shows(&self, words: &str, role: Role) {
        let style = self.style(self.find(words));
        let wanted = self.theme.style(role);
        assert_eq!(
            style.fg,
            wanted.fg,
            "`{words}` is not {role:?}\n{}",
            self.text()
        );
    }

    /// The lines that have a cell on the ground of the cursor's row.
    pub fn selected(&self) -> Vec<String> {
        let area = *self.buffer.area();
        let ground = self.theme.style(Role::Selected).bg;
        let on_ground = |y: &u16| (0..area.width).any(|x| self.style((x, *y)).bg == ground);
        (0..area.height)
            .filter(on_ground)
            .map(|y| self.line(y))
            .collect()
    }

    /// Asserts that the cursor's row, of the table, holds these words.
    #[track_caller]
    pub fn stands_on(&self, words: &str) {
        let selected = self.selected();
        assert!(
            selected.iter().any(|line| line.contains(words)),
            "the cursor is not on `{words}` but on {selected:?}\n{}",
            self.text()
        );
    }

    /// Characters that no terminal should ever be sent: controls, and those that reorder or hide others.
    pub fn strange(&self) -> Vec<char> {
        let cells = self.buffer.content.iter();
        let chars = cells.flat_map(|cell| cell.symbol().chars());
        let strange = |c: &char| {
            c.is_control()
                || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
        };
        chars.filter(strange).collect()
    }
}
