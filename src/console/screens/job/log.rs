//! The log that is shown: a window of its lines, following the end or standing still, and what is looked for in it.
//!
//! Holds no more lines than the pane shows. Pure state; drawn by `log_view`.

use roundel::api::LogAdvanced;
use roundel::api::builds::{LogLine, LogLines, LogMatches, LogQuery};
use roundel::clock::Timestamp;

use super::find::{Arrival, Find, Wanted};
use crate::console::action::{Action, Slot, Source, Want};
use crate::console::effect::Effect;
use crate::console::event::Failure;
use crate::console::feed::Feed;
use crate::console::keymap::Cmd;
use crate::console::screens::Touch;

/// Which of the two streams is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Stream {
    /// Both, in the order they came.
    #[default]
    Both,
    /// stdout.
    Out,
    /// stderr.
    Err,
}

impl Stream {
    /// Its name in the API; `None` = both.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        match self {
            Stream::Both => None,
            Stream::Out => Some("out"),
            Stream::Err => Some("err"),
        }
    }
}

/// The pane.
#[derive(Debug)]
pub struct Log {
    /// Which log.
    of: Option<Source>,
    /// The attempts whose growth is its growth.
    attempts: Vec<String>,
    /// The window.
    pub lines: Feed<LogLines>,
    /// Which streams.
    pub stream: Stream,
    /// Shows the end, and stays there.
    pub follow: bool,
    /// Number of the first line on the screen when it does not follow.
    top: u64,
    height: u16,
    /// Lines of the log when it stopped following.
    seen: u64,
    /// Long lines are wrapped.
    pub wrap: bool,
    /// Times are shown; `None` = where there is room.
    pub times: Option<bool>,
    /// Cells skipped at the left of each line that is not wrapped.
    pub left: u16,
    /// The search by words.
    words: Find,
    /// The search for what looks like an error.
    errors: Find,
    /// What the last jump came to, when it did not just arrive.
    pub came_to: Option<&'static str>,
    /// The line that was jumped to.
    pub here: Option<u64>,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            of: None,
            attempts: Vec::new(),
            lines: Feed::default(),
            stream: Stream::Both,
            follow: true,
            top: 0,
            height: 1,
            seen: 0,
            wrap: false,
            times: None,
            left: 0,
            words: Find::default(),
            errors: Find::default(),
            came_to: None,
            here: None,
        }
    }
}

impl Log {
    /// Shows a log from its end; `attempts` are those that write it.
    pub fn show(&mut self, of: Source, attempts: Vec<String>) {
        self.attempts = attempts;
        if self.of.as_ref() != Some(&of) {
            self.of = Some(of);
            self.restart();
        }
    }

    /// The line that was jumped to, where it is on the screen.
    #[must_use]
    pub fn line_here(&self) -> Option<&LogLine> {
        let here = self.here?;
        self.lines.data()?.lines.iter().find(|line| line.n == here)
    }

    fn restart(&mut self) {
        self.lines.clear();
        self.words.restart();
        self.errors.restart();
        (self.follow, self.left, self.here, self.came_to) = (true, 0, None, None);
    }

    /// The fetches that are due for a pane of this height.
    pub fn need(&mut self, height: u16, now: Timestamp) -> Vec<Action> {
        let Some(of) = self.of.clone() else {
            return Vec::new();
        };
        self.height = height.max(1);
        let screen = u64::from(self.height);
        let base = LogQuery {
            stream: self.stream.name().map(str::to_owned),
            ..LogQuery::default()
        };
        let query = if self.follow {
            LogQuery {
                tail: Some(screen),
                ..base.clone()
            }
        } else {
            LogQuery {
                line: Some(self.top),
                count: Some(screen),
                ..base.clone()
            }
        };
        let matches = [&mut self.words, &mut self.errors]
            .into_iter()
            .find_map(|find| find.need(&of, &base, now));
        let lines = self.lines.need(Slot::Log, Want::Lines { of, query }, now);
        lines.into_iter().chain(matches).collect()
    }

