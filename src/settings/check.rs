//! The one look at all values before they are saved: for the console, the verbs and files alike.
//!
//! Everything that is wrong is said at once. Knows no network: whether the things that values name are there is for
//! the tests.

use serde::{Deserialize, Serialize};

use super::registry::{Entry, entries, find, meant};
use super::value::Values;

/// How bad a finding is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// It cannot be saved so.
    Error,
    /// It can, once somebody has said so.
    Warning,
}

/// What a rule has against a value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, as an end of a sentence that begins with the setting.
    pub message: String,
    /// What to do about it.
    pub fix: Option<String>,
}

impl Fault {
    /// It cannot be saved so.
    pub(super) fn error(message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            message: message.into(),
            fix: None,
        }
    }

    /// It can be saved, and somebody should know.
    pub(super) fn warning(message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(message)
        }
    }

    /// What to do about it.
    pub(super) fn fix(self, fix: impl Into<String>) -> Self {
        Self {
            fix: Some(fix.into()),
            ..self
        }
    }
}

/// A fault with its setting.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Finding {
    /// Key of the setting.
    pub key: String,
    /// Name of its group; empty for a key that is not there.
    pub group: String,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, as an end of a sentence that begins with the setting.
    pub message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub fix: Option<String>,
}

impl Finding {
    /// Of a setting of the registry.
    #[must_use]
    pub fn of(key: &str, fault: Fault) -> Self {
        Self {
            key: key.to_owned(),
            group: find(key).map_or(String::new(), |(group, _)| group.name.to_owned()),
            severity: fault.severity,
            message: fault.message,
            fix: fault.fix,
        }
    }

    /// Of a value that is not of its setting's kind.
    #[must_use]
    pub fn unreadable(key: &str, message: String) -> Self {
        Self::of(key, Fault::error(message))
    }

    /// Of a key that is not there.
    #[must_use]
    pub fn unknown(key: &str) -> Self {
        let fault = Fault::error("is no setting");
        Self::of(
            key,
            match meant(key) {
                Some(near) => fault.fix(format!("`{near}` is")),
                None => fault.fix("`roundel settings list` lists them"),
            },
        )
    }

