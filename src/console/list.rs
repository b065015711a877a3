//! A list of any length of which only a window is held: cursor, scroll, filter, order.
//!
//! The cursor follows the id of a row, and stays on its line of the screen while rows come and go around it. Pure.

use std::time::Duration;

use roundel::api::{ListQuery, Page};
use roundel::clock::Timestamp;

use crate::console::action::{Action, Slot, Want};
use crate::console::event::Failure;
use crate::console::feed::Feed;
use crate::console::keymap::Cmd;

mod marks;

use marks::Marks;

/// How often a list is asked for that changes by time alone.
pub const AGES: Duration = Duration::from_secs(2);

/// A row of a list.
pub trait Row {
    /// What names it for as long as it lives.
    fn id(&self) -> &str;
}

/// How a list is ordered: an API column, ascending or descending.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Order {
    /// Column name of the API; empty = the list's own order.
    pub column: &'static str,
    /// Largest first.
    pub descending: bool,
}

impl Order {
    fn query(self) -> String {
        if self.column.is_empty() {
            String::new()
        } else {
            format!("{}{}", if self.descending { "-" } else { "" }, self.column)
        }
    }
}

/// Stands for the last row of a list of which nothing is known yet.
const UNKNOWN: u64 = 1 << 40;

/// A windowed list.
#[derive(Debug)]
pub struct List<T> {
    feed: Feed<Page<T>>,
    want: fn(ListQuery) -> Want,
    state: &'static str,
    /// Words that filter it.
    pub filter: String,
    /// Its order.
    pub order: Order,
    /// Filter and order of the last question.
    asked: (String, Order),
    /// When that was.
    asked_at: Timestamp,
    selected: Option<String>,
    /// Index of the cursor in the whole list, as last known.
    index: u64,
    /// Index of the first row on the screen.
    top: u64,
    height: u16,
    /// Nobody has moved the cursor: the list shows its top.
    untouched: bool,
    marks: Marks<T>,
}

impl<T: Row + Clone> List<T> {
    /// An empty list that asks for `want`, of runs in this `state`.
    pub fn new(want: fn(ListQuery) -> Want, state: &'static str, order: Order) -> Self {
        Self {
            feed: Feed::default(),
            want,
            state,
            filter: String::new(),
            order,
            asked: (String::new(), order),
            asked_at: Timestamp(0),
            selected: None,
            index: 0,
            top: 0,
            height: 0,
            untouched: true,
            marks: Marks::default(),
        }
    }

    /// How its data stands.
    pub fn feed(&self) -> &Feed<Page<T>> {
        &self.feed
    }

    /// The same, to mark it.
    pub fn feed_mut(&mut self) -> &mut Feed<Page<T>> {
        &mut self.feed
    }

    /// Number of rows that match the filter, as last answered.
    pub fn total(&self) -> Option<u64> {
        self.feed.data().map(|page| page.total)
    }

    /// Tells how many rows the screen shows, and answers the fetch that is due.
    pub fn need(&mut self, height: u16, now: Timestamp) -> Option<Action> {
        if self.height != height {
            self.height = height;
            self.settle();
        }
        if self.ages() && now.since(self.asked_at) >= AGES {
            self.feed.touch();
        }
        let range = self.marks.waits_for(self.index);
        let shown =
            range.is_none() && self.covers() && self.asked == (self.filter.clone(), self.order);
        if shown && !self.feed.is_stale() {
            return None;
        }
        self.asked = (self.filter.clone(), self.order);
        self.asked_at = now;
        let screen = u64::from(height.max(1));
        // Two screenfuls to either side of the cursor, so that moving never shows a gap and mostly asks nothing.
        let query = ListQuery {
            filter: self.filter.clone(),
            sort: self.order.query(),
            limit: Some((4 * screen).min(1000)),
            offset: Some(if self.untouched {
                0
            } else {
                self.index.saturating_sub(2 * screen)
            }),
            around: if self.untouched {
                None
            } else {
                self.selected.clone()
            },
            state: self.state.to_owned(),
        };
        let query = match range {
            Some((from, to)) => {
                let span = to - from + 1;
                let margin = ((marks::MOST as u64).saturating_sub(span) / 2).min(screen);
                ListQuery {
                    limit: Some(span + 2 * margin),
                    offset: Some(from.saturating_sub(margin)),
                    around: None,
                    ..query
                }
            }
            None => query,
        };
        let want = (self.want)(query);
        if shown {
            self.feed.renew(Slot::Rows, want, now)
        } else {
            self.feed.need(Slot::Rows, want, now)
        }
    }

