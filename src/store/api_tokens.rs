//! Tokens of people and programs, as they are remembered.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::pool::ReadPool;
use super::writer::Tx;
use super::{During, StoreError};
use crate::access::{Hash, Role};
use crate::clock::Timestamp;

/// A token, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRecord {
    /// What names it.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Of its secret.
    pub hash: Hash,
    /// When it was made.
    pub created: Timestamp,
    /// Who made it.
    pub by: String,
    /// When it ends; `None` for never.
    pub expires: Option<Timestamp>,
    /// When it was taken back.
    pub revoked: Option<Timestamp>,
}

impl TokenRecord {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            name: row.get(1)?,
            role: row.get(2)?,
            hash: row.get(3)?,
            created: row.get(4)?,
            by: row.get(5)?,
            expires: row.get(6)?,
            revoked: row.get(7)?,
        })
    }
}

fn all(db: &Connection) -> Result<Vec<TokenRecord>, StoreError> {
    db.prepare_cached(
        "SELECT id, name, role, hash, created, by, expires, revoked FROM api_tokens ORDER BY created, id",
    )
    .and_then(|mut statement| statement.query_map([], TokenRecord::from_row)?.collect())
    .during("read the tokens")
}

impl ReadPool {
    /// All tokens, oldest first, also those that were revoked.
    ///
    /// # Errors
    /// When a statement fails.
    pub fn api_tokens(&self) -> Result<Vec<TokenRecord>, StoreError> {
        self.read(all)
    }
}

impl Tx<'_> {
    /// All tokens, oldest first, also those that were revoked.
    pub fn api_tokens(&self) -> Result<Vec<TokenRecord>, StoreError> {
        all(&self.db)
    }

    /// Inserts a token; false when there is one of that id.
    pub fn insert_api_token(&self, token: &TokenRecord) -> Result<bool, StoreError> {
        self.db
            .prepare_cached(
                "INSERT INTO api_tokens VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING",
            )
            .and_then(|mut statement| {
                statement.execute(params![
                    token.id,
                    token.name,
                    token.role,
                    token.hash,
                    token.created,
                    token.by,
                    token.expires,
                    token.revoked
                ])
            })
            .during("store a token")
            .map(|rows| rows > 0)
    }

    /// Takes a token back; answers its name, `None` when none of that id opens anything.
    pub fn revoke_api_token(&self, id: &str, now: Timestamp) -> Result<Option<String>, StoreError> {
        self.db
            .prepare_cached("UPDATE api_tokens SET revoked = ?2 WHERE id = ?1 AND revoked IS NULL RETURNING name")
            .and_then(|mut statement| statement.query_row(params![id, now], |row| row.get(0)).optional())
            .during("revoke a token")
    }
}
