//! Whether the kernel has killed in a run for want of memory. An engine tells that of a container's first process only, so
//! it is read where the kernel counts it: in the control group that has the limit, which is one of this machine.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::rc::Rc;

use super::End;
use crate::agent::journal::Journal;
use crate::api::agent::Task;

/// The count of one control group, how far it was looked at, and the words for its limit.
#[derive(Debug)]
pub(super) struct Memory {
    file: Option<File>,
    seen: u64,
    words: String,
}

impl Memory {
    /// Of the run's own group, where it has one with a limit.
    pub(super) fn of_job(file: Option<PathBuf>, task: &Task) -> Self {
        let file = file.and_then(|path| File::open(path).ok());
        Self::new(file, "the job's", task)
    }

    /// Of the container whose first process is this one. With a group that cannot be found nothing is ever told.
    pub(super) fn of_container(pid: i64, task: &Task) -> Self {
        let groups = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
        let file = candidates(&groups)
            .into_iter()
            .find_map(|path| File::open(path).ok());
        Self::new(file, "the container's", task)
    }

    fn new(file: Option<File>, whose: &str, task: &Task) -> Self {
        let class = task.resource_class.as_ref();
        let class = class.map_or_else(String::new, |class| format!(" (resource class {class})"));
        Self {
            file,
            seen: 0,
            words: format!(
                "out of memory, {whose} {} MB were not enough{class}",
                task.memory_mb
            ),
        }
    }

    /// What to say of a kill.
    pub(super) fn words(&self) -> &str {
        &self.words
    }

    /// Kills until now are no fault of the step that begins.
    pub(super) fn forget(&mut self) {
        let _ = self.killed();
    }

    /// The end of a step with the kernel's part in it, which its log tells too.
    pub(super) async fn told(&mut self, end: End, step: u16, journal: &Rc<Journal>) -> End {
        if !self.killed() {
            return end;
        }
        let words = self.words.clone();
        let line = match &end {
            End::Exited(0) => format!("A process was killed: {words}.\n"),
            _ => format!("Killed: {words}.\n"),
        };
        journal.output(step, 2, line.as_bytes()).await;
        match end {
            End::Exited(code) if code != 0 => End::OutOfMemory(code, words),
            other => other,
        }
    }

    /// Whether there was a kill since this was asked last.
    fn killed(&mut self) -> bool {
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

/// The kernel writes the file anew for who reads from its beginning.
fn read(file: &File) -> Option<u64> {
    let mut text = [0; 512];
    let length = file.read_at(&mut text, 0).ok()?;
    count(str::from_utf8(&text[..length]).ok()?)
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
        fs::write(&file, "").unwrap();
        let mut memory = Memory {
            file: File::open(&file).ok(),
            seen: 0,
            words: String::new(),
        };
        for (count, expected) in [(0, false), (1, true), (1, false), (3, true)] {
            fs::write(&file, format!("oom_kill {count}\n")).unwrap();
            assert_eq!(memory.killed(), expected, "{count}");
        }
        // With the container its group goes, and with it the count.
        fs::write(&file, "").unwrap();
        assert!(!memory.killed());
    }
}
