//! What was learnt of repositories on this machine: a revision that was built before is built again without asking git.
//!
//! Git is asked five questions for a build, which costs more than all the rest of taking one in. Their answers depend
//! on a few small files: HEAD, the branch it names, and the repository's settings. While those say the same, and the
//! mirror keeps the commit, the answers are the same. Whatever is not of the plainest form is always asked for anew.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::mirror::{self, Revision, kept};
use super::source::{Place, Source, locate};
use super::{VcsError, fetch};

/// Repositories and branches remembered at most.
const ENTRIES_MAX: usize = 64;
/// Longest file remembered; with [`ENTRIES_MAX`] this bounds the memory to 8 MiB.
const FILE_MAX: usize = 128 * 1024;
/// Longest settings read; longer ones are git's business.
const SETTINGS_MAX: usize = 64 * 1024;

/// A revision with one of its files.
#[derive(Clone, Debug)]
pub struct Found {
    /// The repository.
    pub source: Source,
    /// The revision, which is in the mirror.
    pub revision: Revision,
    /// The file; `None` when the revision has none.
    pub file: Option<Arc<[u8]>>,
}

/// What was learnt. Every method blocks.
#[derive(Debug, Default)]
pub struct Known {
    entries: Mutex<HashMap<Asked, Entry>>,
}

/// Source, branch, and path of the file.
type Asked = (String, Option<String>, String);

#[derive(Debug)]
struct Entry {
    stamp: Stamp,
    mirror: PathBuf,
    found: Found,
}

/// What the answers depend on.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Stamp {
    /// HEAD as it stands there: which branch is checked out.
    head: String,
    commit: String,
    settings: Vec<u8>,
}

impl Known {
    /// Brings the newest commit of a branch into the mirror and reads a file of it, as [`fetch`] and
    /// [`super::read_file`] do. `mirror` gives the path of a project's mirror by the project's key.
    ///
    /// # Errors
    /// See [`VcsError`].
    pub fn find(
        &self,
        source: &str,
        branch: Option<&str>,
        path: &str,
        max: usize,
        mirror: impl Fn(&str) -> PathBuf,
    ) -> Result<Found, VcsError> {
        let asked = (
            source.to_owned(),
            branch.map(str::to_owned),
            path.to_owned(),
        );
        // Taken before git is asked: when the repository changes meanwhile, its commit is not that of the answer.
        let stamp = Stamp::of(source, branch);
        if let Some(stamp) = &stamp
            && let Some(found) = self.recall(&asked, stamp)
        {
            return Ok(found);
        }
        let source = locate(source)?;
        let mirror = mirror(&source.key);
        let revision = fetch(&source, branch, &mirror)?;
        let file = mirror::read_file(&mirror, &revision.id, path, max)?;
        let found = Found {
            source,
            revision,
            file: file.map(Arc::from),
        };
        if let Some(stamp) = stamp.filter(|stamp| worth_keeping(stamp, &found)) {
            let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
            if entries.len() >= ENTRIES_MAX {
                entries.clear();
            }
            let found = found.clone();
            let entry = Entry {
                stamp,
                mirror,
                found,
            };
            entries.insert(asked, entry);
        }
        Ok(found)
    }

    fn recall(&self, asked: &Asked, stamp: &Stamp) -> Option<Found> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = entries.get(asked).filter(|entry| entry.stamp == *stamp)?;
        kept(&entry.mirror, &entry.found.revision.id).then(|| entry.found.clone())
    }
}

fn worth_keeping(stamp: &Stamp, found: &Found) -> bool {
    matches!(found.source.place, Place::Path(_))
        && found.revision.id == stamp.commit
        && found
            .file
            .as_ref()
            .is_some_and(|file| file.len() <= FILE_MAX)
}

impl Stamp {
    /// Of a repository on this machine; `None` when it is not of the plainest form.
    fn of(source: &str, branch: Option<&str>) -> Option<Self> {
        let top = Path::new(source);
        if !top.is_absolute() {
            return None;
        }
        let inside = top.join(".git");
        let directory = if inside.is_dir() {
            inside
        } else {
            top.to_owned()
        };
        // A linked work tree shares what lies elsewhere, and other storages of names are git's business.
        if !directory.join("objects").is_dir()
            || directory.join("commondir").exists()
            || directory.join("reftable").exists()
        {
            return None;
        }
        let settings = fs::read(directory.join("config")).ok()?;
        let includes = settings
            .windows(8)
            .any(|word| word.eq_ignore_ascii_case(b"[include"));
        if settings.len() > SETTINGS_MAX || includes {
            return None;
        }
        let head = fs::read_to_string(directory.join("HEAD")).ok()?;
        let wanted = match branch {
            Some(branch) => format!("refs/heads/{branch}"),
            None => match head.trim_end().strip_prefix("ref: ") {
                Some(name) => name.to_owned(),
                None => {
                    let commit = commit_id(&head)?;
                    return Some(Self {
                        head,
                        commit,
                        settings,
                    });
                }
            },
        };
        let plain = wanted.starts_with("refs/heads/")
            && !wanted
                .split('/')
                .any(|part| part.is_empty() || part.starts_with('.'));
        let commit = plain.then(|| branch_commit(&directory, &wanted))??;
        Some(Self {
            head,
            commit,
            settings,
        })
    }
}

