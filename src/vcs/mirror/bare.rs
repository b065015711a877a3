//! The bare repository of a mirror: made, fetched into by one at a time, and kept such that a fetch can go well.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};

use crate::vcs::VcsError;
use crate::vcs::git::{Network, git, run};
use crate::vcs::source::LOCAL;

/// Time for a fetch over the network.
const FETCH: Duration = Duration::from_secs(600);
/// Most bytes of the names of all branches that a mirror ever had.
const NAMES_MAX: usize = 32 * 1024 * 1024;

/// Whether [`keep`] has kept a commit. A name that was packed away counts as missing, and is fetched and kept again.
pub(in crate::vcs) fn kept(mirror: &Path, id: &str) -> bool {
    mirror.join("refs/roundel").join(id).is_file()
}

/// Fetches into the mirror, one at a time; `id`, unless empty, too, and it is kept from ever being collected.
pub(in crate::vcs) fn update(
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
    if !is_whole(mirror) {
        let mut command = git(parent);
        command
            .args(["init", "--quiet", "--bare", "--"])
            .arg(mirror);
        run(command, "make a mirror", LOCAL, 1024)?.or_failed("make a mirror")?;
    }
    // The commit by its id: its branch may have moved on.
    let kept = (!id.is_empty()).then(|| format!("+{id}:refs/roundel/{id}"));
    let fetch = || -> Result<(), VcsError> {
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
            .args(refspecs)
            .args(&kept);
        let what = "fetch into the mirror";
        let fetched = run(command, what, FETCH, 64 * 1024).and_then(|said| said.or_failed(what));
        fetched.map(drop).inspect_err(|_| sweep(mirror))
    };
    match fetch() {
        Err(VcsError::Failed { .. }) if make_way(mirror, refspecs)? => fetch(),
        fetched => fetched,
    }
}

/// A name of its own keeps a commit that is to be built when its branch moves on.
pub(in crate::vcs) fn keep(mirror: &Path, id: &str) -> Result<(), VcsError> {
    if kept(mirror, id) {
        return Ok(());
    }
    let mut command = git(mirror);
    command.args(["update-ref", &format!("refs/roundel/{id}"), id]);
    run(command, "keep a commit in the mirror", LOCAL, 1024)?
        .or_failed("keep a commit in the mirror")?;
    Ok(())
}

/// Whether all is there that a fetch cannot do without: `git init` may have been cut off, and makes what is missing when it is
/// done again.
fn is_whole(mirror: &Path) -> bool {
    ["refs", "HEAD", "config", "objects"]
        .iter()
        .all(|name| mirror.join(name).exists())
}

/// Removes the branches that leave these no room: where `fix` was, `fix/2` cannot be, nor the other way round. Commits that
/// are to be built have names of their own. Whether there were any.
fn make_way(mirror: &Path, refspecs: &[&str]) -> Result<bool, VcsError> {
    let mut command = git(mirror);
    command.args(["for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads"]);
    let what = "list the branches of the mirror";
    let out = run(command, what, LOCAL, NAMES_MAX)?.or_failed(what)?;
    let there = String::from_utf8_lossy(&out);
    let wanted: HashSet<&str> = refspecs
        .iter()
        .filter_map(|refspec| Some(refspec.split_once(":refs/heads/")?.1))
        .collect();
    let parents: HashSet<&str> = wanted.iter().copied().flat_map(parents_of).collect();
    let in_the_way = |name: &&str| {
        parents.contains(name) || parents_of(name).any(|parent| wanted.contains(parent))
    };
    let mut found = false;
    for name in there.lines().filter(in_the_way) {
        let mut command = git(mirror);
        command.args(["update-ref", "-d", &format!("refs/heads/{name}")]);
        let what = "remove a branch of the mirror that leaves another no room";
        run(command, what, LOCAL, 1024)?.or_failed(what)?;
        found = true;
    }
    Ok(found)
}

/// `a` and `a/b` of `a/b/c`.
fn parents_of(name: &str) -> impl Iterator<Item = &str> {
    name.match_indices('/').map(|(at, _)| &name[..at])
}

/// Removes what a fetch left behind that was cut off: nobody else writes packs while the mirror is locked.
fn sweep(mirror: &Path) {
    let pack = mirror.join("objects/pack");
    for entry in fs::read_dir(pack).into_iter().flatten().flatten() {
        if entry.file_name().as_encoded_bytes().starts_with(b"tmp_") {
            // Why it cannot be removed, the next fetch will say.
            let _ = fs::remove_file(entry.path());
        }
    }
}
