//! The log that is shown: a window of its lines, following the end or standing still, and what is looked for in it.
//!
//! Holds no more lines than the pane shows. Pure state; drawn by `log_view`.

use roundel::api::LogAdvanced;
use roundel::api::builds::{LogLine, LogLines, LogMatches, LogQuery};
use roundel::clock::Timestamp;

use super::find::{Arrival, Find, Wanted};
use super::log_view;
use super::stand::{Anchor, Stand};
use crate::console::action::{Action, Slot, Source, Want};
use crate::console::effect::Effect;
use crate::console::event::Failure;
use crate::console::feed::Feed;
use crate::console::keymap::Cmd;
use crate::console::screens::Touch;

/// Lines that are looked through at once for one that has moved.
const SOUGHT: u64 = 1000;

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
    /// Where it stands.
    stand: Stand,
    /// A line that lines above it are being looked through for: late ones have come.
    sought: Option<Anchor>,
    /// Cells of the pane.
    size: (u16, u16),
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
            stand: Stand::End,
            sought: None,
            size: (1, 1),
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
        (self.stand, self.sought, self.left) = (Stand::End, None, 0);
        (self.here, self.came_to) = (None, None);
    }

    /// Whether it shows the end, and stays there.
    #[must_use]
    pub fn follows(&self) -> bool {
        self.stand == Stand::End
    }

    /// Where it stands.
    #[must_use]
    pub fn stand(&self) -> Stand {
        self.stand
    }

    /// Cells of the pane, as last drawn.
    #[must_use]
    pub fn size(&self) -> (u16, u16) {
        self.size
    }

    /// Rows of the pane.
    fn height(&self) -> u64 {
        u64::from(self.size.1)
    }

    /// The fetches that are due for a pane of this size.
    pub fn need(&mut self, (width, height): (u16, u16), now: Timestamp) -> Vec<Action> {
        let Some(of) = self.of.clone() else {
            return Vec::new();
        };
        self.size = (width, height.max(1));
        let screen = self.height();
        let base = LogQuery {
            stream: self.stream.name().map(str::to_owned),
            ..LogQuery::default()
        };
        let (line, count) = match &self.sought {
            Some(anchor) => (Some(anchor.from), SOUGHT),
            None => (self.stand.first(screen), screen),
        };
        let query = LogQuery {
            line,
            count: line.map(|_| count),
            tail: line.is_none().then_some(count),
            ..base.clone()
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
        let answer = answer.map(|window| self.held(window));
        self.lines.accept(asked, answer, fits);
    }

    /// What is shown of a window. Lines of several runs are numbered by time: what a slow agent sends late comes in
    /// above, and all below it has other numbers. Who reads keeps the same lines before the eyes.
    fn held(&mut self, mut window: LogLines) -> LogLines {
        let (Some(shown), Some(top)) = (self.lines.data(), self.stand.first(self.height())) else {
            return window;
        };
        let anchor = self.sought.take();
        let anchor = anchor.or_else(|| Anchor::of(&shown.lines, top, self.height()));
        let Some(mut anchor) = anchor else {
            return window;
        };
        let moved = anchor.moved(&window.lines);
        let last = window.lines.last().map_or(u64::MAX, |line| line.n + 1);
        // It does not go away: at the end of the log it is in the part that comes next, or another log is shown by now.
        if moved == Some(0) || (moved.is_none() && last >= window.total) {
            return window;
        }
        let mut lines = shown.lines.clone();
        let by = moved.unwrap_or(0);
        lines.iter_mut().for_each(|line| line.n += by);
        window.lines = lines;
        self.stand = self.stand.moved(by);
        self.here = self.here.map(|here| here + by);
        self.words.restart();
        self.errors.restart();
        if moved.is_none() {
            anchor.from = last;
            self.sought = Some(anchor);
        }
        window
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
        let above = if self.wrap { 0 } else { self.height() / 3 };
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
        if self.follows() { 0 } else { self.first() }
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
            let end = if self.follows() {
                self.total()
            } else {
                self.first()
            };
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
        if let Stand::Top(line, _) = self.stand {
            return line;
        }
        match log_view::shown(self).first() {
            Some(place) => place.0,
            None => self.stand.first(self.height()).unwrap_or(0),
        }
    }

    /// How many lines end on the screen or above it, and of how many.
    #[must_use]
    pub fn position(&self) -> Option<(u64, u64)> {
        let window = self.lines.data()?;
        let last = log_view::shown(self).last()?.0;
        Some((last + 1, window.total))
    }

    /// Lines of the log.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.lines.data().map_or(0, |window| window.total)
    }

    /// Lines that came since it stopped following.
    #[must_use]
    pub fn unseen(&self) -> u64 {
        if self.follows() {
            0
        } else {
            self.total().saturating_sub(self.seen)
        }
    }

    /// Shows the end, and stays there.
    pub fn follow_end(&mut self) {
        (self.stand, self.here) = (Stand::End, None);
    }

    /// Stands still at the end that there is now.
    fn pause(&mut self) {
        // After `G` what is shown is older than the end that was asked for.
        let at_end = self.position().is_some_and(|(last, total)| last == total);
        let rows = log_view::shown(self);
        match rows.last().filter(|_| at_end && self.wrap) {
            Some((line, row)) => self.stand_at(Stand::Bottom(*line, *row)),
            None if at_end => self.go_to(self.first()),
            None => self.go_to(u64::MAX),
        }
    }

    fn go_to(&mut self, top: u64) {
        // Of a wrapped line nobody knows yet how many rows it takes: it stands at the top.
        let below = if self.wrap { 1 } else { self.height() };
        let window = self.lines.data();
        let last = window.map(|window| window.total.saturating_sub(below));
        self.stand_at(Stand::Top(last.map_or(top, |last| top.min(last)), 0));
    }

    fn stand_at(&mut self, stand: Stand) {
        if self.follows() {
            self.seen = self.total();
        }
        (self.stand, self.sought) = (stand, None);
    }

    /// Moves; false when the command is no movement.
    pub fn movement(&mut self, cmd: Cmd) -> bool {
        let page = isize::from(i16::try_from(self.size.1).unwrap_or(i16::MAX).max(2)) - 1;
        match cmd {
            Cmd::Up => self.move_by(-1),
            Cmd::Down => self.move_by(1),
            Cmd::PageUp => self.move_by(-page),
            Cmd::PageDown => self.move_by(page),
            Cmd::HalfUp => self.move_by(-page / 2),
            Cmd::HalfDown => self.move_by(page / 2),
            Cmd::Top => self.stand_at(Stand::Top(0, 0)),
            Cmd::Bottom => self.stand = Stand::End,
            Cmd::Left => {
                self.left = self.left.saturating_sub(16);
                return true;
            }
            Cmd::Right => {
                self.left = self.left.saturating_add(16).min(16 * 1024);
                return true;
            }
            _ => return false,
        }
        // Who went away from a match looks on from the top of the screen.
        let first = self.first();
        let shown = first..first.saturating_add(self.height());
        self.here = self.here.filter(|here| shown.contains(here));
        self.came_to = None;
        true
    }

    /// Moves by rows, which are lines unless long ones are wrapped. Whoever moves down to the end follows it again.
    fn move_by(&mut self, rows: isize) {
        let height = usize::from(self.size.1);
        if self.wrap {
            let places = log_view::places(self);
            let to = self.stand.moved_rows(&places, height, rows, self.total());
            return self.stand_at(to);
        }
        let first = self.first();
        let to = first.saturating_add_signed(i64::try_from(rows).unwrap_or(0));
        if to > first && to.saturating_add(self.height()) >= self.total() {
            self.stand = Stand::End;
        } else if to != first {
            self.go_to(to);
        }
    }

    /// Changes how it is shown; false when the command is none of these.
    pub fn mode(&mut self, cmd: Cmd, times_shown: bool) -> bool {
        match cmd {
            Cmd::StreamOut => self.only(Stream::Out),
            Cmd::StreamErr => self.only(Stream::Err),
            Cmd::StreamBoth => self.only(Stream::Both),
            Cmd::Wrap => {
                // The same line stays at the top.
                if !self.follows() {
                    self.stand = Stand::Top(self.first(), 0);
                }
                self.wrap = !self.wrap;
                self.left = 0;
            }
            Cmd::Times => self.times = Some(!times_shown),
            Cmd::Follow if self.follows() => self.pause(),
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
