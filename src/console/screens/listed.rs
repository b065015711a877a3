//! A list that filters and sorts, as every screen with a table has it: its columns, its drawing, its line below.

use ratatui::layout::Rect;
use serde::Serialize;
use serde_json::Value;

use super::{Listing, Scene, instead, json};
use crate::console::keymap::Cmd;
use crate::console::line::Line;
use crate::console::list::{AGES, List, Order, Row};
use crate::console::pen::Pen;
use crate::console::shell::Shell;
use crate::console::text;
use crate::console::theme::Role;
use crate::console::verbs::Subject;
use crate::console::widgets::table::{self, Column};

/// Stands before a marked row, and before their number.
const MARK: &str = "▶";

/// A list and the columns it is shown in.
#[derive(Debug)]
pub struct Listed<T: 'static> {
    /// The list.
    pub list: List<T>,
    /// Its columns.
    pub columns: &'static [Column],
}

impl<T: Row + Clone + Serialize> Listing for Listed<T> {
    fn filter(&self) -> &str {
        &self.list.filter
    }

    fn set_filter(&mut self, words: &str) {
        self.list.set_filter(words);
    }

    fn order(&self) -> Order {
        self.list.order
    }

    fn order_by(&mut self, column: &'static str) {
        self.list.order_by(column);
    }

    fn point(&mut self, row: u64) -> bool {
        self.list.point(row)
    }

    fn scroll(&mut self, lines: i32) {
        self.list.scroll(lines);
    }

    fn columns(&self) -> Vec<(&'static str, &'static str)> {
        let sortable = self.columns.iter().filter(|column| !column.sort.is_empty());
        sortable.map(|column| (column.sort, column.title)).collect()
    }

    fn marked(&self) -> usize {
        self.list.marks().len()
    }

    fn mark(&mut self, range: bool) -> Result<(), String> {
        self.list.mark(range)
    }

    fn clear_marks(&mut self) {
        self.list.clear_marks();
    }

    fn rows(&self) -> Value {
        let rows = self.list.visible().filter_map(|(row, _)| row);
        json(&rows.collect::<Vec<_>>())
    }

    fn seq(&self) -> Option<i64> {
        self.list.feed().data().map(|page| page.seq)
    }

    fn total(&self) -> Option<u64> {
        self.list.total()
    }

    fn footer(&self) -> Line {
        let list = &self.list;
        let line = Line::new().muted("filter ").put(Role::Accent, "/");
        let line = if list.filter.is_empty() {
            line.muted(" none")
        } else {
            line.bold(Role::Strong, format!(" {}", list.filter))
        };
        let line = match list.marks().len() {
            0 => line,
            n => line.gap(3).bold(
                Role::Accent,
                format!("{MARK} {} marked", text::count(n as u64)),
            ),
        };
        let total = list.total().unwrap_or(0);
        let (above, below) = list.hidden();
        let shown = total.saturating_sub(above + below);
        let line = line.gap(6).muted(format!(
            "{} of {} shown",
            text::count(shown),
            text::count(total)
        ));
        let line = if above > 0 {
            line.muted(format!("   {} above ↑", text::count(above)))
        } else {
            line
        };
        let line = if below > 0 {
            line.muted(format!("   {} below ↓", text::count(below)))
        } else {
            line
        };
        match list.feed().failure() {
            Some(failure) if list.feed().data().is_some() => {
                line.gap(3).put(Role::Failed, format!("✗ {}", failure.text))
            }
            _ => line,
        }
    }
}

impl<T: Row + Clone + Serialize> Listed<T> {
    /// The row under the cursor as verbs take it.
    pub(super) fn current<'a>(&'a self, subject: fn(&'a T) -> Subject<'a>) -> Vec<Subject<'a>> {
        self.list.current().map(subject).into_iter().collect()
    }

    /// The marked rows as verbs take them.
    pub(super) fn marked<'a>(&'a self, subject: fn(&'a T) -> Subject<'a>) -> Vec<Subject<'a>> {
        self.list.marks().rows().map(subject).collect()
    }

    /// Draws the table, or what stands in its place: why there are no rows, or what `empty` says of a list without any.
    pub(super) fn draw(
        &self,
        pen: &mut Pen,
        area: Rect,
        scene: &Scene,
        cells: impl Fn(&T) -> Vec<Line>,
        empty: impl FnOnce() -> Vec<Line>,
    ) {
        let (airy, list) = (scene.shell.is_airy(), &self.list);
        if list.ages() {
            scene.now.wake_in(AGES);
        }
        pen.first = list.hidden().0;
        table::draw(
            pen,
            area,
            airy,
            self.columns,
            list.order,
            list.visible(),
            cells,
        );
        let first = area.y + table::head_height(airy);
        for (y, (row, _)) in (first..area.bottom()).zip(list.visible()) {
            if row.is_some_and(|row| list.marks().holds(row.id())) {
                pen.line(area.x, y, 1, &Line::new().bold(Role::Accent, MARK));
            }
        }
        let nothing = || (list.total() == Some(0)).then(empty);
        if let Some(lines) = instead(list.feed(), scene, area.width).or_else(nothing) {
            let y = area.y + table::head_height(airy);
            let room = Rect {
                x: 1,
                y,
                width: area.width.saturating_sub(2),
                height: area.bottom().saturating_sub(y),
            };
            pen.lines(room, &lines);
        }
    }
}

/// What a list says when `what` is none: no row that matches its filter.
pub(super) fn unmatched(what: &str, shell: &Shell) -> Vec<Line> {
    vec![
        Line::new()
            .text(format!("{what} matches the filter.  "))
            .key(shell.key(Cmd::Back), "clears it"),
    ]
}
