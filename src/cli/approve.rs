//! `approve`: lets go on what waits for somebody's approval.

use super::context::Context;
use super::{End, Failure};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Job that waits, or its workflow or pipeline: its id, a unique beginning of it, or project#number
    id: String,
}

pub(super) async fn run(args: &Args, context: &mut Context<'_>) -> Result<End, Failure> {
    let client = context.connect().await?;
    let written = client.approve(&args.id).await?;
    if context.json {
        context.print_json(&written)?;
    } else {
        writeln!(
            context.out,
            "Approved: pipeline {} goes on.",
            written.value.pipeline
        )?;
        let command = context.command(&["status", &written.value.pipeline]);
        writeln!(context.out, "  {command}")?;
    }
    Ok(End::Ok)
}
