//! `tls verify`: a certificate and its key, step by step. With files nobody else is asked; without, the server looks at its
//! settings.

use std::path::{Path, PathBuf};

use roundel::api::doctor::Verdict;
use roundel::api::settings::Changes;
use roundel::api::trial::Try;
use roundel::certificates::{Front, Question, authorities};
use roundel::clock::{self, Timestamp};
use roundel::error::Kind;
use roundel::secret::Secret;
use roundel::services::ca;
use roundel::services::tls::verify::{moment, verify};
use roundel::settings::registry::TestId;
use roundel::settings::value::Values;
use serde_json::Value as Json;

use super::{bytes, new_file};
use crate::cli::context::Context;
use crate::cli::words::count;
use crate::cli::{End, Failure, trial};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The file of the certificate and its issuers
    certificate: Option<PathBuf>,
    /// The file of its key
    key: Option<PathBuf>,
    /// The name by which people reach the server [default without files: the setting `hostname`]
    #[arg(long, value_name = "HOST")]
    hostname: Option<String>,
    /// What stands in front of the server [default without files: the setting `privacy.behind`]
    #[arg(long, value_name = "WHAT")]
    behind: Option<Behind>,
    /// Look as if it were then: 2027-01-31, or a moment in RFC 3339 [default: now]
    #[arg(long, value_name = "DATE", value_parser = at)]
    at: Option<Timestamp>,
    /// Trust the authorities of this file, besides the system's
    #[arg(long, value_name = "FILE", requires = "certificate")]
    ca: Vec<PathBuf>,
    /// Trust nobody but those of --ca
    #[arg(long, requires = "ca")]
    only_ca: bool,
    /// Write the certificates into a new file, in the order in which they have to stand
    #[arg(long, value_name = "FILE", requires = "certificate")]
    write_ordered: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Behind {
    /// Nothing: people see this certificate
    Direct,
    /// A load balancer that holds the real certificate
    Elb,
}

fn at(text: &str) -> Result<Timestamp, &'static str> {
    moment(text).ok_or("write it as 2027-01-31 or 2027-01-31T12:00:00Z")
}

pub(super) async fn run(args: &Args, context: &mut Context<'_>) -> Result<End, Failure> {
    let Some(certificate) = &args.certificate else {
        return trial::run(context, &of_settings(args)).await;
    };
    let certificate = bytes(certificate)?;
    let key = args.key.as_deref().map(bytes).transpose()?;
    let mut trusted = match args.only_ca {
        true => Vec::new(),
        false => ca::trusted(&Values::default()),
    };
    for path in &args.ca {
        let found = authorities(&bytes(path)?).path;
        if found.is_empty() {
            let why = format!("`{}` holds no certificate in PEM", path.display());
            return Err(Failure::said(Kind::Usage, why));
        }
        trusted.extend(found);
    }
    let (verified, ordered) = verify(&Question {
        certificate: &certificate,
        key: key.as_ref().map(|key| key.as_slice()),
        host: args.hostname.as_deref(),
        front: match args.behind {
            Some(Behind::Elb) => Front::Balancer,
            _ => Front::Direct,
        },
        now: Some(args.at.unwrap_or_else(clock::now)),
        trusted: Some(&trusted),
    });
    let steps = &verified.steps;
    if context.json {
        context.print_json(&verified)?;
    } else {
        for step in steps {
            trial::print(context, step)?;
        }
        let number = |verdict| steps.iter().filter(|step| step.verdict == verdict).count() as u64;
        writeln!(
            context.out,
            "\n{}: {} failed, {}.",
            count(steps.len() as u64, "step"),
            number(Verdict::Failed),
            count(number(Verdict::Warning), "warning")
        )?;
    }
    if let Some(path) = &args.write_ordered {
        write_ordered(path, ordered.as_deref(), context)?;
    }
    Ok(match verified.verdict {
        Verdict::Failed => End::Kind(Kind::Usage),
        _ => End::Ok,
    })
}

/// The same question to the server, on what its settings say.
fn of_settings(args: &Args) -> Try {
    let mut wanted = Try {
        test: TestId::Tls,
        changes: Changes::default(),
        words: Default::default(),
    };
    let mut word = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            wanted.words.insert(name.to_owned(), Secret::new(value));
        }
    };
    word("hostname", args.hostname.clone());
    word("at", args.at.map(|at| at.to_string()));
    if let Some(behind) = args.behind {
        let behind = match behind {
            Behind::Direct => "direct",
            Behind::Elb => "elb",
        };
        let key = "privacy.behind".to_owned();
        wanted.changes.set.insert(key, Json::from(behind));
    }
    wanted
}

fn write_ordered(
    path: &Path,
    ordered: Option<&str>,
    context: &mut Context<'_>,
) -> Result<(), Failure> {
    let Some(text) = ordered else {
        writeln!(
            context.err,
            "Nothing was written: the order is right, or there is nothing to order."
        )?;
        return Ok(());
    };
    new_file(path, text, 0o666)?;
    writeln!(
        context.err,
        "In their order the certificates are in `{}`.",
        path.display()
    )?;
    Ok(())
}
