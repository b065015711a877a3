//! One window of the server's data on the screen: what was asked, what came, and how it stands.
//!
//! No IO and no clock. At most one question per feed is under way; what changes meanwhile is asked again after it.

use std::time::Duration;

use roundel::api::Change;
use roundel::clock::Timestamp;

use crate::console::action::{Action, Slot, Want};
use crate::console::event::Failure;

/// How long an answer may take before the screen says that it is loading.
pub const PATIENCE: Duration = Duration::from_millis(150);

/// A window and its data.
#[derive(Clone, Debug)]
pub struct Feed<T> {
    want: Option<Want>,
    shown: Option<T>,
    failure: Option<Failure>,
    asked: Option<Timestamp>,
    stale: bool,
}

impl<T> Default for Feed<T> {
    fn default() -> Self {
        Self {
            want: None,
            shown: None,
            failure: None,
            asked: None,
            stale: false,
        }
    }
}

impl<T> Feed<T> {
    /// What is to be shown, as last answered; kept through errors and lost connections.
    #[must_use]
    pub fn data(&self) -> Option<&T> {
        self.shown.as_ref()
    }

    /// Why the last question was not answered.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        self.failure.as_ref()
    }

    /// Whether the answer to the present question has come, for better or worse.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.want.is_some() && self.asked.is_none() && !self.stale
    }

    /// Whether something changed since the last question.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        self.stale
    }

    /// Since when an answer is awaited while there is nothing to show.
    #[must_use]
    pub fn empty_since(&self) -> Option<Timestamp> {
        if self.shown.is_none() && self.failure.is_none() {
            self.asked
        } else {
            None
        }
    }

    /// Says what the screen needs now; the fetch to make, if one is due.
    pub fn need(&mut self, slot: Slot, want: Want, now: Timestamp) -> Option<Action> {
        if self.want.as_ref() == Some(&want) {
            return self.renew(slot, want, now);
        }
        self.ask(want.clone(), now);
        Some(Action::Fetch(slot, want))
    }

    /// As [`Self::need`] for a window of what is shown already: it is read again only because something changed.
    pub fn renew(&mut self, slot: Slot, want: Want, now: Timestamp) -> Option<Action> {
        if !self.stale || self.asked.is_some() {
            return None;
        }
        self.ask(want.clone(), now);
        Some(Action::Refresh(slot, want))
    }

    fn ask(&mut self, want: Want, now: Timestamp) {
        self.want = Some(want);
        self.asked = Some(now);
        self.stale = false;
    }

    /// Takes an answer. `fits` tells whether one to an older question may still be shown.
    pub fn accept(
        &mut self,
        asked: &Want,
        answer: Result<T, Failure>,
        fits: impl FnOnce(&Want) -> bool,
    ) -> bool {
        let current = self.want.as_ref() == Some(asked);
        if current {
            self.asked = None;
        } else if !self.want.as_ref().is_some_and(fits) {
            return false;
        }
        match answer {
            Ok(data) => {
                self.shown = Some(data);
                self.failure = None;
            }
            Err(failure) if current => self.failure = Some(failure),
            Err(_) => {}
        }
        true
    }

    /// Marks the answer as overtaken.
    pub fn touch(&mut self) {
        self.stale = true;
    }

    /// Marks the answer as overtaken when this change may have touched it.
    pub fn touch_by(&mut self, change: &Change) {
        self.stale |= self.want.as_ref().is_some_and(|want| want.stale_by(change));
    }

    /// The connection broke: what was asked will not be answered.
    pub fn disconnect(&mut self) {
        self.stale |= self.asked.take().is_some();
    }

    /// Forgets everything: the screen is about something else now.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use roundel::error::Kind;

    fn want(id: &str) -> Want {
        Want::Run(id.into())
    }

    fn feed() -> Feed<u32> {
        let mut feed = Feed::default();
        assert!(feed.need(Slot::Run, want("a"), Timestamp(0)).is_some());
        feed
    }

    #[test]
    fn asks_once_and_again_only_when_something_changed() {
        let mut feed = feed();
        assert_eq!(feed.need(Slot::Run, want("a"), Timestamp(1)), None);
        assert!(feed.accept(&want("a"), Ok(1), |_| false));
        assert_eq!(feed.need(Slot::Run, want("a"), Timestamp(2)), None);
        feed.touch();
        assert_eq!(
            feed.need(Slot::Run, want("a"), Timestamp(3)),
            Some(Action::Refresh(Slot::Run, want("a")))
        );
        feed.touch();
        assert_eq!(
            feed.need(Slot::Run, want("a"), Timestamp(4)),
            None,
            "one question at a time"
        );
    }

    #[test]
    fn what_is_shown_is_read_again_only_after_a_change_also_when_it_has_moved() {
        let mut feed = feed();
        feed.touch();
        assert_eq!(
            feed.renew(Slot::Run, want("b"), Timestamp(1)),
            None,
            "one question at a time"
        );
        feed.accept(&want("a"), Ok(1), |_| false);
        assert_eq!(
            feed.renew(Slot::Run, want("b"), Timestamp(2)),
            Some(Action::Refresh(Slot::Run, want("b")))
        );
        feed.accept(&want("b"), Ok(2), |_| false);
        assert_eq!(feed.renew(Slot::Run, want("c"), Timestamp(3)), None);
        assert_eq!(
            feed.need(Slot::Run, want("c"), Timestamp(3)),
            Some(Action::Fetch(Slot::Run, want("c")))
        );
    }

    #[test]
    fn an_answer_to_an_older_question_is_shown_only_when_it_fits() {
        let mut feed = feed();
        feed.need(Slot::Run, want("b"), Timestamp(1));
        assert!(!feed.accept(&want("a"), Ok(1), |_| false));
        assert!(feed.accept(&want("a"), Ok(2), |_| true));
        assert_eq!(feed.data(), Some(&2));
        assert!(!feed.is_settled());
    }

    #[test]
    fn an_error_keeps_the_last_data() {
        let mut feed = feed();
        feed.accept(&want("a"), Ok(1), |_| false);
        feed.touch();
        feed.need(Slot::Run, want("a"), Timestamp(1));
        feed.accept(
            &want("a"),
            Err(Failure::new(Kind::Internal, "broken")),
            |_| false,
        );
        assert_eq!(feed.data(), Some(&1));
        assert!(feed.failure().is_some());
    }

    #[test]
    fn a_broken_connection_asks_again_afterwards() {
        let mut feed = feed();
        feed.disconnect();
        assert!(feed.need(Slot::Run, want("a"), Timestamp(1)).is_some());
    }
}
