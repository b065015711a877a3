//! The settings as they would be with all that was typed: values, what is wrong with them, which fields a form has and
//! how its group stands. Pure, by the registry: a form answers each key without asking the server.

use std::collections::BTreeMap;

use roundel::api::settings::{SettingRow, Settings as Answered, Source};
use roundel::secret::Secret;
use roundel::settings::check::{Finding, check, is_shown};
use roundel::settings::registry::{Entry, Group, Kind, entries, find, meant};
use roundel::settings::value::{Value, Values};

use crate::console::action::Edits;

/// What would hold if everything staged and typed were saved.
#[derive(Debug)]
pub struct Proposal {
    /// Values; a secret that the server has is there, and locked.
    pub values: Values,
    /// What is wrong, in the order of the registry.
    pub findings: Vec<Finding>,
}

impl Proposal {
    /// What the server has, with what was typed.
    pub fn of(data: &Answered, edits: &Edits) -> Self {
        let mut given: BTreeMap<String, Value> = data
            .settings
            .iter()
            .filter_map(|row| Some((row.key.clone(), value_of(row)?)))
            .collect();
        let mut unreadable = Vec::new();
        for (key, typed) in &edits.0 {
            let Some((_, entry)) = find(key) else {
                unreadable.push(Finding::unknown(key));
                continue;
            };
            match typed
                .as_ref()
                .map(|text| Value::parse(entry.kind, text.expose()))
            {
                None => _ = given.remove(key),
                Some(Ok(value)) => _ = given.insert(key.clone(), value),
                Some(Err(why)) => unreadable.push(Finding::unreadable(key, why)),
            }
        }
        let values: Values = given.into_iter().collect();
        let is_readable =
            |finding: &Finding| unreadable.iter().all(|other| other.key != finding.key);
        let mut findings: Vec<Finding> = check(&values).into_iter().filter(is_readable).collect();
        // Only the server can look into a secret that it has.
        let unseen = data.findings.iter().filter(|finding| {
            let locked = matches!(values.given(&finding.key), Some(Value::Locked));
            locked && find(&finding.key).is_some_and(|(_, entry)| is_shown(entry, &values))
        });
        findings.extend(unseen.cloned());
        findings.extend(unreadable);
        findings.sort_by_key(|finding| rank(&finding.key));
        Self { values, findings }
    }

    /// What is wrong with a setting, the worst first.
    pub fn finding(&self, key: &str) -> Option<&Finding> {
        let of_key = self.findings.iter().filter(|finding| finding.key == key);
        of_key.min_by_key(|finding| !finding.is_error())
    }

    /// Number of errors.
    pub fn errors(&self) -> usize {
        self.findings
            .iter()
            .filter(|finding| finding.is_error())
            .count()
    }
}

/// What was given for a setting, as its row tells; `None` where nothing was.
pub fn value_of(row: &SettingRow) -> Option<Value> {
    let (_, entry) = find(&row.key)?;
    match &row.value {
        _ if row.source == Source::Default => None,
        Some(json) => Value::from_json(entry.kind, json).ok(),
        None => (row.set && entry.kind.is_secret()).then_some(Value::Locked),
    }
}

/// Place of a setting in the registry.
fn rank(key: &str) -> usize {
    entries()
        .position(|(_, entry)| entry.is_key(key))
        .unwrap_or(usize::MAX)
}

/// The row of a setting.
pub fn row<'a>(data: &'a Answered, key: &str) -> Option<&'a SettingRow> {
    data.settings.iter().find(|row| row.key == key)
}

/// A line of a form.
#[derive(Clone, Debug)]
pub struct Field {
    /// Key of the setting; of the family, where a new member is typed.
    pub key: String,
    /// As people read it.
    pub label: String,
    /// The setting.
    pub entry: &'static Entry,
    /// It takes a new member of a family: `frontend NAME=value`.
    pub adds: bool,
}

