//! Mirrors: bare repositories under `repos/`, one per project, from which runs check out.

mod bare;

use std::path::Path;
use std::time::Duration;

pub(super) use bare::{keep, kept, update};

use super::VcsError;
use super::git::{Network, git, run};
use super::source::{LOCAL, Place, Source, is_branch_name, locate};

/// Time for a question to a remote.
pub(super) const ASK: Duration = Duration::from_secs(60);
/// Branches named in an error at most.
const KNOWN_MAX: usize = 8;
/// The name in the mirror of what is checked out, or the remote's HEAD, when that is no branch.
const DETACHED: &str = "detached";
/// Commit, author and subject, for `git log`; as much of the two as a person reads.
pub(super) const FULL: &str = "--format=%H%x00%<(100,trunc)%an%x00%<(300,trunc)%s";
/// The commit alone: git cuts no text that is not in the encoding that it says it is in, and it may be of any length.
pub(super) const BARE: &str = "--format=%H%x00%x00";

/// A revision, resolved.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Revision {
    /// Full commit id.
    pub id: String,
    /// Branch; empty when none is checked out.
    pub branch: String,
    /// Tag; empty, until tags can be built.
    pub tag: String,
    /// First line of the commit message.
    pub subject: String,
    /// Author's name.
    pub author: String,
}

/// Brings the newest commit of a branch into the mirror (made when it is missing) and says which it is. `branch`:
/// `None` is the one checked out, or the remote's HEAD.
///
/// # Errors
/// See [`VcsError`].
pub fn fetch(
    source: &Source,
    branch: Option<&str>,
    mirror: &Path,
    network: &Network,
) -> Result<Revision, VcsError> {
    if let Some(branch) = branch.filter(|name| !is_branch_name(name)) {
        return Err(VcsError::BranchName {
            name: crate::sanitise::line(branch).into_owned(),
        });
    }
    match &source.place {
        Place::Path { top, on } => from_path(source, top, on.as_deref(), branch, mirror),
        Place::Url(url) => from_url(source, url, branch, mirror, network),
    }
}

fn from_path(
    source: &Source,
    top: &Path,
    checked_out: Option<&str>,
    branch: Option<&str>,
    mirror: &Path,
) -> Result<Revision, VcsError> {
    let on = branch.or(checked_out);
    let wanted = on.map_or_else(
        || "HEAD".to_owned(),
        |branch| format!("refs/heads/{branch}"),
    );
    let Some(mut revision) = describe(top, &wanted)? else {
        return Err(match branch {
            Some(branch) => no_branch(source, top, branch),
            None => VcsError::NoCommit {
                what: source.key.clone(),
            },
        });
    };
    if !kept(mirror, &revision.id) {
        let name = on.unwrap_or(DETACHED);
        let refspec = format!("+{wanted}:refs/heads/{name}");
        update(
            mirror,
            &top.display().to_string(),
            &[&refspec],
            &revision.id,
            &Network::default(),
        )?;
    }
    revision.branch = on.unwrap_or_default().to_owned();
    Ok(revision)
}

fn from_url(
    source: &Source,
    url: &str,
    branch: Option<&str>,
    mirror: &Path,
    network: &Network,
) -> Result<Revision, VcsError> {
    let on = match branch {
        Some(branch) => Some(branch.to_owned()),
        None => head_branch(source, url, network)?,
    };
    let (wanted, name) = match &on {
        Some(branch) => (format!("refs/heads/{branch}"), branch.as_str()),
        None => ("HEAD".to_owned(), DETACHED),
    };
    let refspec = format!("+{wanted}:refs/heads/{name}");
    let result = update(mirror, url, &[&refspec], "", network);
    if let Err(VcsError::Failed { said, .. }) = &result
        && said.contains("couldn't find remote ref")
    {
        return Err(VcsError::NoBranch {
            what: source.key.clone(),
            branch: on.unwrap_or(wanted),
            known: Vec::new(),
        });
    }
    result.map_err(|err| of_remote(source, err))?;
    let revision = describe(mirror, &format!("refs/heads/{name}"))?;
    let mut revision = revision.ok_or_else(|| VcsError::NoCommit {
        what: source.key.clone(),
    })?;
    revision.branch = on.unwrap_or_default();
    keep(mirror, &revision.id)?;
    Ok(revision)
}

/// Names the remote in what git says of it.
pub(super) fn of_remote(source: &Source, err: VcsError) -> VcsError {
    match err {
        VcsError::Failed { said, .. } => VcsError::Remote {
            remote: source.key.clone(),
            said,
        },
        err => err,
    }
}

