//! The commits between two revisions of a mirror.

use std::path::Path;
use std::time::Duration;

use super::VcsError;
use super::git::{git, run};

/// Time for an answer from a repository of this machine.
const LOCAL: Duration = Duration::from_secs(20);
/// Most bytes of a list of commits.
const LIST_MAX: usize = 256 * 1024;

/// A commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Full id.
    pub id: String,
    /// Name of its author.
    pub author: String,
    /// When it was committed, unix seconds.
    pub at: i64,
    /// First line of its message.
    pub subject: String,
}

/// What lies between two revisions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Between {
    /// Commits that only the newer one has, newest first; as many as were asked for.
    pub commits: Vec<Commit>,
    /// Number of them.
    pub total: u64,
    /// Number of commits that only the older one has.
    pub missing: u64,
}

/// Reads what lies between two revisions, at most so many commits; `None` when the mirror lacks one of the two.
///
/// # Errors
/// When git fails or takes too long.
pub fn between(
    mirror: &Path,
    from: &str,
    to: &str,
    most: usize,
) -> Result<Option<Between>, VcsError> {
    let is_id = |id: &str| id.len() >= 7 && id.chars().all(|c| c.is_ascii_hexdigit());
    if !is_id(from) || !is_id(to) {
        return Ok(None);
    }
    let mut command = git(mirror);
    command.args(["rev-list", "--left-right", "--count"]);
    command.args([&format!("{from}...{to}"), "--"]);
    let said = run(command, "count the commits between two builds", LOCAL, 4096)?;
    if !said.ok {
        return Ok(None);
    }
    let text = String::from_utf8_lossy(&said.out);
    let mut counts = text.split_whitespace().map(|n| n.parse().unwrap_or(0));
    let (missing, total) = (counts.next().unwrap_or(0), counts.next().unwrap_or(0));
    let mut command = git(mirror);
    command.args(["log", "--no-show-signature", "--no-color"]);
    let format = "--format=%H%x00%<(100,trunc)%an%x00%ct%x00%<(300,trunc)%s";
    command.args([&format!("-{most}"), format]);
    command.args([&format!("{from}..{to}"), "--"]);
    let what = "read the commits between two builds";
    let out = run(command, what, LOCAL, LIST_MAX)?.or_failed(what)?;
    let commits = String::from_utf8_lossy(&out)
        .lines()
        .filter_map(commit)
        .collect();
    Ok(Some(Between {
        commits,
        total,
        missing,
    }))
}

fn commit(line: &str) -> Option<Commit> {
    let mut parts = line.splitn(4, '\0');
    // Git fills up what it does not cut.
    let inert = |text: &str| crate::sanitise::line(text.trim_end()).into_owned();
    Some(Commit {
        id: parts.next()?.to_owned(),
        author: inert(parts.next()?),
        at: parts.next()?.parse().ok()?,
        subject: inert(parts.next()?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commits_between_are_those_only_one_of_the_two_has() {
        let dir = tempfile::tempdir().unwrap();
        let script = "git init -q -b main . && git config user.name 'A B' && git config user.email a@example.com
            for n in 1 2 3; do git commit -q --allow-empty -m \"c $n\"; done
            git checkout -q -b side HEAD~1 && git commit -q --allow-empty -m \"$(printf 'odd \\033[31m')\"";
        let done = std::process::Command::new("sh")
            .args(["-ec", script])
            .current_dir(dir.path())
            .status()
            .unwrap();
        assert!(done.success());
        let id = |name: &str| {
            let mut command = git(dir.path());
            command.args(["rev-parse", name]);
            let out = run(command, "read a name", LOCAL, 100).unwrap().out;
            String::from_utf8(out).unwrap().trim().to_owned()
        };
        let (first, main, side) = (id("main~2"), id("main"), id("side"));
        let found = between(dir.path(), &first, &main, 1).unwrap().unwrap();
        assert_eq!((found.total, found.missing, found.commits.len()), (2, 0, 1));
        assert_eq!(found.commits[0].subject, "c 3");
        assert_eq!(found.commits[0].author, "A B");
        let found = between(dir.path(), &main, &side, 9).unwrap().unwrap();
        assert_eq!((found.total, found.missing), (1, 1));
        assert!(!found.commits[0].subject.contains('\u{1b}'), "{found:?}");
        let same = between(dir.path(), &main, &main, 9).unwrap().unwrap();
        assert_eq!(same, Between::default());
        for bad in ["0123456789abcdef0123456789abcdef01234567", "--all", "x", ""] {
            assert_eq!(between(dir.path(), bad, &main, 9).unwrap(), None, "{bad}");
        }
    }
}
