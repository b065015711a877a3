//! Colours of a log line, as plain data: the only sequences that are kept, and only as meaning.
//!
//! Knows no terminal and no theme; whoever draws decides what a colour becomes.

use super::escape::{Parser, Step};
use super::put;

/// A colour as the program asked for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Colour {
    /// Whatever the screen uses.
    #[default]
    Default,
    /// One of the 256; 0 to 7 are the plain eight, 8 to 15 their bright forms.
    Indexed(u8),
    /// Red, green, blue.
    Rgb(u8, u8, u8),
}

/// How a piece of text is to look.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Sgr {
    /// Of the characters.
    pub fg: Colour,
    /// Behind them.
    pub bg: Colour,
    /// Bold.
    pub bold: bool,
    /// Dim.
    pub dim: bool,
    /// Italic.
    pub italic: bool,
    /// Underlined.
    pub underline: bool,
    /// Foreground and background exchanged.
    pub reverse: bool,
}

/// A piece of a line in one style. Never empty.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Span {
    /// Inert text.
    pub text: String,
    /// Its style.
    pub style: Sgr,
}

/// Cuts one line into pieces of one style each, inert but for their style. Each line begins plain.
#[must_use]
pub fn spans(text: &str) -> Vec<Span> {
    let mut parser = Parser::default();
    let mut spans: Vec<Span> = Vec::new();
    let mut style = Sgr::default();
    let mut piece = String::new();
    let mut column = 0;
    for c in text.chars() {
        match parser.step(c) {
            Step::Swallowed => {}
            Step::Shown(c) => column += put(&mut piece, c, column),
            Step::Style => {
                let next = style.with(parser.params());
                if next != style && !piece.is_empty() {
                    spans.push(Span {
                        text: std::mem::take(&mut piece),
                        style,
                    });
                }
                style = next;
            }
        }
    }
    if !piece.is_empty() {
        spans.push(Span { text: piece, style });
    }
    spans
}

impl Sgr {
    /// The style after an SGR sequence with these parameters; unknown ones change nothing.
    fn with(mut self, params: &str) -> Sgr {
        let mut rest = params.split([';', ':']).map(|word| {
            if word.is_empty() {
                Some(0)
            } else {
                word.parse().ok()
            }
        });
        while let Some(code) = rest.next() {
            match code {
                Some(0) => self = Sgr::default(),
                Some(1) => self.bold = true,
                Some(2) => self.dim = true,
                Some(3) => self.italic = true,
                Some(4) => self.underline = true,
                Some(7) => self.reverse = true,
                Some(22) => (self.bold, self.dim) = (false, false),
                Some(23) => self.italic = false,
                Some(24) => self.underline = false,
                Some(27) => self.reverse = false,
                Some(code @ 30..=37) => self.fg = Colour::Indexed(code - 30),
                Some(38) => self.fg = extended(&mut rest).unwrap_or(self.fg),
                Some(39) => self.fg = Colour::Default,
                Some(code @ 40..=47) => self.bg = Colour::Indexed(code - 40),
                Some(48) => self.bg = extended(&mut rest).unwrap_or(self.bg),
                Some(49) => self.bg = Colour::Default,
                Some(code @ 90..=97) => self.fg = Colour::Indexed(code - 90 + 8),
                Some(code @ 100..=107) => self.bg = Colour::Indexed(code - 100 + 8),
                _ => {}
            }
        }
        self
    }
}

/// Reads what follows 38 or 48: `5;n` or `2;r;g;b`.
fn extended(rest: &mut impl Iterator<Item = Option<u8>>) -> Option<Colour> {
    match rest.next()?? {
        5 => Some(Colour::Indexed(rest.next()??)),
        2 => Some(Colour::Rgb(rest.next()??, rest.next()??, rest.next()??)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sanitise::tests::{hostile, is_inert};
    use proptest::prelude::*;

    fn span(text: &str, style: Sgr) -> Span {
        Span {
            text: text.to_owned(),
            style,
        }
    }

    #[test]
    fn colours_are_kept_as_meaning() {
        let plain = Sgr::default();
        let red = Sgr {
            fg: Colour::Indexed(1),
            ..plain
        };
        let table: Vec<(&str, Vec<Span>)> = vec![
            ("", vec![]),
            ("plain", vec![span("plain", plain)]),
            (
                "a\x1b[31mb\x1b[mc",
                vec![span("a", plain), span("b", red), span("c", plain)],
            ),
            (
                "\x1b[1;4;91mx",
                vec![span(
                    "x",
                    Sgr {
                        bold: true,
                        underline: true,
                        fg: Colour::Indexed(9),
                        ..plain
                    },
                )],
            ),
            (
                "\x1b[38;5;200mx",
                vec![span(
                    "x",
                    Sgr {
                        fg: Colour::Indexed(200),
                        ..plain
                    },
                )],
            ),
            (
                "\x1b[48:2:1:2:3mx",
                vec![span(
                    "x",
                    Sgr {
                        bg: Colour::Rgb(1, 2, 3),
                        ..plain
                    },
                )],
            ),
            ("\x1b[38;9mx\x1b[38;5;300my", vec![span("xy", plain)]),
            ("\x1b[31m\x1b[31mx\x1b[31my", vec![span("xy", red)]),
            ("\x1b[2Jx\x1b[?25ly\x1b]0;t\x07z", vec![span("xyz", plain)]),
            ("\x1b[31mx\x1b[>4my", vec![span("xy", red)]),
        ];
        for (input, expected) in table {
            assert_eq!(spans(input), expected, "{input:?}");
        }
    }

    proptest! {
        #[test]
        fn spans_are_inert_and_lose_no_text(bytes in hostile()) {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let all = spans(&text);
            prop_assert!(all.iter().all(|span| is_inert(&span.text) && !span.text.is_empty()));
            let joined: String = all.into_iter().map(|span| span.text).collect();
            prop_assert_eq!(joined, crate::sanitise::line(&text));
        }
    }
}
