//! A text to read: the help, a description, raw JSON, the commands of this session.

use ratatui::layout::Rect;

use crate::console::action::{Action, Errand, Kept};
use crate::console::chord;
use crate::console::effect::Effect;
use crate::console::keymap::{Cmd, Context, Keymap};
use crate::console::line::Line;
use crate::console::overlays::panel;
use crate::console::pen::Pen;
use crate::console::text;
use crate::console::theme::Role;

/// Cells for the keys in the help.
const KEYS: u16 = 17;
/// Cells for what they do: what a terminal of 80 columns leaves.
const DOES: u16 = 58;

/// A text.
#[derive(Clone, PartialEq, Debug)]
pub struct Reading {
    title: String,
    lines: Vec<Line>,
    top: usize,
    /// Width it likes.
    width: u16,
}

impl Reading {
    /// A text from its top.
    pub fn new(title: impl Into<String>, lines: Vec<Line>) -> Self {
        let width = lines.iter().map(Line::width).max().unwrap_or(0).max(40);
        Self {
            title: title.into(),
            lines,
            top: 0,
            width,
        }
    }

    /// The help of some contexts, from the key table.
    #[must_use]
    pub fn help(keymap: &Keymap, contexts: &[Context]) -> Self {
        Self::help_after("Keys".to_owned(), Vec::new(), keymap, contexts)
    }

    /// The same below a text about the thing under the cursor.
    #[must_use]
    pub fn help_after(
        title: String,
        mut lines: Vec<Line>,
        keymap: &Keymap,
        contexts: &[Context],
    ) -> Self {
        for section in keymap.reachable(contexts) {
            if lines.last().is_some_and(|line| *line != Line::new()) {
                lines.push(Line::new());
            }
            lines.push(Line::new().strong(section.title));
            for bound in section.bindings {
                let mut keys: Vec<String> =
                    bound.keys.iter().map(|name| chord::shown(name)).collect();
                keys.extend(keymap.sequence_of(bound.shipped.cmd));
                let keys = Line::new().gap(2).bold(Role::Accent, keys.join("  "));
                let mut head = Some(keys.pad(KEYS));
                for words in text::wrap(bound.shipped.does, DOES) {
                    let head = head.take().unwrap_or_else(|| Line::new().pad(KEYS));
                    lines.push(head.text(words));
                }
            }
        }
        Self::new(title, lines)
    }

    /// Takes a command; `height` is the terminal's.
    pub fn command(&mut self, cmd: Cmd, height: u16) -> Vec<Effect> {
        // What the panel shows: all but the two bars below, its head and its margins.
        let page = usize::from(height.saturating_sub(6)).max(1);
        let last = self.lines.len().saturating_sub(page);
        match cmd {
            Cmd::Up => self.top = self.top.saturating_sub(1),
            Cmd::Down => self.top += 1,
            Cmd::PageUp => self.top = self.top.saturating_sub(page),
            Cmd::PageDown => self.top += page,
            Cmd::Top => self.top = 0,
            Cmd::Bottom => self.top = last,
            Cmd::Edit => return vec![Effect::Do(Action::Lend(Errand::Edit(self.plain())))],
            Cmd::Copy => {
                let lines = text::plural(self.lines.len() as u64, "line");
                return vec![Effect::Copy(self.plain(), lines)];
            }
            Cmd::Save => {
                return vec![Effect::Save(Kept::Text(self.plain()))];
            }
            Cmd::Back => return vec![Effect::Close],
            _ => {}
        }
        self.top = self.top.min(last);
        Vec::new()
    }

    /// What it is about.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The whole text.
    #[must_use]
    pub fn plain(&self) -> String {
        self.lines.iter().map(|line| line.plain() + "\n").collect()
    }

    /// Draws it.
    pub fn view(&self, pen: &mut Pen, area: Rect) {
        let whole = u16::try_from(self.lines.len())
            .unwrap_or(u16::MAX)
            .saturating_add(4);
        let area = Rect {
            height: area.height.saturating_sub(2),
            ..area
        };
        let inside = panel(pen, area, self.width.saturating_add(4), whole);
        pen.line(
            inside.x,
            inside.y + 1,
            inside.width,
            &Line::new().strong(self.title.clone()),
        );
        let text = Rect {
            y: inside.y + 3,
            height: inside.height.saturating_sub(4),
            ..inside
        };
        pen.lines(text, self.lines.get(self.top..).unwrap_or(&[]));
        let below = self
            .lines
            .len()
            .saturating_sub(self.top + usize::from(text.height));
        if below > 0 || self.top > 0 {
            let more = Line::new().muted(format!("{} above, {below} below", self.top));
            pen.right(inside.x, inside.y + 1, inside.width, &more);
        }
    }
}
