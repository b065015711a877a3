//! A list to choose from. What cannot be chosen stays listed, with the reason.

use ratatui::layout::Rect;

use crate::console::effect::Effect;
use crate::console::keymap::Cmd;
use crate::console::line::Line;
use crate::console::overlays::panel;
use crate::console::pen::Pen;
use crate::console::spot::Spot;
use crate::console::theme::Role;

/// A menu.
#[derive(Clone, PartialEq, Debug)]
pub struct Menu {
    title: String,
    items: Vec<Item>,
    cursor: usize,
}

/// A line of a menu.
#[derive(Clone, PartialEq, Debug)]
pub struct Item {
    /// The letter that chooses it.
    pub key: Option<char>,
    /// Its words.
    pub label: String,
    /// More words, muted.
    pub note: String,
    /// What comes of it, or why it cannot be.
    pub effects: Result<Vec<Effect>, String>,
}

impl Menu {
    /// A menu with the cursor on the first line that can be chosen.
    pub fn new(title: impl Into<String>, items: Vec<Item>) -> Self {
        let cursor = items
            .iter()
            .position(|item| item.effects.is_ok())
            .unwrap_or(0);
        Self {
            title: title.into(),
            items,
            cursor,
        }
    }

    /// What it is about.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Its lines in words.
    pub fn words(&self) -> impl Iterator<Item = String> {
        self.items.iter().map(Item::words)
    }

    /// Takes a command.
    pub fn command(&mut self, cmd: Cmd) -> Vec<Effect> {
        let n = self.items.len().max(1);
        match cmd {
            Cmd::Down => self.cursor = (self.cursor + 1) % n,
            Cmd::Up => self.cursor = (self.cursor + n - 1) % n,
            Cmd::Open => return self.choose(self.cursor),
            Cmd::Back => return vec![Effect::Close],
            _ => {}
        }
        Vec::new()
    }

    /// Takes a letter: those of the items, and `j` `k` where no item has them.
    pub fn typed(&mut self, c: char) -> Vec<Effect> {
        if let Some(i) = self.items.iter().position(|item| item.key == Some(c)) {
            return self.choose(i);
        }
        match c {
            'j' => self.command(Cmd::Down),
            'k' => self.command(Cmd::Up),
            'q' | 'x' => vec![Effect::Close],
            _ => Vec::new(),
        }
    }

    /// Takes the line with this number.
    pub fn choose(&self, i: usize) -> Vec<Effect> {
        match self.items.get(i).map(|item| &item.effects) {
            Some(Ok(effects)) => std::iter::once(Effect::Close)
                .chain(effects.iter().cloned())
                .collect(),
            Some(Err(why)) => vec![Effect::Close, Effect::Say(Role::Warning, why.clone())],
            None => vec![Effect::Close],
        }
    }

    /// Draws it.
    pub fn view(&self, pen: &mut Pen, area: Rect) {
        let label = self
            .items
            .iter()
            .map(|item| Line::from(item.label.as_str()).width())
            .max()
            .unwrap_or(0);
        let lines: Vec<Line> = self.items.iter().map(|item| item.line(label)).collect();
        let wide = lines
            .iter()
            .map(Line::width)
            .max()
            .unwrap_or(0)
            .max(Line::from(self.title.as_str()).width())
            + 4;
        let height = u16::try_from(lines.len())
            .unwrap_or(u16::MAX)
            .saturating_add(4);
        let inside = panel(pen, area, wide.clamp(30, 96), height);
        pen.line(
            inside.x,
            inside.y + 1,
            inside.width,
            &Line::new().strong(self.title.clone()),
        );
        let first = inside.y + 3;
        for (i, (y, line)) in (first..inside.bottom().saturating_sub(1).max(first + 1))
            .zip(&lines)
            .enumerate()
        {
            let row = Rect {
                x: inside.x - 1,
                y,
                width: inside.width + 2,
                height: 1,
            };
            pen.spot(row, Spot::Choice(i), || self.items[i].words());
            if i == self.cursor {
                pen.underlay(row, Role::Selected);
            }
            pen.line(inside.x, y, inside.width, line);
        }
    }
}

impl Item {
    fn words(&self) -> String {
        match &self.effects {
            Ok(_) if self.note.is_empty() => self.label.clone(),
            Ok(_) => format!("{}: {}", self.label, self.note),
            Err(why) => format!("{}: not now, {why}", self.label),
        }
    }

    fn line(&self, label: u16) -> Line {
        let key = self.key.map_or_else(|| " ".to_owned(), String::from);
        let line = Line::new().bold(Role::Accent, key).gap(2);
        match &self.effects {
            Ok(_) => line
                .text(self.label.clone())
                .pad(label + 6)
                .muted(self.note.clone()),
            Err(why) => line
                .muted(self.label.clone())
                .pad(label + 6)
                .put(Role::Warning, why.clone()),
        }
    }
}
