//! `backup create|verify|restore`. Only the first needs a server: it copies what that server has in use.

use std::path::{Path, PathBuf};

use roundel::api::backups::{Backup, MakeBackup};
use roundel::services::backup;

use super::context::Context;
use super::words::{bytes, count};
use super::{End, Failure};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Verb {
    /// Back up the installation while it is in use
    Create(Create),
    /// Check every file of a backup
    Verify(Verify),
    /// Restore a backup into an empty data directory
    Restore(Restore),
}

#[derive(Debug, clap::Args)]
pub(super) struct Create {
    /// Leave the logs where they are
    #[arg(long)]
    without_logs: bool,
    /// Directory to make on the server's machine
    to: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(super) struct Verify {
    /// Directory of the backup
    backup: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(super) struct Restore {
    /// Directory of the backup
    backup: PathBuf,
    /// Data directory to make
    into: PathBuf,
}

pub(super) async fn create(args: &Create, context: &mut Context<'_>) -> Result<End, Failure> {
    let client = context.connect().await?;
    let wanted = MakeBackup {
        to: std::path::absolute(&args.to)?.display().to_string(),
        logs: !args.without_logs,
    };
    let made = client.make_backup(&wanted).await?;
    if context.json {
        context.print_json(&made)?;
    } else {
        say(context, "Backed up", &made)?;
        writeln!(
            context.out,
            "  {}",
            context.command(&["backup", "verify", &made.path])
        )?;
    }
    Ok(End::Ok)
}

pub(super) fn verify(args: &Verify, context: &mut Context<'_>) -> Result<End, Failure> {
    let found = backup::verify(&args.backup)?;
    print(context, "Whole:", &args.backup, found)
}

pub(super) fn restore(args: &Restore, context: &mut Context<'_>) -> Result<End, Failure> {
    let restored = backup::restore(&args.backup, &args.into)?;
    let (logs, watches) = (restored.facts.logs, restored.watches);
    let end = print(context, "Restored", &args.backup, restored)?;
    if !context.json {
        if !logs {
            writeln!(
                context.out,
                "The logs are not in this backup: copy the folder `logs` of the old data directory."
            )?;
        }
        if watches > 0 {
            let repositories = match watches {
                1 => "1 repository".to_owned(),
                n => format!("{n} repositories"),
            };
            writeln!(
                context.out,
                "It watches {repositories} from its first start on: while the old server runs too, both build what is pushed."
            )?;
        }
        writeln!(
            context.out,
            "No backup holds keys: copy the folders `secrets` and `tls` of the old data directory, else secrets stay closed and other \
             machines are shown another fingerprint."
        )?;
        let into = args.into.display().to_string();
        writeln!(
            context.out,
            "  roundel serve --data {}",
            roundel::sanitise::shell_word(&into)
        )?;
    }
    Ok(end)
}

fn print(
    context: &mut Context<'_>,
    word: &str,
    path: &Path,
    found: backup::Backup,
) -> Result<End, Failure> {
    let found = found.row(path.display().to_string());
    if context.json {
        context.print_json(&found)?;
    } else {
        say(context, word, &found)?;
    }
    Ok(End::Ok)
}

fn say(context: &mut Context<'_>, word: &str, found: &Backup) -> Result<(), Failure> {
    writeln!(
        context.out,
        "{word} {}: {} up to change {}, {}, {} files, {}, of {}.",
        roundel::sanitise::line(&found.path),
        count(found.pipelines, "pipeline"),
        found.seq,
        if found.logs {
            "with logs"
        } else {
            "without logs"
        },
        found.files,
        bytes(found.bytes),
        found.created_at
    )?;
    Ok(())
}
