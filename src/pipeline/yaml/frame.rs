//! Maps and lists that are being read.

use std::collections::HashMap;

use super::{Entry, Node, Span};

/// A map or list whose end has not been read.
pub(super) struct Frame {
    pub start: Span,
    pub anchor: usize,
    pub content: Content,
}

pub(super) enum Content {
    List(Vec<Node>),
    Map(Mapping),
}

#[derive(Default)]
pub(super) struct Mapping {
    pub entries: Vec<Entry>,
    /// Position of each key in `entries`.
    places: HashMap<String, usize>,
    /// Values of the `<<` keys, in order.
    pub merges: Vec<Node>,
    /// A key whose value has not been read, and whether it is `<<`.
    pub pending: Option<(String, Span, bool)>,
}

impl Mapping {
    /// Adds an entry, in the place of an earlier one with its key.
    pub(super) fn put(&mut self, entry: Entry) {
        match self.places.get(&entry.key) {
            Some(&at) => self.entries[at] = entry,
            None => {
                self.places.insert(entry.key.clone(), self.entries.len());
                self.entries.push(entry);
            }
        }
    }

    /// The line of the entry with this key, if there is one.
    pub(super) fn line_of(&self, key: &str) -> Option<u32> {
        let at = *self.places.get(key)?;
        Some(self.entries[at].key_span.start.line)
    }
}

/// The path of the key being read, from the open maps and lists.
pub(super) fn path(frames: &[Frame]) -> String {
    let mut path = String::new();
    for frame in frames {
        match &frame.content {
            Content::List(items) => path.push_str(&format!("[{}]", items.len())),
            Content::Map(Mapping {
                pending: Some((key, _, _)),
                ..
            }) => {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(key);
            }
            Content::Map(_) => {}
        }
    }
    path
}
