//! The store: one SQLite file, all SQL of Roundel, and the only code that knows its tables.
//!
//! One [`Writer`] belongs to the dispatcher; any number of readers go through the [`ReadPool`]. Knows nothing of who
//! decides what is written.

mod alive;
mod api_tokens;
mod attempts;
mod backup;
mod builds;
mod compare;
mod detail;
mod filter;
mod fleet;
mod held;
mod hot;
mod installation;
mod journal;
mod keep;
mod lists;
mod migrations;
mod people;
mod pool;
mod projects;
mod records;
mod settings;
mod usual;
mod variables;
mod vms;
mod watches;
mod writer;

use std::path::{Path, PathBuf};

use crate::error::{Explain, Kind};

pub use alive::{LiveAttempt, LiveJob, LiveWorkflow};
pub use api_tokens::TokenRecord;
pub use attempts::{NewAttempt, Stopped};
pub use backup::{Facts, Seen, copy, examine, look};
pub use builds::{NewJob, ProjectNumbers};
pub use detail::{Named, StartRecord};
pub use filter::{Field, Filter, Term};
pub use fleet::NodeRecord;
pub use held::HeldRecord;
pub use hot::HotRun;
pub use installation::InstallationRecord;
pub use journal::{AuditEntry, AuditRecord, ChangeRecord};
pub use keep::{OldBuild, OldRun};
pub use lists::{Order, RunFilter, Window, WindowQuery};
pub(crate) use lists::{RUN_FIELDS, centred};
pub use migrations::SCHEMA;
pub use people::{PersonRecord, SessionRecord};
pub use pool::ReadPool;
pub use projects::{ProjectRecord, Removed};
pub use records::{JobRecord, PipelineRecord, RunRecord, StepRecord, WorkflowRecord};
pub use settings::{SavedSetting, SettingsRecord, SettingsVersion, StagedSetting, Stored};
pub use variables::VariableRecord;
pub use vms::{VmRecord, forget_vms};
pub use watches::WatchRecord;
pub use writer::{Tx, Writer};

/// What can go wrong with the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file cannot be opened or prepared.
    #[error("failed to open the database `{path}`")]
    Open {
        /// Its path.
        path: PathBuf,
        /// Why.
        #[source]
        source: rusqlite::Error,
    },
    /// A newer Roundel wrote it.
    #[error("the data in `{path}` has schema {found}, and this build knows schemas up to {known}")]
    Newer {
        /// Its path.
        path: PathBuf,
        /// The schema found.
        found: u32,
        /// The newest schema of this build.
        known: u32,
    },
    /// The copy that is kept before a migration could not be made.
    #[error("failed to keep a copy of the database before a migration, as `{path}`")]
    Copy {
        /// Path of the copy.
        path: PathBuf,
        /// Why.
        #[source]
        source: rusqlite::Error,
    },
    /// A statement failed.
    #[error("failed to {what}")]
    Sql {
        /// What was to be done, in the infinitive.
        what: &'static str,
        /// Why.
        #[source]
        source: rusqlite::Error,
    },
    /// Pages of the file are not what they should be.
    #[error("the database is damaged: {verdict}")]
    Damaged {
        /// What SQLite says of them.
        verdict: String,
    },
    /// A stored value is not what this build writes.
    #[error("the database holds an unreadable {what}")]
    Corrupt {
        /// Which value.
        what: &'static str,
    },
}

impl StoreError {
    /// Whether the disk is full or gone read-only: nothing is wrong with the data, and a later try may go through.
    #[must_use]
    pub fn is_full(&self) -> bool {
        use rusqlite::ErrorCode::{CannotOpen, DiskFull, ReadOnly, SystemIoFailure};
        matches!(self, StoreError::Sql { source, .. } | StoreError::Open { source, .. }
            if matches!(source.sqlite_error_code(), Some(DiskFull | SystemIoFailure | ReadOnly | CannotOpen)))
    }
}

impl Explain for StoreError {
    fn kind(&self) -> Kind {
        match self {
            StoreError::Newer { .. } => Kind::Conflict,
            StoreError::Corrupt { .. } => Kind::Internal,
            _ if self.is_full() => Kind::Unavailable,
            _ => Kind::Infrastructure,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            StoreError::Newer { .. } => {
                Some("run the newer roundel; or, while no server runs, put the copy roundel.db.schema-N that was kept before the \
                      migration in the place of roundel.db, and remove roundel.db-wal and roundel.db-shm".to_owned())
            }
            _ if self.is_full() => Some("free some space on the file system of the data directory, and check that it is writable".to_owned()),
            StoreError::Damaged { .. } => Some(DAMAGED.to_owned()),
            StoreError::Open { source, .. } if is_damaged(source) => Some(DAMAGED.to_owned()),
            _ => None,
        }
    }
}

/// What to do about a file that is no database, or no longer one.
///
/// A log beside it is of the old file: SQLite would write it into the new one.
const DAMAGED: &str = "put a copy of the database in its place and remove roundel.db-wal and roundel.db-shm, while no server \
                       runs; or begin anew in another directory with --data";

/// Whether the file is no database, or no longer one.
fn is_damaged(err: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    matches!(
        err.sqlite_error_code(),
        Some(DatabaseCorrupt | NotADatabase)
    )
}

/// Shorthand: names what was to be done when a statement fails.
trait During<T> {
    fn during(self, what: &'static str) -> Result<T, StoreError>;
}

impl<T> During<T> for Result<T, rusqlite::Error> {
    fn during(self, what: &'static str) -> Result<T, StoreError> {
        self.map_err(|source| StoreError::Sql { what, source })
    }
}

/// Opens the store in `path`, creating or migrating it, with `readers` read connections.
///
/// # Errors
/// [`StoreError::Newer`] when a newer build wrote it, else whatever SQLite says.
pub fn open(path: &Path, readers: usize) -> Result<(Writer, ReadPool), StoreError> {
    let writer = Writer::open(path)?;
    let pool = ReadPool::open(path, readers)?;
    Ok((writer, pool))
}

/// Has a statement planned when it is prepared and not again whenever a value is bound, which SQLite does for the samples
/// of its `ANALYZE`. There are none here, and a plan costs more than most statements do.
/// <https://www.sqlite.org/queryplanner-ng.html#qpsg>
fn plan_once(db: &rusqlite::Connection) -> rusqlite::Result<()> {
    let option = rusqlite::config::DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG;
    db.set_db_config(option, true).map(drop)
}
