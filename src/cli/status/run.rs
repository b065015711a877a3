//! One run at length: in Nomad's blocks, and why it waits.

use std::io::{self, Write};

use roundel::api::builds::{Outcome, RunDetail, RunRow, RunState};
use roundel::api::fleet::Explanation;
use roundel::sanitise;

use super::allocation;
use crate::cli::table::{block, table};
use crate::cli::words::{Paint, between, bytes, cores, label, memory};

pub(super) fn print(out: &mut dyn Write, detail: &RunDetail, paint: Paint) -> io::Result<()> {
    let run = &detail.run;
    block(out, &pairs(run))?;

    writeln!(out, "\n{}", paint.strong("Summary"))?;
    let heading = [
        "Task Group",
        "Queued",
        "Starting",
        "Running",
        "Failed",
        "Complete",
        "Lost",
    ];
    table(out, heading, &[summary(&run.job_name, &detail.attempts)])?;

    if run.state == RunState::Pending {
        placement(out, run, detail.explanation.as_ref(), paint)?;
    }
    if run.state != RunState::Pending {
        writeln!(out, "\n{}", paint.strong("Steps"))?;
        let rows: Vec<[String; 6]> = detail
            .steps
            .iter()
            .map(|step| {
                [
                    step.index.to_string(),
                    step.name.clone(),
                    step.status.word().to_owned(),
                    step.exit_code
                        .map_or_else(|| "-".to_owned(), |code| code.to_string()),
                    between(step.started_at, step.stopped_at),
                    bytes(step.log_bytes),
                ]
            })
            .collect();
        table(
            out,
            ["Step", "Name", "Status", "Exit Code", "Duration", "Log"],
            &rows,
        )?;
    }
    writeln!(out, "\n{}", paint.strong("Allocations"))?;
    let rows: Vec<[String; 6]> = detail
        .attempts
        .iter()
        .map(|attempt| {
            let state = allocation(attempt);
            [
                attempt.attempt.clone(),
                attempt.node.clone().unwrap_or_else(|| "-".to_owned()),
                attempt.job_name.clone(),
                state.desired.to_owned(),
                state.client.to_owned(),
                attempt.queued_at.to_string(),
            ]
        })
        .collect();
    table(
        out,
        [
            "ID",
            "Node ID",
            "Task Group",
            "Desired",
            "Status",
            "Created At",
        ],
        &rows,
    )
}

fn pairs(run: &RunRow) -> Vec<(&'static str, String)> {
    let mut status = run.state.word().to_owned();
    if let Some(heard) = run.heard_at.filter(|_| run.unreachable) {
        status += &format!(" (its agent is unreachable, last heard of {heard})");
    } else if run.stopping {
        status.push_str(" (stopping)");
    }
    let mut pairs = vec![
        ("ID", run.name.clone()),
        ("Name", label(run)),
        ("Type", "batch".to_owned()),
        ("Priority", run.priority.to_string()),
        ("Datacenters", "dc1".to_owned()),
        ("Status", status),
        ("Periodic", "false".to_owned()),
        ("Parameterized", "false".to_owned()),
    ];
    if let Some(outcome) = run.outcome {
        pairs.push(("Outcome", outcome.word().to_owned()));
    }
    if !run.cause.is_empty() {
        pairs.push(("Cause", run.cause.clone()));
    }
    let class = run
        .resource_class
        .as_deref()
        .map(|class| format!(" (class {class})"))
        .unwrap_or_default();
    let asks = format!(
        "{} cpu, {}, {}{class}",
        cores(run.cpu_millis.into()),
        memory(run.memory_mb.into()),
        run.executor
    );
    pairs.extend([
        ("Project", run.project.clone()),
        ("Build", format!("#{}", run.number)),
        ("Branch", run.branch.clone()),
        ("Workflow", run.workflow.clone()),
        ("Pipeline", run.pipeline.clone()),
        ("Asks For", asks),
        ("Queued", run.queued_at.to_string()),
    ]);
    let moments = [
        ("Placed", run.placed_at),
        ("Started", run.started_at),
        ("Ended", run.stopped_at),
    ];
    pairs.extend(
        moments
            .into_iter()
            .filter_map(|(key, at)| Some((key, at?.to_string()))),
    );
    if run.stopped_at.is_some() {
        pairs.push(("Duration", between(run.started_at, run.stopped_at)));
    }
    pairs.extend(run.node.clone().map(|node| ("Node", node)));
    pairs
}

