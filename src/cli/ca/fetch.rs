//! `ca fetch`: a host's chain, certificate by certificate, and the question whom of it to trust.

use roundel::access::Fingerprint;
use roundel::api::certificates::{FetchChain, Fetched, FetchedChain, Shown};
use roundel::certificates::authorities;
use roundel::error::Kind;
use serde::Serialize;

use super::{How, add};
use crate::cli::context::Context;
use crate::cli::tls;
use crate::cli::{End, Failure};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// HOST, HOST:PORT or a URL
    host: String,
    /// Trust the certificate of this SHA-256 and no other, without asking
    #[arg(long, value_name = "SHA256")]
    sha256: Option<Fingerprint>,
}

/// What was shown and not trusted.
#[derive(Serialize)]
struct Untrusted {
    shown: Vec<Shown>,
}

pub(super) async fn run(args: &Args, how: How, context: &mut Context<'_>) -> Result<End, Failure> {
    let client = context.connect().await?;
    let wanted = FetchChain {
        place: args.host.clone(),
    };
    let chain = client.fetch_chain(&wanted).await?;
    tls::print_way(&chain, context.json, context)?;
    if !context.json {
        tls::print_chain(&chain, context)?;
        writeln!(context.out)?;
    }
    let chosen = choose(&chain, args, how, context)?;
    // Said once is said: what is wrong with it was shown.
    let how = How { yes: true, ..how };
    let chosen = authorities(chosen.pem.as_bytes()).path;
    add(&client, chosen, how, context).await
}

/// Whom to trust: the one that was named; else the highest that could be, once somebody says yes.
fn choose<'c>(
    chain: &'c FetchedChain,
    args: &Args,
    how: How,
    context: &mut Context<'_>,
) -> Result<&'c Fetched, Failure> {
    let shown = &chain.certificates;
    if let Some(wanted) = args.sha256 {
        let print = wanted.to_string();
        let found = shown.iter().find(|one| one.shown.sha256 == print);
        return found.ok_or_else(|| {
            Failure::said(
                Kind::Refused,
                format!(
                    "none of the {} certificates that are shown is {wanted}",
                    shown.len()
                ),
            )
            .with_hint("nothing was changed; compare with what the administrator of that host says")
        });
    }
    let Some(highest) = chain.highest() else {
        let issuer = shown.last().map_or("", |one| one.shown.issuer.as_str());
        return Err(Failure::said(
            Kind::NotFound,
            format!("no authority is shown: the certificate of `{issuer}` is missing"),
        )
        .with_hint("get it from who runs that authority, and `roundel ca add FILE`"));
    };
    let Shown {
        sha256, subject, ..
    } = &highest.shown;
    let question = format!("Trust `{subject}`, {sha256}?");
    let hint = format!("say `--sha256 {sha256}` once you have compared it, or -yes");
    if !how.yes && (!context.terminals.input || !context.terminals.err) {
        if context.json {
            let shown = shown.iter().map(|one| one.shown.clone()).collect();
            context.print_json(&Untrusted { shown })?;
        }
        return Err(Failure::said(
            Kind::Refused,
            "nobody is there to say whether it is to be trusted",
        )
        .with_hint(hint));
    }
    context.confirm(&question, how.yes)?;
    Ok(highest)
}
