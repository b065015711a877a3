//! What was written into which files: `rendered.json` in the data directory. Hashes, for texts may hold secrets.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{FilesError, Part};
use crate::clock::Timestamp;
use crate::storage::spool::write_whole;

/// Name of the file.
const NAME: &str = "rendered.json";

/// A file that was written.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Entry {
    /// Below which directory.
    pub root: PathBuf,
    /// Below the root.
    pub path: String,
    /// Which part of it.
    pub part: Part,
    /// Of the part as it was written.
    pub hash: String,
    /// When.
    pub at: Timestamp,
    /// There was no such file before.
    pub made: bool,
    /// Of a member: how deep the outermost name lies that was put in.
    #[serde(default)]
    pub depth: usize,
    /// Directories below the root that were made for it, the outermost first.
    #[serde(default)]
    pub directories: Vec<String>,
}

/// All of them.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Record {
    files: Vec<Entry>,
}

impl Record {
    pub(super) fn read(data: &Path) -> Result<Self, FilesError> {
        let path = data.join(NAME);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(source) => {
                let what = "read";
                return Err(FilesError::Io { what, path, source });
            }
        };
        serde_json::from_slice(&bytes).map_err(|source| FilesError::Record { path, source })
    }

    pub(super) fn write(&self, data: &Path) -> Result<(), FilesError> {
        let path = data.join(NAME);
        let text = serde_json::to_vec_pretty(self).expect("a record is plain data");
        write_whole(&path, &text).map_err(|source| FilesError::Io {
            what: "write",
            path,
            source,
        })
    }

    pub(super) fn entries(&self) -> &[Entry] {
        &self.files
    }

    pub(super) fn of<'r>(&'r self, root: &'r Path) -> impl Iterator<Item = &'r Entry> {
        self.files.iter().filter(move |entry| entry.root == root)
    }

    pub(super) fn entry(&self, root: &Path, path: &str) -> Option<&Entry> {
        self.files
            .iter()
            .find(|entry| entry.root == root && entry.path == path)
    }

    pub(super) fn put(&mut self, entry: Entry) {
        self.take(&entry.root.clone(), &entry.path.clone());
        self.files.push(entry);
    }

    pub(super) fn take(&mut self, root: &Path, path: &str) -> Option<Entry> {
        let is = |entry: &Entry| entry.root == root && entry.path == path;
        let at = self.files.iter().position(is)?;
        Some(self.files.remove(at))
    }
}

/// Of a text.
pub(super) fn hash(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
