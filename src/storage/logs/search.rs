//! Finds the lines of a part of a log that hold a pattern, forward or backward, a piece at a time.
//!
//! Keeps one piece in memory, however long the log or a line is. Knows nothing of who asked.

use std::collections::VecDeque;

use memchr::{memchr, memchr_iter};

use super::LogError;
use super::pattern::Pattern;
use super::view::View;

/// Bytes looked at between two looks at whether anybody still waits.
const PIECE: u64 = 1024 * 1024;

/// Which of the lines found are kept when there are more than wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Keep {
    /// The first; then the search ends.
    First,
    /// The last.
    Last,
}

impl View {
    /// Numbers of the lines `from..to` that hold the pattern, ascending, at most `most` of them. Ends early, with what it
    /// has, once `given_up` says so.
    pub(super) fn matches(
        &self,
        pattern: &Pattern,
        (from, to): (u64, u64),
        keep: Keep,
        most: usize,
        given_up: &dyn Fn() -> bool,
    ) -> Result<VecDeque<u64>, LogError> {
        let mut found = VecDeque::new();
        let Some(mut at) = self.line_start(from)? else {
            return Ok(found);
        };
        let end = self.line_start(to)?.unwrap_or(self.len());
        let reach = pattern.reach() as u64;
        let mut bytes = Vec::new();
        while at < end && !given_up() {
            let next = end.min(at + PIECE);
            let before = at.min(reach);
            self.read_into(&mut bytes, at - before, next.saturating_add(reach))?;
            // Positions in `bytes`: what is looked at begins at `scan` and ends at `edge`.
            let mut scan = usize::try_from(before).unwrap_or(usize::MAX);
            let edge = usize::try_from(next - at + before).unwrap_or(usize::MAX);
            let mut counted: Option<(usize, u64)> = None;
            at = next;
            while let Some(place) = pattern.find(&bytes, scan).filter(|place| *place < edge) {
                let line = match counted {
                    Some((from, line)) => {
                        line + memchr_iter(b'\n', &bytes[from..place]).count() as u64
                    }
                    None => self.line_at(next - (edge - place) as u64)?,
                };
                counted = Some((place, line));
                found.push_back(line);
                if found.len() > most {
                    match keep {
                        Keep::First => {
                            found.pop_back();
                            return Ok(found);
                        }
                        Keep::Last => _ = found.pop_front(),
                    }
                }
                // The rest of the line is no news.
                let Some(newline) = memchr(b'\n', &bytes[place..]) else {
                    at = next.max(self.line_start(line + 1)?.unwrap_or(end));
                    break;
                };
                scan = place + newline + 1;
                if scan >= edge {
                    at = next + (scan - edge) as u64;
                    break;
                }
            }
        }
        Ok(found)
    }
}
