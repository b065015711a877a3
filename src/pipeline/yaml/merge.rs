//! Merge keys: what `<<` adds to a map.
//!
//! A map may have several of them, each with a map or a list of maps. Local keys win wherever they stand; among the
//! merged ones the first wins (<https://yaml.org/type/merge.html>, and SnakeYAML for repeated keys).

use std::collections::HashSet;

use super::{Entry, Node, Value};

/// The maps that the value of a `<<` stands for, or the value that is none.
pub(super) fn sources(value: &Node) -> Result<Vec<&[Entry]>, &Node> {
    match &*value.value {
        Value::Map(entries) => Ok(vec![entries]),
        Value::List(items) => items
            .iter()
            .map(|item| match &*item.value {
                Value::Map(entries) => Ok(entries.as_slice()),
                _ => Err(item),
            })
            .collect(),
        _ => Err(value),
    }
}

/// Puts the entries of all `sources` that no earlier source and no local key has before the local ones.
pub(super) fn apply(sources: &[&[Entry]], local: Vec<Entry>) -> Vec<Entry> {
    let mut taken: HashSet<&str> = local.iter().map(|entry| entry.key.as_str()).collect();
    let mut merged: Vec<Entry> = sources
        .iter()
        .flat_map(|entries| entries.iter())
        .filter(|entry| taken.insert(&entry.key))
        .cloned()
        .collect();
    merged.extend(local);
    merged
}
