//! One step of several runs as one log, its lines in the order in which they came; and the search through it.
//!
//! Nothing is merged ahead: where a line of the whole stands in each of the runs is found by bisecting their indexes by
//! time, so a window costs the same at any place of logs of any length. A single log is the case of one.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use super::pattern::Pattern;
use super::search::Keep;
use super::view::View;
use super::{LINES_MAX, LogError, WINDOW_MAX};
use crate::api::builds::{LineOf, LogLine, LogLines, LogMatches};

/// Most line numbers in one answer about one log.
pub(super) const MATCHES_MAX: usize = 1000;

/// Most line numbers in one answer about several: each is brought to its place in the whole.
const MATCHES_OF_SEVERAL: usize = 64;

/// About how many bytes are looked at for one answer: a fraction of a second.
const BYTES_MAX: u64 = 256 * 1024 * 1024;

/// About how many bytes are looked at before it is seen whether something was found: at first, and at most.
const PART: (u64, u64) = (4 * 1024 * 1024, 64 * 1024 * 1024);

/// Lines taken from one of several logs at once.
const BATCH: u64 = 32;

/// Where a search begins, and which way it goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Start {
    /// At this line, forward.
    From(u64),
    /// At the line before this one, back.
    Before(u64),
}

/// Logs as one, by time.
pub struct Together {
    /// With the index of its run, ascending.
    logs: Vec<(u32, View)>,
    /// Lines of each.
    totals: Vec<u64>,
}

impl std::fmt::Debug for Together {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Together")
            .field("totals", &self.totals)
            .finish_non_exhaustive()
    }
}

/// A line that waits for its turn: when it came, and whose it is.
type Head = Reverse<(i64, usize)>;

impl Together {
    pub(super) fn new(logs: Vec<(u32, View)>) -> Result<Together, LogError> {
        let totals = logs
            .iter()
            .map(|(_, view)| view.total_lines())
            .collect::<Result<_, _>>()?;
        Ok(Together { logs, totals })
    }

    fn total(&self) -> u64 {
        self.totals.iter().sum()
    }

    fn bytes(&self) -> u64 {
        self.logs.iter().map(|(_, view)| view.len()).sum()
    }

    /// Lines that came before a moment, of each log.
    fn before(&self, micros: i64) -> Result<Vec<u64>, LogError> {
        self.logs
            .iter()
            .map(|(_, view)| view.lines_before(micros))
            .collect()
    }

