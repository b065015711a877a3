//! `tls`: certificates of this installation.

mod acme;

use super::context::Context;
use super::{End, Failure};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Verb {
    /// Have a certificate issued by an authority (ACME, proved by DNS), and serve it
    Acme(acme::Args),
    /// Renew the certificate that `tls acme` ordered, when it ends soon
    Renew(acme::Renew),
}

pub(super) async fn run(verb: &Verb, context: &mut Context<'_>) -> Result<End, Failure> {
    match verb {
        Verb::Acme(args) => acme::order(args, context).await,
        Verb::Renew(args) => acme::renew(args, context).await,
    }
}
