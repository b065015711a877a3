//! How long builds and jobs usually take, each looked up once for an answer.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::view::View;
use crate::pipeline::usual::Usual;
use crate::store::{ReadPool, StoreError};

/// What was looked up so far; for one answer only, it does not grow old.
#[derive(Debug)]
pub struct Usuals<'v> {
    store: &'v ReadPool,
    /// By row number of the project; those of builds are of no job.
    known: HashMap<(i64, Option<String>), Option<Usual>>,
}

impl View {
    /// How long things usually take, to be asked for one answer.
    #[must_use]
    pub fn usuals(&self) -> Usuals<'_> {
        Usuals {
            store: &self.store,
            known: HashMap::new(),
        }
    }
}

impl Usuals<'_> {
    /// How long builds of a project usually take, once some ended well.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn build(&mut self, project: i64) -> Result<Option<Usual>, StoreError> {
        let store = self.store;
        self.once(project, None, || store.build_durations(project))
    }

    /// How long a job of a project usually takes, once it ended well.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn run(&mut self, project: i64, job: &str) -> Result<Option<Usual>, StoreError> {
        let store = self.store;
        self.once(project, Some(job), || store.run_durations(project, job))
    }

    fn once(
        &mut self,
        project: i64,
        job: Option<&str>,
        past: impl FnOnce() -> Result<Vec<i64>, StoreError>,
    ) -> Result<Option<Usual>, StoreError> {
        match self.known.entry((project, job.map(str::to_owned))) {
            Entry::Occupied(known) => Ok(*known.get()),
            Entry::Vacant(place) => Ok(*place.insert(median(past()?))),
        }
    }
}

/// The median in ms, of past ones.
fn median(mut past: Vec<i64>) -> Option<Usual> {
    past.sort_unstable();
    let ms = *past.get(past.len() / 2)?;
    Some(Usual {
        ms: u64::try_from(ms).ok()?,
        of: u32::try_from(past.len()).unwrap_or(u32::MAX),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_the_middle() {
        assert_eq!(median(vec![9, 1, 5]), Some(Usual { ms: 5, of: 3 }));
        assert_eq!(median(vec![]), None);
    }
}
