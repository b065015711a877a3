//! What the kernel says of this machine: time of its processors, its memory, and the room for the data directory.

use std::path::Path;

use crate::storage::space::Space;

/// A look at the machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    /// Time of all processors since the machine started: spent on something, and all of it, in ticks.
    pub cpu: Option<(u64, u64)>,
    /// Memory in use and all of it, in MiB; what caches hold counts as free.
    pub memory_mb: Option<(u64, u64)>,
    /// Space in use and all of it on the data directory's file system, in bytes.
    pub disk: Option<(u64, u64)>,
}

impl Machine {
    /// Looks. Blocks for as long as the file system takes.
    #[must_use]
    pub fn look(data: &Path) -> Self {
        let read = |path| std::fs::read_to_string(path).unwrap_or_default();
        let space = Space::of(data);
        Self {
            cpu: cpu(&read("/proc/stat")),
            memory_mb: memory(&read("/proc/meminfo")),
            disk: space.map(|space| (space.total.saturating_sub(space.free), space.total)),
        }
    }
}

/// The first line of `/proc/stat`: user, nice, system, idle, iowait, irq, softirq, steal (proc(5)).
fn cpu(stat: &str) -> Option<(u64, u64)> {
    let line = stat.lines().next()?.strip_prefix("cpu ")?;
    let ticks: Vec<u64> = line
        .split_whitespace()
        .take(8)
        .map(|word| word.parse().ok())
        .collect::<Option<_>>()?;
    let idle = ticks.get(3)? + ticks.get(4)?;
    let all: u64 = ticks.iter().sum();
    Some((all.saturating_sub(idle), all))
}

fn memory(meminfo: &str) -> Option<(u64, u64)> {
    let of = |name: &str| -> Option<u64> {
        let line = meminfo.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse().ok()
    };
    let (total, available) = (of("MemTotal:")?, of("MemAvailable:")?);
    Some((total.saturating_sub(available) / 1024, total / 1024))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_words_are_read_and_nonsense_is_nothing() {
        let stat = "cpu  100 5 45 800 50 3 7 0 9 9\ncpu0 1 2 3 4 5 6 7 8\n";
        assert_eq!(cpu(stat), Some((160, 1010)));
        for text in ["", "cpu 1 2", "intr 5", "cpu  a b c d e f g h"] {
            assert_eq!(cpu(text), None, "{text:?}");
        }
        let text = "MemTotal:  4194304 kB\nMemFree: 1 kB\nMemAvailable:  1048576 kB\n";
        assert_eq!(memory(text), Some((3072, 4096)));
        assert_eq!(memory("MemTotal: 5 kB\n"), None);
    }

    #[test]
    fn this_machine_has_all_of_it() {
        let machine = Machine::look(&std::env::temp_dir());
        let (used, all) = machine.memory_mb.unwrap();
        assert!(used <= all && all > 0, "{machine:?}");
        assert!(machine.cpu.is_some_and(|(busy, all)| busy <= all));
        assert!(machine.disk.is_some_and(|(used, all)| used <= all));
        assert_eq!(Machine::look(Path::new("/does/not/exist")).disk, None);
    }
}
