//! The server's log store: what the steps of each attempt wrote, byte for byte.
//!
//! `logs/<attempt>/<step>.log` holds the raw bytes of both streams in arrival order, `<step>.idx` one entry per record.
//! The index is written after the bytes it describes and alone says how long a log is, so a crash between the two leaves
//! nothing worse than bytes that nobody counts; the next writer cuts them off and the replay writes them again.
//!
//! Knows no SQL and nothing of who may read. All calls block; none keeps more than about a megabyte in memory, whatever
//! the length of the log or of its lines, because each index entry carries running totals: a line or a byte, of one
//! stream or of both, is found by bisecting the index on disk.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::api::agent::{Record, RecordBody};
use crate::error::{Explain, Kind};
use crate::ids::AttemptId;

mod entry;
mod pattern;
mod plain;
mod search;
mod together;
mod view;
mod writer;

pub use pattern::Pattern;
pub use plain::{lines_plain, read_plain, search_plain, tail_plain};
pub use together::{Start, Together};

use view::View;
use writer::Writers;

/// Most bytes that one [`LogStore::read`] answers.
pub const READ_MAX: u64 = 1024 * 1024;

/// Most text that one window of lines holds; a window of long lines has fewer lines than were asked for.
pub const WINDOW_MAX: usize = 1024 * 1024;

/// Most lines of one window.
pub const LINES_MAX: u64 = 1000;

/// Longest text of one line; the rest is counted in `cut`.
pub const LINE_MAX: u64 = 16 * 1024;

/// Why a log could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The file system has no room; the same append may go through later.
    #[error("no space left for `{}`", path.display())]
    Full {
        /// The file.
        path: PathBuf,
        /// As the system says.
        #[source]
        source: io::Error,
    },
    /// Nothing was ever written there.
    #[error("no log at `{}`", path.display())]
    NoLog {
        /// The file.
        path: PathBuf,
    },
    /// Anything else.
    #[error("failed to {what} `{}`", path.display())]
    Io {
        /// Verb.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// As the system says.
        #[source]
        source: io::Error,
    },
}

impl LogError {
    /// Sorts an error of the system; for use in `map_err`.
    fn at(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> LogError {
        let path = path.to_owned();
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                LogError::Full { path, source }
            }
            io::ErrorKind::NotFound => LogError::NoLog { path },
            _ => LogError::Io { what, path, source },
        }
    }
}

impl Explain for LogError {
    fn kind(&self) -> Kind {
        match self {
            LogError::Full { .. } => Kind::Unavailable,
            LogError::NoLog { .. } => Kind::NotFound,
            LogError::Io { .. } => Kind::Infrastructure,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            LogError::Full { .. } => Some(
                "Make room on the file system of the data directory; the run waits and goes on"
                    .to_owned(),
            ),
            LogError::NoLog { .. } | LogError::Io { .. } => None,
        }
    }
}

/// The logs of all attempts. Cheap to clone; all clones share their open files.
#[derive(Clone, Debug)]
pub struct LogStore {
    root: Arc<Path>,
    writers: Arc<Writers>,
}

impl LogStore {
    /// Opens the store at `root` (`DATA/logs`), making the directory.
    ///
    /// # Errors
    /// When the directory cannot be made.
    pub fn open(root: &Path) -> Result<LogStore, LogError> {
        fs::create_dir_all(root).map_err(LogError::at("make", root))?;
        Ok(LogStore {
            root: root.into(),
            writers: Arc::default(),
        })
    }

    /// Appends the output among `records` (ascending `seq`) and answers the new length in bytes of each step it touched.
    ///
    /// Idempotent by (attempt, step, seq): what is kept already is skipped.
    ///
    /// # Errors
    /// [`LogError::Full`] and others; then some records may be kept and some not, and the same call is right again.
    pub fn append(
        &self,
        attempt: AttemptId,
        records: &[Record],
    ) -> Result<Vec<(u16, u64)>, LogError> {
        let mut by_step: Vec<(u16, Vec<&Record>)> = Vec::new();
        for record in records {
            let RecordBody::Output { step, .. } = record.body else {
                continue;
            };
            match by_step.iter_mut().find(|(known, _)| *known == step) {
                Some((_, list)) => list.push(record),
                None => by_step.push((step, vec![record])),
            }
        }
        let mut lengths = Vec::with_capacity(by_step.len());
        for (step, records) in by_step {
            let length = self
                .writers
                .with(&self.step_path(attempt, step), |writer| {
                    writer.append(&records)
                })?;
            lengths.push((step, length));
        }
        Ok(lengths)
    }

