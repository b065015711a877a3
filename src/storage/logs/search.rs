//! Finds text in a run of bytes that comes in pieces, by line.
//!
//! Keeps a few bytes between two pieces, however long a line is. Knows no files.

use std::ops::ControlFlow;

use regex::bytes::{Regex, RegexBuilder};

use super::entry::newlines;
use crate::api::builds::LogMatches;

/// Most line numbers in one answer.
const MATCHES_MAX: usize = 1000;

/// Most bytes looked at for one answer: a fraction of a second.
const BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Longest text looked for, in bytes; what is longer is cut there.
const TEXT_MAX: usize = 1024;

/// A search in progress.
pub(super) struct Search {
    pattern: Option<Regex>,
    /// Bytes that must be kept so that a text across two pieces is found.
    overlap: usize,
    /// The end of the last piece, part of line `line`.
    kept: Vec<u8>,
    /// Number of the line at the beginning of `kept`.
    line: u64,
    seen: u64,
    lines: Vec<u64>,
    next: Option<u64>,
}

impl Search {
    /// Begins at the beginning of line `line`. An empty text finds nothing.
    pub(super) fn new(text: &str, line: u64) -> Search {
        let text = &text[..text.floor_char_boundary(TEXT_MAX)];
        let exact = text.chars().any(char::is_uppercase);
        let pattern = RegexBuilder::new(&regex::escape(text))
            .case_insensitive(!exact)
            .build()
            .ok();
        Search {
            pattern: pattern.filter(|_| !text.is_empty()),
            // A letter of the other case may take more bytes than the one looked for, at most four each.
            overlap: text.chars().count() * 4,
            kept: Vec::new(),
            line,
            seen: 0,
            lines: Vec::new(),
            next: None,
        }
    }

    /// Takes the next piece.
    pub(super) fn feed(&mut self, piece: &[u8]) -> ControlFlow<()> {
        let Some(pattern) = &self.pattern else {
            return ControlFlow::Break(());
        };
        self.kept.extend_from_slice(piece);
        let mut line = self.line;
        let mut counted = 0;
        for found in pattern.find_iter(&self.kept) {
            line += newlines(&self.kept[counted..found.start()]) as u64;
            counted = found.start();
            if self.lines.last() != Some(&line) {
                if self.lines.len() == MATCHES_MAX {
                    self.next = Some(line);
                    return ControlFlow::Break(());
                }
                self.lines.push(line);
            }
        }
        self.seen += piece.len() as u64;
        let forget = self.kept.len().saturating_sub(self.overlap);
        let ends = newlines(&self.kept[..forget]) as u64;
        self.line += ends;
        self.kept.drain(..forget);
        // Only between two lines, or a line longer than the bound would be searched for ever.
        if self.seen >= BYTES_MAX && ends > 0 {
            self.next = Some(self.line);
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }

    /// Ends the search. Lines that the next call will look at again are left to it.
    pub(super) fn finish(mut self) -> LogMatches {
        if let Some(next) = self.next {
            self.lines.retain(|line| *line < next);
        }
        LogMatches {
            lines: self.lines,
            next: self.next,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(log: &[u8], text: &str, piece: usize) -> Vec<u64> {
        let mut search = Search::new(text, 0);
        for piece in log.chunks(piece) {
            if search.feed(piece).is_break() {
                break;
            }
        }
        search.finish().lines
    }

    #[test]
    fn small_letters_match_both_cases_and_a_capital_is_exact() {
        let log = b"alpha\nBeta beta\n\xff\xfe\ngamma BETA";
        for piece in [1, 2, 3, 7, 100] {
            assert_eq!(find(log, "beta", piece), [1, 3], "pieces of {piece}");
            assert_eq!(find(log, "BETA", piece), [3], "pieces of {piece}");
            assert_eq!(find(log, "a\nB", piece), [0], "pieces of {piece}");
            assert_eq!(find(log, "(", piece), [0_u64; 0]);
            assert_eq!(find(log, "", piece), [0_u64; 0]);
        }
    }

    #[test]
    fn a_full_answer_says_where_to_go_on() {
        let log = b"x\n".repeat(1500);
        let mut search = Search::new("x", 10);
        let _ = search.feed(&log);
        let answer = search.finish();
        assert_eq!(
            (answer.lines.len(), answer.lines[0], answer.next),
            (1000, 10, Some(1010))
        );
    }
}
