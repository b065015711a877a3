//! `stop`: stops one run.

use super::context::Context;
use super::words::label;
use super::{End, Failure};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Do not ask (also -yes)
    #[arg(long)]
    yes: bool,
    /// Run: its name or id, a unique beginning of either, or project#number
    id: String,
}

pub(super) async fn run(args: &Args, context: &mut Context<'_>) -> Result<End, Failure> {
    let client = context.connect().await?;
    let run = client.run(&args.id).await?.run;
    // As Nomad has it: whoever wrote the whole name meant it, a shortened one is read back.
    let exact = args.id == run.name || args.id == run.attempt;
    context.confirm(
        &format!("Stop {} ({}, {})?", run.name, label(&run), run.project),
        args.yes || exact,
    )?;
    let written = client.stop_run(&run.attempt).await?;
    if context.json {
        context.print_json(&written)?;
    } else {
        writeln!(
            context.out,
            "Stops {} ({} of {}).",
            run.name,
            label(&run),
            run.project
        )?;
    }
    Ok(End::Ok)
}
