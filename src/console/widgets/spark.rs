//! Charts of one row and of several: bars in eighths of a cell, the newest at the right.

use crate::console::line::Line;
use crate::console::theme::Role;

const EIGHTHS: [&str; 9] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/// Brings values to a number of cells: the largest of those that share one, or each in several where there is room.
/// What is missing, and what is not there yet, stays empty at the left.
#[must_use]
pub fn spread(values: &[Option<u64>], whole: usize, cells: u16) -> Vec<Option<u64>> {
    let cells = usize::from(cells);
    let whole = whole.max(1);
    let missing = whole.saturating_sub(values.len());
    let at = |i: usize| values.get(i.checked_sub(missing)?).copied().flatten();
    (0..cells)
        .map(|cell| {
            let from = cell * whole / cells;
            let to = ((cell + 1) * whole / cells).max(from + 1);
            (from..to).filter_map(at).max()
        })
        .collect()
}

/// One row of bars; what is not zero shows.
#[must_use]
pub fn row(role: Role, values: &[Option<u64>], most: u64) -> Line {
    let bars = values.iter().map(|value| EIGHTHS[height(*value, most, 8)]);
    Line::new().put(role, bars.collect::<String>())
}

/// Rows of bars, the top one first.
#[must_use]
pub fn rows(role: Role, values: &[Option<u64>], most: u64, rows: u16) -> Vec<Line> {
    let eighths = usize::from(rows) * 8;
    let heights: Vec<usize> = values
        .iter()
        .map(|value| height(*value, most, eighths))
        .collect();
    (0..usize::from(rows))
        .rev()
        .map(|row| {
            let bars = heights
                .iter()
                .map(|height| EIGHTHS[height.saturating_sub(row * 8).min(8)]);
            Line::new().put(role, bars.collect::<String>())
        })
        .collect()
}

fn height(value: Option<u64>, most: u64, eighths: usize) -> usize {
    let Some(value) = value.filter(|value| *value > 0) else {
        return 0;
    };
    let share = u128::from(value) * eighths as u128 / u128::from(most.max(1));
    usize::try_from(share).unwrap_or(eighths).clamp(1, eighths)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn some(values: &[u64]) -> Vec<Option<u64>> {
        values.iter().copied().map(Some).collect()
    }

    #[test]
    fn bars_are_as_high_as_their_share_and_a_little_is_seen() {
        let line = row(Role::BarUsed, &some(&[0, 1, 500, 1000]), 1000);
        assert_eq!(line.plain(), " ▁▄█");
        let lines = rows(Role::BarUsed, &some(&[0, 1, 500, 1000]), 1000, 2);
        let lines: Vec<_> = lines.iter().map(Line::plain).collect();
        assert_eq!(lines, ["   █", " ▁██"]);
    }

    #[test]
    fn the_newest_stands_right_and_a_young_history_leaves_the_left_empty() {
        assert_eq!(spread(&some(&[3, 4]), 6, 3), [None, None, Some(4)]);
        assert_eq!(spread(&some(&[1, 9, 2, 3]), 4, 2), [Some(9), Some(3)]);
        assert_eq!(
            spread(&some(&[1, 2]), 2, 4),
            [Some(1), Some(1), Some(2), Some(2)]
        );
    }

    proptest! {
        #[test]
        fn there_are_as_many_cells_as_asked(values in prop::collection::vec(prop::option::of(0u64..900), 0..100), cells in 1u16..90, most in 0u64..900) {
            let spread = spread(&values, 60, cells);
            prop_assert_eq!(spread.len(), usize::from(cells));
            prop_assert_eq!(row(Role::BarUsed, &spread, most).width(), cells);
        }
    }
}
