//! An agent's spool: records on disk until the server has them. One file of frames, appended to by the agent alone.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use crate::api::agent::{Record, frame};

/// Once all is acknowledged, a spool larger than this starts anew.
const RESTART: u64 = 8 * 1024 * 1024;

/// The writing end.
#[derive(Debug)]
pub struct Spool {
    file: File,
    length: u64,
    acknowledged: u64,
    buffer: Vec<u8>,
}

impl Spool {
    /// Makes an empty spool.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn create(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new()
            .create(true)
            .truncate(true)
            .read(true)
            .write(true)
            .mode(0o600)
            .open(path)?;
        Ok(Self {
            file,
            length: 0,
            acknowledged: 0,
            buffer: Vec::new(),
        })
    }

    /// Appends a record. When this fails nothing of it is in the spool, and it can be tried again.
    ///
    /// # Errors
    /// When the disk is full or fails.
    pub fn append(&mut self, record: &Record) -> io::Result<()> {
        self.buffer.clear();
        frame::encode(record, &mut self.buffer);
        match self.file.write_all_at(&self.buffer, self.length) {
            Ok(()) => {
                self.length += self.buffer.len() as u64;
                Ok(())
            }
            Err(err) => {
                // A torn frame at the end would be read as the last record.
                let _ = self.file.set_len(self.length);
                Err(err)
            }
        }
    }

    /// Whole frames that are not acknowledged yet, `max` bytes at most; empty when there are none.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn unacknowledged(&self, max: usize) -> io::Result<Vec<u8>> {
        let want = usize::try_from(self.length - self.acknowledged)
            .unwrap_or(usize::MAX)
            .min(max);
        let mut bytes = vec![0; want];
        self.file.read_exact_at(&mut bytes, self.acknowledged)?;
        bytes.truncate(whole_frames(&bytes));
        Ok(bytes)
    }

    /// The server has the next `bytes`.
    pub fn acknowledge(&mut self, bytes: usize) {
        self.acknowledged += bytes as u64;
        if self.acknowledged == self.length && self.length > RESTART && self.file.set_len(0).is_ok()
        {
            self.length = 0;
            self.acknowledged = 0;
        }
    }

    /// Whether the server has everything.
    #[must_use]
    pub fn is_acknowledged(&self) -> bool {
        self.acknowledged == self.length
    }
}

/// Length of the whole frames at the beginning of `bytes`.
fn whole_frames(bytes: &[u8]) -> usize {
    let mut end = 0;
    while let Ok(Some(length)) = frame::frame_length(&bytes[end..]) {
        if end + length > bytes.len() {
            break;
        }
        end += length;
    }
    end
}

/// The reading end, for what a dead agent left.
#[derive(Debug)]
pub struct Reader {
    file: File,
    left: Vec<u8>,
}

impl Reader {
    /// Opens a spool from its beginning.
    ///
    /// # Errors
    /// When there is none.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self {
            file: File::open(path)?,
            left: Vec::new(),
        })
    }

    /// The next records, about `max` bytes of them; empty at the end. A torn record at the end is left out.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn next_records(&mut self, max: usize) -> io::Result<Vec<Record>> {
        let mut chunk = std::mem::take(&mut self.left);
        let had = chunk.len();
        Read::by_ref(&mut self.file)
            .take(max.saturating_sub(had) as u64)
            .read_to_end(&mut chunk)?;
        let mut records = Vec::new();
        let mut at = 0;
        while let Ok(Some((record, length))) = frame::decode_one(&chunk[at..]) {
            records.push(record);
            at += length;
        }
        self.left = chunk.split_off(at);
        Ok(records)
    }
}

/// Writes `bytes` to `path` so that either the old or the whole new content is there: temporary file, sync, rename.
///
/// # Errors
/// When the disk is full or fails.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace(path, bytes, true)
}

/// As [`write_whole`], for what means nothing once the machine has lost its power: a reader sees the whole content or
/// none, and nothing waits for the disk.
///
/// # Errors
/// When the disk is full or fails.
pub fn write_at_once(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace(path, bytes, false)
}

fn replace(path: &Path, bytes: &[u8], durable: bool) -> io::Result<()> {
    // After the whole name: files that differ in what looks like an ending only must not meet here.
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".tmp");
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(&temporary)?;
    file.write_all(bytes)?;
    if durable {
        file.sync_all()?;
    }
    std::fs::rename(&temporary, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::agent::RecordBody;

    fn record(seq: u64, size: usize) -> Record {
        Record {
            seq,
            micros: 1,
            body: RecordBody::Output {
                step: 1,
                stream: 1,
                bytes: vec![b'x'; size],
            },
        }
    }

    #[test]
    fn what_is_not_acknowledged_is_sent_again_and_in_whole_frames() {
        let dir = tempfile::tempdir().unwrap();
        let mut spool = Spool::create(&dir.path().join("spool")).unwrap();
        (1..=3).for_each(|seq| spool.append(&record(seq, 100)).unwrap());
        let first = spool.unacknowledged(250).unwrap();
        assert_eq!(frame::decode(&first).unwrap().len(), 2);
        assert_eq!(spool.unacknowledged(250).unwrap(), first);
        spool.acknowledge(first.len());
        let rest = spool.unacknowledged(10_000).unwrap();
        assert_eq!(frame::decode(&rest).unwrap()[0].seq, 3);
        spool.acknowledge(rest.len());
        assert!(spool.is_acknowledged());
    }

    #[test]
    fn a_large_spool_starts_anew_once_all_is_acknowledged() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("spool");
        let mut spool = Spool::create(&path).unwrap();
        for seq in 0..200 {
            spool.append(&record(seq, 60_000)).unwrap();
        }
        while !spool.is_acknowledged() {
            let sent = spool.unacknowledged(600_000).unwrap().len();
            spool.acknowledge(sent);
        }
        assert_eq!(std::fs::metadata(&path).unwrap().len(), 0);
        spool.append(&record(999, 1)).unwrap();
        assert_eq!(
            frame::decode(&spool.unacknowledged(1000).unwrap()).unwrap()[0].seq,
            999
        );
    }

    #[test]
    fn the_reader_leaves_a_torn_record_out() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("spool");
        let mut spool = Spool::create(&path).unwrap();
        (1..=5).for_each(|seq| spool.append(&record(seq, 1000)).unwrap());
        let length = std::fs::metadata(&path).unwrap().len();
        OpenOptions::new()
            .write(true)
            .open(&path)
            .unwrap()
            .set_len(length - 7)
            .unwrap();
        let mut reader = Reader::open(&path).unwrap();
        let mut seqs = Vec::new();
        loop {
            let records = reader.next_records(2500).unwrap();
            if records.is_empty() {
                break;
            }
            seqs.extend(records.iter().map(|record| record.seq));
        }
        assert_eq!(seqs, [1, 2, 3, 4]);
    }
}
