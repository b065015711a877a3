//! A sorted list in chunks: the one structure behind the waiting line and behind the nodes by free capacity.
//!
//! Knows nothing of what it holds but its key. A tree would do each operation in `O(log n)` too, but the standard one
//! can neither tell the place of an item nor skip a part that holds nothing of use; chunks of at most [`CHUNK`] items
//! do both with little code and little memory. Finding is a binary search, changing moves at most one chunk, a place
//! adds up the lengths of the chunks before it.

/// Most items of a chunk: 6 KiB of waiting runs, moved in about 100 ns.
const CHUNK: usize = 128;

/// What can stand in an [`Ordered`].
pub(crate) trait Item: Copy {
    /// What it is sorted by; unique in a list.
    type Key: Ord + Copy;
    /// What is remembered of a chunk, so that a search may skip it.
    type Mark: Copy + std::fmt::Debug;
    /// Its key.
    fn key(&self) -> Self::Key;
    /// The mark of a chunk.
    fn mark(chunk: &[Self]) -> Self::Mark;
}

#[derive(Clone, Debug)]
struct Chunk<T: Item> {
    items: Vec<T>,
    mark: T::Mark,
}

impl<T: Item> Chunk<T> {
    fn new(items: Vec<T>) -> Self {
        let mark = T::mark(&items);
        Self { items, mark }
    }

    fn position(&self, key: &T::Key) -> Result<usize, usize> {
        self.items.binary_search_by(|item| item.key().cmp(key))
    }

    /// Chunks are never empty, so the fallback is never taken.
    fn ends_before(&self, key: &T::Key) -> bool {
        self.items.last().is_none_or(|last| last.key() < *key)
    }
}

/// A sorted list of items with unique keys.
#[derive(Clone, Debug)]
pub(crate) struct Ordered<T: Item> {
    chunks: Vec<Chunk<T>>,
    len: usize,
}

impl<T: Item> Default for Ordered<T> {
    fn default() -> Self {
        Self {
            chunks: Vec::new(),
            len: 0,
        }
    }
}

impl<T: Item> Ordered<T> {
    /// Number of items.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Whether it holds nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The item with the least key.
    pub(crate) fn first(&self) -> Option<&T> {
        self.chunks.first()?.items.first()
    }

    /// The item with the greatest key.
    pub(crate) fn last(&self) -> Option<&T> {
        self.chunks.last()?.items.last()
    }

    /// The item of that key.
    pub(crate) fn get(&self, key: &T::Key) -> Option<&T> {
        let chunk = self.chunks.get(self.chunk_of(key))?;
        chunk.position(key).ok().map(|at| &chunk.items[at])
    }

    /// Puts an item where it belongs; false, and nothing done, when its key is there already.
    pub(crate) fn insert(&mut self, item: T) -> bool {
        let key = item.key();
        let mut at = self.chunk_of(&key);
        if at == self.chunks.len() {
            // After all others: a full last chunk is left full, so that a line that grows at its end wastes nothing.
            match self.chunks.last() {
                Some(last) if last.items.len() < CHUNK => at -= 1,
                _ => self.chunks.push(Chunk::new(Vec::new())),
            }
        }
        let chunk = &mut self.chunks[at];
        let Err(position) = chunk.position(&key) else {
            return false;
        };
        chunk.items.insert(position, item);
        if chunk.items.len() > CHUNK {
            let tail = chunk.items.split_off(CHUNK / 2);
            chunk.items.shrink_to_fit();
            self.chunks.insert(at + 1, Chunk::new(tail));
        }
        self.remark(at);
        self.len += 1;
        true
    }

    /// Takes the item of that key out.
    pub(crate) fn remove(&mut self, key: &T::Key) -> Option<T> {
        let at = self.chunk_of(key);
        let chunk = self.chunks.get_mut(at)?;
        let item = chunk.items.remove(chunk.position(key).ok()?);
        self.len -= 1;
        if chunk.items.is_empty() {
            self.chunks.remove(at);
        } else {
            self.remark(at);
            self.join(at);
        }
        self.join(at.saturating_sub(1));
        Some(item)
    }

    /// Number of items with a lesser key.
    pub(crate) fn rank(&self, key: &T::Key) -> usize {
        let at = self.chunk_of(key);
        let before: usize = self.chunks[..at]
            .iter()
            .map(|chunk| chunk.items.len())
            .sum();
        before
            + self
                .chunks
                .get(at)
                .map_or(0, |chunk| chunk.position(key).unwrap_or_else(|at| at))
    }

    /// The items in order, without the first `skip`.
    pub(crate) fn iter_from(&self, skip: usize) -> impl Iterator<Item = &T> {
        let (mut at, mut left) = (0, skip);
        while self
            .chunks
            .get(at)
            .is_some_and(|chunk| chunk.items.len() <= left)
        {
            left -= self.chunks[at].items.len();
            at += 1;
        }
        self.chunks[at..]
            .iter()
            .flat_map(|chunk| &chunk.items)
            .skip(left)
    }

