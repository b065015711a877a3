//! Backups of a data directory while it is in use: a copy of the database of one moment, the logs, and their sums.
//!
//! A backup is a directory. What runs at the moment is in it as running, and ends as `infrastructure_fail` where the
//! backup is restored: its processes are elsewhere. Repositories' mirrors are left out, they are fetched again.
//! Knows nothing of the engine, and of who may ask for a backup.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::api;
use crate::clock::Timestamp;
use crate::error::{Explain, Kind};
use crate::storage::data_dir::DataDirError;
use crate::storage::spool::write_whole;
use crate::store::{self, StoreError};

mod manifest;
mod restore;

pub use manifest::Facts;
use manifest::{FACTS, FORM, SUMS, Sum};
pub use restore::restore;

const DATABASE: &str = "roundel.db";
const LOGS: &str = "logs";

/// Why a backup could not be made, or is none.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// Something is where the backup, or what is restored, should go.
    #[error("`{path}` is not empty")]
    Occupied {
        /// The directory.
        path: PathBuf,
    },
    /// The backup would lie in what it is a backup of.
    #[error("`{path}` lies in the data directory itself, and would be lost with it")]
    Within {
        /// Where it should go.
        path: PathBuf,
    },
    /// A restore into the directory has not come to its end.
    #[error("`{path}` is not empty: it holds a restore that was interrupted, or is still running")]
    Unfinished {
        /// The directory.
        path: PathBuf,
    },
    /// The file system failed.
    #[error("failed to {what} `{path}`")]
    Io {
        /// Verb.
        what: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The database failed.
    #[error("the database of the backup `{path}` is not usable")]
    Store {
        /// The backup.
        path: PathBuf,
        /// Why.
        #[source]
        source: StoreError,
    },
    /// The directory is no backup.
    #[error("`{path}` is no backup: {why}")]
    NoBackup {
        /// The directory.
        path: PathBuf,
        /// What is missing or wrong.
        why: String,
    },
    /// Files are not what they were.
    #[error("the backup `{path}` is damaged: {} of its files: {}", damage.len(), shown(damage))]
    Damaged {
        /// The backup.
        path: PathBuf,
        /// What is wrong, each with the file's name.
        damage: Vec<String>,
    },
    /// The data directory to restore into cannot be used.
    #[error(transparent)]
    Data(#[from] DataDirError),
}

/// Files named in one error.
const SHOWN: usize = 5;

fn shown(damage: &[String]) -> String {
    let first: Vec<&str> = damage.iter().take(SHOWN).map(String::as_str).collect();
    let more = damage.len().saturating_sub(SHOWN);
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    format!("{}{more}", first.join(", "))
}

impl BackupError {
    fn at(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { what, path, source }
    }
}

impl Explain for BackupError {
    fn kind(&self) -> Kind {
        match self {
            BackupError::Occupied { .. } | BackupError::Unfinished { .. } => Kind::Conflict,
            BackupError::Io { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                Kind::NotFound
            }
            BackupError::Io { .. } | BackupError::Damaged { .. } => Kind::Infrastructure,
            BackupError::Store { source, .. } => source.kind(),
            BackupError::NoBackup { .. } | BackupError::Within { .. } => Kind::Usage,
            BackupError::Data(err) => err.kind(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            BackupError::Occupied { .. } => {
                Some("name a directory that is not there yet, or is empty".to_owned())
            }
            BackupError::Within { .. } => Some("name a directory elsewhere, best on another disk".to_owned()),
            BackupError::Unfinished { .. } => Some(
                "unless that restore still runs, remove the directory and restore again; or name another"
                    .to_owned(),
            ),
            BackupError::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                Some("free some space there, or choose another directory".to_owned())
            }
            BackupError::Damaged { .. } => Some("use another backup".to_owned()),
            BackupError::Store { source, .. } => source.hint(),
            BackupError::Data(err) => err.hint(),
            BackupError::Io { .. } | BackupError::NoBackup { .. } => None,
        }
    }
}

/// Who makes a backup, and when.
#[derive(Clone, Debug)]
pub struct Maker {
    /// Id of the installation.
    pub data_id: String,
    /// Now.
    pub at: Timestamp,
    /// Copy the logs; else they stay where they are.
    pub logs: bool,
}

/// A backup that was made or checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backup {
    /// What it says of itself.
    pub facts: Facts,
    /// Number of its files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Repositories that it watches.
    pub watches: u64,
}

