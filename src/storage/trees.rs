//! Whole directories: what they take, and their removal.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

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

/// Removes a directory with all below it. One that is not there is removed.
///
/// # Errors
/// When the file system refuses.
pub fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(err) if err.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
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
}
