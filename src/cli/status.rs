//! `status`: the runs, or one run or pipeline at length.

#[cfg(test)]
pub(super) mod fixtures;
mod pipeline;
mod run;

use std::io::{self, Write};

use roundel::api::builds::{Outcome, RunRow, RunState};
use roundel::api::{ListQuery, Page};
use roundel::client::{Client, ClientError};
use roundel::error::{Explain, Kind};

use super::context::Context;
use super::table::table;
use super::words::Paint;
use super::{End, Failure};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// List all runs that ever were, not only the newest of those that ended
    #[arg(long, conflicts_with = "id")]
    all: bool,
    /// Run (name or id), pipeline (id), a unique beginning of either, or project#number
    id: Option<String>,
}

/// Rows asked for at once: the most that are answered.
const PAGE: u64 = 1000;

/// Ended runs listed without `--all`.
const DEAD: u64 = 50;

pub(super) async fn run(args: &Args, context: &mut Context<'_>) -> Result<End, Failure> {
    let client = context.connect().await?;
    match &args.id {
        Some(id) => one(id, &client, context).await?,
        None => list(args.all, &client, context).await?,
    }
    Ok(End::Ok)
}

async fn one(id: &str, client: &Client, context: &mut Context<'_>) -> Result<(), Failure> {
    match client.run(id).await {
        Ok(detail) if context.json => context.print_json(&detail),
        Ok(detail) => {
            let paint = context.out_paint();
            Ok(run::print(context.out, &detail, paint)?)
        }
        Err(err) if err.kind() == Kind::NotFound => {
            let detail = client
                .pipeline(id)
                .await
                .map_err(|second| neither(id, second))?;
            if context.json {
                return context.print_json(&detail);
            }
            let paint = context.out_paint();
            Ok(pipeline::print(context.out, &detail, paint)?)
        }
        Err(err) => Err(err.into()),
    }
}

/// What to say when it is no run and asking for a pipeline failed too.
fn neither(id: &str, err: ClientError) -> Failure {
    if err.kind() == Kind::NotFound {
        return Failure::said(
            Kind::NotFound,
            format!("there is no run or pipeline `{id}`"),
        )
        .with_hint("`roundel status` lists the runs");
    }
    err.into()
}

async fn list(all: bool, client: &Client, context: &mut Context<'_>) -> Result<(), Failure> {
    let mut page = rows(client, "pending,running", u64::MAX).await?;
    let dead = rows(client, "dead", if all { u64::MAX } else { DEAD }).await?;
    page.total += dead.total;
    page.seq = dead.seq;
    page.rows.extend(dead.rows);
    if context.json {
        return context.print_json(&page);
    }
    let paint = context.out_paint();
    print_list(context.out, &page.rows, paint)?;
    context.out.flush()?;
    context.warn_when_held(client).await?;
    let hidden = page.total.saturating_sub(page.rows.len() as u64);
    if hidden > 0 {
        writeln!(
            context.err,
            "{hidden} more that ended: `status --all` lists them"
        )?;
    }
    Ok(())
}

/// Runs in a state, in the server's order, `most` at most.
async fn rows(client: &Client, state: &str, most: u64) -> Result<Page<RunRow>, Failure> {
    let mut query = ListQuery {
        state: state.to_owned(),
        limit: Some(PAGE.min(most)),
        ..ListQuery::default()
    };
    let mut page = client.runs(&query).await?;
    loop {
        let have = page.rows.len() as u64;
        if have >= page.total.min(most) {
            return Ok(page);
        }
        query.offset = Some(have);
        query.limit = Some(PAGE.min(most - have));
        let more = client.runs(&query).await?;
        if more.rows.is_empty() {
            return Ok(page);
        }
        page.rows.extend(more.rows);
    }
}

fn print_list(out: &mut dyn Write, runs: &[RunRow], paint: Paint) -> io::Result<()> {
    if runs.is_empty() {
        return writeln!(out, "No runs yet: `roundel build` makes some.");
    }
    let rows: Vec<[String; 4]> = runs
        .iter()
        .map(|run| {
            [
                run.name.clone(),
                "batch".into(),
                run.priority.to_string(),
                run.state.word().into(),
            ]
        })
        .collect();
    table(out, ["ID", "Type", "Priority", "Status"], &rows)?;
    let waiting: Vec<[String; 2]> = runs
        .iter()
        .filter_map(|run| Some([run.name.clone(), run.reason.as_ref()?.text.clone()]))
        .collect();
    if !waiting.is_empty() {
        writeln!(out, "\n{}", paint.strong("Waiting"))?;
        table(out, ["ID", "Reason"], &waiting)?;
    }
    let unreachable: Vec<[String; 3]> = runs
        .iter()
        .filter(|run| run.unreachable)
        .map(|run| {
            let heard = run.heard_at.map_or_else(String::new, |at| at.to_string());
            [
                run.name.clone(),
                run.node.clone().unwrap_or_default(),
                heard,
            ]
        })
        .collect();
    if !unreachable.is_empty() {
        writeln!(out, "\n{}", paint.strong("Unreachable"))?;
        table(out, ["ID", "Node", "Last heard of"], &unreachable)?;
    }
    Ok(())
}

/// A run as Nomad names the state of an allocation.
pub(super) struct Allocation {
    /// `run` or `stop`.
    pub desired: &'static str,
    /// `pending`, `running`, `complete`, `failed`, `lost`.
    pub client: &'static str,
}

/// The words Nomad has for the state of an attempt.
pub(super) fn allocation(run: &RunRow) -> Allocation {
    let stopped =
        run.stopping || matches!(run.outcome, Some(Outcome::Canceled | Outcome::Interrupted));
    let client = match (run.state, run.outcome) {
        (RunState::Pending, _) => "pending",
        (RunState::Running, _) if run.started_at.is_none() => "pending",
        (RunState::Running, _) => "running",
        // A run that was stopped counts as complete in Nomad; who looks at the desired status knows.
        (RunState::Dead, Some(Outcome::Success | Outcome::Canceled | Outcome::Interrupted)) => {
            "complete"
        }
        (RunState::Dead, Some(Outcome::InfrastructureFail)) => "lost",
        (RunState::Dead, Some(Outcome::Failed | Outcome::Timedout) | None) => "failed",
    };
    Allocation {
        desired: if stopped { "stop" } else { "run" },
        client,
    }
}

#[cfg(test)]
mod tests;
