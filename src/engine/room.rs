//! Whether there is room on the disk for runs: where the data are, and where jobs work, which may be another file system.

use std::path::{Path, PathBuf};

use crate::storage::space::LEAST_FREE_PERCENT;

/// Where there has to be room.
#[derive(Clone, Debug)]
pub(super) struct Room {
    pub data: PathBuf,
    /// Where jobs work.
    pub scratch: PathBuf,
}

impl Room {
    /// Says of which of them the file system is nearly full, given what share of a path's is free, in percent.
    pub(super) fn low(&self, free: impl Fn(&Path) -> Option<u64>) -> Option<String> {
        let low = |path: &Path| free(path).filter(|percent| *percent < LEAST_FREE_PERCENT);
        let (whose, percent) = match (low(&self.data), low(&self.scratch)) {
            (Some(percent), _) => ("the data directory".to_owned(), percent),
            (None, Some(percent)) => (
                format!("the jobs' scratch directory {}", self.scratch.display()),
                percent,
            ),
            (None, None) => return None,
        };
        Some(format!(
            "{whose}'s file system has {percent} % free, less than {LEAST_FREE_PERCENT} %: nothing is placed"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_file_system_holds_placement_and_is_named() {
        let room = Room {
            data: "/data".into(),
            scratch: "/var/tmp/x".into(),
        };
        let told = |data: u64, scratch: u64| {
            room.low(|path| {
                Some(if path == Path::new("/data") {
                    data
                } else {
                    scratch
                })
            })
        };
        assert_eq!(told(5, 5), None);
        assert_eq!(room.low(|_| None), None, "the kernel does not tell");
        let data = told(4, 3).unwrap();
        assert!(
            data.starts_with("the data directory's file system has 4 % free"),
            "{data}"
        );
        let scratch = told(60, 3).unwrap();
        assert!(
            scratch.contains("/var/tmp/x's file system has 3 % free"),
            "{scratch}"
        );
    }
}
