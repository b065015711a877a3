//! What is new in a repository: the tips of its branches, and the commits between two looks at them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::VcsError;
use super::git::{Network, git, run};
use super::mirror::{self, Revision};
use super::source::{LOCAL, Place, Source, is_branch_name};

/// Most bytes of a list of branches: some fifty thousand of them.
const TIPS_MAX: usize = 4 * 1024 * 1024;

/// Branch to full commit id.
pub type Tips = BTreeMap<String, String>;

/// Repositories of which was said that some of their branches are left out: once is enough.
static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Asks the repository for the tips of its branches. Names that no branch of ours could have are left out.
///
/// # Errors
/// See [`VcsError`].
pub fn tips(source: &Source, network: &Network) -> Result<Tips, VcsError> {
    let mut command = git(Path::new("/"));
    network.tell(&mut command);
    command.args(["ls-remote", "--heads", "--", &address(source)]);
    let out = run(command, "list the branches", mirror::ASK, TIPS_MAX)?
        .or_failed("list the branches")
        .map_err(|err| mirror::of_remote(source, err))?;
    let mut tips = Tips::new();
    let mut left_out = Vec::new();
    for line in out.split(|byte| *byte == b'\n') {
        match tip(line) {
            Ok(found) => tips.extend(found),
            Err(name) => left_out.push(name),
        }
    }
    if let Some(first) = left_out.first() {
        let mut said = SAID.lock().unwrap_or_else(PoisonError::into_inner);
        if said.insert(source.key.clone()) {
            let branches = left_out.len();
            tracing::warn!(source = %source.key, branches, %first, "branches whose names are no text are left out");
        }
    }
    Ok(tips)
}

/// A line of `git ls-remote`: branch and commit, nothing when that is no branch of ours, else the name that is not UTF-8.
fn tip(line: &[u8]) -> Result<Option<(String, String)>, String> {
    let line = str::from_utf8(line).map_err(|_| {
        let text = String::from_utf8_lossy(line);
        let name = text.split('\t').next_back().unwrap_or_default();
        crate::sanitise::line(name).into_owned()
    })?;
    let found = line.split_once('\t').and_then(|(id, name)| {
        let branch = name.strip_prefix("refs/heads/")?;
        let is_id = id.len() >= 40 && id.bytes().all(|b| b.is_ascii_hexdigit());
        (is_id && is_branch_name(branch)).then(|| (branch.to_owned(), id.to_owned()))
    });
    Ok(found)
}

/// Brings these branches into the mirror, and keeps their tips for as long as the mirror lives.
///
/// # Errors
/// See [`VcsError`].
pub fn bring(
    source: &Source,
    tips: &Tips,
    mirror: &Path,
    network: &Network,
) -> Result<(), VcsError> {
    let missing: Vec<String> = tips
        .iter()
        .filter(|(_, id)| !mirror::kept(mirror, id))
        .map(|(branch, _)| format!("+refs/heads/{branch}:refs/heads/{branch}"))
        .collect();
    // Command lines are bounded; a repository with more new branches than this brings them in several goes.
    for refspecs in missing.chunks(200) {
        let refspecs: Vec<&str> = refspecs.iter().map(String::as_str).collect();
        mirror::update(mirror, &address(source), &refspecs, "", network)
            .map_err(|err| mirror::of_remote(source, err))?;
    }
    for id in tips.values() {
        mirror::keep(mirror, id)?;
    }
    Ok(())
}

/// The commits of a branch that none of `known` holds, oldest first: `tip` and those before it along the first parent, the
/// newest `max` of them. All of them are kept in the mirror.
///
/// # Errors
/// See [`VcsError`].
pub fn commits_since<'a>(
    mirror: &Path,
    branch: &str,
    tip: &str,
    known: impl Iterator<Item = &'a String>,
    max: usize,
) -> Result<Vec<Revision>, VcsError> {
    // A tip that was never brought here, or collected since, holds nothing that could be built again.
    let known: Vec<&String> = known.filter(|id| mirror::kept(mirror, id)).collect();
    let what = "list new commits";
    let ask = |format: &str| {
        let mut command = git(mirror);
        command.args([
            "log",
            "--first-parent",
            "--no-show-signature",
            "--no-color",
            &format!("--max-count={max}"),
            format,
            tip,
            "--not",
        ]);
        command.args(&known).arg("--");
        run(command, what, LOCAL, TIPS_MAX)?.or_failed(what)
    };
    let out = match ask(mirror::FULL) {
        Err(VcsError::TooLong { .. }) => ask(mirror::BARE)?,
        out => out?,
    };
    let mut commits: Vec<Revision> = String::from_utf8_lossy(&out)
        .lines()
        .filter_map(mirror::revision)
        .map(|commit| Revision {
            branch: branch.to_owned(),
            ..commit
        })
        .collect();
    commits.reverse();
    for commit in &commits {
        mirror::keep(mirror, &commit.id)?;
    }
    Ok(commits)
}

