//! Closing brackets that stand no deeper than the key they belong to.
//!
//! CircleCI's parser (YAML 1.1) takes them, YAML 1.2 and our parser do not:
//! ```yaml
//! paths: [
//!   a
//! ]
//! ```
//! The parser stops exactly at such a bracket, and white space before it means nothing; so the line is indented
//! further, and the text read again.

use std::borrow::Cow;
use std::collections::HashSet;

use saphyr_parser::ScanError;

/// How many spaces are put before such a bracket: more than anybody indents.
pub(super) const PAD: u32 = 256;
/// The most brackets moved in one text.
const MAX_LINES: usize = 200;
/// The most bytes read again in all: a large file gets fewer brackets moved.
const MAX_WORK: usize = 16 << 20;

/// A text and the lines of it that were moved.
pub(super) struct Margin<'t> {
    text: Cow<'t, str>,
    padded: HashSet<u32>,
    work: usize,
}

impl<'t> Margin<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self {
            text: Cow::Borrowed(text),
            padded: HashSet::new(),
            work: 0,
        }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The lines moved, from 1.
    pub(super) fn padded(&self) -> &HashSet<u32> {
        &self.padded
    }

    /// Moves the line at which the parser stopped, if a closing bracket there is all that is wrong.
    pub(super) fn pad(&mut self, error: &ScanError) -> bool {
        let line = error.marker().line();
        let Ok(number) = u32::try_from(line) else {
            return false;
        };
        let mut rows = self.text.split('\n');
        let at: usize = rows
            .by_ref()
            .take(line.saturating_sub(1))
            .map(|row| row.len() + 1)
            .sum();
        let Some(row) = rows.next() else { return false };
        let bracket = row.trim_start_matches(' ').starts_with([']', '}']);
        let enough = self.padded.len() >= MAX_LINES || self.work > MAX_WORK;
        if !bracket
            || enough
            || !error.info().contains("invalid indentation")
            || !self.padded.insert(number)
        {
            return false;
        }
        self.text.to_mut().insert_str(at, &" ".repeat(PAD as usize));
        self.work += self.text.len();
        true
    }
}
