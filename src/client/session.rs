//! A client that is a console session: what it may write, the server decides.

use super::{Client, Result};
use crate::api::Written;
use crate::api::session::{Arm, Session};

impl Client {
    /// The same, as a console session of this name: the server decides whether it may write. `read_only` asks it to be
    /// held back even where it could.
    #[must_use]
    pub fn in_session(self, name: &str, read_only: bool) -> Self {
        Self {
            pool: self.pool.in_session(name, read_only),
        }
    }

    /// How this session stands.
    ///
    /// # Errors
    /// As [`Client::hello`].
    pub async fn session(&self) -> Result<Session> {
        self.get("/session".to_owned()).await
    }

    /// Arms this session, or takes that back.
    ///
    /// # Errors
    /// As [`Client::hello`].
    pub async fn arm(&self, arm: &Arm) -> Result<Written<Session>> {
        self.write("/session".to_owned(), arm).await
    }
}
