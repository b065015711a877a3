//! What the screens about builds share: the newest passes of a pipeline, its jobs as boxes, counts in words.

use std::time::Duration;

use roundel::api::builds::{
    JobRow, PipelineDetail, PipelineRow, RunState, Status, Usual, WorkflowDetail,
};
use roundel::clock::Timestamp;
use roundel::pipeline::{Problem, Severity};

use crate::console::line::Line;
use crate::console::marks;
use crate::console::now::Now;
use crate::console::text;
use crate::console::theme::Role;
use crate::console::widgets::graph;

/// The newest pass of each workflow, in the order of the file, with its number and how many there were.
pub fn newest(detail: &PipelineDetail) -> Vec<(&WorkflowDetail, usize)> {
    let mut newest: Vec<(&WorkflowDetail, usize)> = Vec::new();
    for workflow in &detail.workflows {
        match newest
            .iter_mut()
            .find(|(known, _)| known.name == workflow.name)
        {
            Some(known) => *known = (workflow, known.1 + 1),
            None => newest.push((workflow, 1)),
        }
    }
    newest
}

/// The job one looks for first: one that failed, else one that runs, waits for approval, or was stopped, else the first.
pub fn foremost(detail: &PipelineDetail) -> Option<&JobRow> {
    let passes = newest(detail);
    let jobs = || passes.iter().flat_map(|(pass, _)| &pass.jobs);
    let failed = |job: &&JobRow| {
        matches!(
            job.status,
            Status::Failed | Status::Timedout | Status::InfrastructureFail | Status::Failing
        )
    };
    let one = |status: Status| jobs().find(|job| job.status == status);
    jobs()
        .find(failed)
        .or_else(|| one(Status::Running))
        .or_else(|| one(Status::OnHold))
        .or_else(|| one(Status::Canceled))
        .or_else(|| jobs().next())
}

/// A workflow's jobs as boxes of a graph.
pub fn boxes(workflow: &WorkflowDetail, now: &Now) -> Vec<graph::Node> {
    let place = |name: &String| workflow.jobs.iter().position(|job| job.name == *name);
    let jobs = workflow
        .jobs
        .iter()
        .enumerate()
        .map(|(i, job)| graph::Node {
            name: job_name(job),
            mark: marks::status(job.status),
            note: note(job, now),
            // A job stands after all it requires; anything else would be a fault of the server, and draws no wire.
            requires: job
                .requires
                .iter()
                .filter_map(place)
                .filter(|required| *required < i)
                .collect(),
        });
    jobs.collect()
}

/// A job's name; where it has several copies and has begun, how many of them have ended.
pub fn job_name(job: &JobRow) -> String {
    if job.parallelism < 2 {
        return job.name.clone();
    }
    let ended = job
        .runs
        .iter()
        .filter(|run| run.state == RunState::Dead)
        .count();
    if job.runs.is_empty() {
        format!("{} ×{}", job.name, job.parallelism)
    } else {
        format!("{} {ended}/{}", job.name, job.parallelism)
    }
}

/// How long it took, or what it does now.
fn note(job: &JobRow, now: &Now) -> String {
    let took = job.started_at.map(|start| now.took(start, job.stopped_at));
    match job.status {
        Status::Queued => job.queued_at.map_or_else(
            || "queued".to_owned(),
            |since| format!("queued {}", now.age(since)),
        ),
        Status::OnHold => job.queued_at.map_or_else(
            || "on hold".to_owned(),
            |since| format!("on hold {}", now.age(since)),
        ),
        Status::Blocked => "waits".to_owned(),
        Status::NotRun => "not run".to_owned(),
        _ if job.reused => "kept".to_owned(),
        Status::Canceled | Status::InfrastructureFail | Status::Timedout => {
            let word = marks::status(job.status).word;
            took.map_or_else(|| word.to_owned(), |took| format!("{word} {took}"))
        }
        _ => {
            let slow = job.runs.iter().find_map(|run| {
                let since = run.placed_at.filter(|_| run.state == RunState::Running);
                longer(run.usual, since, None, now)
            });
            let took = took.unwrap_or_default();
            slow.map_or(took.clone(), |times| format!("{took}, {times} usual"))
        }
    }
}

