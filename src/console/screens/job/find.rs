//! Looking through a log: what is known of it, what must be asked next, and where the next match is.
//!
//! The server looks at a bounded part of a log for each question. What it has looked at is remembered as one range of
//! lines, so that nothing is looked at twice, also while the log grows. Pure state, bounded.

use roundel::api::builds::{LogMatches, LogQuery};
use roundel::clock::Timestamp;

use crate::console::action::{Action, Slot, Source, Want};
use crate::console::event::Failure;
use crate::console::feed::Feed;

/// Line numbers remembered.
const KNOWN_MAX: usize = 4000;

/// What is looked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Wanted {
    /// A text.
    Text(String),
    /// What looks like an error.
    Errors,
}

/// A jump that is under way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Jump {
    /// To the first match at or after a line; from the top again once the end is reached.
    Forward { at: u64, again: bool },
    /// To the last match before a line.
    Back { before: u64 },
}

/// What came of a jump.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Arrival {
    /// The line that matches.
    Line {
        /// Its number.
        n: u64,
        /// The end was passed on the way.
        again: bool,
    },
    /// There is none.
    Nowhere,
    /// There is none further up.
    NoneAbove,
}

/// The search for one thing in one log.
#[derive(Debug, Default)]
pub struct Find {
    wanted: Option<Wanted>,
    feed: Feed<()>,
    /// Lines that match among those looked at, ascending.
    known: Vec<u64>,
    /// Lines that were looked at.
    from: u64,
    to: u64,
    /// Lines of the log when it was last asked.
    total: u64,
    /// The last answer brought nothing further: the end of the log is reached.
    at_end: bool,
    jump: Option<Jump>,
}

impl Find {
    /// Looks for something else; what is the same is kept with all that is known of it.
    pub fn want(&mut self, wanted: Option<Wanted>) {
        if self.wanted != wanted {
            *self = Self {
                wanted,
                ..Self::default()
            };
        }
    }

    /// Forgets what is known: it is another log.
    pub fn restart(&mut self) {
        let wanted = self.wanted.take();
        self.want(wanted);
    }

    /// What is looked for.
    #[must_use]
    pub fn wanted(&self) -> Option<&Wanted> {
        self.wanted.as_ref()
    }

    /// Jumps to the first match at or after a line.
    pub fn forward(&mut self, at: u64) -> Option<Arrival> {
        self.jump = Some(Jump::Forward { at, again: false });
        // Past what is known there may be more by now.
        self.at_end &= self.known.iter().any(|line| *line >= at);
        self.arrive()
    }

    /// Jumps to the last match before a line.
    pub fn back(&mut self, before: u64) -> Option<Arrival> {
        self.jump = Some(Jump::Back { before });
        self.arrive()
    }

    /// Gives a jump up.
    pub fn stop(&mut self) {
        self.jump = None;
    }

    /// How far a jump that is under way has looked, and of how many lines.
    #[must_use]
    pub fn progress(&self) -> Option<(u64, u64)> {
        let looked = match self.jump? {
            Jump::Forward { .. } => self.to,
            Jump::Back { .. } => self.from,
        };
        (self.total > 0).then_some((looked, self.total))
    }

    /// Number of matches that are known, and whether the whole log has been looked at.
    #[must_use]
    pub fn count(&self) -> Option<(usize, bool)> {
        let whole = self.from == 0 && self.at_end && self.to + 1 >= self.total;
        (self.total > 0).then_some((self.known.len(), whole))
    }

