//! Settings on the wire.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::clock::Timestamp;
use crate::settings::check::is_shown;
pub use crate::settings::check::{Finding, Severity};
use crate::settings::registry::{Entry, GROUPS, Group, Kind, entries};
pub use crate::settings::registry::{Restart, TestId};
use crate::settings::value::Values;

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

impl SettingGroup {
    /// All of the registry.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let of = |group: &Group| Self {
            name: group.name.to_owned(),
            title: group.title.to_owned(),
            note: group.note.map(str::to_owned),
        };
        GROUPS.iter().map(of).collect()
    }
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

impl SettingRow {
    /// All of the registry, and each member of its families, with these values; as if they were defaults, for where a
    /// value comes from is not seen by it.
    #[must_use]
    pub fn all(values: &Values) -> Vec<Self> {
        let rows = entries().flat_map(|(group, entry)| {
            let keys: Vec<&str> = if entry.is_family() {
                values.of_family(entry).map(|(key, _)| key).collect()
            } else {
                vec![entry.key]
            };
            let of = move |key| Self::of(group, entry, key, values);
            keys.into_iter().map(of)
        });
        rows.collect()
    }

    fn of(group: &Group, entry: &Entry, key: &str, values: &Values) -> Self {
        let value = values.get(key);
        let options = match entry.kind {
            Kind::Choice(options) => options,
            _ => &[],
        };
        let options = options.iter().map(|option| SettingOption {
            word: option.word.to_owned(),
            label: option.label.to_owned(),
        });
        Self {
            key: key.to_owned(),
            group: group.name.to_owned(),
            label: entry.label.to_owned(),
            help: entry.help.to_owned(),
            takes: entry.kind.described(),
            options: options.collect(),
            secret: entry.kind.is_secret(),
            set: value.as_ref().is_some_and(|value| !value.is_empty()),
            value: value.and_then(|value| value.to_json()),
            source: Source::Default,
            shown: is_shown(entry, values),
            required: entry.required.holds(values),
            restart: entry.restart,
            waits_for_restart: false,
            test: entry.test,
            changed_at: None,
            changed_by: None,
        }
    }
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
