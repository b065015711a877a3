//! `secrets` and `unlock`: what keeps the key of the secrets, and the passphrase that opens them.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use roundel::api::secrets::SecretsStand;
use roundel::error::Kind;
use roundel::secret::Secret;
use rustix::termios::OptionalActions;

use super::context::Context;
use super::{End, Failure, settings};

/// Longest passphrase that is read, in bytes.
const LONGEST: usize = 4096;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Verb {
    /// Say what keeps the key of the secrets, and whether they are locked
    Status,
    /// Put the key under a passphrase, which has to be given after each start of the server: `roundel unlock`
    Protect(Given),
    /// Take the passphrase off: the key is a file of the server's account again
    Unprotect(Given),
}

#[derive(Debug, clap::Args)]
pub(super) struct Given {
    /// Read the passphrase from a file; `-` is standard input [default: asked for]
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

pub(super) async fn run(verb: &Verb, context: &mut Context<'_>) -> Result<End, Failure> {
    match verb {
        Verb::Status => {
            let stand = context.connect().await?.secrets().await?;
            told(context, stand)
        }
        Verb::Protect(given) => {
            let passphrase = passphrase(context, given.file.as_deref(), true)?;
            let client = context.connect().await?;
            let stand = client.protect_secrets(passphrase).await?;
            told(context, stand)
        }
        Verb::Unprotect(given) => {
            let passphrase = passphrase(context, given.file.as_deref(), false)?;
            let client = context.connect().await?;
            let stand = client.unprotect_secrets(passphrase).await?;
            told(context, stand)
        }
    }
}

pub(super) async fn unlock(given: &Given, context: &mut Context<'_>) -> Result<End, Failure> {
    let client = context.connect().await?;
    let passphrase = passphrase(context, given.file.as_deref(), false)?;
    let stand = client.unlock(passphrase).await?;
    told(context, stand)
}

fn told(context: &mut Context<'_>, stand: SecretsStand) -> Result<End, Failure> {
    let lock = if stand.locked {
        "locked: `roundel unlock` opens them"
    } else {
        "open"
    };
    let text =
        format!("The secrets are {lock}. {} keeps their key.", stand.guard).replace(". a ", ". A ");
    context.done(&stand, &text)
}

/// A passphrase from a file, from standard input, or typed; `new`: typed twice.
pub(super) fn passphrase(
    context: &mut Context<'_>,
    file: Option<&Path>,
    new: bool,
) -> Result<Secret, Failure> {
    let piped = !std::io::stdin().is_terminal();
    let file = file.or_else(|| piped.then(|| Path::new("-")));
    if let Some(file) = file {
        let text = settings::read(file, LONGEST)?;
        return Ok(Secret::new(text.trim_end_matches(['\n', '\r']).to_owned()));
    }
    let first = typed(context, "Passphrase")?;
    if new && typed(context, "The same again")? != first {
        let why = "the two passphrases are not the same, and nothing is changed";
        return Err(Failure::said(Kind::Usage, why));
    }
    Ok(first)
}

fn typed(context: &mut Context<'_>, question: &str) -> Result<Secret, Failure> {
    let bytes = context.hidden(question, OptionalActions::Flush)?;
    let text = String::from_utf8(bytes)
        .map_err(|_| Failure::said(Kind::Usage, "the passphrase is no text"))?;
    Ok(Secret::new(text.trim_end_matches(['\n', '\r']).to_owned()))
}
