//! Settings to a file and back.

use std::path::Path;

use roundel::api::settings::{Changes, Finding};
use roundel::error::{Explain, Kind};
use roundel::settings::exchange::{self, FILE_MAX, Item};
use roundel::storage::seal::Opener;
use serde_json::Value as Json;

use super::{read, save, stage};
use crate::cli::context::Context;
use crate::cli::{End, Failure, secrets};

pub(super) async fn export(
    key_file: Option<&Path>,
    out: Option<&Path>,
    context: &mut Context<'_>,
) -> Result<End, Failure> {
    let client = context.connect().await?;
    let exported = match key_file {
        Some(file) => {
            let passphrase = secrets::passphrase(context, Some(file), true)?;
            client.export_settings_sealed(passphrase).await?
        }
        None => client.export_settings().await?,
    };
    if let Some(path) = out {
        std::fs::write(path, &exported.toml).map_err(|err| {
            Failure::said(
                Kind::Usage,
                format!("failed to write `{}`: {err}", path.display()),
            )
        })?;
        writeln!(
            context.out,
            "Version {} is in {}.",
            exported.version,
            path.display()
        )?;
    } else if context.json {
        context.print_json(&exported)?;
    } else {
        write!(context.out, "{}", exported.toml)?;
    }
    Ok(End::Ok)
}

pub(super) async fn import(
    file: &Path,
    key_file: Option<&Path>,
    only_stage: bool,
    yes: bool,
    context: &mut Context<'_>,
) -> Result<End, Failure> {
    let text = read(file, FILE_MAX)?;
    let items = exchange::read(&text)
        .map_err(|err| {
            let hint = err.hint();
            let failure = Failure::said(err.kind(), err.to_string());
            match hint {
                Some(hint) => failure.with_hint(hint),
                None => failure,
            }
        })?
        .map_err(|findings| wrong(file, findings))?;
    let mut changes = Changes::default();
    let mut findings = Vec::new();
    let mut opener = match key_file {
        Some(file) => Some(Opener::new(secrets::passphrase(
            context,
            Some(file),
            false,
        )?)),
        None => None,
    };
    for (key, item) in items {
        let json = match item {
            Item::Value(value) => Ok(value.to_json().unwrap_or_else(|| Json::from(value.text()))),
            Item::File(path) => super::bounded(Path::new(&path))
                .map(Json::from)
                .map_err(|failure| format!("cannot be had: {failure}")),
            Item::Sealed(sealed) => match &mut opener {
                Some(opener) => opener
                    .open(&key, &sealed)
                    .map(|plain| Json::from(String::from_utf8_lossy(&plain)))
                    .ok_or_else(|| "does not open with this passphrase".to_owned()),
                None => Err("is sealed: give the passphrase with `--key-file FILE`".to_owned()),
            },
        };
        match json {
            Ok(json) => _ = changes.set.insert(key, json),
            Err(why) => findings.push(Finding::unreadable(&key, why)),
        }
    }
    if !findings.is_empty() {
        return Err(wrong(file, findings));
    }
    if only_stage {
        stage(&changes, context).await
    } else {
        save(changes, yes, context).await
    }
}

fn wrong(file: &Path, findings: Vec<Finding>) -> Failure {
    Failure::Settings {
        what: file.display().to_string(),
        findings,
    }
}
