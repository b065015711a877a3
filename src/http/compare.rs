//! What a build did differently from the last green one, or from any other.

use std::collections::HashMap;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, Query, State};

use super::error::{Answer, ApiError, blocking};
use super::pipelines::{find_pipeline, newest_of_each_copy};
use super::router::Server;
use super::translate::pipeline_row;
use crate::api::builds::PipelineRow;
use crate::api::compare::{
    Commit, Commits, CompareQuery, Comparison, ConfigLine, JobChange, JobSide,
};
use crate::clock::Timestamp;
use crate::cluster::embedded::mirror_path;
use crate::ids::PipelineId;
use crate::pipeline::JobPlan;
use crate::pipeline::diff;
use crate::pipeline::status::Status;
use crate::store::{JobRecord, PipelineRecord, RunRecord};
use crate::vcs;

/// Commits listed; the rest is a number.
const COMMITS: usize = 50;
/// Lines of the config listed; the rest is a number.
const LINES: usize = 300;
/// A duration moved when it is this share longer or shorter, in percent,
const MOVED_PERCENT: u64 = 25;
/// and by more than this: shorter than a second is noise.
const MOVED_MS: u64 = 1000;

pub(super) async fn read(
    State(server): State<Server>,
    Path(reference): Path<String>,
    Query(query): Query<CompareQuery>,
) -> Answer<Comparison> {
    let seq = server.view.live().seq;
    blocking(move || {
        let id = find_pipeline(&server, &reference)?;
        let build = Side::read(&server, id)?;
        let (with, which) = if query.with.is_empty() {
            last_green(&server, &build)?
        } else {
            let other = find_pipeline(&server, &query.with)?;
            (Some(other), "the one that was asked for".to_owned())
        };
        let Some(with) = with else {
            return Ok(Json(Comparison {
                build: build.row()?,
                with: None,
                which,
                commits: Commits::default(),
                config: Vec::new(),
                config_cut: 0,
                jobs: Vec::new(),
                seq,
            }));
        };
        let with = Side::read(&server, with)?;
        let mut config = config(&with.jobs, &build.jobs);
        let cut = config.len().saturating_sub(LINES);
        config.truncate(LINES);
        Ok::<_, ApiError>(Json(Comparison {
            commits: commits(&server, &with, &build)?,
            config,
            config_cut: cut as u64,
            jobs: jobs(&with.jobs, &build.jobs),
            build: build.row()?,
            with: Some(with.row()?),
            which,
            seq,
        }))
    })
    .await
}

/// A build with the newest pass of each of its workflows.
struct Side {
    record: PipelineRecord,
    counts: Vec<(Status, u32)>,
    workflows: Vec<(String, Status)>,
    jobs: Vec<Job>,
}

struct Job {
    workflow: String,
    record: JobRecord,
    plan: Option<JobPlan>,
    /// The newest run of each copy.
    runs: Vec<RunRecord>,
}

impl Side {
    fn read(server: &Server, id: PipelineId) -> Result<Self, ApiError> {
        let store = &server.view.store;
        let record = store
            .pipeline(id)?
            .ok_or_else(|| ApiError::not_found("pipeline", &id.to_string()))?;
        let (mut workflows, mut jobs) = (Vec::new(), Vec::new());
        for pass in store
            .workflows(id)?
            .into_iter()
            .filter(|pass| !pass.superseded)
        {
            for job in store.jobs(pass.id)? {
                let attempts = store.job_attempts(job.reused_from.unwrap_or(job.id))?;
                jobs.push(Job {
                    workflow: pass.name.clone(),
                    plan: serde_json::from_str(&job.spec).ok(),
                    record: job,
                    runs: newest_of_each_copy(attempts),
                });
            }
            workflows.push((pass.name, pass.status));
        }
        Ok(Self {
            counts: store.job_counts(id)?,
            record,
            workflows,
            jobs,
        })
    }

