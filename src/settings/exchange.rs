//! Settings as a file: one line for each that was given, in TOML, in the order of the console.
//!
//! Reads and writes text; knows neither disk nor how secrets are sealed.

use std::collections::BTreeMap;

use toml::{Table, Value as Toml};

use super::check::Finding;
use super::registry::{GROUPS, find};
use super::value::{Value, Values};
use crate::error::{Explain, Kind};

/// Longest file that is read, in bytes.
pub const FILE_MAX: usize = 4 * 1024 * 1024;

/// What a file gives a setting.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Item {
    /// A value; a secret too, where somebody wrote it out.
    Value(Value),
    /// A secret sealed under the key of an export: base64.
    Sealed(String),
    /// A secret, or a certificate, that lies in a file.
    File(String),
}

/// Why a file of settings cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// It is too long.
    #[error("the file of settings is longer than {} MB", FILE_MAX / 1024 / 1024)]
    TooLong,
    /// It is not TOML.
    #[error("line {line} of the settings: {message}")]
    Form {
        /// Line from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
}

impl Explain for ExchangeError {
    fn kind(&self) -> Kind {
        Kind::Usage
    }

    fn hint(&self) -> Option<String> {
        Some("`roundel settings export` shows how such a file looks".to_owned())
    }
}

/// The text of a file with all that was given. `sealed` holds the secrets that are to be written; the others are left
/// out, each with a line that says so.
#[must_use]
pub fn write(values: &Values, sealed: &BTreeMap<String, String>) -> String {
    let mut text = String::new();
    for group in GROUPS {
        let mut heading = Some(group.title);
        for entry in group.entries {
            for (key, value) in values.of_family(entry) {
                if let Some(title) = heading.take() {
                    if !text.is_empty() {
                        text.push('\n');
                    }
                    text.push_str(&format!("# {title}\n"));
                }
                let line = match (plain(value), sealed.get(key)) {
                    (Some(plain), _) => format!("{key} = {plain}\n"),
                    (None, Some(sealed)) => format!("{key} = {{ sealed = {} }}\n", quoted(sealed)),
                    (None, None) => format!("# {key} is set, and left out\n"),
                };
                text.push_str(&line);
            }
        }
    }
    text
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(quoted(text)),
        Value::Number(number) => Some(number.to_string()),
        Value::Switch(on) => Some(on.to_string()),
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(|item| quoted(item)).collect();
            Some(format!("[{}]", items.join(", ")))
        }
        Value::Secret(_) | Value::Locked => None,
    }
}

fn quoted(text: &str) -> String {
    Toml::from(text).to_string()
}

/// Reads a file: what it gives, or everything that is wrong with its keys and values.
///
/// # Errors
/// When it cannot be read as TOML.
pub fn read(text: &str) -> Result<Result<BTreeMap<String, Item>, Vec<Finding>>, ExchangeError> {
    if text.len() > FILE_MAX {
        return Err(ExchangeError::TooLong);
    }
    let table: Table = text.parse().map_err(|err: toml::de::Error| {
        let at = err.span().map_or(0, |span| span.start);
        ExchangeError::Form {
            line: text[..at.min(text.len())].matches('\n').count() + 1,
            message: err.message().to_owned(),
        }
    })?;
    let (mut items, mut findings) = (BTreeMap::new(), Vec::new());
    flatten("", table, &mut |key, value| match item(&key, value) {
        Ok(item) => {
            items.insert(key, item);
        }
        Err(finding) => findings.push(finding),
    });
    Ok(if findings.is_empty() {
        Ok(items)
    } else {
        Err(findings)
    })
}

fn flatten(prefix: &str, table: Table, take: &mut impl FnMut(String, Toml)) {
    for (name, value) in table {
        let key = if prefix.is_empty() {
            name
        } else {
            format!("{prefix}.{name}")
        };
        match value {
            Toml::Table(inner) if find(&key).is_none() => flatten(&key, inner, take),
            other => take(key, other),
        }
    }
}

