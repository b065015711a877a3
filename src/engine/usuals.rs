//! How long builds and jobs usually take, each looked up once for an answer.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::view::View;
use crate::ids::PipelineId;
use crate::pipeline::usual::Usual;
use crate::store::{ReadPool, StoreError};

/// What was looked up so far; for one answer only, it does not grow old.
#[derive(Debug)]
pub struct Usuals<'v> {
    store: &'v ReadPool,
    /// By title of the project; those of builds are of no job.
    known: HashMap<(String, Option<String>), Option<Usual>>,
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
    /// How long builds of this one's project, which has this title, usually take, once some ended well.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn build(&mut self, id: PipelineId, title: &str) -> Result<Option<Usual>, StoreError> {
        let store = self.store;
        self.once(title, None, || store.build_durations(id))
    }

    /// How long a job of a project usually takes, once it ended well.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn run(&mut self, title: &str, job: &str) -> Result<Option<Usual>, StoreError> {
        let store = self.store;
        self.once(title, Some(job), || store.run_durations(title, job))
    }

    fn once(
        &mut self,
        title: &str,
        job: Option<&str>,
        past: impl FnOnce() -> Result<Vec<i64>, StoreError>,
    ) -> Result<Option<Usual>, StoreError> {
        match self.known.entry((title.to_owned(), job.map(str::to_owned))) {
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
