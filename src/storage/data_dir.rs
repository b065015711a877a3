//! The data directory: its folders, its rights, the lock that picks one server, the number of its form, and whether what
//! is restored into it is all there.
//!
//! Knows nothing of what is kept in the folders.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, IFlags, flock, ioctl_getflags, ioctl_setflags};

use super::spool::write_whole;
use crate::error::{Explain, Kind};

/// Number of the directory's form that this build writes and reads.
pub const FORM: u32 = 1;

const FOLDERS: [&str; 9] = [
    "log",
    "logs",
    "attempts",
    "scratch",
    "repos",
    "tls",
    "secrets",
    "artifacts",
    "caches",
];

/// The file that names the form.
const VERSION: &str = "VERSION";

/// The file by which a restored copy is told from what it was made of.
const COPY: &str = "copy";

/// The file that is there while a restore is under way, or after one that was interrupted.
const RESTORING: &str = "restoring";

/// Those of them in which each attempt has a folder.
const OF_ATTEMPTS: [&str; 3] = ["logs", "attempts", "scratch"];

/// Why the directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// Something in it cannot be made or written.
    #[error("the data directory `{path}` cannot be used: failed to {what}")]
    Io {
        /// The directory.
        path: PathBuf,
        /// What was to be done.
        what: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Another server has it.
    #[error("another server{} has the data directory `{path}`", pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default())]
    Taken {
        /// The directory.
        path: PathBuf,
        /// Its process id, when it could be told.
        pid: Option<u32>,
    },
    /// A restore into it has not come to its end.
    #[error(
        "the data directory `{path}` holds a restore that was interrupted, or is still running"
    )]
    Unfinished {
        /// The directory.
        path: PathBuf,
    },
    /// It is to be restored into, and is in use already.
    #[error("the data directory `{path}` is not empty")]
    Occupied {
        /// The directory.
        path: PathBuf,
    },
    /// A newer Roundel wrote it.
    #[error(
        "the data directory `{path}` has form {found}, and this build knows forms up to {FORM}"
    )]
    Newer {
        /// The directory.
        path: PathBuf,
        /// The number found.
        found: u32,
    },
    /// Its `VERSION` file is not ours.
    #[error("`{path}` does not name the form of a data directory")]
    NotOurs {
        /// The file.
        path: PathBuf,
    },
}

impl Explain for DataDirError {
    fn kind(&self) -> Kind {
        match self {
            DataDirError::Io { .. } => Kind::Infrastructure,
            DataDirError::Taken { .. }
            | DataDirError::Unfinished { .. }
            | DataDirError::Occupied { .. }
            | DataDirError::Newer { .. } => Kind::Conflict,
            DataDirError::NotOurs { .. } => Kind::Usage,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            DataDirError::Io { source, .. } => match source.kind() {
                io::ErrorKind::ReadOnlyFilesystem => {
                    "it is on a file system that is mounted read-only; choose another with --data"
                        .to_owned()
                }
                io::ErrorKind::PermissionDenied => {
                    "choose a directory you may write, with --data".to_owned()
                }
                io::ErrorKind::StorageFull => {
                    "free some space, or choose another directory with --data".to_owned()
                }
                _ => "choose another directory with --data".to_owned(),
            },
            DataDirError::Taken { .. } => {
                "use that server (verbs and consoles connect to it by themselves), or stop it first"
                    .to_owned()
            }
            DataDirError::Unfinished { .. } => {
                "unless `roundel backup restore` still runs, remove the directory and restore the backup again"
                    .to_owned()
            }
            DataDirError::Occupied { .. } => {
                "name a directory that is not there yet, or is empty".to_owned()
            }
            DataDirError::Newer { .. } => "run the newer roundel that wrote it".to_owned(),
            DataDirError::NotOurs { .. } => {
                "is this really a data directory of Roundel? choose another with --data".to_owned()
            }
        })
    }
}

/// A data directory that this process has for itself while the value lives.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    _lock: File,
}

impl DataDir {
    /// Makes what is missing and takes the lock. Where a restore was interrupted, nothing is made: half an installation
    /// would be taken for a new one.
    ///
    /// # Errors
    /// See [`DataDirError`].
    pub fn open(path: &Path) -> Result<Self, DataDirError> {
        Self::take(path, false)
    }

