//! The one write connection and its transactions.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::{During, StoreError, migrations};

/// The write connection; belongs to the dispatcher's thread.
#[derive(Debug)]
pub struct Writer {
    db: Connection,
    path: PathBuf,
}

impl Writer {
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        let opened = |source| StoreError::Open {
            path: path.to_owned(),
            source,
        };
        let mut db = Connection::open(path).map_err(opened)?;
        db.busy_timeout(std::time::Duration::from_secs(10))
            .map_err(opened)?;
        db.pragma_update(None, "journal_mode", "wal")
            .map_err(opened)?;
        // FULL: what was acknowledged survives a power cut. The price is one fsync per batch, not per command.
        db.pragma_update(None, "synchronous", "full")
            .map_err(opened)?;
        db.pragma_update(None, "foreign_keys", "on")
            .map_err(opened)?;
        db.pragma_update(None, "cache_size", -8192)
            .map_err(opened)?;
        db.set_prepared_statement_cache_capacity(128);
        super::plan_once(&db).map_err(opened)?;
        migrations::migrate(&mut db, path)?;
        Ok(Self {
            db,
            path: path.to_owned(),
        })
    }

    /// Path of the database file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Begins a transaction; dropping it without [`Tx::commit`] undoes it.
    ///
    /// # Errors
    /// When SQLite cannot take the write lock.
    pub fn begin(&mut self) -> Result<Tx<'_>, StoreError> {
        let db = self
            .db
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .during("begin a transaction")?;
        Ok(Tx { db })
    }

    /// Writes one row for real, to find out whether a store that was full takes writes again.
    ///
    /// # Errors
    /// While it does not.
    pub fn probe(&mut self) -> Result<(), StoreError> {
        self.db
            .execute(
                "INSERT OR REPLACE INTO meta (key, value) VALUES ('probe', randomblob(4096))",
                [],
            )
            .during("write to the database")?;
        Ok(())
    }
}

/// An open write transaction. Its methods are in the files of their table groups.
#[derive(Debug)]
pub struct Tx<'a> {
    pub(super) db: Transaction<'a>,
}

impl Tx<'_> {
    /// Makes everything durable.
    ///
    /// # Errors
    /// When the disk is full or fails; nothing of the transaction holds then.
    pub fn commit(self) -> Result<(), StoreError> {
        self.db.commit().during("commit to the database")
    }

    /// Reads a value of the installation.
    ///
    /// # Errors
    /// When the read fails.
    pub fn meta(&self, key: &str) -> Result<Option<String>, StoreError> {
        use rusqlite::OptionalExtension;
        self.db
            .prepare_cached("SELECT value FROM meta WHERE key = ?1")
            .and_then(|mut statement| statement.query_row([key], |row| row.get(0)).optional())
            .during("read a value of the installation")
    }

    /// Sets a value of the installation.
    ///
    /// # Errors
    /// When the write fails.
    pub fn set_meta(&self, key: &str, value: &str) -> Result<(), StoreError> {
        self.db
            .prepare_cached("INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)")
            .and_then(|mut statement| statement.execute([key, value]))
            .during("set a value of the installation")?;
        Ok(())
    }
}
