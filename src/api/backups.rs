//! Backups on the wire.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;

/// `POST /backups`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MakeBackup {
    /// Absolute path on the server's machine of a directory that is not there yet, or empty.
    pub to: String,
    /// Copy the logs; else they stay where they are.
    pub logs: bool,
}

/// A backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backup {
    /// Its directory.
    pub path: String,
    /// Version of the Roundel that wrote it.
    pub version: String,
    /// Id of the installation.
    pub data_id: String,
    /// Number of the database's schema.
    pub schema: u32,
    /// Order of the newest change in it.
    pub seq: i64,
    /// Pipelines in it.
    pub pipelines: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// Whether the logs are in it.
    pub logs: bool,
    /// Number of its files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}
