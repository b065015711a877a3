//! Whether the kernel has killed in a container for want of memory. The engine tells that of a container's first process
//! only, so it is read where the kernel counts it: in the container's control group, which is one of this machine.

use std::fs;
use std::path::PathBuf;

/// The count of one container, and how far it was looked at.
#[derive(Debug, Default)]
pub(super) struct Memory {
    file: Option<PathBuf>,
    seen: u64,
}

impl Memory {
    /// Of the container whose first process is this one. With a group that cannot be found nothing is ever told.
    pub(super) fn of(pid: i64) -> Self {
        let groups = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
        let file = candidates(&groups).into_iter().find(|path| path.exists());
        let seen = file.as_ref().and_then(read).unwrap_or(0);
        Self { file, seen }
    }

    /// Whether there was a kill since this was asked last.
    pub(super) fn killed(&mut self) -> bool {
        let Some(now) = self.file.as_ref().and_then(read) else {
            return false;
        };
        let more = now > self.seen;
        self.seen = now;
        more
    }
}

/// Where the count can be: version 1 of control groups has one hierarchy for memory, version 2 one for all.
fn candidates(groups: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for line in groups.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else {
            continue;
        };
        let below = |mount: &str, file: &str| {
            PathBuf::from(mount)
                .join(path.trim_start_matches('/'))
                .join(file)
        };
        if controllers.split(',').any(|name| name == "memory") {
            found.push(below("/sys/fs/cgroup/memory", "memory.oom_control"));
        } else if controllers.is_empty() {
            found.push(below("/sys/fs/cgroup", "memory.events"));
        }
    }
    found
}

fn read(path: &PathBuf) -> Option<u64> {
    count(&fs::read_to_string(path).ok()?)
}

fn count(text: &str) -> Option<u64> {
    text.lines()
        .find_map(|line| line.strip_prefix("oom_kill "))
        .and_then(|number| number.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_is_found_in_both_versions_of_control_groups() {
        let one = "9:name=systemd:/\n4:memory:/docker/7a\n1:cpu:/docker/7a\n0::/docker/7a\n";
        assert_eq!(
            candidates(one)[0],
            PathBuf::from("/sys/fs/cgroup/memory/docker/7a/memory.oom_control")
        );
        assert_eq!(
            candidates("0::/system.slice/docker-7a.scope\n"),
            [PathBuf::from(
                "/sys/fs/cgroup/system.slice/docker-7a.scope/memory.events"
            )]
        );
        assert!(candidates("nonsense\n").is_empty());
        let cases = [
            ("oom_kill_disable 0\nunder_oom 0\noom_kill 2\n", Some(2)),
            ("low 0\nhigh 0\nmax 7\noom 1\noom_kill 1\n", Some(1)),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(count(text), expected, "{text}");
        }
    }

    #[test]
    fn each_kill_is_told_once() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("memory.events");
        let mut memory = Memory {
            file: Some(file.clone()),
            seen: 0,
        };
        for (count, expected) in [(0, false), (1, true), (1, false), (3, true)] {
            fs::write(&file, format!("oom_kill {count}\n")).unwrap();
            assert_eq!(memory.killed(), expected, "{count}");
        }
        // With the container its group goes, and with it the count.
        fs::remove_file(&file).unwrap();
        assert!(!memory.killed());
        assert!(!Memory::of(-1).killed());
    }
}
