//! Settings on the wire.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::clock::Timestamp;
pub use crate::settings::check::{Finding, Severity};
pub use crate::settings::registry::{Restart, TestId};

/// `GET /settings`: every setting, and what is wrong with the values as they would be if all that is staged were saved.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Settings {
    /// The newest version; 0 before the first save.
    pub version: u64,
    /// The version that the services run with.
    pub running: u64,
    /// Groups, in the order of the console.
    pub groups: Vec<SettingGroup>,
    /// Settings, in the order of the console.
    pub settings: Vec<SettingRow>,
    /// What is wrong, in the same order.
    pub findings: Vec<Finding>,
}

/// What is set together.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SettingGroup {
    /// As commands name it.
    pub name: String,
    /// As people read it.
    pub title: String,
    /// What does not act on it yet.
    pub note: Option<String>,
}

/// Where a value comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Nothing was given.
    Default,
    /// The newest version.
    Saved,
    /// It waits to be saved.
    Staged,
}

/// A setting as it would be if all that is staged were saved.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SettingRow {
    /// Its key.
    pub key: String,
    /// Name of its group.
    pub group: String,
    /// As people read it.
    pub label: String,
    /// What it means.
    pub help: String,
    /// What may stand there, in words.
    pub takes: String,
    /// Words of a choice; empty for everything else.
    pub options: Vec<SettingOption>,
    /// The value is never shown.
    pub secret: bool,
    /// Something stands there, also where it is a secret.
    pub set: bool,
    /// The value; `None` for a secret, and where there is none.
    pub value: Option<Json>,
    /// Where it comes from.
    pub source: Source,
    /// It is shown: what it depends on is so.
    pub shown: bool,
    /// Something has to stand there.
    pub required: bool,
    /// What has to be restarted before a new value holds.
    pub restart: Restart,
    /// Saved, and what has to be restarted was not: the services run with an older value.
    pub waits_for_restart: bool,
    /// The test that it belongs to.
    pub test: Option<TestId>,
    /// When it was given; `None` for a default.
    pub changed_at: Option<Timestamp>,
    /// By whom.
    pub changed_by: Option<String>,
}

/// A word of a choice.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SettingOption {
    /// As it is kept.
    pub word: String,
    /// As people read it.
    pub label: String,
}

/// Values to stage, of `POST /settings/stage`, or also of a save.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Changes {
    /// Values by key: of the setting's own type, or a text as a person would type it.
    pub set: Map<String, Json>,
    /// Keys that get their default back.
    pub unset: Vec<String>,
}

/// `POST /settings/discard`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Discard {
    /// Keys; none means all that is staged.
    pub keys: Vec<String>,
}

/// `POST /settings/save`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Save {
    /// Staged first, in the same step.
    pub changes: Changes,
    /// What somebody should know is known.
    pub accept_warnings: bool,
}

/// `POST /settings/rollback`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Rollback {
    /// The version whose values come back, as a new version.
    pub version: u64,
}

/// Answer to a write on the settings.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SettingsRef {
    /// The newest version.
    pub version: u64,
    /// The write made it.
    pub saved: bool,
}

/// Row of `GET /settings/versions`, the newest first.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct VersionRow {
    /// From 1.
    pub version: u64,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
    /// What it came from: `save`, `rollback to 3`.
    pub origin: String,
    /// Keys that it changed.
    pub keys: Vec<String>,
}

/// Query of `GET /settings/diff`.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct DiffQuery {
    /// Version on the left; the newest when left out.
    pub from: Option<u64>,
    /// Version on the right; what is staged when left out.
    pub to: Option<u64>,
}

/// Row of `GET /settings/diff`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DiffRow {
    /// Its key.
    pub key: String,
    /// As people read it.
    pub label: String,
    /// Before, in words; `None` when nothing was given.
    pub old: Option<String>,
    /// After.
    pub new: Option<String>,
    /// Neither is shown: `(set)` stands for any value.
    pub secret: bool,
    /// What has to be restarted before it holds.
    pub restart: Restart,
}

/// `GET /settings/export`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Exported {
    /// The file.
    pub toml: String,
    /// Version that it holds.
    pub version: u64,
}
