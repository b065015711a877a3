//! One entry of a log's index: where a record lies, and the running totals before it.
//!
//! Knows the form on disk (64 bytes, little endian) and nothing of logs.

use std::path::{Path, PathBuf};

use memchr::memchr_iter;

/// Size of an entry on disk.
pub(super) const SIZE: u64 = 64;

/// Path of the index beside a log.
pub(super) fn index_path(log: &Path) -> PathBuf {
    log.with_extension("idx")
}

/// One record of a log.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Entry {
    /// Position of its first byte in the log.
    pub offset: u64,
    /// Arrival, unix microseconds; never before that of the entry before.
    pub micros: i64,
    /// Sequence number of the record.
    pub seq: u64,
    /// Line ends before it, both streams.
    pub lines_before: u64,
    /// Bytes of its own stream before it.
    pub stream_before: u64,
    /// Line ends of its own stream before it.
    pub stream_lines_before: u64,
    /// Its length.
    pub len: u32,
    /// Line ends in it.
    pub lines: u32,
    /// 1 = stdout, 2 = stderr.
    pub stream: u8,
}

impl Entry {
    /// The position after its last byte.
    pub(super) fn end(&self) -> u64 {
        self.offset + u64::from(self.len)
    }

    /// Bytes before it, of one stream or of both. There are exactly two streams, so the other one has the rest.
    pub(super) fn bytes_before(&self, stream: Option<u8>) -> u64 {
        match stream {
            None => self.offset,
            Some(stream) if stream == self.stream => self.stream_before,
            Some(_) => self.offset - self.stream_before,
        }
    }

    /// Line ends before it, of one stream or of both.
    pub(super) fn newlines_before(&self, stream: Option<u8>) -> u64 {
        match stream {
            None => self.lines_before,
            Some(stream) if stream == self.stream => self.stream_lines_before,
            Some(_) => self.lines_before - self.stream_lines_before,
        }
    }

    /// Whether it counts for `stream`.
    pub(super) fn is_of(&self, stream: Option<u8>) -> bool {
        stream.is_none_or(|stream| stream == self.stream)
    }

    /// Bytes up to and with it, of one stream or of both.
    pub(super) fn bytes_after(&self, stream: Option<u8>) -> u64 {
        self.bytes_before(stream)
            + if self.is_of(stream) {
                u64::from(self.len)
            } else {
                0
            }
    }

    /// Line ends up to and with it, of one stream or of both.
    pub(super) fn newlines_after(&self, stream: Option<u8>) -> u64 {
        self.newlines_before(stream)
            + if self.is_of(stream) {
                u64::from(self.lines)
            } else {
                0
            }
    }

    /// Whether it is the one after `last` in an index, or its first.
    pub(super) fn follows(&self, last: Option<&Entry>) -> bool {
        let expected = Entry {
            seq: self.seq,
            len: self.len,
            lines: self.lines,
            ..Entry::after(last, self.micros, self.stream)
        };
        *self == expected
    }

    /// The entry that follows it for `bytes` on `stream`.
    pub(super) fn next(
        last: Option<&Entry>,
        seq: u64,
        micros: i64,
        stream: u8,
        bytes: &[u8],
    ) -> Entry {
        Entry {
            seq,
            len: u32::try_from(bytes.len()).unwrap_or(u32::MAX),
            lines: u32::try_from(newlines(bytes)).unwrap_or(u32::MAX),
            ..Entry::after(last, micros, stream)
        }
    }

    /// An entry without bytes after `last`, with the totals before it.
    fn after(last: Option<&Entry>, micros: i64, stream: u8) -> Entry {
        let before =
            |total: fn(&Entry, Option<u8>) -> u64, of| last.map_or(0, |last| total(last, of));
        Entry {
            offset: last.map_or(0, Entry::end),
            // A clock that was set back must not: what came at a moment is found by bisecting.
            micros: last.map_or(micros, |last| last.micros.max(micros)),
            lines_before: before(Entry::newlines_after, None),
            stream_before: before(Entry::bytes_after, Some(stream)),
            stream_lines_before: before(Entry::newlines_after, Some(stream)),
            stream,
            ..Entry::default()
        }
    }

    /// The form on disk.
    pub(super) fn encode(&self) -> [u8; SIZE as usize] {
        let mut out = [0; SIZE as usize];
        let words = [
            self.offset,
            self.micros.cast_unsigned(),
            self.seq,
            self.lines_before,
            self.stream_before,
            self.stream_lines_before,
        ];
        for (slot, word) in out.chunks_exact_mut(8).zip(words) {
            slot.copy_from_slice(&word.to_le_bytes());
        }
        out[48..52].copy_from_slice(&self.len.to_le_bytes());
        out[52..56].copy_from_slice(&self.lines.to_le_bytes());
        out[56] = self.stream;
        let check = check(&out[..57]);
        out[60..].copy_from_slice(&check.to_le_bytes());
        out
    }

    /// Takes an entry back; `None` when it is torn (all zeros after a power cut, say), or says what no entry can.
    pub(super) fn decode(bytes: &[u8; SIZE as usize]) -> Option<Entry> {
        let word = |at: usize| u64::from_le_bytes(std::array::from_fn(|i| bytes[at + i]));
        let half = |at: usize| u32::from_le_bytes(std::array::from_fn(|i| bytes[at + i]));
        if half(60) != check(&bytes[..57]) {
            return None;
        }
        let entry = Entry {
            offset: word(0),
            micros: word(8).cast_signed(),
            seq: word(16),
            lines_before: word(24),
            stream_before: word(32),
            stream_lines_before: word(40),
            len: half(48),
            lines: half(52),
            stream: bytes[56],
        };
        let sound = entry.offset.checked_add(entry.len.into()).is_some()
            && entry.lines <= entry.len
            && entry.lines_before <= entry.offset
            && entry.stream_before <= entry.offset
            && entry.stream_lines_before <= entry.lines_before
            && matches!(entry.stream, 1 | 2);
        sound.then_some(entry)
    }
}

/// Counts line ends.
pub(super) fn newlines(bytes: &[u8]) -> usize {
    memchr_iter(b'\n', bytes).count()
}

/// FNV-1a: enough to know a torn entry, no defence against anyone.
fn check(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_survives_the_disk_and_a_torn_one_is_known() {
        let first = Entry::next(None, 3, -5, 1, b"a\nb\n");
        let second = Entry::next(Some(&first), 4, 6, 2, b"c\n");
        let third = Entry::next(Some(&second), 9, 7, 1, b"d");
        assert_eq!(
            (
                third.offset,
                third.lines_before,
                third.stream_before,
                third.stream_lines_before
            ),
            (6, 3, 4, 2)
        );
        assert_eq!(
            (third.bytes_before(Some(2)), third.newlines_before(Some(2))),
            (2, 1)
        );
        let mut bytes = third.encode();
        assert_eq!(Entry::decode(&bytes), Some(third));
        bytes[17] ^= 1;
        assert_eq!(Entry::decode(&bytes), None);
        assert_eq!(Entry::decode(&[0; 64]), None);
    }
}
