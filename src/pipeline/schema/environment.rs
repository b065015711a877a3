//! `environment`: a map, or a list of `NAME=value` texts and maps; values are taken literally.

use std::collections::HashMap;

use crate::pipeline::read::{Cursor, Map};
use crate::pipeline::report::Report;
use crate::pipeline::yaml::Value;

/// Reads the variables in the order of the file; a name that comes again replaces the earlier value in its place.
pub(super) fn read(owner: &Map, report: &mut Report) -> Vec<(String, String)> {
    let mut variables = Variables::default();
    if let Some(value) = owner.get("environment") {
        match value.items() {
            Some(items) => items.iter().for_each(|item| variables.item(item, report)),
            None => variables.map(&value, report),
        }
    }
    variables.list
}

#[derive(Default)]
struct Variables {
    list: Vec<(String, String)>,
    places: HashMap<String, usize>,
}

impl Variables {
    fn item(&mut self, item: &Cursor, report: &mut Report) {
        if !matches!(&*item.node.value, Value::Scalar(_)) {
            return self.map(item, report);
        }
        let Some(text) = item.text(report) else {
            return;
        };
        match text.split_once('=') {
            Some((name, value)) => self.put(name, value.to_owned(), item, report),
            None => report.error(
                &item.place(),
                format!("`{text}` must be written `NAME=value`"),
            ),
        }
    }

    fn map(&mut self, value: &Cursor, report: &mut Report) {
        let Some(map) = value.map(report) else { return };
        for (name, value) in map.iter() {
            let text = if value.node.is_null() {
                Some(String::new())
            } else {
                value.text(report)
            };
            if let Some(text) = text {
                self.put(name, text, &value, report);
            }
        }
    }

    fn put(&mut self, name: &str, value: String, at: &Cursor, report: &mut Report) {
        if name.is_empty() || name.contains(['=', '\0']) {
            report.error(
                &at.key_place(),
                format!("`{name}` cannot be the name of a variable"),
            );
            return;
        }
        match self.places.get(name) {
            Some(&place) => self.list[place].1 = value,
            None => {
                self.places.insert(name.to_owned(), self.list.len());
                self.list.push((name.to_owned(), value));
            }
        }
    }
}