impl Backup {
    /// It in the words of the wire, with where it lies.
    #[must_use]
    pub fn row(self, path: String) -> api::backups::Backup {
        let facts = self.facts;
        api::backups::Backup {
            path,
            version: facts.version,
            data_id: facts.data_id,
            schema: facts.schema,
            seq: facts.seq,
            pipelines: facts.pipelines,
            created_at: facts.created_at,
            logs: facts.logs,
            files: self.files,
            bytes: self.bytes,
        }
    }
}

/// Makes a backup of the data directory `data` in the new directory `to`, while a server may use it. All of it is there,
/// on disk, or nothing is: it grows beside `to` and is renamed.
///
/// # Errors
/// [`BackupError::Occupied`] when something is there, [`BackupError::Within`] for a place below `data`, else what the disk or
/// the database says.
pub fn create(data: &Path, to: &Path, maker: &Maker) -> Result<Backup, BackupError> {
    let there = |path: &Path| path.canonicalize().ok();
    if let (Some(place), Some(data)) = (to.ancestors().find_map(there), there(data))
        && place.starts_with(data)
    {
        return Err(BackupError::Within {
            path: to.to_owned(),
        });
    }
    check_free(to)?;
    let mut name = to.file_name().unwrap_or(to.as_os_str()).to_owned();
    name.push(".partial");
    let partial = to.with_file_name(name);
    check_free(&partial)?;
    let made = fill(data, &partial, maker).and_then(|made| {
        // An empty directory gives way to the whole one.
        fs::rename(&partial, to).map_err(BackupError::at("put in place", to))?;
        Ok(made)
    });
    if made.is_err() {
        // What is left says by its name that it is no backup; the first error is the one to tell.
        _ = fs::remove_dir_all(&partial);
    }
    made
}

fn fill(data: &Path, to: &Path, maker: &Maker) -> Result<Backup, BackupError> {
    make_dir(to)?;
    let mut backup = Growing {
        to,
        sums: Vec::new(),
        bytes: 0,
    };
    let copied = store::copy(&data.join(DATABASE), &to.join(DATABASE)).map_err(|source| {
        BackupError::Store {
            path: to.to_owned(),
            source,
        }
    })?;
    backup.count(DATABASE)?;
    if maker.logs {
        backup.logs(&data.join(LOGS))?;
    }
    let facts = Facts {
        form: FORM,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        data_id: maker.data_id.clone(),
        schema: copied.schema,
        seq: copied.seq,
        pipelines: copied.pipelines,
        created_at: maker.at,
        logs: maker.logs,
    };
    let text = serde_json::to_string_pretty(&facts).unwrap_or_default() + "\n";
    write_whole(&to.join(FACTS), text.as_bytes())
        .map_err(BackupError::at("write", &to.join(FACTS)))?;
    backup.count(FACTS)?;
    let sums = to.join(SUMS);
    write_whole(&sums, manifest::write(&backup.sums).as_bytes())
        .map_err(BackupError::at("write", &sums))?;
    settle(to)?;
    Ok(Backup {
        facts,
        files: backup.sums.len() as u64,
        bytes: backup.bytes,
        watches: copied.watches,
    })
}

/// A backup in the making.
struct Growing<'a> {
    to: &'a Path,
    sums: Vec<Sum>,
    bytes: u64,
}

impl Growing<'_> {
    /// Takes a file that is there into the list.
    fn count(&mut self, path: &str) -> Result<(), BackupError> {
        let file = self.to.join(path);
        let (sha256, length) = manifest::sum(&file).map_err(BackupError::at("read", &file))?;
        self.add(path.to_owned(), sha256, length);
        Ok(())
    }

    fn add(&mut self, path: String, sha256: String, length: u64) {
        self.bytes += length;
        self.sums.push(Sum { sha256, path });
    }

    fn logs(&mut self, from: &Path) -> Result<(), BackupError> {
        make_dir(&self.to.join(LOGS))?;
        for attempt in entries(from)? {
            let name = format!("{LOGS}/{attempt}");
            let mut files = match entries(&from.join(&attempt)) {
                Ok(files) => files,
                // Cleared away since the list was read.
                Err(BackupError::Io { source, .. })
                    if matches!(
                        source.kind(),
                        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                    ) =>
                {
                    continue;
                }
                Err(err) => return Err(err),
            };
            // An index before its log: what it counts is in the log already, and a log that grew since is cut to it.
            files.sort_by_key(|file| !file.ends_with(".idx"));
            make_dir(&self.to.join(&name))?;
            for file in files {
                self.copy(&from.join(&attempt).join(&file), format!("{name}/{file}"))?;
            }
        }
        Ok(())
    }

    fn copy(&mut self, from: &Path, path: String) -> Result<(), BackupError> {
        let mut source = match File::open(from) {
            Ok(file) => file,
            Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(err) => return Err(BackupError::at("read", from)(err)),
        };
        let (sha256, length) = copy_file(&mut source, from, &self.to.join(&path))?;
        self.add(path, sha256, length);
        Ok(())
    }
}

