//! The server's own log, `DATA/log/server.log`: a few files of bounded size, the newest being standard output and standard
//! error of a server that was started by itself.
//!
//! Knows nothing of what is written there. A server in the foreground writes to a terminal or to the machine's journal,
//! and has no such file.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Size from which the log is put aside.
const MOST: u64 = 8 << 20;

/// Files that are put aside and kept: with the newest, 32 MB.
const KEPT: u32 = 3;

/// Where the log of the server of a data directory is.
#[must_use]
pub fn path(data: &Path) -> PathBuf {
    data.join("log/server.log")
}

/// Opens it to be written at its end, after putting it aside when it is full.
///
/// # Errors
/// When it cannot be made.
pub fn open(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
    }
    if fs::metadata(path).is_ok_and(|file| file.len() > MOST) {
        put_aside(path)?;
    }
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
}

/// `server.log` becomes `server.log.1`, that one `server.log.2`, and so on; the oldest goes.
fn put_aside(path: &Path) -> io::Result<()> {
    let numbered = |n: u32| path.with_extension(format!("log.{n}"));
    for n in (1..KEPT).rev() {
        match fs::rename(numbered(n), numbered(n + 1)) {
            Err(err) if err.kind() != io::ErrorKind::NotFound => return Err(err),
            _ => {}
        }
    }
    fs::rename(path, numbered(1))
}

/// The log of this process, whose standard output and standard error it is.
#[derive(Debug)]
pub struct OwnLog {
    path: PathBuf,
    turning: Mutex<()>,
}

impl OwnLog {
    /// `None` when standard error is something else.
    #[must_use]
    pub fn of_this_process(data: &Path) -> Option<Self> {
        let path = path(data);
        is_standard_error(&path).then(|| Self {
            path,
            turning: Mutex::default(),
        })
    }

    /// Puts it aside when it is full, and goes on in a new one. So it does when another server, that came and went, has put
    /// it aside.
    ///
    /// # Errors
    /// When there cannot be a new one; what is said goes on where it went.
    pub fn turn(&self) -> io::Result<()> {
        let _turn = self.turning.lock().unwrap_or_else(PoisonError::into_inner);
        let full = rustix::fs::fstat(rustix::stdio::stderr())
            .is_ok_and(|now| u64::try_from(now.st_size).is_ok_and(|size| size > MOST));
        if !full && is_standard_error(&self.path) {
            return Ok(());
        }
        let file = open(&self.path)?;
        rustix::stdio::dup2_stderr(&file)?;
        rustix::stdio::dup2_stdout(&file)?;
        Ok(())
    }
}

fn is_standard_error(path: &Path) -> bool {
    let own = rustix::fs::fstat(rustix::stdio::stderr());
    let there = fs::metadata(path);
    matches!((own, there), (Ok(own), Ok(there)) if (own.st_dev, own.st_ino) == (there.dev(), there.ino()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_full_log_is_put_aside_and_few_are_kept() {
        let data = tempfile::tempdir().unwrap();
        let path = path(data.path());
        for n in 0..u64::from(KEPT) + 3 {
            let mut file = open(&path).unwrap();
            assert_eq!(
                file.metadata().unwrap().len(),
                0,
                "a full one is no more at the start"
            );
            writeln!(file, "{n}").unwrap();
            assert_eq!(
                open(&path).unwrap().metadata().unwrap().len(),
                2,
                "this one is"
            );
            file.set_len(MOST + 1).unwrap();
        }
        let mut names: Vec<_> = fs::read_dir(path.parent().unwrap())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(
            names,
            ["server.log", "server.log.1", "server.log.2", "server.log.3"]
        );
        let first = |name: &str| fs::read(path.with_file_name(name)).unwrap()[0];
        let kept = names.iter().map(|name| first(name)).collect::<Vec<_>>();
        assert_eq!(kept, b"5432", "the newest first");
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);
        assert!(OwnLog::of_this_process(data.path()).is_none());
    }
}
