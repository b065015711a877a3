//! Marks on the rows of a list. They follow the ids of rows, so they outlive scrolling, filters and another order.
//!
//! A copy of each marked row is kept, as it was last seen: what is done with many rows needs those off the screen too.
//! Pure.

use std::collections::BTreeMap;

use super::Row;

/// Most marks, and most rows of a range: a window of the server holds no more.
pub const MOST: usize = 1000;

/// The marks of a list.
#[derive(Debug)]
pub struct Marks<T> {
    rows: BTreeMap<String, T>,
    /// Row that was marked last, and its index as last known: where a range begins.
    anchor: Option<(String, u64)>,
    /// A range to this row waits for those between to be read.
    reach: Option<String>,
}

impl<T> Default for Marks<T> {
    fn default() -> Self {
        Self {
            rows: BTreeMap::new(),
            anchor: None,
            reach: None,
        }
    }
}

impl<T: Row + Clone> Marks<T> {
    /// Number of marked rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether this row is marked.
    pub fn holds(&self, id: &str) -> bool {
        self.rows.contains_key(id)
    }

    /// The marked rows as they were last seen, oldest id first.
    pub fn rows(&self) -> impl Iterator<Item = &T> {
        self.rows.values()
    }

    /// Takes all marks away.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Another order or filter: indices mean nothing any more, the marks stay.
    pub fn reorder(&mut self) {
        self.anchor = None;
        self.reach = None;
    }

    /// Marks a row at this index, or takes its mark away.
    pub fn toggle(&mut self, row: &T, index: u64) -> Result<(), String> {
        self.reach = None;
        if self.rows.remove(row.id()).is_some() {
            self.anchor = None;
            return Ok(());
        }
        self.put(row)?;
        self.anchor = Some((row.id().to_owned(), index));
        Ok(())
    }

    fn put(&mut self, row: &T) -> Result<(), String> {
        if self.rows.len() >= MOST && !self.holds(row.id()) {
            return Err(format!("{MOST} rows are the most that can be marked"));
        }
        self.rows.insert(row.id().to_owned(), row.clone());
        Ok(())
    }

    /// Wants all rows marked from the last mark to this one.
    pub fn reach_to(&mut self, row: &T, index: u64) -> Result<(), String> {
        let Some((_, from)) = &self.anchor else {
            return Err("Space marks where a range begins; then v marks up to the cursor".into());
        };
        if from.abs_diff(index) >= MOST as u64 {
            return Err(format!("a range spans {MOST} rows at most"));
        }
        self.reach = Some(row.id().to_owned());
        Ok(())
    }

    /// First and last index of the range that waits, with the cursor at this one.
    pub fn waits_for(&self, index: u64) -> Option<(u64, u64)> {
        self.reach.as_ref()?;
        let (_, from) = self.anchor.as_ref()?;
        Some(((*from).min(index), (*from).max(index)))
    }

    /// Rows were read: marked ones are kept as they are now, and a range that waits is marked once all of it is there.
    pub fn seen(&mut self, offset: u64, rows: &[T], cursor: u64) -> Result<(), String> {
        for (index, row) in (offset..).zip(rows) {
            if let Some(kept) = self.rows.get_mut(row.id()) {
                kept.clone_from(row);
            }
            if let Some((id, at)) = &mut self.anchor
                && id == row.id()
            {
                *at = index;
            }
        }
        let Some((from, to)) = self.waits_for(cursor) else {
            return Ok(());
        };
        if from < offset || to >= offset + rows.len() as u64 {
            return Ok(());
        }
        let end = self.reach.take();
        for (index, row) in (offset..).zip(rows) {
            if (from..=to).contains(&index) {
                self.put(row)?;
            }
        }
        self.anchor = end.map(|id| (id, cursor));
        Ok(())
    }
}
