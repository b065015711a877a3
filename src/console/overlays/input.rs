//! One line of text being typed.

use crate::console::keymap::Cmd;
use crate::console::text;

/// Longest text, in characters: a path or a command, not a document.
const MAX: usize = 2000;

/// A text and a cursor in it.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Input {
    text: String,
    /// Characters before the cursor.
    cursor: usize,
}

impl Input {
    /// A text with the cursor at its end.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            cursor: text.chars().count(),
        }
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text before the cursor.
    #[must_use]
    pub fn before(&self) -> &str {
        &self.text[..self.byte(self.cursor)]
    }

    /// As much of it as fits into some cells with the cursor in sight: what stands before the cursor, and all that shows.
    #[must_use]
    pub fn window(&self, cells: u16) -> (&str, &str) {
        let before = self.before();
        let mut skip = 0;
        while text::width(before.get(skip..).unwrap_or("")) >= cells.max(1) && skip < before.len() {
            skip += before[skip..].chars().next().map_or(1, char::len_utf8);
        }
        (
            before.get(skip..).unwrap_or(""),
            self.text.get(skip..).unwrap_or(""),
        )
    }

    /// The same as it is seen: of a secret, a bullet for each character.
    #[must_use]
    pub fn seen(&self, cells: u16, secret: bool) -> (String, String) {
        let seen = |text: &str| match secret {
            true => "•".repeat(text.chars().count()),
            false => text.to_owned(),
        };
        let (before, shown) = self.window(cells);
        (seen(before), seen(shown))
    }

    fn byte(&self, chars: usize) -> usize {
        self.text
            .char_indices()
            .nth(chars)
            .map_or(self.text.len(), |(i, _)| i)
    }

    /// Adds typed or pasted text; line breaks and other controls are left out.
    pub fn insert(&mut self, text: &str) {
        let room = MAX.saturating_sub(self.text.chars().count());
        let clean: String = text
            .chars()
            .filter(|c| !c.is_control())
            .take(room)
            .collect();
        let at = self.byte(self.cursor);
        self.text.insert_str(at, &clean);
        self.cursor += clean.chars().count();
    }

    /// Replaces all of it.
    pub fn set(&mut self, text: &str) {
        *self = Self::new(text);
    }

    /// Moves or erases; false when the command does neither.
    pub fn edit(&mut self, cmd: Cmd) -> bool {
        let length = self.text.chars().count();
        match cmd {
            Cmd::Left => self.cursor = self.cursor.saturating_sub(1),
            Cmd::Right => self.cursor = (self.cursor + 1).min(length),
            Cmd::Top => self.cursor = 0,
            Cmd::Bottom => self.cursor = length,
            Cmd::Erase => self.erase(self.cursor.saturating_sub(1)),
            Cmd::EraseWord => self.erase(self.start_of_word()),
            Cmd::EraseLine => self.set(""),
            Cmd::EraseNext if self.cursor < length => {
                self.cursor += 1;
                self.erase(self.cursor - 1);
            }
            Cmd::EraseNext => {}
            _ => return false,
        }
        true
    }

    fn start_of_word(&self) -> usize {
        let before = self.before().trim_end_matches([' ', '/']);
        before
            .rfind([' ', '/'])
            .map_or(0, |i| before[..=i].chars().count())
    }

    fn erase(&mut self, from: usize) {
        let (start, end) = (self.byte(from), self.byte(self.cursor));
        self.text.replace_range(start..end, "");
        self.cursor = from;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_and_erasing_in_the_middle() {
        let mut input = Input::new("/srv/grün repo");
        input.edit(Cmd::EraseWord);
        assert_eq!(input.text(), "/srv/grün ");
        input.edit(Cmd::Left);
        input.edit(Cmd::Erase);
        assert_eq!((input.text(), input.before()), ("/srv/grü ", "/srv/grü"));
        input.insert("n\n\u{1b}x");
        assert_eq!(input.text(), "/srv/grünx ");
        input.edit(Cmd::Top);
        input.edit(Cmd::EraseNext);
        assert_eq!(input.text(), "srv/grünx ");
        input.edit(Cmd::EraseLine);
        assert_eq!((input.text(), input.before()), ("", ""));
    }

    #[test]
    fn a_pasted_novel_is_cut() {
        let mut input = Input::default();
        input.insert(&"x".repeat(10 * MAX));
        assert_eq!(input.text().len(), MAX);
    }
}