/// Numbers of jobs by state: `1 failed, 8 passed, 1 running`.
pub fn counts(jobs: &[JobRow]) -> Line {
    let of = |wanted: &[Status]| {
        jobs.iter()
            .filter(|job| wanted.contains(&job.status))
            .count()
    };
    let failed = of(&[
        Status::Failed,
        Status::Timedout,
        Status::InfrastructureFail,
        Status::Errored,
    ]);
    let parts = [
        (failed, Role::Failed, "failed"),
        (of(&[Status::Success]), Role::Muted, "passed"),
        (
            of(&[Status::Running, Status::Failing]),
            Role::Running,
            "running",
        ),
        (of(&[Status::OnHold]), Role::Warning, "on hold"),
        (of(&[Status::Queued]), Role::Waiting, "queued"),
        (of(&[Status::Blocked]), Role::Muted, "to come"),
        (
            of(&[Status::Canceled, Status::NotRun]),
            Role::Muted,
            "not run",
        ),
    ];
    let mut line = Line::new();
    for (n, role, word) in parts.into_iter().filter(|(n, _, _)| *n > 0) {
        line = if line.spans.is_empty() {
            line
        } else {
            line.muted(", ")
        };
        line = if role == Role::Failed {
            line.bold(role, format!("{n} {word}"))
        } else {
            line.put(role, format!("{n} {word}"))
        };
    }
    line
}

/// `1.8×`, where something took or takes that much longer than usual.
pub fn longer(
    usual: Option<Usual>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    now: &Now,
) -> Option<String> {
    let (usual, since) = (usual?, since?);
    let span = until.unwrap_or(now.at()).since(since);
    let ms = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    usual.is_exceeded_by(ms).then(|| text::times(ms, usual.ms))
}

/// State and duration of a pipeline: `▶ running 2m 41s`.
pub fn state(row: &PipelineRow, now: &Now) -> Line {
    let mark = marks::status(row.status);
    let took = row
        .started_at
        .map(|start| format!(" {}", now.took(start, row.stopped_at)))
        .unwrap_or_default();
    let line = Line::new().put(mark.role, format!("{} {}{took}", mark.glyph, mark.word));
    match (
        row.usual,
        longer(row.usual, row.started_at, row.stopped_at, now),
    ) {
        (Some(usual), Some(times)) => {
            let took = text::took(Duration::from_millis(usual.ms));
            line.put(Role::Warning, format!("  {times} its usual {took}"))
                .muted(format!(" (median of {})", usual.of))
        }
        _ => line,
    }
}

/// The name of an actor: `ann` of `uid 1000 (ann)`, else the actor as it is.
pub fn who(actor: &str) -> &str {
    let name = actor
        .split_once('(')
        .and_then(|(_, rest)| rest.strip_suffix(')'));
    name.filter(|_| actor.starts_with("uid ")).unwrap_or(actor)
}

/// Branch or tag, commit and its subject.
pub fn revision(row: &PipelineRow) -> Line {
    let (kind, name) = if row.tag.is_empty() {
        ("", &row.branch)
    } else {
        ("tag ", &row.tag)
    };
    Line::new()
        .muted(kind)
        .text(name.clone())
        .muted(format!(" {}  ", text::revision(&row.revision)))
        .text(row.subject.clone())
}

/// Problems of a config, broken to a width: errors in red, each with its hint.
pub fn problems(problems: &[Problem], width: u16) -> Vec<Line> {
    let mut lines = Vec::new();
    for problem in problems {
        let (role, glyph) = match problem.severity {
            Severity::Error => (Role::Failed, "✗"),
            Severity::Warning => (Role::Warning, "!"),
        };
        let words = text::wrap(&problem.to_string(), width.saturating_sub(3))
            .into_iter()
            .enumerate();
        lines.extend(words.map(|(i, words)| {
            Line::new().put(
                role,
                format!("{} {words}", if i == 0 { glyph } else { " " }),
            )
        }));
        if let Some(hint) = &problem.hint {
            lines.extend(
                text::wrap(hint, width.saturating_sub(3))
                    .into_iter()
                    .map(|words| Line::new().gap(2).muted(words)),
            );
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::verbs::fixtures::pipeline;
    use serde_json::json;

    #[test]
    fn a_build_that_takes_longer_than_usual_says_how_much_longer() {
        let row = |stopped: &str, of: u32| {
            pipeline(
                1,
                json!({
                    "started_at": "2026-11-24T12:00:00Z", "stopped_at": stopped, "usual": {"ms": 60_000, "of": of}
                }),
            )
        };
        let now = Now::new(Timestamp(0), true);
        for (stopped, of, words) in [
            (
                "2026-11-24T12:01:48Z",
                7,
                "✗ failed 1m 48s  1.8× its usual 1m 00s (median of 7)",
            ),
            (
                "2026-11-24T12:15:00Z",
                3,
                "✗ failed 15m 00s  15× its usual 1m 00s (median of 3)",
            ),
            ("2026-11-24T12:01:20Z", 7, "✗ failed 1m 20s"),
            ("2026-11-24T12:01:48Z", 2, "✗ failed 1m 48s"),
        ] {
            assert_eq!(state(&row(stopped, of), &now).plain(), words);
        }
        let none = pipeline(1, json!({}));
        assert_eq!(longer(none.usual, none.started_at, None, &now), None);
    }
}