    /// How many lines of each log are among the first `n` of the whole.
    fn split(&self, n: u64) -> Result<Vec<u64>, LogError> {
        if n >= self.total() {
            return Ok(self.totals.clone());
        }
        if self.logs.len() == 1 {
            return Ok(vec![n]);
        }
        let mut times = Vec::new();
        for (_, view) in &self.logs {
            times.extend(view.times()?);
        }
        let (Some(mut low), Some(mut high)) = (
            times.iter().map(|(first, _)| *first).min(),
            times.iter().map(|(_, last)| last + 1).max(),
        ) else {
            return Ok(vec![0; self.logs.len()]);
        };
        // The last moment before which at most `n` lines came.
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if self.before(middle)?.iter().sum::<u64>() <= n {
                low = middle;
            } else {
                high = middle;
            }
        }
        let mut split = self.before(low)?;
        let mut left = n.saturating_sub(split.iter().sum());
        // The rest came at that very moment: run by run.
        for (have, upto) in split.iter_mut().zip(self.before(low + 1)?) {
            let more = left.min(upto.saturating_sub(*have));
            *have += more;
            left -= more;
        }
        Ok(split)
    }

    /// Number in the whole of line `n` of a log; `came` is its time.
    fn place(&self, log: usize, n: u64, came: i64) -> Result<u64, LogError> {
        let mut place = n;
        for (other, (_, view)) in self.logs.iter().enumerate() {
            place += match other.cmp(&log) {
                std::cmp::Ordering::Less => view.lines_before(came + 1)?,
                std::cmp::Ordering::Equal => 0,
                std::cmp::Ordering::Greater => view.lines_before(came)?,
            };
        }
        Ok(place)
    }

    /// Reads lines from number `first` (from 0) on: at most `count`, [`LINES_MAX`] and [`super::WINDOW_MAX`] bytes of text.
    /// The caller sets `open`.
    ///
    /// # Errors
    /// When the files cannot be read.
    pub fn lines(&self, first: u64, count: u64) -> Result<LogLines, LogError> {
        let count = count.min(LINES_MAX);
        let window = if let [(_, view)] = self.logs.as_slice() {
            return view.lines(first, count);
        } else if first < self.total() {
            self.merged(first, count)?
        } else {
            Vec::new()
        };
        Ok(self.answer(window))
    }

    /// Reads the last lines: as many as `count`, [`LINES_MAX`] and [`super::WINDOW_MAX`] allow, the newest always among
    /// them.
    ///
    /// # Errors
    /// When the files cannot be read.
    pub fn tail(&self, count: u64) -> Result<LogLines, LogError> {
        if let [(_, view)] = self.logs.as_slice() {
            return view.tail(count);
        }
        let total = self.total();
        let mut first = total.saturating_sub(count.clamp(1, LINES_MAX));
        loop {
            let window = self.merged(first, LINES_MAX)?;
            let shown = window.len() as u64;
            if first + shown >= total || shown == 0 {
                return Ok(self.answer(window));
            }
            // As with one log: the text of all of them is too much, so it begins later.
            first = (first + shown.div_ceil(2)).min(total - 1);
        }
    }

    fn answer(&self, lines: Vec<LogLine>) -> LogLines {
        LogLines {
            lines,
            total: self.total(),
            bytes: self.bytes(),
            open: false,
        }
    }

    fn merged(&self, first: u64, count: u64) -> Result<Vec<LogLine>, LogError> {
        let mut next = self.split(first)?;
        let mut ready: Vec<VecDeque<LogLine>> = self.logs.iter().map(|_| VecDeque::new()).collect();
        let mut heads: BinaryHeap<Head> = BinaryHeap::new();
        let budget = WINDOW_MAX / self.logs.len().max(1);
        // Takes the next line of a log, a few at a time.
        let mut refill = |log: usize, ready: &mut Vec<VecDeque<LogLine>>| -> Result<_, LogError> {
            if ready[log].is_empty() {
                let batch = self.logs[log]
                    .1
                    .some_lines(next[log], BATCH.min(count), budget)?;
                next[log] += batch.lines.len() as u64;
                ready[log] = batch.lines.into();
            }
            Ok(ready[log].front().map(|line| Reverse((line.t, log))))
        };
        for log in 0..self.logs.len() {
            heads.extend(refill(log, &mut ready)?);
        }
        let mut lines: Vec<LogLine> = Vec::new();
        let mut room = WINDOW_MAX;
        while let Some(Reverse((_, log))) = heads.pop() {
            let Some(line) = ready[log].pop_front() else {
                continue;
            };
            if lines.len() as u64 >= count || (!lines.is_empty() && line.text.len() > room) {
                break;
            }
            room = room.saturating_sub(line.text.len());
            lines.push(LogLine {
                n: first + lines.len() as u64,
                of: Some(LineOf {
                    run: self.logs[log].0,
                    n: line.n,
                }),
                ..line
            });
            heads.extend(refill(log, &mut ready)?);
        }
        Ok(lines)
    }

    /// Finds the lines that hold the pattern. Looks at a bounded part of the log, which the answer names; ends early once
    /// `given_up` says that nobody waits for it.
    ///
    /// # Errors
    /// When the files cannot be read.
    pub fn search(
        &self,
        pattern: &Pattern,
        start: Start,
        given_up: &dyn Fn() -> bool,
    ) -> Result<LogMatches, LogError> {
        let total = self.total();
        let line = (self.bytes() / total.max(1)).max(1);
        let (mut part, mut looked_at) = (PART.0, 0);
        let (mut from, mut to) = match start {
            Start::From(first) => (first, first),
            Start::Before(end) => (end.min(total), end.min(total)),
        };
        let mut lines = VecDeque::new();
        while lines.is_empty() && looked_at < BYTES_MAX && !given_up() {
            let many = (part / line).max(1);
            let (a, b) = match start {
                Start::From(_) if to >= total => break,
                Start::From(_) => (to, total.min(to.saturating_add(many))),
                Start::Before(_) if from == 0 => break,
                Start::Before(_) => (from.saturating_sub(many), from),
            };
            let (found, all) = self.part(pattern, (a, b), start, given_up)?;
            match start {
                Start::From(_) => to = found.back().filter(|_| !all).map_or(b, |last| last + 1),
                Start::Before(_) => from = found.front().copied().filter(|_| !all).unwrap_or(a),
            }
            lines = found;
            looked_at += part;
            part = (part * 2).min(PART.1);
        }
        if matches!(start, Start::From(_)) && to >= total && !self.is_ended()? {
            to = total.saturating_sub(1).max(from);
        }
        Ok(LogMatches {
            lines: lines.into(),
            from,
            to,
            total,
        })
    }

    /// Whether each log ends with the end of a line.
    fn is_ended(&self) -> Result<bool, LogError> {
        for (_, view) in &self.logs {
            let len = view.len();
            if len > 0 && view.read(len - 1, len)? != b"\n" {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Searches lines `a..b` of the whole; answers what was found and whether that is all of it.
    fn part(
        &self,
        pattern: &Pattern,
        (a, b): (u64, u64),
        start: Start,
        given_up: &dyn Fn() -> bool,
    ) -> Result<(VecDeque<u64>, bool), LogError> {
        let (keep, most) = match (start, self.logs.len()) {
            (Start::From(_), 1) => (Keep::First, MATCHES_MAX),
            (Start::From(_), _) => (Keep::First, MATCHES_OF_SEVERAL),
            (Start::Before(_), 1) => (Keep::Last, MATCHES_MAX),
            (Start::Before(_), _) => (Keep::Last, MATCHES_OF_SEVERAL),
        };
        if let [(_, view)] = self.logs.as_slice() {
            let found = view.matches(pattern, (a, b), keep, most, given_up)?;
            let all = found.len() < most;
            return Ok((found, all));
        }
        let (from, to) = (self.split(a)?, self.split(b)?);
        let mut all = true;
        let mut found: Vec<(i64, usize, u64)> = Vec::new();
        for (log, (_, view)) in self.logs.iter().enumerate() {
            let lines = view.matches(pattern, (from[log], to[log]), keep, most, given_up)?;
            all &= lines.len() < most;
            for n in lines {
                found.extend(view.line_time(n)?.map(|came| (came, log, n)));
            }
        }
        found.sort_unstable();
        all &= found.len() <= most;
        match keep {
            Keep::First => found.truncate(most),
            Keep::Last => _ = found.drain(..found.len().saturating_sub(most)),
        }
        let places = found
            .into_iter()
            .map(|(came, log, n)| self.place(log, n, came));
        Ok((places.collect::<Result<_, _>>()?, all))
    }
}
