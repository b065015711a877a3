//! `node-eligibility`: lets a node take new work, or not; what runs on it goes on untouched.

use clap::ArgGroup;
use roundel::api::fleet::SetEligibility;
use roundel::sanitise::line;

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
    let reference = if args.this {
        "self"
    } else {
        args.node.as_deref().unwrap_or_default()
    };
    let wanted = SetEligibility {
        eligible: args.enable,
    };
    let written = client.set_eligibility(reference, &wanted).await?;
    if context.json {
        context.print_json(&written)?;
    } else {
        let name = line(&written.value.name);
        let takes = if args.enable { "takes" } else { "takes no" };
        writeln!(context.out, "Node {name} {takes} new work.")?;
    }
    Ok(End::Ok)
}