/// The lines of a group's form as the values stand.
pub fn fields(group: &'static Group, values: &Values) -> Vec<Field> {
    let shown = group.entries.iter().filter(|entry| is_shown(entry, values));
    let of_entry = |entry: &'static Entry| {
        if !entry.is_family() {
            return vec![Field {
                key: entry.key.to_owned(),
                label: entry.label.to_owned(),
                entry,
                adds: false,
            }];
        }
        let members = values.of_family(entry).map(|(key, _)| Field {
            key: key.to_owned(),
            label: member(entry, key),
            entry,
            adds: false,
        });
        let adds = Field {
            key: entry.key.to_owned(),
            label: format!("Add: {}", entry.label.to_lowercase()),
            entry,
            adds: true,
        };
        members.chain([adds]).collect()
    };
    shown.flat_map(of_entry).collect()
}

/// What a member of a family is called: what its key has in place of the family's blanks.
fn member(entry: &Entry, key: &str) -> String {
    let pairs = entry.key.split('.').zip(key.split('.'));
    let own: Vec<&str> = pairs
        .filter(|(pattern, _)| pattern.starts_with('<'))
        .map(|(_, part)| part)
        .collect();
    own.join(" ")
}

/// How a new member of a family is typed.
pub fn example(entry: &Entry) -> &'static str {
    if entry.key.ends_with("<NAME>") {
        "frontend NAME=value"
    } else {
        "frontend=2g"
    }
}

/// Reads a new member of a family: `frontend NAME=value`, also as a line of a customization file has it.
///
/// # Errors
/// What is wrong with it.
pub fn new_member(entry: &Entry, typed: &str) -> Result<(String, Secret), String> {
    let (left, value) = typed
        .split_once('=')
        .ok_or_else(|| format!("is written as {}", example(entry)))?;
    let parts = left
        .split([' ', '.'])
        .filter(|part| !part.is_empty() && *part != "export");
    let head = entry.key.split('.').next().unwrap_or_default();
    let key: Vec<&str> = std::iter::once(head).chain(parts).collect();
    let key = key.join(".");
    if !entry.is_key(&key) {
        return Err(match meant(&key).filter(|near| entry.is_key(near)) {
            Some(near) => format!("names no service; `{}` does", member(entry, &near)),
            None => format!("is written as {}", example(entry)),
        });
    }
    let value = value.trim();
    let plain = value.strip_prefix('"').and_then(|v| v.strip_suffix('"'));
    Ok((key, Secret::new(plain.unwrap_or(value).to_owned())))
}

/// What was typed for a setting, against what the server has: `None` where that is the same.
pub fn settled(data: &Answered, key: &str, text: &str) -> Option<Option<Secret>> {
    let (_, entry) = find(key)?;
    let row = row(data, key);
    let given = row.and_then(value_of);
    if text.trim().is_empty() {
        // An empty secret leaves the one that is there; everything else that is empty is at its default.
        let leaves = entry.kind.is_secret() || given.is_none();
        return (!leaves).then_some(None);
    }
    let typed = Value::parse(entry.kind, text).ok();
    let holds = given.or_else(|| {
        let value = row?.value.as_ref()?;
        Value::from_json(entry.kind, value).ok()
    });
    if typed.is_some() && typed == holds {
        return None;
    }
    Some(Some(Secret::new(text.to_owned())))
}

/// Whether a text is a value of the setting's kind.
pub fn is_readable(key: &str, text: &str) -> bool {
    find(key).is_some_and(|(_, entry)| Value::parse(entry.kind, text).is_ok())
}

/// The text that a field begins with when somebody types in it: what was given, never a secret, never a default.
pub fn text_of(data: &Answered, edits: &Edits, key: &str) -> String {
    match edits.0.get(key) {
        Some(Some(text)) => return text.expose().to_owned(),
        Some(None) => return String::new(),
        None => {}
    }
    match row(data, key).and_then(value_of) {
        Some(Value::Text(text)) => text,
        Some(value @ (Value::Number(_) | Value::Switch(_) | Value::List(_))) => value.shown(),
        _ => String::new(),
    }
}

