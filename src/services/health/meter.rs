//! How long a part takes, over the last minutes, and what last went wrong with it.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Timestamp;

/// Minutes that a figure looks back over.
pub const MINUTES: i64 = 5;

/// Bars of the histogram of a minute: bar n holds what took less than 2^n microseconds; the last one is 67 s and more.
const BARS: usize = 27;

/// What is measured of one part.
#[derive(Debug, Default)]
pub struct Meter(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    minutes: VecDeque<(i64, [u32; BARS])>,
    last: Option<Timestamp>,
    error: Option<(Timestamp, String)>,
}

/// Figures of the last minutes.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Reading {
    /// How often it was done.
    pub count: u64,
    /// Ninety-nine of a hundred, of fewer all but one, took at most this long, to within a power of two; `None` when none was
    /// done.
    pub p99: Option<Duration>,
    /// When it was last done, well or not.
    pub last: Option<Timestamp>,
    /// What last went wrong, and when; also long ago.
    pub error: Option<(Timestamp, String)>,
    /// The newest try went wrong.
    pub failed: bool,
}

impl Meter {
    /// It was done, in this time.
    pub fn done(&self, took: Duration, now: Timestamp) {
        self.with(|inner| {
            let minute = now.0.div_euclid(60_000);
            if inner.minutes.back().is_none_or(|(last, _)| *last != minute) {
                inner.minutes.push_back((minute, [0; BARS]));
                while inner.minutes.len() > MINUTES as usize + 1 {
                    inner.minutes.pop_front();
                }
            }
            if let Some((_, bars)) = inner.minutes.back_mut() {
                let bar = &mut bars[bar(took)];
                *bar = bar.saturating_add(1);
            }
            inner.last = Some(now);
        });
    }

    /// It went wrong.
    pub fn failed(&self, why: impl Into<String>, now: Timestamp) {
        self.with(|inner| {
            inner.error = Some((now, why.into()));
            inner.last = Some(now);
        });
    }

    /// The figures.
    #[must_use]
    pub fn read(&self, now: Timestamp) -> Reading {
        self.with(|inner| {
            let first = now.0.div_euclid(60_000) - MINUTES;
            let mut sum = [0u64; BARS];
            for (_, bars) in inner.minutes.iter().filter(|(minute, _)| *minute > first) {
                sum.iter_mut()
                    .zip(bars)
                    .for_each(|(sum, bar)| *sum += u64::from(*bar));
            }
            let count = sum.iter().sum();
            let failed =
                matches!((&inner.error, inner.last), (Some((at, _)), Some(last)) if *at >= last);
            Reading {
                count,
                p99: p99(&sum, count),
                last: inner.last,
                error: inner.error.clone(),
                failed,
            }
        })
    }

    fn with<T>(&self, work: impl FnOnce(&mut Inner) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn bar(took: Duration) -> usize {
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    let bits = (u64::BITS - micros.leading_zeros()) as usize;
    bits.min(BARS - 1)
}

/// The upper bound of the bar in which the ninety-ninth of a hundred stands, the last but one of fewer: one that took long
/// says nothing yet.
fn p99(bars: &[u64; BARS], count: u64) -> Option<Duration> {
    let wanted = count - (count / 100).max(count.saturating_sub(1).min(1));
    let mut seen = 0;
    let bar = bars.iter().position(|bar| {
        seen += bar;
        count > 0 && seen >= wanted
    })?;
    Some(Duration::from_micros(1 << bar))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(600_000_000);

    #[test]
    fn nothing_done_is_no_figure() {
        assert_eq!(Meter::default().read(NOW), Reading::default());
    }

    #[test]
    fn the_figure_is_that_of_ninety_nine_of_a_hundred() {
        let meter = Meter::default();
        (0..99).for_each(|_| meter.done(Duration::from_micros(900), NOW));
        meter.done(Duration::from_secs(2), NOW);
        let read = meter.read(NOW);
        assert_eq!(read.count, 100);
        assert_eq!(read.p99, Some(Duration::from_micros(1024)));
        meter.done(Duration::from_secs(2), NOW);
        assert!(meter.read(NOW).p99 > Some(Duration::from_secs(1)));
    }

    #[test]
    fn one_that_took_long_is_left_out_of_few_and_two_are_not() {
        let meter = Meter::default();
        meter.done(Duration::from_secs(2), NOW);
        assert!(meter.read(NOW).p99 > Some(Duration::from_secs(1)));
        (0..5).for_each(|_| meter.done(Duration::from_micros(900), NOW));
        assert_eq!(meter.read(NOW).p99, Some(Duration::from_micros(1024)));
        meter.done(Duration::from_secs(2), NOW);
        assert!(meter.read(NOW).p99 > Some(Duration::from_secs(1)));
    }

    #[test]
    fn old_minutes_are_forgotten_and_never_pile_up() {
        let meter = Meter::default();
        for minute in 0..1000 {
            meter.done(Duration::from_millis(3), Timestamp(minute * 60_000));
        }
        let end = Timestamp(999 * 60_000);
        assert_eq!(meter.read(end).count, MINUTES as u64);
        assert_eq!(
            meter.with(|inner| inner.minutes.len()),
            MINUTES as usize + 1
        );
        assert_eq!(meter.read(Timestamp(end.0 + 3_600_000)).count, 0);
    }

    #[test]
    fn it_fails_until_it_goes_well_again_and_the_error_is_remembered() {
        let meter = Meter::default();
        meter.failed("disk full", NOW);
        assert!(meter.read(NOW).failed);
        let later = Timestamp(NOW.0 + 1000);
        meter.done(Duration::from_micros(0), later);
        let read = meter.read(later);
        assert!(!read.failed);
        assert_eq!(read.error, Some((NOW, "disk full".to_owned())));
    }
}
