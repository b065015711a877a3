//! A key as hands know it, and its name in the key table.
//!
//! The only file besides the runner that knows what a terminal sends; nothing here knows what a key does.

use std::fmt;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// A key with what was held down beside it. Shift is folded into letters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Chord {
    code: KeyCode,
    modifiers: KeyModifiers,
}

const NAMES: [(&str, KeyCode); 17] = [
    ("enter", KeyCode::Enter),
    ("esc", KeyCode::Esc),
    ("tab", KeyCode::Tab),
    ("backtab", KeyCode::BackTab),
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("pgup", KeyCode::PageUp),
    ("pgdn", KeyCode::PageDown),
    ("backspace", KeyCode::Backspace),
    ("delete", KeyCode::Delete),
    ("space", KeyCode::Char(' ')),
    ("f1", KeyCode::F(1)),
    ("f5", KeyCode::F(5)),
];

/// Names as they are shown to people, where they differ from those of the table.
const SHOWN: [(&str, &str); 13] = [
    ("enter", "Enter"),
    ("esc", "Esc"),
    ("tab", "Tab"),
    ("backtab", "shift-Tab"),
    ("up", "↑"),
    ("down", "↓"),
    ("left", "←"),
    ("right", "→"),
    ("home", "Home"),
    ("end", "End"),
    ("pgup", "PgUp"),
    ("pgdn", "PgDn"),
    ("space", "Space"),
];

impl Chord {
    /// Takes what the terminal reported; `None` for releases and keys that have no name here.
    #[must_use]
    pub fn from_terminal(event: KeyEvent) -> Option<Self> {
        if event.kind == KeyEventKind::Release {
            return None;
        }
        let mut modifiers =
            event.modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT);
        let code = match event.code {
            KeyCode::Char(c) => {
                modifiers -= KeyModifiers::SHIFT;
                let control = modifiers.contains(KeyModifiers::CONTROL);
                KeyCode::Char(if control { c.to_ascii_lowercase() } else { c })
            }
            KeyCode::BackTab => {
                modifiers -= KeyModifiers::SHIFT;
                KeyCode::BackTab
            }
            code => code,
        };
        Some(Self { code, modifiers })
    }

    /// Reads a name of the key table: `j`, `G`, `ctrl-d`, `shift-left`, `enter`.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let mut modifiers = KeyModifiers::NONE;
        let mut rest = name;
        for (prefix, flag) in [
            ("ctrl-", KeyModifiers::CONTROL),
            ("alt-", KeyModifiers::ALT),
            ("shift-", KeyModifiers::SHIFT),
        ] {
            if let Some(stripped) = rest.strip_prefix(prefix) {
                modifiers |= flag;
                rest = stripped;
            }
        }
        let mut chars = rest.chars();
        let code = match (chars.next(), chars.next()) {
            (Some(c), None) => KeyCode::Char(c),
            _ => NAMES.iter().find(|(known, _)| *known == rest)?.1,
        };
        Some(Self { code, modifiers })
    }

    /// The character it types, if it types one.
    #[must_use]
    pub fn typed(self) -> Option<char> {
        match self.code {
            KeyCode::Char(c) if self.modifiers.is_empty() => Some(c),
            _ => None,
        }
    }
}

/// Writes a name of the key table as people know it: `Enter`, `←`, `ctrl-d`.
#[must_use]
pub fn shown(name: &str) -> String {
    SHOWN.iter().fold(name.to_owned(), |text, (table, people)| {
        if text == *table || text.ends_with(&format!("-{table}")) {
            text.replace(table, people)
        } else {
            text
        }
    })
}

impl fmt::Display for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (flag, name) in [
            (KeyModifiers::CONTROL, "ctrl-"),
            (KeyModifiers::ALT, "alt-"),
            (KeyModifiers::SHIFT, "shift-"),
        ] {
            if self.modifiers.contains(flag) {
                f.write_str(name)?;
            }
        }
        match NAMES.iter().find(|(_, code)| *code == self.code) {
            Some((name, _)) => f.write_str(&shown(name)),
            None => match self.code {
                KeyCode::Char(c) => write!(f, "{c}"),
                code => write!(f, "{code}"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(code: KeyCode, modifiers: KeyModifiers) -> Chord {
        Chord::from_terminal(KeyEvent::new(code, modifiers)).unwrap()
    }

    #[test]
    fn what_the_terminal_sends_is_what_the_table_names() {
        for (code, modifiers, name) in [
            (KeyCode::Char('G'), KeyModifiers::SHIFT, "G"),
            (KeyCode::Char('D'), KeyModifiers::CONTROL, "ctrl-d"),
            (KeyCode::Left, KeyModifiers::SHIFT, "shift-left"),
            (KeyCode::BackTab, KeyModifiers::SHIFT, "backtab"),
            (KeyCode::Char(' '), KeyModifiers::NONE, "space"),
        ] {
            assert_eq!(Some(sent(code, modifiers)), Chord::parse(name));
        }
    }

    #[test]
    fn only_bare_characters_type() {
        assert_eq!(Chord::parse("x").unwrap().typed(), Some('x'));
        assert_eq!(Chord::parse("ctrl-x").unwrap().typed(), None);
        assert_eq!(Chord::parse("enter").unwrap().typed(), None);
        assert_eq!(Chord::parse("no-such-key"), None);
    }

    #[test]
    fn names_are_shown_as_people_know_them() {
        assert_eq!(
            [
                shown("enter"),
                shown("shift-left"),
                shown("ctrl-d"),
                shown("e")
            ],
            ["Enter", "shift-←", "ctrl-d", "e"]
        );
    }
}
