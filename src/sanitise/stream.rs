//! Bytes of a log on their way to a terminal, piece by piece.
//!
//! Knows nothing of where the pieces were cut: a UTF-8 character or an escape sequence may lie across any cut.

use super::escape::{Parser, Step};
use super::put;

/// Turns a run of bytes into text that a terminal shows and does not obey. Line ends stay (`\r\n` becomes `\n`), invalid
/// UTF-8 becomes U+FFFD; for the rest see the module above. Holds a few bytes between two calls, however long the run.
#[derive(Clone, Debug, Default)]
pub struct Stream {
    parser: Parser,
    /// The beginning of a character whose end has not come yet: at most three bytes.
    partial: Vec<u8>,
    /// A `\r` that is part of a line end if `\n` comes next.
    carriage: bool,
    column: usize,
}

impl Stream {
    /// Takes the next bytes; answers what can be shown by now.
    #[must_use]
    pub fn push(&mut self, bytes: &[u8]) -> String {
        let mut out = String::with_capacity(bytes.len());
        let joined;
        let mut rest = if self.partial.is_empty() {
            bytes
        } else {
            joined = [std::mem::take(&mut self.partial).as_slice(), bytes].concat();
            &joined
        };
        loop {
            match std::str::from_utf8(rest) {
                Ok(text) => {
                    self.text(text, &mut out);
                    return out;
                }
                Err(err) => {
                    let (valid, after) = rest.split_at(err.valid_up_to());
                    self.text(&String::from_utf8_lossy(valid), &mut out);
                    let Some(bad) = err.error_len() else {
                        self.partial = after.to_vec();
                        return out;
                    };
                    self.char(char::REPLACEMENT_CHARACTER, &mut out);
                    rest = &after[bad..];
                }
            }
        }
    }

    /// Ends the run; answers what was held back.
    #[must_use]
    pub fn finish(mut self) -> String {
        let mut out = String::new();
        if !self.partial.is_empty() {
            self.char(char::REPLACEMENT_CHARACTER, &mut out);
        }
        self.settle(&mut out);
        out
    }

    fn text(&mut self, text: &str, out: &mut String) {
        for c in text.chars() {
            self.char(c, out);
        }
    }

    fn char(&mut self, c: char, out: &mut String) {
        let Step::Shown(c) = self.parser.step(c) else {
            return;
        };
        if c == '\n' {
            self.carriage = false;
            self.column = 0;
            out.push('\n');
            return;
        }
        self.settle(out);
        if c == '\r' {
            self.carriage = true;
        } else {
            self.column += put(out, c, self.column);
        }
    }

    /// Shows a `\r` that turned out not to end a line.
    fn settle(&mut self, out: &mut String) {
        if std::mem::take(&mut self.carriage) {
            self.column += put(out, '\r', self.column);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sanitise::tests::{hostile, is_inert};
    use proptest::prelude::*;

    fn whole(bytes: &[u8]) -> String {
        let mut stream = Stream::default();
        let shown = stream.push(bytes);
        shown + &stream.finish()
    }

    #[test]
    fn lines_stay_and_the_rest_is_inert() {
        let table: [(&[u8], &str); 8] = [
            (b"one\r\ntwo\n", "one\ntwo\n"),
            (b"10%\r20%\n", "10%\u{240d}20%\n"),
            (b"a\xff\xfeb", "a\u{fffd}\u{fffd}b"),
            (b"half \xe2\x82", "half \u{fffd}"),
            (b"\x1b]0;never closed\nnext", "\nnext"),
            (b"\x1b[32mok\x1b[0m\n", "ok\n"),
            (b"ab\tc\n\td", "ab      c\n        d"),
            (b"end\r", "end\u{240d}"),
        ];
        for (input, expected) in table {
            assert_eq!(
                whole(input),
                expected,
                "{:?}",
                String::from_utf8_lossy(input)
            );
        }
    }

    proptest! {
        #[test]
        fn a_stream_is_inert_and_cuts_do_not_matter(bytes in hostile(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6)) {
            let expected = whole(&bytes);
            prop_assert!(is_inert(&expected), "{expected:?}");
            let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
            at.extend([0, bytes.len()]);
            at.sort_unstable();
            let mut stream = Stream::default();
            let mut shown = String::new();
            for pair in at.windows(2) {
                shown += &stream.push(&bytes[pair[0]..pair[1]]);
            }
            prop_assert_eq!(shown + &stream.finish(), expected);
        }
    }
}
