//! Where a log stands: at its end, or at a row of a line, by the rows that its lines take on the screen.
//!
//! Pure. Wrapped, a line may take more rows than a screen has: moving goes by rows, so that each of them can be read.

use std::ops::Range;

use roundel::api::builds::{LineOf, LogLine};

/// A row of the screen: the line, and which of its rows.
pub type Place = (u64, usize);

/// All rows of a line that is not known yet.
const ALL: usize = usize::MAX;

/// Where the pane stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Stand {
    /// At the end, and stays there as it grows.
    #[default]
    End,
    /// This row is the first on the screen.
    Top(u64, usize),
    /// This row is the last on the screen: one came up to lines that were not known.
    Bottom(u64, usize),
}

impl Stand {
    /// The first line to ask for, of a screen so many lines high; `None` = the last ones.
    pub fn first(self, height: u64) -> Option<u64> {
        match self {
            Stand::End => None,
            Stand::Top(line, _) => Some(line),
            Stand::Bottom(line, _) => Some((line + 1).saturating_sub(height)),
        }
    }

    /// The same place after all lines from there on have moved down.
    pub fn moved(self, by: u64) -> Self {
        match self {
            Stand::End => self,
            Stand::Top(line, row) => Stand::Top(line + by, row),
            Stand::Bottom(line, row) => Stand::Bottom(line + by, row),
        }
    }

    /// Which of these rows are on a screen so many rows high.
    pub fn shown(self, rows: &[Place], height: usize) -> Range<usize> {
        let (first, _) = self.span(rows, height);
        let first = first.max(0).unsigned_abs();
        first..rows.len().min(first + height)
    }

    /// The first row on the screen, counted from the first one known, and the one after the last.
    fn span(self, rows: &[Place], height: usize) -> (isize, isize) {
        let signed = |n: usize| isize::try_from(n).unwrap_or(isize::MAX);
        let after = |line: u64, row: usize| {
            let after = rows.partition_point(|place| *place <= (line, row));
            (signed(after) - signed(height), signed(after))
        };
        match self {
            Stand::End => after(u64::MAX, ALL),
            Stand::Bottom(line, row) => after(line, row),
            Stand::Top(line, row) => {
                let first = rows.partition_point(|place| *place < (line, row));
                // What is shown until the lines come that were asked for.
                let first = if first == rows.len() { 0 } else { first };
                (signed(first), signed(first) + signed(height))
            }
        }
    }

    /// The place so many rows further down, or up; at the end of a log of so many lines it is followed.
    pub fn moved_rows(self, rows: &[Place], height: usize, down: isize, total: u64) -> Self {
        let Some(last) = rows.last().copied() else {
            return self;
        };
        let known = |line: u64| rows.iter().any(|place| place.0 == line);
        let (first, end) = self.span(rows, height);
        let to = first.max(0).saturating_add(down);
        let by = |line: u64| line.saturating_add_signed(i64::try_from(down).unwrap_or(0));
        let row = |n: isize| usize::try_from(n).ok().and_then(|n| rows.get(n)).copied();
        let whole = last.0 + 1 >= total;
        let height = isize::try_from(height).unwrap_or(isize::MAX);
        match self {
            // Keys that are faster than answers go by lines.
            Stand::Top(line, _) if !known(line) => {
                return Stand::Top(by(line).min(total.saturating_sub(1)), 0);
            }
            Stand::Bottom(line, _) if !known(line) => return Stand::Bottom(by(line), ALL),
            _ => {}
        }
        match row(to) {
            // All of it is on the screen.
            _ if down < 0 && first <= 0 && rows[0].0 == 0 => self,
            _ if down > 0
                && whole
                && to.saturating_add(height) >= isize::try_from(rows.len()).unwrap_or(0) =>
            {
                Stand::End
            }
            Some((line, row)) => Stand::Top(line, row),
            None if down > 0 => Stand::Top(last.0 + 1, 0),
            None if rows.first().is_some_and(|place| place.0 == 0) => Stand::Top(0, 0),
            None => match row(end.saturating_add(down).saturating_sub(1)) {
                Some((line, row)) => Stand::Bottom(line, row),
                None => Stand::Bottom(rows[0].0.saturating_sub(1), ALL),
            },
        }
    }
}

