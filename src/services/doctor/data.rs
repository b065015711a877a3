//! The data directory: its rights, its room, its database, and what lies about in it.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use super::{shown, size};
use crate::api::doctor::Check;
use crate::clock;
use crate::error::{Chain, Explain};
use crate::services::rendered;
use crate::storage::data_dir::{FORM, check_whole};
use crate::storage::space::{LEAST_FREE_PERCENT, Space};
use crate::storage::trees;
use crate::store::{self, SCHEMA};

/// Free share of the file system under which somebody should make room, in percent.
const SOON: u64 = 10;

/// Looks at all of it.
pub(super) fn checks(data: &Path) -> Vec<Check> {
    let mut checks = vec![rights(data), space(data)];
    if data.is_dir() {
        checks.push(database(data));
        checks.push(left_over(data));
        checks.push(rendered_files(data));
    }
    checks
}

/// Process id of the server that has the data directory; `None` when none has it.
#[must_use]
pub fn holder(data: &Path) -> Option<u32> {
    let path = data.join("lock");
    let lock = File::open(&path).ok()?;
    // Whoever gets it, if only to share it, has shown that no server has it; it is let go at once.
    if flock(&lock, FlockOperation::NonBlockingLockShared).is_ok() {
        return None;
    }
    fs::read_to_string(&path).ok()?.trim().parse().ok()
}

fn rights(data: &Path) -> Check {
    const NAME: &str = "data directory";
    let path = shown(data);
    let found = match fs::metadata(data) {
        Ok(found) => found,
        Err(err) if err.kind() == io::ErrorKind::NotFound => {
            return Check::ok(
                NAME,
                format!("{path} is not there yet: the first server makes it"),
            );
        }
        Err(err) => {
            let fix = format!("make {path} a directory that this account may enter");
            return Check::failed(NAME, format!("{path} cannot be looked at: {err}"), fix);
        }
    };
    if !found.is_dir() {
        let fix = "name another with --data";
        return Check::failed(NAME, format!("{path} is not a directory"), fix);
    }
    let (mode, own) = (found.mode() & 0o777, rustix::process::geteuid().as_raw());
    let told = format!("{path}, mode {mode:04o}, of uid {}", found.uid());
    if own != 0 && found.uid() != own {
        let fix = "run this as its owner, or name another with --data";
        return Check::failed(NAME, format!("{told}; this is uid {own}"), fix);
    }
    if mode & 0o077 != 0 {
        let fix = format!("chmod 700 {path}");
        return Check::failed(NAME, format!("{told}: others may enter it"), fix);
    }
    let trial = data.join(format!(".doctor-{}", std::process::id()));
    let mut options = File::options();
    let tried = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&trial);
    if let Err(err) = tried.and_then(|_| fs::remove_file(&trial)) {
        let fix = "make room, or mount its file system so that it can be written";
        return Check::failed(NAME, format!("{told}: it cannot be written: {err}"), fix);
    }
    match fs::read_to_string(data.join("VERSION")) {
        Err(_) => Check::ok(NAME, told),
        Ok(text) => match text.trim().parse::<u32>() {
            Ok(form) if form <= FORM => Check::ok(NAME, format!("{told}, form {form}")),
            Ok(form) => Check::failed(
                NAME,
                format!("{told}, form {form}; this build knows forms up to {FORM}"),
                "run the newer roundel that wrote it",
            ),
            Err(_) => Check::failed(
                NAME,
                format!("{told}: VERSION does not name its form"),
                "is this really a data directory of Roundel? name another with --data",
            ),
        },
    }
}

fn space(data: &Path) -> Check {
    const NAME: &str = "space";
    // The directory need not be there yet; what it will be made in is.
    let Some((place, space)) = data
        .ancestors()
        .find_map(|place| Some((place, Space::of(place)?)))
    else {
        return Check::warning(NAME, "the kernel does not tell", "look with `df`");
    };
    let percent = space.free_percent();
    let mut told = format!(
        "{} of {} free ({percent} %)",
        size(space.free),
        size(space.total)
    );
    let files = rustix::fs::statvfs(place).ok().and_then(|fs| {
        // Some file systems have no such limit, and say 0.
        fs.f_favail.saturating_mul(100).checked_div(fs.f_files)
    });
    if let Some(files) = files {
        told += &format!(", {files} % of its files");
    }
    let least = files.unwrap_or(100).min(percent);
    let fix = "remove what is not needed there, or keep things for less long: `roundel gc --keep logs=7d`";
    if percent < LEAST_FREE_PERCENT {
        let told = format!("{told}: nothing is placed below {LEAST_FREE_PERCENT} %");
        Check::failed(NAME, told, fix)
    } else if least < SOON {
        Check::warning(NAME, told, fix)
    } else {
        Check::ok(NAME, told)
    }
}

