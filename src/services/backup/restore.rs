//! The way back: a backup becomes a data directory that no server takes before all of it is there.
//!
//! What is restored may come to run beside what it was made of, so it has a name of its own, and none of the other's VMs.

use std::fs::{self, File};
use std::path::Path;

use super::manifest::{FACTS, Sum};
use super::{Backup, BackupError, DATABASE, check, check_free, copy_file, make_dir, settle};
use crate::storage::data_dir::{self, DataDir, DataDirError};
use crate::store;

/// What the database is called until it is whole.
const GROWING: &str = "roundel.db.tmp";

/// Restores a backup into the data directory `data`, which is empty or not there, after [`super::verify`]. A server started
/// there answers as the one did that was backed up.
///
/// # Errors
/// As [`super::verify`]; [`BackupError::Occupied`] when something is there, [`BackupError::Unfinished`] when that is a
/// restore. What was restored up to an error stays, and no server takes it.
pub fn restore(from: &Path, data: &Path) -> Result<Backup, BackupError> {
    match data_dir::check_whole(data) {
        Err(DataDirError::Unfinished { path }) => return Err(BackupError::Unfinished { path }),
        other => other?,
    }
    check_free(data)?;
    let (backup, sums) = check(from)?;
    let dir = DataDir::open_to_restore(data)?;
    // What the copy runs is not to be swept by what it was made of, nor the other way round.
    dir.name_copy()?;
    for sum in &sums {
        match sum.path.as_str() {
            FACTS => {}
            DATABASE => copy(from, sum, &data.join(GROWING))?,
            path => {
                let path = data.join(path);
                if let Some(parent) = path.parent() {
                    make_dir(parent)?;
                }
                copy(from, sum, &path)?;
            }
        }
    }
    let growing = data.join(GROWING);
    // They are the other's, which may still lend them out.
    store::forget_vms(&growing).map_err(|source| BackupError::Store {
        path: growing.clone(),
        source,
    })?;
    settle(data)?;
    let target = data.join(DATABASE);
    fs::rename(&growing, &target).map_err(BackupError::at("put in place", &target))?;
    dir.restored()?;
    Ok(backup)
}

/// Copies a file of the backup, which has to be what it was when it was checked.
fn copy(from: &Path, sum: &Sum, to: &Path) -> Result<(), BackupError> {
    let source = from.join(&sum.path);
    let mut file = File::open(&source).map_err(BackupError::at("read", &source))?;
    let (found, _) = copy_file(&mut file, &source, to)?;
    if found == sum.sha256 {
        return Ok(());
    }
    Err(BackupError::Damaged {
        path: from.to_owned(),
        damage: vec![format!("{} changed while it was read", sum.path)],
    })
}