    fn row(&self) -> Result<PipelineRow, ApiError> {
        Ok(pipeline_row(self.record.clone(), &self.counts))
    }
}

/// The last green build before this one: in the workflow of it that did not end well, if there is one.
fn last_green(server: &Server, build: &Side) -> Result<(Option<PipelineId>, String), ApiError> {
    let bad = |(_, status): &&(String, Status)| *status != Status::Success;
    let workflow = build.workflows.iter().find(bad).or(build.workflows.first());
    let workflow = workflow.map(|(name, _)| name.as_str());
    let found = server.view.store.last_green(build.record.id, workflow)?;
    let on = match (&*build.record.branch, &*build.record.tag) {
        ("", "") => "no branch".to_owned(),
        ("", _) => "a tag".to_owned(),
        (branch, _) => branch.to_owned(),
    };
    let of = workflow.map_or(on.clone(), |name| format!("{on}, workflow {name},"));
    let which = if found.is_some() {
        format!("the last green build of {of} before it")
    } else {
        format!("no build of {of} before it ended green")
    };
    Ok((found, which.trim_end_matches(',').to_owned()))
}

fn commits(server: &Server, old: &Side, new: &Side) -> Result<Commits, ApiError> {
    let unknown = |why: &str| Commits {
        unknown: why.to_owned(),
        ..Commits::default()
    };
    let store = &server.view.store;
    let (Some((key, _)), Some((other, _))) = (
        store.project_of(new.record.id)?,
        store.project_of(old.record.id)?,
    ) else {
        return Ok(unknown("the project is not known"));
    };
    if key != other {
        return Ok(unknown("the two are builds of different projects"));
    }
    let mirror = mirror_path(&server.data, &key);
    let found = vcs::between(&mirror, &old.record.revision, &new.record.revision, COMMITS)?;
    let Some(found) = found else {
        return Ok(unknown(
            "the mirror of the repository no longer has both commits",
        ));
    };
    let rows = found.commits.into_iter().map(|commit| Commit {
        id: commit.id,
        author: commit.author,
        at: Timestamp(commit.at.saturating_mul(1000)),
        subject: commit.subject,
    });
    Ok(Commits {
        rows: rows.collect(),
        total: found.total,
        missing: found.missing,
        unknown: String::new(),
    })
}

/// Both sides of each job, in the order of the build; those that are gone come last.
fn pairs<'a>(old: &'a [Job], new: &'a [Job]) -> Vec<(Option<&'a Job>, Option<&'a Job>)> {
    fn key(job: &Job) -> (&str, &str) {
        (&job.workflow, &job.record.name)
    }
    let mut rest: HashMap<_, &Job> = old.iter().map(|job| (key(job), job)).collect();
    let mut pairs: Vec<_> = new
        .iter()
        .map(|job| (rest.remove(&key(job)), Some(job)))
        .collect();
    let gone = old.iter().filter(|job| rest.contains_key(&key(job)));
    pairs.extend(gone.map(|job| (Some(job), None)));
    pairs
}

fn config(old: &[Job], new: &[Job]) -> Vec<ConfigLine> {
    let plan = |job: Option<&'_ Job>| job.and_then(|job| job.plan.clone());
    pairs(old, new)
        .into_iter()
        .flat_map(|(old, new)| diff::job(plan(old).as_ref(), plan(new).as_ref()))
        .map(|line| ConfigLine {
            sign: line.sign,
            text: line.text,
        })
        .collect()
}

fn jobs(old: &[Job], new: &[Job]) -> Vec<JobChange> {
    let mut changes: Vec<JobChange> = pairs(old, new)
        .into_iter()
        .map(|(old, new)| {
            let (then, now) = (old.map(side), new.map(side));
            let named = new.or(old);
            JobChange {
                workflow: named.map_or(String::new(), |job| job.workflow.clone()),
                name: named.map_or(String::new(), |job| job.record.name.clone()),
                changes: differences(then.as_ref(), now.as_ref()),
                then,
                now,
            }
        })
        .collect();
    changes.sort_by_key(|job| {
        let ended_otherwise =
            job.then.as_ref().map(|side| side.status) != job.now.as_ref().map(|side| side.status);
        (!ended_otherwise, job.changes.is_empty())
    });
    changes
}

