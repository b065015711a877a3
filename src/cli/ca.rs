//! `ca`: whom Roundel trusts besides the system's authorities: listed, added from a file or from what a host shows, removed.
//!
//! All of them stand in one setting; these verbs write it.

mod fetch;

use std::path::{Path, PathBuf};

use roundel::access::Fingerprint;
use roundel::api::certificates::{Shown, Trust};
use roundel::certificates::{Certificate, authorities, pem};
use roundel::client::Client;
use roundel::error::Kind;
use roundel::services::ca::{self, SETTING};
use serde_json::Value as Json;

use super::context::Context;
use super::words::count;
use super::{End, Failure, certificates, settings, tls};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Do not ask, and save in spite of warnings (also -yes)
    #[arg(long, global = true)]
    yes: bool,
    /// Only stage it, for the next save of the settings
    #[arg(long, global = true)]
    stage: bool,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// List the authorities that are trusted besides the system's
    List,
    /// Trust the certificates of files
    Add {
        /// Files in PEM or DER
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Trust one no more
    Remove {
        /// Begin of its SHA-256, 8 digits or more
        #[arg(value_name = "FINGERPRINT")]
        print: String,
    },
    /// Show what a host shows, and trust its authority once somebody has said so
    Fetch(fetch::Args),
}

/// What every verb that changes something needs to know.
#[derive(Clone, Copy)]
struct How {
    yes: bool,
    stage: bool,
}

pub(super) async fn run(args: &Args, context: &mut Context<'_>) -> Result<End, Failure> {
    let how = How {
        yes: args.yes,
        stage: args.stage,
    };
    match &args.verb {
        Verb::List => list(context).await,
        Verb::Add { files } => {
            let mut more = Vec::new();
            for file in files {
                more.extend(read(file)?);
            }
            let client = context.connect().await?;
            add(&client, more, how, context).await
        }
        Verb::Remove { print } => remove(print, how, context).await,
        Verb::Fetch(args) => fetch::run(args, how, context).await,
    }
}

/// Those of the settings, also where they are only staged.
async fn trusted(client: &Client) -> Result<Vec<Certificate>, Failure> {
    let settings = client.settings().await?;
    let row = settings.settings.iter().find(|row| row.key == SETTING);
    let text = row
        .and_then(|row| row.value.as_ref())
        .and_then(Json::as_str);
    Ok(authorities(text.unwrap_or_default().as_bytes()).path)
}

async fn list(context: &mut Context<'_>) -> Result<End, Failure> {
    let client = context.connect().await?;
    let rows: Vec<Shown> = trusted(&client).await?.iter().map(ca::shown).collect();
    context.rows(
        rows,
        "Nobody is trusted besides the system's authorities.",
        ["SHA-256", "Subject", "Until", "Left"],
        |one| {
            [
                digits(&one.sha256)[..16].to_owned(),
                one.subject.clone(),
                one.not_after.day(),
                certificates::left(&one),
            ]
        },
    )
}

/// The certificates of a file, which may also be a single one in DER.
fn read(path: &Path) -> Result<Vec<Certificate>, Failure> {
    let bytes = tls::bytes(path)?;
    if let Ok(one) = Certificate::read(&bytes) {
        return Ok(vec![one]);
    }
    let look = authorities(&bytes);
    if !look.path.is_empty() {
        return Ok(look.path);
    }
    let first = look.findings.into_iter().next();
    let (found, fix) = first.map_or_else(Default::default, |first| (first.found, first.fix));
    let failure = Failure::said(Kind::Usage, format!("`{}` {found}", path.display()));
    Err(match fix {
        Some(fix) => failure.with_hint(fix),
        None => failure,
    })
}

/// Trusts some more. What others add at the same time is trusted as well.
async fn add(
    client: &Client,
    more: Vec<Certificate>,
    how: How,
    context: &mut Context<'_>,
) -> Result<End, Failure> {
    let mut all = trusted(client).await?;
    let (mut added, mut add) = (Vec::new(), String::new());
    for one in more {
        if !all.iter().any(|other| other.der() == one.der()) {
            added.push(ca::shown(&one));
            add.push_str(&pem(one.der()));
            all.push(one);
        }
    }
    if added.is_empty() {
        return context.done(&added, "Nothing to do: they are trusted already.");
    }
    let told = put(client, add, Vec::new(), how).await?;
    let verb = if added.len() == 1 { "is" } else { "are" };
    let what = if how.stage {
        "staged to be trusted"
    } else {
        "trusted"
    };
    let number = count(added.len() as u64, "certificate");
    context.done(&added, &format!("{number} {verb} {what}. {told}"))
}

async fn remove(print: &str, how: How, context: &mut Context<'_>) -> Result<End, Failure> {
    const FEWEST: usize = 8;
    let wanted = digits(&print.to_ascii_lowercase()).replace(':', "");
    if wanted.len() < FEWEST || !wanted.bytes().all(|b| b.is_ascii_hexdigit()) {
        let why = format!(
            "`{}` is no begin of a fingerprint",
            roundel::sanitise::line(print)
        );
        return Err(Failure::said(Kind::Usage, why)
            .with_hint("`roundel ca list` shows them: 8 digits or more"));
    }
    let client = context.connect().await?;
    let all = trusted(&client).await?;
    let is_meant =
        |one: &Certificate| digits(&Fingerprint::of(one.der()).to_string()).starts_with(&wanted);
    let gone: Vec<&Certificate> = all.iter().filter(|one| is_meant(one)).collect();
    match gone.as_slice() {
        [] => Err(Failure::said(
            Kind::NotFound,
            format!("nobody who is trusted has a fingerprint that begins with {wanted}"),
        )
        .with_hint("`roundel ca list` shows them")),
        [one] => {
            let shown = ca::shown(one);
            context.confirm(&format!("Trust `{}` no more?", shown.subject), how.yes)?;
            let remove = vec![shown.sha256.clone()];
            let told = put(&client, String::new(), remove, how).await?;
            let told = format!("`{}` is trusted no more. {told}", shown.subject);
            context.done(&shown, &told)
        }
        many => Err(Failure::said(
            Kind::Conflict,
            format!("{} fingerprints begin with {wanted}", many.len()),
        )
        .with_hint("give more digits")),
    }
}

/// Has the server write the setting.
async fn put(
    client: &Client,
    add: String,
    remove: Vec<String>,
    how: How,
) -> Result<String, Failure> {
    let How { yes, stage } = how;
    if !stage {
        settings::nothing_else_is_staged(client, &[SETTING]).await?;
    }
    let wanted = Trust {
        add,
        remove,
        stage,
        accept_warnings: yes,
    };
    let done = client.trust(&wanted).await?.value;
    Ok(match stage {
        true => settings::STAGED.to_owned(),
        false => settings::version(&done),
    })
}

/// A fingerprint without the name of its algorithm.
fn digits(print: &str) -> &str {
    print.strip_prefix("sha256:").unwrap_or(print)
}