    /// As [`DataDir::open`], for a restore: from before anything else is in it until [`DataDir::restored`], across a kill
    /// and a power cut too, no server takes it.
    ///
    /// # Errors
    /// See [`DataDirError`].
    pub fn open_to_restore(path: &Path) -> Result<Self, DataDirError> {
        Self::take(path, true)
    }

    fn take(path: &Path, restoring: bool) -> Result<Self, DataDirError> {
        let failed = |what| {
            move |source| DataDirError::Io {
                path: path.to_owned(),
                what,
                source,
            }
        };
        check_whole(path)?;
        make(path).map_err(failed("make it"))?;
        let lock_path = path.join("lock");
        let mut lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .mode(0o600)
            .open(&lock_path)
            .map_err(failed("open its lock"))?;
        if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err() {
            let mut text = String::new();
            // Without the number the message is only shorter.
            let _ = lock.read_to_string(&mut text);
            return Err(DataDirError::Taken {
                path: path.to_owned(),
                pid: text.trim().parse().ok(),
            });
        }
        // Once more: a restore may have begun and been killed before the lock was had.
        check_whole(path)?;
        if restoring {
            // A server may have come and gone just now, and what it made is an installation.
            if path.join(VERSION).exists() {
                return Err(DataDirError::Occupied {
                    path: path.to_owned(),
                });
            }
            write_whole(
                &path.join(RESTORING),
                b"A restore into this directory has not come to its end.\n",
            )
            .and_then(|()| sync(path))
            .map_err(failed("note that it is being restored"))?;
        }
        check_form(path)?;
        lock.set_len(0)
            .and_then(|()| lock.rewind())
            .and_then(|()| writeln!(lock, "{}", std::process::id()))
            .map_err(failed("write its lock"))?;
        for folder in FOLDERS {
            make(&path.join(folder)).map_err(failed("make its folders"))?;
        }
        OF_ATTEMPTS
            .iter()
            .for_each(|folder| spread(&path.join(folder)));
        Ok(Self {
            path: path.to_owned(),
            _lock: lock,
        })
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What was restored is all there, and on the disk: a server may have it.
    ///
    /// # Errors
    /// When that cannot be noted; then none may.
    pub fn restored(&self) -> Result<(), DataDirError> {
        sync(&self.path)
            .and_then(|()| fs::remove_file(self.path.join(RESTORING)))
            .and_then(|()| sync(&self.path))
            .map_err(self.failed("note that it is restored"))
    }

    /// Gives a copy of another installation's data an id of its own.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn name_copy(&self) -> Result<(), DataDirError> {
        let id = uuid::Uuid::new_v4();
        write_whole(&self.path.join(COPY), format!("{id}\n").as_bytes())
            .map_err(self.failed("name the copy"))
    }

    /// The id of a copy; `None` when it is none.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn copy_id(&self) -> Result<Option<String>, DataDirError> {
        match fs::read_to_string(self.path.join(COPY)) {
            Ok(text) => Ok(Some(text.trim().to_owned())),
            Err(err) if err.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(err) => Err(self.failed("read the name of the copy")(err)),
        }
    }

    fn failed(&self, what: &'static str) -> impl FnOnce(io::Error) -> DataDirError {
        let path = self.path.clone();
        move |source| DataDirError::Io { path, what, source }
    }
}

/// Tells an ext file system that the folders in `path` have nothing to do with each other, so that each gets a part of
/// the disk of its own. Side by side, the thousands that come and go would be in each other's way: a new file is put
/// where no other was removed lately, and all of those would have to be looked at. Elsewhere it does nothing.
pub fn spread(path: &Path) {
    let told = File::open(path).and_then(|folder| {
        let flags = ioctl_getflags(&folder)?;
        Ok(ioctl_setflags(&folder, flags | IFlags::TOPDIR)?)
    });
    if let Err(err) = told {
        tracing::debug!(path = %path.display(), error = %err, "its folders lie where the file system likes");
    }
}

