//! The command line: what is typed, and what it could mean.

use ratatui::layout::{Position, Rect};

use crate::console::action::{Action, Slot, Want};
use crate::console::command;
use crate::console::effect::Effect;
use crate::console::event::Answer;
use crate::console::keymap::{Cmd, Context, Keymap};
use crate::console::line::Line;
use crate::console::overlays::input::Input;
use crate::console::pen::Pen;
use crate::console::spot::Spot;
use crate::console::text;
use crate::console::theme::Role;

mod names;

use names::Names;

/// Matches shown.
const SHOWN: usize = 8;
/// Width of the panel.
const WIDTH: u16 = 84;

/// How well what the server found matches when its name does not: after everything that does.
const ELSEWHERE: usize = 10_000;

/// Something the line could mean.
#[derive(Clone, PartialEq, Debug)]
pub struct Candidate {
    /// What is typed for it.
    pub text: String,
    /// What it is.
    pub note: String,
    /// The line it stands for, where that is not what is typed for it.
    pub line: Option<String>,
    /// More words must follow it.
    pub open: bool,
}

impl Candidate {
    /// A complete line.
    pub fn new(text: impl Into<String>, note: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            note: note.into(),
            line: None,
            open: false,
        }
    }

    /// A thing by the name that people see, for which the line names it by its id.
    pub fn named(text: impl Into<String>, note: impl Into<String>, line: String) -> Self {
        Self {
            line: Some(line),
            ..Self::new(text, note)
        }
    }

    /// The beginning of a line.
    pub fn open(text: impl Into<String>, note: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            note: note.into(),
            line: None,
            open: true,
        }
    }
}

/// Something that matches, and which of its characters did.
#[derive(Clone, PartialEq, Debug)]
struct Match {
    one: Candidate,
    places: Vec<usize>,
}

/// The command line.
#[derive(Clone, PartialEq, Debug)]
pub struct Palette {
    input: Input,
    /// What is known without asking.
    known: Vec<Candidate>,
    /// What the server knows.
    names: Names,
    /// What matches, best first.
    matches: Vec<Match>,
    cursor: usize,
    /// The cursor was moved: Enter takes what it stands on.
    chosen: bool,
    /// Lines of before, newest last, and how many of them one has gone back.
    history: Vec<String>,
    past: usize,
}

impl Palette {
    /// A command line over what could be meant, and the lines that were carried out before.
    #[must_use]
    pub fn new(known: Vec<Candidate>, history: Vec<String>) -> Self {
        let mut palette = Self {
            input: Input::default(),
            known,
            names: Names::default(),
            matches: Vec::new(),
            cursor: 0,
            chosen: false,
            history,
            past: 0,
        };
        palette.find();
        palette
    }

    fn find(&mut self) {
        let before = self
            .current()
            .filter(|_| self.chosen)
            .map(|one| one.text.clone());
        let typed = self.input.text();
        let known = self.known.iter().filter_map(|one| {
            let (score, places) = score(&one.text, typed)?;
            Some((score, one, places))
        });
        // What the server found may match by words that its name does not hold.
        let found = self
            .names
            .all()
            .filter(|one| self.known.iter().all(|known| known.text != one.text));
        let found = found.map(|one| {
            let (score, places) = score(&one.text, typed).unwrap_or((ELSEWHERE, Vec::new()));
            (score, one, places)
        });
        let mut scored: Vec<_> = known.chain(found).collect();
        // The order of the candidates decides among equals.
        scored.sort_by_key(|(score, ..)| *score);
        let matches = scored.into_iter().map(|(_, one, places)| Match {
            one: one.clone(),
            places,
        });
        self.matches = matches.collect();
        // Answers that come do not move what was chosen from under the cursor.
        let shown = self.matches.iter().take(SHOWN);
        let again = before.and_then(|text| {
            shown
                .map(|found| &found.one.text)
                .position(|one| *one == text)
        });
        (self.cursor, self.chosen) = (again.unwrap_or(0), again.is_some());
    }

    /// The line was changed.
    fn edited(&mut self) {
        self.chosen = false;
        self.find();
    }

