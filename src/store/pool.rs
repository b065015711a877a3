//! Read connections, lent one at a time.

use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use rusqlite::{Connection, OpenFlags};

use super::StoreError;

/// A few read-only connections behind a lock; cheap to clone. A read blocks its thread, so call it from a blocking one.
#[derive(Clone, Debug)]
pub struct ReadPool {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    idle: Mutex<Vec<Connection>>,
    returned: Condvar,
}

impl ReadPool {
    pub(super) fn open(path: &Path, readers: usize) -> Result<Self, StoreError> {
        let opened = |source| StoreError::Open {
            path: path.to_owned(),
            source,
        };
        let mut idle = Vec::with_capacity(readers);
        for _ in 0..readers.max(1) {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let db = Connection::open_with_flags(path, flags).map_err(opened)?;
            db.busy_timeout(std::time::Duration::from_secs(5))
                .map_err(opened)?;
            // 2 MiB each: a window of a list touches few pages, and idle memory counts.
            db.pragma_update(None, "cache_size", -2048)
                .map_err(opened)?;
            db.set_prepared_statement_cache_capacity(64);
            super::plan_once(&db).map_err(opened)?;
            idle.push(db);
        }
        Ok(Self {
            shared: Arc::new(Shared {
                idle: Mutex::new(idle),
                returned: Condvar::new(),
            }),
        })
    }

    /// Runs `read` on a connection inside one read transaction, so that all it sees is of one moment.
    ///
    /// # Errors
    /// What `read` answers, or a failure to begin.
    pub fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut idle = self
            .shared
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let db = loop {
            match idle.pop() {
                Some(db) => break db,
                None => {
                    idle = self
                        .shared
                        .returned
                        .wait(idle)
                        .unwrap_or_else(PoisonError::into_inner);
                }
            }
        };
        drop(idle);
        let lent = Lent {
            db: Some(db),
            shared: &self.shared,
        };
        let db = lent
            .db
            .as_ref()
            .expect("the connection is there until the loan ends");
        let tx = db
            .unchecked_transaction()
            .map_err(|source| StoreError::Sql {
                what: "begin a read",
                source,
            })?;
        read(&tx)
    }
}

/// Gives the connection back, also when a read panics.
struct Lent<'a> {
    db: Option<Connection>,
    shared: &'a Shared,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        if let Some(db) = self.db.take() {
            self.shared
                .idle
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(db);
            self.shared.returned.notify_one();
        }
    }
}