/// How a group stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Standing {
    /// What keeps it from being saved.
    pub errors: usize,
    /// What somebody should know.
    pub warnings: usize,
    /// Changed and not saved.
    pub changed: usize,
    /// Saved, and the installation runs with an older value.
    pub waits: usize,
}

impl Standing {
    /// Of a group, or of all of them.
    pub fn of(group: Option<&Group>, data: &Answered, edits: &Edits, proposal: &Proposal) -> Self {
        let here = |key: &str| group.is_none_or(|group| group.has(key));
        let findings = proposal.findings.iter().filter(|one| here(&one.key));
        let (errors, warnings): (Vec<_>, Vec<_>) = findings.partition(|one| one.is_error());
        let rows = || data.settings.iter().filter(|row| here(&row.key));
        let staged = rows().filter(|row| row.source == Source::Staged);
        let staged = staged.filter(|row| !edits.0.contains_key(&row.key)).count();
        let typed = edits.0.keys().filter(|key| here(key)).count();
        Self {
            errors: errors.len(),
            warnings: warnings.len(),
            changed: staged + typed,
            waits: rows().filter(|row| row.waits_for_restart).count(),
        }
    }
}

/// Whether a kind's text has several lines.
pub fn is_long(kind: Kind) -> bool {
    matches!(kind, Kind::Lines | Kind::Pem | Kind::SecretPem)
}

