//! The end of a build: each job with its outcome, the last lines of what failed, and the commands to look further.

use std::io::{self, Write};

use roundel::api::builds::{JobRow, Outcome, PipelineDetail, RunRow, Status, WorkflowDetail};
use roundel::sanitise;

use crate::cli::End;
use crate::cli::build::report::Broken;
use crate::cli::context::Context;
use crate::cli::words::{Paint, between, label, short};

pub(super) fn print(
    out: &mut dyn Write,
    pipeline: &PipelineDetail,
    broken: &[Broken],
    paint: Paint,
) -> io::Result<()> {
    let row = &pipeline.row;
    let title = format!("{} #{} {}", row.project, row.number, row.status.word());
    let took = match (row.started_at, row.stopped_at) {
        (Some(_), Some(_)) => format!(" after {}", between(row.started_at, row.stopped_at)),
        _ => String::new(),
    };
    writeln!(
        out,
        "\n{}",
        painted(
            row.status,
            &sanitise::line(&format!("{title}{took}")),
            paint
        )
    )?;
    let workflows = newest(&pipeline.workflows);
    let width = workflows
        .iter()
        .flat_map(|w| &w.jobs)
        .map(|job| job.status.word().len())
        .max()
        .unwrap_or(0);
    let names = workflows
        .iter()
        .flat_map(|w| &w.jobs)
        .map(|job| job.name.chars().count())
        .max()
        .unwrap_or(0);
    for workflow in &workflows {
        if workflows.len() > 1 {
            writeln!(out, "  workflow {}", sanitise::line(&workflow.name))?;
        }
        for job in &workflow.jobs {
            let word = format!("{:width$}", job.status.word());
            let name = format!("{:names$}", sanitise::line(&job.name));
            let number = format!("#{}", job.number);
            let line = format!(
                "{}  {name}  {number}  {}",
                painted(job.status, &word, paint),
                took_of(job)
            );
            writeln!(out, "  {}", line.trim_end())?;
        }
    }
    for failure in broken {
        let run = &failure.detail.run;
        let step = run
            .step
            .and_then(|index| failure.detail.steps.get(usize::from(index)));
        let why = match step {
            _ if !run.cause.is_empty() => run.cause.clone(),
            Some(step) => format!("step \"{}\" {}", step.name, step.status.word()),
            None => run.outcome.map_or("dead", Outcome::word).to_owned(),
        };
        let title = format!("{} (#{}): {why}", label(run), run.number);
        writeln!(out, "\n{}", paint.bad(&sanitise::line(&title)))?;
        for line in &failure.lines {
            let cut = if line.cut > 0 {
                format!(" ... {} bytes more", line.cut)
            } else {
                String::new()
            };
            writeln!(out, "  {}{cut}", sanitise::line(&line.text))?;
        }
    }
    Ok(())
}

/// The passes that no rerun has replaced.
fn newest(workflows: &[WorkflowDetail]) -> Vec<&WorkflowDetail> {
    let replaced = |id: &str| {
        workflows
            .iter()
            .any(|other| other.rerun_of.as_deref() == Some(id))
    };
    workflows
        .iter()
        .filter(|workflow| !replaced(&workflow.id))
        .collect()
}

fn took_of(job: &JobRow) -> String {
    match (job.started_at, job.stopped_at) {
        (Some(_), Some(_)) => between(job.started_at, job.stopped_at),
        _ => String::new(),
    }
}

fn painted(status: Status, text: &str, paint: Paint) -> String {
    match status {
        Status::Success => paint.good(text),
        Status::Failed | Status::Timedout | Status::InfrastructureFail | Status::Errored => {
            paint.bad(text)
        }
        Status::Blocked | Status::OnHold | Status::Queued | Status::Running | Status::Failing => {
            paint.warn(text)
        }
        Status::Canceled | Status::NotRun => paint.faint(text),
    }
}

/// Prints the commands that show more, or do something about it. `stuck` are the runs that will never start.
pub(super) fn look_further(
    context: &mut Context<'_>,
    pipeline: &PipelineDetail,
    broken: &[Broken],
    stuck: Option<&[&RunRow]>,
    end: End,
) -> io::Result<()> {
    let mut commands = Vec::new();
    for run in stuck.unwrap_or_default() {
        commands.push((
            context.command(&["status", short(run)]),
            format!("why {} cannot start", label(run)),
        ));
    }
    for failure in broken {
        let run = &failure.detail.run;
        commands.push((
            context.command(&["logs", short(run)]),
            format!("the whole log of {}", label(run)),
        ));
    }
    if broken.is_empty() && stuck.is_none() {
        commands.push((
            context.command(&["logs", &pipeline.row.id]),
            "the whole log".to_owned(),
        ));
    }
    if pipeline.row.status == Status::OnHold {
        let jobs = newest(&pipeline.workflows);
        let jobs = jobs.iter().flat_map(|workflow| &workflow.jobs);
        for job in jobs.filter(|job| job.status == Status::OnHold) {
            let why = format!("lets go on what waits for {}", sanitise::line(&job.name));
            commands.push((context.command(&["approve", &job.id]), why));
        }
    } else if stuck.is_some() {
        commands.push((
            context.command(&["cancel", &pipeline.row.id]),
            "takes it out of the queue".to_owned(),
        ));
    } else if end != End::Ok && !pipeline.workflows.is_empty() {
        let again = context.command(&["rerun", "--from-failed", &pipeline.row.id]);
        commands.push((again, "runs again what did not succeed".to_owned()));
    }
    commands.push((context.command(&["console"]), "the console".to_owned()));

    writeln!(context.out)?;
    if let Some(runs) = stuck {
        for run in runs {
            let why = run
                .reason
                .as_ref()
                .map_or("", |reason| reason.text.as_str());
            let text = format!("{} waits in vain: {why}", label(run));
            writeln!(context.out, "{}", sanitise::line(&text))?;
        }
        writeln!(
            context.out,
            "It stays in the queue; `build --wait` follows such a build to its end."
        )?;
    }
    let width = commands
        .iter()
        .map(|(command, _)| command.chars().count())
        .max()
        .unwrap_or(0);
    for (command, what) in commands {
        writeln!(
            context.out,
            "  {command:width$}  # {}",
            sanitise::line(&what)
        )?;
    }
    Ok(())
}
