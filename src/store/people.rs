//! People who have signed in, and their sessions, as they are remembered.

use rusqlite::{Connection, Row, params};

use super::pool::ReadPool;
use super::writer::Tx;
use super::{During, StoreError};
use crate::access::{Hash, Role, Way};
use crate::clock::Timestamp;

/// A session of a person, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRecord {
    /// What names it.
    pub id: String,
    /// How the person signed in.
    pub way: Way,
    /// Their name.
    pub name: String,
    /// What they were known by: the name of their entry in the directory, or a print of the password's hash.
    pub mark: String,
    /// What they may do.
    pub role: Role,
    /// Of the secret.
    pub hash: Hash,
    /// When they signed in.
    pub created: Timestamp,
    /// When it ends by itself.
    pub expires: Timestamp,
    /// When they were last found to be as they were.
    pub checked: Timestamp,
    /// Where they signed in from; empty on the machine itself.
    pub origin: String,
    /// When it was ended, and why.
    pub ended: Option<(Timestamp, String)>,
}

/// Somebody who has signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonRecord {
    /// Where they are known: `ldap`, `github`.
    pub kind: String,
    /// By which name.
    pub name: String,
    /// Their address; may be empty.
    pub email: String,
    /// When they first signed in.
    pub first: Timestamp,
    /// When they last did.
    pub last: Timestamp,
}

const COLUMNS: &str =
    "id, way, name, mark, role, hash, created, expires, checked, origin, ended, why";

fn session(row: &Row<'_>) -> rusqlite::Result<SessionRecord> {
    let ended: Option<Timestamp> = row.get(10)?;
    let why: String = row.get(11)?;
    Ok(SessionRecord {
        id: row.get(0)?,
        way: row.get(1)?,
        name: row.get(2)?,
        mark: row.get(3)?,
        role: row.get(4)?,
        hash: row.get(5)?,
        created: row.get(6)?,
        expires: row.get(7)?,
        checked: row.get(8)?,
        origin: row.get(9)?,
        ended: ended.map(|at| (at, why)),
    })
}

fn sessions(db: &Connection, which: &str) -> Result<Vec<SessionRecord>, StoreError> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM sessions {which} ORDER BY created, id"
    ))
    .and_then(|mut statement| statement.query_map([], session)?.collect())
    .during("read the sessions")
}

fn people(db: &Connection) -> Result<Vec<PersonRecord>, StoreError> {
    db.prepare_cached("SELECT kind, name, email, first, last FROM people ORDER BY name, kind")
        .and_then(|mut statement| {
            let rows = statement.query_map([], |row| {
                Ok(PersonRecord {
                    kind: row.get(0)?,
                    name: row.get(1)?,
                    email: row.get(2)?,
                    first: row.get(3)?,
                    last: row.get(4)?,
                })
            })?;
            rows.collect()
        })
        .during("read the people")
}

impl ReadPool {
    /// The sessions that were not ended, oldest first; some may have expired.
    ///
    /// # Errors
    /// When a statement fails.
    pub fn open_sessions(&self) -> Result<Vec<SessionRecord>, StoreError> {
        self.read(|db| sessions(db, "WHERE ended IS NULL"))
    }

    /// Everybody who has signed in, by name.
    ///
    /// # Errors
    /// When a statement fails.
    pub fn people(&self) -> Result<Vec<PersonRecord>, StoreError> {
        self.read(people)
    }

    /// Whether somebody of this name has signed in, in whatever case of ASCII it is written.
    ///
    /// # Errors
    /// When a statement fails.
    pub fn knows_person(&self, name: &str) -> Result<bool, StoreError> {
        self.read(|db| {
            db.prepare_cached("SELECT EXISTS (SELECT 1 FROM people WHERE name = ?1 COLLATE NOCASE)")
                .and_then(|mut statement| statement.query_row([name], |row| row.get(0)))
                .during("look for a person")
        })
    }
}

