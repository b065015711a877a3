//! Time: the only place that reads the system clocks, and the form of a moment everywhere else.
//!
//! Moments are UTC milliseconds since 1970 in memory and in the store, RFC 3339 with `Z` on the wire. Pure modules
//! take a [`Timestamp`] as an argument and never ask for one.

#![expect(
    clippy::disallowed_methods,
    reason = "the one module that may read the system clocks"
)]

use std::fmt;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A moment: UTC milliseconds since 1970-01-01.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Returns the time from `earlier` to `self`, zero when `earlier` is later (clocks step back).
    #[must_use]
    pub fn since(self, earlier: Timestamp) -> Duration {
        Duration::from_millis(u64::try_from(self.0 - earlier.0).unwrap_or(0))
    }

    /// Returns the moment `span` later, saturating.
    #[must_use]
    pub fn plus(self, span: Duration) -> Timestamp {
        Timestamp(
            self.0
                .saturating_add(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)),
        )
    }

    /// Parses RFC 3339, any offset.
    ///
    /// # Errors
    /// When `text` is not an RFC 3339 moment.
    pub fn parse(text: &str) -> Result<Timestamp, jiff::Error> {
        text.parse::<jiff::Timestamp>()
            .map(|moment| Timestamp(moment.as_millisecond()))
    }

    /// Its day in UTC: `2023-11-14`.
    #[must_use]
    pub fn day(self) -> String {
        let mut text = self.to_string();
        text.truncate(text.find('T').unwrap_or(text.len()));
        text
    }

    /// Formats in this machine's time zone by a `strftime` pattern: for screens only.
    #[must_use]
    pub fn local(self, pattern: &str) -> String {
        let moment =
            jiff::Timestamp::from_millisecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        moment
            .to_zoned_datetime(jiff::tz::TimeZone::system())
            .strftime(pattern)
            .to_string()
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 with `Z` and milliseconds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment =
            jiff::Timestamp::from_millisecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        write!(f, "{moment:.3}")
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Timestamp::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// Returns the present moment of the wall clock.
#[must_use]
pub fn now() -> Timestamp {
    Timestamp(i64::try_from(since_epoch().as_millis()).unwrap_or(i64::MAX))
}

/// Returns the wall clock in microseconds since 1970, for log entries.
#[must_use]
pub fn now_micros() -> i64 {
    i64::try_from(since_epoch().as_micros()).unwrap_or(i64::MAX)
}

fn since_epoch() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or(Duration::ZERO)
}

/// Returns the monotonic clock, for spans that must not jump.
#[must_use]
pub fn monotonic() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_travels_as_rfc_3339() {
        let moment = Timestamp(1_700_000_000_123);
        assert_eq!(moment.to_string(), "2023-11-14T22:13:20.123Z");
        assert_eq!(moment.day(), "2023-11-14");
        let json = serde_json::to_string(&moment).unwrap();
        assert_eq!(serde_json::from_str::<Timestamp>(&json).unwrap(), moment);
        assert_eq!(
            Timestamp::parse("2023-11-14T23:13:20.123+01:00").unwrap(),
            moment
        );
    }

    #[test]
    fn a_clock_that_steps_back_gives_no_negative_span() {
        assert_eq!(Timestamp(5).since(Timestamp(9)), Duration::ZERO);
        assert_eq!(Timestamp(9).since(Timestamp(5)), Duration::from_millis(4));
    }
}
