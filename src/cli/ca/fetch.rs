//! `ca fetch`: a host's chain, certificate by certificate, and the question whom of it to trust.

use roundel::access::Fingerprint;
use roundel::api::certificates::Shown;
use roundel::certificates::Certificate;
use roundel::error::Kind;
use roundel::services::ca::{self, fetch};
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
    let (host, port) = fetch::place(&args.host)?;
    let chain = fetch::fetch(&host, port).await?;
    if !context.json {
        tls::print_chain(&chain, context)?;
        writeln!(context.out)?;
    }
    let chosen = choose(&chain, args, how, context)?;
    let client = context.connect().await?;
    // Said once is said: what is wrong with it was shown.
    let how = How { yes: true, ..how };
    add(&client, vec![chosen], how, context).await
}

/// Whom to trust: the one that was named; else the highest that could be, once somebody says yes.
fn choose(
    chain: &[Certificate],
    args: &Args,
    how: How,
    context: &mut Context<'_>,
) -> Result<Certificate, Failure> {
    if let Some(wanted) = args.sha256 {
        let found = chain
            .iter()
            .find(|one| Fingerprint::of(one.der()) == wanted);
        return found.cloned().ok_or_else(|| {
            Failure::said(
                Kind::Refused,
                format!(
                    "none of the {} certificates that are shown is {wanted}",
                    chain.len()
                ),
            )
            .with_hint("nothing was changed; compare with what the administrator of that host says")
        });
    }
    let can_be = |one: &&Certificate| one.is_authority() || one.is_self_signed();
    let Some(highest) = chain.iter().rev().find(can_be) else {
        let issuer = chain.last().map_or("", Certificate::issuer);
        return Err(Failure::said(
            Kind::NotFound,
            format!("no authority is shown: the certificate of `{issuer}` is missing"),
        )
        .with_hint("get it from who runs that authority, and `roundel ca add FILE`"));
    };
    let print = Fingerprint::of(highest.der());
    let question = format!("Trust `{}`, {print}?", highest.called());
    let hint = format!("say `--sha256 {print}` once you have compared it, or -yes");
    if !how.yes && (!context.terminals.input || !context.terminals.err) {
        if context.json {
            let shown = chain.iter().map(ca::shown).collect();
            context.print_json(&Untrusted { shown })?;
        }
        return Err(Failure::said(
            Kind::Refused,
            "nobody is there to say whether it is to be trusted",
        )
        .with_hint(hint));
    }
    context.confirm(&question, how.yes)?;
    Ok(highest.clone())
}
