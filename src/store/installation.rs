//! Whether the installation takes new work, as it is remembered.

use rusqlite::OptionalExtension;

use super::writer::Tx;
use super::{During, StoreError};
use crate::clock::Timestamp;
use crate::pipeline::status::Phase;

/// The installation's own state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstallationRecord {
    /// How far it has come.
    pub phase: Phase,
    /// Since when.
    pub since: Timestamp,
    /// By whom.
    pub by: String,
}

impl Tx<'_> {
    /// The state; `None` before a server has started here.
    pub fn installation(&self) -> Result<Option<InstallationRecord>, StoreError> {
        let found: Option<(String, Timestamp, String)> = self
            .db
            .query_row("SELECT phase, since, by FROM installation", [], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .optional()
            .during("read the state of the installation")?;
        let Some((word, since, by)) = found else {
            return Ok(None);
        };
        let phase = word.parse().map_err(|_| StoreError::Corrupt {
            what: "state of the installation",
        })?;
        Ok(Some(InstallationRecord { phase, since, by }))
    }

    /// Replaces the state.
    pub fn set_installation(&self, new: &InstallationRecord) -> Result<(), StoreError> {
        self.db
            .execute(
                "INSERT OR REPLACE INTO installation (one, phase, since, by) VALUES (1, ?1, ?2, ?3)",
                rusqlite::params![new.phase.word(), new.since, new.by],
            )
            .during("store the state of the installation")?;
        Ok(())
    }
}
