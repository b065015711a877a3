//! How long something usually takes, and from when on it takes longer than that. Pure.

use serde::{Deserialize, Serialize};

/// How long something usually takes: the median of the newest that ended well.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Usual {
    /// The median, in ms.
    pub ms: u64,
    /// Number of those it is the median of.
    pub of: u32,
}

impl Usual {
    /// Fewer make nothing usual.
    pub const LEAST: u32 = 3;
    /// What takes more than this share of the median takes longer than usual,
    pub const LONGER_PERCENT: u64 = 150;
    /// when it is also this much more, in ms: of what takes a moment, twice is nothing.
    pub const LONGER_MS: u64 = 1000;

    /// Whether this is longer than usual.
    #[must_use]
    pub fn is_exceeded_by(self, ms: u64) -> bool {
        self.of >= Self::LEAST
            && ms.saturating_mul(100) > self.ms.saturating_mul(Self::LONGER_PERCENT)
            && ms > self.ms.saturating_add(Self::LONGER_MS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn longer_than_usual_is_half_more_and_a_second_of_enough_past_ones() {
        for (ms, of, took, longer) in [
            (10_000, 3, 15_000, false),
            (10_000, 3, 15_001, true),
            (10_000, 2, 99_000, false),
            (100, 20, 900, false),
            (100, 20, 1100, false),
            (100, 20, 1101, true),
            (0, 3, 1001, true),
            (u64::MAX, 3, u64::MAX, false),
        ] {
            let usual = Usual { ms, of };
            assert_eq!(usual.is_exceeded_by(took), longer, "{usual:?} {took}");
        }
    }
}
