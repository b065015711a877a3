//! Makes bytes from outside inert for a terminal; the one place that does.
//!
//! Log output, branch names, commit messages, node names: whatever was written by others passes here before it reaches
//! a screen. Knows nothing of screens, colours of a theme or where the bytes came from.
//!
//! What comes out of [`line()`], [`Stream`] and [`spans`] holds no escape sequence, no C0 or C1 control (but `\n` from a
//! [`Stream`]), no DEL, no bidirectional control and no invisible format character. Escape sequences vanish, a string
//! sequence (window title, clipboard) with its content; single controls are shown as their Unicode picture (`␀`).

use std::borrow::Cow;

mod escape;
mod sgr;
mod shell;
mod stream;

pub use sgr::{Colour, Sgr, Span, spans};
pub use shell::shell_word;
pub use stream::Stream;

use escape::{Parser, Step};

/// Columns from one tab stop to the next.
const TAB: usize = 8;

/// Makes one line fit for a screen. A line end becomes its picture, a tab the spaces up to the next stop.
///
/// Borrows when there is nothing to change, which is nearly always.
#[must_use]
pub fn line(text: &str) -> Cow<'_, str> {
    if text.chars().all(|c| picture(c) == Some(c)) {
        return Cow::Borrowed(text);
    }
    let mut parser = Parser::default();
    let mut out = String::with_capacity(text.len());
    let mut column = 0;
    for c in text.chars() {
        if let Step::Shown(c) = parser.step(c) {
            column += put(&mut out, c, column);
        }
    }
    Cow::Owned(out)
}

/// Appends what stands for `c` at `column`; returns the number of characters it took.
fn put(out: &mut String, c: char, column: usize) -> usize {
    if c == '\t' {
        let width = TAB - column % TAB;
        out.extend(std::iter::repeat_n(' ', width));
        return width;
    }
    match picture(c) {
        Some(shown) => {
            out.push(shown);
            1
        }
        None => 0,
    }
}

/// What a terminal may be given for `c`: itself, its picture, or nothing at all.
fn picture(c: char) -> Option<char> {
    match c {
        ' '..='~' => Some(c),
        '\0'..='\x1f' => char::from_u32(0x2400 + u32::from(c)),
        '\x7f' => Some('\u{2421}'),
        '\u{80}'..='\u{9f}' => Some(char::REPLACEMENT_CHARACTER),
        // Line and paragraph separators: some terminals break the line there.
        '\u{2028}' | '\u{2029}' => Some(' '),
        _ if is_hidden(c) => None,
        _ => Some(c),
    }
}

/// Characters without a shape of their own that reorder, join or hide what is around them.
fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{ad}'                                    // soft hyphen
        | '\u{34f}'                                 // combining grapheme joiner
        | '\u{61c}' | '\u{200e}' | '\u{200f}'       // direction marks
        | '\u{180b}'..='\u{180f}'                   // Mongolian selectors and vowel separator
        | '\u{200b}'..='\u{200d}'                   // zero width space, joiners
        | '\u{202a}'..='\u{202e}'                   // embeddings and overrides
        | '\u{2060}'..='\u{206f}'                   // word joiner, isolates, deprecated controls
        | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' // fillers that look like nothing
        | '\u{fe00}'..='\u{fe0f}'                   // variation selectors: they change a width after the fact
        | '\u{feff}'                                // byte order mark
        | '\u{fff9}'..='\u{fffb}'                   // interlinear annotation
        | '\u{1d173}'..='\u{1d17a}'                 // musical format controls
        | '\u{e0000}'..='\u{e0fff}'                 // tags and further selectors
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The promise of this module, for any text that came out of it.
    pub(super) fn is_inert(text: &str) -> bool {
        !text.chars().any(|c| {
            (c < ' ' && c != '\n')
                || ('\x7f'..='\u{9f}').contains(&c)
                || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        })
    }

    /// Text in which escape sequences are likely and often broken.
    pub(super) fn hostile() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            3 => prop::collection::vec(any::<u8>(), 0..8),
            2 => "[ -~]{0,8}".prop_map(String::into_bytes),
            1 => "\\PC{0,4}".prop_map(String::into_bytes),
            3 => prop::sample::select(vec![
                "\x1b[", "\x1b]0;", "\x1b]52;c;", "\x1bP", "\x1b\\", "\x07", "\x1b", "\u{9b}", "\u{9d}", "31m", "1;38;5;200m",
                "38;2;1;2;3m", "2J", "\r\n", "\n", "\t", "\x1b(B", "\u{202e}", "\u{2066}", "\u{200b}", "\0", "\x18", "\u{7f}",
            ]).prop_map(|s| s.as_bytes().to_vec()),
        ];
        prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
    }

    #[test]
    fn plain_text_is_borrowed() {
        assert!(matches!(line("naïve 日本 – ok"), Cow::Borrowed(_)));
    }

    #[test]
    fn what_a_terminal_would_obey_is_gone_or_shown() {
        let table = [
            ("\x1b[31mred\x1b[0m", "red"),
            ("a\x1b]0;title\x07b", "ab"),
            ("a\x1b]52;c;aGk=\x1b\\b", "ab"),
            ("a\u{9b}2Jb", "ab"),
            ("a\x1bP1;2qdata\x1b\\b", "ab"),
            ("a\x1b(Bb\x1b7c\x1bcd", "abcd"),
            ("x\ty", "x       y"),
            (
                "nul\0 bel\x07 del\x7f",
                "nul\u{2400} bel\u{2407} del\u{2421}",
            ),
            ("a\nb\rc", "a\u{240a}b\u{240d}c"),
            ("user\u{202e}nimda\u{2066}\u{200b}", "usernimda"),
            ("cut off \x1b[3", "cut off "),
            ("\x1b[1\x07x", "\u{2407}x"),
        ];
        for (input, expected) in table {
            assert_eq!(line(input), expected, "{input:?}");
        }
    }

    proptest! {
        #[test]
        fn a_line_is_inert_whatever_went_in(bytes in hostile()) {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let out = line(&text);
            prop_assert!(is_inert(&out) && !out.contains('\n'), "{out:?}");
            prop_assert_eq!(line(&out), out.as_ref(), "a second pass changes nothing");
        }
    }
}
