//! Virtual machines of the VM provider, each from before it is asked for until it is known to be gone.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, params};

use super::pool::ReadPool;
use super::writer::Tx;
use super::{During, StoreError};
use crate::clock::Timestamp;
use crate::ids::{AttemptId, VmId};
use crate::pipeline::status::{VmPurpose, VmState};

/// A virtual machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VmRecord {
    /// Ours, and the tag that it carries at the provider.
    pub id: VmId,
    /// What it is for.
    pub purpose: VmPurpose,
    /// How far it is.
    pub state: VmState,
    /// Where it was asked for.
    pub region: String,
    /// A sum of what was asked for.
    pub shape: String,
    /// The provider's id, once it is known.
    pub instance: Option<String>,
    /// Where it is reached, once that is known.
    pub address: Option<String>,
    /// The attempt that has it, or had.
    pub attempt: Option<AttemptId>,
    /// Who asked for it; empty when nobody did but the pool.
    pub asked_by: String,
    /// When it was first asked for.
    pub made: Timestamp,
    /// Since when it is in its state.
    pub since: Timestamp,
    /// Why it ends, when it does.
    pub why: String,
}

const COLUMNS: &str =
    "id, purpose, state, region, shape, instance, address, attempt, asked_by, made, since, why";

impl VmRecord {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            purpose: row.get(1)?,
            state: row.get(2)?,
            region: row.get(3)?,
            shape: row.get(4)?,
            instance: row.get(5)?,
            address: row.get(6)?,
            attempt: row.get(7)?,
            asked_by: row.get(8)?,
            made: row.get(9)?,
            since: row.get(10)?,
            why: row.get(11)?,
        })
    }
}

fn all(db: &Connection) -> Result<Vec<VmRecord>, StoreError> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM vms ORDER BY made, id"))
        .and_then(|mut statement| statement.query_map([], VmRecord::from_row)?.collect())
        .during("read the VMs")
}

/// Forgets all VMs in the database at `path`, which nobody has in use: in a copy they are those of what it was made of.
///
/// # Errors
/// Whatever SQLite says.
pub fn forget_vms(path: &Path) -> Result<(), StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags).map_err(|source| StoreError::Open {
        path: path.to_owned(),
        source,
    })?;
    // An older schema has no such table.
    let tables: u32 = db
        .query_row(
            "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'vms'",
            [],
            |row| row.get(0),
        )
        .during("look for the VMs of a copy")?;
    if tables > 0 {
        db.execute("DELETE FROM vms", [])
            .during("forget the VMs of a copy")?;
    }
    Ok(())
}

impl ReadPool {
    /// All VMs, oldest first.
    ///
    /// # Errors
    /// When the statement fails.
    pub fn vms(&self) -> Result<Vec<VmRecord>, StoreError> {
        self.read(all)
    }
}

impl Tx<'_> {
    /// All VMs, oldest first.
    pub fn vms(&self) -> Result<Vec<VmRecord>, StoreError> {
        all(&self.db)
    }

    /// One VM.
    pub fn vm(&self, id: VmId) -> Result<Option<VmRecord>, StoreError> {
        self.db
            .prepare_cached(&format!("SELECT {COLUMNS} FROM vms WHERE id = ?1"))
            .and_then(|mut statement| statement.query_row([id], VmRecord::from_row).optional())
            .during("read a VM")
    }

    /// Inserts a VM, or replaces all that is known of it. A second one that is lent to the same attempt is an error.
    pub fn set_vm(&self, vm: &VmRecord) -> Result<(), StoreError> {
        self.db
            .prepare_cached(
                "INSERT INTO vms VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
                 ON CONFLICT (id) DO UPDATE SET purpose = ?2, state = ?3, region = ?4, shape = ?5, instance = ?6,
                 address = ?7, attempt = ?8, asked_by = ?9, made = ?10, since = ?11, why = ?12",
            )
            .and_then(|mut statement| {
                statement.execute(params![
                    vm.id,
                    vm.purpose,
                    vm.state,
                    vm.region,
                    vm.shape,
                    vm.instance,
                    vm.address,
                    vm.attempt,
                    vm.asked_by,
                    vm.made,
                    vm.since,
                    vm.why
                ])
            })
            .during("store a VM")?;
        Ok(())
    }

    /// Forgets a VM; false when it is not known.
    pub fn delete_vm(&self, id: VmId) -> Result<bool, StoreError> {
        self.db
            .prepare_cached("DELETE FROM vms WHERE id = ?1")
            .and_then(|mut statement| statement.execute([id]))
            .during("forget a VM")
            .map(|rows| rows > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store;

    #[test]
    fn a_copy_forgets_all_vms_and_an_older_one_has_none() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("a.db");
        let (mut writer, pool) = store::open(&path, 1).unwrap();
        let tx = writer.begin().unwrap();
        for state in [VmState::Ready, VmState::Leased] {
            let vm = VmRecord {
                id: VmId::fresh(),
                purpose: VmPurpose::Machine,
                state,
                region: "eu-central-1".into(),
                shape: "s".into(),
                instance: Some("i-1".into()),
                address: None,
                attempt: Some(AttemptId::fresh()),
                asked_by: String::new(),
                made: Timestamp(1),
                since: Timestamp(1),
                why: String::new(),
            };
            tx.set_vm(&vm).unwrap();
        }
        tx.commit().unwrap();
        drop((writer, pool));
        forget_vms(&path).unwrap();
        assert_eq!(store::open(&path, 1).unwrap().1.vms().unwrap(), []);

        let older = root.path().join("b.db");
        let db = Connection::open(&older).unwrap();
        db.execute_batch(include_str!("migrations/0001_start.sql"))
            .unwrap();
        drop(db);
        forget_vms(&older).unwrap();
    }
}
