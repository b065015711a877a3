//! `tls fetch-chain`: what a host shows, certificate by certificate.

use roundel::api::certificates::Shown;
use roundel::certificates::{Certificate, pem};
use roundel::services::ca::{self, fetch};

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
    let (host, port) = fetch::place(&args.host)?;
    let chain = fetch::fetch(&host, port).await?;
    if args.pem {
        for one in &chain {
            write!(context.out, "{}", pem(one.der()))?;
        }
    } else if context.json {
        context.print_json(&shown(&chain))?;
    } else {
        print(&chain, context)?;
    }
    Ok(End::Ok)
}

pub(in crate::cli) fn shown(chain: &[Certificate]) -> Vec<Shown> {
    chain.iter().map(ca::shown).collect()
}

/// All of them, a blank line between two.
pub(in crate::cli) fn print(
    chain: &[Certificate],
    context: &mut Context<'_>,
) -> Result<(), Failure> {
    for (one, number) in shown(chain).iter().zip(1..) {
        if number > 1 {
            writeln!(context.out)?;
        }
        certificates::print(context.out, number, chain.len(), one)?;
    }
    Ok(())
}
