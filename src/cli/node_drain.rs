//! `node-drain`: takes a node out of work, or back; says when it is safe to terminate.

use std::io::{self, Write};
use std::time::Duration;

use clap::ArgGroup;
use roundel::api::fleet::{NodeDetail, SetDrain};
use roundel::client::Client;
use roundel::settings::span;

use super::context::Context;
use super::words::{count, label};
use super::{End, Failure};

#[derive(Debug, clap::Args)]
#[command(group(ArgGroup::new("switch").required(true).args(["enable", "disable"])))]
#[command(group(ArgGroup::new("target").required(true).args(["this", "node"])))]
pub(super) struct Args {
    /// Take no new work; what runs may end (also -enable)
    #[arg(long)]
    enable: bool,
    /// Take new work again (also -disable)
    #[arg(long)]
    disable: bool,
    /// This machine's first node (also -self)
    #[arg(long = "self")]
    this: bool,
    /// Do not ask (also -yes)
    #[arg(long)]
    yes: bool,
    /// Stop what still runs after this time, as 10m; 0 = now; it is queued once more (also -deadline)
    #[arg(long, value_name = "TIME", value_parser = deadline, requires = "enable")]
    deadline: Option<u64>,
    /// Wait until it is safe to terminate
    #[arg(long, requires = "enable")]
    wait: bool,
    /// Node: its id or name, or a unique beginning of either
    node: Option<String>,
}

fn deadline(text: &str) -> Result<u64, String> {
    span::seconds(text).ok_or_else(|| "a span as 90s, 10m or 1h30m, or 0 for now".to_owned())
}

/// Pause between two looks at a node that is waited for.
const LOOK: Duration = Duration::from_secs(1);

pub(super) async fn run(args: &Args, context: &mut Context<'_>) -> Result<End, Failure> {
    let client = context.connect().await?;
    // One of the two stands there.
    let reference = args.node.as_deref().unwrap_or("self");
    let node = client.node(reference).await?;
    let (id, name) = (node.node.id, node.node.name);
    if args.enable {
        let what = match (node.runs.len() as u64, args.deadline) {
            (0, _) => "nothing runs on it".to_owned(),
            (n, Some(0)) => format!("{} on it will be stopped now", count(n, "run")),
            (n, Some(s)) => format!("{} on it will be stopped after {s} s", count(n, "run")),
            (n, None) => format!("{} on it may end", count(n, "run")),
        };
        context.confirm(
            &format!("Drain node {name}? It takes no new work; {what}."),
            args.yes,
        )?;
    }
    let written = client
        .set_drain(
            &id,
            &SetDrain {
                enable: args.enable,
                deadline_s: args.deadline,
            },
        )
        .await?;
    if context.json && !args.wait {
        context.print_json(&written)?;
        return Ok(End::Ok);
    }
    let mut detail = client.node(&id).await?;
    if !context.json {
        print(context.out, &detail)?;
        context.out.flush()?;
    }
    if args.wait && detail.node.drain.is_some() && !detail.node.safe_to_terminate {
        detail = wait(&client, &id).await?;
        if !context.json {
            print(context.out, &detail)?;
        }
    }
    if context.json {
        context.print_json(&detail)?;
    }
    Ok(End::Ok)
}

/// Waits until nothing runs on the node any more, or somebody ends the drain.
async fn wait(client: &Client, id: &str) -> Result<NodeDetail, Failure> {
    loop {
        tokio::time::sleep(LOOK).await;
        let detail = client.node(id).await?;
        if detail.node.safe_to_terminate || detail.node.drain.is_none() {
            return Ok(detail);
        }
    }
}

fn print(out: &mut dyn Write, detail: &NodeDetail) -> io::Result<()> {
    let name = roundel::sanitise::line(&detail.node.name);
    let Some(drain) = &detail.node.drain else {
        return writeln!(out, "Node {name} takes new work again.");
    };
    if detail.node.safe_to_terminate {
        return writeln!(
            out,
            "Node {name} drains, nothing runs on it: it is safe to terminate."
        );
    }
    writeln!(
        out,
        "Node {name} drains: {} still on it.",
        count(detail.runs.len() as u64, "run")
    )?;
    for run in &detail.runs {
        writeln!(
            out,
            "  {}  {}",
            roundel::sanitise::line(&run.name),
            roundel::sanitise::line(&label(run))
        )?;
    }
    match (drain.deadline, &detail.idle_estimate) {
        (Some(at), _) => writeln!(
            out,
            "It is safe to terminate when they have ended, at {at} at the latest."
        ),
        (None, Some(idle)) => writeln!(
            out,
            "It is safe to terminate when they have ended, expected at {} ({}).",
            idle.at,
            roundel::sanitise::line(&idle.how)
        ),
        (None, None) => writeln!(out, "It is safe to terminate when they have ended."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_is_a_span() {
        assert_eq!(deadline("10m"), Ok(600));
        assert_eq!(deadline("0"), Ok(0));
        assert!(deadline("soon").is_err());
    }

    #[test]
    fn it_says_when_the_node_is_safe_to_terminate() {
        use crate::cli::status::fixtures;
        let mut detail = fixtures::node_detail();
        let printed = |detail: &NodeDetail| {
            let mut out = Vec::new();
            print(&mut out, detail).unwrap();
            String::from_utf8(out).unwrap()
        };
        assert_eq!(
            printed(&detail),
            "Node ci-1 drains: 1 run still on it.\n  \
             0123456789ab-0-build-acme-web-7  test 1/2\n\
             It is safe to terminate when they have ended, at 2023-11-14T22:23:20.000Z at the latest.\n"
        );
        detail.runs.clear();
        detail.node.safe_to_terminate = true;
        assert_eq!(
            printed(&detail),
            "Node ci-1 drains, nothing runs on it: it is safe to terminate.\n"
        );
        detail.node.drain = None;
        assert_eq!(printed(&detail), "Node ci-1 takes new work again.\n");
    }
}
