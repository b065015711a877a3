//! What this machine can give: measured, less the part kept for coordination, in one node or in several.

use std::fs;

/// What the machine has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Machine {
    /// CPU in thousandths of a core.
    pub cpu_millis: u32,
    /// Memory in MiB.
    pub memory_mb: u32,
}

/// One node's part of the machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Share {
    /// All of its CPU, in thousandths of a core.
    pub cpu_total_millis: u32,
    /// Kept for coordination.
    pub cpu_reserved_millis: u32,
    /// All of its memory, in MiB.
    pub memory_total_mb: u32,
    /// Kept for coordination.
    pub memory_reserved_mb: u32,
    /// The nodes together promise more than the machine can give.
    pub overcommitted: bool,
}

/// Kept for coordination from 4 cores and 8 GiB on: the operations guide's figure for Nomad clients.
const KEPT_CPU_MILLIS: u32 = 2_000;
/// As above, in MiB.
const KEPT_MEMORY_MB: u32 = 4_096;
/// The least a rehearsal node has: the default class of a `machine` job.
const DEFAULT_CLASS: (u32, u32) = (2_000, 7_680);

impl Machine {
    /// Measures this machine; a cgroup limit is not looked at.
    #[must_use]
    pub fn measure() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let memory_kb = fs::read_to_string("/proc/meminfo")
            .ok()
            .and_then(|text| {
                let line = text.lines().find(|line| line.starts_with("MemTotal:"))?;
                line.split_whitespace().nth(1)?.parse::<u64>().ok()
            })
            .unwrap_or(1024 * 1024);
        Self {
            cpu_millis: u32::try_from(cores * 1000).unwrap_or(u32::MAX),
            memory_mb: u32::try_from(memory_kb / 1024).unwrap_or(u32::MAX),
        }
    }
}

/// Splits a machine into nodes. One node: the machine less what is kept for coordination (2 cores and 4 GiB from 4
/// cores and 8 GiB on, else a quarter). Several: equal parts of the rest, each at least one default class, which may
/// promise more than there is.
#[must_use]
pub fn split(machine: Machine, nodes: u32) -> Vec<Share> {
    let small = machine.cpu_millis < 4_000 || machine.memory_mb < 8_192;
    let (cpu_kept, memory_kept) = if small {
        (machine.cpu_millis / 4, machine.memory_mb / 4)
    } else {
        (KEPT_CPU_MILLIS, KEPT_MEMORY_MB)
    };
    if nodes <= 1 {
        return vec![Share {
            cpu_total_millis: machine.cpu_millis,
            cpu_reserved_millis: cpu_kept,
            memory_total_mb: machine.memory_mb,
            memory_reserved_mb: memory_kept,
            overcommitted: false,
        }];
    }
    let cpu = ((machine.cpu_millis - cpu_kept) / nodes).max(DEFAULT_CLASS.0);
    let memory = ((machine.memory_mb - memory_kept) / nodes).max(DEFAULT_CLASS.1);
    let overcommitted = u64::from(cpu) * u64::from(nodes)
        > u64::from(machine.cpu_millis - cpu_kept)
        || u64::from(memory) * u64::from(nodes) > u64::from(machine.memory_mb - memory_kept);
    let share = Share {
        cpu_total_millis: cpu,
        cpu_reserved_millis: 0,
        memory_total_mb: memory,
        memory_reserved_mb: 0,
        overcommitted,
    };
    vec![share; nodes as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordination_keeps_its_part() {
        let large = split(
            Machine {
                cpu_millis: 16_000,
                memory_mb: 65_536,
            },
            1,
        );
        assert_eq!(
            (large[0].cpu_reserved_millis, large[0].memory_reserved_mb),
            (2_000, 4_096)
        );
        let small = split(
            Machine {
                cpu_millis: 2_000,
                memory_mb: 24_000,
            },
            1,
        );
        assert_eq!(
            (small[0].cpu_reserved_millis, small[0].memory_reserved_mb),
            (500, 6_000)
        );
    }

    #[test]
    fn rehearsal_nodes_hold_a_default_class_and_own_up_to_overcommit() {
        let nodes = split(
            Machine {
                cpu_millis: 2_000,
                memory_mb: 24_000,
            },
            4,
        );
        assert_eq!(nodes.len(), 4);
        assert!(
            nodes.iter().all(|n| n.cpu_total_millis == 2_000
                && n.memory_total_mb == 7_680
                && n.overcommitted)
        );
        let roomy = split(
            Machine {
                cpu_millis: 34_000,
                memory_mb: 70_000,
            },
            4,
        );
        assert!(
            roomy
                .iter()
                .all(|n| n.cpu_total_millis == 8_000 && !n.overcommitted)
        );
    }
}
