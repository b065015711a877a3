//! Settings as people read them: the list, one of them, differences, versions.

use roundel::api::settings::{DiffQuery, Finding, SettingRow, Source};
use roundel::error::Kind;
use roundel::settings::registry;
use roundel::settings::value::Value;
use serde_json::Value as Json;

use crate::cli::context::Context;
use crate::cli::problems::print_findings;
use crate::cli::table::{block, table};
use crate::cli::{End, Failure};

pub(super) async fn list(
    group: Option<&str>,
    all: bool,
    context: &mut Context<'_>,
) -> Result<End, Failure> {
    if let Some(name) = group
        && registry::group(name).is_none()
    {
        let names: Vec<&str> = registry::GROUPS.iter().map(|group| group.name).collect();
        return Err(
            Failure::said(Kind::NotFound, format!("there is no group `{name}`"))
                .with_hint(format!("one of {}", names.join(", "))),
        );
    }
    let client = context.connect().await?;
    let mut settings = client.settings().await?;
    if let Some(name) = group {
        settings.groups.retain(|group| group.name == name);
        settings.settings.retain(|row| row.group == name);
        settings.findings.retain(|finding| finding.group == name);
    }
    if context.json {
        context.print_json(&settings)?;
        return Ok(End::Ok);
    }
    for group in &settings.groups {
        let rows: Vec<[String; 4]> = settings
            .settings
            .iter()
            .filter(|row| row.group == group.name && (all || row.shown))
            .map(|row| [row.key.clone(), shown(row), from(row), row.label.clone()])
            .collect();
        writeln!(context.out, "{}", group.title)?;
        if let Some(note) = &group.note {
            writeln!(context.out, "{note}")?;
        }
        if !rows.is_empty() {
            table(context.out, ["Key", "Value", "From", "Label"], &rows)?;
        }
        writeln!(context.out)?;
    }
    let paint = context.out_paint();
    print_findings(&settings.findings, context.out, paint)?;
    Ok(End::Ok)
}

pub(super) async fn get(key: &str, context: &mut Context<'_>) -> Result<End, Failure> {
    let client = context.connect().await?;
    let settings = client.settings().await?;
    let Some(row) = settings.settings.into_iter().find(|row| row.key == key) else {
        // One of a family that nothing was given for.
        return Err(Failure::said(Kind::NotFound, format!("`{key}` is not set")));
    };
    if context.json {
        context.print_json(&row)?;
        return Ok(End::Ok);
    }
    let mut lines = vec![
        ("Key", row.key.clone()),
        ("Label", row.label.clone()),
        ("Value", shown(&row)),
        ("From", from(&row)),
        ("Takes", row.takes.clone()),
        ("Needs", row.restart.described().to_owned()),
    ];
    if let (Some(at), Some(by)) = (row.changed_at, &row.changed_by) {
        lines.push(("Changed", format!("{at} by {by}")));
    }
    block(context.out, &lines)?;
    writeln!(context.out, "\n{}", row.help)?;
    let findings: Vec<Finding> = settings
        .findings
        .into_iter()
        .filter(|finding| finding.key == key)
        .collect();
    if !findings.is_empty() {
        writeln!(context.out)?;
    }
    let paint = context.out_paint();
    print_findings(&findings, context.out, paint)?;
    Ok(End::Ok)
}

pub(super) async fn diff(query: &DiffQuery, context: &mut Context<'_>) -> Result<End, Failure> {
    let client = context.connect().await?;
    let rows = client.settings_diff(query).await?;
    let said = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let heading = ["Key", "Before", "After", "Needs"];
    context.rows(rows, "No difference.", heading, |row| {
        let new = if row.secret && row.old.is_some() && row.new.is_some() {
            "(changed)".to_owned()
        } else {
            said(row.new)
        };
        let needs = row.restart.described().to_owned();
        [row.key, said(row.old), new, needs]
    })
}

pub(super) async fn history(context: &mut Context<'_>) -> Result<End, Failure> {
    let client = context.connect().await?;
    let versions = client.settings_versions().await?;
    let none = "Nothing was saved yet: everything is at its default.";
    let heading = ["Version", "At", "By", "From", "Changed"];
    context.rows(versions, none, heading, |one| {
        let (version, at) = (one.version.to_string(), one.at.to_string());
        [version, at, one.by, one.origin, one.keys.join(", ")]
    })
}

fn shown(row: &SettingRow) -> String {
    match (&row.value, row.set) {
        (None, true) => "(set)".to_owned(),
        (None, false) => "-".to_owned(),
        (Some(Json::String(text)), _) if text.is_empty() => "-".to_owned(),
        (Some(json), _) => registry::find(&row.key)
            .and_then(|(_, entry)| Value::from_json(entry.kind, json).ok())
            .map_or_else(|| json.to_string(), |value| value.shown()),
    }
}

fn from(row: &SettingRow) -> String {
    match row.source {
        Source::Default => "default",
        Source::Saved if row.waits_for_restart => "saved, waits for a restart",
        Source::Saved => "saved",
        Source::Staged => "staged",
    }
    .to_owned()
}
