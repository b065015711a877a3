//! Numbered migrations: never edited once landed, only appended. A copy of the database as it was found is kept before
//! the first of them.

use std::path::Path;

use rusqlite::Connection;

use super::{During, StoreError};

/// The steps from an empty file to the newest schema.
const STEPS: &[&str] = &[
    include_str!("migrations/0001_start.sql"),
    include_str!("migrations/0002_watches.sql"),
    include_str!("migrations/0003_installation.sql"),
    include_str!("migrations/0004_keep.sql"),
    include_str!("migrations/0005_api_tokens.sql"),
    include_str!("migrations/0006_settings.sql"),
    include_str!("migrations/0007_held.sql"),
    include_str!("migrations/0008_variables.sql"),
    include_str!("migrations/0009_people.sql"),
    include_str!("migrations/0010_vms.sql"),
];

/// Number of the newest schema this build knows.
pub const SCHEMA: u32 = STEPS.len() as u32;

/// Brings the database to [`SCHEMA`]. One copy is kept, of what was found: the steps between are of no use to anybody, and
/// a large database would be copied for each.
pub(super) fn migrate(db: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let found: u32 = db
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(|source| StoreError::Open {
            path: path.to_owned(),
            source,
        })?;
    if found > SCHEMA {
        return Err(StoreError::Newer {
            path: path.to_owned(),
            found,
            known: SCHEMA,
        });
    }
    if (1..SCHEMA).contains(&found) {
        let copy = path.with_extension(format!("db.schema-{found}"));
        db.backup("main", &copy, None::<fn(rusqlite::backup::Progress)>)
            .map_err(|source| StoreError::Copy {
                path: copy.clone(),
                source,
            })?;
    }
    for (index, step) in STEPS.iter().enumerate().skip(found as usize) {
        let tx = db.transaction().during("begin a migration")?;
        tx.execute_batch(step).during("migrate the database")?;
        tx.pragma_update(None, "user_version", index as u32 + 1)
            .during("number the schema")?;
        tx.commit().during("commit a migration")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(path: &Path) -> u32 {
        let db = Connection::open(path).unwrap();
        db.pragma_query_value(None, "user_version", |row| row.get(0))
            .unwrap()
    }

    #[test]
    fn one_copy_is_kept_and_it_is_of_what_was_found() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("roundel.db");
        let mut db = Connection::open(&path).unwrap();
        for step in &STEPS[..2] {
            db.execute_batch(step).unwrap();
        }
        db.pragma_update(None, "user_version", 2).unwrap();
        migrate(&mut db, &path).unwrap();
        // Nothing is left to do, so nothing is kept.
        migrate(&mut db, &path).unwrap();
        drop(db);
        let names = std::fs::read_dir(root.path()).unwrap();
        let mut names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["roundel.db", "roundel.db.schema-2"]);
        assert_eq!(schema(&path), SCHEMA);
        assert_eq!(schema(&root.path().join("roundel.db.schema-2")), 2);
    }
}
