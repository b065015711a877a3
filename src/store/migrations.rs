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
    include_str!("migrations/0011_keep.sql"),
    include_str!("migrations/0012_usual.sql"),
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
    fn how_long_things_are_kept_becomes_a_version_of_the_settings() {
        type Row = (String, u64, String, String);
        let migrated = |before: &str| -> Vec<Row> {
            let root = tempfile::tempdir().unwrap();
            let path = root.path().join("roundel.db");
            let mut db = Connection::open(&path).unwrap();
            for step in &STEPS[..10] {
                db.execute_batch(step).unwrap();
            }
            db.execute_batch(before).unwrap();
            db.pragma_update(None, "user_version", 10).unwrap();
            migrate(&mut db, &path).unwrap();
            let left = "SELECT count(*) FROM meta WHERE key GLOB 'keep.*'";
            assert_eq!(db.query_row(left, [], |row| row.get(0)), Ok(0));
            let rows = "SELECT key, version, value, origin FROM settings_values JOIN settings_versions USING (version) ORDER BY key, version";
            let mut statement = db.prepare(rows).unwrap();
            let rows = statement.query_map([], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
            });
            rows.unwrap().map(Result::unwrap).collect()
        };
        let row = |key: &str, version, value: &str, origin: &str| {
            (key.to_owned(), version, value.to_owned(), origin.to_owned())
        };
        assert_eq!(migrated("INSERT INTO meta VALUES ('gc.last', '{}')"), []);
        let spans = "INSERT INTO meta VALUES ('keep.logs', '14d'), ('keep.builds', 'forever');";
        assert_eq!(
            migrated(spans),
            [
                row("keep.builds", 1, "\"forever\"", "upgrade"),
                row("keep.logs", 1, "\"14d\"", "upgrade"),
            ]
        );
        let saved = "INSERT INTO settings_versions VALUES (7, 0, 'ann', 'save');
            INSERT INTO settings_values VALUES ('hostname', 7, '\"ci.example.com\"');";
        assert_eq!(
            migrated(&format!("{spans}{saved}")),
            [
                row("hostname", 7, "\"ci.example.com\"", "save"),
                row("keep.builds", 8, "\"forever\"", "upgrade"),
                row("keep.logs", 8, "\"14d\"", "upgrade"),
            ]
        );
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