    /// Brings a step's log to the disk (`fdatasync`) and forgets its open files. Does nothing when there is no log.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn sync(&self, attempt: AttemptId, step: u16) -> Result<(), LogError> {
        let path = self.step_path(attempt, step);
        if !entry::index_path(&path).exists() {
            return Ok(());
        }
        self.writers.with(&path, |writer| writer.sync())?;
        self.writers.forget(|open| open == path);
        Ok(())
    }

    /// Forgets the open files of an attempt.
    pub fn close(&self, attempt: AttemptId) {
        let folder = self.attempt_path(attempt);
        self.writers.forget(|open| open.starts_with(&folder));
    }

    /// Removes all logs of an attempt. Does nothing when there are none.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn remove(&self, attempt: AttemptId) -> Result<(), LogError> {
        self.close(attempt);
        let folder = self.attempt_path(attempt);
        match fs::remove_dir_all(&folder).map_err(LogError::at("remove", &folder)) {
            Err(LogError::NoLog { .. }) => Ok(()),
            other => other,
        }
    }

    /// Length of a step's log in bytes; 0 when there is none.
    #[must_use]
    pub fn len(&self, attempt: AttemptId, step: u16) -> u64 {
        self.stream_len(attempt, step, None).unwrap_or(0)
    }

    /// Highest `seq` of an output record that is kept, over all steps; 0 when there is none.
    #[must_use]
    pub fn last_seq(&self, attempt: AttemptId) -> u64 {
        let Ok(folder) = fs::read_dir(self.attempt_path(attempt)) else {
            return 0;
        };
        folder
            .filter_map(|file| Some(file.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|extension| extension == "log"))
            .filter_map(|path| View::open(&path, None).ok()?.last_seq())
            .max()
            .unwrap_or(0)
    }

    /// Reads bytes `from..to`, at most [`READ_MAX`] of them. With a `stream` (1 or 2) the positions count its bytes only.
    ///
    /// # Errors
    /// [`LogError::NoLog`] when the step wrote nothing.
    pub fn read(
        &self,
        attempt: AttemptId,
        step: u16,
        stream: Option<u8>,
        from: u64,
        to: u64,
    ) -> Result<Vec<u8>, LogError> {
        self.view(attempt, step, stream)?
            .read(from, to.min(from.saturating_add(READ_MAX)))
    }

    /// Length in bytes, of one stream or of both.
    ///
    /// # Errors
    /// [`LogError::NoLog`] when the step wrote nothing.
    pub fn stream_len(
        &self,
        attempt: AttemptId,
        step: u16,
        stream: Option<u8>,
    ) -> Result<u64, LogError> {
        Ok(self.view(attempt, step, stream)?.len())
    }

    /// One step of these runs (with their index, ascending) as one log. Runs that wrote nothing are left out.
    ///
    /// # Errors
    /// [`LogError::NoLog`] when none of them wrote anything.
    pub fn together(
        &self,
        runs: &[(u32, AttemptId)],
        step: u16,
        stream: Option<u8>,
    ) -> Result<Together, LogError> {
        let mut logs = Vec::with_capacity(runs.len());
        let mut missing = None;
        for (index, attempt) in runs {
            match self.view(*attempt, step, stream) {
                Ok(view) => logs.push((*index, view)),
                Err(err @ LogError::NoLog { .. }) => missing = Some(err),
                Err(err) => return Err(err),
            }
        }
        match missing {
            Some(err) if logs.is_empty() => Err(err),
            _ => Together::new(logs),
        }
    }

    fn view(&self, attempt: AttemptId, step: u16, stream: Option<u8>) -> Result<View, LogError> {
        View::open(&self.step_path(attempt, step), stream)
    }

    fn attempt_path(&self, attempt: AttemptId) -> PathBuf {
        self.root.join(attempt.to_string())
    }

    fn step_path(&self, attempt: AttemptId, step: u16) -> PathBuf {
        self.attempt_path(attempt).join(format!("{step}.log"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_may_go_away_and_a_missing_log_is_not_found() {
        let sorted = |kind| LogError::at("write", Path::new("1.log"))(io::Error::from(kind));
        for kind in [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded] {
            let err = sorted(kind);
            assert!(
                err.retryable() && err.to_string().contains("`1.log`") && err.hint().is_some(),
                "{err}"
            );
        }
        assert_eq!(sorted(io::ErrorKind::NotFound).kind(), Kind::NotFound);
        assert_eq!(
            sorted(io::ErrorKind::PermissionDenied).kind(),
            Kind::Infrastructure
        );
    }
}
