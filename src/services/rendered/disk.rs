//! Files below a root: read and replaced whole, without ever following a link that lies below it.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, Stat, Uid};
use rustix::io::Errno;

use super::FilesError;

/// Largest file of others that is read: what these files hold is a few lines.
const SIZE_MAX: u64 = 1024 * 1024;

/// Names of temporary files never meet.
static COUNTER: AtomicU32 = AtomicU32::new(0);

fn failed(what: &'static str, path: &Path) -> impl Fn(Errno) -> FilesError {
    let path = path.to_owned();
    move |err| FilesError::Io {
        what,
        path: path.clone(),
        source: io::Error::from(err),
    }
}

fn broken(what: &'static str, path: &Path) -> impl Fn(io::Error) -> FilesError {
    let path = path.to_owned();
    move |source| FilesError::Io {
        what,
        path: path.clone(),
        source,
    }
}

fn in_the_way(path: &Path, why: &str) -> FilesError {
    FilesError::InTheWay {
        path: path.to_owned(),
        why: why.to_owned(),
        fix: "put a file or directory of its own there, or render below another root",
    }
}

/// The parts of a path below the root.
fn parts(path: &str) -> impl Iterator<Item = &str> {
    Path::new(path).components().filter_map(|part| match part {
        Component::Normal(name) => name.to_str(),
        _ => None,
    })
}

/// What a directory that is made is for others: hidden ones hold what is one's own.
fn mode_of(name: &str) -> Mode {
    if name.starts_with('.') {
        Mode::from_raw_mode(0o700)
    } else {
        Mode::from_raw_mode(0o755)
    }
}

fn open_root(root: &Path) -> Result<OwnedFd, FilesError> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::open(root, flags, Mode::empty()).map_err(failed("open", root))
}

/// The directory that a file lies in, and the file's name; `None` where a directory is missing and is not to be made.
fn walk(root: &Path, path: &str, make: bool) -> Result<Option<(OwnedFd, String)>, FilesError> {
    let mut directory = open_root(root)?;
    let mut at = root.to_owned();
    let names: Vec<&str> = parts(path).collect();
    let (file, above) = names.split_last().expect("a path has a name");
    for name in above {
        at.push(name);
        if make {
            match rustix::fs::mkdirat(&directory, *name, mode_of(name)) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(err) => return Err(failed("make", &at)(err)),
            }
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        directory = match rustix::fs::openat(&directory, *name, flags, Mode::empty()) {
            Ok(directory) => directory,
            Err(Errno::NOENT) => return Ok(None),
            Err(err @ (Errno::LOOP | Errno::NOTDIR)) => {
                return Err(match stat(&directory, name) {
                    Ok(Some(stat)) if is(&stat, FileType::Symlink) => {
                        in_the_way(&at, "is a symbolic link, and is not followed")
                    }
                    Ok(Some(_)) => in_the_way(&at, "is no directory"),
                    _ => failed("open", &at)(err),
                });
            }
            Err(err) => return Err(failed("open", &at)(err)),
        };
    }
    Ok(Some((directory, (*file).to_owned())))
}

fn stat(directory: impl AsFd, name: &str) -> Result<Option<Stat>, Errno> {
    match rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(stat)),
        Err(Errno::NOENT) => Ok(None),
        Err(err) => Err(err),
    }
}

fn is(stat: &Stat, kind: FileType) -> bool {
    FileType::from_raw_mode(stat.st_mode) == kind
}

/// What stands at the name: `None` for nothing, refused where it is no plain file.
fn plain(directory: impl AsFd, name: &str, path: &Path) -> Result<Option<Stat>, FilesError> {
    let found = stat(directory, name).map_err(failed("look at", path))?;
    match found {
        Some(stat) if is(&stat, FileType::Symlink) => {
            Err(in_the_way(path, "is a symbolic link, and is not followed"))
        }
        Some(stat) if !is(&stat, FileType::RegularFile) => {
            Err(in_the_way(path, "is no plain file"))
        }
        found => Ok(found),
    }
}