    /// The questions that are due for what is typed.
    pub fn need(&mut self) -> Vec<Action> {
        self.names.need(self.input.text(), command::is_free)
    }

    /// Takes names from the server.
    pub fn accept(&mut self, slot: Slot, asked: &Want, answer: Option<&Answer>) {
        if self.names.accept(slot, asked, answer, self.input.text()) {
            self.find();
        }
    }

    /// The connection broke.
    pub fn disconnected(&mut self) {
        self.names.forget();
    }

    /// Takes typed or pasted text.
    pub fn insert(&mut self, text: &str) -> Vec<Effect> {
        self.input.insert(text);
        self.past = 0;
        self.edited();
        Vec::new()
    }

    fn current(&self) -> Option<&Candidate> {
        self.matches.get(self.cursor).map(|found| &found.one)
    }

    /// Takes a command.
    pub fn command(&mut self, cmd: Cmd) -> Vec<Effect> {
        match cmd {
            Cmd::Up if self.recalls() && self.past < self.history.len() => {
                self.recall(self.past + 1);
            }
            Cmd::Down if self.past > 0 && self.recalls() => self.recall(self.past - 1),
            Cmd::Up | Cmd::Down => {
                let n = self.matches.len().clamp(1, SHOWN);
                self.cursor = if cmd == Cmd::Down {
                    self.cursor + 1
                } else {
                    self.cursor + n - 1
                } % n;
                self.chosen = true;
            }
            Cmd::Complete => self.complete(),
            Cmd::Open => return self.take(),
            Cmd::Back => return vec![Effect::Close],
            cmd => {
                if self.input.edit(cmd) {
                    self.edited();
                }
            }
        }
        Vec::new()
    }

    /// Up leads into the lines of before while nothing else was typed or chosen.
    fn recalls(&self) -> bool {
        !self.chosen && (self.input.text().is_empty() || self.past > 0)
    }

    fn recall(&mut self, past: usize) {
        self.past = past;
        let line = past
            .checked_sub(1)
            .and_then(|back| self.history.iter().rev().nth(back));
        let line = line.cloned().unwrap_or_default();
        self.input.set(&line);
        self.edited();
    }

    /// Takes the match with this number.
    pub fn choose(&mut self, n: usize) -> Vec<Effect> {
        (self.cursor, self.chosen) = (n, true);
        self.take()
    }

    fn complete(&mut self) {
        if let Some(one) = self.current() {
            let text = if one.open {
                format!("{} ", one.text)
            } else {
                one.text.clone()
            };
            self.input.set(&text);
            self.edited();
        }
    }

    fn take(&mut self) -> Vec<Effect> {
        let typed = self.input.text().trim().to_owned();
        if typed.is_empty() && !self.chosen {
            return vec![Effect::Close];
        }
        let understood = command::parse(&typed).is_ok();
        // A name that is not listed is none of a theme; of all else there is more than what is listed.
        let is_name = |one: &Candidate| {
            (one.line.is_some() && one.text == typed) || typed.starts_with("theme ")
        };
        match self.current() {
            Some(one) if self.chosen || !understood || is_name(one) => {
                if one.open {
                    self.complete();
                    return Vec::new();
                }
                let line = one.line.as_ref().unwrap_or(&one.text);
                vec![Effect::Close, Effect::Command(line.clone())]
            }
            _ => vec![Effect::Close, Effect::Command(typed)],
        }
    }

