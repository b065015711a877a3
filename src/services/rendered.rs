//! Files of the machine that Roundel writes, whole or a part of: shown as differences, written, taken away again so that
//! every other byte is as it was, and watched for changes by hand.
//!
//! Knows nothing of what the files are for. What was written is remembered in the data directory, by its hash alone: texts may
//! hold secrets.

mod block;
mod disk;
mod error;
mod member;
mod part;
mod record;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::api::rendered::{Change, DiffLine, RenderedFile, State};
use crate::clock::{self, Timestamp};
use crate::services::proxy::without_passwords;
use part::{json_text, part_in};
use record::{Entry, Record, hash};

pub use error::FilesError;
use error::in_the_way;
pub use part::{MARK, Part};

/// What a file is to hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wanted {
    /// Below the root, without a leading `/`.
    pub path: &'static str,
    /// Which part of it is Roundel's.
    pub part: Part,
    /// What stands there: lines of a block or of a whole file, or the JSON of a member.
    pub text: String,
    /// Nobody else is to read it, as far as that can be.
    pub private: bool,
    /// What to know and to do about it.
    pub notes: Vec<String>,
}

/// A file that was written and is not as it was.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Drift {
    /// Below which directory it is.
    pub root: PathBuf,
    /// Below the root.
    pub path: String,
    /// `Edited` or `Gone`.
    pub state: State,
    /// When it was written.
    pub at: Timestamp,
}

/// One at a time: two who write would each undo what the other remembers.
static TURN: Mutex<()> = Mutex::new(());

/// What the part of a file is, as it stands there.
struct Found {
    bytes: Option<Vec<u8>>,
    part: Option<String>,
}

/// Files of one root, and what is remembered of them.
struct Files<'a> {
    data: &'a Path,
    root: &'a Path,
    record: Record,
}

/// What writing these would change; nothing is written. Blocks, as all here.
///
/// # Errors
/// See [`FilesError`].
pub fn look(data: &Path, root: &Path, wanted: &[Wanted]) -> Result<Vec<RenderedFile>, FilesError> {
    let files = Files::open(data, root)?;
    wanted.iter().map(|one| files.look(one)).collect()
}

/// Writes them: all that can be seen beforehand to be in the way leaves everything as it is. Done twice, the second time
/// changes nothing. Answers what was changed.
///
/// # Errors
/// See [`FilesError`]. Of several files those before the one that could not be written are written, and remembered.
pub fn write(data: &Path, root: &Path, wanted: &[Wanted]) -> Result<Vec<RenderedFile>, FilesError> {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let mut files = Files::open(data, root)?;
    let looked: Vec<RenderedFile> = wanted
        .iter()
        .map(|one| files.look(one))
        .collect::<Result<_, _>>()?;
    for (one, looked) in wanted.iter().zip(&looked) {
        if looked.change != Change::None {
            files.write(one)?;
        }
    }
    Ok(looked)
}

/// Takes away what was written below a root: of the files in `known`, and of those that are remembered. Answers what was changed.
///
/// # Errors
/// See [`FilesError`].
pub fn remove(
    data: &Path,
    root: &Path,
    known: &[(&str, Part)],
) -> Result<Vec<RenderedFile>, FilesError> {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let mut files = Files::open(data, root)?;
    let mut all: Vec<(String, Part)> = known
        .iter()
        .map(|(path, part)| ((*path).to_owned(), part.clone()))
        .collect();
    for entry in files.record.of(root) {
        if !all.iter().any(|(path, _)| *path == entry.path) {
            all.push((entry.path.clone(), entry.part.clone()));
        }
    }
    let looked: Vec<RenderedFile> = all
        .iter()
        .map(|(path, part)| files.look_to_remove(path, part))
        .collect::<Result<_, _>>()?;
    // One may lie in what was made for another.
    let mut directories = Vec::new();
    for ((path, part), looked) in all.iter().zip(&looked) {
        directories.extend(files.remove(path, part, looked.change)?);
    }
    directories.sort();
    disk::remove_directories(root, &directories);
    Ok(looked)
}