/// Copies what the file holds at this moment, not what it grows by meanwhile.
fn copy_file(source: &mut File, from: &Path, to: &Path) -> Result<(String, u64), BackupError> {
    let length = source
        .metadata()
        .map_err(BackupError::at("read", from))?
        .len();
    let mut target = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(to)
        .map_err(BackupError::at("write", to))?;
    manifest::pour(source, &mut target, length).map_err(BackupError::at("copy", from))
}

/// Checks every file of a backup against its sum, and the database as a whole.
///
/// # Errors
/// [`BackupError::NoBackup`], [`BackupError::Damaged`] with every file that is not what it was.
pub fn verify(from: &Path) -> Result<Backup, BackupError> {
    check(from).map(|(backup, _)| backup)
}

/// As [`verify`], with the list of the files.
fn check(from: &Path) -> Result<(Backup, Vec<Sum>), BackupError> {
    let (facts, sums) = contents(from)?;
    let mut bytes = 0;
    let mut damage = Vec::new();
    for sum in &sums {
        match manifest::sum(&from.join(&sum.path)) {
            Ok((found, length)) => {
                bytes += length;
                if found != sum.sha256 {
                    damage.push(format!("{} is not what it was", sum.path));
                }
            }
            Err(err) if err.kind() == io::ErrorKind::NotFound => {
                damage.push(format!("{} is missing", sum.path));
            }
            Err(err) => damage.push(format!("{} cannot be read ({err})", sum.path)),
        }
    }
    if !damage.is_empty() {
        return Err(BackupError::Damaged {
            path: from.to_owned(),
            damage,
        });
    }
    let facts = facts?;
    let seen = store::look(&from.join(DATABASE)).map_err(|source| BackupError::Store {
        path: from.to_owned(),
        source,
    })?;
    let backup = Backup {
        facts,
        files: sums.len() as u64,
        bytes,
        watches: seen.watches,
    };
    Ok((backup, sums))
}

/// What a backup says of itself, which may be damaged, and its list.
fn contents(from: &Path) -> Result<(Result<Facts, BackupError>, Vec<Sum>), BackupError> {
    let none = |why: String| BackupError::NoBackup {
        path: from.to_owned(),
        why,
    };
    let read = |name: &str| match fs::read(from.join(name)) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(err) if err.kind() == io::ErrorKind::NotFound => Err(none(format!("it has no {name}"))),
        Err(err) => Err(BackupError::at("read", &from.join(name))(err)),
    };
    let sums =
        manifest::read(&read(SUMS)?).ok_or_else(|| none(format!("{SUMS} is no list of sums")))?;
    for name in [DATABASE, FACTS] {
        if !sums.iter().any(|sum| sum.path == name) {
            return Err(none(format!("{SUMS} does not list {name}")));
        }
    }
    let facts = read(FACTS).and_then(|text| {
        let facts: Facts =
            serde_json::from_str(&text).map_err(|err| none(format!("{FACTS}: {err}")))?;
        if facts.form > FORM {
            return Err(none(format!(
                "it has form {}, and this build knows forms up to {FORM}; run the newer roundel",
                facts.form
            )));
        }
        Ok(facts)
    });
    Ok((facts, sums))
}

/// All that was written there is on the disk.
fn settle(path: &Path) -> Result<(), BackupError> {
    let root = File::open(path).map_err(BackupError::at("open", path))?;
    rustix::fs::syncfs(&root)
        .map_err(io::Error::from)
        .map_err(BackupError::at("bring to the disk", path))
}

fn make_dir(path: &Path) -> Result<(), BackupError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(BackupError::at("make", path))
}

/// Names in a directory; those that are no UTF-8 are none of ours.
fn entries(path: &Path) -> Result<Vec<String>, BackupError> {
    let mut names = Vec::new();
    for entry in fs::read_dir(path).map_err(BackupError::at("list", path))? {
        let entry = entry.map_err(BackupError::at("list", path))?;
        names.extend(entry.file_name().into_string());
    }
    names.sort();
    Ok(names)
}

fn check_free(path: &Path) -> Result<(), BackupError> {
    match fs::read_dir(path) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(BackupError::Occupied {
                path: path.to_owned(),
            }),
        },
        Err(err) if err.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(err) if err.kind() == io::ErrorKind::NotADirectory => Err(BackupError::Occupied {
            path: path.to_owned(),
        }),
        Err(err) => Err(BackupError::at("look at", path)(err)),
    }
}

#[cfg(test)]
mod tests;
