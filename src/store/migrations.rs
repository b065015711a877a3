//! Numbered migrations: never edited once landed, only appended. A copy of the database is kept before each.

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

/// Brings the database to [`SCHEMA`].
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
    for (index, step) in STEPS.iter().enumerate().skip(found as usize) {
        if index > 0 {
            let copy = path.with_extension(format!("db.schema-{index}"));
            db.backup("main", &copy, None::<fn(rusqlite::backup::Progress)>)
                .map_err(|source| StoreError::Copy {
                    path: copy.clone(),
                    source,
                })?;
        }
        let tx = db.transaction().during("begin a migration")?;
        tx.execute_batch(step).during("migrate the database")?;
        tx.pragma_update(None, "user_version", index as u32 + 1)
            .during("number the schema")?;
        tx.commit().during("commit a migration")?;
    }
    Ok(())
}