/// The commit of a branch: from a file of its own, else from the packed ones.
fn branch_commit(directory: &Path, name: &str) -> Option<String> {
    match fs::read_to_string(directory.join(name)) {
        Ok(text) => commit_id(&text),
        Err(err) if err.kind() == std::io::ErrorKind::NotFound => {
            let packed = fs::read_to_string(directory.join("packed-refs")).ok()?;
            packed.lines().find_map(|line| {
                let (id, found) = line.split_once(' ')?;
                (found == name).then(|| commit_id(id))?
            })
        }
        Err(_) => None,
    }
}

fn commit_id(text: &str) -> Option<String> {
    let id = text.trim_end();
    let whole = matches!(id.len(), 40 | 64) && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    whole.then(|| id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Place {
        dir: tempfile::TempDir,
        known: Known,
    }

    impl Place {
        fn new() -> Self {
            let place = Self {
                dir: tempfile::tempdir().unwrap(),
                known: Known::default(),
            };
            fs::create_dir(place.repository()).unwrap();
            place.sh(
                "git init -q -b main . && echo one > file && git add . && git commit -q -m first",
            );
            place
        }

        fn repository(&self) -> PathBuf {
            self.dir.path().join("web")
        }

        fn sh(&self, script: &str) {
            let done = std::process::Command::new("sh")
                .args(["-e", "-c", script])
                .current_dir(self.repository())
                .env("GIT_AUTHOR_NAME", "Ann")
                .env("GIT_AUTHOR_EMAIL", "ann@example.com")
                .env("GIT_COMMITTER_NAME", "Ann")
                .env("GIT_COMMITTER_EMAIL", "ann@example.com")
                .status()
                .unwrap();
            assert!(done.success(), "{script}");
        }

        /// What is found, and whether it was known before.
        fn find(&self, branch: Option<&str>) -> (Found, bool) {
            let source = self.repository().display().to_string();
            let asked = (source.clone(), branch.map(str::to_owned), "file".to_owned());
            let known = Stamp::of(&source, branch)
                .is_some_and(|stamp| self.known.recall(&asked, &stamp).is_some());
            let mirror = |_: &str| self.dir.path().join("mirror.git");
            let found = self
                .known
                .find(&source, branch, "file", 1000, mirror)
                .unwrap();
            (found, known)
        }

        fn text(&self, branch: Option<&str>) -> (String, bool) {
            let (found, known) = self.find(branch);
            (
                String::from_utf8(found.file.unwrap().to_vec()).unwrap(),
                known,
            )
        }
    }

    #[test]
    fn what_did_not_change_is_known_and_every_change_is_noticed() {
        let place = Place::new();
        let is = |text: &str, known| (format!("{text}\n"), known);
        assert_eq!(place.text(None), is("one", false));
        assert_eq!(place.text(None), is("one", true));
        place.sh("echo two > file && git commit -q -a -m second");
        assert_eq!(place.text(None), is("two", false));
        assert_eq!(place.text(None), is("two", true));
        place.sh("git checkout -q -b other && echo three > file && git commit -q -a -m third");
        assert_eq!(place.text(None), is("three", false));
        assert_eq!(place.text(Some("main")), is("two", false));
        assert_eq!(place.text(Some("main")), is("two", true));
        place.sh("git pack-refs --all");
        assert_eq!(place.text(None), is("three", true), "the same, elsewhere");
        place.sh("git checkout -q --detach");
        let (found, known) = place.find(None);
        assert_eq!((found.revision.branch.as_str(), known), ("HEAD", false));
        place.sh("git reset -q --hard main");
        assert_eq!(place.text(None), is("two", false));
        assert_eq!(place.text(None), is("two", true));
    }

    #[test]
    fn another_origin_is_another_project_and_a_lost_mirror_is_made_again() {
        let place = Place::new();
        assert_eq!(place.find(None).0.source.org, "local");
        assert!(place.find(None).1);
        place.sh("git remote add origin https://git.example.com/acme/web.git");
        assert_eq!(place.find(None).0.source.org, "acme");
        fs::remove_dir_all(place.dir.path().join("mirror.git")).unwrap();
        let (found, known) = place.find(None);
        assert!(!known);
        assert!(kept(
            &place.dir.path().join("mirror.git"),
            &found.revision.id
        ));
    }

    #[test]
    fn what_is_not_plain_is_asked_for_each_time() {
        let place = Place::new();
        place.sh("git worktree add -q ../linked && git config include.path /nowhere");
        let linked = place.dir.path().join("linked").display().to_string();
        assert_eq!(Stamp::of(&linked, None), None);
        let source = place.repository().display().to_string();
        assert_eq!(
            Stamp::of(&source, None),
            None,
            "its settings include others"
        );
        assert_eq!(Stamp::of("https://git.example.com/acme/web", None), None);
    }

    #[test]
    fn a_branch_is_no_way_out_of_the_repository() {
        let place = Place::new();
        let source = place.repository().display().to_string();
        assert_eq!(Stamp::of(&source, Some("../../HEAD")), None);
        assert_eq!(Stamp::of(&source, Some("none")), None);
    }
}
