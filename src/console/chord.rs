//! A key as hands know it, and its name in the key table.
//!
//! The only file besides the runner that knows what a terminal sends; nothing here knows what a key does.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// A key with what was held down beside it. Shift is folded into letters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Chord {
    code: KeyCode,
    modifiers: KeyModifiers,
}

const NAMES: [(&str, KeyCode); 28] = [
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
    ("insert", KeyCode::Insert),
    ("f1", KeyCode::F(1)),
    ("f2", KeyCode::F(2)),
    ("f3", KeyCode::F(3)),
    ("f4", KeyCode::F(4)),
    ("f5", KeyCode::F(5)),
    ("f6", KeyCode::F(6)),
    ("f7", KeyCode::F(7)),
    ("f8", KeyCode::F(8)),
    ("f9", KeyCode::F(9)),
    ("f10", KeyCode::F(10)),
    ("f11", KeyCode::F(11)),
    ("f12", KeyCode::F(12)),
];

/// What can be held, and how it is written.
const HELD: [(&str, KeyModifiers); 3] = [
    ("ctrl-", KeyModifiers::CONTROL),
    ("alt-", KeyModifiers::ALT),
    ("shift-", KeyModifiers::SHIFT),
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
        let folded = name.to_lowercase();
        // A letter is its own name, large or small; all else is named in any case.
        let mut rest: &str = if name.chars().nth(1).is_none() {
            name
        } else {
            &folded
        };
        for (prefix, flag) in HELD {
            if let Some(stripped) = rest.strip_prefix(prefix) {
                modifiers |= flag;
                rest = stripped;
            }
        }
        let mut chars = rest.chars();
        let code = match (chars.next(), chars.next()) {
            (Some(c), None) if modifiers.contains(KeyModifiers::SHIFT) => {
                modifiers -= KeyModifiers::SHIFT;
                KeyCode::Char(c.to_ascii_uppercase())
            }
            (Some(c), None) => KeyCode::Char(c),
            (Some('t'), Some(_)) if rest == "tab" && modifiers == KeyModifiers::SHIFT => {
                modifiers = KeyModifiers::NONE;
                KeyCode::BackTab
            }
            _ => NAMES.iter().find(|(known, _)| *known == rest)?.1,
        };
        Some(Self { code, modifiers })
    }

    /// Its name in the key table.
    #[must_use]
    pub fn name(self) -> String {
        let known = NAMES.iter().find(|(_, code)| *code == self.code);
        let key = match (known, self.code) {
            (Some((name, _)), _) => (*name).to_owned(),
            (None, KeyCode::Char(c)) => c.to_string(),
            (None, code) => code.to_string(),
        };
        let held = HELD
            .iter()
            .filter(|(_, flag)| self.modifiers.contains(*flag));
        held.map(|(prefix, _)| *prefix)
            .chain([key.as_str()])
            .collect()
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
    let at = name.rfind("-f").map_or(0, |dash| dash + 1);
    let (held, key) = name.split_at(at);
    if key.len() > 1
        && key
            .strip_prefix('f')
            .is_some_and(|n| n.parse::<u8>().is_ok())
    {
        return format!("{held}{}", key.to_uppercase());
    }
    SHOWN.iter().fold(name.to_owned(), |text, (table, people)| {
        if text == *table || text.ends_with(&format!("-{table}")) {
            text.replace(table, people)
        } else {
            text
        }
    })
}

/// Names of keys, for whoever looks for the nearest: all that have one, and those held with a letter.
pub fn names() -> impl Iterator<Item = &'static str> {
    const LETTERS: &str = "ctrl-a ctrl-b ctrl-c ctrl-d ctrl-e ctrl-f ctrl-g ctrl-j ctrl-k ctrl-l ctrl-n ctrl-o ctrl-p \
        ctrl-q ctrl-r ctrl-s ctrl-t ctrl-u ctrl-v ctrl-w ctrl-x ctrl-y ctrl-z shift-left shift-right shift-up shift-down";
    let named = NAMES.iter().map(|(name, _)| *name);
    named.chain(LETTERS.split_whitespace())
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
    fn a_name_in_any_case_is_one_key_and_written_back_as_one() {
        for (name, written) in [
            ("Enter", "enter"),
            ("Ctrl-X", "ctrl-x"),
            ("shift-g", "G"),
            ("shift-Tab", "backtab"),
            ("F12", "f12"),
            ("ctrl-shift-Left", "ctrl-shift-left"),
            ("-", "-"),
            ("ctrl--", "ctrl--"),
            ("Space", "space"),
            ("X", "X"),
            ("x", "x"),
        ] {
            let chord = Chord::parse(name).unwrap();
            assert_eq!(chord.name(), written, "{name}");
            assert_eq!(Chord::parse(written), Some(chord));
        }
    }

    #[test]
    fn names_are_shown_as_people_know_them() {
        assert_eq!(
            [
                shown("enter"),
                shown("shift-left"),
                shown("ctrl-d"),
                shown("e"),
                shown("f2"),
                shown("ctrl-f12"),
                shown("ctrl-f")
            ],
            [
                "Enter",
                "shift-←",
                "ctrl-d",
                "e",
                "F2",
                "ctrl-F12",
                "ctrl-f"
            ]
        );
    }
}
