//! Settings: staged, looked at, saved as a version, taken back to one. Decisions only; what is sealed is opened for the
//! look alone.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::builds::Batch;
use super::command::{Actor, CommandError, Reply, SettingsCommand};
use super::outbox::Topic;
use super::state::State;
use crate::access::Fingerprint;
use crate::certificates::{Certificate, pem};
use crate::secret::{Secret, password};
use crate::services::ca;
use crate::settings::check::{Finding, check};
use crate::settings::registry::{Restart, find};
use crate::settings::value::{Value, Values};
use crate::storage::seal::{Seal, SealError};
use crate::store::{
    SavedSetting, SettingsRecord, SettingsVersion, StagedSetting, StoreError, Stored, Tx,
};

/// What was given, in the values of the registry; a secret is opened, or locked where it cannot be.
#[must_use]
pub fn opened<'a>(stored: impl Iterator<Item = (&'a str, &'a Json)>, seal: &Seal) -> Values {
    stored
        .filter_map(|(key, json)| Some((key.to_owned(), open(key, json, seal)?)))
        .collect()
}

/// What was saved, as it is kept.
pub fn stored(saved: &BTreeMap<String, SavedSetting>) -> impl Iterator<Item = (&str, &Json)> {
    saved.iter().map(|(key, one)| (key.as_str(), &one.value))
}

fn open(key: &str, json: &Json, seal: &Seal) -> Option<Value> {
    if let Some(sealed) = json.get("sealed").and_then(Json::as_str) {
        let text = seal.open(&sealed_name(key), sealed);
        return Some(text.map_or(Value::Locked, |text| Value::Secret(Secret::new(text))));
    }
    // A value that the registry of this build does not take any more is as if it were not given.
    Value::from_json(find(key)?.1.kind, json).ok()
}

/// A value that is only ever compared as its hash; any other, and a hash, as it is. Takes some 30 ms where it hashes: not
/// for a thread that others wait for.
#[must_use]
pub fn hashed(key: &str, value: Value) -> Value {
    match value {
        Value::Secret(text)
            if find(key).is_some_and(|(_, entry)| entry.hashed)
                && !text.expose().is_empty()
                && !password::is_hash(text.expose()) =>
        {
            Value::Secret(password::hashed(&text))
        }
        value => value,
    }
}

/// A value as it is kept.
fn kept(key: &str, value: &Value, seal: &Seal) -> Result<Json, SealError> {
    match value.to_json() {
        Some(json) => Ok(json),
        None => Ok(json!({ "sealed": seal.seal(&sealed_name(key), value.text())? })),
    }
}

/// What a sealed setting is bound to, so that it opens nowhere else.
fn sealed_name(key: &str) -> String {
    format!("setting {key}")
}

/// What would be given if everything staged were saved.
#[must_use]
pub fn proposed(record: &SettingsRecord) -> BTreeMap<&str, &Json> {
    let mut values: BTreeMap<&str, &Json> = stored(&record.saved).collect();
    for (key, staged) in &record.staged {
        match &staged.value {
            Some(value) => values.insert(key, value),
            None => values.remove(key.as_str()),
        };
    }
    values
}

impl State {
    /// Reads what the settings say that hold.
    pub(super) fn load_values(&mut self, tx: &Tx<'_>, seal: &Seal) -> Result<(), StoreError> {
        let (saved, running) = (tx.settings()?.saved, self.settings_running);
        let then = tx.settings_at(running)?.unwrap_or_default();
        let live = |key: &str| find(key).is_some_and(|(_, entry)| entry.restart == Restart::Live);
        let newest = stored(&saved).filter(|(key, _)| live(key));
        let started = stored(&then).filter(|(key, _)| !live(key));
        self.values = Arc::new(opened(newest.chain(started), seal));
        self.mark_unserved();
        Ok(())
    }
}

