//! What the kernel says of this process.

use std::fs;

/// A look at this process; what the kernel does not tell is missing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Process {
    /// Processor time that it has used, in seconds.
    pub cpu_s: Option<f64>,
    /// Memory that it has in use, in bytes.
    pub memory: Option<u64>,
    /// Open file descriptors.
    pub fds: Option<u64>,
    /// Most that may be open.
    pub fds_max: Option<u64>,
    /// Threads.
    pub threads: Option<u64>,
}

impl Process {
    /// Looks.
    #[must_use]
    pub fn look() -> Self {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        let status = read("/proc/self/status");
        let of = |name: &str| -> Option<u64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse().ok()
        };
        let limits = rustix::process::getrlimit(rustix::process::Resource::Nofile);
        Self {
            cpu_s: cpu(&read("/proc/self/stat")),
            memory: of("VmRSS:").map(|kb| kb * 1024),
            // Without the one that is open for counting them.
            fds: fs::read_dir("/proc/self/fd")
                .ok()
                .map(|entries| entries.count().saturating_sub(1) as u64),
            fds_max: limits.current,
            threads: of("Threads:"),
        }
    }
}

/// `utime` and `stime` of `/proc/PID/stat`, fields 14 and 15, in ticks (proc(5)). The name in parentheses may hold
/// anything, so fields are counted from the last `)`.
fn cpu(stat: &str) -> Option<f64> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: u64 = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    #[expect(
        clippy::cast_precision_loss,
        reason = "a process of 2^52 ticks is a million years old"
    )]
    let seconds = ticks as f64 / rustix::param::clock_ticks_per_second() as f64;
    Some(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_all_of_it() {
        let process = Process::look();
        assert!(process.cpu_s.is_some_and(|seconds| seconds >= 0.0));
        assert!(process.memory.is_some_and(|bytes| bytes > 1 << 20));
        assert!(process.fds.is_some_and(|n| n >= 1) && process.fds <= process.fds_max);
        assert!(process.threads.is_some_and(|n| n >= 1));
    }

    #[test]
    fn a_name_with_parentheses_moves_no_field() {
        let stat = "7 (a) b) c) S 1 1 1 0 -1 0 0 0 0 0 250 150 0 0 20 0 1 0 99 0 0";
        let ticks = rustix::param::clock_ticks_per_second();
        #[expect(clippy::cast_precision_loss, reason = "a hundred")]
        let expected = 400.0 / ticks as f64;
        assert_eq!(cpu(stat), Some(expected));
        assert_eq!(cpu("nonsense"), None);
    }
}