/// Which of the files that were written are not as they were: under any root.
///
/// # Errors
/// See [`FilesError`].
pub fn drift(data: &Path) -> Result<(usize, Vec<Drift>), FilesError> {
    let record = Record::read(data)?;
    let mut drifted = Vec::new();
    for entry in record.entries() {
        let path = entry.root.join(&entry.path);
        let found = match disk::read(&entry.root, &entry.path) {
            Ok(bytes) => part_in(&entry.part, bytes.as_deref(), &path).unwrap_or(None),
            // What is in its place now is not what was written.
            Err(FilesError::InTheWay { .. }) => None,
            Err(err) => return Err(err),
        };
        let state = match found {
            None => State::Gone,
            Some(text) if hash(&text) != entry.hash => State::Edited,
            Some(_) => continue,
        };
        drifted.push(Drift {
            root: entry.root.clone(),
            path: entry.path.clone(),
            state,
            at: entry.at,
        });
    }
    Ok((record.entries().len(), drifted))
}

impl<'a> Files<'a> {
    fn open(data: &'a Path, root: &'a Path) -> Result<Self, FilesError> {
        let record = Record::read(data)?;
        Ok(Self { data, root, record })
    }

    fn found(&self, path: &str, part: &Part) -> Result<Found, FilesError> {
        let bytes = disk::read(self.root, path)?;
        let part = part_in(part, bytes.as_deref(), &self.root.join(path))?;
        Ok(Found { bytes, part })
    }

    /// How a file stands to what it is to hold.
    fn look(&self, wanted: &Wanted) -> Result<RenderedFile, FilesError> {
        let found = self.found(wanted.path, &wanted.part)?;
        let entry = self.record.entry(self.root, wanted.path);
        let same = found.part.as_deref().is_some_and(|text| wanted.is(text));
        let state = match (&found.part, entry) {
            (None, None) => State::Absent,
            (None, Some(_)) => State::Gone,
            (Some(_), Some(_)) if same => State::Same,
            (Some(text), Some(entry)) if hash(text) == entry.hash => State::Behind,
            (Some(_), Some(_)) => State::Edited,
            (Some(_), None) if same && wanted.part.is_marked() => State::Same,
            (Some(_), None) if same => State::Theirs,
            (Some(_), None) if wanted.part.is_marked() => State::Edited,
            (Some(_), None) => {
                let Part::Member(names) = &wanted.part else {
                    unreachable!("all but members are marked")
                };
                return Err(FilesError::InTheWay {
                    path: self.root.join(wanted.path),
                    why: format!("has `{}` of somebody else's", names.join(".")),
                    fix: "take it out there, and render again",
                });
            }
        };
        let change = match (&found.bytes, same) {
            (_, true) => Change::None,
            (None, false) => Change::Make,
            (Some(_), false) => Change::Change,
        };
        let old = found.part.as_deref().map(|text| wanted.part.lines(text));
        let new = wanted.part.lines(&wanted.text);
        Ok(RenderedFile {
            path: self.root.join(wanted.path).display().to_string(),
            state,
            change,
            diff: differences(&old.unwrap_or_default(), &new),
            notes: wanted.notes.clone(),
        })
    }

    fn look_to_remove(&self, path: &str, part: &Part) -> Result<RenderedFile, FilesError> {
        let found = self.found(path, part)?;
        let entry = self.record.entry(self.root, path);
        let (state, is_ours) = match (&found.part, entry) {
            (None, None) => (State::Absent, false),
            (None, Some(_)) => (State::Gone, false),
            (Some(text), Some(entry)) if hash(text) == entry.hash => (State::Same, true),
            (Some(_), Some(_)) => (State::Edited, true),
            (Some(_), None) if part.is_marked() => (State::Same, true),
            (Some(_), None) => (State::Theirs, false),
        };
        let left = match (&found.bytes, is_ours) {
            (Some(bytes), true) => self.without(path, part, bytes)?,
            _ => None,
        };
        let change = match (is_ours, left) {
            (false, _) => Change::None,
            (true, None) => Change::Remove,
            (true, Some(_)) => Change::Change,
        };
        let old = found.part.filter(|_| is_ours);
        let old = old.map(|text| part.lines(&text)).unwrap_or_default();
        Ok(RenderedFile {
            path: self.root.join(path).display().to_string(),
            state,
            change,
            diff: differences(&old, &[]),
            notes: Vec::new(),
        })
    }