/// What a file holds; `None` where there is none.
pub(super) fn read(root: &Path, path: &str) -> Result<Option<Vec<u8>>, FilesError> {
    let whole = root.join(path);
    let Some((directory, name)) = walk(root, path, false)? else {
        return Ok(None);
    };
    if plain(&directory, &name, &whole)?.is_none() {
        return Ok(None);
    }
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = rustix::fs::openat(&directory, &name, flags, Mode::empty())
        .map_err(failed("read", &whole))?;
    let mut bytes = Vec::new();
    let mut bounded = File::from(file).take(SIZE_MAX + 1);
    bounded
        .read_to_end(&mut bytes)
        .map_err(broken("read", &whole))?;
    if bytes.len() as u64 > SIZE_MAX {
        return Err(in_the_way(&whole, "is larger than 1 MiB"));
    }
    Ok(Some(bytes))
}

/// Replaces a file at one stroke, or makes it: `private` for nobody else. One that was there keeps its owner and its mode.
pub(super) fn write(
    root: &Path,
    path: &str,
    bytes: &[u8],
    private: bool,
) -> Result<(), FilesError> {
    let whole = root.join(path);
    let (directory, name) = walk(root, path, true)?
        .ok_or_else(|| failed("make the directory of", &whole)(Errno::NOENT))?;
    let old = plain(&directory, &name, &whole)?;
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    let temporary = format!(".roundel-{}-{number}.tmp", std::process::id());
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let new = rustix::fs::openat(&directory, &temporary, flags, Mode::from_raw_mode(0o600))
        .map_err(failed("write", &whole))?;
    let mode = match &old {
        Some(old) => old.st_mode & 0o7777,
        None if private => 0o600,
        None => 0o644,
    };
    let put = || {
        let mut file = File::from(new);
        file.write_all(bytes).map_err(broken("write", &whole))?;
        if let Some(old) = &old {
            let own = rustix::fs::fstat(&file).map_err(failed("write", &whole))?;
            if (own.st_uid, own.st_gid) != (old.st_uid, old.st_gid) {
                let (uid, gid) = (Uid::from_raw(old.st_uid), Gid::from_raw(old.st_gid));
                rustix::fs::fchown(&file, Some(uid), Some(gid))
                    .map_err(failed("keep the owner of", &whole))?;
            }
        }
        // After the owner: a change of owner takes some bits away.
        rustix::fs::fchmod(&file, Mode::from_raw_mode(mode)).map_err(failed("write", &whole))?;
        file.sync_all().map_err(broken("write", &whole))?;
        rustix::fs::renameat(&directory, &temporary, &directory, &name)
            .map_err(failed("write", &whole))?;
        rustix::fs::fsync(&directory).map_err(failed("write", &whole))
    };
    let done = put();
    if done.is_err() {
        // It may have got its name already; what is left over hinders nobody.
        let _ = rustix::fs::unlinkat(&directory, &temporary, AtFlags::empty());
    }
    done
}

/// Removes a file; nothing where there is none.
pub(super) fn remove(root: &Path, path: &str) -> Result<(), FilesError> {
    let whole = root.join(path);
    let Some((directory, name)) = walk(root, path, false)? else {
        return Ok(());
    };
    if plain(&directory, &name, &whole)?.is_none() {
        return Ok(());
    }
    rustix::fs::unlinkat(&directory, &name, AtFlags::empty()).map_err(failed("remove", &whole))
}

/// The directories that would have to be made for a file, the outermost first.
pub(super) fn missing(root: &Path, path: &str) -> Vec<String> {
    let mut at = PathBuf::new();
    let names: Vec<&str> = parts(path).collect();
    let mut missing = Vec::new();
    for name in names.iter().take(names.len().saturating_sub(1)) {
        at.push(name);
        if root.join(&at).symlink_metadata().is_err() {
            missing.push(at.display().to_string());
        }
    }
    missing
}

/// Removes directories that were made, unless somebody uses them; in the order of their names, so that what lies inside is
/// the later one.
pub(super) fn remove_directories(root: &Path, directories: &[String]) {
    for path in directories.iter().rev() {
        if let Ok(Some((directory, name))) = walk(root, path, false) {
            // One that is not empty stays, and so do those around it.
            let _ = rustix::fs::unlinkat(&directory, &name, AtFlags::REMOVEDIR);
        }
    }
}
