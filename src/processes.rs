//! Process trees of attempts: told alive by id and start time, found again, and ended to the last one.
//!
//! Knows nothing of runs beyond the attempt's id, by which its processes are marked.

pub mod cgroup;

use std::collections::{HashMap, HashSet};
use std::fs;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// Variable by which the processes of an attempt are known, whoever their parent is by now.
pub const MARK: &str = "ROUNDEL_ATTEMPT";

/// Start time of a process in clock ticks since boot (`/proc/PID/stat`, field 22); `None` when it is gone or a zombie.
#[must_use]
pub fn start_time(pid: u32) -> Option<u64> {
    stat(pid)
        .filter(|stat| stat.state != 'Z' && stat.state != 'X')
        .map(|stat| stat.start)
}

struct Stat {
    state: char,
    parent: u32,
    session: u32,
    start: u64,
}

/// The name in parentheses may hold anything, so fields are counted from the last `)`.
fn stat(pid: u32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let rest = &text[text.rfind(')')? + 1..];
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    Some(Stat {
        state: fields.first()?.chars().next()?,
        parent: fields.get(1)?.parse().ok()?,
        session: fields.get(3)?.parse().ok()?,
        start: fields.get(19)?.parse().ok()?,
    })
}

fn all() -> HashMap<u32, Stat> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return HashMap::new();
    };
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(|pid| Some((pid, stat(pid)?)))
        .collect()
}

/// Living descendants of `root`, itself left out.
#[must_use]
pub fn descendants(root: u32) -> Vec<u32> {
    let table = all();
    let mut found: HashSet<u32> = HashSet::from([root]);
    loop {
        let before = found.len();
        found.extend(
            table
                .iter()
                .filter(|(_, stat)| found.contains(&stat.parent))
                .map(|(pid, _)| *pid)
                .collect::<Vec<_>>(),
        );
        if found.len() == before {
            break;
        }
    }
    found.remove(&root);
    found
        .into_iter()
        .filter(|pid| table.get(pid).is_some_and(|stat| stat.state != 'Z'))
        .collect()
}

/// Living processes that carry an attempt's mark, or belong to the session of its agent.
#[must_use]
pub fn marked(attempt: &str, session: Option<u32>) -> Vec<u32> {
    let mark = format!("{MARK}={attempt}");
    all()
        .into_iter()
        .filter(|(_, stat)| stat.state != 'Z')
        .filter(|(pid, stat)| {
            Some(stat.session) == session
                || fs::read(format!("/proc/{pid}/environ")).is_ok_and(|environ| {
                    environ
                        .split(|byte| *byte == 0)
                        .any(|entry| entry == mark.as_bytes())
                })
        })
        .map(|(pid, _)| pid)
        .collect()
}

/// Sends a signal to each; those gone already do not matter.
pub fn signal(pids: &[u32], signal: Signal) {
    for pid in pids {
        if let Some(pid) = i32::try_from(*pid).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, signal);
        }
    }
}

/// Kills what `find` finds until it finds nothing: a process may fork while it is being killed. Bounded to two
/// seconds; blocks.
pub fn kill_all(find: impl Fn() -> Vec<u32>) {
    for _ in 0..40 {
        let pids = find();
        if pids.is_empty() {
            return;
        }
        signal(&pids, Signal::KILL);
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Ends what an attempt left: everything in its control groups, in its agent's session, or carrying its mark; then
/// removes the groups. `dir` is the attempt's directory. Blocks, three seconds at most.
pub fn sweep(dir: &std::path::Path) {
    let attempt = dir
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let lines = fs::read_to_string(dir.join("cgroup")).unwrap_or_default();
    let cgroup = cgroup::Cgroup::from_lines(&lines);
    cgroup.kill();
    let session = fs::read_to_string(dir.join("pid"))
        .ok()
        .and_then(|text| text.split(' ').next()?.parse().ok());
    kill_all(|| marked(&attempt, session));
    cgroup.remove();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_known_by_id_and_start() {
        let own = std::process::id();
        assert!(start_time(own).is_some());
        assert_eq!(start_time(own), start_time(own));
        assert_eq!(start_time(u32::MAX - 1), None);
    }

    #[test]
    fn marked_processes_are_found_and_killed_even_outside_their_session() {
        let attempt = format!("test-{}", std::process::id());
        let mut child = std::process::Command::new("setsid")
            .args(["sh", "-c", "sleep 60 & sleep 60"])
            .env(MARK, &attempt)
            .spawn()
            .unwrap();
        while marked(&attempt, None).len() < 3 {
            std::thread::yield_now();
        }
        kill_all(|| marked(&attempt, None));
        child.wait().unwrap();
        assert!(marked(&attempt, None).is_empty());
    }
}
