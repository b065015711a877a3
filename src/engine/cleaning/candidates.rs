//! What may go, by kind, and where its files are. Here stand the rules of what is never removed.

use std::collections::HashSet;
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::clock::Timestamp;
use crate::cluster::embedded::mirror_path;
use crate::cluster::{Fleet, LeftOver};
use crate::error::Chain;
use crate::ids::{AttemptId, PipelineId};
use crate::settings::keep::{Keep, Kept};
use crate::storage::logs::LogStore;
use crate::storage::trees;
use crate::store::{ReadPool, StoreError};
use crate::vcs;

/// Something that may go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Its kind.
    pub kind: Kept,
    /// What people know it by.
    pub name: String,
    /// Since when nobody needs it.
    pub since: Timestamp,
    pub(super) what: What,
}

/// What is removed for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// A build, and the logs of its attempts.
    Build(PipelineId, Vec<AttemptId>),
    /// The logs of a run that stays.
    Log(AttemptId),
    /// Logs that nobody can ask for: a server was killed before it had removed them.
    Orphan(AttemptId),
    /// Files of an attempt that is over.
    LeftOver(LeftOver),
    /// A mirror.
    Mirror(PathBuf),
}

/// Knows where everything lies.
pub(in crate::engine) struct Finder {
    pub store: ReadPool,
    pub logs: LogStore,
    pub data: PathBuf,
    pub fleet: Arc<dyn Fleet>,
}

impl std::fmt::Debug for Finder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Finder")
            .field("data", &self.data)
            .finish_non_exhaustive()
    }
}

impl Finder {
    /// What may go of a kind, oldest first: `most` builds or logs of runs, and all of what only has files.
    pub(in crate::engine) fn find(
        &self,
        kind: Kept,
        keep: &Keep,
        now: Timestamp,
        most: u32,
    ) -> Result<Vec<Candidate>, StoreError> {
        let before = keep.of(kind).map(|span| ago(now, span));
        match (kind, before) {
            (Kept::Builds, Some(before)) => self.builds(before, most),
            (Kept::Logs, before) => self.logs(before, keep, now, most),
            (Kept::Attempts | Kept::Scratch, Some(before)) => Ok(self.left_overs(kind, before)),
            (Kept::Repos, Some(before)) => self.mirrors(before),
            (_, None) => Ok(Vec::new()),
        }
    }

    /// Bytes that its files take.
    pub(super) fn bytes(&self, one: &Candidate) -> u64 {
        match &one.what {
            What::Build(_, attempts) => attempts.iter().map(|id| self.log_bytes(*id)).sum(),
            What::Log(id) | What::Orphan(id) => self.log_bytes(*id),
            What::LeftOver(left) => trees::bytes(&left.path),
            What::Mirror(path) => trees::bytes(path),
        }
    }

    fn log_bytes(&self, id: AttemptId) -> u64 {
        trees::bytes(&self.data.join("logs").join(id.to_string()))
    }

    /// Removes its files; what is not there any more is removed. False where it is needed again since it was found. Else says
    /// what could not be done.
    pub(in crate::engine) fn remove(&self, one: &Candidate) -> Result<bool, String> {
        let failed = |err: &dyn std::error::Error| {
            format!(
                "{} {} could not be removed: {}",
                one.kind.word(),
                one.name,
                Chain(err)
            )
        };
        let logs = |ids: &[AttemptId]| {
            // Those of a build that was taken up again are kept, and the store knows.
            let free = self.store.without_logs(ids).map_err(|err| failed(&err))?;
            free.iter()
                .try_for_each(|id| self.logs.remove(*id))
                .map_err(|err| failed(&err))?;
            Ok(free.len() == ids.len())
        };
        match &one.what {
            What::Build(_, attempts) => logs(attempts),
            What::Log(id) | What::Orphan(id) => logs(&[*id]),
            What::LeftOver(left) => self
                .fleet
                .clear(left)
                .map(|()| true)
                .map_err(|err| failed(&err)),
            What::Mirror(path) => remove_mirror(path, one.since).map_err(|err| failed(&err)),
        }
    }

    fn builds(&self, before: Timestamp, most: u32) -> Result<Vec<Candidate>, StoreError> {
        let found = self.store.old_builds(before, most)?.into_iter();
        Ok(found
            .map(|build| Candidate {
                kind: Kept::Builds,
                name: format!("{} #{}", build.title, build.number),
                since: build.stopped,
                what: What::Build(build.id, build.attempts),
            })
            .collect())
    }

