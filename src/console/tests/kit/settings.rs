//! Settings as the server answers them, from what was saved and staged.

use roundel::api::doctor::Verdict;
use roundel::api::settings::{DiffRow, SettingGroup, SettingRow, Settings, Source, VersionRow};
use roundel::api::trial::Step;
use roundel::error::Kind as Failing;
use roundel::settings::check::check;
use roundel::settings::registry::find;
use roundel::settings::value::{Value, Values};

use super::ago;

/// All settings, of which some are saved.
pub fn settings(saved: &[(&str, &str)]) -> Settings {
    settings_with(saved, &[])
}

/// The same, with some that are staged.
pub fn settings_with(saved: &[(&str, &str)], staged: &[(&str, &str)]) -> Settings {
    let mut values = Values::default();
    for (key, text) in saved.iter().chain(staged) {
        let kind = find(key).expect("a setting").1.kind;
        values.set(*key, Value::parse(kind, text).expect("of its kind"));
    }
    let source = |key: &str| {
        let is = |pairs: &[(&str, &str)]| pairs.iter().any(|(known, _)| *known == key);
        match (is(staged), is(saved)) {
            (true, _) => Source::Staged,
            (false, true) => Source::Saved,
            (false, false) => Source::Default,
        }
    };
    let mut rows = SettingRow::all(&values);
    for row in &mut rows {
        row.source = source(&row.key);
        let given = row.source != Source::Default;
        row.changed_at = given.then(|| ago(60));
        row.changed_by = given.then(|| "ann".to_owned());
    }
    Settings {
        version: 4,
        running: 4,
        groups: SettingGroup::all(),
        settings: rows,
        findings: check(&values),
    }
}

/// What is staged, as the difference to what is saved: nothing was before.
pub fn difference(settings: &Settings) -> Vec<DiffRow> {
    let staged = settings.settings.iter();
    let staged = staged.filter(|row| row.source == Source::Staged);
    let rows = staged.map(|row| DiffRow {
        key: row.key.clone(),
        label: row.label.clone(),
        old: None,
        new: match &row.value {
            Some(json) => Some(json.to_string().trim_matches('"').to_owned()),
            None => Some("(set)".to_owned()),
        },
        secret: row.secret,
        restart: row.restart,
    });
    rows.collect()
}

/// A version.
pub fn version(version: u64, by: &str, keys: &[&str]) -> VersionRow {
    VersionRow {
        version,
        at: ago(600),
        by: by.to_owned(),
        origin: "save".to_owned(),
        keys: keys.iter().map(|key| (*key).to_owned()).collect(),
    }
}

/// Settings of an installation that signs in by a directory.
pub fn with_ldap() -> Settings {
    settings_with(
        &[
            ("hostname", "ci.example.com"),
            ("ldap.enabled", "true"),
            ("ldap.hostname", "ldap.example.com"),
            ("ldap.search_user", "cn=ci,dc=example,dc=com"),
            ("ldap.search_password", "hunter2!"),
            ("ldap.base_dn", "dc=example,dc=com"),
        ],
        &[("ldap.encryption", "ldaps")],
    )
}

/// A step of a test that went well, or failed with its fix for a field.
pub fn test_step(name: &str, found: &str, fix: Option<(&str, &str)>) -> Step {
    Step {
        name: name.to_owned(),
        verdict: if fix.is_some() {
            Verdict::Failed
        } else {
            Verdict::Ok
        },
        found: found.to_owned(),
        fix: fix.map(|(_, fix)| fix.to_owned()),
        kind: fix.map(|_| Failing::Usage),
        field: fix.map(|(field, _)| field.to_owned()),
        ms: 2,
    }
}
