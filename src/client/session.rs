//! Signing in and out; and a client that is a console session, of which the server decides what it may write.

use super::connection::Ask;
use super::{Client, Result, decode, escape};
use crate::api::Written;
use crate::api::session::{Arm, Forgotten, Person, Session, SignIn, SignedIn, SignedOut};

impl Client {
    /// The same, as a console session of this name: the server decides whether it may write. `read_only` asks it to be
    /// held back even where it could.
    #[must_use]
    pub fn in_session(self, name: &str, read_only: bool) -> Self {
        Self {
            pool: self.pool.in_session(name, read_only),
        }
    }

    /// Signs in by a name and a password; an empty name is that of the console's password. The password goes over TLS or
    /// the socket, and stands nowhere else.
    ///
    /// # Errors
    /// As [`Client::hello`].
    pub async fn sign_in(&self, who: &SignIn) -> Result<SignedIn> {
        let ask = Ask::post("/session/sign-in".to_owned(), who);
        decode(&self.pool.ask(&ask).await?)
    }

    /// Ends the session that this client carries.
    ///
    /// # Errors
    /// As [`Client::hello`]; a token that is no session is a [`crate::error::Kind::Conflict`].
    pub async fn sign_out(&self) -> Result<Written<SignedOut>> {
        self.write("/session/sign-out".to_owned(), &()).await
    }

    /// Everybody who has signed in, with their open sessions.
    ///
    /// # Errors
    /// As [`Client::hello`].
    pub async fn people(&self) -> Result<Vec<Person>> {
        self.get("/people".to_owned()).await
    }

    /// Forgets somebody and ends their sessions.
    ///
    /// # Errors
    /// As [`Client::hello`].
    pub async fn forget_person(&self, kind: &str, name: &str) -> Result<Written<Forgotten>> {
        self.delete(format!("/people/{}/{}", escape(kind), escape(name)))
            .await
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
