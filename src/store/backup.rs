//! A copy of the database while it is in use, and a look at a copy that lies somewhere.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::{During, SCHEMA, StoreError};
use crate::clock::Timestamp;

/// Pages copied at a time. Between two times writers get their turn: 4 MB at SQLite's usual page of 4 KB.
const PAGES: std::ffi::c_int = 1024;

/// What a copy holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Number of its schema.
    pub schema: u32,
    /// Order of the newest change in it.
    pub seq: i64,
    /// Pipelines in it.
    pub pipelines: u64,
    /// Repositories that are watched.
    pub watches: u64,
}

/// Copies the database at `from` into the new file `to`, as it is at one moment, while others write to it.
///
/// # Errors
/// When either cannot be opened, or the disk of the copy is full.
pub fn copy(from: &Path, to: &Path) -> Result<Facts, StoreError> {
    let source = read_only(from)?;
    {
        // One read transaction holds the moment: without it every write in between would begin the copy anew.
        let moment = source
            .unchecked_transaction()
            .during("begin a copy of the database")?;
        moment
            .query_row("SELECT count(*) FROM meta", [], |_| Ok(()))
            .during("begin a copy of the database")?;
        let mut target = Connection::open(to).map_err(|source| StoreError::Open {
            path: to.to_owned(),
            source,
        })?;
        rusqlite::backup::Backup::new(&moment, &mut target)
            .and_then(|copy| copy.run_to_completion(PAGES, Duration::ZERO, None))
            .during("copy the database")?;
        // As a single file: a copy that is only read needs no log beside it.
        target
            .pragma_update(None, "journal_mode", "delete")
            .during("finish a copy of the database")?;
    }
    look(to)
}

/// Checks that the file at `path` is a whole database of a schema that this build knows, and answers what it holds.
///
/// # Errors
/// [`StoreError::Newer`], [`StoreError::Corrupt`], or whatever SQLite says.
pub fn look(path: &Path) -> Result<Facts, StoreError> {
    let db = read_only(path)?;
    let schema = known_schema(&db, path, "read the schema of a copy")?;
    let verdict: String = db
        .pragma_query_value(None, "integrity_check", |row| row.get(0))
        .during("check a copy of the database")?;
    if verdict != "ok" {
        return Err(StoreError::Corrupt { what: "page" });
    }
    let count = |sql| db.query_row(sql, [], |row| row.get::<_, u64>(0));
    Ok(Facts {
        schema,
        seq: db
            .query_row("SELECT coalesce(max(seq), 0) FROM changes", [], |row| {
                row.get(0)
            })
            .during("read the changes of a copy")?,
        pipelines: count("SELECT count(*) FROM pipelines")
            .during("count the pipelines of a copy")?,
        // Of a database of before them there is none.
        watches: match schema {
            ..2 => 0,
            _ => count("SELECT count(*) FROM watches").during("count the watches of a copy")?,
        },
    })
}

/// What was seen of a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Number of its schema.
    pub schema: u32,
    /// Pipelines in it.
    pub pipelines: u64,
    /// When it was last changed.
    pub newest: Option<Timestamp>,
}

/// Looks at the database of a data directory, in use or not, and goes through all its pages.
///
/// # Errors
/// [`StoreError::Newer`], [`StoreError::Damaged`], or whatever SQLite says.
pub fn examine(path: &Path) -> Result<Seen, StoreError> {
    let db = read_only(path)?;
    let schema = known_schema(&db, path, "read the schema of the database")?;
    let verdict: String = db
        .pragma_query_value(None, "quick_check", |row| row.get(0))
        .during("check the database")?;
    if verdict != "ok" {
        return Err(StoreError::Damaged { verdict });
    }
    let (pipelines, newest) = db
        .query_row(
            "SELECT (SELECT count(*) FROM pipelines), (SELECT max(at) FROM changes)",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .during("read the database")?;
    Ok(Seen {
        schema,
        pipelines,
        newest,
    })
}

/// Number of a database's schema, where this build knows it.
fn known_schema(db: &Connection, path: &Path, what: &'static str) -> Result<u32, StoreError> {
    let found: u32 = db
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .during(what)?;
    if found > SCHEMA {
        return Err(StoreError::Newer {
            path: path.to_owned(),
            found,
            known: SCHEMA,
        });
    }
    Ok(found)
}

fn read_only(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let opened = |source| StoreError::Open {
        path: path.to_owned(),
        source,
    };
    let db = Connection::open_with_flags(path, flags).map_err(opened)?;
    db.busy_timeout(Duration::from_secs(10)).map_err(opened)?;
    Ok(db)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store;

    #[test]
    fn a_copy_is_of_one_moment_and_stands_alone() {
        let root = tempfile::tempdir().unwrap();
        let (from, to) = (root.path().join("a.db"), root.path().join("b.db"));
        let (mut writer, _pool) = store::open(&from, 1).unwrap();
        let tx = writer.begin().unwrap();
        tx.set_meta("colour", "green").unwrap();
        tx.commit().unwrap();
        let facts = copy(&from, &to).unwrap();
        assert_eq!((facts.schema, facts.pipelines), (SCHEMA, 0));
        let tx = writer.begin().unwrap();
        tx.set_meta("colour", "red").unwrap();
        tx.commit().unwrap();
        let kept: String = Connection::open(&to)
            .unwrap()
            .query_row("SELECT value FROM meta WHERE key = 'colour'", [], |row| {
                row.get(0)
            })
            .unwrap();
        assert_eq!(kept, "green");
        assert!(!to.with_extension("db-wal").exists());
    }

    #[test]
    fn what_is_no_database_or_a_newer_one_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("a.db");
        std::fs::write(&path, "hello, this is no database at all").unwrap();
        assert!(look(&path).is_err());
        std::fs::remove_file(&path).unwrap();
        drop(store::open(&path, 1).unwrap());
        Connection::open(&path)
            .unwrap()
            .pragma_update(None, "user_version", SCHEMA + 1)
            .unwrap();
        assert!(matches!(look(&path), Err(StoreError::Newer { .. })));
    }
}
