//! Bars: shares of a whole in eighths of a cell.

use crate::console::line::Line;
use crate::console::theme::Role;

const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// A bar of one amount without a ground, at least a hair wide when the amount is not zero.
#[must_use]
pub fn amount(role: Role, part: u64, whole: u64, cells: u16) -> Line {
    if part == 0 || whole == 0 || cells == 0 {
        return Line::new();
    }
    let eighths = (u128::from(part) * u128::from(cells) * 8 / u128::from(whole))
        .clamp(1, u128::from(cells) * 8) as usize;
    Line::new().put(
        role,
        format!("{}{}", "█".repeat(eighths / 8), EIGHTHS[eighths % 8]),
    )
}

/// A bar of what is used, held and free of a whole, in full cells; something used always shows.
#[must_use]
pub fn capacity(used: u64, held: u64, whole: u64, cells: u16) -> Line {
    let cells = u64::from(cells);
    let share = |part: u64| {
        if whole == 0 {
            0
        } else {
            ((part * cells * 2 + whole) / (whole * 2)).min(cells)
        }
    };
    let used_cells = share(used).max(u64::from(used > 0));
    let held_cells = share(used + held).max(used_cells).min(cells) - used_cells.min(cells);
    let free = cells.saturating_sub(used_cells + held_cells);
    let part = |glyph: &str, n: u64| glyph.repeat(usize::try_from(n).unwrap_or(0));
    Line::new()
        .put(Role::BarUsed, part("█", used_cells))
        .put(Role::BarHeld, part("▒", held_cells))
        .put(Role::BarFree, part("░", free))
}

/// A bar of several parts of a whole, each at least one cell when it is not zero; the rest is free.
#[must_use]
pub fn parts(parts: &[(Role, &'static str, u64)], whole: u64, cells: u16) -> Line {
    let mut left = u64::from(cells);
    let mut line = Line::new();
    for (role, glyph, part) in parts {
        let share = if whole == 0 {
            0
        } else {
            part * u64::from(cells) / whole
        };
        let n = share.max(u64::from(*part > 0)).min(left);
        left -= n;
        line = line.put(*role, glyph.repeat(usize::try_from(n).unwrap_or(0)));
    }
    line.put(
        Role::BarFree,
        "░".repeat(usize::try_from(left).unwrap_or(0)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_little_is_still_seen() {
        assert_eq!(amount(Role::BarUsed, 1, 10_000, 20).plain(), "▏");
        assert_eq!(amount(Role::BarUsed, 0, 10_000, 20).plain(), "");
        assert_eq!(capacity(1, 0, 1000, 4).plain(), "█░░░");
        assert_eq!(capacity(2000, 1000, 4000, 8).plain(), "████▒▒░░");
    }

    proptest! {
        #[test]
        fn a_capacity_bar_is_always_as_wide_as_asked(used in 0u64..9000, held in 0u64..9000, whole in 0u64..9000, cells in 1u16..40) {
            prop_assert_eq!(capacity(used, held, whole, cells).width(), cells);
        }
    }
}
