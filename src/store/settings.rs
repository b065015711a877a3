//! Settings as they are kept: what each version changed, and what is staged for the next.
//!
//! A value is JSON; a secret is `{"sealed": "..."}`, and what is in it is known elsewhere.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::Value as Json;

use super::pool::ReadPool;
use super::writer::Tx;
use super::{During, StoreError};
use crate::clock::Timestamp;

/// A value, as JSON; a secret as `{"sealed": "..."}`. `None`: nothing was given, and the default holds.
pub type Stored = Option<Json>;

/// A value of a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedSetting {
    /// The value.
    pub value: Json,
    /// The version that gave it.
    pub version: u64,
    /// When that was.
    pub at: Timestamp,
    /// By whom.
    pub actor: String,
}

/// A value that waits to be saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StagedSetting {
    /// The value.
    pub value: Stored,
    /// Since when.
    pub at: Timestamp,
    /// By whom.
    pub actor: String,
}

/// What is given now, and what is staged, by key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SettingsRecord {
    /// The newest version; 0 before the first.
    pub version: u64,
    /// What it holds.
    pub saved: BTreeMap<String, SavedSetting>,
    /// What waits to be saved.
    pub staged: BTreeMap<String, StagedSetting>,
}

/// One save.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsVersion {
    /// From 1.
    pub version: u64,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub actor: String,
    /// What it came from: `save`, `rollback to 3`.
    pub origin: String,
    /// Keys that it changed, in order.
    pub keys: Vec<String>,
}

fn newest(db: &Connection) -> Result<u64, StoreError> {
    db.query_row(
        "SELECT coalesce(max(version), 0) FROM settings_versions",
        [],
        |row| row.get(0),
    )
    .during("read the number of the settings' version")
}

/// What was given as of a version.
fn saved_at(db: &Connection, version: u64) -> Result<BTreeMap<String, SavedSetting>, StoreError> {
    let rows = db
        .prepare_cached(
            "SELECT s.key, s.value, v.version, v.at, v.actor
             FROM settings_values s JOIN settings_versions v USING (version)
             WHERE s.value IS NOT NULL AND s.version =
                   (SELECT max(version) FROM settings_values WHERE key = s.key AND version <= ?1)",
        )
        .and_then(|mut statement| {
            statement
                .query_map([version], |row| {
                    let setting = SavedSetting {
                        value: json(row, 1)?,
                        version: row.get(2)?,
                        at: row.get(3)?,
                        actor: row.get(4)?,
                    };
                    Ok((row.get(0)?, setting))
                })?
                .collect()
        })
        .during("read the settings")?;
    Ok(rows)
}

fn staged(db: &Connection) -> Result<BTreeMap<String, StagedSetting>, StoreError> {
    db.prepare_cached("SELECT key, value, at, actor FROM settings_staged")
        .and_then(|mut statement| {
            statement
                .query_map([], |row| {
                    let null = row.get_ref(1)? == rusqlite::types::ValueRef::Null;
                    let setting = StagedSetting {
                        value: if null { None } else { Some(json(row, 1)?) },
                        at: row.get(2)?,
                        actor: row.get(3)?,
                    };
                    Ok((row.get(0)?, setting))
                })?
                .collect()
        })
        .during("read the staged settings")
}

fn json(row: &Row<'_>, column: usize) -> rusqlite::Result<Json> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|err| {
        rusqlite::Error::FromSqlConversionFailure(
            column,
            rusqlite::types::Type::Text,
            Box::new(err),
        )
    })
}

fn record(db: &Connection) -> Result<SettingsRecord, StoreError> {
    let version = newest(db)?;
    Ok(SettingsRecord {
        version,
        saved: saved_at(db, version)?,
        staged: staged(db)?,
    })
}

impl ReadPool {
    /// What is given now and what is staged.
    ///
    /// # Errors
    /// When a statement fails.
    pub fn settings(&self) -> Result<SettingsRecord, StoreError> {
        self.read(record)
    }

