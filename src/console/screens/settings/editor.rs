//! Where text is typed in a form: one line, or as many as a certificate has. What stands in it prints as nothing.

use std::fmt;

use roundel::settings::value::TEXT_MAX;
use tui_textarea::{CursorMove, TextArea};

use crate::console::keymap::Cmd;
use crate::console::overlays::input::Input;

/// Lines that a page of a long text has.
const PAGE: u16 = 10;

/// The text under the cursor.
#[derive(Clone, Default)]
pub enum Editor {
    /// The field is not typed in.
    #[default]
    None,
    /// One line.
    Line(Input),
    /// Many.
    Long(Box<TextArea<'static>>),
}

impl fmt::Debug for Editor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Line(_) => "Line",
            Self::Long(_) => "Long",
        })
    }
}

impl Editor {
    /// One line, with the cursor at its end.
    pub fn line(text: &str) -> Self {
        Self::Line(Input::new(text))
    }

    /// Many lines, with the cursor at their end.
    pub fn long(text: &str) -> Self {
        let mut area = TextArea::new(text.split('\n').map(str::to_owned).collect());
        area.move_cursor(CursorMove::Bottom);
        area.move_cursor(CursorMove::End);
        Self::Long(Box::new(area))
    }

    /// Whether it is open over many lines.
    pub fn is_long(&self) -> bool {
        matches!(self, Self::Long(_))
    }

    /// The text.
    pub fn text(&self) -> Option<String> {
        match self {
            Self::None => None,
            Self::Line(input) => Some(input.text().to_owned()),
            Self::Long(area) => Some(area.lines().join("\n")),
        }
    }

    /// Adds typed or pasted text; false where it takes none, or no more.
    pub fn insert(&mut self, text: &str) -> bool {
        match self {
            Self::None => false,
            Self::Line(input) => {
                input.insert(text);
                true
            }
            Self::Long(area) => {
                let there: usize = area.lines().iter().map(|line| line.len() + 1).sum();
                let fits = there + text.len() <= TEXT_MAX;
                if fits {
                    let kept = |c: &char| !c.is_control() || matches!(c, '\n' | '\t');
                    area.insert_str(text.chars().filter(kept).collect::<String>());
                }
                fits
            }
        }
    }

    /// Moves or erases; false when the command does neither here.
    pub fn edit(&mut self, cmd: Cmd) -> bool {
        match self {
            Self::None => false,
            Self::Line(input) => input.edit(cmd),
            Self::Long(area) => edit_long(area, cmd),
        }
    }
}

fn edit_long(area: &mut TextArea<'static>, cmd: Cmd) -> bool {
    let moves = |area: &mut TextArea<'static>, to: CursorMove, times: u16| {
        for _ in 0..times {
            area.move_cursor(to);
        }
    };
    match cmd {
        Cmd::Up => moves(area, CursorMove::Up, 1),
        Cmd::Down => moves(area, CursorMove::Down, 1),
        Cmd::Left => moves(area, CursorMove::Back, 1),
        Cmd::Right => moves(area, CursorMove::Forward, 1),
        Cmd::Top => moves(area, CursorMove::Head, 1),
        Cmd::Bottom => moves(area, CursorMove::End, 1),
        Cmd::PageUp => moves(area, CursorMove::Up, PAGE),
        Cmd::PageDown => moves(area, CursorMove::Down, PAGE),
        Cmd::Open => area.insert_newline(),
        Cmd::Erase => _ = area.delete_char(),
        Cmd::EraseNext => _ = area.delete_next_char(),
        Cmd::EraseWord => _ = area.delete_word(),
        Cmd::EraseLine => _ = area.clear(),
        _ => return false,
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_typed_pasted_and_erased_over_its_lines() {
        let mut editor = Editor::long("one\ntwo");
        editor.edit(Cmd::Open);
        editor.insert("three\u{1b}\nfour\n");
        assert_eq!(editor.text().unwrap(), "one\ntwo\nthree\nfour\n");
        editor.edit(Cmd::Erase);
        editor.edit(Cmd::Up);
        editor.edit(Cmd::Top);
        editor.insert("x");
        assert_eq!(editor.text().unwrap(), "one\ntwo\nxthree\nfour");
        editor.edit(Cmd::EraseLine);
        assert_eq!(editor.text().unwrap(), "");
    }

    #[test]
    fn it_takes_no_more_than_a_setting_may_hold_and_prints_nothing_of_it() {
        let mut editor = Editor::long("");
        assert!(!editor.insert(&"x".repeat(TEXT_MAX + 1)));
        assert!(editor.insert("hunter2"));
        assert!(!format!("{editor:?}").contains("hunter2"));
        let line = Editor::line("hunter2");
        assert!(!format!("{line:?}").contains("hunter2"));
    }
}
