//! Cuts what steps write into whole lines that a terminal may be given.

use std::collections::HashMap;

use roundel::sanitise;

/// A line longer than this is shown in pieces of it: memory stays bounded, whatever a job writes.
const LINE_MAX: usize = 64 * 1024;

/// The unfinished line of each step that writes.
#[derive(Debug, Default)]
pub(super) struct Lines {
    open: HashMap<(String, u16), Open>,
}

#[derive(Debug, Default)]
struct Open {
    inert: sanitise::Stream,
    held: String,
}

impl Lines {
    /// Takes bytes of a step; answers the lines that are whole by now.
    pub(super) fn push(&mut self, attempt: &str, step: u16, bytes: &[u8]) -> Vec<String> {
        let open = self.open.entry((attempt.to_owned(), step)).or_default();
        let text = open.inert.push(bytes);
        open.take(&text)
    }

    /// Ends a step; answers its last line, when that had no end.
    pub(super) fn finish(&mut self, attempt: &str, step: u16) -> Vec<String> {
        let Some(mut open) = self.open.remove(&(attempt.to_owned(), step)) else {
            return Vec::new();
        };
        let text = std::mem::take(&mut open.inert).finish();
        let mut lines = open.take(&text);
        if !open.held.is_empty() {
            lines.push(open.held);
        }
        lines
    }
}

impl Open {
    fn take(&mut self, text: &str) -> Vec<String> {
        let mut lines = Vec::new();
        let mut rest = text;
        while let Some((line, after)) = rest.split_once('\n') {
            self.held.push_str(line);
            lines.push(std::mem::take(&mut self.held));
            rest = after;
        }
        self.held.push_str(rest);
        if self.held.len() > LINE_MAX {
            lines.push(std::mem::take(&mut self.held));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_whole_however_they_were_cut() {
        let mut lines = Lines::default();
        assert_eq!(lines.push("a", 1, b"one\ntw"), ["one"]);
        assert_eq!(lines.push("b", 1, b"other\n"), ["other"]);
        assert_eq!(lines.push("a", 1, b"o\r\nthree"), ["two"]);
        assert_eq!(lines.finish("a", 1), ["three"]);
        assert!(lines.finish("a", 1).is_empty());
        assert_eq!(lines.push("a", 2, b"\n\n"), ["", ""]);
        assert!(lines.finish("a", 2).is_empty());
    }

    #[test]
    fn nothing_of_a_line_commands_the_terminal_and_none_grows_for_ever() {
        let mut lines = Lines::default();
        let said = lines.push("a", 1, b"\x1b]52;c;eA==\x07x\x1b[31mred\x1b[0m\n");
        assert_eq!(said, ["xred"]);
        let long = lines.push("a", 1, &vec![b'x'; 3 * LINE_MAX]);
        assert_eq!(long.iter().map(String::len).sum::<usize>(), 3 * LINE_MAX);
    }
}
