//! Certificates by ACME through the API.

use super::connection::Ask;
use super::{Client, Lines, PATIENCE, Result};
use crate::api::acme::{AcmeGo, AcmeOrder, AcmeTold};

impl Client {
    /// Orders a certificate; the answer tells each step as it ends. Dropping it gives the order up.
    ///
    /// # Errors
    /// As [`Client::hello`]; when an order is under way.
    pub async fn order_certificate(&self, wanted: &AcmeOrder) -> Result<Lines<AcmeTold>> {
        let ask = Ask::post("/tls/acme".to_owned(), wanted);
        let body = self.pool.lines(&ask, PATIENCE).await?;
        Ok(Lines::new(body, self.pool.name()))
    }

    /// The records are in DNS: an order that waits for them goes on.
    ///
    /// # Errors
    /// As [`Client::hello`].
    pub async fn go_on_with_certificate(&self) -> Result<AcmeGo> {
        self.write("/tls/acme/go".to_owned(), &()).await
    }
}
