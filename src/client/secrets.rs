//! Calls on what keeps the secrets.

use super::{Client, Result};
use crate::api::secrets::{GivePassphrase, SecretsStand};
use crate::secret::Secret;

impl Client {
    /// What keeps the key of the secrets, and whether they are locked.
    ///
    /// # Errors
    /// As [`Client::hello`].
    pub async fn secrets(&self) -> Result<SecretsStand> {
        self.get("/secrets".to_owned()).await
    }

    /// Opens the secrets.
    ///
    /// # Errors
    /// As [`Client::hello`]; it is not the passphrase, or there is none.
    pub async fn unlock(&self, passphrase: Secret) -> Result<SecretsStand> {
        self.give("unlock", passphrase).await
    }

    /// Puts the secrets under a passphrase.
    ///
    /// # Errors
    /// As [`Client::hello`].
    pub async fn protect_secrets(&self, passphrase: Secret) -> Result<SecretsStand> {
        self.give("protect", passphrase).await
    }

    /// Takes the passphrase off.
    ///
    /// # Errors
    /// As [`Client::unlock`].
    pub async fn unprotect_secrets(&self, passphrase: Secret) -> Result<SecretsStand> {
        self.give("unprotect", passphrase).await
    }

    async fn give(&self, what: &str, passphrase: Secret) -> Result<SecretsStand> {
        let body = GivePassphrase { passphrase };
        self.write(format!("/secrets/{what}"), &body).await
    }
}
