//! `tls`: certificates looked at before they are used, made, and fetched from others to be looked at.

mod acme;
mod fetch_chain;
mod self_signed;
mod verify;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use roundel::certificates::PEM_MAX;
use roundel::error::Kind;
use zeroize::Zeroizing;

use super::context::Context;
use super::{End, Failure};

pub(super) use fetch_chain::print as print_chain;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Verb {
    /// Look at a certificate and its key, step by step; without files, at those of the settings
    Verify(verify::Args),
    /// Make a key and a certificate that it signs itself
    SelfSigned(self_signed::Args),
    /// Show the certificates that a host shows; nothing of them is believed
    FetchChain(fetch_chain::Args),
    /// Have a certificate issued by an authority (ACME, proved by DNS), and serve it
    Acme(acme::Args),
    /// Renew the certificate that `tls acme` ordered, when it ends soon
    Renew(acme::Renew),
}

pub(super) async fn run(verb: &Verb, context: &mut Context<'_>) -> Result<End, Failure> {
    match verb {
        Verb::Verify(args) => verify::run(args, context).await,
        Verb::SelfSigned(args) => self_signed::run(args, context).await,
        Verb::FetchChain(args) => fetch_chain::run(args, context).await,
        Verb::Acme(args) => acme::order(args, context).await,
        Verb::Renew(args) => acme::renew(args, context).await,
    }
}

/// What a file holds, up to a little more than is looked at; `-` is standard input. Wiped when it goes: it may be a key.
pub(super) fn bytes(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let limit = PEM_MAX as u64 + 1;
    let mut bytes = Zeroizing::new(Vec::new());
    let read = if path == Path::new("-") {
        std::io::stdin().lock().take(limit).read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes))
    };
    read.map_err(|err| {
        let why = format!("failed to read `{}`: {err}", path.display());
        Failure::said(Kind::Usage, why)
    })?;
    Ok(bytes)
}