    /// What matches its filter depends on the time alone, too.
    pub fn ages(&self) -> bool {
        self.filter.contains("status:slow")
    }

    /// Whether the window holds the screen and half a screen to either side.
    fn covers(&self) -> bool {
        let Some(page) = self.feed.data() else {
            return false;
        };
        let height = u64::from(self.height);
        let from = self.top.saturating_sub(height / 2);
        let to = (self.top + height + height / 2).min(page.total);
        page.offset <= from && to <= page.offset + page.rows.len() as u64
    }

    /// Takes a window that was asked for.
    pub fn accept(&mut self, asked: &Want, answer: Result<Page<T>, Failure>) {
        let of = self.want;
        let (filter, sort) = (self.filter.clone(), self.order.query());
        let fits = |_: &Want| {
            matches!(asked, Want::Runs(q) | Want::Pipelines(q) | Want::Nodes(q) | Want::Audit(q)
            if q.filter == filter && q.sort == sort && std::mem::discriminant(asked) == std::mem::discriminant(&of(ListQuery::default())))
        };
        let screen_row = self.index.saturating_sub(self.top);
        if !self.feed.accept(asked, answer, fits) {
            return;
        }
        let Some(page) = self.feed.data() else { return };
        let place = self
            .selected
            .as_ref()
            .and_then(|id| page.rows.iter().position(|row| row.id() == id));
        match place {
            Some(i) => {
                self.index = page.offset + i as u64;
                self.top = if self.untouched {
                    self.top
                } else {
                    self.index.saturating_sub(screen_row)
                };
                if self.untouched && self.index >= self.top + u64::from(self.height.max(1)) {
                    self.select(self.top);
                }
            }
            None if self.untouched => self.select(0),
            None if self.row_at(self.index).is_some() || self.index >= page.total => {
                self.select(self.index);
            }
            // An answer to an older question, from before the cursor jumped.
            None => {}
        }
        self.settle();
        if let Some(page) = self.feed.data() {
            // More rows than can be marked were refused when the range was asked for.
            _ = self.marks.seen(page.offset, &page.rows, self.index);
        }
    }

    /// Marks the row under the cursor, or takes its mark away, and goes one down; or marks all from the last mark to it.
    ///
    /// # Errors
    /// Why nothing is marked.
    pub fn mark(&mut self, range: bool) -> Result<(), String> {
        let (index, page) = (self.index, self.feed.data());
        let at = page.and_then(|page| Some((page, index.checked_sub(page.offset)?)));
        let row = at.and_then(|(page, i)| page.rows.get(usize::try_from(i).ok()?));
        let (Some(page), Some(row)) = (page, row) else {
            return Err("there is no row here to mark".to_owned());
        };
        if range {
            self.marks.reach_to(row, index)?;
            return self.marks.seen(page.offset, &page.rows, index);
        }
        self.marks.toggle(row, index)?;
        self.movement(Cmd::Down);
        Ok(())
    }

    /// The marks.
    pub fn marks(&self) -> &Marks<T> {
        &self.marks
    }

    /// Takes all marks away.
    pub fn clear_marks(&mut self) {
        self.marks.clear();
    }