    fn write(&mut self, wanted: &Wanted) -> Result<(), FilesError> {
        let path = self.root.join(wanted.path);
        let found = self.found(wanted.path, &wanted.part)?;
        let mut entry = match self.record.entry(self.root, wanted.path) {
            Some(entry) => entry.clone(),
            None => Entry {
                root: self.root.to_owned(),
                path: wanted.path.to_owned(),
                part: wanted.part.clone(),
                hash: String::new(),
                at: clock::now(),
                made: false,
                depth: 0,
                directories: Vec::new(),
            },
        };
        let new = match &wanted.part {
            Part::Whole => wanted.text.clone().into_bytes(),
            Part::Block => block::put(found.bytes.as_deref(), &wanted.text)
                .map_err(|why| in_the_way(&path, why))?,
            Part::Member(names) => {
                let text = json_text(found.bytes.as_deref(), &path)?;
                let put = member::put(text, names, &wanted.text);
                let (text, depth) = put.map_err(|why| in_the_way(&path, why))?;
                entry.depth = depth.unwrap_or(entry.depth);
                text.into_bytes()
            }
        };
        // What is replaced was made by whoever it was made by.
        entry.made |= found.bytes.is_none();
        entry.hash = hash(&wanted.part.canonical(&wanted.text));
        entry.at = clock::now();
        let missing = disk::missing(self.root, wanted.path);
        entry.directories.extend(missing);
        // Remembered first: a part that stands there unremembered would be taken for somebody else's.
        self.record.put(entry);
        self.record.write(self.data)?;
        disk::write(self.root, wanted.path, &new, wanted.private)
    }

    /// Takes one away; answers the directories that were made for it.
    fn remove(
        &mut self,
        path: &str,
        part: &Part,
        change: Change,
    ) -> Result<Vec<String>, FilesError> {
        match change {
            Change::Remove => disk::remove(self.root, path)?,
            Change::Change => {
                let found = self.found(path, part)?;
                let bytes = found.bytes.unwrap_or_default();
                if let Some(left) = self.without(path, part, &bytes)? {
                    disk::write(self.root, path, &left, false)?;
                }
            }
            Change::None | Change::Make => {}
        }
        let Some(entry) = self.record.take(self.root, path) else {
            return Ok(Vec::new());
        };
        self.record.write(self.data)?;
        Ok(entry.directories)
    }

    /// A file without what is Roundel's; `None`: then there was no file.
    fn without(
        &self,
        path: &str,
        part: &Part,
        bytes: &[u8],
    ) -> Result<Option<Vec<u8>>, FilesError> {
        let whole = self.root.join(path);
        let entry = self.record.entry(self.root, path);
        let made = entry.is_some_and(|entry| entry.made);
        Ok(match part {
            Part::Whole => None,
            Part::Block => block::take(bytes).map_err(|why| in_the_way(&whole, why))?,
            Part::Member(names) => {
                let text = json_text(Some(bytes), &whole)?;
                let depth = entry.map_or(names.len() - 1, |entry| entry.depth);
                let left = member::take(text, names, depth);
                let left = left.map_err(|why| in_the_way(&whole, why))?;
                (!made || left.trim() != "{}").then(|| left.into_bytes())
            }
        })
    }
}

impl Wanted {
    /// Whether a part as it was found is this one.
    fn is(&self, text: &str) -> bool {
        self.part.canonical(text) == self.part.canonical(&self.text)
    }
}

/// Lines that are only in one of the two, without passwords. Lines of others are never among them.
fn differences(old: &[String], new: &[String]) -> Vec<DiffLine> {
    let only = |sign: char, these: &[String], others: &[String]| {
        let others: BTreeSet<&String> = others.iter().collect();
        let lines = these.iter().filter(|line| !others.contains(line));
        lines
            .map(|line| DiffLine {
                sign,
                text: without_passwords(line),
            })
            .collect::<Vec<_>>()
    };
    let mut all = only('-', old, new);
    all.extend(only('+', new, old));
    // A password that changed looks the same once it is hidden.
    all
}

#[cfg(test)]
mod tests;
