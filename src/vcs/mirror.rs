//! Mirrors: bare repositories under `repos/`, one per project, from which runs check out.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};

use super::VcsError;
use super::git::{Network, git, run};
use super::source::{LOCAL, Place, Source, locate};

/// Time for a fetch over the network.
pub(super) const FETCH: Duration = Duration::from_secs(600);
/// Branches named in an error at most.
const KNOWN_MAX: usize = 8;

/// A revision, resolved.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Revision {
    /// Full commit id.
    pub id: String,
    /// Branch; `HEAD` when none is checked out.
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
        Place::Path(top) => from_path(source, top, branch, mirror),
        Place::Url(url) => from_url(source, url, branch, mirror, network),
    }
}

/// The rules of `git check-ref-format` that matter here.
pub(super) fn is_branch_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(['-', '/', '.'])
        && !name.ends_with(['/', '.'])
        && !name.contains("..")
        && !name.contains("@{")
        && !name.contains("//")
        && !name
            .chars()
            .any(|c| c.is_control() || " ~^:?*[\\".contains(c))
}

fn from_path(
    source: &Source,
    top: &Path,
    branch: Option<&str>,
    mirror: &Path,
) -> Result<Revision, VcsError> {
    let wanted = branch.map_or_else(
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
    if let Some(branch) = branch {
        branch.clone_into(&mut revision.branch);
    }
    if !kept(mirror, &revision.id) {
        let name = if revision.branch == "HEAD" {
            "detached"
        } else {
            &revision.branch
        };
        let refspec = format!("+{wanted}:refs/heads/{name}");
        update(
            mirror,
            &top.display().to_string(),
            &[&refspec],
            &revision.id,
            &Network::default(),
        )?;
    }
    Ok(revision)
}

fn from_url(
    source: &Source,
    url: &str,
    branch: Option<&str>,
    mirror: &Path,
    network: &Network,
) -> Result<Revision, VcsError> {
    let branch = match branch {
        Some(branch) => branch.to_owned(),
        None => head_branch(source, url, network)?,
    };
    let refspec = format!("+refs/heads/{branch}:refs/heads/{branch}");
    let result = update(mirror, url, &[&refspec], "", network);
    if let Err(VcsError::Failed { said, .. }) = &result
        && said.contains("couldn't find remote ref")
    {
        return Err(VcsError::NoBranch {
            what: source.key.clone(),
            branch,
            known: Vec::new(),
        });
    }
    result.map_err(|err| of_remote(source, err))?;
    let revision = describe(mirror, &format!("refs/heads/{branch}"))?;
    let mut revision = revision.ok_or_else(|| VcsError::NoCommit {
        what: source.key.clone(),
    })?;
    revision.branch = branch;
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

/// The branch a remote's HEAD stands for.
fn head_branch(source: &Source, url: &str, network: &Network) -> Result<String, VcsError> {
    let mut command = git(Path::new("/"));
    network.tell(&mut command);
    command.args(["ls-remote", "--symref", "--", url, "HEAD"]);
    let out = run(command, "ask the remote for its branch", FETCH, 64 * 1024)?
        .or_failed("ask the remote for its branch")
        .map_err(|err| of_remote(source, err))?;
    let text = String::from_utf8_lossy(&out);
    text.lines()
        .find_map(|line| {
            line.strip_prefix("ref: refs/heads/")?
                .split_whitespace()
                .next()
                .map(str::to_owned)
        })
        .filter(|name| is_branch_name(name))
        .ok_or_else(|| VcsError::NoCommit {
            what: source.key.clone(),
        })
}

/// Commit, branch, author and subject of a name, in one question; `None` when there is no such commit.
fn describe(repository: &Path, name: &str) -> Result<Option<Revision>, VcsError> {
    let mut command = git(repository);
    command.args([
        "log",
        "-1",
        "--no-show-signature",
        "--no-color",
        "--decorate=full",
    ]);
    command.args(["--format=%H%x00%D%x00%an%x00%s", name, "--"]);
    let said = run(command, "read the newest commit", LOCAL, 64 * 1024)?;
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
    let text = String::from_utf8_lossy(&said.out);
    let mut parts = text.trim_end_matches('\n').splitn(4, '\0');
    let mut next = || parts.next().unwrap_or_default().to_owned();
    let (id, decorations, author, subject) = (next(), next(), next(), next());
    let branch = decorations
        .split(", ")
        .find_map(|name| name.strip_prefix("HEAD -> refs/heads/"))
        .unwrap_or("HEAD")
        .to_owned();
    let inert = |text: String| crate::sanitise::line(&text).into_owned();
    Ok(Some(Revision {
        id,
        branch,
        tag: String::new(),
        subject: inert(subject),
        author: inert(author),
    }))
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

/// Whether [`keep`] has kept a commit. A name that was packed away counts as missing, and is fetched and kept again.
pub(super) fn kept(mirror: &Path, id: &str) -> bool {
    mirror.join("refs/roundel").join(id).is_file()
}

/// Fetches into the mirror, one at a time; `id`, unless empty, is kept from ever being collected.
pub(super) fn update(
    mirror: &Path,
    from: &str,
    refspecs: &[&str],
    id: &str,
    network: &Network,
) -> Result<(), VcsError> {
    let failed = |source| VcsError::Mirror {
        path: mirror.to_owned(),
        source,
    };
    let parent = mirror.parent().unwrap_or(mirror);
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(parent)
        .map_err(failed)?;
    let lock: File = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(mirror.with_extension("lock"))
        .map_err(failed)?;
    flock(&lock, FlockOperation::LockExclusive).map_err(|err| failed(err.into()))?;
    if !mirror.join("HEAD").exists() {
        let mut command = git(parent);
        command
            .args(["init", "--quiet", "--bare", "--"])
            .arg(mirror);
        run(command, "make a mirror", LOCAL, 1024)?.or_failed("make a mirror")?;
    }
    let mut command = git(mirror);
    network.tell(&mut command);
    command
        .args([
            "fetch",
            "--quiet",
            "--no-tags",
            "--no-write-fetch-head",
            "--",
            from,
        ])
        .args(refspecs);
    run(command, "fetch into the mirror", FETCH, 64 * 1024)?.or_failed("fetch into the mirror")?;
    if id.is_empty() {
        Ok(())
    } else {
        keep(mirror, id)
    }
}

/// A name of its own keeps a commit that is to be built when its branch moves on.
pub(super) fn keep(mirror: &Path, id: &str) -> Result<(), VcsError> {
    if kept(mirror, id) {
        return Ok(());
    }
    let mut command = git(mirror);
    command.args(["update-ref", &format!("refs/roundel/{id}"), id]);
    run(command, "keep a commit in the mirror", LOCAL, 1024)?
        .or_failed("keep a commit in the mirror")?;
    Ok(())
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