    /// Moves the cursor; false when the command is no movement.
    pub fn movement(&mut self, cmd: Cmd) -> bool {
        let page = u64::from(self.height.max(2)) - 1;
        let last = self.last();
        let to = match cmd {
            Cmd::Up => self.index.saturating_sub(1),
            Cmd::Down => self.index + 1,
            Cmd::PageUp => self.index.saturating_sub(page),
            Cmd::PageDown => self.index + page,
            Cmd::HalfUp => self.index.saturating_sub(page / 2),
            Cmd::HalfDown => self.index + page / 2,
            Cmd::Top => 0,
            Cmd::Bottom => last,
            _ => return false,
        };
        self.untouched = to == 0 && cmd == Cmd::Top;
        self.select(to.min(last));
        self.settle();
        true
    }

    /// Puts the cursor on a row; true when it was there already.
    pub fn point(&mut self, index: u64) -> bool {
        let here = self.index == index;
        if !here {
            self.untouched = false;
            self.select(index);
            self.settle();
        }
        here
    }

    /// Scrolls by some lines, down or up where negative; the cursor stays on the screen.
    pub fn scroll(&mut self, lines: i32) {
        let height = u64::from(self.height.max(1));
        let last = self.total().unwrap_or(0).saturating_sub(height);
        let top = self.top.saturating_add_signed(lines.into()).min(last);
        let index = self.index.clamp(top, top + height - 1);
        self.top = top;
        if index != self.index {
            self.untouched = false;
            self.select(index);
        }
    }

    /// Changes the filter.
    pub fn set_filter(&mut self, words: &str) {
        if self.filter != words {
            words.clone_into(&mut self.filter);
            self.restart();
        }
    }

    /// Changes the order; the same column again turns it round.
    pub fn order_by(&mut self, column: &'static str) {
        let descending = self.order.column == column && !self.order.descending;
        self.order = Order { column, descending };
        self.restart();
    }

    fn restart(&mut self) {
        self.top = 0;
        self.index = 0;
        self.selected = None;
        self.untouched = true;
        self.marks.reorder();
    }

    /// Index of the last row. Keys that are faster than the first rows count, so the list may have any length until then.
    fn last(&self) -> u64 {
        self.total()
            .map_or(UNKNOWN, |total| total.saturating_sub(1))
    }

    fn select(&mut self, index: u64) {
        self.index = index.min(self.last());
        self.selected = self.row_at(self.index).map(|row| row.id().to_owned());
    }

    /// Keeps the cursor on the screen, and the screen within the list.
    fn settle(&mut self) {
        let height = u64::from(self.height.max(1));
        let total = self.total().unwrap_or(UNKNOWN);
        self.top = self.top.min(total.saturating_sub(height));
        self.top = self
            .top
            .clamp((self.index + 1).saturating_sub(height), self.index);
    }

    fn row_at(&self, index: u64) -> Option<&T> {
        let page = self.feed.data()?;
        page.rows
            .get(usize::try_from(index.checked_sub(page.offset)?).ok()?)
    }

    /// The row under the cursor.
    pub fn current(&self) -> Option<&T> {
        self.row_at(self.index)
    }

    /// The rows of the window, all of them.
    #[cfg(test)]
    pub fn rows(&self) -> &[T] {
        self.feed.data().map_or(&[], |page| &page.rows)
    }

    /// The rows on the screen from the top, with whether the cursor is there; `None` where one is not here yet.
    pub fn visible(&self) -> impl Iterator<Item = (Option<&T>, bool)> {
        let shown = self
            .total()
            .unwrap_or(0)
            .saturating_sub(self.top)
            .min(u64::from(self.height));
        (self.top..self.top + shown).map(|index| (self.row_at(index), index == self.index))
    }

    /// Rows above and below the screen.
    pub fn hidden(&self) -> (u64, u64) {
        let total = self.total().unwrap_or(0);
        (
            self.top,
            total.saturating_sub(self.top + u64::from(self.height)),
        )
    }
}

#[cfg(test)]
mod tests;
