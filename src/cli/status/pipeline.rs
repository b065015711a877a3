//! One pipeline at length: its workflows and their jobs.

use std::io::{self, Write};

use roundel::api::builds::{JobRow, PipelineDetail};
use roundel::sanitise;

use crate::cli::problems;
use crate::cli::table::{block, table};
use crate::cli::words::{Paint, between, short};

pub(super) fn print(out: &mut dyn Write, detail: &PipelineDetail, paint: Paint) -> io::Result<()> {
    let row = &detail.row;
    let mut pairs = vec![
        ("ID", row.id.clone()),
        ("Project", row.project.clone()),
        ("Number", row.number.to_string()),
        ("Status", row.status.word().to_owned()),
        if row.tag.is_empty() {
            ("Branch", row.branch.clone())
        } else {
            ("Tag", row.tag.clone())
        },
        ("Revision", row.revision.clone()),
        ("Subject", row.subject.clone()),
        ("Source", detail.source.clone()),
        ("Asked By", row.actor.clone()),
        ("Created", row.created_at.to_string()),
    ];
    let moments = [("Started", row.started_at), ("Ended", row.stopped_at)];
    pairs.extend(
        moments
            .into_iter()
            .filter_map(|(key, at)| Some((key, at?.to_string()))),
    );
    block(out, &pairs)?;
    if !detail.problems.is_empty() {
        writeln!(out, "\n{}", paint.strong("Problems"))?;
        problems::print(&detail.problems, out, paint)?;
    }
    for workflow in &detail.workflows {
        let title = format!(
            "Workflow \"{}\" ({})",
            sanitise::line(&workflow.name),
            workflow.status.word()
        );
        writeln!(out, "\n{}", paint.strong(&title))?;
        writeln!(out, "ID = {}", workflow.id)?;
        if let Some(of) = &workflow.rerun_of {
            writeln!(out, "Reruns = {of}")?;
        }
        let rows: Vec<[String; 6]> = workflow.jobs.iter().map(cells).collect();
        table(
            out,
            ["Build", "Job", "Status", "Duration", "Requires", "Runs"],
            &rows,
        )?;
    }
    Ok(())
}

fn cells(job: &JobRow) -> [String; 6] {
    let or_dash = |text: String| {
        if text.is_empty() {
            "-".to_owned()
        } else {
            text
        }
    };
    let status = if job.reused {
        format!("{} (kept)", job.status.word())
    } else {
        job.status.word().to_owned()
    };
    let runs: Vec<&str> = job.runs.iter().map(short).collect();
    [
        format!("#{}", job.number),
        job.name.clone(),
        status,
        between(job.started_at, job.stopped_at),
        or_dash(job.requires.join(",")),
        or_dash(runs.join(",")),
    ]
}
