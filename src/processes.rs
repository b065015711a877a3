//! Process trees of attempts: told alive by id and start time, found again, and ended to the last one.
//!
//! Knows nothing of runs beyond the attempt's id, by which its processes are marked.

pub mod cgroup;

use std::collections::{HashMap, HashSet};
use std::fs;
use std::time::Duration;

use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, WaitOptions, kill_process, waitid, waitpid,
};

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

/// Children of this process that have ended and that nobody has waited for.
#[must_use]
pub fn zombies() -> HashSet<u32> {
    // Mostly there is none, which one question tells; whose they are takes several for each thread.
    let any = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    if !matches!(waitid(WaitId::All, any), Ok(Some(_))) {
        return HashSet::new();
    }
    let is_zombie = |pid: &u32| stat(*pid).is_some_and(|stat| stat.state == 'Z');
    children().into_iter().filter(is_zombie).collect()
}

/// Children of this process, those that came to it as orphans too. The kernel lists them by thread.
fn children() -> Vec<u32> {
    let threads = fs::read_dir("/proc/self/task").into_iter().flatten();
    let lists: Vec<String> = threads
        .filter_map(|thread| fs::read_to_string(thread.ok()?.path().join("children")).ok())
        .collect();
    let pids = lists.iter().flat_map(|list| list.split_ascii_whitespace());
    pids.filter_map(|pid| pid.parse().ok()).collect()
}

/// Waits for a child that has ended, so that its entry goes; does nothing for one that has not.
pub fn bury(pid: u32) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    // Somebody else was faster: then it is gone.
    let _ = pid.map(|pid| waitpid(Some(pid), WaitOptions::NOHANG));
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
    let session = session_of(dir);
    kill_all(|| marked(&attempt, session));
    cgroup.remove();
}

/// The session of an attempt's agent, unless its number has been given to another process since: after a reboot it may
/// be anybody's.
fn session_of(dir: &std::path::Path) -> Option<u32> {
    let text = fs::read_to_string(dir.join("pid")).ok()?;
    let (pid, start) = text.trim().split_once(' ')?;
    let (pid, start) = (pid.parse().ok()?, start.parse::<u64>().ok()?);
    let leader = stat(pid).map(|stat| stat.start);
    let members_are_younger = all()
        .values()
        .filter(|stat| stat.session == pid)
        .all(|stat| stat.start >= start);
    (leader.is_none_or(|found| found == start) && members_are_younger).then_some(pid)
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
    fn the_session_of_an_agent_is_not_taken_for_another_with_its_number() {
        let dir = tempfile::tempdir().unwrap();
        let own = std::process::id();
        let start = start_time(own).unwrap();
        let cases = [
            (format!("{own} {start}"), Some(own)),
            (format!("{own} {}", start - 1), None),
            (format!("{own} {}", start + 1), None),
            (String::new(), None),
        ];
        for (text, expected) in cases {
            fs::write(dir.path().join("pid"), &text).unwrap();
            assert_eq!(session_of(dir.path()), expected, "{text}");
        }
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
