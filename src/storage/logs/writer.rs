//! Writing: recovery of a log after a crash, appending, and the bounded set of open files.
//!
//! Knows nothing of reading; readers look at the disk alone.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::LogError;
use super::entry::{Entry, SIZE, index_path};
use super::view::covered;
use crate::api::agent::{Record, RecordBody};

/// Steps kept open for writing, two files each: more than run at once on a machine, far below the limit of 1,024 files.
const OPEN_MAX: usize = 128;

/// One step's log, open for writing.
#[derive(Debug)]
pub(super) struct Writer {
    path: PathBuf,
    log: File,
    index: File,
    /// Number of entries.
    count: u64,
    last: Option<Entry>,
}

impl Writer {
    /// Opens a log, making it if need be, and cuts off what its index does not cover.
    fn open(path: &Path) -> Result<Writer, LogError> {
        let at = |what| LogError::at(what, path);
        let open = |path: &Path| {
            File::options()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(path)
        };
        let log = match open(path) {
            Err(err) if err.kind() == io::ErrorKind::NotFound => {
                fs::create_dir_all(path.parent().unwrap_or(path))
                    .map_err(at("make the folder of"))?;
                open(path)
            }
            other => other,
        }
        .map_err(at("open"))?;
        let index = open(&index_path(path)).map_err(at("open the index of"))?;
        let (count, last) = covered(&index, &log).map_err(at("read the index of"))?;
        index
            .set_len(count * SIZE)
            .map_err(at("cut the index of"))?;
        log.set_len(last.map_or(0, |last| last.end()))
            .map_err(at("cut"))?;
        Ok(Writer {
            path: path.to_owned(),
            log,
            index,
            count,
            last,
        })
    }

    /// Appends what is new among `records`; answers the new length.
    pub(super) fn append(&mut self, records: &[&Record]) -> Result<u64, LogError> {
        let start = self.len();
        let mut last = self.last;
        let mut bytes_out = Vec::new();
        let mut entries_out = Vec::new();
        for record in records {
            let RecordBody::Output { stream, bytes, .. } = &record.body else {
                continue;
            };
            if bytes.is_empty() || last.is_some_and(|last| record.seq <= last.seq) {
                continue;
            }
            let stream = if *stream == 2 { 2 } else { 1 };
            let entry = Entry::next(last.as_ref(), record.seq, record.micros, stream, bytes);
            bytes_out.extend_from_slice(bytes);
            entries_out.extend_from_slice(&entry.encode());
            last = Some(entry);
        }
        if entries_out.is_empty() {
            return Ok(start);
        }
        // The bytes first: an entry must never speak of bytes that are not there. Both go to fixed positions, so a
        // second try after a full disk writes the same over the same.
        self.log
            .write_all_at(&bytes_out, start)
            .map_err(LogError::at("write", &self.path))?;
        self.index
            .write_all_at(&entries_out, self.count * SIZE)
            .map_err(LogError::at("write the index of", &self.path))?;
        self.count += entries_out.len() as u64 / SIZE;
        self.last = last;
        Ok(self.len())
    }

    /// Brings all of it to the disk.
    pub(super) fn sync(&mut self) -> Result<(), LogError> {
        self.log
            .sync_data()
            .and_then(|()| self.index.sync_data())
            .map_err(LogError::at("sync", &self.path))
    }

    fn len(&self) -> u64 {
        self.last.map_or(0, |last| last.end())
    }
}

/// The open logs.
#[derive(Debug, Default)]
pub(super) struct Writers {
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    /// With the tick of the last use.
    steps: HashMap<PathBuf, (u64, Slot)>,
    tick: u64,
}

/// `None` until the first use under the lock has opened it, and after an error.
type Slot = Arc<Mutex<Option<Writer>>>;

impl Writers {
    /// Calls `work` with the writer of the log at `path`, opening it if need be. One caller at a time per log.
    pub(super) fn with<T>(
        &self,
        path: &Path,
        work: impl FnOnce(&mut Writer) -> Result<T, LogError>,
    ) -> Result<T, LogError> {
        let slot = self.slot(path);
        let mut writer = slot.lock().unwrap_or_else(PoisonError::into_inner);
        let opened = match writer.take() {
            Some(open) => open,
            None => Writer::open(path)?,
        };
        work(writer.insert(opened))
    }

    /// Closes the logs whose path `which` picks, but those in use at this moment.
    pub(super) fn forget(&self, which: impl Fn(&Path) -> bool) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.steps
            .retain(|path, (_, slot)| is_used(slot) || !which(path));
    }

    fn slot(&self, path: &Path) -> Slot {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.tick += 1;
        let tick = open.tick;
        if let Some((used, slot)) = open.steps.get_mut(path) {
            *used = tick;
            return Arc::clone(slot);
        }
        if open.steps.len() >= OPEN_MAX {
            let oldest = open
                .steps
                .iter()
                .filter(|(_, (_, slot))| !is_used(slot))
                .min_by_key(|(_, (used, _))| *used);
            if let Some(path) = oldest.map(|(path, _)| path.clone()) {
                open.steps.remove(&path);
            }
        }
        let slot = Slot::default();
        open.steps
            .insert(path.to_owned(), (tick, Arc::clone(&slot)));
        slot
    }
}

/// Whether somebody writes by it. Slots are handed out under the lock of the set only, so a slot that is not in use there
/// cannot come into use; two writers of one file would cut off each other's bytes.
fn is_used(slot: &Slot) -> bool {
    Arc::strong_count(slot) > 1
}