/// A line of one of several runs that the eye rests on: late lines of another run, put in above it, must not move it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Anchor {
    /// Its number when it was last seen.
    pub n: u64,
    /// Whose line it is.
    of: LineOf,
    /// Where it is looked for.
    pub from: u64,
}

impl Anchor {
    /// The first line on the screen, when a log of several runs stands still.
    pub fn of(lines: &[LogLine], first: u64, height: u64) -> Option<Self> {
        let mut shown = lines
            .iter()
            .filter(|line| (first..first.saturating_add(height)).contains(&line.n));
        let line = shown.next()?;
        let of = line.of?;
        Some(Self {
            n: line.n,
            of,
            from: line.n,
        })
    }

    /// How far it has moved down, where it is among these lines.
    pub fn moved(&self, lines: &[LogLine]) -> Option<u64> {
        let found = lines.iter().find(|line| line.of == Some(self.of))?;
        Some(found.n.saturating_sub(self.n))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines of so many rows each, from one on.
    fn rows(first: u64, of: &[usize]) -> Vec<Place> {
        let lines = (first..).zip(of);
        lines
            .flat_map(|(n, rows)| (0..*rows).map(move |row| (n, row)))
            .collect()
    }

    #[test]
    fn a_line_longer_than_the_screen_is_read_row_by_row_both_ways() {
        // The window of a log of three lines, the second much longer than the ten rows of the screen.
        let rows = rows(0, &[1, 25, 1]);
        let mut stand = Stand::Top(0, 0);
        let mut seen = vec![stand];
        while stand != Stand::End {
            stand = stand.moved_rows(&rows, 10, 1, 3);
            seen.push(stand);
        }
        let tops = (0..16).map(|row| Stand::Top(1, row));
        let wanted: Vec<Stand> = [Stand::Top(0, 0)]
            .into_iter()
            .chain(tops)
            .chain([Stand::End])
            .collect();
        assert_eq!(seen, wanted);
        assert_eq!(stand.shown(&rows, 10), 17..27);
        let mut up = vec![stand];
        while stand != Stand::Top(0, 0) {
            stand = stand.moved_rows(&rows, 10, -1, 3);
            up.push(stand);
        }
        up.reverse();
        assert_eq!(up, seen);
        assert_eq!(
            stand.moved_rows(&rows, 10, -1, 3),
            stand,
            "the top is the top"
        );
    }

    #[test]
    fn going_up_to_lines_that_are_not_known_nothing_is_left_out() {
        // Ten lines of two rows each are known; the screen shows the last ten rows of them, from line 45 on.
        let known = rows(40, &[2; 10]);
        assert_eq!(Stand::End.shown(&known, 10), 10..20);
        let stand = Stand::Top(40, 0).moved_rows(&known, 10, -9, 50);
        assert_eq!(
            stand,
            Stand::Bottom(40, 0),
            "the row that was first is the last"
        );
        assert_eq!(stand.first(10), Some(31));
        let known = rows(31, &[2; 10]);
        assert_eq!(stand.shown(&known, 10), 9..19);
        assert_eq!(stand.moved_rows(&known, 10, 1, 50), Stand::Top(36, 0));
        assert_eq!(stand.moved_rows(&known, 10, -1, 50), Stand::Top(35, 0));
    }

    #[test]
    fn keys_faster_than_answers_go_by_lines_and_never_leave_the_log() {
        let known = rows(40, &[3; 10]);
        for (stand, down, to) in [
            (Stand::Top(0, 0), 1, Stand::Top(1, 0)),
            (Stand::Top(7, 2), -9, Stand::Top(0, 0)),
            (Stand::Top(60, 0), 100, Stand::Top(79, 0)),
            (Stand::Bottom(7, 0), -2, Stand::Bottom(5, usize::MAX)),
            (Stand::Top(49, 2), 9, Stand::Top(50, 0)),
        ] {
            assert_eq!(
                stand.moved_rows(&known, 10, down, 80),
                to,
                "{stand:?} {down}"
            );
        }
        let whole = rows(0, &[1, 1]);
        for stand in [Stand::End, Stand::Top(0, 0)] {
            assert_eq!(
                stand.moved_rows(&whole, 10, -1, 2),
                stand,
                "all of it is shown"
            );
        }
        assert_eq!(Stand::End.moved_rows(&[], 10, 1, 0), Stand::End);
    }
}
