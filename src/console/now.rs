//! The present moment of a frame, and the moment at which the frame would look different by time alone.
//!
//! Whatever writes an age goes through here, so that the console sleeps exactly as long as nothing visible changes.

use std::cell::Cell;
use std::time::Duration;

use roundel::clock::Timestamp;

use crate::console::text;

/// The clock of one frame.
#[derive(Debug)]
pub struct Now {
    now: Timestamp,
    frozen: bool,
    next: Cell<Option<Timestamp>>,
}

impl Now {
    /// A clock that stands at `now`; `frozen` when the data no longer ages with it.
    #[must_use]
    pub fn new(now: Timestamp, frozen: bool) -> Self {
        Self {
            now,
            frozen,
            next: Cell::new(None),
        }
    }

    /// The moment itself.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.now
    }

    /// When the frame changes by time alone.
    #[must_use]
    pub fn next(&self) -> Option<Timestamp> {
        self.next.get()
    }

    /// Asks to be woken after a span at the latest.
    pub fn wake_in(&self, span: Duration) {
        if !self.frozen {
            let at = self.now.plus(span.max(Duration::from_millis(1)));
            self.next
                .set(Some(self.next.get().map_or(at, |known| known.min(at))));
        }
    }

    /// How long ago: `12 s`, `3 min`.
    #[must_use]
    pub fn age(&self, since: Timestamp) -> String {
        let span = self.now.since(since);
        self.wake_in(text::age_lasts(span));
        text::age(span)
    }

    /// How long it has run by now: `2m 41s`.
    #[must_use]
    pub fn runs_for(&self, since: Timestamp) -> String {
        let span = self.now.since(since);
        self.wake_in(text::runs_for_lasts(span));
        text::runs_for(span)
    }

    /// How long it took, or has run by now when it has not ended.
    #[must_use]
    pub fn took(&self, since: Timestamp, until: Option<Timestamp>) -> String {
        until.map_or_else(|| self.runs_for(since), |end| text::took(end.since(since)))
    }

    /// When it is expected: `~40 s`.
    #[must_use]
    pub fn eta(&self, at: Timestamp) -> String {
        let left = at.since(self.now);
        if !left.is_zero() {
            let unit = if left < Duration::from_secs(60) {
                1000
            } else {
                60_000
            };
            let over = u64::try_from(left.as_millis()).unwrap_or(u64::MAX) % unit;
            self.wake_in(Duration::from_millis(over + 1));
        }
        text::eta(at, self.now)
    }

    /// Hours and minutes on the clock of the wall.
    #[must_use]
    pub fn clock(&self) -> String {
        let over = u64::try_from(self.now.0.rem_euclid(60_000)).unwrap_or(0);
        self.wake_in(Duration::from_millis(60_000 - over));
        self.now.local("%H:%M")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_frame_wakes_when_the_first_visible_text_changes() {
        let now = Now::new(Timestamp(1_000_000), false);
        assert_eq!(now.next(), None);
        assert_eq!(now.age(Timestamp(1_000_000 - 180_500)), "3 min");
        assert_eq!(now.next(), Some(Timestamp(1_000_000 + 59_500)));
        assert_eq!(now.age(Timestamp(1_000_000 - 12_400)), "12 s");
        assert_eq!(now.next(), Some(Timestamp(1_000_000 + 600)));
    }

    #[test]
    fn frozen_data_wakes_nobody() {
        let now = Now::new(Timestamp(1_000_000), true);
        assert_eq!(now.runs_for(Timestamp(0)), "16m 40s");
        assert_eq!(now.next(), None);
    }
}