    /// What was given as of a version; nothing at version 0.
    ///
    /// # Errors
    /// When a statement fails.
    pub fn settings_at(&self, version: u64) -> Result<BTreeMap<String, SavedSetting>, StoreError> {
        self.read(|db| saved_at(db, version))
    }

    /// The newest versions, the newest first.
    ///
    /// # Errors
    /// When a statement fails.
    pub fn settings_versions(&self, limit: u64) -> Result<Vec<SettingsVersion>, StoreError> {
        self.read(|db| {
            db.prepare_cached(
                "SELECT version, at, actor, origin,
                        (SELECT group_concat(key, char(10)) FROM
                            (SELECT key FROM settings_values s WHERE s.version = v.version ORDER BY key))
                 FROM settings_versions v ORDER BY version DESC LIMIT ?1",
            )
            .and_then(|mut statement| {
                statement
                    .query_map([limit], |row| {
                        let keys: Option<String> = row.get(4)?;
                        Ok(SettingsVersion {
                            version: row.get(0)?,
                            at: row.get(1)?,
                            actor: row.get(2)?,
                            origin: row.get(3)?,
                            keys: keys.unwrap_or_default().lines().map(str::to_owned).collect(),
                        })
                    })?
                    .collect()
            })
            .during("read the versions of the settings")
        })
    }
}

impl Tx<'_> {
    /// Number of the newest version; 0 before the first.
    pub fn settings_version(&self) -> Result<u64, StoreError> {
        newest(&self.db)
    }

    /// What is given now and what is staged.
    pub fn settings(&self) -> Result<SettingsRecord, StoreError> {
        record(&self.db)
    }

    /// What was given as of a version; `None` when there is no such version.
    pub fn settings_at(
        &self,
        version: u64,
    ) -> Result<Option<BTreeMap<String, SavedSetting>>, StoreError> {
        let there: Option<u64> = self
            .db
            .query_row(
                "SELECT version FROM settings_versions WHERE version = ?1",
                [version],
                |row| row.get(0),
            )
            .optional()
            .during("look for a version of the settings")?;
        there.map(|version| saved_at(&self.db, version)).transpose()
    }

    /// Stages a value.
    pub fn stage_setting(&self, key: &str, staged: &StagedSetting) -> Result<(), StoreError> {
        self.db
            .prepare_cached("INSERT OR REPLACE INTO settings_staged VALUES (?1, ?2, ?3, ?4)")
            .and_then(|mut statement| {
                statement.execute(params![
                    key,
                    staged.value.as_ref().map(Json::to_string),
                    staged.at,
                    staged.actor
                ])
            })
            .during("stage a setting")?;
        Ok(())
    }

    /// Stages a key no more.
    pub fn unstage_setting(&self, key: &str) -> Result<(), StoreError> {
        self.db
            .prepare_cached("DELETE FROM settings_staged WHERE key = ?1")
            .and_then(|mut statement| statement.execute([key]))
            .during("forget a staged setting")?;
        Ok(())
    }

    /// Appends a version. Whatever was staged is for the caller to forget.
    pub fn save_settings(
        &self,
        version: &SettingsVersion,
        values: &BTreeMap<String, Stored>,
    ) -> Result<(), StoreError> {
        self.db
            .execute(
                "INSERT INTO settings_versions VALUES (?1, ?2, ?3, ?4)",
                params![version.version, version.at, version.actor, version.origin],
            )
            .during("append a version of the settings")?;
        let mut insert = self
            .db
            .prepare_cached("INSERT INTO settings_values VALUES (?1, ?2, ?3)")
            .during("store a setting")?;
        for (key, value) in values {
            insert
                .execute(params![
                    key,
                    version.version,
                    value.as_ref().map(Json::to_string)
                ])
                .during("store a setting")?;
        }
        Ok(())
    }
}
