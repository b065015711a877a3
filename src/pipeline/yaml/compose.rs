//! Parser events -> tree: aliases expanded, merge keys applied, budgets kept, repeated keys noted.
//!
//! Stops at the first thing that is not YAML, with its place. Nothing is expanded that the budget does not cover: an
//! alias only costs a comparison and a reference count.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError};

use super::{Document, Entry, Fault, MAX_BYTES, MAX_COST, MAX_DEPTH, MAX_KEY};
use super::{Node, Pos, Scalar, Span, Value, merge};
use crate::pipeline::nearest::nearest;

/// No more repeated keys than this are noted.
const MAX_REPEATED: usize = 100;

/// Reads a text that holds one document.
///
/// # Errors
/// The first fault: not YAML, or over a budget.
pub(crate) fn parse(text: &str) -> Result<Document, Fault> {
    if text.len() > MAX_BYTES {
        let message = format!("the file has {} bytes; at most {MAX_BYTES} are read", text.len());
        return Err(fault(Span::START, String::new(), message, None));
    }
    check_characters(text)?;
    let mut composer = Composer::new(text);
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|err| composer.scan_fault(&err))?;
        composer.event(event, convert(span))?;
    }
    composer.finish()
}

/// Refuses what YAML does not allow in a text; the parser would take a NUL for the end of the file.
fn check_characters(text: &str) -> Result<(), Fault> {
    for (line, row) in (1..).zip(text.split('\n')) {
        let bad = |c: char| c.is_control() && !matches!(c, '\t' | '\r' | '\u{85}');
        if let Some((column, c)) = (1..).zip(row.chars()).find(|&(_, c)| bad(c)) {
            let start = Pos { line, column };
            let span = Span { start, end: Pos { line, column: column + 1 } };
            let message = format!("not valid YAML: control character U+{:04X}", u32::from(c));
            return Err(fault(span, String::new(), message, None));
        }
    }
    Ok(())
}

fn fault(span: Span, key: String, message: String, hint: Option<&str>) -> Fault {
    Fault { span, key, message, hint: hint.map(str::to_owned) }
}

fn convert(span: saphyr_parser::Span) -> Span {
    let pos = |marker: &saphyr_parser::Marker| Pos {
        line: u32::try_from(marker.line()).unwrap_or(u32::MAX),
        column: u32::try_from(marker.col() + 1).unwrap_or(u32::MAX),
    };
    Span { start: pos(&span.start), end: pos(&span.end) }
}

/// A map or list whose end has not been read.
struct Frame {
    start: Span,
    anchor: usize,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map(Mapping),
}

#[derive(Default)]
struct Mapping {
    entries: Vec<Entry>,
    /// Position of each key in `entries`.
    places: HashMap<String, usize>,
    /// Values of the `<<` keys, in order.
    merges: Vec<Node>,
    /// A key whose value has not been read, and whether it is `<<`.
    pending: Option<(String, Span, bool)>,
}

struct Composer<'t> {
    lines: Vec<&'t str>,
    frames: Vec<Frame>,
    anchors: HashMap<usize, Node>,
    /// Names of the anchors so far, for hints.
    names: Vec<&'t str>,
    /// What has been used of the budget: nodes written, aliases expanded, entries merged.
    spent: u32,
    root: Option<Node>,
    repeated: Vec<Fault>,
}

