//! The command line: what is typed, and what it could mean.

use ratatui::layout::{Position, Rect};

use crate::console::command;
use crate::console::effect::Effect;
use crate::console::keymap::Cmd;
use crate::console::line::Line;
use crate::console::overlays::input::Input;
use crate::console::pen::Pen;
use crate::console::spot::Spot;
use crate::console::text;
use crate::console::theme::Role;

/// Matches shown.
const SHOWN: usize = 8;
/// Width of the panel.
const WIDTH: u16 = 66;

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

/// The command line.
#[derive(Clone, PartialEq, Debug)]
pub struct Palette {
    input: Input,
    all: Vec<Candidate>,
    /// Indices of what matches, best first, with the matched characters.
    matches: Vec<(usize, Vec<usize>)>,
    cursor: usize,
    /// The cursor was moved: Enter takes what it stands on.
    chosen: bool,
}

impl Palette {
    /// A command line over what could be meant.
    #[must_use]
    pub fn new(all: Vec<Candidate>) -> Self {
        let mut palette = Self {
            input: Input::default(),
            all,
            matches: Vec::new(),
            cursor: 0,
            chosen: false,
        };
        palette.find();
        palette
    }

    fn find(&mut self) {
        let typed = self.input.text();
        let scored = self.all.iter().enumerate().filter_map(|(i, one)| {
            let (score, places) = score(&one.text, typed)?;
            Some((score, i, places))
        });
        let mut scored: Vec<_> = scored.collect();
        scored.sort_by_key(|(score, i, _)| (*score, *i));
        self.matches = scored
            .into_iter()
            .map(|(_, i, places)| (i, places))
            .collect();
        self.cursor = 0;
        self.chosen = false;
    }

    /// Takes typed or pasted text.
    pub fn insert(&mut self, text: &str) -> Vec<Effect> {
        self.input.insert(text);
        self.find();
        Vec::new()
    }

    fn current(&self) -> Option<&Candidate> {
        self.matches
            .get(self.cursor)
            .and_then(|(i, _)| self.all.get(*i))
    }

    /// Takes a command.
    pub fn command(&mut self, cmd: Cmd) -> Vec<Effect> {
        match cmd {
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
                    self.find();
                }
            }
        }
        Vec::new()
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
            self.find();
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

    /// Draws it.
    pub fn view(&self, pen: &mut Pen, area: Rect) {
        let rows = self.matches.len().clamp(1, SHOWN);
        let width = WIDTH.min(area.width.saturating_sub(2));
        let height = u16::try_from(rows).unwrap_or(0) + 2;
        let x = area.x + (area.width - width) / 2;
        let y = area.y + area.height.saturating_sub(height + 4) / 3 + 2;
        let panel = Rect {
            x,
            y,
            width,
            height,
        }
        .intersection(area);
        pen.ground(panel, Role::Raised);
        let inside = width.saturating_sub(2);
        let at = pen.line(
            x + 1,
            y,
            inside,
            &Line::new().bold(Role::Accent, ":").gap(1),
        );
        let room = inside.saturating_sub(3);
        pen.line(at, y, room, &Line::new().strong(self.input.text()));
        pen.cursor = Some(Position {
            x: (at + text::width(self.input.before())).min(at + room),
            y,
        });
        for (n, (i, places)) in self.matches.iter().take(SHOWN).enumerate() {
            let y = y + 1 + u16::try_from(n).unwrap_or(0);
            if y >= panel.bottom() {
                break;
            }
            let one = &self.all[*i];
            let row = Rect {
                x,
                y,
                width,
                height: 1,
            };
            pen.spot(row, Spot::Choice(n), || {
                format!("{}: {}", one.text, one.note)
            });
            if n == self.cursor {
                pen.underlay(row, Role::Selected);
            }
            let mut line = Line::new();
            for (at, c) in one.text.chars().enumerate() {
                line = if places.contains(&at) {
                    line.bold(Role::Accent, c)
                } else {
                    line.text(c)
                };
            }
            let line = if one.open { line.muted(" …") } else { line };
            pen.line(
                x + 2,
                y,
                inside.saturating_sub(1),
                &line.pad(30).muted(one.note.clone()),
            );
        }
        if self.matches.is_empty() {
            let hint = command::nearest(self.input.text());
            let line = Line::new().muted("nothing matches; nearest: ").text(hint);
            pen.line(x + 2, y + 1, inside.saturating_sub(1), &line);
        }
        let help = Line::new()
            .key("↑↓", "choose")
            .gap(2)
            .key("Tab", "complete")
            .gap(2)
            .key("Enter", "go")
            .gap(2)
            .key("Esc", "close");
        pen.line(x + 1, panel.bottom().saturating_sub(1), inside, &help);
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
            return Some((
                if at == 0 {
                    0
                } else if word {
                    10 + at
                } else {
                    100 + at
                },
                (at..at + typed.len()).collect(),
            ));
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
mod tests {
    use super::*;

    fn palette(typed: &str) -> Palette {
        let all = vec![
            Candidate::new("queue", "tab 2"),
            Candidate::new("cluster", "tab 4"),
            Candidate::open("drain", "a node"),
            Candidate::new("node n07", "a node, draining"),
        ];
        let mut palette = Palette::new(all);
        palette.insert(typed);
        palette
    }

    #[test]
    fn what_was_typed_wins_when_it_is_understood() {
        assert_eq!(
            palette("queue").take(),
            vec![Effect::Close, Effect::Command("queue".into())]
        );
        assert_eq!(
            palette("node n01").take(),
            vec![Effect::Close, Effect::Command("node n01".into())]
        );
    }

    #[test]
    fn a_beginning_takes_the_best_match() {
        assert_eq!(
            palette("clu").take(),
            vec![Effect::Close, Effect::Command("cluster".into())]
        );
        assert_eq!(
            palette("n07").take(),
            vec![Effect::Close, Effect::Command("node n07".into())]
        );
    }

    #[test]
    fn an_open_one_waits_for_its_word() {
        let mut palette = palette("dr");
        assert_eq!(palette.take(), vec![]);
        assert_eq!(palette.input.text(), "drain ");
    }

    #[test]
    fn prefixes_come_before_scattered_letters() {
        let scores = ["drain", "n07 drains", "doctor"].map(|text| score(text, "dr").unwrap().0);
        assert!(scores[0] < scores[1] && scores[1] < scores[2], "{scores:?}");
        assert_eq!(score("queue", "xyz"), None);
    }
}
