//! `tls fetch-chain`: what a host shows, certificate by certificate.

use roundel::api::certificates::{FetchChain, FetchedChain, Shown};
use roundel::sanitise::line;

use crate::cli::certificates;
use crate::cli::context::Context;
use crate::cli::{End, Failure};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// HOST, HOST:PORT or a URL
    host: String,
    /// Print the certificates themselves, in PEM
    #[arg(long)]
    pem: bool,
}

pub(super) async fn run(args: &Args, context: &mut Context<'_>) -> Result<End, Failure> {
    let client = context.connect().await?;
    let wanted = FetchChain {
        place: args.host.clone(),
    };
    let chain = client.fetch_chain(&wanted).await?;
    print_way(&chain, args.pem || context.json, context)?;
    if args.pem {
        for one in &chain.certificates {
            write!(context.out, "{}", one.pem)?;
        }
    } else if context.json {
        let shown: Vec<&Shown> = chain.certificates.iter().map(|one| &one.shown).collect();
        context.print_json(&shown)?;
    } else {
        print(&chain, context)?;
    }
    Ok(End::Ok)
}

/// Which way the host was reached; `beside` the output where that is for programs.
pub(in crate::cli) fn print_way(
    chain: &FetchedChain,
    beside: bool,
    context: &mut Context<'_>,
) -> Result<(), Failure> {
    let way = format!("Reached {}.", line(&chain.way));
    match beside {
        true => writeln!(context.err, "{way}")?,
        false => writeln!(context.out, "{way}\n")?,
    }
    Ok(())
}

/// All of them, a blank line between two.
pub(in crate::cli) fn print(
    chain: &FetchedChain,
    context: &mut Context<'_>,
) -> Result<(), Failure> {
    for (one, number) in chain.certificates.iter().zip(1..) {
        if number > 1 {
            writeln!(context.out)?;
        }
        certificates::print(context.out, number, chain.certificates.len(), &one.shown)?;
    }
    Ok(())
}