/// The branch a remote's HEAD stands for; `None` when that is a commit.
fn head_branch(source: &Source, url: &str, network: &Network) -> Result<Option<String>, VcsError> {
    let mut command = git(Path::new("/"));
    network.tell(&mut command);
    command.args(["ls-remote", "--symref", "--", url, "HEAD"]);
    let out = run(command, "ask the remote for its branch", ASK, 64 * 1024)?
        .or_failed("ask the remote for its branch")
        .map_err(|err| of_remote(source, err))?;
    let text = String::from_utf8_lossy(&out);
    let branch = text.lines().find_map(|line| {
        line.strip_prefix("ref: refs/heads/")?
            .split_whitespace()
            .next()
            .map(str::to_owned)
    });
    let is_there = text.lines().any(|line| line.ends_with("\tHEAD"));
    match branch.filter(|name| is_branch_name(name)) {
        None if !is_there => Err(VcsError::NoCommit {
            what: source.key.clone(),
        }),
        branch => Ok(branch),
    }
}

/// Commit, author and subject of a name, in one question; `None` when there is no such commit.
fn describe(repository: &Path, name: &str) -> Result<Option<Revision>, VcsError> {
    let ask = |format: &str| {
        let mut command = git(repository);
        command.args(["log", "-1", "--no-show-signature", "--no-color"]);
        command.args([format, name, "--"]);
        run(command, "read the newest commit", LOCAL, 64 * 1024)
    };
    let said = match ask(FULL) {
        Err(VcsError::TooLong { .. }) => ask(BARE)?,
        said => said?,
    };
    if !said.ok {
        let none = [
            "bad revision",
            "does not have any commits",
            "unknown revision",
            "ambiguous argument",
            "bad object",
        ];
        if none.iter().any(|words| said.err.contains(words)) {
            return Ok(None);
        }
        return Err(VcsError::Failed {
            what: "read the newest commit",
            said: said.err,
        });
    }
    Ok(revision(String::from_utf8_lossy(&said.out).trim_end()))
}

/// A line of what git logs when it is asked for [`FULL`] or [`BARE`]; its branch is left open.
pub(super) fn revision(line: &str) -> Option<Revision> {
    let inert = |text: &str| crate::sanitise::line(text.trim_end()).into_owned();
    let mut parts = line.splitn(3, '\0');
    Some(Revision {
        id: parts.next()?.to_owned(),
        author: inert(parts.next()?),
        subject: inert(parts.next()?),
        ..Revision::default()
    })
}

fn no_branch(source: &Source, top: &Path, branch: &str) -> VcsError {
    let mut command = git(top);
    command.args([
        "for-each-ref",
        "--count=50",
        "--sort=-committerdate",
        "--format=%(refname:short)",
        "refs/heads",
    ]);
    let known = run(command, "list the branches", LOCAL, 64 * 1024)
        .map(|said| said.out)
        .unwrap_or_default();
    let known = String::from_utf8_lossy(&known)
        .lines()
        .take(KNOWN_MAX)
        .map(|name| crate::sanitise::line(name).into_owned())
        .collect();
    VcsError::NoBranch {
        what: source.key.clone(),
        branch: branch.to_owned(),
        known,
    }
}

/// Brings a revision that was built before into the mirror again, unless it is there: mirrors are removed after a while.
///
/// # Errors
/// See [`VcsError`]; when its branch no longer holds it, what git says.
pub fn bring_back(
    revision: &str,
    branch: &str,
    from: &str,
    mirror: &Path,
    network: &Network,
) -> Result<(), VcsError> {
    if kept(mirror, revision) {
        return Ok(());
    }
    let source = locate(from)?;
    // What was built without a branch once had this word for it.
    let branch = Some(branch).filter(|name| !name.is_empty() && *name != "HEAD");
    fetch(&source, branch, mirror, network)?;
    keep(mirror, revision)
}

/// Reads a file of a revision; `None` when it has none.
///
/// # Errors
/// When git fails, or the file is longer than `max` bytes.
pub fn read_file(
    mirror: &Path,
    revision: &str,
    path: &str,
    max: usize,
) -> Result<Option<Vec<u8>>, VcsError> {
    let mut command = git(mirror);
    command.args(["cat-file", "blob", &format!("{revision}:{path}")]);
    let said = match run(command, "read a file of the revision", LOCAL, max) {
        Err(VcsError::TooLong { max, .. }) => {
            return Err(VcsError::TooLong {
                what: format!("`{path}`"),
                max,
            });
        }
        said => said?,
    };
    if said.ok {
        return Ok(Some(said.out));
    }
    let none = [
        "does not exist",
        "exists on disk, but not in",
        "Not a valid object name",
        "not a valid object",
        // It is there, and a folder.
        "bad file",
    ];
    if none.iter().any(|words| said.err.contains(words)) {
        return Ok(None);
    }
    Err(VcsError::Failed {
        what: "read a file of the revision",
        said: said.err,
    })
}

