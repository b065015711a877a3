//! What a test wants to know that no setting holds: some lines to type, secrets unseen.

use std::collections::BTreeMap;
use std::fmt;

use ratatui::layout::{Position, Rect};
use roundel::api::settings::TestId;
use roundel::secret::Secret;

use crate::console::effect::Effect;
use crate::console::keymap::{Cmd, Context, Keymap};
use crate::console::line::Line;
use crate::console::overlays::input::Input;
use crate::console::overlays::panel;
use crate::console::pen::Pen;
use crate::console::spot::Spot;
use crate::console::text;
use crate::console::theme::Role;

/// Width of the panel.
const WIDTH: u16 = 62;

/// Some lines to type.
#[derive(Clone, PartialEq)]
pub struct Words {
    title: &'static str,
    test: TestId,
    lines: Vec<Asked>,
    focus: usize,
}

#[derive(Clone, PartialEq)]
struct Asked {
    name: &'static str,
    label: &'static str,
    secret: bool,
    input: Input,
}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Words {}", self.title)
    }
}

impl Words {
    /// Lines that begin with what was typed before.
    #[must_use]
    pub fn new(
        title: &'static str,
        test: TestId,
        wants: &[(&'static str, &'static str, bool)],
        before: &BTreeMap<String, Secret>,
    ) -> Self {
        let lines = wants.iter().map(|(name, label, secret)| Asked {
            name,
            label,
            secret: *secret,
            input: Input::new(before.get(*name).map_or("", Secret::expose)),
        });
        Self {
            title,
            test,
            lines: lines.collect(),
            focus: 0,
        }
    }

    /// What is asked for in the line with the cursor.
    #[must_use]
    pub fn label(&self) -> &'static str {
        self.lines
            .get(self.focus)
            .map_or(self.title, |line| line.label)
    }

    /// Takes a command.
    pub fn command(&mut self, cmd: Cmd) -> Vec<Effect> {
        let n = self.lines.len().max(1);
        match cmd {
            Cmd::NextPane => self.focus = (self.focus + 1) % n,
            Cmd::PreviousPane => self.focus = (self.focus + n - 1) % n,
            Cmd::Back => return vec![Effect::Close],
            Cmd::Open => {
                let words = self.lines.iter().map(|line| {
                    let text = Secret::new(line.input.text().to_owned());
                    (line.name.to_owned(), text)
                });
                return vec![Effect::Close, Effect::Test(self.test, words.collect())];
            }
            cmd => {
                if let Some(line) = self.lines.get_mut(self.focus) {
                    line.input.edit(cmd);
                }
            }
        }
        Vec::new()
    }

    /// Takes typed or pasted text.
    pub fn insert(&mut self, text: &str) -> Vec<Effect> {
        if let Some(line) = self.lines.get_mut(self.focus) {
            line.input.insert(text);
        }
        Vec::new()
    }

    /// Takes a click on a line.
    pub fn choose(&mut self, n: usize) -> Vec<Effect> {
        self.focus = n.min(self.lines.len().saturating_sub(1));
        Vec::new()
    }

    /// Draws it.
    pub fn view(&self, pen: &mut Pen, area: Rect, keymap: &Keymap) {
        let rows = u16::try_from(self.lines.len()).unwrap_or(0);
        let inside = panel(pen, area, WIDTH.min(area.width), rows * 2 + 6);
        let mut y = inside.y + 1;
        pen.line(
            inside.x,
            y,
            inside.width,
            &Line::new().strong(self.title).muted("  of unsaved values"),
        );
        y += 2;
        for (n, line) in self.lines.iter().enumerate() {
            pen.line(inside.x, y, inside.width, &Line::new().muted(line.label));
            let row = Rect {
                y: y + 1,
                height: 1,
                ..inside
            };
            pen.spot(row, Spot::Choice(n), || line.label.to_owned());
            let (before, shown) = line.input.seen(inside.width, line.secret);
            pen.line(row.x, row.y, row.width, &Line::new().strong(shown));
            if n == self.focus {
                pen.underlay(row, Role::Selected);
                pen.cursor = Some(Position {
                    x: row.x + text::width(&before),
                    y: row.y,
                });
            }
            y += 2;
        }
        let key = |cmd| keymap.key_of(&[Context::Words], cmd).unwrap_or_default();
        let help = Line::new()
            .key(key(Cmd::Open), "test")
            .gap(2)
            .key(key(Cmd::NextPane), "next")
            .gap(2)
            .key(key(Cmd::Back), "close");
        pen.line(inside.x, y + 1, inside.width, &help);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_goes_to_the_test_and_prints_nowhere() {
        let wants = [("user", "User", false), ("password", "Password", true)];
        let mut words = Words::new("Test", TestId::Ldap, &wants, &BTreeMap::new());
        words.insert("ann");
        words.command(Cmd::NextPane);
        words.insert("hunter2!");
        assert!(!format!("{words:?}").contains("hunter2"));
        let effects = words.command(Cmd::Open);
        assert!(!format!("{effects:?}").contains("hunter2"));
        let [Effect::Close, Effect::Test(TestId::Ldap, typed)] = &effects[..] else {
            panic!("{effects:?}");
        };
        assert_eq!(typed["user"].expose(), "ann");
        assert_eq!(typed["password"].expose(), "hunter2!");
        // The next time they stand there already.
        let again = Words::new("Test", TestId::Ldap, &wants, typed);
        assert_eq!(again.lines[0].input.text(), "ann");
    }
}
