//! How fast the line to the terminal is, and when there is room on it for another frame. Pure: time comes with the calls.
//!
//! A serial line says its speed. Of others it is learned when the terminal stops taking bytes; nobody is asked.

use std::time::Duration;

use tokio::time::Instant;

/// Lines said to be this fast are no serial lines: it is what pseudo-terminals say of themselves.
const PSEUDO: u32 = 38_400;
/// Bits of a byte on a serial line.
const BITS: f64 = 10.0;
/// A line slower than this, in bytes a second, is treated with care.
const SLOW: f64 = 20_000.0;
/// A wait shorter than this says nothing of the line: the program at the other end was busy.
const BLOCKED: Duration = Duration::from_millis(100);
/// Time that a frame's worth of bytes may still need when the next one is drawn.
const LEFT: Duration = Duration::from_millis(30);

/// What is known of the line.
#[derive(Debug)]
pub struct Pace {
    /// Bytes a second, where the line is known to be slow.
    rate: Option<f64>,
    /// Bytes that are on their way, as far as can be told.
    under_way: f64,
    counted_at: Instant,
}

impl Pace {
    /// A line of this speed, as the terminal says.
    #[must_use]
    pub fn new(baud: u32, now: Instant) -> Self {
        let said = (1..PSEUDO).contains(&baud).then(|| f64::from(baud) / BITS);
        Self {
            rate: said.filter(|rate| *rate < SLOW),
            under_way: 0.0,
            counted_at: now,
        }
    }

    /// The line is slow: little should be sent, and seldom.
    #[must_use]
    pub fn is_slow(&self) -> bool {
        self.rate.is_some()
    }

    /// So many bytes were taken, after the terminal had taken none for a while.
    pub fn sent(&mut self, bytes: usize, blocked: Duration, now: Instant) {
        self.count(now);
        #[expect(
            clippy::cast_precision_loss,
            reason = "a frame is no larger than a screen"
        )]
        let bytes = bytes as f64;
        if blocked >= BLOCKED {
            let rate = bytes / blocked.as_secs_f64();
            let rate = self.rate.map_or(rate, |known| (known + rate) / 2.0);
            // What it took without a wait is still in some buffer; a terminal that takes this much is slow no more.
            self.rate = Some(rate.max(1.0)).filter(|rate| *rate < SLOW);
        }
        self.under_way += bytes;
    }

    fn count(&mut self, now: Instant) {
        let past = now.saturating_duration_since(self.counted_at).as_secs_f64();
        self.under_way = self
            .rate
            .map_or(0.0, |rate| (self.under_way - rate * past).max(0.0));
        self.counted_at = now;
    }

    /// When there is room for another frame; `None` = now.
    pub fn free_at(&mut self, now: Instant) -> Option<Instant> {
        self.count(now);
        let wait = Duration::from_secs_f64(self.under_way / self.rate?);
        wait.checked_sub(LEFT)
            .filter(|wait| !wait.is_zero())
            .map(|wait| now + wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_serial_line_says_its_speed_and_a_pseudo_terminal_none() {
        let now = Instant::now();
        for (baud, slow) in [
            (9600, true),
            (1200, true),
            (38_400, false),
            (115_200, false),
            (0, false),
        ] {
            assert_eq!(Pace::new(baud, now).is_slow(), slow, "{baud}");
        }
    }

    #[test]
    fn a_frame_under_way_holds_back_the_next() {
        let now = Instant::now();
        let mut pace = Pace::new(9600, now);
        assert_eq!(pace.free_at(now), None);
        pace.sent(960, Duration::ZERO, now);
        assert_eq!(pace.free_at(now), Some(now + SECOND - LEFT));
        assert_eq!(pace.free_at(now + SECOND), None);
        pace.sent(20, Duration::ZERO, now + SECOND);
        assert_eq!(pace.free_at(now + SECOND), None, "a few bytes are no frame");
    }

    #[test]
    fn a_line_that_stops_taking_bytes_is_learned_and_forgotten_when_it_takes_many() {
        let now = Instant::now();
        let mut pace = Pace::new(38_400, now);
        pace.sent(8000, Duration::ZERO, now);
        assert!(!pace.is_slow());
        pace.sent(500, SECOND / 20, now);
        assert!(!pace.is_slow(), "a short wait says nothing");
        pace.sent(480, SECOND / 2, now);
        assert!(pace.is_slow() && pace.free_at(now).is_some());
        pace.sent(100_000, SECOND / 5, now);
        assert!(!pace.is_slow());
        assert_eq!(pace.free_at(now), None);
    }
}