    /// Why the last question was not answered.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        self.feed.failure()
    }

    /// The question that is due for the jump under way.
    pub fn need(&mut self, of: &Source, base: &LogQuery, now: Timestamp) -> Option<Action> {
        let jump = self.jump?;
        let (search, errors) = match self.wanted.as_ref()? {
            Wanted::Text(text) => (Some(text.clone()), false),
            Wanted::Errors => (None, true),
        };
        // Only what touches the range that was looked at can make it longer; elsewhere another one begins.
        let (line, before) = match jump {
            Jump::Forward { at, .. } => {
                if !self.reaches(at) {
                    self.begin_at(at);
                }
                (Some(self.to), None)
            }
            Jump::Back { before } => {
                if !(self.from..=self.to).contains(&before) {
                    self.begin_at(before);
                }
                (None, Some(self.from))
            }
        };
        let query = LogQuery {
            search,
            errors,
            line,
            before,
            ..base.clone()
        };
        let want = Want::Matches {
            of: of.clone(),
            query,
        };
        self.feed.need(Slot::Search, want, now)
    }

    /// Whether a search forward from a line goes on where this one stands. The line at its end may have been looked at
    /// before it was whole.
    fn reaches(&self, at: u64) -> bool {
        (self.from..=self.to + 1).contains(&at)
    }

    fn begin_at(&mut self, line: u64) {
        self.known.clear();
        (self.from, self.to, self.at_end) = (line, line, false);
    }

    /// Takes an answer; the arrival when the jump ends with it.
    pub fn accept(&mut self, asked: &Want, answer: Result<LogMatches, Failure>) -> Option<Arrival> {
        let Want::Matches { query, .. } = asked else {
            return None;
        };
        let found = match answer {
            Ok(found) => found,
            Err(failure) => {
                if self.feed.accept(asked, Err(failure), |_| false) {
                    self.jump = None;
                }
                return None;
            }
        };
        if !self.feed.accept(asked, Ok(()), |_| false) {
            return None;
        }
        // The same question again, later, is another one: the log may have grown.
        self.feed.clear();
        self.total = found.total;
        if query.before.is_some() {
            let mut known = found.lines;
            known.append(&mut self.known);
            self.known = known;
            self.from = found.from.min(self.from);
            if self.known.len() > KNOWN_MAX {
                self.known.truncate(KNOWN_MAX);
                self.to = self.known.last().map_or(self.to, |last| last + 1);
            }
        } else {
            // A line that had no end yet is looked at once more.
            self.known.retain(|line| *line < found.from);
            self.known.extend(found.lines);
            self.at_end = found.to >= found.total || found.to <= self.to;
            self.to = found.to.max(self.to);
            if self.known.len() > KNOWN_MAX {
                self.known.drain(..self.known.len() - KNOWN_MAX);
                self.from = self.known.first().copied().unwrap_or(self.from);
            }
        }
        self.arrive()
    }

    /// Ends the jump if what is known is enough for it.
    fn arrive(&mut self) -> Option<Arrival> {
        let arrival = match self.jump? {
            Jump::Forward { at, again } => {
                let covered = self.reaches(at);
                let next = self.known.iter().find(|line| **line >= at).copied();
                match next.filter(|_| covered) {
                    Some(n) => Arrival::Line { n, again },
                    None if covered && self.at_end && !again && at > 0 => {
                        self.jump = Some(Jump::Forward { at: 0, again: true });
                        self.at_end = self.from == 0;
                        return self.arrive();
                    }
                    None if covered && self.at_end => Arrival::Nowhere,
                    None => return None,
                }
            }
            Jump::Back { before } => {
                let covered = (self.from..=self.to).contains(&before);
                let last = self.known.iter().rev().find(|line| **line < before);
                match last.filter(|_| covered) {
                    Some(n) => Arrival::Line {
                        n: *n,
                        again: false,
                    },
                    None if covered && self.from == 0 => Arrival::NoneAbove,
                    None => return None,
                }
            }
        };
        self.jump = None;
        Some(arrival)
    }

    /// The connection broke: what was asked will not be answered.
    pub fn disconnect(&mut self) {
        self.feed.disconnect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source() -> Source {
        Source::Step {
            attempt: "a".into(),
            step: 1,
        }
    }

    fn find(text: &str) -> Find {
        let mut find = Find::default();
        find.want(Some(Wanted::Text(text.into())));
        find
    }

    /// A server whose log holds matches at these lines, looks at `part` lines for a question, and counts them.
    struct Server {
        matches: Vec<u64>,
        total: u64,
        part: u64,
        looked_at: u64,
    }

    impl Server {
        fn answer(&mut self, query: &LogQuery) -> LogMatches {
            let (from, to) = match query.before {
                Some(before) => (before.saturating_sub(self.part), before),
                None => {
                    let line = query.line.unwrap();
                    (line, self.total.min(line + self.part))
                }
            };
            self.looked_at += to.saturating_sub(from);
            let lines = self.matches.iter().copied();
            LogMatches {
                lines: lines.filter(|n| (from..to).contains(n)).collect(),
                from,
                to: to.max(from),
                total: self.total,
            }
        }

        /// Answers until the jump has come to its end.
        fn serve(&mut self, find: &mut Find, begun: Option<Arrival>) -> Option<Arrival> {
            let mut arrival = begun;
            for _ in 0..100 {
                if arrival.is_some() {
                    return arrival;
                }
                let action = find.need(&source(), &LogQuery::default(), Timestamp(0));
                let Some(Action::Fetch(_, want)) = action else {
                    return None;
                };
                let Want::Matches { query, .. } = &want else {
                    return None;
                };
                arrival = find.accept(&want, Ok(self.answer(query)));
            }
            None
        }
    }

    fn line(n: u64) -> Option<Arrival> {
        Some(Arrival::Line { n, again: false })
    }

    #[test]
    fn every_match_is_found_both_ways_and_nothing_is_looked_at_twice() {
        let mut server = Server {
            matches: vec![3, 500, 999],
            total: 1000,
            part: 64,
            looked_at: 0,
        };
        let mut find = find("x");
        for (at, n) in [(0, 3), (4, 500), (501, 999)] {
            let begun = find.forward(at);
            assert_eq!(server.serve(&mut find, begun), line(n));
        }
        assert_eq!(server.looked_at, 1000);
        for (before, n) in [(999, 500), (500, 3)] {
            let begun = find.back(before);
            assert_eq!(server.serve(&mut find, begun), line(n));
        }
        let begun = find.back(3);
        assert_eq!(server.serve(&mut find, begun), Some(Arrival::NoneAbove));
        let begun = find.forward(1000);
        let again = Some(Arrival::Line { n: 3, again: true });
        assert_eq!(server.serve(&mut find, begun), again);
        assert_eq!(server.looked_at, 1000);
        assert_eq!(find.count(), Some((3, true)));
    }

    #[test]
    fn of_a_log_that_grew_only_what_is_new_is_looked_at() {
        let mut server = Server {
            matches: Vec::new(),
            total: 1000,
            part: 256,
            looked_at: 0,
        };
        let mut find = find("x");
        let begun = find.forward(0);
        assert_eq!(server.serve(&mut find, begun), Some(Arrival::Nowhere));
        assert_eq!(find.count(), Some((0, true)));
        (server.total, server.looked_at) = (1010, 0);
        server.matches.push(1005);
        let begun = find.forward(0);
        assert_eq!(server.serve(&mut find, begun), line(1005));
        assert_eq!(server.looked_at, 10);
    }

    #[test]
    fn a_search_that_begins_in_the_middle_comes_round_to_what_is_above() {
        let mut server = Server {
            matches: vec![10, 20],
            total: 1000,
            part: 300,
            looked_at: 0,
        };
        let mut find = find("x");
        let begun = find.forward(600);
        let again = Some(Arrival::Line { n: 10, again: true });
        assert_eq!(server.serve(&mut find, begun), again);
        let begun = find.back(700);
        assert_eq!(server.serve(&mut find, begun), line(20));
    }

    #[test]
    fn a_line_without_an_end_is_looked_at_again_and_told_once() {
        let mut find = find("x");
        assert_eq!(find.forward(0), None);
        let ask = |find: &mut Find| {
            let action = find.need(&source(), &LogQuery::default(), Timestamp(0));
            let Some(Action::Fetch(_, want)) = action else {
                panic!("nothing is asked")
            };
            want
        };
        let answer = |lines: &[u64], from, to, total| {
            Ok(LogMatches {
                lines: lines.to_vec(),
                from,
                to,
                total,
            })
        };
        let want = ask(&mut find);
        assert_eq!(find.accept(&want, answer(&[4], 0, 4, 5)), line(4));
        assert_eq!(find.forward(5), None);
        let want = ask(&mut find);
        assert_eq!(find.accept(&want, answer(&[4, 6], 4, 7, 7)), line(6));
        assert_eq!(find.count(), Some((2, true)));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut server = Server {
            matches: (0..100_000).collect(),
            total: 100_000,
            part: 1000,
            looked_at: 0,
        };
        let mut find = find("x");
        for at in (0..50_000).step_by(900) {
            let begun = find.forward(at);
            assert_eq!(server.serve(&mut find, begun), line(at));
            assert!(find.known.len() <= KNOWN_MAX);
        }
        for at in (1..50_000).rev().step_by(900) {
            let begun = find.back(at);
            assert_eq!(server.serve(&mut find, begun), line(at - 1));
            assert!(find.known.len() <= KNOWN_MAX);
        }
    }

    #[test]
    fn a_failure_ends_the_jump_and_is_kept() {
        let mut find = find("x");
        find.forward(0);
        let Some(Action::Fetch(_, want)) = find.need(&source(), &LogQuery::default(), Timestamp(0))
        else {
            panic!("nothing is asked")
        };
        let failure = Failure::new(roundel::error::Kind::Internal, "broken");
        assert_eq!(find.accept(&want, Err(failure)), None);
        assert!(find.failure().is_some() && find.progress().is_none());
    }
}
