//! `tls`: certificates looked at before they are used, made, and fetched from others to be looked at.

mod acme;
mod fetch_chain;
mod self_signed;
mod verify;

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use roundel::certificates::PEM_MAX;
use roundel::error::Kind;
use zeroize::Zeroizing;

use super::context::Context;
use super::{End, Failure, settings};

pub(super) use fetch_chain::{print as print_chain, print_way};

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

/// What a file of certificates or of a key holds; `-` is standard input.
pub(super) fn bytes(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    settings::bytes(path, PEM_MAX)
}

/// Writes a file that is not there yet.
fn new_file(path: &Path, text: &str, mode: u32) -> Result<(), Failure> {
    let mut options = OpenOptions::new();
    let file = options.write(true).create_new(true).mode(mode).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|err| {
            let why = format!("failed to write `{}`: {err}", path.display());
            Failure::said(Kind::Usage, why).with_hint("name a file that is not there yet")
        })
}
