//! Settings: all of them with their findings, staging, saving, versions, and the file.

use std::collections::{BTreeMap, BTreeSet};

use axum::Json;
use axum::extract::{Query, State};

use super::body::Asked;
use super::caller::Caller;
use super::error::{Answer, ApiError, blocking};
use super::router::Server;
use crate::access::Role;
use crate::api::Written;
use crate::api::secrets::GivePassphrase;
use crate::api::settings::{
    Changes, DiffQuery, DiffRow, Discard, Exported, Rollback, Save, SettingGroup, SettingRow,
    Settings, SettingsRef, Source, VersionRow,
};
use crate::engine::{
    Command, CommandError, Note, Reply, SettingsCommand, conflict, hashed, opened, proposed, stored,
};
use crate::settings::check::{Finding, check};
use crate::settings::exchange;
use crate::settings::registry::{Restart, find};
use crate::settings::value::{Value, Values};
use crate::storage::seal::{Passphrase, Seal, SealError};
use crate::store::SettingsRecord;

/// Versions that are listed.
const VERSIONS: u64 = 500;

pub(super) async fn list(State(server): State<Server>) -> Answer<Settings> {
    let record = record(&server).await?;
    let store = server.view.store.clone();
    let people = blocking(move || store.people()).await?;
    let running = server.view.live().settings_running;
    let values = opened(proposed(&record).into_iter(), &server.seal);
    let mut rows = SettingRow::all(&values);
    for row in &mut rows {
        place(row, &record, running);
    }
    let mut findings = check(&values);
    findings.extend(conflict(&values, &people));
    Ok(Json(Settings {
        version: record.version,
        running,
        groups: SettingGroup::all(),
        settings: rows,
        findings,
    }))
}

/// Says where a value comes from.
fn place(row: &mut SettingRow, record: &SettingsRecord, running: u64) {
    let (staged, saved) = (record.staged.get(&row.key), record.saved.get(&row.key));
    let (source, changed) = match (staged, saved) {
        (Some(staged), _) => (Source::Staged, Some((staged.at, &staged.actor))),
        (None, Some(saved)) => (Source::Saved, Some((saved.at, &saved.actor))),
        (None, None) => (Source::Default, None),
    };
    row.source = source;
    row.waits_for_restart =
        row.restart != Restart::Live && saved.is_some_and(|saved| saved.version > running);
    row.changed_at = changed.map(|(at, _)| at);
    row.changed_by = changed.map(|(_, by)| by.clone());
}

pub(super) async fn stage(
    State(server): State<Server>,
    caller: Caller,
    Asked(changes): Asked<Changes>,
) -> Answer<Written<SettingsRef>> {
    let changes = hash(read(changes)?).await?;
    send(&server, caller, SettingsCommand::Stage(changes)).await
}

pub(super) async fn discard(
    State(server): State<Server>,
    caller: Caller,
    Asked(wanted): Asked<Discard>,
) -> Answer<Written<SettingsRef>> {
    send(&server, caller, SettingsCommand::Discard(wanted.keys)).await
}

pub(super) async fn save(
    State(server): State<Server>,
    caller: Caller,
    Asked(wanted): Asked<Save>,
) -> Answer<Written<SettingsRef>> {
    let command = SettingsCommand::Save {
        changes: hash(read(wanted.changes)?).await?,
        accept_warnings: wanted.accept_warnings,
    };
    send(&server, caller, command).await
}

pub(super) async fn rollback(
    State(server): State<Server>,
    caller: Caller,
    Asked(wanted): Asked<Rollback>,
) -> Answer<Written<SettingsRef>> {
    send(&server, caller, SettingsCommand::Rollback(wanted.version)).await
}

pub(super) async fn versions(State(server): State<Server>) -> Answer<Vec<VersionRow>> {
    let store = server.view.store.clone();
    let versions = blocking(move || store.settings_versions(VERSIONS)).await?;
    let rows = versions.into_iter().map(|one| VersionRow {
        version: one.version,
        at: one.at,
        by: one.actor,
        origin: one.origin,
        keys: one.keys,
    });
    Ok(Json(rows.collect()))
}

pub(super) async fn diff(
    State(server): State<Server>,
    Query(query): Query<DiffQuery>,
) -> Answer<Vec<DiffRow>> {
    let now = record(&server).await?;
    let side = |version: Option<u64>| {
        let store = server.view.store.clone();
        let newest = now.version;
        async move {
            match version {
                None => Ok(None),
                Some(version) if version > newest => Err(ApiError::not_found(
                    "version of the settings",
                    &version.to_string(),
                )),
                Some(version) => blocking(move || store.settings_at(version)).await.map(Some),
            }
        }
    };
    let (from, to) = (side(query.from).await?, side(query.to).await?);
    let old: BTreeMap<_, _> = stored(from.as_ref().unwrap_or(&now.saved)).collect();
    let new = match &to {
        Some(saved) => stored(saved).collect(),
        None => proposed(&now),
    };
    let keys: BTreeSet<&str> = old.keys().chain(new.keys()).copied().collect();
    let rows = keys.into_iter().filter_map(|key| {
        let (old, new) = (old.get(key).copied(), new.get(key).copied());
        (old != new).then(|| diff_row(key, old, new, &server.seal))?
    });
    Ok(Json(rows.collect()))
}

