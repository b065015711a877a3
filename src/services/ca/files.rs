//! The authorities of the settings as files of the data directory, for programs that read files.
//!
//! `DATA/tls/ca/ca-<begin of its SHA-256>.crt` has one certificate; `DATA/tls/ca-bundle.crt` has the system's and these, for
//! programs such as git that take one file in place of their own. Written from the settings whenever those change: what
//! somebody changes by hand is written over, what lies beside under other names is left alone and trusted by nobody.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::watch;

use super::{custom, system};
use crate::access::Fingerprint;
use crate::certificates::pem;
use crate::settings::value::Values;
use crate::storage::spool::write_whole;

/// Hex digits of a file's name: enough that no two meet.
const DIGITS: usize = 16;

/// What a pass did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Written {
    /// Files that were made or written anew.
    pub written: usize,
    /// Files that are gone.
    pub removed: usize,
}

/// Where the files are.
#[must_use]
pub fn folder(data: &Path) -> PathBuf {
    data.join("tls/ca")
}

/// The one file with everybody who is trusted; it is there while the settings name somebody.
#[must_use]
pub fn bundle(data: &Path) -> PathBuf {
    data.join("tls/ca-bundle.crt")
}

/// Brings the files to what the settings say; a second time it changes nothing. Blocks.
///
/// # Errors
/// When a file cannot be read, written or removed.
pub fn write(data: &Path, values: &Values) -> io::Result<Written> {
    let folder = folder(data);
    let custom = custom(values);
    let mut wanted: BTreeMap<PathBuf, String> = BTreeMap::new();
    for one in &custom {
        let print = Fingerprint::of(one.der()).to_string();
        let digits = print.trim_start_matches("sha256:");
        wanted.insert(
            folder.join(format!("ca-{}.crt", &digits[..DIGITS])),
            pem(one.der()),
        );
    }
    let mut done = Written::default();
    if !custom.is_empty() {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)?;
        let all = system();
        let all = all.iter().map(|der| pem(der));
        let all: String = all.chain(custom.iter().map(|one| pem(one.der()))).collect();
        wanted.insert(bundle(data), all);
    } else if remove(&bundle(data))? {
        done.removed += 1;
    }
    for (path, text) in &wanted {
        if fs::read(path).is_ok_and(|found| found == text.as_bytes()) {
            continue;
        }
        write_whole(path, text.as_bytes())?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o644))?;
        done.written += 1;
    }
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(done),
        Err(err) => return Err(err),
    };
    for entry in entries {
        let entry = entry?;
        if is_ours(&entry.file_name())
            && !wanted.contains_key(&entry.path())
            && remove(&entry.path())?
        {
            done.removed += 1;
        }
    }
    Ok(done)
}

/// Keeps the files as the settings say, until the server ends.
pub async fn keep(data: PathBuf, mut values: watch::Receiver<Arc<Values>>) {
    loop {
        let now = values.borrow_and_update().clone();
        let data = data.clone();
        let done = tokio::task::spawn_blocking(move || write(&data, &now)).await;
        match done {
            Ok(Ok(Written {
                written: 0,
                removed: 0,
            }))
            | Err(_) => {}
            Ok(Ok(done)) => tracing::info!(
                written = done.written,
                removed = done.removed,
                "files of custom authorities"
            ),
            Ok(Err(err)) => {
                tracing::warn!(%err, "the files of custom authorities are not as the settings say");
            }
        }
        if values.changed().await.is_err() {
            return;
        }
    }
}

/// Whether a file has a name that only this module gives.
fn is_ours(name: &OsStr) -> bool {
    name.to_str()
        .and_then(|name| name.strip_prefix("ca-")?.strip_suffix(".crt"))
        .is_some_and(|digits| {
            digits.len() == DIGITS && digits.bytes().all(|b| b.is_ascii_hexdigit())
        })
}

fn remove(path: &Path) -> io::Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(err) if err.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(err) => Err(err),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::ca::SETTING;
    use crate::settings::value::Value;

    #[test]
    fn the_files_follow_the_settings_and_leave_others_alone() {
        let root = tempfile::tempdir().unwrap();
        let data = root.path();
        let made = |name: &str| {
            rcgen::generate_simple_self_signed([name.to_owned()])
                .unwrap()
                .cert
                .pem()
        };
        let (one, two) = (made("one.example.com"), made("two.example.com"));
        let mut values = Values::default();
        assert_eq!(write(data, &values).unwrap(), Written::default());
        values.set(SETTING, Value::Text(format!("{one}{two}")));
        assert_eq!(
            write(data, &values).unwrap(),
            Written {
                written: 3,
                removed: 0
            }
        );
        assert_eq!(write(data, &values).unwrap(), Written::default());
        let files = || {
            let mut names: Vec<_> = fs::read_dir(folder(data))
                .unwrap()
                .map(|entry| entry.unwrap().path())
                .collect();
            names.sort();
            names
        };
        let texts: Vec<String> = files()
            .iter()
            .map(|path| fs::read_to_string(path).unwrap().replace('\n', ""))
            .collect();
        let plain = |text: &str| text.replace(['\r', '\n'], "");
        assert!(
            texts.contains(&plain(&one)) && texts.contains(&plain(&two)),
            "{texts:?}"
        );

        // Somebody writes over one, and puts another beside them.
        fs::write(&files()[0], "mine").unwrap();
        fs::write(folder(data).join("own.crt"), "own").unwrap();
        assert_eq!(
            write(data, &values).unwrap(),
            Written {
                written: 1,
                removed: 0
            }
        );
        values.set(SETTING, Value::Text(two));
        assert_eq!(
            write(data, &values).unwrap(),
            Written {
                written: 1,
                removed: 1
            }
        );
        values.unset(SETTING);
        assert_eq!(
            write(data, &values).unwrap(),
            Written {
                written: 0,
                removed: 2
            }
        );
        assert_eq!(files(), [folder(data).join("own.crt")]);
        assert!(!bundle(data).exists());
    }
}