impl<'t> Composer<'t> {
    fn new(text: &'t str) -> Self {
        Self {
            lines: text.split('\n').collect(),
            frames: Vec::new(),
            anchors: HashMap::new(),
            names: Vec::new(),
            spent: 0,
            root: None,
            repeated: Vec::new(),
        }
    }

    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), Fault> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let text = text.into_owned();
                let plain = style == ScalarStyle::Plain && tag.is_none();
                let node = Node::new(span, Value::Scalar(Scalar { text, plain }));
                self.anchor(anchor, span, Some(&node));
                self.spend(node.cost, span)?;
                self.push(node)
            }
            Event::Alias(anchor) => {
                let Some(node) = self.anchors.get(&anchor).cloned() else {
                    let message = format!("alias `{}` stands inside its own anchor", self.word(span));
                    return Err(self.fault(span, message, None));
                };
                self.spend(node.cost, span)?;
                self.push(node)
            }
            Event::SequenceStart(anchor, _) => self.open(anchor, span, Content::List(Vec::new())),
            Event::MappingStart(anchor, _) => {
                self.open(anchor, span, Content::Map(Mapping::default()))
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span),
            Event::DocumentStart(_) if self.root.is_some() => {
                let message = "the file holds a second document".to_owned();
                Err(self.fault(span, message, Some("remove the `---` line")))
            }
            _ => Ok(()),
        }
    }

    fn open(&mut self, anchor: usize, start: Span, content: Content) -> Result<(), Fault> {
        self.spend(1, start)?;
        self.anchor(anchor, start, None);
        self.frames.push(Frame { start, anchor, content });
        self.check_depth(0, start)
    }

    fn close(&mut self, end: Span) -> Result<(), Fault> {
        let Some(frame) = self.frames.pop() else { return Ok(()) };
        let (value, last) = match frame.content {
            Content::List(items) => {
                let last = items.last().map(|item| item.span.end);
                (Value::List(items), last)
            }
            Content::Map(mapping) => {
                let last = mapping.entries.last().map(|entry| entry.value.span.end);
                (Value::Map(self.merged(mapping)?), last)
            }
        };
        // The end of a block is announced at the next token, lines below; a flow ends at its bracket.
        let flow = end.start != end.end;
        let written = if flow { end.end } else { last.unwrap_or(frame.start.end) };
        let span = Span { start: frame.start.start, end: written.max(frame.start.start) };
        let node = Node::new(span, value);
        if frame.anchor != 0 {
            self.anchors.insert(frame.anchor, node.clone());
        }
        self.push(node)
    }

    /// Applies the `<<` keys of a map that is complete.
    fn merged(&mut self, mapping: Mapping) -> Result<Vec<Entry>, Fault> {
        let mut sources = Vec::new();
        for value in &mapping.merges {
            let maps = merge::sources(value).map_err(|wrong| {
                let message = format!("`<<` merges a map or a list of maps, not {}", wrong.kind());
                self.fault(value.span, message, None)
            })?;
            // Entries are looked at even if a local key hides them, so the work is paid for as well as the result.
            for entries in &maps {
                self.spend(u32::try_from(entries.len()).unwrap_or(u32::MAX), value.span)?;
            }
            sources.extend(maps);
        }
        Ok(merge::apply(&sources, mapping.entries))
    }

    /// Puts a complete node where it belongs: a value, an item, or a key.
    fn push(&mut self, node: Node) -> Result<(), Fault> {
        self.check_depth(node.height, node.span)?;
        let Some(frame) = self.frames.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        let mapping = match &mut frame.content {
            Content::List(items) => {
                items.push(node);
                return Ok(());
            }
            Content::Map(mapping) => mapping,
        };
        match mapping.pending.take() {
            None => self.key(&node),
            Some((_, _, true)) => {
                mapping.merges.push(node);
                Ok(())
            }
            Some((key, key_span, false)) => {
                let entry = Entry { key, key_span, value: node };
                match mapping.places.get(&entry.key) {
                    Some(&at) => mapping.entries[at] = entry,
                    None => {
                        mapping.places.insert(entry.key.clone(), mapping.entries.len());
                        mapping.entries.push(entry);
                    }
                }
                Ok(())
            }
        }
    }

    fn key(&mut self, node: &Node) -> Result<(), Fault> {
        let Some(scalar) = node.scalar() else {
            let message = format!("a key must be a word, not {}", node.kind());
            let hint = "put quotes around a value that begins with `{` or `[`";
            return Err(self.fault(node.span, message, Some(hint)));
        };
        if scalar.text.len() > MAX_KEY {
            let message = format!("a key has {} bytes; at most {MAX_KEY} are read", scalar.text.len());
            return Err(self.fault(node.span, message, None));
        }
        let (key, is_merge) = (scalar.text.clone(), scalar.plain && scalar.text == "<<");
        let mapping = match self.frames.last_mut().map(|frame| &mut frame.content) {
            Some(Content::Map(mapping)) => mapping,
            _ => return Ok(()),
        };
        let before = mapping.places.get(&key).map(|&at| mapping.entries[at].key_span.start.line);
        mapping.pending = Some((key.clone(), node.span, is_merge));
        if let Some(line) = before.filter(|_| self.repeated.len() < MAX_REPEATED) {
            let message = format!("key `{key}` stands twice in one map");
            let hint = format!("it stands first on line {line}");
            self.repeated.push(self.fault(node.span, message, Some(&hint)));
        }
        Ok(())
    }

    fn anchor(&mut self, id: usize, span: Span, node: Option<&Node>) {
        if id == 0 {
            return;
        }
        let name = self.word(span);
        self.names.push(name);
        if let Some(node) = node {
            self.anchors.insert(id, node.clone());
        }
    }

    fn spend(&mut self, cost: u32, span: Span) -> Result<(), Fault> {
        self.spent = self.spent.saturating_add(cost);
        if self.spent <= MAX_COST {
            return Ok(());
        }
        let message = format!("the file grows beyond {MAX_COST} nodes when its aliases are expanded");
        Err(self.fault(span, message, Some("use fewer aliases of aliases")))
    }

    fn check_depth(&self, height: u32, span: Span) -> Result<(), Fault> {
        let open = u32::try_from(self.frames.len()).unwrap_or(u32::MAX);
        if open.saturating_add(height) <= MAX_DEPTH {
            return Ok(());
        }
        let message = format!("maps and lists nest deeper than {MAX_DEPTH} levels");
        Err(self.fault(span, message, None))
    }

    fn finish(self) -> Result<Document, Fault> {
        match self.root {
            Some(root) if !root.is_null() => Ok(Document { root, repeated: self.repeated }),
            _ => {
                let hint = "a config has at least `version`, `jobs` and a job named `build`";
                Err(fault(Span::START, String::new(), "the file is empty".to_owned(), Some(hint)))
            }
        }
    }

    fn fault(&self, span: Span, message: String, hint: Option<&str>) -> Fault {
        fault(span, self.path(), message, hint)
    }

    /// The path of the key being read, from the open maps and lists.
    fn path(&self) -> String {
        let mut path = String::new();
        for frame in &self.frames {
            match &frame.content {
                Content::List(items) => path.push_str(&format!("[{}]", items.len())),
                Content::Map(Mapping { pending: Some((key, _, _)), .. }) => {
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

    /// The name of the anchor or alias that begins at a place.
    fn word(&self, span: Span) -> &'t str {
        let line = span.start.line as usize;
        let row = self.lines.get(line.saturating_sub(1)).copied().unwrap_or_default();
        let skip = row.char_indices().nth(span.start.column as usize - 1).map_or(row.len(), |(at, _)| at);
        let rest = row[skip..].trim_start_matches(['&', '*']);
        let end = rest.find(|c: char| c.is_whitespace() || matches!(c, ',' | '[' | ']' | '{' | '}'));
        &rest[..end.unwrap_or(rest.len())]
    }

    fn scan_fault(&self, err: &ScanError) -> Fault {
        let at = convert(saphyr_parser::Span::empty(*err.marker()));
        // At the end of the text the parser may stand on a line that an editor does not show.
        let last = u32::try_from(self.lines.len()).unwrap_or(u32::MAX);
        let start = Pos { line: at.start.line.clamp(1, last), ..at.start };
        let span = Span { start, end: Pos { line: start.line, column: start.column + 1 } };
        if err.info().contains("unknown anchor") {
            let name = self.word(span);
            let near = nearest(name, self.names.iter().copied());
            let hint = near.map(|near| format!("did you mean `*{near}`?"));
            let message = format!("alias `*{name}` has no anchor `&{name}` above it");
            return self.fault(span, message, hint.as_deref());
        }
        let row = self.lines.get(start.line as usize - 1).copied().unwrap_or_default();
        let hint = if row.trim_start_matches(' ').starts_with('\t') {
            "indent with spaces: YAML allows no tabs there"
        } else if err.info().contains("mapping values are not allowed") {
            "check the indentation, and put quotes around a text that holds `: `"
        } else {
            "check the indentation of this line and of the one above"
        };
        self.fault(span, format!("not valid YAML: {}", err.info()), Some(hint))
    }
}