#[cfg(test)]
mod tests {
    use super::super::locate;
    use super::*;

    fn repository() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let sh = |script: &str| {
            let done = std::process::Command::new("sh")
                .args(["-e", "-c", script])
                .current_dir(dir.path())
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
        };
        sh(
            "git init -q -b main . && echo one > file && git add . && git commit -q -m 'first commit'",
        );
        sh(
            "git checkout -q -b feature/x && echo two > file && git commit -q -a -m second && git checkout -q main",
        );
        dir
    }

    #[test]
    fn the_committed_head_comes_into_the_mirror() {
        let (repo, data) = (repository(), tempfile::tempdir().unwrap());
        let mirror = data.path().join("repos/m.git");
        let source = locate(&repo.path().display().to_string()).unwrap();
        assert_eq!(source.org, "local");
        let main = fetch(&source, None, &mirror, &Network::default()).unwrap();
        assert_eq!(
            (main.branch.as_str(), main.subject.as_str()),
            ("main", "first commit")
        );
        assert_eq!(
            read_file(&mirror, &main.id, "file", 100).unwrap().unwrap(),
            b"one\n"
        );
        assert_eq!(read_file(&mirror, &main.id, "none", 100).unwrap(), None);
        let feature = fetch(&source, Some("feature/x"), &mirror, &Network::default()).unwrap();
        assert_eq!(
            read_file(&mirror, &feature.id, "file", 100)
                .unwrap()
                .unwrap(),
            b"two\n"
        );
        assert_eq!(
            fetch(&source, None, &mirror, &Network::default()).unwrap(),
            main,
            "a second time costs nothing and answers the same"
        );
    }

    #[test]
    fn a_url_is_fetched_like_a_path() {
        let (repo, data) = (repository(), tempfile::tempdir().unwrap());
        let source = locate(&format!("file://{}", repo.path().display())).unwrap();
        let revision = fetch(
            &source,
            None,
            &data.path().join("m.git"),
            &Network::default(),
        )
        .unwrap();
        assert_eq!(revision.branch, "main");
    }

    #[test]
    fn a_branch_that_is_not_there_names_those_that_are() {
        let (repo, data) = (repository(), tempfile::tempdir().unwrap());
        let source = locate(&repo.path().display().to_string()).unwrap();
        let err = fetch(
            &source,
            Some("mian"),
            &data.path().join("m.git"),
            &Network::default(),
        )
        .unwrap_err();
        assert!(
            matches!(&err, VcsError::NoBranch { known, .. } if known.contains(&"main".to_owned())),
            "{err}"
        );
        let err = fetch(
            &source,
            Some("--upload-pack=x"),
            &data.path().join("m.git"),
            &Network::default(),
        )
        .unwrap_err();
        assert!(matches!(err, VcsError::BranchName { .. }), "{err}");
    }

    fn sh(dir: &Path, script: &str) {
        let done = std::process::Command::new("sh")
            .args(["-ec", script])
            .current_dir(dir)
            .env("GIT_AUTHOR_NAME", "Ann")
            .env("GIT_AUTHOR_EMAIL", "ann@example.com")
            .env("GIT_COMMITTER_NAME", "Ann")
            .env("GIT_COMMITTER_EMAIL", "ann@example.com")
            .status()
            .unwrap();
        assert!(done.success(), "{script}");
    }

    #[test]
    fn a_commit_that_is_checked_out_has_no_branch() {
        let (repo, data) = (repository(), tempfile::tempdir().unwrap());
        let path = repo.path().display();
        let direct = Network::default();
        // More names than an answer has room for say nothing of which one is checked out.
        sh(
            repo.path(),
            "id=$(git rev-parse HEAD); for n in $(seq 2000); do echo \"create refs/heads/a/name/that/takes/some/room/$n $id\"; done \
             | git update-ref --stdin",
        );
        let main = fetch(
            &locate(&path.to_string()).unwrap(),
            None,
            &data.path().join("0"),
            &direct,
        );
        assert_eq!(main.unwrap().branch, "main");
        sh(repo.path(), "git checkout -q --detach feature/x");
        for (name, source) in [("1", format!("{path}")), ("2", format!("file://{path}"))] {
            let (mirror, source) = (data.path().join(name), locate(&source).unwrap());
            let found = fetch(&source, None, &mirror, &direct).unwrap();
            assert_eq!((&*found.branch, &*found.subject), ("", "second"));
            assert!(kept(&mirror, &found.id));
            bring_back(&found.id, "", &source.key, &mirror, &direct).unwrap();
        }
    }

    #[test]
    fn a_branch_makes_way_for_another_and_what_it_held_is_kept() {
        let (repo, data) = (repository(), tempfile::tempdir().unwrap());
        let (mirror, direct) = (data.path().join("m.git"), Network::default());
        let source = locate(&format!("file://{}", repo.path().display())).unwrap();
        sh(
            repo.path(),
            "git branch detached/1 main && git branch other main",
        );
        let mut ids = Vec::new();
        for (script, branch) in [
            ("git checkout -q feature/x", "feature/x"),
            (
                "git checkout -q main; git branch -qD feature/x; git branch feature",
                "feature",
            ),
            (
                "git checkout -q -b new; git branch -qD feature; git commit -q --allow-empty -m more; git branch feature/x/y",
                "feature/x/y",
            ),
            (
                "git branch -qD feature/x/y; git branch feature/x",
                "feature/x",
            ),
            ("true", "detached/1"),
            ("true", "other"),
        ] {
            sh(repo.path(), script);
            let found = fetch(&source, Some(branch), &mirror, &direct);
            ids.push(found.unwrap_or_else(|err| panic!("{branch}: {err}")).id);
        }
        sh(repo.path(), "git checkout -q --detach");
        ids.push(fetch(&source, None, &mirror, &direct).unwrap().id);
        for id in ids {
            assert!(kept(&mirror, &id));
            bring_back(&id, "gone", "/nowhere", &mirror, &direct).unwrap();
        }
        assert!(mirror.join("refs/heads/other").is_file());
    }

    #[test]
    fn a_mirror_of_which_only_a_part_was_made_is_made_whole() {
        let (repo, data) = (repository(), tempfile::tempdir().unwrap());
        let source = locate(&repo.path().display().to_string()).unwrap();
        for (name, gone) in [
            ("1", "HEAD config refs objects"),
            ("2", "objects"),
            ("3", "config objects"),
        ] {
            sh(
                data.path(),
                &format!("git init -q --bare {name} && cd {name} && rm -r {gone}"),
            );
            let mirror = data.path().join(name);
            fetch(&source, None, &mirror, &Network::default()).unwrap();
        }
    }

    #[test]
    fn what_a_fetch_that_failed_left_of_a_pack_is_removed() {
        let (repo, data) = (repository(), tempfile::tempdir().unwrap());
        let (mirror, direct) = (data.path().join("m.git"), Network::default());
        let source = locate(&format!("file://{}", repo.path().display())).unwrap();
        let main = fetch(&source, None, &mirror, &direct).unwrap();
        let pack = mirror.join("objects/pack");
        std::fs::create_dir_all(&pack).unwrap();
        std::fs::write(pack.join("tmp_pack_x1"), "half").unwrap();
        std::fs::write(pack.join("other"), "whole").unwrap();
        fetch(&source, Some("none"), &mirror, &direct).unwrap_err();
        assert!(!pack.join("tmp_pack_x1").exists() && pack.join("other").exists());
        assert_eq!(fetch(&source, None, &mirror, &direct).unwrap(), main);
    }

    #[test]
    fn of_a_giant_message_only_the_beginning_is_read() {
        let (repo, data) = (repository(), tempfile::tempdir().unwrap());
        let source = locate(&repo.path().display().to_string()).unwrap();
        let newest = |name: &str| {
            let mirror = data.path().join(name);
            fetch(&source, None, &mirror, &Network::default()).unwrap()
        };
        sh(
            repo.path(),
            "head -c 5000000 /dev/zero | tr '\\0' x > message && git commit -q --allow-empty -F message",
        );
        let cut = newest("1");
        assert_eq!((cut.subject.len(), &*cut.author), (300, "Ann"));
        assert!(cut.subject.ends_with("xx.."), "{}", cut.subject);
        let odd =
            r"{ git cat-file commit HEAD; printf '\351'; } | git hash-object -t commit -w --stdin";
        sh(repo.path(), &format!("git update-ref HEAD $({odd})"));
        assert_eq!(newest("2").subject, "");
    }

    #[test]
    fn a_repository_without_a_commit_says_so() {
        let (repo, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::process::Command::new("git")
            .args(["init", "-q"])
            .current_dir(repo.path())
            .status()
            .unwrap();
        let source = locate(&repo.path().display().to_string()).unwrap();
        let err = fetch(
            &source,
            None,
            &data.path().join("m.git"),
            &Network::default(),
        )
        .unwrap_err();
        assert!(matches!(err, VcsError::NoCommit { .. }), "{err}");
    }
}