/// Checks that no restore into the directory has begun and not come to its end. One that is not there is fine.
///
/// # Errors
/// [`DataDirError::Unfinished`], or when it cannot be told.
pub fn check_whole(path: &Path) -> Result<(), DataDirError> {
    match fs::symlink_metadata(path.join(RESTORING)) {
        Ok(_) => Err(DataDirError::Unfinished {
            path: path.to_owned(),
        }),
        Err(err)
            if matches!(
                err.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            Ok(())
        }
        Err(source) => Err(DataDirError::Io {
            path: path.to_owned(),
            what: "look into it",
            source,
        }),
    }
}

/// Which files a directory has is on the disk.
fn sync(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

fn make(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    let mode = fs::metadata(path)?.permissions().mode();
    if mode & 0o077 != 0 {
        fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

fn check_form(path: &Path) -> Result<(), DataDirError> {
    let file = path.join(VERSION);
    let io = |what| {
        move |source| DataDirError::Io {
            path: path.to_owned(),
            what,
            source,
        }
    };
    match fs::read_to_string(&file) {
        Ok(text) => match text.trim().parse::<u32>() {
            Ok(found) if found > FORM => Err(DataDirError::Newer {
                path: path.to_owned(),
                found,
            }),
            Ok(_) => Ok(()),
            Err(_) => Err(DataDirError::NotOurs { path: file }),
        },
        Err(err) if err.kind() == io::ErrorKind::NotFound => {
            // Half a file, as a full disk leaves it, would be taken for somebody else's at every later start.
            write_whole(&file, format!("{FORM}\n").as_bytes()).map_err(io("write VERSION"))
        }
        Err(err) if err.kind() == io::ErrorKind::InvalidData => {
            Err(DataDirError::NotOurs { path: file })
        }
        Err(err) => Err(io("read VERSION")(err)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_has_an_id_of_its_own() {
        let root = tempfile::tempdir().unwrap();
        let ids = ["a", "b"].map(|name| {
            let dir = DataDir::open(&root.path().join(name)).unwrap();
            assert_eq!(dir.copy_id().unwrap(), None);
            dir.name_copy().unwrap();
            dir.copy_id().unwrap().unwrap()
        });
        assert_ne!(ids[0], ids[1]);
        assert!(ids.iter().all(|id| uuid::Uuid::parse_str(id).is_ok()));
    }

    #[test]
    fn no_server_takes_what_is_not_restored_to_the_end() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("data");
        drop(DataDir::open_to_restore(&path).unwrap());
        for open in [DataDir::open, DataDir::open_to_restore] {
            let err = open(&path).unwrap_err();
            assert!(matches!(err, DataDirError::Unfinished { .. }), "{err}");
        }
        fs::remove_dir_all(&path).unwrap();
        let dir = DataDir::open_to_restore(&path).unwrap();
        dir.restored().unwrap();
        drop(dir);
        drop(DataDir::open(&path).unwrap());
        // What a server has made is not marked as half restored.
        let err = DataDir::open_to_restore(&path).unwrap_err();
        assert!(matches!(err, DataDirError::Occupied { .. }), "{err}");
        DataDir::open(&path).unwrap();
        // Nothing is made where only the note is left.
        let path = root.path().join("half");
        fs::create_dir(&path).unwrap();
        fs::write(path.join(RESTORING), "").unwrap();
        DataDir::open(&path).unwrap_err();
        assert_eq!(fs::read_dir(&path).unwrap().count(), 1);
    }

    #[test]
    fn one_server_has_it_and_its_rights_are_narrow() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("data");
        let first = DataDir::open(&path).unwrap();
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o700
        );
        assert!(path.join("attempts").is_dir());
        let second = DataDir::open(&path).unwrap_err();
        assert!(
            matches!(second, DataDirError::Taken { pid: Some(pid), .. } if pid == std::process::id()),
            "{second}"
        );
        drop(first);
        DataDir::open(&path).unwrap();
    }

    #[test]
    fn a_newer_form_is_refused_with_both_numbers() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("VERSION"), "7\n").unwrap();
        let err = DataDir::open(root.path()).unwrap_err().to_string();
        assert!(err.contains("form 7") && err.contains("up to 1"), "{err}");
        fs::write(root.path().join("VERSION"), "hello").unwrap();
        assert!(matches!(
            DataDir::open(root.path()),
            Err(DataDirError::NotOurs { .. })
        ));
    }
}
