//! Files of the machine that are rendered from the settings, on the wire.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;

/// `POST /proxy/render`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Render {
    /// Directory that stands for the machine's `/`: an absolute path.
    pub root: String,
    /// What is to be done.
    pub act: Act,
}

/// What is to be done with the files.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// Tell what would be.
    Show,
    /// Write them.
    Write,
    /// Take away what was written.
    Remove,
}

/// How a file stands to what was, and what is to be, written into it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nothing of Roundel's is in it.
    Absent,
    /// As it is to be.
    Same,
    /// As it was written; the settings say otherwise now.
    Behind,
    /// Changed by hand since.
    Edited,
    /// What was written is not there any more.
    Gone,
    /// As it is to be, by somebody else.
    Theirs,
}

impl State {
    /// In words.
    #[must_use]
    pub fn described(self) -> &'static str {
        match self {
            State::Absent => "nothing of Roundel's is in it",
            State::Same => "as it is to be",
            State::Behind => "as it was written, and the settings say otherwise now",
            State::Edited => "changed by hand since it was written",
            State::Gone => "what was written is not there any more",
            State::Theirs => "as it is to be, by somebody else",
        }
    }
}

/// What is, or would be, done with a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Nothing.
    None,
    /// It is made.
    Make,
    /// It is changed.
    Change,
    /// It is removed.
    Remove,
}

impl Change {
    /// In a word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Change::None => "unchanged",
            Change::Make => "made",
            Change::Change => "changed",
            Change::Remove => "removed",
        }
    }
}

/// A line that is, or was, in a file, without passwords.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DiffLine {
    /// `-` or `+`.
    pub sign: char,
    /// The line.
    pub text: String,
}

/// A file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RenderedFile {
    /// Where.
    pub path: String,
    /// How it stood before.
    pub state: State,
    /// What is, or would be, done.
    pub change: Change,
    /// In which lines.
    pub diff: Vec<DiffLine>,
    /// What to know and to do about it.
    pub notes: Vec<String>,
}

/// Answer to `POST /proxy/render`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Rendered {
    /// Directory that stands for the machine's `/`.
    pub root: String,
    /// What was asked for.
    pub act: Act,
    /// The files.
    pub files: Vec<RenderedFile>,
}

/// Answer to `GET /settings/drift`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Drift {
    /// Files that were rendered.
    pub rendered: u64,
    /// Those of them that are not as they were written.
    pub drifted: Vec<Drifted>,
}

/// A file that is not as it was written.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Drifted {
    /// Where.
    pub path: String,
    /// `edited` or `gone`.
    pub state: State,
    /// When it was written.
    pub written_at: Timestamp,
    /// In which lines it differs from what the settings say; none where it is gone or no longer rendered.
    pub diff: Vec<DiffLine>,
}
