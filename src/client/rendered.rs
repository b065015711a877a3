//! Files that are rendered from the settings, through the API.

use super::{Client, Result};
use crate::api::rendered::{Drift, Render, Rendered};

impl Client {
    /// Shows, writes or takes away the files that tell others of the proxy.
    ///
    /// # Errors
    /// As [`Client::hello`].
    pub async fn render_proxy(&self, wanted: &Render) -> Result<Rendered> {
        self.write("/proxy/render".to_owned(), wanted).await
    }

    /// Which rendered files were changed by hand since.
    ///
    /// # Errors
    /// As [`Client::hello`].
    pub async fn settings_drift(&self) -> Result<Drift> {
        self.get("/settings/drift".to_owned()).await
    }
}