impl Batch<'_, '_> {
    /// Decides a wish on the settings.
    pub(super) fn settings(
        &mut self,
        command: SettingsCommand,
        actor: &Actor,
    ) -> Result<Reply, CommandError> {
        let mut record = self.tx.settings()?;
        let keys = match command {
            SettingsCommand::Stage(changes) => {
                for (key, value) in changes {
                    match self.stage(&mut record, key.clone(), value, actor)? {
                        Some(staged) => self.tx.stage_setting(&key, staged)?,
                        None => self.tx.unstage_setting(&key)?,
                    }
                }
                Vec::new()
            }
            SettingsCommand::Discard(keys) => {
                for key in record.staged.keys() {
                    if keys.is_empty() || keys.contains(key) {
                        self.tx.unstage_setting(key)?;
                    }
                }
                Vec::new()
            }
            SettingsCommand::Save {
                changes,
                accept_warnings,
            } => {
                let before: Vec<String> = record.staged.keys().cloned().collect();
                for (key, value) in changes {
                    self.stage(&mut record, key, value, actor)?;
                }
                let values = opened(proposed(&record).into_iter(), self.seal);
                let changes: BTreeMap<String, Stored> = record
                    .staged
                    .into_iter()
                    .map(|(key, staged)| (key, staged.value))
                    .collect();
                // Nothing is written before it is known to be right.
                look_at(&values, accept_warnings, &changes)?;
                self.people_allow(&values)?;
                for key in &before {
                    self.tx.unstage_setting(key)?;
                }
                self.append(record.version, changes, "save".to_owned(), actor)?
            }
            SettingsCommand::Put { changes, origin } => {
                self.put(&record, changes, origin, actor)?
            }
            SettingsCommand::Rollback(to) => self.rollback(&record, to, actor)?,
            SettingsCommand::Trust {
                add,
                remove,
                stage,
                accept_warnings,
            } => {
                let values = opened(proposed(&record).into_iter(), self.seal);
                let changes = vec![trusted(&values, add, &remove)];
                let command = match stage {
                    true => SettingsCommand::Stage(changes),
                    false => SettingsCommand::Save {
                        changes,
                        accept_warnings,
                    },
                };
                return self.settings(command, actor);
            }
            SettingsCommand::Reload => {
                self.state.load_values(self.tx, self.seal)?;
                Vec::new()
            }
        };
        self.out.touch(Topic::Settings, "settings");
        Ok(Reply::Settings {
            version: record.version + u64::from(!keys.is_empty()),
            keys,
        })
    }