fn database(data: &Path) -> Check {
    const NAME: &str = "database";
    let path = data.join("roundel.db");
    if let Err(err) = check_whole(data) {
        let fix = err.hint().unwrap_or_default();
        return Check::failed(NAME, Chain(&err).to_string(), fix);
    }
    if !path.exists() {
        return Check::ok(NAME, "none yet: the first server makes it");
    }
    let restore = "restore a backup into an empty directory: `roundel backup restore`; or, after an upgrade and while no \
                   server runs, put the copy roundel.db.schema-N in its place and remove roundel.db-wal and roundel.db-shm";
    match store::examine(&path) {
        Ok(seen) => {
            let bytes = size(fs::metadata(&path).map_or(0, |file| file.len()));
            let told = format!(
                "schema {}, {} pipelines, {bytes}, every page as it should be",
                seen.schema, seen.pipelines
            );
            let ahead = seen.newest.map_or(0, |newest| newest.0 - clock::now().0);
            if ahead > 60_000 {
                let told = format!(
                    "{told}; but its newest change is {} s in the future",
                    ahead / 1000
                );
                let fix = "set the clock: builds are ordered by it";
                return Check::failed(NAME, told, fix);
            }
            if seen.schema < SCHEMA {
                let told = format!("{told}; the next server brings it to schema {SCHEMA}");
                return Check::ok(NAME, told);
            }
            Check::ok(NAME, told)
        }
        Err(err) => {
            let fix = err.hint().unwrap_or_else(|| restore.to_owned());
            Check::failed(NAME, Chain(&err).to_string(), fix)
        }
    }
}

/// Files of the machine that were rendered from the settings.
fn rendered_files(data: &Path) -> Check {
    const NAME: &str = "rendered files";
    match rendered::drift(data) {
        Ok((0, _)) => Check::ok(NAME, "none"),
        Ok((all, drifted)) if drifted.is_empty() => {
            Check::ok(NAME, format!("{all}, none changed by hand"))
        }
        Ok((all, drifted)) => {
            let paths: Vec<String> = drifted
                .iter()
                .map(|one| shown(&one.root.join(&one.path)))
                .collect();
            let found = format!(
                "{} of {all} changed by hand: {}",
                paths.len(),
                paths.join(" ")
            );
            let fix = "see what differs with `roundel settings drift`, and write them again or set the settings right";
            Check::warning(NAME, found, fix)
        }
        Err(err) => {
            let fix = "run doctor as the account that the server runs as";
            let fix = err.hint().unwrap_or_else(|| fix.to_owned());
            Check::warning(NAME, Chain(&err).to_string(), fix)
        }
    }
}

/// What a server or an upgrade left. While a server runs, files that are about to be renamed are no left-overs.
fn left_over(data: &Path) -> Check {
    const NAME: &str = "left-overs";
    let names = |folder: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect()
    };
    let has = |path: &Path, word: &str| path.extension().is_some_and(|found| found == word);
    let top = names(data);
    let copies: Vec<&PathBuf> = top
        .iter()
        .filter(|path| {
            path.extension()
                .is_some_and(|word| word.to_string_lossy().starts_with("schema-"))
        })
        .collect();
    let mut temporary: Vec<PathBuf> = top
        .iter()
        .filter(|path| has(path, "tmp"))
        .cloned()
        .collect();
    temporary.extend(
        names(&data.join("repos"))
            .into_iter()
            .filter(|path| has(path, "gone")),
    );
    let bytes: u64 = copies.iter().map(|path| trees::bytes(path)).sum();
    let told = match copies.len() {
        0 => "none".to_owned(),
        n => format!(
            "{n} copies of the database from before an upgrade, {}",
            size(bytes)
        ),
    };
    if temporary.is_empty() || holder(data).is_some() {
        return Check::ok(NAME, told);
    }
    let first: Vec<String> = temporary.iter().take(3).map(|path| shown(path)).collect();
    let found = format!(
        "{} files that a killed server left: {}",
        temporary.len(),
        first.join(" ")
    );
    Check::warning(NAME, found, "remove them")
}
