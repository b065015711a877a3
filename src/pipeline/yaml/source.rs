//! The text itself: places in it, words at places, and what the parser's complaints mean for its writer.

use std::collections::HashSet;

use saphyr_parser::ScanError;

use super::{Fault, Pos, Span, margin};
use crate::nearest::nearest;

/// So many of the last anchors are compared with an alias that has none.
const MAX_ANCHORS: usize = 100;

/// Refuses what YAML does not allow in a text; the parser would take a NUL for the end of the file.
pub(super) fn check_characters(text: &str) -> Result<(), Fault> {
    for (line, row) in (1..).zip(text.split('\n')) {
        let bad = |c: char| c.is_control() && !matches!(c, '\t' | '\r' | '\u{85}');
        if let Some((column, c)) = (1..).zip(row.chars()).find(|&(_, c)| bad(c)) {
            let start = Pos { line, column };
            let span = Span {
                start,
                end: Pos {
                    line,
                    column: column + 1,
                },
            };
            let message = format!("not valid YAML: control character U+{:04X}", u32::from(c));
            return Err(Fault::new(span, String::new(), message, None));
        }
    }
    Ok(())
}

/// A text as its writer sees it.
pub(super) struct Source<'t> {
    lines: Vec<&'t str>,
    /// Lines that were indented further to be read.
    padded: &'t HashSet<u32>,
    /// Where the anchors stand that were read so far.
    anchors: Vec<Span>,
}

impl<'t> Source<'t> {
    pub(super) fn new(text: &'t str, padded: &'t HashSet<u32>) -> Self {
        Self {
            lines: text.split('\n').collect(),
            padded,
            anchors: Vec::new(),
        }
    }

    /// Remembers an anchor, for hints.
    pub(super) fn note_anchor(&mut self, span: Span) {
        self.anchors.push(span);
    }

    /// The parser's place as the writer sees it.
    pub(super) fn convert(&self, span: saphyr_parser::Span) -> Span {
        let pos = |marker: &saphyr_parser::Marker| {
            // At the end of the text the parser may stand on a line that is not there.
            if let (Some(last), true) = (self.lines.last(), marker.line() > self.lines.len()) {
                return Pos {
                    line: u32::try_from(self.lines.len()).unwrap_or(u32::MAX),
                    column: u32::try_from(last.chars().count() + 1).unwrap_or(u32::MAX),
                };
            }
            let line = u32::try_from(marker.line()).unwrap_or(u32::MAX);
            let column = u32::try_from(marker.col() + 1).unwrap_or(u32::MAX);
            let shift = if self.padded.contains(&line) {
                margin::PAD
            } else {
                0
            };
            Pos {
                line,
                column: column.saturating_sub(shift).max(1),
            }
        };
        Span {
            start: pos(&span.start),
            end: pos(&span.end),
        }
    }

    /// The name of the anchor or alias that begins at a place.
    pub(super) fn word(&self, span: Span) -> &'t str {
        let row = self.line(span.start.line);
        let before = span.start.column as usize - 1;
        let skip = row
            .char_indices()
            .nth(before)
            .map_or(row.len(), |(at, _)| at);
        let rest = row[skip..].trim_start_matches(['&', '*']);
        let ends = |c: char| c.is_whitespace() || matches!(c, ',' | '[' | ']' | '{' | '}');
        &rest[..rest.find(ends).unwrap_or(rest.len())]
    }

    fn line(&self, number: u32) -> &'t str {
        self.lines
            .get(number as usize - 1)
            .copied()
            .unwrap_or_default()
    }

    /// What the parser could not read, in the words of the writer; `key` is the path of the key being read.
    pub(super) fn scan_fault(&self, err: &ScanError, key: String) -> Fault {
        let start = self
            .convert(saphyr_parser::Span::empty(*err.marker()))
            .start;
        let span = Span {
            start,
            end: Pos {
                line: start.line,
                column: start.column + 1,
            },
        };
        if err.info().contains("unknown anchor") {
            let name = self.word(span);
            let anchors = self
                .anchors
                .iter()
                .rev()
                .take(MAX_ANCHORS)
                .map(|&at| self.word(at));
            let hint = nearest(name, anchors).map(|near| format!("did you mean `*{near}`?"));
            let message = format!("alias `*{name}` has no anchor `&{name}` above it");
            return Fault::new(span, key, message, hint.as_deref());
        }
        let hint = if self
            .line(start.line)
            .trim_start_matches(' ')
            .starts_with('\t')
        {
            "indent with spaces: YAML allows no tabs there"
        } else if err.info().contains("mapping values are not allowed") {
            "check the indentation, and put quotes around a text that holds `: `"
        } else {
            "check the indentation of this line and of the one above"
        };
        Fault::new(
            span,
            key,
            format!("not valid YAML: {}", err.info()),
            Some(hint),
        )
    }
}