    /// Stages a change in `record`; what is saved so already is staged no more.
    fn stage<'r>(
        &self,
        record: &'r mut SettingsRecord,
        key: String,
        value: Option<Value>,
        actor: &Actor,
    ) -> Result<Option<&'r StagedSetting>, SealError> {
        // Hashed already by whoever asks; what is not, is so here before it is kept anywhere.
        let value = value.map(|value| hashed(&key, value));
        let value = value.map(|value| kept(&key, &value, self.seal));
        let value: Stored = value.transpose()?;
        if record.saved.get(&key).map(|saved| &saved.value) == value.as_ref() {
            record.staged.remove(&key);
            return Ok(None);
        }
        let staged = StagedSetting {
            value,
            at: self.now,
            actor: actor.name.clone(),
        };
        record.staged.insert(key.clone(), staged);
        Ok(record.staged.get(&key))
    }

    /// Saves these changes alone. What is wrong with others is for those who set them.
    fn put(
        &mut self,
        record: &SettingsRecord,
        changes: Vec<(String, Option<Value>)>,
        origin: &str,
        actor: &Actor,
    ) -> Result<Vec<String>, CommandError> {
        let mut values = opened(stored(&record.saved), self.seal);
        values.change(changes.iter().cloned());
        let wrong = check(&values).into_iter();
        let wrong: Vec<Finding> = wrong
            .filter(|finding| finding.is_error())
            .filter(|finding| changes.iter().any(|(key, _)| *key == finding.key))
            .collect();
        if !wrong.is_empty() {
            return Err(CommandError::Settings { findings: wrong });
        }
        let mut stored: BTreeMap<String, Stored> = BTreeMap::new();
        for (key, value) in changes {
            let value = value.map(|value| kept(&key, &value, self.seal));
            let value: Stored = value.transpose()?;
            if record.saved.get(&key).map(|saved| &saved.value) != value.as_ref() {
                // What somebody has staged for it would take it back at the next save.
                self.tx.unstage_setting(&key)?;
                stored.insert(key, value);
            }
        }
        self.append(record.version, stored, origin.to_owned(), actor)
    }

    fn rollback(
        &mut self,
        record: &SettingsRecord,
        to: u64,
        actor: &Actor,
    ) -> Result<Vec<String>, CommandError> {
        if !record.staged.is_empty() {
            return Err(CommandError::Conflict {
                what: "settings",
                name: format!("version {to}"),
                why: format!(
                    "cannot come back while {} staged and not saved",
                    match record.staged.len() {
                        1 => "1 change is".to_owned(),
                        count => format!("{count} changes are"),
                    }
                ),
            });
        }
        let Some(then) = self.tx.settings_at(to)? else {
            return Err(CommandError::NotFound {
                what: "version of the settings",
                name: to.to_string(),
            });
        };
        let mut changes: BTreeMap<String, Stored> = BTreeMap::new();
        for key in then.keys().chain(record.saved.keys()) {
            let (old, now) = (then.get(key), record.saved.get(key));
            if old.map(|one| &one.value) != now.map(|one| &one.value) {
                changes.insert(key.clone(), old.map(|one| one.value.clone()));
            }
        }
        // What was good once can be wrong by the rules of a newer build; its warnings were taken then.
        let values = opened(stored(&then), self.seal);
        look_at(&values, true, &changes)?;
        self.people_allow(&values)?;
        self.append(record.version, changes, format!("rollback to {to}"), actor)
    }

    /// Appends a version; answers its keys, none where nothing is changed.
    fn append(
        &mut self,
        version: u64,
        changes: BTreeMap<String, Stored>,
        origin: String,
        actor: &Actor,
    ) -> Result<Vec<String>, CommandError> {
        if changes.is_empty() {
            return Ok(Vec::new());
        }
        let new = SettingsVersion {
            version: version + 1,
            at: self.now,
            actor: actor.name.clone(),
            origin,
            keys: changes.keys().cloned().collect(),
        };
        self.tx.save_settings(&new, &changes)?;
        self.state.load_values(self.tx, self.seal)?;
        Ok(new.keys)
    }
}

/// The change that has some authorities more and some no more.
fn trusted(
    values: &Values,
    add: Vec<Certificate>,
    remove: &[Fingerprint],
) -> (String, Option<Value>) {
    let mut all = ca::custom(values);
    all.retain(|one| !remove.contains(&Fingerprint::of(one.der())));
    for one in add {
        if !all.iter().any(|other| other.der() == one.der()) {
            all.push(one);
        }
    }
    let text: String = all.iter().map(|one| pem(one.der())).collect();
    let value = (!text.is_empty()).then_some(Value::Text(text));
    (ca::SETTING.to_owned(), value)
}

/// Refuses what is wrong, and what somebody should know unless they say that they do. A warning about what is not
/// changed was taken before.
fn look_at(
    values: &Values,
    accept_warnings: bool,
    changes: &BTreeMap<String, Stored>,
) -> Result<(), CommandError> {
    let findings: Vec<Finding> = check(values)
        .into_iter()
        .filter(|finding| {
            finding.is_error() || (!accept_warnings && changes.contains_key(&finding.key))
        })
        .collect();
    if findings.is_empty() {
        Ok(())
    } else {
        Err(CommandError::Settings { findings })
    }
}
