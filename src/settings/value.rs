//! The value of a setting, and a set of values: what was given, and what holds where nothing was.
//!
//! Knows the registry, and neither files, the database nor how secrets are kept.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::registry::{Entry, Kind, find};
use crate::secret::Secret;

/// Longest text of a setting, in bytes: a certificate with a long chain has 20 KB.
pub const TEXT_MAX: usize = 256 * 1024;

/// Most items of a list.
pub const LIST_MAX: usize = 1_000;

/// What a setting is set to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Value {
    /// A text, also one of several lines, a word of a choice, or the content of a file.
    Text(String),
    /// A whole number.
    Number(i64),
    /// On or off.
    Switch(bool),
    /// Several texts.
    List(Vec<String>),
    /// A text that nobody is shown.
    Secret(Secret),
    /// A secret that is there and cannot be opened now.
    Locked,
}

impl Value {
    /// Reads what a person typed or a file holds as text.
    ///
    /// # Errors
    /// What is wrong, as an end of a sentence that names the setting; never the text of a secret.
    pub fn parse(kind: Kind, text: &str) -> Result<Self, String> {
        if text.len() > TEXT_MAX {
            return Err(format!("is longer than {} KB", TEXT_MAX / 1024));
        }
        if text.contains('\0') {
            return Err("holds a NUL byte".to_owned());
        }
        let one_line = |text: &str| {
            if text.contains(['\n', '\r']) {
                Err("has more than one line".to_owned())
            } else {
                Ok(text.trim().to_owned())
            }
        };
        match kind {
            Kind::Text => one_line(text).map(Value::Text),
            Kind::Lines | Kind::Pem => Ok(Value::Text(text.to_owned())),
            Kind::Secret => one_line(text).map(|text| Value::Secret(Secret::new(text))),
            Kind::SecretPem => Ok(Value::Secret(Secret::new(text.to_owned()))),
            Kind::Number { least, most } => match text.trim().parse::<i64>() {
                Ok(number) if (least..=most).contains(&number) => Ok(Value::Number(number)),
                Ok(_) => Err(format!("is not from {least} to {most}")),
                Err(_) => Err(format!("is no whole number from {least} to {most}")),
            },
            Kind::Switch => match text.trim() {
                "true" | "on" | "yes" => Ok(Value::Switch(true)),
                "false" | "off" | "no" => Ok(Value::Switch(false)),
                _ => Err("is neither `true` nor `false`".to_owned()),
            },
            Kind::Choice(options) => {
                let word = text.trim();
                match options.iter().find(|option| option.word == word) {
                    Some(option) => Ok(Value::Text(option.word.to_owned())),
                    None => Err(not_an_option(word, options)),
                }
            }
            Kind::List => {
                let items: Vec<String> = text
                    .split([',', '\n'])
                    .map(str::trim)
                    .filter(|item| !item.is_empty())
                    .map(str::to_owned)
                    .collect();
                list(items)
            }
        }
    }

    /// Reads what came as JSON: a value of the kind's own type, or a text as a person would type it.
    ///
    /// # Errors
    /// As [`Value::parse`].
    pub fn from_json(kind: Kind, json: &Json) -> Result<Self, String> {
        match (kind, json) {
            (_, Json::String(text)) => Self::parse(kind, text),
            (Kind::Number { .. }, Json::Number(_)) | (Kind::Switch, Json::Bool(_)) => {
                Self::parse(kind, &json.to_string())
            }
            (Kind::List, Json::Array(items)) => items
                .iter()
                .map(|item| item.as_str().map(|text| text.trim().to_owned()))
                .collect::<Option<Vec<_>>>()
                .ok_or_else(|| "holds something that is no text".to_owned())
                .and_then(list),
            _ => Err(format!("is not {}", kind.described())),
        }
    }

