//! Settings through the API.

use super::connection::Ask;
use super::{Client, Lines, PATIENCE, Result, with_query};
use crate::api::Written;
use crate::api::secrets::GivePassphrase;
use crate::api::settings::{
    Changes, DiffQuery, DiffRow, Discard, Exported, Rollback, Save, Settings, SettingsRef,
    VersionRow,
};
use crate::api::trial::{Step, Try};
use crate::secret::Secret;

impl Client {
    /// Puts values to a test; the answer has each step as it ends. Dropping it ends the test.
    ///
    /// # Errors
    /// As [`Client::hello`]; values that are not of their settings' kinds, all of them.
    pub async fn test_settings(&self, wanted: &Try) -> Result<Lines<Step>> {
        let ask = Ask::post("/settings/test".to_owned(), wanted);
        let body = self.pool.lines(&ask, PATIENCE).await?;
        Ok(Lines::new(body, self.pool.name()))
    }

    /// Every setting, with what is wrong.
    ///
    /// # Errors
    /// As [`Client::hello`].
    pub async fn settings(&self) -> Result<Settings> {
        self.get("/settings".to_owned()).await
    }

    /// Stages values for the next save.
    ///
    /// # Errors
    /// As [`Client::hello`]; values that are not of their settings' kinds, all of them.
    pub async fn stage_settings(&self, changes: &Changes) -> Result<Written<SettingsRef>> {
        self.write("/settings/stage".to_owned(), changes).await
    }

    /// Forgets what is staged: these keys, or everything when there are none.
    ///
    /// # Errors
    /// As [`Client::hello`].
    pub async fn discard_settings(&self, keys: Vec<String>) -> Result<Written<SettingsRef>> {
        self.write("/settings/discard".to_owned(), &Discard { keys })
            .await
    }

    /// Saves what is staged, and the changes given with it, as a version.
    ///
    /// # Errors
    /// As [`Client::hello`]; everything that is wrong with the values.
    pub async fn save_settings(&self, save: &Save) -> Result<Written<SettingsRef>> {
        self.write("/settings/save".to_owned(), save).await
    }

    /// Brings the values of a version back, as a new one.
    ///
    /// # Errors
    /// As [`Client::save_settings`].
    pub async fn roll_settings_back(&self, version: u64) -> Result<Written<SettingsRef>> {
        self.write("/settings/rollback".to_owned(), &Rollback { version })
            .await
    }

    /// The newest versions, the newest first.
    ///
    /// # Errors
    /// As [`Client::hello`].
    pub async fn settings_versions(&self) -> Result<Vec<VersionRow>> {
        self.get("/settings/versions".to_owned()).await
    }

    /// What two versions, or the newest and what is staged, differ in.
    ///
    /// # Errors
    /// As [`Client::hello`].
    pub async fn settings_diff(&self, query: &DiffQuery) -> Result<Vec<DiffRow>> {
        self.get(with_query("/settings/diff", query)).await
    }

    /// The newest version as a file, its secrets sealed under a passphrase.
    ///
    /// # Errors
    /// As [`Client::hello`]; the passphrase is too short, or the secrets are locked.
    pub async fn export_settings_sealed(&self, passphrase: Secret) -> Result<Exported> {
        let body = GivePassphrase { passphrase };
        self.write("/settings/export".to_owned(), &body).await
    }

    /// The newest version as a file, without its secrets.
    ///
    /// # Errors
    /// As [`Client::hello`].
    pub async fn export_settings(&self) -> Result<Exported> {
        self.get("/settings/export".to_owned()).await
    }
}
