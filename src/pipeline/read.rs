//! Typed reading of nodes: each reader answers a value or notes what is wrong, and never stops at the first problem.
//!
//! Knows the types of values, not what keys mean; `null` counts as absent, as CircleCI takes it.

pub(crate) mod duration;
pub(crate) mod words;

use super::keys::{self, Keys};
use super::report::{Path, Place, Report};
use super::yaml::{Entry, Node, Scalar, Span, Value};
use crate::nearest::nearest;

/// A node, the key it stands under, and the way to it.
#[derive(Clone, Debug)]
pub(crate) struct Cursor {
    pub node: Node,
    /// The key above the node; for an item of a list, the item.
    key_span: Span,
    path: Path,
}

impl Cursor {
    /// The root of a document.
    pub(crate) fn root(node: Node) -> Self {
        let key_span = Span {
            start: node.span.start,
            end: node.span.start,
        };
        Self {
            node,
            key_span,
            path: Path::default(),
        }
    }

    /// The same place with another node.
    pub(crate) fn with(&self, node: Node) -> Self {
        Self {
            node,
            ..self.clone()
        }
    }

    fn child(&self, entry: &Entry) -> Self {
        Self {
            node: entry.value.clone(),
            key_span: entry.key_span,
            path: self.path.key(&entry.key),
        }
    }

    /// Where the value stands.
    pub(crate) fn place(&self) -> Place {
        Place {
            span: self.node.span,
            path: self.path.clone(),
        }
    }

    /// Where the key stands: for what is wrong with the whole of the value, or is missing in it.
    pub(crate) fn key_place(&self) -> Place {
        Place {
            span: self.key_span,
            path: self.path.clone(),
        }
    }

    /// The map; notes an error if it is none.
    pub(crate) fn map(&self, report: &mut Report) -> Option<Map> {
        match &*self.node.value {
            Value::Map(_) => Some(Map { at: self.clone() }),
            _ => self.wrong(report, "a map"),
        }
    }

    /// The items of a list; notes an error if it is none.
    pub(crate) fn list(&self, report: &mut Report) -> Option<Vec<Cursor>> {
        self.items().or_else(|| self.wrong(report, "a list"))
    }

    /// The items, if it is a list.
    pub(crate) fn items(&self) -> Option<Vec<Cursor>> {
        let Value::List(items) = &*self.node.value else {
            return None;
        };
        let item = |(index, node): (usize, &Node)| Cursor {
            node: node.clone(),
            key_span: node.span,
            path: self.path.index(index),
        };
        Some(items.iter().enumerate().map(item).collect())
    }

    /// The items of a list, or the one value that stands for a list of one.
    pub(crate) fn one_or_many(&self) -> Vec<Cursor> {
        self.items().unwrap_or_else(|| vec![self.clone()])
    }

    /// The text of a scalar as written, `true` and `3.10` too; notes an error if there is none.
    pub(crate) fn text(&self, report: &mut Report) -> Option<String> {
        match self.node.scalar() {
            // YAML has `"\0"`; no file, program or variable of an operating system does.
            Some(scalar) if scalar.text.contains('\0') => {
                report.error(&self.place(), format!("{} holds a NUL", self.name()));
                None
            }
            Some(scalar) if !scalar.is_null() => Some(scalar.text.clone()),
            _ => self.wrong(report, "a string"),
        }
    }

    /// The texts of a list, or the one text.
    pub(crate) fn texts(&self, report: &mut Report) -> Vec<String> {
        self.one_or_many()
            .iter()
            .filter_map(|item| item.text(report))
            .collect()
    }

    /// The boolean; notes an error if it is none.
    pub(crate) fn boolean(&self, report: &mut Report) -> Option<bool> {
        let value = self.node.scalar().and_then(Scalar::boolean);
        value.or_else(|| self.wrong(report, "a boolean (`true` or `false`)"))
    }

    /// The whole number between `least` and `most`; notes an error if it is none.
    pub(crate) fn integer(&self, report: &mut Report, least: u32, most: u32) -> Option<u32> {
        let wanted = format!("a whole number from {least} to {most}");
        let Some(value) = self.node.scalar().and_then(Scalar::integer) else {
            return self.wrong(report, &wanted);
        };
        let fits = u32::try_from(value)
            .ok()
            .filter(|value| (least..=most).contains(value));
        if fits.is_none() {
            report.error(
                &self.place(),
                format!("{} must be {wanted}, not {value}", self.name()),
            );
        }
        fits
    }

    /// Whether it is a value about which a problem has been reported already.
    pub(crate) fn is_hole(&self) -> bool {
        matches!(&*self.node.value, Value::Hole)
    }

    fn wrong<T>(&self, report: &mut Report, wanted: &str) -> Option<T> {
        if !self.is_hole() {
            let place = if self.node.is_null() {
                self.key_place()
            } else {
                self.place()
            };
            report.error(
                &place,
                format!("{} must be {wanted}, not {}", self.name(), self.node.kind()),
            );
        }
        None
    }

    /// How a message calls the value: its key, or its place in a list.
    fn name(&self) -> String {
        let last = self.path.last();
        if last.is_empty() {
            "a config".to_owned()
        } else {
            format!("`{last}`")
        }
    }
}

/// A node that is a map.
#[derive(Clone, Debug)]
pub(crate) struct Map {
    pub at: Cursor,
}

impl Map {
    fn entries(&self) -> &[Entry] {
        match &*self.at.node.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The value under `key`; `null` counts as absent.
    pub(crate) fn get(&self, key: &str) -> Option<Cursor> {
        self.raw(key).filter(|cursor| !cursor.node.is_null())
    }

    /// The value under `key`, `null` included.
    pub(crate) fn raw(&self, key: &str) -> Option<Cursor> {
        let entry = self.entries().iter().find(|entry| entry.key == key)?;
        Some(self.at.child(entry))
    }

    /// The keys in the order of the file, each with its value, `null` included.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, Cursor)> {
        self.entries()
            .iter()
            .map(|entry| (entry.key.as_str(), self.at.child(entry)))
    }

    /// The keys in the order of the file.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.entries().iter().map(|entry| entry.key.as_str())
    }

    /// Notes every key that is not run yet, and every one that nobody knows.
    pub(crate) fn check(&self, keys: &Keys, report: &mut Report) {
        self.check_but(None, keys, report);
    }

    /// As [`Map::check`], but for one key about which a problem has been reported.
    pub(crate) fn check_but(&self, skip: Option<&str>, keys: &Keys, report: &mut Report) {
        for (key, value) in self.iter() {
            if skip == Some(key) {
                continue;
            }
            if keys.later.contains(&key) {
                report.not_yet(&value.key_place(), &format!("`{key}`"));
            } else if !keys.runs.contains(&key) && !report.is_full() {
                let message = format!("unknown key `{key}` in {}", keys.what);
                let hint = hint(key, keys, report);
                report.lenient(&value.key_place(), message, hint);
            }
        }
    }
}

/// What to write instead of an unknown key; nothing once nobody would see it.
pub(crate) fn hint(key: &str, keys: &Keys, report: &Report) -> Option<String> {
    if report.is_full() {
        return None;
    }
    let near = || nearest(key, keys.all()).map(|near| format!("did you mean `{near}`?"));
    let home = || {
        keys::home(key, keys)
            .map(|home| format!("`{key}` is a key of {home}; check the indentation"))
    };
    home().or_else(near)
}