/// Attempts by state, as Nomad counts allocations.
fn summary(group: &str, attempts: &[RunRow]) -> [String; 7] {
    let count = |wanted: &dyn Fn(&RunRow) -> bool| {
        attempts
            .iter()
            .filter(|run| wanted(run))
            .count()
            .to_string()
    };
    let ended = |outcomes: &'static [Outcome]| {
        move |run: &RunRow| {
            run.outcome
                .is_some_and(|outcome| outcomes.contains(&outcome))
        }
    };
    [
        group.to_owned(),
        count(&|run| run.state == RunState::Pending),
        count(&|run| run.state == RunState::Running && run.started_at.is_none()),
        count(&|run| run.state == RunState::Running && run.started_at.is_some()),
        count(&ended(&[Outcome::Failed, Outcome::Timedout])),
        count(&ended(&[
            Outcome::Success,
            Outcome::Canceled,
            Outcome::Interrupted,
        ])),
        count(&ended(&[Outcome::InfrastructureFail])),
    ]
}

fn placement(
    out: &mut dyn Write,
    run: &RunRow,
    explanation: Option<&Explanation>,
    paint: Paint,
) -> io::Result<()> {
    writeln!(out, "\n{}", paint.strong("Placement Failure"))?;
    writeln!(out, "Task Group \"{}\":", sanitise::line(&run.job_name))?;
    if let Some(reason) = &run.reason {
        writeln!(out, "  * {}", sanitise::line(&reason.text))?;
    }
    if let Some(estimate) = &run.estimate {
        writeln!(
            out,
            "  * Expected to start at {} ({})",
            estimate.at,
            sanitise::line(&estimate.how)
        )?;
    }
    let Some(why) = explanation else {
        return Ok(());
    };
    for line in dimensions(why) {
        writeln!(out, "  * {}", sanitise::line(&line))?;
    }
    writeln!(
        out,
        "  * Place {} in line, {} of its shape",
        why.place, why.place_of_shape
    )?;
    for help in &why.help {
        writeln!(out, "  * Would help: {}", sanitise::line(help))?;
    }
    Ok(())
}

/// Causes in Nomad's sentences where it has one.
fn dimensions(why: &Explanation) -> Vec<String> {
    let nodes = |n: u32| {
        if n == 1 {
            "1 node".to_owned()
        } else {
            format!("{n} nodes")
        }
    };
    let mut lines = Vec::new();
    let exhausted: u32 = why
        .causes
        .iter()
        .filter(|c| matches!(c.cause.as_str(), "cpu" | "memory"))
        .map(|c| c.nodes)
        .sum();
    if why.nodes == 0 {
        lines.push("No nodes are available".to_owned());
    }
    if exhausted > 0 {
        lines.push(format!("Resources exhausted on {}", nodes(exhausted)));
    }
    for cause in &why.causes {
        let on = nodes(cause.nodes);
        lines.push(match cause.cause.as_str() {
            word @ ("cpu" | "memory") => format!("Dimension \"{word}\" exhausted on {on}"),
            "too_small_cpu" => format!(
                "Dimension \"cpu\" never has {} on {on}",
                cores(why.cpu_millis.into())
            ),
            "too_small_memory" => format!(
                "Dimension \"memory\" never has {} on {on}",
                memory(why.memory_mb.into())
            ),
            "executor" => format!("Constraint \"executor = {}\" filtered {on}", why.executor),
            "draining" => format!("Constraint \"drain = false\" filtered {on}"),
            "ineligible" => format!("Constraint \"eligible = true\" filtered {on}"),
            "down" => format!("Constraint \"status = ready\" filtered {on}"),
            "fits" => format!("Fits on {on}"),
            other => format!("Constraint \"{other}\" filtered {on}"),
        });
    }
    if let Some(near) = &why.nearest {
        lines.push(format!(
            "Nearest is {}: {} of {} cpu and {} of {} free",
            near.node,
            cores(near.cpu_free_millis.into()),
            cores(near.cpu_millis.into()),
            memory(near.memory_free_mb.into()),
            memory(near.memory_mb.into()),
        ));
    }
    lines
}
