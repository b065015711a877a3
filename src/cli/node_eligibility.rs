//! `node-eligibility`: lets a node take new work, or not; what runs on it goes on untouched.

use clap::ArgGroup;
use roundel::api::fleet::SetEligibility;

use super::context::Context;
use super::{End, Failure};

#[derive(Debug, clap::Args)]
#[command(group(ArgGroup::new("switch").required(true).args(["enable", "disable"])))]
#[command(group(ArgGroup::new("target").required(true).args(["this", "node"])))]
pub(super) struct Args {
    /// Take new work (also -enable)
    #[arg(long)]
    enable: bool,
    /// Take no new work (also -disable)
    #[arg(long)]
    disable: bool,
    /// This machine's first node (also -self)
    #[arg(long = "self")]
    this: bool,
    /// Node: its id or name, or a unique beginning of either
    node: Option<String>,
}

pub(super) async fn run(args: &Args, context: &mut Context<'_>) -> Result<End, Failure> {
    let client = context.connect().await?;
    // One of the two stands there.
    let reference = args.node.as_deref().unwrap_or("self");
    let wanted = SetEligibility {
        eligible: args.enable,
    };
    let written = client.set_eligibility(reference, &wanted).await?;
    let takes = if args.enable { "takes" } else { "takes no" };
    let text = format!("Node {} {takes} new work.", written.value.name);
    context.done(&written, &text)
}
