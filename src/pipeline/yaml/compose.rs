//! Parser events -> tree: aliases expanded, merge keys applied, budgets kept, repeated keys noted.
//!
//! Stops at the first thing that is not YAML, with its place. Nothing is expanded that the budget does not cover: an
//! alias only costs a comparison and a reference count.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError};

use super::frame::{self, Content, Frame, Mapping};
use super::margin::Margin;
use super::source::{Source, check_characters};
use super::{Document, Entry, Fault, MAX_BYTES, MAX_COST, MAX_DEPTH, MAX_KEY};
use super::{Node, Scalar, Span, Value, merge};

/// No more repeated keys than this are noted.
const MAX_REPEATED: usize = 100;

/// Reads a text that holds one document.
///
/// # Errors
/// The first fault: not YAML, or over a budget.
pub(crate) fn parse(text: &str) -> Result<Document, Fault> {
    if text.len() > MAX_BYTES {
        let message = format!(
            "the file has {} bytes; at most {MAX_BYTES} are read",
            text.len()
        );
        return Err(Fault::new(Span::START, String::new(), message, None));
    }
    check_characters(text)?;
    let mut margin = Margin::new(text);
    loop {
        let mut composer = Composer::new(Source::new(text, margin.padded()));
        let error = match composer.read(margin.text()) {
            Ok(()) => return composer.finish(),
            Err(Stop::Fault(fault)) => return Err(fault),
            Err(Stop::Scan(error)) => error,
        };
        let fault = composer.source.scan_fault(&error, composer.path());
        if !margin.pad(&error) {
            return Err(fault);
        }
    }
}

/// What ended a reading.
enum Stop {
    Scan(ScanError),
    Fault(Fault),
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Stop::Fault(fault)
    }
}

struct Composer<'t> {
    source: Source<'t>,
    frames: Vec<Frame>,
    anchors: HashMap<usize, Node>,
    /// What has been used of the budget: nodes written, aliases expanded, entries merged.
    spent: u32,
    root: Option<Node>,
    repeated: Vec<Fault>,
}

impl<'t> Composer<'t> {
    fn new(source: Source<'t>) -> Self {
        Self {
            source,
            frames: Vec::new(),
            anchors: HashMap::new(),
            spent: 0,
            root: None,
            repeated: Vec::new(),
        }
    }

    fn read(&mut self, text: &str) -> Result<(), Stop> {
        for event in Parser::new_from_str(text) {
            let (event, span) = event.map_err(Stop::Scan)?;
            self.event(event, self.source.convert(span))?;
        }
        Ok(())
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
                    let message = format!(
                        "alias `{}` stands inside its own anchor",
                        self.source.word(span)
                    );
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
        self.frames.push(Frame {
            start,
            anchor,
            content,
        });
        self.check_depth(0, start)
    }

    fn close(&mut self, end: Span) -> Result<(), Fault> {
        let Some(frame) = self.frames.pop() else {
            return Ok(());
        };
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
        let written = if flow {
            end.end
        } else {
            last.unwrap_or(frame.start.end)
        };
        let span = Span {
            start: frame.start.start,
            end: written.max(frame.start.start),
        };
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
                mapping.put(Entry {
                    key,
                    key_span,
                    value: node,
                });
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
            let message = format!(
                "a key has {} bytes; at most {MAX_KEY} are read",
                scalar.text.len()
            );
            return Err(self.fault(node.span, message, None));
        }
        let (key, is_merge) = (scalar.text.clone(), scalar.plain && scalar.text == "<<");
        let content = self.frames.last_mut().map(|frame| &mut frame.content);
        let Some(Content::Map(mapping)) = content else {
            return Ok(());
        };
        let before = mapping.line_of(&key);
        mapping.pending = Some((key.clone(), node.span, is_merge));
        if let Some(line) = before.filter(|_| self.repeated.len() < MAX_REPEATED) {
            let message = format!("key `{key}` stands twice in one map");
            let hint = format!("it stands first on line {line}");
            self.repeated
                .push(self.fault(node.span, message, Some(&hint)));
        }
        Ok(())
    }

    fn anchor(&mut self, id: usize, span: Span, node: Option<&Node>) {
        if id == 0 {
            return;
        }
        self.source.note_anchor(span);
        if let Some(node) = node {
            self.anchors.insert(id, node.clone());
        }
    }

    fn spend(&mut self, cost: u32, span: Span) -> Result<(), Fault> {
        self.spent = self.spent.saturating_add(cost);
        if self.spent <= MAX_COST {
            return Ok(());
        }
        let message =
            format!("the file grows beyond {MAX_COST} nodes when its aliases are expanded");
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
            Some(root) if !root.is_null() => Ok(Document {
                root,
                repeated: self.repeated,
            }),
            _ => {
                let hint = "a config has at least `version`, `jobs` and a job named `build`";
                Err(Fault::new(
                    Span::START,
                    String::new(),
                    "the file is empty".to_owned(),
                    Some(hint),
                ))
            }
        }
    }

    fn fault(&self, span: Span, message: String, hint: Option<&str>) -> Fault {
        Fault::new(span, self.path(), message, hint)
    }

    fn path(&self) -> String {
        frame::path(&self.frames)
    }
}
