//! Writes a file that somebody asked for: whole or not at all, readable by nobody else, never over another unasked.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use roundel::client::Client;
use roundel::error::Kind;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use tokio::sync::mpsc;

use super::fetch::{self, name};
use super::write::expanded;
use crate::console::action::{Kept, Save, WholeLog};
use crate::console::event::{Done, Event, Failure};
use crate::console::text;

/// Writes and reports.
pub(super) async fn save(client: Option<Client>, save: Save, events: mpsc::Sender<Event>) {
    let path = expanded(&save.path);
    let written = match &save.what {
        Kept::Text(text) => {
            let (text, replace) = (text.clone(), save.replace);
            off_thread(move || keep(&path, replace, text.as_bytes()))
                .await
                .map_err(|err| failure(&save.path, &err))
        }
        Kept::Log(log) => match client {
            Some(client) => keep_log(&client, log, &path, &save).await,
            None => Err(Failure::new(Kind::NoServer, "the server is away")),
        },
        Kept::View => Err(failure(
            &save.path,
            &io::Error::other("the view was not drawn"),
        )),
    };
    let result = written.map(|bytes| Done {
        text: format!("saved {} to {}", text::bytes(bytes), save.path),
        pipeline: None,
    });
    _ = events.send(Event::Saved(save, result)).await;
}

/// Blocking work off the threads that the screen is drawn on.
async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|_| Err(io::Error::other("the work was broken off")))
}

/// Writes a log as far as it goes at this moment, a piece at a time.
async fn keep_log(
    client: &Client,
    log: &WholeLog,
    path: &Path,
    save: &Save,
) -> Result<u64, Failure> {
    let refused = |err: io::Error| failure(&save.path, &err);
    let (path, replace) = (path.to_owned(), save.replace);
    let mut draft = off_thread(move || Draft::begin(&path, replace))
        .await
        .map_err(refused)?;
    let step = name(log.step);
    let mut written = 0;
    for attempt in &log.attempts {
        let (mut at, mut end) = (0, u64::MAX);
        while at < end {
            let (bytes, length) = client
                .log_bytes(attempt, &step, log.stream.as_deref(), at, end)
                .await
                .map_err(|err| fetch::failure(&err))?;
            // What comes while it is being written belongs to the next file.
            end = end.min(length);
            if bytes.is_empty() {
                break;
            }
            at += bytes.len() as u64;
            draft = off_thread(move || draft.write_all(&bytes).map(|()| draft))
                .await
                .map_err(refused)?;
        }
        written += at;
    }
    off_thread(move || draft.finish()).await.map_err(refused)?;
    Ok(written)
}

fn failure(path: &str, err: &io::Error) -> Failure {
    let kind = if err.kind() == io::ErrorKind::AlreadyExists {
        Kind::Conflict
    } else {
        Kind::Infrastructure
    };
    Failure::new(kind, format!("cannot save to {path}: {err}"))
}

fn keep(path: &Path, replace: bool, bytes: &[u8]) -> io::Result<u64> {
    let mut draft = Draft::begin(path, replace)?;
    draft.write_all(bytes)?;
    draft.finish()?;
    Ok(bytes.len() as u64)
}

/// A file that is not at its path until it is whole. Dropped before its end it leaves nothing.
#[derive(Debug)]
pub(super) struct Draft {
    file: File,
    path: PathBuf,
    /// Where it is until then, beside its path.
    beside: PathBuf,
    replace: bool,
}

impl Draft {
    /// Begins a file for a path; `replace` lets it take the place of another.
    ///
    /// # Errors
    /// When something is there that it must not replace, or nothing can be written there.
    pub(super) fn begin(path: &Path, replace: bool) -> io::Result<Self> {
        if !replace && fs::symlink_metadata(path).is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let name = path.file_name().ok_or(io::ErrorKind::IsADirectory)?;
        let beside = path.with_file_name(format!(
            ".{}.{}",
            name.to_string_lossy(),
            uuid::Uuid::new_v4().simple()
        ));
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&beside)?;
        Ok(Self {
            file,
            path: path.to_owned(),
            beside,
            replace,
        })
    }

    /// Puts it at its path.
    ///
    /// # Errors
    /// When somebody else put a file there meanwhile, or the disk refuses.
    pub(super) fn finish(self) -> io::Result<()> {
        self.file.sync_data()?;
        let flags = if self.replace {
            RenameFlags::empty()
        } else {
            RenameFlags::NOREPLACE
        };
        Ok(renameat_with(CWD, &self.beside, CWD, &self.path, flags)?)
    }
}

impl Write for Draft {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // Gone already when it was put at its path.
        _ = fs::remove_file(&self.beside);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_file_is_written_whole_for_its_owner_alone_and_never_over_another() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("view.txt");
        assert_eq!(keep(&path, false, b"one").unwrap(), 3);
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let refused = keep(&path, false, b"two").unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(failure("view.txt", &refused).kind, Kind::Conflict);
        assert_eq!(fs::read(&path).unwrap(), b"one");
        keep(&path, true, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn one_that_came_meanwhile_is_kept_and_a_draft_that_is_dropped_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("view.txt");
        let mut draft = Draft::begin(&path, false).unwrap();
        draft.write_all(b"mine").unwrap();
        fs::write(&path, "theirs").unwrap();
        let refused = draft.finish().unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"theirs");
        drop(Draft::begin(&dir.path().join("other"), false).unwrap());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_directory_that_is_not_there_is_named() {
        let err = keep(Path::new("/nonexistent/view.txt"), false, b"").unwrap_err();
        let failure = failure("/nonexistent/view.txt", &err);
        assert!(
            failure
                .text
                .starts_with("cannot save to /nonexistent/view.txt: ")
        );
        assert_eq!(failure.kind, Kind::Infrastructure);
    }
}
