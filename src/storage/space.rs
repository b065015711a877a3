//! How full a file system is, as `df` counts: what is kept back for root is neither used nor free.

use std::path::Path;

/// Free share of a file system under which nothing is placed that writes to it, in percent.
pub const LEAST_FREE_PERCENT: u64 = 5;

/// Bytes of a file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// What this account can still write.
    pub free: u64,
    /// What is used and what is free.
    pub total: u64,
}

impl Space {
    /// That of the file system which holds `path`; `None` when the kernel does not tell.
    pub fn of(path: &Path) -> Option<Self> {
        let fs = rustix::fs::statvfs(path).ok()?;
        let used = fs.f_blocks.saturating_sub(fs.f_bfree);
        let bytes = |blocks: u64| blocks.saturating_mul(fs.f_frsize);
        Some(Self {
            free: bytes(fs.f_bavail),
            total: bytes(used.saturating_add(fs.f_bavail)),
        })
    }

    /// Share that is free, in percent, rounded down; 100 of a file system without a size, as `/proc` is.
    pub fn free_percent(self) -> u64 {
        let percent = u128::from(self.free) * 100;
        percent
            .checked_div(u128::from(self.total))
            .map_or(100, |percent| u64::try_from(percent).unwrap_or(100))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_rounded_down_and_never_divides_by_nothing() {
        let cases = [
            (0, 0, 100),
            (0, 10, 0),
            (499, 10_000, 4),
            (10, 10, 100),
            (u64::MAX, u64::MAX, 100),
        ];
        for (free, total, expected) in cases {
            assert_eq!(
                Space { free, total }.free_percent(),
                expected,
                "{free} of {total}"
            );
        }
    }

    #[test]
    fn a_file_system_has_room_and_a_path_that_is_not_there_has_none() {
        let space = Space::of(&std::env::temp_dir()).unwrap();
        assert!(space.free <= space.total && space.total > 0, "{space:?}");
        assert_eq!(Space::of(Path::new("/does/not/exist")), None);
    }
}
