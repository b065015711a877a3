//! Nodes sorted by what they have of cpu and memory, so that the tightest that fits is found without a scan.
//!
//! Knows no names and no states: whoever keeps a list decides which nodes stand in it and with which numbers.

use crate::ids::NodeId;
use crate::queue::ordered::{Item, Ordered};

/// So much cpu and memory on a node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Room {
    pub(super) cpu_millis: u32,
    pub(super) memory_mb: u32,
    pub(super) node: NodeId,
}

impl Item for Room {
    type Key = (u32, u32, NodeId);
    /// The most memory of any: a chunk with less than what is asked for is skipped.
    type Mark = u32;
    fn key(&self) -> Self::Key {
        (self.cpu_millis, self.memory_mb, self.node)
    }
    fn mark(chunk: &[Self]) -> u32 {
        chunk.iter().map(|room| room.memory_mb).max().unwrap_or(0)
    }
}

/// Rooms by cpu, then memory, then node: 10,000 of them are about 150 chunks.
#[derive(Clone, Debug, Default)]
pub(super) struct Rooms(Ordered<Room>);

impl Rooms {
    pub(super) fn insert(&mut self, room: Room) {
        self.0.insert(room);
    }

    pub(super) fn remove(&mut self, room: Room) {
        self.0.remove(&room.key());
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The room with the least cpu, then the least memory, among those that have at least so much of each.
    pub(super) fn tightest(&self, cpu_millis: u32, memory_mb: u32) -> Option<Room> {
        let chunks = self.0.chunks_from(|room| room.cpu_millis < cpu_millis);
        let mut wide = chunks.filter(|(most, _)| *most >= memory_mb);
        wide.find_map(|(_, rooms)| rooms.iter().find(|room| room.memory_mb >= memory_mb))
            .copied()
    }

    /// The tightest room of each level of cpu from `cpu_millis` up.
    pub(super) fn levels(&self, cpu_millis: u32, memory_mb: u32) -> impl Iterator<Item = Room> {
        let first = self.tightest(cpu_millis, memory_mb);
        std::iter::successors(first, move |room| {
            self.tightest(room.cpu_millis.checked_add(1)?, memory_mb)
        })
    }

    /// The room with the most cpu, of those the one with the most memory.
    pub(super) fn most_cpu(&self) -> Option<Room> {
        self.0.last().copied()
    }

    /// The room with the most memory among those with at least so much cpu, of those the one with the least cpu.
    pub(super) fn most_memory(&self, cpu_millis: u32) -> Option<Room> {
        let mut chunks = self
            .0
            .chunks_from(|room| room.cpu_millis < cpu_millis)
            .map(|(most, rooms)| (rooms, most));
        // The mark of the first chunk may be that of a room that has too little cpu.
        let first = chunks.next().map(|(rooms, _)| (rooms, Room::mark(rooms)))?;
        let (rooms, most) = chunks.fold(
            first,
            |best, chunk| if chunk.1 > best.1 { chunk } else { best },
        );
        rooms.iter().find(|room| room.memory_mb == most).copied()
    }

    /// All, in order.
    #[cfg(test)]
    pub(super) fn all(&self) -> Vec<Room> {
        self.0.check_invariants();
        self.0.iter_from(0).copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn every_question_is_answered_as_by_a_scan(
            sizes in proptest::collection::vec((0_u32..12, 0_u32..12), 1..400),
            asked in proptest::collection::vec((0_u32..13, 0_u32..13), 20),
        ) {
            let mut rooms = Rooms::default();
            for (cpu_millis, memory_mb) in sizes {
                rooms.insert(Room { cpu_millis, memory_mb, node: NodeId::fresh() });
            }
            let all = rooms.all();
            let fitting = |cpu: u32, memory: u32| {
                all.iter().filter(move |room| room.cpu_millis >= cpu && room.memory_mb >= memory).copied()
            };
            for (cpu, memory) in asked {
                assert_eq!(rooms.tightest(cpu, memory), fitting(cpu, memory).min_by_key(Item::key));
                let mut levels: Vec<u32> = fitting(cpu, memory).map(|room| room.cpu_millis).collect();
                levels.dedup();
                assert_eq!(rooms.levels(cpu, memory).map(|room| room.cpu_millis).collect::<Vec<_>>(), levels);
                let most = rooms.most_memory(cpu).map(|room| room.memory_mb);
                assert_eq!(most, fitting(cpu, 0).map(|room| room.memory_mb).max());
            }
            assert_eq!(rooms.most_cpu().map(|room| room.cpu_millis), all.iter().map(|room| room.cpu_millis).max());
        }
    }
}