    /// Draws it: its top stays where it is, however much matches.
    pub fn view(&self, pen: &mut Pen, area: Rect, keymap: &Keymap) {
        let rows = self.matches.len().clamp(1, SHOWN);
        let width = WIDTH.min(area.width.saturating_sub(2));
        let height = u16::try_from(rows).unwrap_or(0) + 5;
        let panel = Rect {
            x: area.x + (area.width - width) / 2,
            y: area.y + if area.height > 20 { 3 } else { 1 },
            width,
            height,
        }
        .intersection(area);
        pen.panel(panel);
        let (x, y) = (panel.x + 2, panel.y + 1);
        let inside = width.saturating_sub(4);
        let at = pen.line(x, y, inside, &Line::new().bold(Role::Accent, ":").gap(1));
        let room = inside.saturating_sub(2);
        // The end that is being typed stays in sight.
        let (before, typed) = self.input.window(room);
        pen.line(at, y, room, &Line::new().strong(typed));
        pen.cursor = Some(Position {
            x: at + text::width(before),
            y,
        });
        let last = panel.bottom().saturating_sub(2);
        for (n, found) in self.matches.iter().take(SHOWN).enumerate() {
            let y = y + 1 + u16::try_from(n).unwrap_or(0);
            if y >= last {
                break;
            }
            let row = Rect {
                x: x - 1,
                y,
                width: inside + 2,
                height: 1,
            };
            let one = &found.one;
            pen.spot(row, Spot::Choice(n), || {
                format!("{}: {}", one.text, one.note)
            });
            if n == self.cursor {
                pen.underlay(row, Role::Selected);
            }
            pen.line(x, y, inside, &found.line());
        }
        if self.matches.is_empty() {
            let hint = command::nearest(self.input.text());
            let line = Line::new().muted("nothing matches; nearest: ").text(hint);
            pen.line(x, y + 1, inside, &line);
        }
        let key = |cmd| keymap.key_of(&[Context::Input], cmd).unwrap_or_default();
        let help = Line::new()
            .key(format!("{}{}", key(Cmd::Up), key(Cmd::Down)), "choose")
            .gap(2)
            .key(key(Cmd::Complete), "complete")
            .gap(2)
            .key(key(Cmd::Open), "go")
            .gap(2)
            .key(key(Cmd::Back), "close");
        let end = pen.line(x, last, inside, &help);
        let more = self.matches.len().saturating_sub(SHOWN);
        if more > 0 {
            let line = Line::new().muted(format!("{more} more"));
            pen.right(end + 2, last, (x + inside).saturating_sub(end + 2), &line);
        }
    }
}

impl Match {
    fn line(&self) -> Line {
        let one = &self.one;
        let mut line = Line::new();
        for (at, c) in one.text.chars().enumerate() {
            line = if self.places.contains(&at) {
                line.bold(Role::Accent, c)
            } else {
                line.text(c)
            };
        }
        let line = if one.open { line.muted(" …") } else { line };
        line.pad(28).gap(2).muted(one.note.clone())
    }
}

/// How well a text matches what was typed, smaller is better, and which of its characters did; `None` = not at all.
fn score(text: &str, typed: &str) -> Option<(usize, Vec<usize>)> {
    let typed: Vec<char> = typed
        .trim()
        .chars()
        .map(|c| c.to_ascii_lowercase())
        .collect();
    let chars: Vec<char> = text.chars().map(|c| c.to_ascii_lowercase()).collect();
    if typed.is_empty() {
        return Some((0, Vec::new()));
    }
    // A run of characters beats scattered ones; at the start of a word it beats one in the middle.
    for at in 0..chars.len() {
        if chars[at..].starts_with(&typed) {
            let word = at == 0 || !chars[at - 1].is_alphanumeric();
            let end = at + typed.len();
            let whole = chars.get(end).is_none_or(|next| !next.is_alphanumeric());
            let kind = match (at, word) {
                (0, _) => 0,
                (_, true) => 10,
                _ => 100,
            };
            // `#2` means number 2 before number 22, and the build before its runs.
            let rest = match (at, whole, end == chars.len()) {
                (0, _, _) | (_, true, true) => 0,
                (_, true, false) => 30,
                (_, false, _) => 200,
            };
            return Some((kind + at + rest, (at..end).collect()));
        }
    }
    let mut places = Vec::with_capacity(typed.len());
    let mut from = 0;
    for c in &typed {
        let at = from + chars[from..].iter().position(|other| other == c)?;
        places.push(at);
        from = at + 1;
    }
    let spread = places[places.len() - 1] - places[0];
    Some((1000 + spread, places))
}

#[cfg(test)]
mod tests;
