//! Certificates through the API.

use super::connection::Ask;
use super::{Client, FETCH_PATIENCE, Result, decode};
use crate::api::Written;
use crate::api::certificates::{FetchChain, FetchedChain, Trust};
use crate::api::settings::SettingsRef;

impl Client {
    /// Has the server look at what a host shows.
    ///
    /// # Errors
    /// As [`Client::hello`]; why nothing is shown, with the hop that failed.
    pub async fn fetch_chain(&self, wanted: &FetchChain) -> Result<FetchedChain> {
        let ask = Ask {
            patience: FETCH_PATIENCE,
            ..Ask::post("/tls/chain".to_owned(), wanted)
        };
        decode(&self.pool.ask(&ask).await?)
    }

    /// Trusts some authorities more, and some no more.
    ///
    /// # Errors
    /// As [`Client::save_settings`].
    pub async fn trust(&self, wanted: &Trust) -> Result<Written<SettingsRef>> {
        self.write("/settings/trust".to_owned(), wanted).await
    }
}
