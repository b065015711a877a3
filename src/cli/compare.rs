//! `compare`: what a build did differently from the last green one, or from another.

use std::io::{self, Write};

use roundel::api::builds::PipelineRow;
use roundel::api::compare::{Comparison, JobSide};
use roundel::sanitise::line;

use super::context::Context;
use super::{End, Failure};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The build: its id, a unique beginning of it, or project#number
    id: String,
    /// The one to compare with [default: the last green one before it, of the same project, branch and workflow]
    with: Option<String>,
}

pub(super) async fn run(args: &Args, context: &mut Context<'_>) -> Result<End, Failure> {
    let client = context.connect().await?;
    let with = args.with.as_deref().unwrap_or_default();
    let comparison = client.compare(&args.id, with).await?;
    if context.json {
        context.print_json(&comparison)?;
    } else {
        print(&comparison, context.out)?;
    }
    Ok(End::Ok)
}

fn name(row: &PipelineRow) -> String {
    let on = if row.tag.is_empty() {
        &row.branch
    } else {
        &row.tag
    };
    let revision = row.revision.get(..7).unwrap_or(&row.revision);
    format!("{} #{} ({on} at {revision})", row.project, row.number)
}

fn print(comparison: &Comparison, out: &mut dyn Write) -> io::Result<()> {
    let build = &comparison.build;
    writeln!(
        out,
        "{}: {}",
        name(build),
        build.status.word().replace('_', " ")
    )?;
    let Some(with) = &comparison.with else {
        return writeln!(
            out,
            "There is nothing to compare it with: {}.",
            line(&comparison.which)
        );
    };
    writeln!(
        out,
        "Compared with {}: {}.",
        name(with),
        line(&comparison.which)
    )?;
    writeln!(out, "\nJobs")?;
    let changed: Vec<_> = comparison
        .jobs
        .iter()
        .filter(|job| !job.changes.is_empty())
        .collect();
    for job in &changed {
        let took = |side: &Option<JobSide>| {
            let ms = side.as_ref().and_then(|side| side.took_ms);
            ms.map_or("-".to_owned(), |ms| {
                format!("{}.{} s", ms / 1000, ms % 1000 / 100)
            })
        };
        writeln!(
            out,
            "  {}: {} ({}, then {})",
            line(&job.name),
            line(&job.changes.join("; ")),
            took(&job.now),
            took(&job.then),
        )?;
    }
    let same = comparison.jobs.len() - changed.len();
    if same > 0 {
        let noun = if same == 1 { "job" } else { "jobs" };
        writeln!(out, "  {same} {noun} as before")?;
    }
    let commits = &comparison.commits;
    writeln!(out, "\nCommits")?;
    if !commits.unknown.is_empty() {
        writeln!(out, "  not known: {}", commits.unknown)?;
    } else if commits.total == 0 && commits.missing == 0 {
        writeln!(out, "  none: both are of the same commit")?;
    }
    for commit in &commits.rows {
        let id = commit.id.get(..7).unwrap_or(&commit.id);
        writeln!(
            out,
            "  {id}  {}  ({})",
            line(&commit.subject),
            line(&commit.author)
        )?;
    }
    let more = commits.total.saturating_sub(commits.rows.len() as u64);
    if more > 0 {
        writeln!(out, "  and {more} more")?;
    }
    if commits.missing > 0 {
        writeln!(out, "  {} that only the other one has", commits.missing)?;
    }
    writeln!(out, "\nConfig, as compiled")?;
    if comparison.config.is_empty() {
        writeln!(out, "  the same")?;
    }
    for changed in &comparison.config {
        writeln!(out, "{} {}", changed.sign, line(&changed.text))?;
    }
    if comparison.config_cut > 0 {
        writeln!(out, "  and {} more lines", comparison.config_cut)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::status::fixtures;
    use roundel::api::builds::Status;
    use roundel::api::compare::{Commit, Commits, ConfigLine, JobChange};

    fn comparison() -> Comparison {
        let row = fixtures::pipeline_detail(Status::Failed, &fixtures::failed_run()).row;
        let side = |status, took_ms| {
            Some(JobSide {
                job: "j".to_owned(),
                status,
                took_ms: Some(took_ms),
                nodes: vec!["n1".to_owned()],
                cause: String::new(),
            })
        };
        Comparison {
            with: Some(row.clone()),
            build: row,
            which: "the last green build of main before it".to_owned(),
            commits: Commits {
                rows: vec![Commit {
                    id: "0123456789".to_owned(),
                    author: "Ann".to_owned(),
                    at: fixtures::NOW,
                    subject: "Odd \u{1b}[31m".to_owned(),
                }],
                total: 3,
                missing: 1,
                unknown: String::new(),
            },
            config: vec![ConfigLine {
                sign: '+',
                text: "parallelism 4".to_owned(),
            }],
            config_cut: 2,
            jobs: vec![
                JobChange {
                    workflow: "main".to_owned(),
                    name: "test".to_owned(),
                    then: side(Status::Success, 2000),
                    now: side(Status::Failed, 3500),
                    changes: vec!["failed, was success".to_owned()],
                },
                JobChange {
                    workflow: "main".to_owned(),
                    name: "lint".to_owned(),
                    then: side(Status::Success, 1),
                    now: side(Status::Success, 1),
                    changes: Vec::new(),
                },
            ],
            seq: 1,
        }
    }

    fn text(comparison: &Comparison) -> String {
        let mut out = Vec::new();
        print(comparison, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_differs_is_told_job_by_job_then_commits_then_config() {
        let said = text(&comparison());
        let mut from = 0;
        for words in [
            "failed\nCompared with ",
            "the last green build of main before it.",
            "test: failed, was success (3.5 s, then 2.0 s)",
            "1 job as before",
            "0123456  Odd",
            "and 2 more",
            "1 that only the other one has",
            "+ parallelism 4",
            "and 2 more lines",
        ] {
            let at = said[from..].find(words);
            from += at.unwrap_or_else(|| panic!("{words}: {said}"));
        }
        assert!(!said.contains('\u{1b}'), "what came from outside is inert");
    }

    #[test]
    fn where_there_is_nothing_to_compare_with_it_says_so() {
        let none = Comparison {
            with: None,
            which: "no build of main before it ended green".to_owned(),
            ..comparison()
        };
        let said = text(&none);
        assert!(said.contains("nothing to compare it with: no build of main"));
        assert!(!said.contains("Jobs"));
    }

    #[test]
    fn the_same_commit_and_config_are_said_to_be() {
        let same = Comparison {
            commits: Commits::default(),
            config: Vec::new(),
            config_cut: 0,
            ..comparison()
        };
        let said = text(&same);
        assert!(said.contains("of the same commit") && said.contains("\n  the same\n"));
    }
}
