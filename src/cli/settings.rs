//! `settings`: what the installation is told: listed, staged, looked at, saved as versions, as a file and back.

mod drift;
mod exchange;
mod show;

use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};

use roundel::api::settings::{Changes, DiffQuery, Save, SettingsRef};
use roundel::client::Client;
use roundel::error::Kind;
use roundel::settings::registry::{self, TestId, find};
use roundel::settings::value::TEXT_MAX;
use serde_json::Value as Json;
use zeroize::Zeroizing;

use super::context::Context;
use super::trial;
use super::words::count;
use super::{End, Failure};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Do not ask, and save in spite of warnings (also -yes)
    #[arg(long, global = true)]
    yes: bool,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// List the settings
    List {
        /// Only those of a group: general, services, engines, github, ldap, ...
        group: Option<String>,
        /// Also those that do not matter as the others stand
        #[arg(long)]
        all: bool,
    },
    /// Show one setting: what it means, what it is, who set it
    Get {
        /// Its key
        key: String,
    },
    /// Stage a value for the next save; a secret is read from a file or from standard input
    Set {
        /// Its key
        key: String,
        /// The value; left out, it is read from standard input
        #[arg(conflicts_with = "file")]
        value: Option<String>,
        /// Read the value from a file
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Stage the default for the next save
    Unset {
        /// Its key
        key: String,
    },
    /// Show what is staged, or what two versions differ in
    Diff {
        /// The older version [default: the newest]
        from: Option<u64>,
        /// The newer version [default: what is staged]
        to: Option<u64>,
    },
    /// Forget what is staged
    Discard {
        /// Keys [default: everything]
        keys: Vec<String>,
    },
    /// Save what is staged as a version
    Save,
    /// Tell which files that were rendered from the settings were changed by hand since
    Drift,
    /// List the versions
    History,
    /// Bring the values of a version back, as a new version
    Rollback {
        /// The version
        version: u64,
    },
    /// Put values to a test, step by step: those that hold, over them what is staged, over them what is given here
    Test {
        /// Which test
        #[arg(value_parser = trial::named)]
        test: TestId,
        #[command(flatten)]
        given: trial::Given,
    },
    /// Print the newest version as a file, without its secrets or with them sealed
    Export {
        /// Put the secrets into it too, sealed under the passphrase in this file; `-` is standard input
        #[arg(long, value_name = "FILE")]
        key_file: Option<PathBuf>,
        /// Write it there
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Take a file over: all of it, or nothing when something is wrong with it
    Import {
        /// The file; `-` is standard input
        #[arg(value_name = "FILE", default_value = "-")]
        file: PathBuf,
        /// The passphrase that its secrets are sealed under
        #[arg(long, value_name = "FILE")]
        key_file: Option<PathBuf>,
        /// Only stage it
        #[arg(long)]
        stage: bool,
    },
}

pub(super) async fn run(args: &Args, context: &mut Context<'_>) -> Result<End, Failure> {
    let yes = args.yes;
    match &args.verb {
        Verb::List { group, all } => show::list(group.as_deref(), *all, context).await,
        Verb::Get { key } => show::get(known(key)?, context).await,
        Verb::Set { key, value, file } => {
            let text = given(known(key)?, value.as_deref(), file.as_deref())?;
            let mut changes = Changes::default();
            changes.set.insert(key.clone(), Json::String(text));
            stage(&changes, context).await
        }
        Verb::Unset { key } => {
            let changes = Changes {
                unset: vec![known(key)?.to_owned()],
                ..Changes::default()
            };
            stage(&changes, context).await
        }
        Verb::Diff { from, to } => {
            let query = DiffQuery {
                from: *from,
                to: *to,
            };
            show::diff(&query, context).await
        }
        Verb::Discard { keys } => {
            for key in keys {
                known(key)?;
            }
            let client = context.connect().await?;
            let done = client.discard_settings(keys.clone()).await?.value;
            context.done(&done, "What was staged is forgotten.")
        }
        Verb::Save => save(Changes::default(), yes, context).await,
        Verb::Drift => drift::run(context).await,
        Verb::History => show::history(context).await,
        Verb::Rollback { version } => {
            context.confirm(
                &format!("Bring version {version} of the settings back?"),
                yes,
            )?;
            let client = context.connect().await?;
            let done = client.roll_settings_back(*version).await?.value;
            saved(context, &done)
        }
        Verb::Test { test, given } => trial::run(context, &given.of(*test)?).await,
        Verb::Export { key_file, out } => {
            exchange::export(key_file.as_deref(), out.as_deref(), context).await
        }
        Verb::Import {
            file,
            key_file,
            stage,
        } => exchange::import(file, key_file.as_deref(), *stage, yes, context).await,
    }
}

async fn stage(changes: &Changes, context: &mut Context<'_>) -> Result<End, Failure> {
    let client = context.connect().await?;
    let done = client.stage_settings(changes).await?.value;
    let staged = client.settings_diff(&DiffQuery::default()).await?.len();
    let text = match staged {
        0 => "Nothing is staged: that is what is saved already.".to_owned(),
        n => format!(
            "{} staged. `roundel settings diff` shows what, `roundel settings save` saves it.",
            count(n as u64, "change")
        ),
    };
    context.done(&done, &text)
}

/// Said of what is only staged.
pub(super) const STAGED: &str = "Staged: `roundel settings save` saves it.";

/// Stages or saves some changes for another verb, and says so. A save takes nothing with it that somebody else has staged.
///
/// # Errors
/// Where something else is staged, and what the server has against it.
pub(super) async fn put(
    client: &Client,
    changes: Changes,
    only_stage: bool,
    yes: bool,
) -> Result<String, Failure> {
    if only_stage {
        client.stage_settings(&changes).await?;
        return Ok(STAGED.to_owned());
    }
    let set = changes.set.keys().map(String::as_str);
    let ours: Vec<&str> = set
        .chain(changes.unset.iter().map(String::as_str))
        .collect();
    nothing_else_is_staged(client, &ours).await?;
    let save = Save {
        changes,
        accept_warnings: yes,
    };
    Ok(version(&client.save_settings(&save).await?.value))
}

/// What a save for another verb came to.
pub(super) fn version(done: &SettingsRef) -> String {
    match done.saved {
        true => format!("Saved as version {} of the settings.", done.version),
        false => "Nothing to save: nothing is changed.".to_owned(),
    }
}

/// A save of these keys takes nothing with it that somebody else has staged.
///
/// # Errors
/// Where something else is staged.
pub(super) async fn nothing_else_is_staged(client: &Client, ours: &[&str]) -> Result<(), Failure> {
    let staged = client.settings_diff(&DiffQuery::default()).await?;
    let other = staged.iter().find(|row| !ours.contains(&row.key.as_str()));
    let Some(other) = other else {
        return Ok(());
    };
    let why = format!(
        "other changes are staged, of `{}` for one, and would be saved with this",
        other.key
    );
    Err(Failure::said(Kind::Conflict, why).with_hint(
        "`roundel settings diff` shows them: save or discard them first, or stage this too with --stage",
    ))
}

async fn save(changes: Changes, yes: bool, context: &mut Context<'_>) -> Result<End, Failure> {
    let save = Save {
        changes,
        accept_warnings: yes,
    };
    let client = context.connect().await?;
    let done = client.save_settings(&save).await?.value;
    saved(context, &done)
}

fn saved(context: &mut Context<'_>, done: &SettingsRef) -> Result<End, Failure> {
    let text = if done.saved {
        format!("Saved as version {}.", done.version)
    } else {
        "Nothing to save: nothing is changed.".to_owned()
    };
    context.done(done, &text)
}

/// A key that is there, before a server is asked.
pub(super) fn known(key: &str) -> Result<&str, Failure> {
    if find(key).is_some() {
        return Ok(key);
    }
    let failure = Failure::said(Kind::NotFound, format!("there is no setting `{key}`"));
    Err(match registry::meant(key) {
        Some(near) => failure.with_hint(format!("`{near}` is one")),
        None => failure.with_hint("`roundel settings list --all` lists them"),
    })
}

/// The value that was given: a word, a file, or standard input. A secret never as a word: every account of the machine
/// can read the words of a command.
pub(super) fn given(key: &str, word: Option<&str>, file: Option<&Path>) -> Result<String, Failure> {
    let entry = find(key).map(|(_, entry)| entry);
    let is_secret = |word| entry.is_some_and(|entry| entry.would_hide(word));
    match (word, file) {
        (Some(word), _) if is_secret(word) => Err(Failure::said(
            Kind::Usage,
            format!("`{key}` is a secret and cannot stand on the command line"),
        )
        .with_hint(format!(
            "write it into a file: `roundel settings set {key} --file FILE`, or give it on standard input"
        ))),
        (Some(word), _) => Ok(word.to_owned()),
        (None, Some(path)) => bounded(path),
        (None, None) => {
            if std::io::stdin().is_terminal() {
                return Err(Failure::said(
                    Kind::Usage,
                    format!("no value was given for `{key}`"),
                )
                .with_hint("give it as a word, with `--file FILE`, or on standard input"));
            }
            bounded(Path::new("-"))
        }
    }
    .map(|text| match find(key) {
        // A file ends its only line, and that is no part of the value.
        Some((_, entry)) if is_one_line(entry.kind) => text.trim_end_matches(['\n', '\r']).to_owned(),
        _ => text,
    })
}

fn is_one_line(kind: registry::Kind) -> bool {
    use registry::Kind as K;
    !matches!(kind, K::Lines | K::Pem | K::SecretPem | K::List)
}

/// What a file holds, up to a byte more than may be; `-` is standard input. Wiped when it goes: it may be a key.
pub(super) fn bytes(path: &Path, most: usize) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let limit = most as u64 + 1;
    let mut bytes = Zeroizing::new(Vec::new());
    let read = if path == Path::new("-") {
        std::io::stdin().lock().take(limit).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes))
    };
    read.map_err(|err| {
        let why = format!("failed to read `{}`: {err}", path.display());
        Failure::said(Kind::Usage, why)
    })?;
    Ok(bytes)
}

/// What a file, or standard input for `-`, holds, up to the longest value.
pub(super) fn bounded(path: &Path) -> Result<String, Failure> {
    read(path, TEXT_MAX)
}

pub(super) fn read(path: &Path, most: usize) -> Result<String, Failure> {
    let mut bytes = bytes(path, most)?;
    if bytes.len() > most {
        return Err(Failure::said(
            Kind::Usage,
            format!("`{}` is longer than {} KB", path.display(), most / 1024),
        ));
    }
    String::from_utf8(std::mem::take(&mut *bytes))
        .map_err(|_| Failure::said(Kind::Usage, format!("`{}` is no text", path.display())))
}
