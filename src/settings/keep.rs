//! How long what nobody needs any more is kept, by kind: the kinds, and what the settings say of each. Pure: knows nothing
//! of where they lie.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::span;
use super::value::Values;
use crate::clock::Timestamp;

/// What is removed after a while.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kept {
    /// What the steps of runs printed, and the logs of their Build Agents. The runs themselves stay.
    Logs,
    /// Builds that are over, with their runs and logs.
    Builds,
    /// Files of attempts that are over and were not cleared up after.
    Attempts,
    /// The same of their scratch directories.
    Scratch,
    /// Mirrors of repositories of which nothing is built any more.
    Repos,
}

/// Seconds of a day.
const DAY_S: u64 = 86_400;

impl Kept {
    /// All of them, in the order they are listed.
    pub const ALL: [Kept; 5] = [
        Self::Logs,
        Self::Builds,
        Self::Attempts,
        Self::Scratch,
        Self::Repos,
    ];

    /// The word people say.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Logs => "logs",
            Self::Builds => "builds",
            Self::Attempts => "attempts",
            Self::Scratch => "scratch",
            Self::Repos => "repos",
        }
    }

    /// The setting that says how long.
    #[must_use]
    pub fn key(self) -> String {
        format!("keep.{}", self.word())
    }
}

/// There is no such kind.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not one of logs, builds, attempts, scratch, repos")]
pub struct NoKind(String);

impl FromStr for Kept {
    type Err = NoKind;

    fn from_str(word: &str) -> Result<Self, NoKind> {
        let found = Self::ALL.into_iter().find(|kind| kind.word() == word);
        found.ok_or_else(|| NoKind(crate::sanitise::line(word).into_owned()))
    }
}

/// A span in seconds; `None` is for ever.
pub type Span = Option<u64>;

/// The word for a span that does not end.
pub const FOREVER: &str = "forever";

/// A span from its text: `30d`, `12h`, `0`, `forever`; `None` when it is none.
#[must_use]
pub fn span(text: &str) -> Option<Span> {
    match text {
        FOREVER => Some(None),
        text => span::seconds(text).map(Some),
    }
}

/// A span as people write it, in its largest whole units.
#[must_use]
pub fn written(span: Span) -> String {
    let Some(mut rest) = span else {
        return FOREVER.to_owned();
    };
    let mut text = String::new();
    for (unit, name) in [(DAY_S, "d"), (3600, "h"), (60, "m"), (1, "s")] {
        if rest >= unit {
            text += &format!("{}{name}", rest / unit);
            rest %= unit;
        }
    }
    if text.is_empty() {
        "0".to_owned()
    } else {
        text
    }
}

/// Says where a log would be that it was removed, and how long it had been kept: a sentence without a period.
#[must_use]
pub fn log_removed(stopped: Option<Timestamp>, removed: Timestamp) -> String {
    let kept = removed.since(stopped.unwrap_or(removed)).as_secs();
    let span = match kept / DAY_S {
        0 => written(Some(kept)),
        1 => "1 day".to_owned(),
        n => format!("{n} days"),
    };
    let day = removed.day();
    format!("the log was removed on {day}, {span} after the run ended")
}

/// How long each kind is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Keep([Span; Kept::ALL.len()]);

impl Keep {
    /// As the settings say. Where what they say is no span, nothing goes.
    #[must_use]
    pub fn of_values(values: &Values) -> Self {
        Self(Kept::ALL.map(|kind| span(&values.text(&kind.key())).flatten()))
    }

    /// How long a kind is kept.
    #[must_use]
    pub fn of(&self, kind: Kept) -> Span {
        self.0[kind as usize]
    }

    /// The shortest of the spans, in seconds; `None` when everything is kept for ever.
    #[must_use]
    pub fn shortest(&self) -> Option<u64> {
        self.0.iter().flatten().min().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_word_and_a_place_of_its_own() {
        for (i, kind) in Kept::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, i);
            assert_eq!(kind.word().parse(), Ok(kind));
        }
        let err = "caches\u{1b}".parse::<Kept>().unwrap_err().to_string();
        assert!(
            err.contains("logs, builds") && !err.contains('\u{1b}'),
            "{err}"
        );
    }

    #[test]
    fn spans_are_written_as_they_are_read() {
        for (text, expected) in [
            ("30d", Some(Some(2_592_000))),
            ("1d12h", Some(Some(129_600))),
            ("0", Some(Some(0))),
            ("forever", Some(None)),
            ("soon", None),
        ] {
            let read = span(text);
            assert_eq!(read, expected, "{text}");
            if let Some(read) = read {
                assert_eq!(written(read), text);
            }
        }
    }

    #[test]
    fn a_log_that_was_removed_says_when_and_after_how_long() {
        let removed = Timestamp(1_700_000_000_000);
        for (days, span) in [(30.9, "30 days"), (1.0, "1 day"), (0.5, "12h"), (0.0, "0")] {
            #[expect(clippy::cast_possible_truncation, reason = "some days")]
            let stopped = Timestamp(removed.0 - (days * 86_400_000.0) as i64);
            assert_eq!(
                log_removed(Some(stopped), removed),
                format!("the log was removed on 2023-11-14, {span} after the run ended")
            );
        }
    }

    #[test]
    fn what_was_said_holds_and_the_rest_is_at_its_default() {
        let days = |keep: Keep| Kept::ALL.map(|kind| keep.of(kind).map(|span| span / DAY_S));
        let keep = Keep::of_values(&Values::default());
        assert_eq!(days(keep), [30, 365, 1, 1, 90].map(Some));
        let keep = Keep::of_values(&Values::typed(&[
            ("keep.logs", "forever"),
            ("keep.builds", "1d12h"),
        ]));
        assert_eq!((keep.of(Kept::Logs), keep.shortest()), (None, Some(DAY_S)));
        assert_eq!(keep.of(Kept::Builds), Some(129_600));
        let forever = Kept::ALL.map(|kind| (kind.key(), FOREVER));
        let forever = forever.each_ref().map(|(key, word)| (key.as_str(), *word));
        assert_eq!(Keep::of_values(&Values::typed(&forever)).shortest(), None);
    }

    #[test]
    fn what_is_no_span_is_refused_and_removes_nothing() {
        use crate::settings::check::check;
        for text in ["soon", "30", ""] {
            let values = Values::typed(&[("keep.logs", text)]);
            let found = check(&values);
            assert!(
                found
                    .iter()
                    .any(|one| one.is_error() && one.key == "keep.logs"),
                "{text}: {found:?}"
            );
            assert_eq!(Keep::of_values(&values).of(Kept::Logs), None, "{text}");
        }
    }
}