fn side(job: &Job) -> JobSide {
    let record = &job.record;
    let mut nodes: Vec<String> = job
        .runs
        .iter()
        .filter_map(|run| run.node_name.clone())
        .collect();
    nodes.sort();
    nodes.dedup();
    let took = record
        .started
        .zip(record.stopped)
        .map(|(start, stop)| stop.since(start));
    JobSide {
        job: record.id.to_string(),
        status: record.status,
        took_ms: took.map(ms),
        nodes,
        cause: job
            .runs
            .iter()
            .find(|run| !run.cause.is_empty())
            .map_or(String::new(), |run| run.cause.clone()),
    }
}

fn ms(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// What differs, in words.
fn differences(then: Option<&JobSide>, now: Option<&JobSide>) -> Vec<String> {
    let (then, now) = match (then, now) {
        (Some(then), Some(now)) => (then, now),
        (None, Some(_)) => return vec!["new in this build".to_owned()],
        (Some(_), None) => return vec!["not in this build".to_owned()],
        (None, None) => return Vec::new(),
    };
    let mut out = Vec::new();
    if then.status != now.status {
        let word = |status: Status| status.word().replace('_', " ");
        let mut words = format!("{}, was {}", word(now.status), word(then.status));
        if !now.cause.is_empty() {
            words.push_str(&format!(": {}", now.cause));
        }
        out.push(words);
    }
    if let (Some(then), Some(now)) = (then.took_ms, now.took_ms) {
        let apart = then.abs_diff(now);
        if apart > MOVED_MS && apart * 100 > then * MOVED_PERCENT {
            let tenths = (now * 10 + then / 2) / then.max(1);
            out.push(format!(
                "took {}.{} times as long",
                tenths / 10,
                tenths % 10
            ));
        }
    }
    if then.nodes != now.nodes && !then.nodes.is_empty() && !now.nodes.is_empty() {
        out.push(format!(
            "ran on {}, then on {}",
            then.nodes.join(" "),
            now.nodes.join(" ")
        ));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(status: Status, took_ms: u64, node: &str, cause: &str) -> JobSide {
        JobSide {
            job: "j".to_owned(),
            status,
            took_ms: Some(took_ms),
            nodes: vec![node.to_owned()],
            cause: cause.to_owned(),
        }
    }

    #[test]
    fn only_what_moved_is_told() {
        let then = side(Status::Success, 60_000, "n1", "");
        for (now, words) in [
            (side(Status::Success, 60_000, "n1", ""), vec![]),
            (side(Status::Success, 70_000, "n1", ""), vec![]),
            (
                side(Status::Success, 108_000, "n1", ""),
                vec!["took 1.8 times as long"],
            ),
            (
                side(Status::Success, 30_000, "n2", ""),
                vec!["took 0.5 times as long", "ran on n1, then on n2"],
            ),
            (
                side(Status::Failed, 60_000, "n1", "step \"test\" exited with 1"),
                vec!["failed, was success: step \"test\" exited with 1"],
            ),
        ] {
            assert_eq!(differences(Some(&then), Some(&now)), words, "{now:?}");
        }
        // Half a second more is noise, however short it was.
        let short = side(Status::Success, 100, "n1", "");
        let longer = side(Status::Success, 600, "n1", "");
        assert_eq!(differences(Some(&short), Some(&longer)), [""; 0]);
        assert_eq!(differences(None, Some(&then)), ["new in this build"]);
        assert_eq!(differences(Some(&then), None), ["not in this build"]);
    }
}
