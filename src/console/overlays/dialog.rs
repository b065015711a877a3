//! A question with buttons. The harmless button comes first and has the focus.

use ratatui::layout::Rect;

use crate::console::effect::Effect;
use crate::console::keymap::Cmd;
use crate::console::line::Line;
use crate::console::overlays::input::Input;
use crate::console::overlays::panel;
use crate::console::pen::Pen;
use crate::console::spot::Spot;
use crate::console::text;
use crate::console::theme::Role;

/// Widest dialog, in cells.
const WIDTH: u16 = 66;

/// A question.
#[derive(Clone, PartialEq, Debug)]
pub struct Dialog {
    /// The question itself.
    pub title: String,
    /// What will happen, one paragraph each.
    pub body: Vec<String>,
    /// The command of a shell that does the same; empty = none.
    pub command: String,
    /// The answers; the first is the harmless one.
    pub buttons: Vec<Button>,
    /// Index of the focused answer.
    pub focus: usize,
    /// It asks whether to quit: ctrl-c is a yes.
    pub quits: bool,
    /// What must be typed before any but the harmless answer counts.
    pub word: Option<Word>,
}

/// A word to be typed, so that no slip of a finger is an answer.
#[derive(Clone, PartialEq, Debug)]
pub struct Word {
    wanted: &'static str,
    typed: Input,
    /// An answer was chosen before it was typed.
    missed: bool,
}

impl Word {
    /// Wants these words typed.
    #[must_use]
    pub fn new(wanted: &'static str) -> Self {
        Self {
            wanted,
            typed: Input::default(),
            missed: false,
        }
    }

    fn is_there(&self) -> bool {
        self.typed.text().trim() == self.wanted
    }

    fn line(&self) -> Line {
        let role = if self.missed && !self.is_there() {
            Role::Failed
        } else {
            Role::Muted
        };
        Line::new()
            .put(role, format!("type “{}” first:  ", self.wanted))
            .strong(self.typed.text())
            .put(Role::Accent, "▏")
    }
}

/// An answer. Its first letter chooses it.
#[derive(Clone, PartialEq, Debug)]
pub struct Button {
    /// Its word.
    pub label: String,
    /// It destroys something.
    pub destroys: bool,
    /// What comes of it.
    pub effects: Vec<Effect>,
}

impl Button {
    /// An answer that does something.
    pub fn new(label: &str, destroys: bool, effects: Vec<Effect>) -> Self {
        Self {
            label: label.to_owned(),
            destroys,
            effects,
        }
    }
}

impl Dialog {
    /// A question whose first answer leaves everything as it is.
    pub fn new(title: impl Into<String>, body: Vec<String>, buttons: Vec<Button>) -> Self {
        let mut all = vec![Button::new("Cancel", false, Vec::new())];
        all.extend(buttons);
        Self {
            title: title.into(),
            body,
            command: String::new(),
            buttons: all,
            focus: 0,
            quits: false,
            word: None,
        }
    }

    /// Takes a command.
    pub fn command(&mut self, cmd: Cmd) -> Vec<Effect> {
        match cmd {
            Cmd::Right => self.focus = (self.focus + 1) % self.buttons.len(),
            Cmd::Left => self.focus = (self.focus + self.buttons.len() - 1) % self.buttons.len(),
            Cmd::Open => return self.press(self.focus),
            Cmd::Back => return vec![Effect::Close],
            cmd => {
                if let Some(word) = &mut self.word {
                    word.typed.edit(cmd);
                }
            }
        }
        Vec::new()
    }

    /// Takes a letter: of the word where one is wanted, else the first one of an answer.
    pub fn typed(&mut self, c: char) -> Vec<Effect> {
        if let Some(word) = &mut self.word {
            word.typed.insert(c.encode_utf8(&mut [0; 4]));
            return Vec::new();
        }
        // Small letters only: a capital that opened the question and is held, or hit twice, must not answer it.
        let first = |button: &Button| button.label.chars().next().map(|l| l.to_ascii_lowercase());
        match self
            .buttons
            .iter()
            .position(|button| first(button) == Some(c))
        {
            Some(i) => self.press(i),
            None => Vec::new(),
        }
    }

    /// Takes the answer with this number.
    pub fn press(&mut self, button: usize) -> Vec<Effect> {
        if let Some(word) = self.word.as_mut().filter(|word| !word.is_there())
            && button > 0
        {
            word.missed = true;
            return Vec::new();
        }
        let effects = self
            .buttons
            .get(button)
            .map(|b| b.effects.clone())
            .unwrap_or_default();
        std::iter::once(Effect::Close).chain(effects).collect()
    }

    /// The command, on a line of its own where it is long: half a command is none.
    fn by_hand(&self, room: u16) -> Vec<Line> {
        let label = Line::new().muted("same by hand  ");
        let whole = label.clone().put(Role::Accent, self.command.clone());
        if whole.width() <= room {
            return vec![whole];
        }
        let words = text::wrap(&self.command, room).into_iter();
        let command = words.map(|words| Line::new().put(Role::Accent, words));
        std::iter::once(label).chain(command).collect()
    }

    /// Draws it.
    pub fn view(&self, pen: &mut Pen, area: Rect) {
        let width = WIDTH.min(area.width);
        let room = width.saturating_sub(4);
        let mut lines = vec![Line::new().strong(self.title.clone()), Line::new()];
        for paragraph in &self.body {
            if paragraph.is_empty() {
                lines.push(Line::new());
            }
            lines.extend(text::wrap(paragraph, room).into_iter().map(Line::from));
        }
        if !self.command.is_empty() {
            lines.push(Line::new());
            lines.extend(self.by_hand(room));
        }
        if let Some(word) = &self.word {
            lines.push(Line::new());
            lines.push(word.line());
        }
        let height = u16::try_from(lines.len())
            .unwrap_or(u16::MAX)
            .saturating_add(4);
        let inside = panel(pen, area, width, height);
        let inside = Rect {
            y: inside.y + 1,
            height: inside.height.saturating_sub(2),
            ..inside
        };
        pen.lines(inside, &lines);
        let y = inside.bottom().saturating_sub(1);
        let mut x = inside.x;
        for (i, button) in self.buttons.iter().enumerate() {
            let line = self.button(i, button);
            let end = pen.line(x, y, inside.right().saturating_sub(x), &line);
            let place = Rect {
                x,
                y,
                width: end.saturating_sub(x),
                height: 1,
            };
            pen.spot(place, Spot::Choice(i), || button.label.clone());
            if i == self.focus {
                pen.underlay(place, Role::Selected);
            }
            x = end + 2;
        }
    }

    fn button(&self, i: usize, button: &Button) -> Line {
        let mut chars = button.label.chars();
        let first: String = chars.next().into_iter().collect();
        let rest: String = chars.collect();
        let role = if button.destroys {
            Role::Failed
        } else {
            Role::Accent
        };
        // Where there is no colour, the brackets tell which one has the focus.
        let (open, close) = if i == self.focus {
            ("[ ", " ]")
        } else {
            ("  ", "  ")
        };
        let line = Line::new().put(Role::Accent, open).bold(role, first);
        let line = if i == self.focus {
            line.strong(rest)
        } else {
            line.text(rest)
        };
        line.put(Role::Accent, close)
    }
}