/// What a text of several lines holds, in a few words.
pub fn summary(kind: Kind, text: &str) -> String {
    let lines = text.trim_end().lines().count() as u64;
    let lines = crate::console::text::plural(lines, "line");
    let certificates = text.matches("-----BEGIN CERTIFICATE-----").count() as u64;
    match (kind, certificates) {
        (Kind::Pem, 1..) => {
            let certificates = crate::console::text::plural(certificates, "certificate");
            format!("{certificates}, {lines}")
        }
        _ => lines,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::tests::kit;
    use roundel::settings::registry::group;

    fn edits(pairs: &[(&str, &str)]) -> Edits {
        let pairs = pairs
            .iter()
            .map(|(key, text)| ((*key).to_owned(), Some(Secret::new((*text).to_owned()))));
        Edits(pairs.collect())
    }

    fn keys(name: &str, proposal: &Proposal) -> Vec<String> {
        let fields = fields(group(name).unwrap(), &proposal.values);
        fields.into_iter().map(|field| field.key).collect()
    }

    #[test]
    fn fields_come_and_go_with_what_they_depend_on() {
        let data = kit::settings(&[]);
        let none = Proposal::of(&data, &Edits::default());
        assert_eq!(keys("ldap", &none), ["ldap.enabled"]);
        let on = Proposal::of(&data, &edits(&[("ldap.enabled", "true")]));
        let shown = keys("ldap", &on);
        assert!(shown.len() > 10 && shown.contains(&"ldap.base_dn".to_owned()));
        assert_eq!(on.values.text("ldap.username_field"), "uid");
        assert_eq!(on.finding("ldap.base_dn").unwrap().message, "is required");
        let ad = edits(&[
            ("ldap.enabled", "true"),
            ("ldap.type", "ldap_type_ad"),
            ("ldap.encryption", "ldaps"),
        ]);
        let ad = Proposal::of(&data, &ad);
        assert_eq!(ad.values.text("ldap.username_field"), "sAMAccountName");
        assert_eq!(
            ad.values.get("ldap.port").map(|port| port.shown()),
            Some("636".to_owned())
        );
    }

    #[test]
    fn a_secret_that_the_server_has_is_there_and_one_that_is_typed_replaces_it() {
        let data = kit::settings(&[("ldap.enabled", "true"), ("ldap.search_password", "x")]);
        let old = Proposal::of(&data, &Edits::default());
        assert_eq!(old.finding("ldap.search_password"), None);
        assert_eq!(
            text_of(&data, &Edits::default(), "ldap.search_password"),
            ""
        );
        assert_eq!(settled(&data, "ldap.search_password", ""), None);
        assert!(settled(&data, "ldap.search_password", "new").is_some());
    }

    #[test]
    fn what_cannot_be_read_is_said_once_and_the_rest_stays_as_it_was() {
        let data = kit::settings(&[("ldap.enabled", "true"), ("ldap.port", "389")]);
        let wrong = Proposal::of(&data, &edits(&[("ldap.port", "many")]));
        let of_port: Vec<_> = wrong
            .findings
            .iter()
            .filter(|finding| finding.key == "ldap.port")
            .collect();
        assert_eq!(of_port.len(), 1);
        assert!(of_port[0].message.contains("is no whole number"));
    }

    #[test]
    fn what_is_typed_back_is_no_change_and_what_is_emptied_gets_its_default() {
        let data = kit::settings(&[("hostname", "ci.example.com")]);
        assert_eq!(settled(&data, "hostname", "ci.example.com "), None);
        assert_eq!(settled(&data, "hostname", ""), Some(None));
        assert_eq!(settled(&data, "vm.instance_type", ""), None);
        // A default is as good as given: typing it changes nothing.
        assert_eq!(settled(&data, "vm.provider", "on_host"), None);
        assert!(settled(&data, "vm.provider", "ec2").is_some());
        assert_eq!(
            text_of(&data, &Edits::default(), "hostname"),
            "ci.example.com"
        );
    }

    #[test]
    fn members_of_a_family_are_added_as_a_customization_file_has_them() {
        let entry = find("override.frontend.FOO").unwrap().1;
        for typed in [
            "frontend FOO=bar",
            "frontend.FOO = bar",
            "export frontend FOO=\"bar\"",
        ] {
            let (key, value) = new_member(entry, typed).unwrap();
            assert_eq!(
                (key.as_str(), value.expose()),
                ("override.frontend.FOO", "bar"),
                "{typed}"
            );
        }
        assert!(
            new_member(entry, "fronted FOO=bar")
                .unwrap_err()
                .contains("frontend FOO")
        );
        for typed in ["frontend", "frontend foo=bar", "=x"] {
            let why = new_member(entry, typed).unwrap_err();
            assert!(why.contains("frontend NAME=value"), "{typed}: {why}");
        }
        let heap = find("jvm_heap.frontend").unwrap().1;
        assert_eq!(
            new_member(heap, "frontend=2g").unwrap().0,
            "jvm_heap.frontend"
        );
        let data = kit::settings(&[("override.frontend.FOO", "bar")]);
        let fields = fields(
            group("overrides").unwrap(),
            &Proposal::of(&data, &Edits::default()).values,
        );
        let labels: Vec<&str> = fields.iter().map(|field| field.label.as_str()).collect();
        assert_eq!(labels[..2], ["frontend FOO", "Add: variable of a service"]);
    }

    #[test]
    fn a_group_stands_as_its_settings_do() {
        let data = kit::settings(&[]);
        let typed = edits(&[("ldap.enabled", "true")]);
        let proposal = Proposal::of(&data, &typed);
        let of = |name: &str| Standing::of(group(name), &data, &typed, &proposal);
        assert_eq!((of("general").errors, of("general").changed), (1, 0));
        assert!(of("ldap").errors > 3 && of("ldap").changed == 1);
        assert_eq!(of("ldap").warnings, 1, "plain");
        assert_eq!(of("storage"), Standing::default());
    }

    #[test]
    fn a_pem_is_told_by_what_is_in_it() {
        let one = "-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----\n";
        assert_eq!(summary(Kind::Pem, one), "1 certificate, 3 lines");
        assert_eq!(summary(Kind::SecretPem, "a\nb\n"), "2 lines");
    }
}
