//! Control groups of one attempt: limits where the controllers are, and a kill that nothing escapes.
//!
//! Works with cgroup v2 alone and with v1 beside it; without rights or mounts there is simply none, and it says why.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The groups of one attempt, and those its agent came from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cgroup {
    /// Groups made for the attempt; the v2 one, which can kill, first.
    own: Vec<PathBuf>,
    /// Groups the agent came from, one for each of `own`.
    home: Vec<PathBuf>,
    /// Where the kernel counts what it has killed for the limit of memory.
    kills: Option<PathBuf>,
    /// Why limits are not enforced, if they are not.
    pub unlimited: Option<String>,
}

/// Where hierarchies are mounted: v2 alone, or v2 beside v1.
const UNIFIED: [&str; 2] = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"];
/// Period of the CPU quota, in microseconds: the kernel's default.
const PERIOD_US: u64 = 100_000;

impl Cgroup {
    /// Makes groups named after the attempt below those of this process, with limits where that can be.
    #[must_use]
    pub fn create(name: &str, cpu_millis: u32, memory_mb: u32) -> Self {
        let mut made = Self::default();
        let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let of = |wanted: &str| -> Option<&str> {
            own.lines().find_map(|line| {
                let mut parts = line.splitn(3, ':');
                let controllers = parts.nth(1)?;
                let path = parts.next()?;
                controllers
                    .split(',')
                    .any(|controller| controller == wanted)
                    .then_some(path)
            })
        };
        let quota = u64::from(cpu_millis) * PERIOD_US / 1000;
        let bytes = u64::from(memory_mb) * 1024 * 1024;
        let mut limited = (false, false);
        if let Some(mount) = UNIFIED
            .iter()
            .map(Path::new)
            .find(|mount| mount.join("cgroup.controllers").exists())
        {
            let home = mount.join(of("").unwrap_or("/").trim_start_matches('/'));
            let limit = |group: &Path| {
                (
                    fs::write(group.join("cpu.max"), format!("{quota} {PERIOD_US}")).is_ok(),
                    fs::write(group.join("memory.max"), bytes.to_string()).is_ok(),
                )
            };
            // Below a group that holds processes there are no controllers, and where the server was started is one.
            let group = shared(mount)
                .and_then(|shared| made.add(&shared, &home, name))
                .or_else(|| made.add(&home, &home, name));
            if let Some(group) = group {
                limited = limit(&group);
                made.kills = limited.1.then(|| group.join("memory.events"));
            }
        }
        let v1 = |controller: &str, path: &str| {
            Path::new("/sys/fs/cgroup")
                .join(controller)
                .join(path.trim_start_matches('/'))
        };
        if !limited.0
            && let Some(path) = of("cpu")
            && let home = v1("cpu", path)
            && let Some(group) = made.add(&home, &home, name)
        {
            limited.0 = fs::write(group.join("cpu.cfs_period_us"), PERIOD_US.to_string())
                .and_then(|()| fs::write(group.join("cpu.cfs_quota_us"), quota.to_string()))
                .is_ok();
        }
        if !limited.1
            && let Some(path) = of("memory")
            && let home = v1("memory", path)
            && let Some(group) = made.add(&home, &home, name)
        {
            limited.1 = fs::write(group.join("memory.limit_in_bytes"), bytes.to_string()).is_ok();
            made.kills = limited.1.then(|| group.join("memory.oom_control"));
        }
        made.unlimited = match limited {
            (true, true) => None,
            (true, false) => Some("the memory limit is not enforced here: no memory controller can be used".to_owned()),
            (false, true) => Some("the cpu limit is not enforced here: no cpu controller can be used".to_owned()),
            (false, false) => {
                Some("limits are not enforced here: control groups cannot be made or have no controllers".to_owned())
            }
        };
        made
    }

    /// Makes a group in `parent`; `home` is where this process goes back to.
    fn add(&mut self, parent: &Path, home: &Path, name: &str) -> Option<PathBuf> {
        let group = parent.join(format!("roundel-{name}"));
        match fs::create_dir(&group) {
            Ok(()) => {}
            Err(err) if err.kind() == io::ErrorKind::AlreadyExists => {}
            Err(_) => return None,
        }
        self.own.push(group.clone());
        self.home.push(home.to_owned());
        Some(group)
    }