    /// Takes a window; an older one of the same log may still be shown.
    pub fn accept_lines(&mut self, asked: &Want, answer: Result<LogLines, Failure>) {
        let of = self.of.clone();
        let fits =
            |_: &Want| matches!(asked, Want::Lines { of: asked, .. } if Some(asked) == of.as_ref());
        self.lines.accept(asked, answer, fits);
    }

    /// Takes what a search found, and goes there.
    pub fn accept_matches(&mut self, asked: &Want, answer: Result<LogMatches, Failure>) {
        let errors = matches!(asked, Want::Matches { query, .. } if query.errors);
        let find = if errors {
            &mut self.errors
        } else {
            &mut self.words
        };
        let arrival = find.accept(asked, answer);
        self.arrive(arrival, errors);
    }

    fn arrive(&mut self, arrival: Option<Arrival>, errors: bool) {
        match arrival {
            None => {}
            Some(Arrival::Line { n, again }) => {
                self.came_to = again.then_some("from the top again");
                self.go_to_line(n);
            }
            Some(Arrival::NoneAbove) => self.came_to = Some("no match above"),
            Some(Arrival::Nowhere) if errors => {
                self.came_to = Some("no line looks like an error");
            }
            Some(Arrival::Nowhere) => self.came_to = Some("not found"),
        }
    }

    /// Goes to a line by its number, from 0.
    pub fn go_to_line(&mut self, n: u64) {
        self.here = Some(n);
        // Wrapped, the lines above it may fill the screen by themselves.
        let above = if self.wrap {
            0
        } else {
            u64::from(self.height) / 3
        };
        self.go_to(n.saturating_sub(above));
    }

    /// What is searched for; empty = nothing.
    #[must_use]
    pub fn search_words(&self) -> &str {
        match self.words.wanted() {
            Some(Wanted::Text(text)) => text,
            _ => "",
        }
    }

    /// The search that is under way: how many lines were looked at, of how many.
    #[must_use]
    pub fn progress(&self) -> Option<(u64, u64)> {
        self.words.progress().or(self.errors.progress())
    }

    /// Number of lines that hold the words, and whether the whole log has been looked at.
    #[must_use]
    pub fn found(&self) -> Option<(usize, bool)> {
        self.words.count()
    }

    /// Why the search failed, if it did.
    #[must_use]
    pub fn search_failure(&self) -> Option<&Failure> {
        self.words.failure().or(self.errors.failure())
    }

    /// Where a jump forward begins when nothing was jumped to before.
    fn begin(&self) -> u64 {
        if self.follow { 0 } else { self.top }
    }

    /// Searches for these words from the top of the screen on; of a log that is followed, from its beginning.
    pub fn search(&mut self, words: &str) {
        self.words
            .want((!words.is_empty()).then(|| Wanted::Text(words.to_owned())));
        self.errors.stop();
        (self.here, self.came_to) = (None, None);
        if !words.is_empty() {
            let arrival = self.words.forward(self.begin());
            self.arrive(arrival, false);
        }
    }

    /// Goes to the next or the previous match.
    pub fn next_match(&mut self, forward: bool) -> Vec<Effect> {
        if self.words.wanted().is_none() {
            return Effect::refuse("nothing is searched for; / searches");
        }
        self.errors.stop();
        self.came_to = None;
        let arrival = if forward {
            let at = self.here.map_or(self.begin(), |here| here + 1);
            self.words.forward(at)
        } else {
            let end = if self.follow { self.total() } else { self.top };
            self.words.back(self.here.unwrap_or(end))
        };
        self.arrive(arrival, false);
        Vec::new()
    }

    /// Goes to the next line that looks like an error.
    pub fn next_error(&mut self) {
        self.words.stop();
        self.came_to = None;
        self.errors.want(Some(Wanted::Errors));
        let at = self.here.map_or(self.begin(), |here| here + 1);
        let arrival = self.errors.forward(at);
        self.arrive(arrival, true);
    }