fn item(key: &str, value: Toml) -> Result<Item, Finding> {
    let Some((_, entry)) = find(key) else {
        return Err(Finding::unknown(key));
    };
    let unreadable = |message: String| Finding::unreadable(key, message);
    match value {
        Toml::Table(table) => {
            let one = |name: &str| match table.get(name) {
                Some(Toml::String(text)) if table.len() == 1 => Some(text.clone()),
                _ => None,
            };
            if let Some(file) = one("file") {
                Ok(Item::File(file))
            } else if let Some(sealed) = one("sealed").filter(|_| entry.kind.is_secret()) {
                Ok(Item::Sealed(sealed))
            } else {
                Err(unreadable(format!(
                    "is not {}, `{{ file = \"/path\" }}` or, for a secret, `{{ sealed = \"...\" }}`",
                    entry.kind.described()
                )))
            }
        }
        Toml::Datetime(_) | Toml::Float(_) => {
            Err(unreadable(format!("is not {}", entry.kind.described())))
        }
        other => serde_json::to_value(other)
            .map_err(|err| err.to_string())
            .and_then(|json| Value::from_json(entry.kind, &json))
            .map(Item::Value)
            .map_err(unreadable),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::check::Severity;

    #[test]
    fn what_was_written_reads_the_same() {
        let given = Values::typed(&[
            ("hostname", "ci.example.com"),
            ("ldap.enabled", "true"),
            ("ldap.port", "636"),
            ("proxy.no_proxy", "a.example.com, .b.example.com"),
            (
                "ssl_cert",
                "-----BEGIN CERTIFICATE-----\n\"x\"\\\n-----END CERTIFICATE-----\n",
            ),
            ("override.frontend.GREETING", "it's = [fine]"),
        ]);
        let text = write(&given, &BTreeMap::new());
        let read = read(&text).expect("TOML").expect("settings");
        let back: Values = read
            .into_iter()
            .map(|(key, item)| match item {
                Item::Value(value) => (key, value),
                other => panic!("{key} is {other:?}"),
            })
            .collect();
        assert_eq!(back, given);
        assert_eq!(write(&back, &BTreeMap::new()), text);
    }

    #[test]
    fn a_secret_is_sealed_or_left_out_and_never_written() {
        let given = Values::typed(&[(
            "ghe_client_secret",
            "0123456789abcdef0123456789abcdef01234567",
        )]);
        let left_out = write(&given, &BTreeMap::new());
        assert!(
            left_out.contains("# ghe_client_secret is set, and left out"),
            "{left_out}"
        );
        let sealed = BTreeMap::from([("ghe_client_secret".to_owned(), "c2VhbGVk".to_owned())]);
        let text = write(&given, &sealed);
        assert!(!text.contains("0123456789"), "{text}");
        let item = read(&text)
            .expect("TOML")
            .expect("settings")
            .remove("ghe_client_secret");
        assert_eq!(item, Some(Item::Sealed("c2VhbGVk".to_owned())));
    }

    #[test]
    fn everything_that_is_wrong_with_a_file_is_said_at_once() {
        let text = "hostnme = \"x\"\n[ldap]\nport = 70000\nenabled = \"perhaps\"\n[override.frontnd]\nA = \"1\"\n";
        let findings = read(text).expect("TOML").expect_err("mistakes");
        let said: Vec<(&str, Option<&str>)> = findings
            .iter()
            .map(|f| (f.key.as_str(), f.fix.as_deref()))
            .collect();
        assert!(
            said.contains(&("hostnme", Some("`hostname` is"))),
            "{said:?}"
        );
        assert!(said.contains(&("ldap.port", None)), "{said:?}");
        assert!(said.contains(&("ldap.enabled", None)), "{said:?}");
        assert!(
            said.contains(&("override.frontnd.A", Some("`override.frontend.A` is"))),
            "{said:?}"
        );
        assert!(findings.iter().all(|f| f.severity == Severity::Error));
        let broken = read("hostname = @\n").expect_err("no TOML");
        assert!(broken.to_string().starts_with("line 1"), "{broken}");
    }
}