    /// Logs of runs that are over, and those that no run owns. The latter are looked for also when logs are kept for ever:
    /// those of forgotten builds are among them.
    fn logs(
        &self,
        before: Option<Timestamp>,
        keep: &Keep,
        now: Timestamp,
        most: u32,
    ) -> Result<Vec<Candidate>, StoreError> {
        let mut all: Vec<Candidate> = Vec::new();
        if let Some(before) = before {
            let found = self.store.old_logs(before, most)?.into_iter();
            all.extend(found.map(|run| Candidate {
                kind: Kept::Logs,
                name: run.name,
                since: run.stopped,
                what: What::Log(run.id),
            }));
        }
        let builds = keep.of(Kept::Builds).map(|span| ago(now, span));
        // Where there are as many as were asked for, what nobody knows can wait until they are gone.
        let full = all.len() >= most as usize;
        if let Some(before) = before.max(builds).filter(|_| !full) {
            let there: Vec<AttemptId> = names(&self.data.join("logs"))
                .filter_map(|name| name.parse().ok())
                .filter(|id: &AttemptId| id.made() < before)
                .collect();
            let found = self.store.without_logs(&there)?.into_iter();
            all.extend(found.map(|id| Candidate {
                kind: Kept::Logs,
                name: id.to_string(),
                since: id.made(),
                what: What::Orphan(id),
            }));
        }
        Ok(all)
    }

    fn left_overs(&self, kind: Kept, before: Timestamp) -> Vec<Candidate> {
        let found = self.fleet.left_overs(kind, before).into_iter();
        found
            .map(|left| Candidate {
                kind,
                name: left.attempt.to_string(),
                since: left.attempt.made(),
                what: What::LeftOver(left),
            })
            .collect()
    }

    /// Mirrors of projects of which nothing was built lately, nothing is yet to end, and nothing is watched.
    fn mirrors(&self, before: Timestamp) -> Result<Vec<Candidate>, StoreError> {
        let mut needed: HashSet<PathBuf> = HashSet::new();
        for key in self.store.projects_in_use(before)? {
            needed.insert(mirror_path(&self.data, &key));
        }
        for watch in self.store.watches()? {
            match vcs::locate(&watch.source) {
                Ok(source) => needed.insert(mirror_path(&self.data, &source.key)),
                // Whose mirror it is cannot be told now: another day.
                Err(_) => return Ok(Vec::new()),
            };
        }
        let repos = self.data.join("repos");
        let mut all = Vec::new();
        for name in names(&repos) {
            let path = repos.join(&name);
            let extension = path.extension().and_then(|text| text.to_str());
            let used = match extension {
                Some("git") if !needed.contains(&path) => last_used(&path),
                // Put aside by a pass that was killed.
                Some(GONE) => Some(Timestamp(0)),
                _ => None,
            };
            if let Some(since) = used.filter(|used| *used < before) {
                all.push(Candidate {
                    kind: Kept::Repos,
                    name,
                    since,
                    what: What::Mirror(path),
                });
            }
        }
        all.sort_by_key(|one| one.since);
        Ok(all)
    }
}

/// The moment this long before `now`. What ended in this very moment has been kept for no time at all.
fn ago(now: Timestamp, span_s: u64) -> Timestamp {
    let span_ms = i64::try_from(span_s.saturating_mul(1000)).unwrap_or(i64::MAX);
    Timestamp(now.0.saturating_sub(span_ms))
}

/// Names in a directory; none where there is none.
fn names(path: &Path) -> impl Iterator<Item = String> {
    let entries = fs::read_dir(path).into_iter().flatten();
    entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok())
}

/// When something was last brought into a mirror.
fn last_used(mirror: &Path) -> Option<Timestamp> {
    let time = |path: &Path| fs::metadata(path).ok().map(|meta| meta.mtime());
    let newest = [time(mirror), time(&mirror.join("refs/roundel"))];
    newest
        .into_iter()
        .flatten()
        .max()
        .map(|seconds| Timestamp(seconds.saturating_mul(1000)))
}

/// What a mirror is called from the moment it is no mirror any more.
const GONE: &str = "gone";

/// Removes a mirror, unless something is just being brought into it or was since it was found, which had been used last at
/// `since`. Put aside first: it is there as a whole or not at all.
fn remove_mirror(path: &Path, since: Timestamp) -> std::io::Result<bool> {
    let gone = path.with_extension(GONE);
    if gone != path {
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path.with_extension("lock"))?;
        rustix::fs::flock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive)?;
        if last_used(path).is_some_and(|used| used > since) {
            return Ok(false);
        }
        fs::rename(path, &gone)?;
    }
    trees::remove(&gone).map(|()| true)
}
