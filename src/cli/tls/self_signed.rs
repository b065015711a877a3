//! `tls self-signed`: a key and a certificate of its own, into files or into the settings.

use std::path::PathBuf;

use roundel::api::certificates::Shown;
use roundel::api::settings::Changes;
use roundel::certificates::authorities;
use roundel::clock;
use roundel::error::Kind;
use roundel::services::ca;
use roundel::services::tls::make::{self, DAYS, DAYS_MAX, Made};
use serde::Serialize;
use serde_json::Value as Json;

use super::new_file;
use crate::cli::context::Context;
use crate::cli::settings;
use crate::cli::{End, Failure};

#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("into").required(true).multiple(true).args(["out_cert", "stage", "save"]))]
pub(in crate::cli) struct Args {
    /// The name or address that it is for; several are allowed
    #[arg(long, value_name = "HOST", required = true)]
    hostname: Vec<String>,
    /// How long it holds
    #[arg(long, value_name = "N", default_value_t = DAYS, value_parser = clap::value_parser!(u32).range(1..=i64::from(DAYS_MAX)))]
    days: u32,
    /// Write the certificate into a new file
    #[arg(long, value_name = "FILE", requires = "out_key")]
    out_cert: Option<PathBuf>,
    /// Write the key into a new file, which only this account can read
    #[arg(long, value_name = "FILE", requires = "out_cert")]
    out_key: Option<PathBuf>,
    /// Stage both in the settings, for the next save
    #[arg(long, conflicts_with = "save")]
    stage: bool,
    /// Save both in the settings
    #[arg(long)]
    save: bool,
    /// Save in spite of warnings, of which a self-signed certificate has some (also -yes)
    #[arg(long)]
    yes: bool,
}

/// What was made; never the key.
#[derive(Serialize)]
struct Told {
    certificate: Shown,
    pem: String,
    certificate_file: Option<PathBuf>,
    key_file: Option<PathBuf>,
}

pub(super) async fn run(args: &Args, context: &mut Context<'_>) -> Result<End, Failure> {
    if let Some(bad) = args.hostname.iter().find(|host| !make::is_host(host)) {
        let why = format!(
            "`{}` is neither a host nor an address",
            roundel::sanitise::line(bad)
        );
        return Err(Failure::said(Kind::Usage, why).with_hint("only the name, as ci.example.com"));
    }
    let made = make::self_signed(&args.hostname, args.days, clock::now()).map_err(|err| {
        Failure::said(
            Kind::Infrastructure,
            roundel::error::Chain(&err).to_string(),
        )
    })?;
    let read = authorities(made.certificate.as_bytes()).path;
    let shown = read
        .first()
        .map(ca::shown)
        .ok_or_else(|| Failure::said(Kind::Internal, "what was made is no certificate"))?;
    if let (Some(certificate), Some(key)) = (&args.out_cert, &args.out_key) {
        // The key first: where the certificate is, its key is too.
        new_file(key, made.key.expose(), 0o600)?;
        new_file(certificate, &made.certificate, 0o644)?;
        if !context.json {
            writeln!(
                context.out,
                "The certificate is in `{}`, its key in `{}`.",
                certificate.display(),
                key.display()
            )?;
        }
    }
    if args.stage || args.save {
        into_settings(args, &made, context).await?;
    }
    if context.json {
        context.print_json(&Told {
            certificate: shown,
            pem: made.certificate,
            certificate_file: args.out_cert.clone(),
            key_file: args.out_key.clone(),
        })?;
    } else {
        writeln!(context.out, "Its fingerprint is {}.", shown.sha256)?;
    }
    Ok(End::Ok)
}

async fn into_settings(args: &Args, made: &Made, context: &mut Context<'_>) -> Result<(), Failure> {
    let mut changes = Changes::default();
    for (key, text) in [
        ("ssl_cert", made.certificate.as_str()),
        ("ssl_private_key", made.key.expose()),
    ] {
        changes.set.insert(key.to_owned(), Json::from(text));
    }
    let client = context.connect().await?;
    let told = settings::put(&client, changes, args.stage, args.yes).await?;
    if !context.json {
        writeln!(context.out, "{told}")?;
    }
    Ok(())
}