    /// Whether it keeps the values from being saved.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// Whether a setting is shown: its own condition holds, and so do those of the settings that it depends on.
#[must_use]
pub fn is_shown(entry: &Entry, values: &Values) -> bool {
    entry.shown.holds(values)
        && entry
            .shown
            .keys()
            .into_iter()
            .filter_map(find)
            .all(|(_, other)| is_shown(other, values))
}

/// Everything that is wrong with some values, in the order of the console; what is hidden is not looked at.
#[must_use]
pub fn check(values: &Values) -> Vec<Finding> {
    let unknown = values
        .iter()
        .filter(|(key, _)| find(key).is_none())
        .map(|(key, _)| Finding::unknown(key));
    let known = entries()
        .filter(|(_, entry)| is_shown(entry, values))
        .flat_map(|(_, entry)| of_entry(entry, values));
    known.chain(unknown).collect()
}

fn of_entry(entry: &'static Entry, values: &Values) -> Vec<Finding> {
    let judged = |key: &str, value| {
        let faults = entry.rule.map_or_else(Vec::new, |rule| rule(value, values));
        faults
            .into_iter()
            .map(|fault| Finding::of(key, fault))
            .collect::<Vec<_>>()
    };
    if entry.is_family() {
        return values
            .of_family(entry)
            .flat_map(|(key, value)| judged(key, value))
            .collect();
    }
    match values.get(entry.key).as_deref() {
        Some(super::value::Value::Locked) => Vec::new(),
        Some(value) if !value.is_empty() => judged(entry.key, value),
        _ if entry.required.holds(values) => {
            vec![Finding::of(entry.key, Fault::error("is required"))]
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::registry::{GROUPS, When};
    use crate::settings::value::Value;

    fn said(values: &Values) -> Vec<(String, Severity)> {
        check(values)
            .into_iter()
            .map(|f| (f.key, f.severity))
            .collect()
    }

    #[test]
    fn every_default_is_of_its_kind_and_allowed() {
        for (_, entry) in entries() {
            let given = Values::default();
            if let Some(value) = entry.default_in(&given) {
                let faults = entry
                    .rule
                    .map_or_else(Vec::new, |rule| rule(&value, &given));
                assert!(
                    faults.iter().all(|f| f.severity != Severity::Error),
                    "{}: {faults:?}",
                    entry.key
                );
            }
            assert!(entry.help.ends_with('.'), "{}", entry.key);
        }
    }

    #[test]
    fn keys_are_one_of_a_kind_and_conditions_name_settings() {
        let mut keys: Vec<&str> = entries().map(|(_, entry)| entry.key).collect();
        let count = keys.len();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), count);
        assert_eq!(GROUPS.len(), 14);
        for (_, entry) in entries() {
            for condition in [entry.shown, entry.required] {
                for key in condition.keys() {
                    assert!(find(key).is_some(), "{} depends on {key}", entry.key);
                }
            }
            // Whatever stands in the way of what is required can be seen.
            if !matches!(entry.required, When::Never) {
                assert!(!entry.is_family(), "{}", entry.key);
            }
        }
    }

    #[test]
    fn a_fresh_installation_lacks_its_hostname_alone() {
        let errors: Vec<_> = check(&Values::default())
            .into_iter()
            .filter(Finding::is_error)
            .collect();
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert_eq!(errors[0].key, "hostname");
    }

    #[test]
    fn what_depends_on_a_switch_is_looked_at_once_it_is_on() {
        let off = Values::typed(&[("hostname", "ci.example.com"), ("ldap.base_dn", "nonsense")]);
        assert_eq!(said(&off), []);
        let mut on = off;
        on.set("ldap.enabled", Value::Switch(true));
        let found = said(&on);
        for key in [
            "ldap.hostname",
            "ldap.search_user",
            "ldap.search_password",
            "ldap.base_dn",
        ] {
            assert!(
                found.contains(&(key.to_owned(), Severity::Error)),
                "{key}: {found:?}"
            );
        }
        assert!(
            found.contains(&("ldap.encryption".to_owned(), Severity::Warning)),
            "{found:?}"
        );
    }

    #[test]
    fn a_setting_below_a_hidden_one_is_hidden() {
        let given = Values::typed(&[
            ("hostname", "ci.example.com"),
            ("storage_backend", "storage_backend_none"),
            ("iam_auth_type", "user"),
        ]);
        assert_eq!(said(&given), []);
    }

    #[test]
    fn a_directory_of_the_other_kind_has_other_defaults() {
        let mut given = Values::typed(&[("ldap.enabled", "true")]);
        assert_eq!(given.text("ldap.username_field"), "uid");
        assert_eq!(given.get("ldap.port").as_deref(), Some(&Value::Number(389)));
        given.set("ldap.type", Value::Text("ldap_type_ad".to_owned()));
        given.set("ldap.encryption", Value::Text("ldaps".to_owned()));
        assert_eq!(given.text("ldap.username_field"), "sAMAccountName");
        assert_eq!(given.get("ldap.port").as_deref(), Some(&Value::Number(636)));
        given.set("ldap.username_field", Value::Text("mail".to_owned()));
        assert_eq!(given.text("ldap.username_field"), "mail");
    }

    #[test]
    fn rules_see_one_another() {
        type Case = (&'static [(&'static str, &'static str)], &'static str, bool);
        let cases: &[Case] = &[
            (&[("engine.v2", "false")], "engine.v2", true),
            (
                &[
                    ("ldap.enabled", "true"),
                    ("ldap.base_dn", "dc=example,dc=com"),
                    ("ldap.user_search_dn", "ou=people,dc=example,dc=com"),
                ],
                "ldap.user_search_dn",
                true,
            ),
            (
                &[
                    ("ldap.enabled", "true"),
                    ("ldap.search_user", "svc@example.com"),
                ],
                "ldap.search_user",
                true,
            ),
            (
                &[
                    ("ldap.enabled", "true"),
                    ("ldap.type", "ldap_type_ad"),
                    ("ldap.search_user", "svc@example.com"),
                ],
                "ldap.search_user",
                false,
            ),
            (&[("proxy.url", "10.0.0.33:3128")], "proxy.url", true),
            (&[("proxy.url", "http://10.0.0.33")], "proxy.url", true),
            (
                &[("proxy.url", "http://ann:pw@10.0.0.33:3128")],
                "proxy.url",
                false,
            ),
            (
                &[
                    ("proxy.url", "http://p:1"),
                    ("proxy.no_proxy", "10.0.0.0/33"),
                ],
                "proxy.no_proxy",
                true,
            ),
            (
                &[("override.frontend.A", "$(reboot)")],
                "override.frontend.A",
                true,
            ),
            (&[("jvm_heap.frontend", "2g")], "jvm_heap.frontend", false),
            (
                &[
                    ("vm.provider", "ec2"),
                    ("vm.http_proxy", "http://p:1"),
                    ("vm.no_proxy", "localhost"),
                ],
                "vm.no_proxy",
                true,
            ),
        ];
        for (pairs, key, wrong) in cases {
            let found = check(&Values::typed(pairs));
            let error = found.iter().any(|f| f.key == *key && f.is_error());
            assert_eq!(error, *wrong, "{pairs:?}: {found:?}");
        }
    }
}