fn address(source: &Source) -> String {
    match &source.place {
        Place::Path { top, .. } => top.display().to_string(),
        Place::Url(url) => url.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::locate;
    use super::*;

    const DIRECT: Network = Network::Direct;

    /// A bare repository, and a clone that pushes to it.
    struct Pair(tempfile::TempDir);

    impl Pair {
        fn new() -> Self {
            let pair = Self(tempfile::tempdir().unwrap());
            pair.sh("git init -q --bare bare.git && git clone -q bare.git clone 2>/dev/null");
            pair.sh("cd clone && git checkout -q -b main");
            pair
        }

        fn sh(&self, script: &str) {
            let done = std::process::Command::new("sh")
                .args(["-e", "-c", script])
                .current_dir(self.0.path())
                .env("GIT_AUTHOR_NAME", "Ann")
                .env("GIT_AUTHOR_EMAIL", "ann@example.com")
                .env("GIT_COMMITTER_NAME", "Ann")
                .env("GIT_COMMITTER_EMAIL", "ann@example.com")
                .output()
                .unwrap();
            assert!(
                done.status.success(),
                "{}",
                String::from_utf8_lossy(&done.stderr)
            );
        }

        fn commit(&self, subject: &str) {
            self.sh(&format!(
                "cd clone && git commit -q --allow-empty -m '{subject}'"
            ));
        }

        fn push(&self) {
            self.sh("cd clone && git push -q --all 2>/dev/null");
        }

        fn source(&self) -> Source {
            locate(self.0.path().join("bare.git").to_str().unwrap()).unwrap()
        }
    }

    fn subjects(commits: &[Revision]) -> Vec<&str> {
        commits
            .iter()
            .map(|commit| commit.subject.as_str())
            .collect()
    }

    #[test]
    fn what_came_between_two_looks_is_new_oldest_first() {
        let pair = Pair::new();
        pair.commit("one");
        pair.push();
        let mirror = pair.0.path().join("mirror.git");
        let source = pair.source();
        let before = tips(&source, &DIRECT).unwrap();
        bring(&source, &before, &mirror, &DIRECT).unwrap();
        pair.commit("two");
        pair.commit("three");
        pair.sh("cd clone && git checkout -q -b side && git commit -q --allow-empty -m aside");
        pair.push();
        let after = tips(&source, &DIRECT).unwrap();
        assert_eq!(after.keys().collect::<Vec<_>>(), ["main", "side"]);
        bring(&source, &after, &mirror, &DIRECT).unwrap();
        let since = |branch: &str, known: &Tips, max| {
            commits_since(&mirror, branch, &after[branch], known.values(), max).unwrap()
        };
        assert_eq!(subjects(&since("main", &before, 9)), ["two", "three"]);
        assert_eq!(subjects(&since("main", &before, 1)), ["three"]);
        assert_eq!(
            subjects(&since("side", &before, 9)),
            ["two", "three", "aside"]
        );
        assert!(since("main", &after, 9).is_empty());
        let forgotten = Tips::from([("main".to_owned(), "0".repeat(40))]);
        assert_eq!(subjects(&since("main", &forgotten, 9)).len(), 3);
    }

    #[test]
    fn a_branch_that_was_rewritten_is_new_from_where_it_parted() {
        let pair = Pair::new();
        pair.commit("one");
        pair.commit("two");
        pair.push();
        let (mirror, source) = (pair.0.path().join("mirror.git"), pair.source());
        let before = tips(&source, &DIRECT).unwrap();
        bring(&source, &before, &mirror, &DIRECT).unwrap();
        pair.sh("cd clone && git reset -q --hard HEAD~1 && git commit -q --allow-empty -m other && git push -q -f origin main 2>/dev/null");
        let after = tips(&source, &DIRECT).unwrap();
        bring(&source, &after, &mirror, &DIRECT).unwrap();
        let new = commits_since(&mirror, "main", &after["main"], before.values(), 9).unwrap();
        assert_eq!(subjects(&new), ["other"]);
    }

    #[test]
    fn names_that_are_no_text_or_no_branch_are_left_out() {
        let id = "a".repeat(40);
        let of = |name: &[u8]| tip(&[id.as_bytes(), b"\trefs/heads/", name].concat());
        assert_eq!(of(b"main"), Ok(Some(("main".to_owned(), id.clone()))));
        assert_eq!(of("caf\u{e9}".as_bytes()).unwrap().unwrap().0, "caf\u{e9}");
        assert_eq!(of(b"caf\xe9"), Err("refs/heads/caf\u{fffd}".to_owned()));
        for name in ["HEAD", "-x", "a.lock", "a.lock/b", "a/.b", "a//b", "a b"] {
            assert_eq!(of(name.as_bytes()), Ok(None), "{name}");
        }
        assert_eq!(tip(b""), Ok(None));
    }

    #[test]
    fn an_empty_repository_has_no_tips_and_a_missing_one_says_so() {
        let pair = Pair::new();
        assert!(tips(&pair.source(), &DIRECT).unwrap().is_empty());
        let gone = locate("file:///nowhere/at/all.git").unwrap();
        assert!(tips(&gone, &DIRECT).is_err());
    }
}