    /// The file where the kernel counts what it has killed for the limit of memory; `None` where that limit is not enforced.
    #[must_use]
    pub fn kills(&self) -> Option<PathBuf> {
        self.kills.clone()
    }

    /// The groups' paths, one a line: what a server needs to end what an agent left.
    #[must_use]
    pub fn lines(&self) -> String {
        self.own
            .iter()
            .map(|path| format!("{}\n", path.display()))
            .collect()
    }

    /// Takes groups back from their lines; only for ending them.
    #[must_use]
    pub fn from_lines(lines: &str) -> Self {
        let own = lines.lines().map(PathBuf::from).filter(|path| {
            path.starts_with("/sys/fs/cgroup")
                && path
                    .file_name()
                    .is_some_and(|name| name.to_string_lossy().starts_with("roundel-"))
        });
        Self {
            own: own.collect(),
            ..Self::default()
        }
    }

    /// Moves this process into the groups, so that what it starts begins there.
    pub fn enter(&self) {
        self.own.iter().for_each(|group| join(group));
    }

    /// Moves this process back to where it came from.
    pub fn leave(&self) {
        self.home.iter().for_each(|group| join(group));
    }

    /// Whether the groups hold a process; false where there is no group.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.own.iter().any(|group| {
            fs::read_to_string(group.join("cgroup.procs")).is_ok_and(|pids| !pids.is_empty())
        })
    }

    /// Kills all that is in the groups, what called `setsid` too. Answers whether the kernel could do it at once.
    pub fn kill(&self) -> bool {
        self.own
            .iter()
            .any(|group| fs::write(group.join("cgroup.kill"), "1").is_ok())
    }

    /// Whether the kernel can kill all of it at once.
    #[must_use]
    pub fn can_kill(&self) -> bool {
        self.own
            .first()
            .is_some_and(|group| group.join("cgroup.kill").exists())
    }

    /// Process ids in the groups.
    #[must_use]
    pub fn pids(&self) -> Vec<u32> {
        self.own
            .iter()
            .filter_map(|group| fs::read_to_string(group.join("cgroup.procs")).ok())
            .flat_map(|text| {
                text.lines()
                    .filter_map(|line| line.parse().ok())
                    .collect::<Vec<u32>>()
            })
            .collect()
    }

    /// Removes the groups that can be removed at once; false when the kernel needs a moment more for one.
    #[must_use]
    pub fn remove_at_once(&self) -> bool {
        let mut all = true;
        for group in &self.own {
            all &=
                !fs::remove_dir(group).is_err_and(|err| err.kind() == io::ErrorKind::ResourceBusy);
        }
        all
    }

    /// Removes the groups. The kernel may need a moment after the last process; bounded to half a second, blocks.
    pub fn remove(&self) {
        for _ in 0..50 {
            if self.remove_at_once() {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// The group for those of all attempts, in which no process is, with the controllers of CPU and memory for what is below.
/// `None` where this account may not make it, or the controllers are elsewhere: in hierarchies of version 1.
fn shared(mount: &Path) -> Option<PathBuf> {
    let has_both = |file: &Path| {
        let words = fs::read_to_string(file).unwrap_or_default();
        ["cpu", "memory"]
            .iter()
            .all(|one| words.split_whitespace().any(|word| word == *one))
    };
    let group = mount.join("roundel");
    let given = group.join("cgroup.subtree_control");
    if has_both(&given) {
        return Some(group);
    }
    if !has_both(&mount.join("cgroup.controllers")) {
        return None;
    }
    let give = |file: &Path| {
        for controller in ["+cpu", "+memory", "+pids"] {
            // One that cannot be given is missed below.
            let _ = fs::write(file, controller);
        }
    };
    give(&mount.join("cgroup.subtree_control"));
    // Another run may make it at the same moment.
    let _ = fs::create_dir(&group);
    give(&given);
    if has_both(&given) {
        return Some(group);
    }
    // Left where somebody else uses it.
    let _ = fs::remove_dir(&group);
    None
}

/// A group that cannot be joined leaves the process where it is; the limits' note has said so, or the kill by mark finds it.
fn join(group: &Path) {
    let _ = fs::write(group.join("cgroup.procs"), "0");
}
