//! `logs`: what the steps of a run wrote, or what its Build Agent says about itself.
//!
//! A terminal gets headings and text made inert; everything else gets the bytes.

mod agent;
mod json;
mod target;

use std::io::{self, Write};
use std::time::Duration;

use roundel::api::builds::{RunDetail, RunRow, RunState, StepRow};
use roundel::client::{Client, StreamItem};
use roundel::error::Kind;
use roundel::sanitise;
use roundel::settings::keep;

use super::context::Context;
use super::follow::{News, Piece, RunTail, wait_for_return};
use super::words::{Paint, label};
use super::{End, Failure};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Print the runs of the job that the run or project#number belongs to (also -job)
    #[arg(long)]
    job: bool,
    /// Print the Build Agent's own log instead (also -stderr)
    #[arg(long)]
    stderr: bool,
    /// Go on as it grows, until the run ends
    #[arg(short)]
    follow: bool,
    /// Begin with the last lines, 10 unless -n says otherwise (also -tail)
    #[arg(long)]
    tail: bool,
    /// Begin with the last N lines
    #[arg(short, value_name = "N")]
    n: Option<u64>,
    /// Exactly the bytes that the steps of the config wrote, also to a terminal
    #[arg(long, conflicts_with = "stderr")]
    raw: bool,
    /// Only what was written to one of the two
    #[arg(long, value_name = "out|err", value_parser = ["out", "err"], conflicts_with = "stderr")]
    stream: Option<String>,
    /// Only this step: its index or its name
    #[arg(long, conflicts_with = "stderr")]
    step: Option<String>,
    /// Run (name or id), pipeline (id), a unique beginning of either, or project#number
    id: String,
}

impl Args {
    /// Lines to begin with; `None` = from the start.
    fn last(&self) -> Option<u64> {
        self.n.or(self.tail.then_some(10))
    }

    fn wants(&self, step: &StepRow) -> bool {
        match &self.step {
            Some(word) => *word == step.index.to_string() || *word == step.name,
            // The agent's own first step is no step of the config.
            None => !self.raw || step.index > 0,
        }
    }
}

/// How often a run is looked at when no news comes.
const LOOK: Duration = Duration::from_secs(1);

pub(super) async fn run(args: &Args, context: &mut Context<'_>) -> Result<End, Failure> {
    let client = context.connect().await?;
    let runs = target::runs(&client, &args.id, args.job).await?;
    let mut news = News::default();
    for run in &runs {
        if let Some(removed) = run.log_removed_at {
            let why = keep::log_removed(run.stopped_at, removed);
            let said = format!("{}: {why}", sanitise::line(&run.name));
            if runs.len() == 1 {
                return Err(Failure::said(Kind::NotFound, said));
            }
            writeln!(context.err, "{said}")?;
            continue;
        }
        if context.json {
            json::print(args, &client, run, &mut news, context).await?;
        } else if args.stderr {
            let paint = context.out_paint();
            if runs.len() > 1 && context.terminals.out {
                heading(context.out, paint, run, "agent")?;
            }
            agent::print(args, &client, run, &mut news, context).await?;
        } else {
            steps(args, &client, run, &mut news, context).await?;
        }
    }
    Ok(End::Ok)
}

async fn steps(
    args: &Args,
    client: &Client,
    run: &RunRow,
    news: &mut News,
    context: &mut Context<'_>,
) -> Result<(), Failure> {
    let mut tail = RunTail::new(&run.attempt, args.stream.as_deref());
    let people = context.terminals.out && !args.raw;
    let paint = context.out_paint();
    let mut printer = Printer {
        inert: None,
        current: None,
        run: run.clone(),
        people,
        paint,
    };
    let mut first = true;
    loop {
        let step = async {
            let detail = client.run(&run.attempt).await?;
            if std::mem::take(&mut first) {
                select(args, &detail, &mut tail)?;
                if let Some(lines) = args.last() {
                    tail.skip_to_last(client, &detail, lines).await?;
                }
            }
            let out = &mut *context.out;
            let mut sink = |piece: Piece<'_>| printer.piece(piece, out);
            tail.advance(client, &detail, &mut sink).await
        };
        let over = match step.await {
            Err(Failure::Client(err)) if args.follow && err.server_gone() => {
                wait_for_return(client).await?;
                continue;
            }
            result => result?,
        };
        context.out.flush()?;
        if over || !args.follow {
            printer.finish(context.out)?;
            return Ok(());
        }
        changed(client, news, &run.attempt).await;
    }
}

/// Leaves out the steps that were not asked for.
fn select(args: &Args, detail: &RunDetail, tail: &mut RunTail) -> Result<(), Failure> {
    has_step(args, detail)?;
    detail
        .steps
        .iter()
        .filter(|step| !args.wants(step))
        .for_each(|step| tail.skip(step.index));
    Ok(())
}

/// The step that is asked for, if one is, must be there.
fn has_step(args: &Args, detail: &RunDetail) -> Result<(), Failure> {
    if let Some(word) = &args.step
        && !detail.steps.iter().any(|step| args.wants(step))
    {
        let names: Vec<String> = detail
            .steps
            .iter()
            .map(|step| format!("{} {}", step.index, step.name))
            .collect();
        return Err(Failure::said(
            Kind::NotFound,
            format!("there is no step `{word}` in {}", detail.run.name),
        )
        .with_hint(format!("one of: {}", names.join(", "))));
    }
    Ok(())
}

/// Waits until something happened to the run, or a moment has passed.
async fn changed(client: &Client, news: &mut News, attempt: &str) {
    loop {
        match news.next(client, LOOK).await {
            Some(StreamItem::Log(log)) if log.attempt == attempt => return,
            Some(StreamItem::Change(change))
                if change.ids.is_empty() || change.ids.iter().any(|id| id == attempt) =>
            {
                return;
            }
            Some(StreamItem::Reset | StreamItem::Ended(_)) | None => return,
            Some(_) => {}
        }
    }
}

fn heading(out: &mut dyn Write, paint: Paint, run: &RunRow, step: &str) -> io::Result<()> {
    let text = format!(
        "==> {}: {}",
        sanitise::line(&label(run)),
        sanitise::line(step)
    );
    writeln!(out, "{}", paint.strong(&text))
}

struct Printer {
    inert: Option<sanitise::Stream>,
    current: Option<u16>,
    run: RunRow,
    people: bool,
    paint: Paint,
}

impl Printer {
    fn piece(&mut self, piece: Piece<'_>, out: &mut dyn Write) -> Result<(), Failure> {
        match piece {
            Piece::Wrote(_, bytes) if !self.people => out.write_all(bytes)?,
            Piece::Began(step) if self.people => self.turn(step, out)?,
            Piece::Wrote(step, bytes) => {
                self.turn(step, out)?;
                let text = self.inert.get_or_insert_default().push(bytes);
                out.write_all(text.as_bytes())?;
            }
            Piece::Began(_) | Piece::Ended(_) | Piece::Closed(_) => {}
        }
        Ok(())
    }

    /// What follows is of this step.
    fn turn(&mut self, step: &StepRow, out: &mut dyn Write) -> io::Result<()> {
        if self.current != Some(step.index) {
            self.finish(out)?;
            heading(out, self.paint, &self.run, &step.name)?;
            self.current = Some(step.index);
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut dyn Write) -> io::Result<()> {
        match self.inert.take() {
            Some(inert) => out.write_all(inert.finish().as_bytes()),
            None => Ok(()),
        }
    }
}

/// Whether nothing more will come.
fn over(run: &RunRow) -> bool {
    run.state == RunState::Dead
}