impl Tx<'_> {
    /// All sessions that are remembered, oldest first.
    pub fn sessions(&self) -> Result<Vec<SessionRecord>, StoreError> {
        sessions(&self.db, "")
    }

    /// Everybody who has signed in, by name.
    pub fn people(&self) -> Result<Vec<PersonRecord>, StoreError> {
        people(&self.db)
    }

    /// Remembers somebody who signed in; who is known keeps the moment of the first time.
    pub fn note_person(&self, person: &PersonRecord) -> Result<(), StoreError> {
        self.db
            .prepare_cached(
                "INSERT INTO people VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT DO UPDATE SET email = excluded.email, last = excluded.last",
            )
            .and_then(|mut statement| {
                statement.execute(params![
                    person.kind,
                    person.name,
                    person.email,
                    person.first,
                    person.last
                ])
            })
            .during("store a person")?;
        Ok(())
    }

    /// Forgets somebody; false when they are not known.
    pub fn forget_person(&self, kind: &str, name: &str) -> Result<bool, StoreError> {
        self.db
            .prepare_cached("DELETE FROM people WHERE kind = ?1 AND name = ?2")
            .and_then(|mut statement| statement.execute([kind, name]))
            .during("forget a person")
            .map(|rows| rows > 0)
    }

    /// Inserts a session.
    pub fn insert_session(&self, new: &SessionRecord) -> Result<(), StoreError> {
        let (ended, why) = new.ended.clone().unzip();
        self.db
            .prepare_cached(&format!(
                "INSERT INTO sessions ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"
            ))
            .and_then(|mut statement| {
                statement.execute(params![
                    new.id,
                    new.way,
                    new.name,
                    new.mark,
                    new.role,
                    new.hash,
                    new.created,
                    new.expires,
                    new.checked,
                    new.origin,
                    ended,
                    why.unwrap_or_default()
                ])
            })
            .during("store a session")?;
        Ok(())
    }

    /// Ends a session; false when it was ended already, or is not known.
    pub fn end_session(&self, id: &str, now: Timestamp, why: &str) -> Result<bool, StoreError> {
        self.db
            .prepare_cached(
                "UPDATE sessions SET ended = ?2, why = ?3 WHERE id = ?1 AND ended IS NULL",
            )
            .and_then(|mut statement| statement.execute(params![id, now, why]))
            .during("end a session")
            .map(|rows| rows > 0)
    }

    /// Gives a session another role.
    pub fn set_session_role(&self, id: &str, role: Role) -> Result<(), StoreError> {
        self.db
            .prepare_cached("UPDATE sessions SET role = ?2 WHERE id = ?1")
            .and_then(|mut statement| statement.execute(params![id, role]))
            .during("change the role of a session")?;
        Ok(())
    }

    /// Notes that the person of a session was found to be as they were.
    pub fn note_session_checked(&self, id: &str, at: Timestamp) -> Result<(), StoreError> {
        self.db
            .prepare_cached("UPDATE sessions SET checked = ?2 WHERE id = ?1")
            .and_then(|mut statement| statement.execute(params![id, at]))
            .during("note a look at a session")?;
        Ok(())
    }

    /// Forgets sessions that were over before a moment.
    pub fn forget_sessions(&self, before: Timestamp) -> Result<(), StoreError> {
        self.db
            .prepare_cached(
                "DELETE FROM sessions WHERE min(expires, coalesce(ended, expires)) < ?1",
            )
            .and_then(|mut statement| statement.execute([before]))
            .during("forget old sessions")?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store;

    #[test]
    fn a_name_is_known_in_whatever_case_and_not_by_a_part_of_it() {
        let root = tempfile::tempdir().unwrap();
        let (mut writer, pool) = store::open(&root.path().join("a.db"), 1).unwrap();
        let tx = writer.begin().unwrap();
        tx.note_person(&PersonRecord {
            kind: "ldap".to_owned(),
            name: "Ann".to_owned(),
            email: String::new(),
            first: Timestamp(1),
            last: Timestamp(1),
        })
        .unwrap();
        tx.commit().unwrap();
        for (name, known) in [("ann", true), ("ANN", true), ("an", false), ("%", false)] {
            assert_eq!(pool.knows_person(name).unwrap(), known, "{name}");
        }
    }
}