    /// Its plain form; `None` for a secret.
    #[must_use]
    pub fn to_json(&self) -> Option<Json> {
        match self {
            Value::Text(text) => Some(Json::from(text.as_str())),
            Value::Number(number) => Some(Json::from(*number)),
            Value::Switch(on) => Some(Json::from(*on)),
            Value::List(items) => Some(Json::from(items.as_slice())),
            Value::Secret(_) | Value::Locked => None,
        }
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            Value::Text(text) => text.is_empty(),
            Value::Secret(text) => text.expose().is_empty(),
            Value::List(items) => items.is_empty(),
            Value::Number(_) | Value::Switch(_) | Value::Locked => false,
        }
    }

    /// The text of a text or of an open secret; empty for everything else.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Value::Text(text) => text,
            Value::Secret(text) => text.expose(),
            _ => "",
        }
    }

    /// As a person reads it, in one line; a secret only as `(set)`.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Value::Text(text) => match text.lines().count() {
                0 | 1 => text.clone(),
                lines => format!("({lines} lines)"),
            },
            Value::Number(number) => number.to_string(),
            Value::Switch(on) => on.to_string(),
            Value::List(items) => items.join(", "),
            Value::Secret(_) | Value::Locked => "(set)".to_owned(),
        }
    }
}

fn list(items: Vec<String>) -> Result<Value, String> {
    if items.len() > LIST_MAX {
        Err(format!("has more than {LIST_MAX} items"))
    } else if items.iter().any(|item| item.contains(['\n', '\r', '\0'])) {
        Err("has an item of more than one line".to_owned())
    } else {
        Ok(Value::List(items))
    }
}

fn not_an_option(word: &str, options: &[super::registry::Choice]) -> String {
    let words: Vec<&str> = options.iter().map(|option| option.word).collect();
    match crate::nearest::nearest(word, words.iter().copied()) {
        Some(near) => format!("is not one of {}; `{near}` is", words.join(", ")),
        None => format!("is not one of {}", words.join(", ")),
    }
}

/// Values by key: those that were given. Everything else is at its default.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Values(BTreeMap<String, Value>);

impl Values {
    /// What was given for a key.
    #[must_use]
    pub fn given(&self, key: &str) -> Option<&Value> {
        self.0.get(key)
    }

    /// What holds for a key: what was given, else the default; `None` when there is neither.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Cow<'_, Value>> {
        if let Some(value) = self.0.get(key) {
            return Some(Cow::Borrowed(value));
        }
        find(key)?.1.default_in(self).map(Cow::Owned)
    }

    /// The text that holds for a key; empty when there is none.
    #[must_use]
    pub fn text(&self, key: &str) -> String {
        self.get(key)
            .map(|value| value.text().to_owned())
            .unwrap_or_default()
    }

    /// Whether a switch is on.
    #[must_use]
    pub fn on(&self, key: &str) -> bool {
        matches!(self.get(key).as_deref(), Some(Value::Switch(true)))
    }

    /// The number that holds for a key; 0 when there is none, or one below that.
    #[must_use]
    pub fn number(&self, key: &str) -> u64 {
        match self.get(key).as_deref() {
            Some(Value::Number(number)) => u64::try_from(*number).unwrap_or_default(),
            _ => 0,
        }
    }

    /// Whether something that is not empty holds for a key.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.get(key).is_some_and(|value| !value.is_empty())
    }

    /// Gives a key a value.
    pub fn set(&mut self, key: impl Into<String>, value: Value) {
        self.0.insert(key.into(), value);
    }

    /// Takes back what a key was given.
    pub fn unset(&mut self, key: &str) {
        self.0.remove(key);
    }

    /// Gives some keys their values, and takes back what others were given.
    pub fn change(&mut self, changes: impl IntoIterator<Item = (String, Option<Value>)>) {
        for (key, value) in changes {
            match value {
                Some(value) => self.set(key, value),
                None => self.unset(&key),
            }
        }
    }

    /// What was given, by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// What was given for a member of a family, as `override.frontend.NAME`: key and value.
    pub fn of_family<'a>(
        &'a self,
        family: &'a Entry,
    ) -> impl Iterator<Item = (&'a str, &'a Value)> {
        self.iter().filter(|(key, _)| family.is_key(key))
    }
}

#[cfg(test)]
impl Values {
    /// Values by key, as a person types them.
    pub(crate) fn typed(pairs: &[(&str, &str)]) -> Self {
        let typed = |(key, text): &(&str, &str)| {
            let kind = find(key).expect("a setting").1.kind;
            let value = Value::parse(kind, text).expect("of its kind");
            ((*key).to_owned(), value)
        };
        pairs.iter().map(typed).collect()
    }
}

impl FromIterator<(String, Value)> for Values {
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(iter: I) -> Self {
        Self(iter.into_iter().collect())
    }
}