fn diff_row(
    key: &str,
    old: Option<&serde_json::Value>,
    new: Option<&serde_json::Value>,
    seal: &Seal,
) -> Option<DiffRow> {
    let (_, entry) = find(key)?;
    let shown = |json: Option<&serde_json::Value>| {
        let values = opened(json.into_iter().map(|json| (key, json)), seal);
        values.given(key).map(Value::shown)
    };
    Some(DiffRow {
        key: key.to_owned(),
        label: entry.label.to_owned(),
        old: shown(old),
        new: shown(new),
        secret: entry.kind.is_secret(),
        restart: entry.restart,
    })
}

pub(super) async fn export(State(server): State<Server>) -> Answer<Exported> {
    let record = record(&server).await?;
    let values = opened(stored(&record.saved), &server.seal);
    Ok(Json(Exported {
        toml: exchange::write(&values, &BTreeMap::new()),
        version: record.version,
    }))
}

/// The same, its secrets sealed under a passphrase.
pub(super) async fn export_sealed(
    State(server): State<Server>,
    caller: Caller,
    Asked(given): Asked<GivePassphrase>,
) -> Answer<Exported> {
    caller
        .permit(&server, Role::Admin, "settings.export")
        .await?;
    let record = record(&server).await?;
    let note = Note {
        action: "settings.export",
        object: "settings".to_owned(),
        detail: format!("version {}, with its secrets sealed", record.version),
        failure: None,
    };
    caller.note(&server, note).await?;
    blocking(move || {
        let sealer = Passphrase::new(&given.passphrase)?;
        let values = opened(stored(&record.saved), &server.seal);
        let mut sealed = BTreeMap::new();
        for (key, value) in values.iter() {
            match value {
                Value::Locked => return Err(SealError::Locked),
                Value::Secret(secret) => {
                    let text = sealer.wrap(key, secret.expose().as_bytes());
                    sealed.insert(key.to_owned(), text);
                }
                _ => {}
            }
        }
        Ok(Json(Exported {
            toml: exchange::write(&values, &sealed),
            version: record.version,
        }))
    })
    .await
}

pub(super) async fn record(server: &Server) -> Result<SettingsRecord, ApiError> {
    let store = server.view.store.clone();
    blocking(move || store.settings()).await
}

/// Changes in the values of the registry, or everything that is wrong with them.
pub(super) fn read(changes: Changes) -> Result<Vec<(String, Option<Value>)>, ApiError> {
    let (mut read, mut findings) = (Vec::new(), Vec::new());
    for (key, json) in changes.set {
        match find(&key) {
            None => findings.push(Finding::unknown(&key)),
            Some((_, entry)) => match Value::from_json(entry.kind, &json) {
                Ok(value) => read.push((key, Some(value))),
                Err(message) => findings.push(Finding::unreadable(&key, message)),
            },
        }
    }
    for key in changes.unset {
        if find(&key).is_some() {
            read.push((key, None));
        } else {
            findings.push(Finding::unknown(&key));
        }
    }
    if findings.is_empty() {
        Ok(read)
    } else {
        Err(ApiError::settings(findings))
    }
}

/// The same changes, with hashes of what is only ever compared: looked at by its rule while it can be read.
async fn hash(
    changes: Vec<(String, Option<Value>)>,
) -> Result<Vec<(String, Option<Value>)>, ApiError> {
    let mut findings = Vec::new();
    for (key, value) in &changes {
        if let (Some((_, entry)), Some(value)) = (find(key), value)
            && entry.hashed
            && let Some(rule) = entry.rule
            && !value.is_empty()
        {
            let faults = rule(value, &Values::default()).into_iter();
            findings.extend(faults.map(|fault| Finding::of(key, fault)));
        }
    }
    if findings.iter().any(Finding::is_error) {
        return Err(ApiError::settings(findings));
    }
    blocking(move || {
        let hashed = changes.into_iter().map(|(key, value)| {
            let value = value.map(|value| hashed(&key, value));
            (key, value)
        });
        Ok::<_, ApiError>(hashed.collect())
    })
    .await
}

pub(super) async fn send(
    server: &Server,
    caller: Caller,
    command: SettingsCommand,
) -> Answer<Written<SettingsRef>> {
    let sent = caller.send(server, Command::Settings(command)).await;
    match sent {
        Ok((seq, Reply::Settings { version, keys })) => Ok(Json(Written {
            seq,
            value: SettingsRef {
                version,
                saved: !keys.is_empty(),
            },
        })),
        Ok(_) => Err(ApiError::astray("the settings")),
        Err(CommandError::Settings { findings }) => Err(ApiError::settings(findings)),
        Err(err) => Err(err.into()),
    }
}
