//! Tokens of people and programs: making, listing and revoking them, and carrying one.

use super::{Client, Result, escape};
use crate::api::Written;
use crate::api::tokens::{MakeToken, NewToken, TokenRef, TokenRow};

impl Client {
    /// The same, signed in by a token.
    #[must_use]
    pub fn with_token(self, token: &str) -> Self {
        Self {
            pool: self.pool.with_token(token),
        }
    }

    /// All tokens, oldest first.
    ///
    /// # Errors
    /// As [`Client::hello`].
    pub async fn tokens(&self) -> Result<Vec<TokenRow>> {
        self.get("/tokens".to_owned()).await
    }

    /// Makes a token; the answer is the only place where it stands.
    ///
    /// # Errors
    /// As [`Client::hello`].
    pub async fn make_token(&self, wanted: &MakeToken) -> Result<Written<NewToken>> {
        self.write("/tokens".to_owned(), wanted).await
    }

    /// Takes a token back, by its id.
    ///
    /// # Errors
    /// As [`Client::hello`].
    pub async fn revoke_token(&self, id: &str) -> Result<Written<TokenRef>> {
        self.delete(format!("/tokens/{}", escape(id))).await
    }
}