    /// Number of the first line on the screen.
    #[must_use]
    pub fn first(&self) -> u64 {
        if self.follow {
            self.lines
                .data()
                .and_then(|window| window.lines.first())
                .map_or(0, |line| line.n)
        } else {
            self.top
        }
    }

    /// How many lines end on the screen or above it, and of how many.
    #[must_use]
    pub fn position(&self) -> Option<(u64, u64)> {
        let window = self.lines.data()?;
        Some((window.lines.last()?.n + 1, window.total))
    }

    /// Lines of the log.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.lines.data().map_or(0, |window| window.total)
    }

    /// Lines that came since it stopped following.
    #[must_use]
    pub fn unseen(&self) -> u64 {
        if self.follow {
            0
        } else {
            self.total().saturating_sub(self.seen)
        }
    }

    /// Shows the end, and stays there.
    pub fn follow_end(&mut self) {
        (self.follow, self.here) = (true, None);
    }

    fn go_to(&mut self, top: u64) {
        if self.follow {
            self.seen = self.total();
        }
        let height = u64::from(self.height);
        let last = self
            .lines
            .data()
            .map(|window| window.total.saturating_sub(height));
        self.follow = false;
        self.top = last.map_or(top, |last| top.min(last));
    }

    /// Moves; false when the command is no movement.
    pub fn movement(&mut self, cmd: Cmd) -> bool {
        let page = u64::from(self.height.max(2)) - 1;
        let first = self.first();
        let down = |n: u64| first + n;
        let to = match cmd {
            Cmd::Up => first.saturating_sub(1),
            Cmd::Down => down(1),
            Cmd::PageUp => first.saturating_sub(page),
            Cmd::PageDown => down(page),
            Cmd::HalfUp => first.saturating_sub(page / 2),
            Cmd::HalfDown => down(page / 2),
            Cmd::Top => 0,
            Cmd::Bottom => u64::MAX,
            Cmd::Left => {
                self.left = self.left.saturating_sub(16);
                return true;
            }
            Cmd::Right => {
                self.left = self.left.saturating_add(16).min(16 * 1024);
                return true;
            }
            _ => return false,
        };
        // Whoever moves down to the end follows it again.
        if to > first && to.saturating_add(u64::from(self.height)) >= self.total() {
            self.follow = true;
        } else if to != first || cmd == Cmd::Top {
            self.go_to(to);
        }
        // Who went away from a match looks on from the top of the screen.
        let shown = self.top..self.top.saturating_add(u64::from(self.height));
        self.here = self.here.filter(|here| shown.contains(here));
        self.came_to = None;
        true
    }

    /// Changes how it is shown; false when the command is none of these.
    pub fn mode(&mut self, cmd: Cmd, times_shown: bool) -> bool {
        match cmd {
            Cmd::StreamOut => self.only(Stream::Out),
            Cmd::StreamErr => self.only(Stream::Err),
            Cmd::StreamBoth => self.only(Stream::Both),
            Cmd::Wrap => {
                self.wrap = !self.wrap;
                self.left = 0;
            }
            Cmd::Times => self.times = Some(!times_shown),
            Cmd::Follow if self.follow => self.go_to(self.first()),
            Cmd::Follow => self.follow_end(),
            _ => return false,
        }
        true
    }

    fn only(&mut self, stream: Stream) {
        if self.stream != stream {
            self.stream = stream;
            // Lines are numbered within the streams shown: a place in one is none in the other.
            self.restart();
        }
    }

    /// Marks what may be old.
    pub fn touch(&mut self, touch: Touch) {
        match touch {
            Touch::All => self.lines.touch(),
            Touch::Lost => {
                self.lines.disconnect();
                self.words.disconnect();
                self.errors.disconnect();
            }
            Touch::Change(change) => self.lines.touch_by(change),
            Touch::Log(LogAdvanced { attempt, step, .. }) => {
                let shown = self.of.as_ref().and_then(Source::step);
                if self.attempts.contains(attempt) && shown.is_none_or(|shown| shown == *step) {
                    self.lines.touch();
                }
            }
        }
    }
}
