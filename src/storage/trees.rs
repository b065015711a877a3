//! Whole directories: what they take, and their removal.

use std::ffi::CStr;
use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

/// Levels below which a tree is taken in pieces. Each level costs an open file and a frame of the stack, and how deep a tree
/// is, a job decides.
const LEVELS: u32 = 32;

/// Bytes that a file or directory takes on the disk, with all below it; links are not followed. What cannot be looked at
/// counts nothing.
#[must_use]
pub fn bytes(path: &Path) -> u64 {
    let Ok(found) = fs::symlink_metadata(path) else {
        return 0;
    };
    // The kernel counts in blocks of 512 bytes, whatever those of the file system are: stat(2).
    let own = found.blocks() * 512;
    if !found.is_dir() {
        return own;
    }
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    own + entries.map(|entry| bytes(&entry.path())).sum::<u64>()
}

/// Removes a directory with all below it, however deep it is, and such as its owner may not write to. One that is not there
/// is removed. Links are not followed.
///
/// # Errors
/// When the file system refuses.
pub fn remove(path: &Path) -> io::Result<()> {
    let top = match open(CWD, path) {
        Err(Errno::NOENT) => return Ok(()),
        other => other?,
    };
    let mut lifted = 0;
    loop {
        let before = lifted;
        let below = rustix::fs::openat(
            &top,
            c".",
            OFlags::DIRECTORY | OFlags::CLOEXEC,
            Mode::empty(),
        )?;
        empty(below, top.as_fd(), 0, &mut lifted)?;
        if lifted == before {
            break;
        }
    }
    match fs::remove_dir(path) {
        Err(err) if err.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Opens a directory, and has its owner be able to change it: programs leave some that nobody can.
fn open<P: rustix::path::Arg + Copy>(at: BorrowedFd<'_>, name: P) -> Result<OwnedFd, Errno> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let opened = match rustix::fs::openat(at, name, flags, Mode::empty()) {
        Err(Errno::ACCESS) => {
            rustix::fs::chmodat(at, name, Mode::RWXU, AtFlags::empty())?;
            rustix::fs::openat(at, name, flags, Mode::empty())?
        }
        other => other?,
    };
    if !Mode::from_raw_mode(rustix::fs::fstat(&opened)?.st_mode).contains(Mode::RWXU) {
        rustix::fs::fchmod(&opened, Mode::RWXU)?;
    }
    Ok(opened)
}

/// Removes all that is in a directory. What lies too deep is lifted to the top, whose turn comes again.
fn empty(dir: OwnedFd, top: BorrowedFd<'_>, level: u32, lifted: &mut u64) -> Result<(), Errno> {
    let mut dir = Dir::new(dir)?;
    while let Some(entry) = dir.read() {
        let entry = entry?;
        let name = entry.file_name();
        if name == c"." || name == c".." {
            continue;
        }
        let here = dir.fd()?;
        if entry.file_type() != FileType::Directory {
            match rustix::fs::unlinkat(here, name, AtFlags::empty()) {
                Ok(()) | Err(Errno::NOENT) => continue,
                // Of a file system that does not tell what it lists.
                Err(Errno::ISDIR) => {}
                Err(err) => return Err(err),
            }
        }
        let below = open(here, name)?;
        if level == LEVELS {
            lift(here, name, top, lifted)?;
            continue;
        }
        empty(below, top, level + 1, lifted)?;
        rustix::fs::unlinkat(here, name, AtFlags::REMOVEDIR)?;
    }
    Ok(())
}

/// Moves a directory to the top, under a name that nothing has there.
fn lift(
    from: BorrowedFd<'_>,
    name: &CStr,
    top: BorrowedFd<'_>,
    lifted: &mut u64,
) -> Result<(), Errno> {
    loop {
        *lifted += 1;
        let free = format!(".lifted-{lifted}");
        match rustix::fs::renameat_with(from, name, top, &*free, RenameFlags::NOREPLACE) {
            Err(Errno::EXIST) => {}
            other => return other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_counted_and_removed_and_links_are_not_followed() {
        let root = tempfile::tempdir().unwrap();
        let outside = root.path().join("outside");
        fs::write(&outside, vec![1; 100_000]).unwrap();
        let tree = root.path().join("tree");
        fs::create_dir_all(tree.join("a/b")).unwrap();
        fs::write(tree.join("a/b/file"), vec![1; 20_000]).unwrap();
        std::os::unix::fs::symlink(&outside, tree.join("link")).unwrap();
        let counted = bytes(&tree);
        assert!((20_000..80_000).contains(&counted), "{counted}");
        remove(&tree).unwrap();
        remove(&tree).unwrap();
        assert_eq!((bytes(&tree), outside.exists()), (0, true));
    }

    #[test]
    fn what_nobody_may_write_to_goes_too() {
        use std::os::unix::fs::PermissionsExt;
        let root = tempfile::tempdir().unwrap();
        let tree = root.path().join("tree");
        fs::create_dir_all(tree.join("a/b")).unwrap();
        fs::write(tree.join("a/b/file"), "x").unwrap();
        for (path, mode) in [("a/b", 0o000), ("a", 0o555), ("", 0o555)] {
            fs::set_permissions(tree.join(path), fs::Permissions::from_mode(mode)).unwrap();
        }
        remove(&tree).unwrap();
        assert!(!tree.exists());
    }

    #[test]
    fn a_tree_of_any_depth_goes_with_a_small_stack_and_few_open_files() {
        const DEPTH: usize = 3000;
        let root = tempfile::tempdir().unwrap();
        let tree = root.path().join("tree");
        fs::create_dir_all(tree.join("d/.lifted-1")).unwrap();
        fs::write(tree.join(".lifted-2"), "a name that is taken").unwrap();
        let mut at = open(CWD, &*tree).unwrap();
        for _ in 0..DEPTH {
            match rustix::fs::mkdirat(&at, c"d", Mode::RWXU) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(err) => panic!("{err}"),
            }
            at = open(at.as_fd(), c"d").unwrap();
        }
        drop(at);
        let path = tree.clone();
        let removal = std::thread::Builder::new()
            .stack_size(256 * 1024)
            .spawn(move || remove(&path));
        removal.unwrap().join().unwrap().unwrap();
        assert!(!tree.exists());
    }
}
