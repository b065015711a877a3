//! The log of one step, or of the agent: a window of its lines, following the end or standing still, and the search.
//!
//! Holds no more lines than the pane shows. Pure state; drawn by `log_view`.

use roundel::api::LogAdvanced;
use roundel::api::builds::{LogLines, LogMatches, LogQuery};
use roundel::clock::Timestamp;

use crate::console::action::{Action, Slot, Want};
use crate::console::effect::Effect;
use crate::console::event::Failure;
use crate::console::feed::Feed;
use crate::console::keymap::Cmd;
use crate::console::screens::Touch;
use crate::console::theme::Role;

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

/// Where the next match is looked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Jump {
    Forward,
    Backward,
}

/// The pane.
#[derive(Debug)]
pub struct Log {
    attempt: String,
    step: Option<u16>,
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
    /// What is searched for; empty = nothing.
    pub search: String,
    found: Feed<LogMatches>,
    jump: Option<(Jump, u64)>,
    /// The line that the search stands on.
    pub here: Option<u64>,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            attempt: String::new(),
            step: None,
            lines: Feed::default(),
            stream: Stream::Both,
            follow: true,
            top: 0,
            height: 1,
            seen: 0,
            wrap: false,
            times: None,
            left: 0,
            search: String::new(),
            found: Feed::default(),
            jump: None,
            here: None,
        }
    }
}

impl Log {
    /// Shows the log of a step (`None` = the agent's own) of an attempt from its end.
    pub fn show(&mut self, attempt: &str, step: Option<u16>) {
        if self.attempt != attempt || self.step != step {
            attempt.clone_into(&mut self.attempt);
            self.step = step;
            self.restart();
        }
    }

    fn restart(&mut self) {
        self.lines.clear();
        self.found.clear();
        (self.follow, self.left, self.here, self.jump) = (true, 0, None, None);
    }

    /// The fetches that are due for a pane of this height.
    pub fn need(&mut self, height: u16, now: Timestamp) -> Vec<Action> {
        if self.attempt.is_empty() {
            return Vec::new();
        }
        self.height = height.max(1);
        let screen = u64::from(self.height);
        let query = if self.follow {
            LogQuery {
                tail: Some(screen),
                ..self.query()
            }
        } else {
            LogQuery {
                line: Some(self.top),
                count: Some(screen),
                ..self.query()
            }
        };
        let lines = Want::Lines {
            attempt: self.attempt.clone(),
            step: self.step,
            query,
        };
        let lines = self.lines.need(Slot::Log, lines, now);
        let matches = self.jump.and_then(|(_, from)| {
            let query = LogQuery {
                search: Some(self.search.clone()),
                line: Some(from),
                ..self.query()
            };
            let want = Want::Matches {
                attempt: self.attempt.clone(),
                step: self.step,
                query,
            };
            self.found.need(Slot::Search, want, now)
        });
        lines.into_iter().chain(matches).collect()
    }

    fn query(&self) -> LogQuery {
        let stream = match self.stream {
            Stream::Both => None,
            Stream::Out => Some("out".to_owned()),
            Stream::Err => Some("err".to_owned()),
        };
        LogQuery {
            stream,
            ..LogQuery::default()
        }
    }

    /// Takes lines. Those of another place in the same log may be shown until the right ones come.
    pub fn accept_lines(&mut self, asked: &Want, answer: Result<LogLines, Failure>) {
        let (attempt, step) = (self.attempt.clone(), self.step);
        let fits = |_: &Want| matches!(asked, Want::Lines { attempt: a, step: s, .. } if *a == attempt && *s == step);
        self.lines.accept(asked, answer, fits);
    }

    /// Takes what a search found, and goes there.
    pub fn accept_matches(&mut self, asked: &Want, answer: Result<LogMatches, Failure>) {
        if self.found.accept(asked, answer, |_| false) {
            self.arrive();
        }
    }

    fn arrive(&mut self) {
        let Some((jump, from)) = self.jump else {
            return;
        };
        let Some(found) = self.found.data() else {
            return;
        };
        let line = match jump {
            Jump::Forward => found.lines.iter().find(|line| **line >= from).copied(),
            Jump::Backward => {
                let before = self.here.unwrap_or(u64::MAX);
                found
                    .lines
                    .iter()
                    .rev()
                    .find(|line| **line < before)
                    .copied()
            }
        };
        self.jump = None;
        if let Some(line) = line {
            self.here = Some(line);
            self.go_to(line.saturating_sub(u64::from(self.height) / 3));
        }
    }

    /// What the last search came to, for the filter line: line numbers found and whether there may be more.
    #[must_use]
    pub fn found(&self) -> Option<(usize, bool)> {
        let found = self.found.data().filter(|_| !self.search.is_empty())?;
        Some((found.lines.len(), found.next.is_some()))
    }

    /// Why the search failed, if it did.
    #[must_use]
    pub fn search_failure(&self) -> Option<&Failure> {
        self.found.failure()
    }

    /// Searches for these words from the top of the screen on.
    pub fn search(&mut self, words: &str) {
        words.clone_into(&mut self.search);
        self.found.clear();
        self.here = None;
        self.jump =
            (!words.is_empty()).then_some((Jump::Forward, if self.follow { 0 } else { self.top }));
    }

    /// Goes to the next or the previous match.
    pub fn next_match(&mut self, forward: bool) -> Vec<Effect> {
        if self.search.is_empty() {
            return Effect::refuse("nothing is searched for; / searches");
        }
        let found = self.found.data();
        let here = self.here.unwrap_or(self.top);
        if forward {
            let known = found.and_then(|found| found.lines.iter().find(|line| **line > here));
            let past_known = known.is_none() && found.is_some_and(|found| found.next.is_none());
            let from = if past_known { 0 } else { here + 1 };
            self.jump = Some((Jump::Forward, from));
            if known.is_some() {
                self.arrive();
            } else {
                self.found.touch();
            }
            if past_known {
                return vec![Effect::Say(
                    Role::Accent,
                    "the search goes on at the top".to_owned(),
                )];
            }
        } else {
            let known = found.is_some_and(|found| found.lines.iter().any(|line| *line < here));
            self.jump = Some((Jump::Backward, 0));
            if known {
                self.arrive();
            } else {
                self.jump = None;
                return vec![Effect::Say(Role::Accent, "no match above".to_owned())];
            }
        }
        Vec::new()
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

    fn go_to(&mut self, top: u64) {
        if self.follow {
            self.seen = self.total();
        }
        let last = self.total().saturating_sub(u64::from(self.height));
        self.follow = false;
        self.top = top.min(last);
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
            Cmd::Follow => {
                if self.follow {
                    self.go_to(self.first());
                } else {
                    self.follow = true;
                }
            }
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
                self.found.disconnect();
            }
            Touch::Change(change) => self.lines.touch_by(change),
            Touch::Log(LogAdvanced { attempt, step, .. }) => {
                if *attempt == self.attempt && (self.step.is_none() || self.step == Some(*step)) {
                    self.lines.touch();
                }
            }
        }
    }
}
