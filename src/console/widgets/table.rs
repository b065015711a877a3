//! A table: heads, a rule, and the rows that the screen shows, built for the viewport only.

use ratatui::layout::Rect;

use crate::console::line::Line;
use crate::console::list::Order;
use crate::console::pen::Pen;
use crate::console::spot::Spot;
use crate::console::text;
use crate::console::theme::Role;

/// A column.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its head.
    pub title: &'static str,
    /// Column name of the API it is sorted by; empty = not sortable.
    pub sort: &'static str,
    /// Least width in cells.
    pub min: u16,
    /// Width it would like; `u16::MAX` takes what is left.
    pub ideal: u16,
    /// Numbers stand right.
    pub right: bool,
    /// Given up first when room is short, the highest first; 0 stays.
    pub drop: u8,
}

impl Column {
    /// A column that is never given up.
    #[must_use]
    pub const fn new(title: &'static str, sort: &'static str, min: u16, ideal: u16) -> Self {
        Self {
            title,
            sort,
            min,
            ideal,
            right: false,
            drop: 0,
        }
    }

    /// The same, numbers standing right.
    #[must_use]
    pub const fn right(mut self) -> Self {
        self.right = true;
        self
    }

    /// The same, given up when room is short.
    #[must_use]
    pub const fn drop(mut self, order: u8) -> Self {
        self.drop = order;
        self
    }
}

/// Cells between two columns.
const GAP: u16 = 2;

/// Lines above the first row: heads, and a rule where there is room for one.
#[must_use]
pub fn head_height(airy: bool) -> u16 {
    if airy { 2 } else { 1 }
}

/// Places columns in a width: left edge and width of each, `None` for those given up.
#[must_use]
pub fn place(columns: &[Column], width: u16) -> Vec<Option<(u16, u16)>> {
    let mut kept: Vec<bool> = vec![true; columns.len()];
    let needs = |kept: &[bool]| {
        let shown = columns.iter().zip(kept).filter(|(_, on)| **on);
        shown
            .fold(0u16, |sum, (column, _)| sum + column.min + GAP)
            .saturating_sub(GAP)
    };
    while needs(&kept) > width {
        let droppable = (0..columns.len()).filter(|i| kept[*i] && columns[*i].drop > 0);
        let Some(i) = droppable.max_by_key(|i| columns[*i].drop) else {
            break;
        };
        kept[i] = false;
    }
    let mut left = width.saturating_sub(needs(&kept));
    let mut widths: Vec<u16> = columns.iter().map(|column| column.min).collect();
    for (i, column) in columns
        .iter()
        .enumerate()
        .filter(|(i, column)| kept[*i] && column.ideal != u16::MAX)
    {
        let more = column.ideal.saturating_sub(column.min).min(left);
        widths[i] += more;
        left -= more;
    }
    let fills: Vec<usize> = (0..columns.len())
        .filter(|i| kept[*i] && columns[*i].ideal == u16::MAX)
        .collect();
    for (n, i) in fills.iter().enumerate() {
        let share = left / u16::try_from(fills.len() - n).unwrap_or(1);
        widths[*i] += share;
        left -= share;
    }
    let mut x = 0;
    let mut places = Vec::with_capacity(columns.len());
    for (i, on) in kept.into_iter().enumerate() {
        places.push(on.then(|| (x, widths[i].min(width.saturating_sub(x)))));
        if on {
            x += widths[i] + GAP;
        }
    }
    places
}

/// Draws heads and rows. `cells` gives a row's cells in the order of the columns. The area has one blank column at each side.
pub fn draw<'r, T: 'r>(
    pen: &mut Pen,
    area: Rect,
    airy: bool,
    columns: &[Column],
    order: Order,
    rows: impl Iterator<Item = (Option<&'r T>, bool)>,
    cells: impl Fn(&T) -> Vec<Line>,
) {
    let inner = Rect {
        x: area.x + 1,
        width: area.width.saturating_sub(2),
        ..area
    };
    let places = place(columns, inner.width);
    let shown: Vec<_> = columns
        .iter()
        .zip(&places)
        .enumerate()
        .filter_map(|(i, (c, p))| p.map(|p| (i, c, p)))
        .collect();
    for (_, column, (x, width)) in &shown {
        let arrow = if order.descending { "↓" } else { "↑" };
        let sorted = !column.sort.is_empty() && column.sort == order.column;
        let head = Line::new().muted(column.title);
        let head = if sorted {
            head.put(Role::Accent, format!(" {arrow}"))
        } else {
            head
        };
        if column.right {
            // The sign of the order may stand in the gap: the head is what says what the numbers are.
            let gap = GAP.min(*x);
            pen.right(inner.x + x - gap, inner.y, width + gap, &head);
        } else {
            pen.line(inner.x + x, inner.y, width + 1, &head);
        }
        if !column.sort.is_empty() {
            let place = Rect {
                x: inner.x + x,
                width: *width,
                height: 1,
                ..inner
            };
            pen.spot(place, Spot::Head(column.sort), String::new);
        }
    }
    if airy {
        pen.rule(inner.x, inner.y + 1, inner.width);
    }
    let first = area.y + head_height(airy);
    for (n, (y, (row, here))) in (first..area.bottom()).zip(rows).enumerate() {
        let place = Rect {
            y,
            height: 1,
            ..area
        };
        if here {
            pen.underlay(place, Role::Selected);
        }
        let Some(row) = row else {
            pen.line(inner.x, y, inner.width, &Line::new().put(Role::Faint, "·"));
            continue;
        };
        let cells = cells(row);
        pen.spot(place, Spot::Row(n as u64), || words(columns, &cells));
        for (i, column, (x, width)) in &shown {
            let Some(cell) = cells.get(*i) else { continue };
            if column.right {
                pen.right(inner.x + x, y, *width, cell);
            } else {
                pen.line(inner.x + x, y, *width, cell);
            }
        }
    }
}

/// A row as it is read: each cell behind the head of its column, those given up included.
fn words(columns: &[Column], cells: &[Line]) -> String {
    let cells = columns.iter().zip(cells);
    let cells = cells.filter_map(|(column, cell)| {
        let says = text::spoken(&cell.plain());
        (!says.is_empty()).then(|| format!("{} {says}", column.title.to_lowercase()))
    });
    cells.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column; 4] = [
        Column::new("#", "place", 3, 3).right(),
        Column::new("JOB", "job", 10, 20),
        Column::new("NEEDS", "", 10, 12).drop(1),
        Column::new("WHY", "", 12, u16::MAX),
    ];

    #[test]
    fn columns_take_their_ideal_and_the_last_fills() {
        let places = place(&COLUMNS, 80);
        assert_eq!(
            places,
            [Some((0, 3)), Some((5, 20)), Some((27, 12)), Some((41, 39))]
        );
    }

    #[test]
    fn what_can_be_spared_goes_first() {
        let places = place(&COLUMNS, 32);
        assert_eq!(places[2], None);
        assert_eq!(places[0], Some((0, 3)));
        let (x, width) = places[3].unwrap();
        assert_eq!(x + width, 32);
    }
}