    /// The chunks with their marks, from the first item that is not `before`; `before` must hold for a first part of
    /// the list and for nothing after it.
    pub(crate) fn chunks_from(
        &self,
        before: impl Fn(&T) -> bool,
    ) -> impl Iterator<Item = (T::Mark, &[T])> {
        let at = self
            .chunks
            .partition_point(|chunk| chunk.items.last().is_none_or(&before));
        let mut skip = self
            .chunks
            .get(at)
            .map_or(0, |chunk| chunk.items.partition_point(&before));
        self.chunks[at..]
            .iter()
            .map(move |chunk| (chunk.mark, &chunk.items[std::mem::take(&mut skip)..]))
    }

    /// Index of the chunk that holds `key` if any does.
    fn chunk_of(&self, key: &T::Key) -> usize {
        self.chunks.partition_point(|chunk| chunk.ends_before(key))
    }

    fn remark(&mut self, at: usize) {
        let chunk = &mut self.chunks[at];
        chunk.mark = T::mark(&chunk.items);
    }

    /// Joins a chunk with its successor if both fill no more than half of one, so that the number of chunks stays
    /// within a constant factor of the items.
    fn join(&mut self, at: usize) {
        let lens = self.chunks.get(at).zip(self.chunks.get(at + 1));
        if lens.is_some_and(|(chunk, next)| chunk.items.len() + next.items.len() <= CHUNK / 2) {
            let next = self.chunks.remove(at + 1);
            self.chunks[at].items.extend(next.items);
            self.remark(at);
        }
    }

    /// Panics when an inner promise is broken.
    #[cfg(test)]
    pub(crate) fn check_invariants(&self)
    where
        T::Mark: PartialEq,
    {
        let keys: Vec<_> = self.iter_from(0).map(Item::key).collect();
        assert!(
            keys.windows(2).all(|pair| pair[0] < pair[1]),
            "sorted and unique"
        );
        assert_eq!(keys.len(), self.len);
        assert!(
            self.chunks
                .iter()
                .all(|chunk| (1..=CHUNK).contains(&chunk.items.len()))
        );
        assert!(
            self.chunks
                .iter()
                .all(|chunk| chunk.mark == T::mark(&chunk.items))
        );
        assert!(
            self.chunks.len() <= 1 + 4 * self.len.div_ceil(CHUNK),
            "{} chunks for {}",
            self.chunks.len(),
            self.len
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    impl Item for u32 {
        type Key = u32;
        type Mark = u32;
        fn key(&self) -> u32 {
            *self
        }
        fn mark(chunk: &[u32]) -> u32 {
            chunk.iter().map(|item| item % 100).max().unwrap_or(0)
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn it_does_what_a_sorted_vector_does(steps in proptest::collection::vec((any::<bool>(), 0_u32..700), 1..1500)) {
            let mut list = Ordered::default();
            let mut plain: Vec<u32> = Vec::new();
            for (add, key) in steps {
                match plain.binary_search(&key) {
                    Ok(at) if !add => {
                        plain.remove(at);
                        assert_eq!(list.remove(&key), Some(key));
                    }
                    Err(at) if add => {
                        plain.insert(at, key);
                        assert!(list.insert(key));
                    }
                    Ok(_) => assert!(!list.insert(key)),
                    Err(_) => assert_eq!(list.remove(&key), None),
                }
                assert_eq!(list.rank(&key), plain.partition_point(|item| *item < key));
                assert_eq!(list.get(&key).is_some(), plain.binary_search(&key).is_ok());
            }
            list.check_invariants();
            assert_eq!((list.first(), list.last()), (plain.first(), plain.last()));
            for skip in [0, 1, 127, 128, 129, 300, plain.len(), plain.len() + 1] {
                let rest: Vec<u32> = list.iter_from(skip).copied().collect();
                assert_eq!(rest, plain.iter().skip(skip).copied().collect::<Vec<_>>());
                let from = u32::try_from(skip).unwrap();
                let rest: Vec<u32> = list.chunks_from(|item| *item < from).flat_map(|(_, items)| items).copied().collect();
                assert_eq!(rest, plain.iter().filter(|item| **item >= from).copied().collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn chunks_do_not_pile_up_when_items_come_and_go() {
        let mut list = Ordered::default();
        (0..20_000).for_each(|key| assert!(list.insert(key)));
        (0..20_000)
            .filter(|key| key % 64 != 0)
            .for_each(|key| assert!(list.remove(&key).is_some()));
        list.check_invariants();
        (0..20_000)
            .rev()
            .for_each(|key| assert_eq!(list.insert(key), key % 64 != 0));
        list.check_invariants();
        (0..20_000).for_each(|key| assert!(list.remove(&key).is_some()));
        assert!(list.is_empty() && list.chunks.is_empty());
    }
}
