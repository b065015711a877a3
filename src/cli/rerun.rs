//! `rerun`: runs a workflow again, all of it or what did not succeed.

use super::context::Context;
use super::{End, Failure};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Keep what succeeded and run the rest
    #[arg(long)]
    from_failed: bool,
    /// Workflow or pipeline: its id, a unique beginning of it, or project#number
    id: String,
}

pub(super) async fn run(args: &Args, context: &mut Context<'_>) -> Result<End, Failure> {
    let client = context.connect().await?;
    let written = client.rerun(&args.id, args.from_failed).await?;
    if context.json {
        context.print_json(&written)?;
    } else {
        let workflow = written.value.workflow.as_deref().unwrap_or("-");
        writeln!(
            context.out,
            "Runs again as workflow {workflow} of pipeline {}.",
            written.value.pipeline
        )?;
        writeln!(
            context.out,
            "  {}",
            context.command(&["status", &written.value.pipeline])
        )?;
    }
    Ok(End::Ok)
}
