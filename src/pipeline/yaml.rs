//! YAML text -> a tree of nodes, each with its place; the only user of the YAML parser.
//!
//! Scalars keep their source text and are judged by the rules of YAML 1.1, which CircleCI uses. Aliases and merge keys
//! are resolved here, within a budget. Knows nothing of what the keys mean.

mod compose;
pub(crate) mod emit;
mod frame;
mod margin;
mod merge;
pub(crate) mod scalar;
mod source;

use std::rc::Rc;

pub(crate) use compose::parse;
pub(crate) use scalar::Scalar;

/// The longest text read, in bytes.
pub(crate) const MAX_BYTES: usize = 1 << 20;
/// How much a document may hold once its aliases are expanded: one per node, and one more per 64 bytes of a scalar.
pub(crate) const MAX_COST: u32 = 200_000;
/// How deep maps and lists may nest, aliases expanded. Readers recurse, so this also bounds their stack.
pub(crate) const MAX_DEPTH: u32 = 64;
/// The longest key, in bytes.
pub(crate) const MAX_KEY: usize = 256;

/// A place in the text; line and column count from 1, columns in characters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct Pos {
    pub line: u32,
    pub column: u32,
}

/// A stretch of the text; `end` stands after its last character.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Span {
    pub start: Pos,
    pub end: Pos,
}

impl Span {
    /// The very beginning of the text.
    pub(crate) const START: Span = Span {
        start: Pos { line: 1, column: 1 },
        end: Pos { line: 1, column: 1 },
    };
}

/// A node and where it was written. An alias yields the node of its anchor, with the anchor's place; cloning is cheap.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub span: Span,
    pub value: Rc<Value>,
    /// What the node costs of [`MAX_COST`], with all below it.
    cost: u32,
    /// Levels of maps and lists in it; 0 for a scalar.
    height: u32,
}

/// What a node holds.
#[derive(Debug)]
pub(crate) enum Value {
    Scalar(Scalar),
    List(Vec<Node>),
    /// Merge keys are already resolved; no key stands twice.
    Map(Vec<Entry>),
    /// A value that is not known and about which a problem has been reported: readers pass over it in silence.
    Hole,
}

/// One key of a map with its value.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub key: String,
    pub key_span: Span,
    pub value: Node,
}

impl Node {
    /// Builds a node, counting what it costs and how high it is.
    pub(crate) fn new(span: Span, value: Value) -> Self {
        let (below, height) = match &value {
            Value::Scalar(scalar) => (text_cost(&scalar.text), 0),
            Value::Hole => (0, 0),
            Value::List(items) => sum(items.iter()),
            Value::Map(entries) => sum(entries.iter().map(|entry| &entry.value)),
        };
        Self {
            span,
            value: Rc::new(value),
            cost: below.saturating_add(1),
            height,
        }
    }

    /// What the node costs of a budget of nodes, with all below it.
    pub(crate) fn cost(&self) -> u32 {
        self.cost
    }

    /// The scalar, if it is one.
    pub(crate) fn scalar(&self) -> Option<&Scalar> {
        match &*self.value {
            Value::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    /// Whether nothing was written, or `null` or `~`.
    pub(crate) fn is_null(&self) -> bool {
        self.scalar().is_some_and(Scalar::is_null)
    }

    /// What it is, for a message: `a map`, `a boolean`.
    pub(crate) fn kind(&self) -> &'static str {
        match &*self.value {
            Value::Scalar(scalar) => scalar.kind(),
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
            Value::Hole => "a value not known yet",
        }
    }
}

/// What a scalar's text adds to the cost of its node.
fn text_cost(text: &str) -> u32 {
    u32::try_from(text.len() / 64).unwrap_or(u32::MAX)
}

fn sum<'a>(below: impl Iterator<Item = &'a Node>) -> (u32, u32) {
    let (cost, height) = below.fold((0_u32, 0), |(cost, height), node| {
        (cost.saturating_add(node.cost), height.max(node.height))
    });
    (cost, height + 1)
}

/// Why a text is not a tree, or what is doubtful about it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Fault {
    pub span: Span,
    /// Path of the key in which it was found.
    pub key: String,
    pub message: String,
    pub hint: Option<String>,
}

impl Fault {
    fn new(span: Span, key: String, message: String, hint: Option<&str>) -> Self {
        Self {
            span,
            key,
            message,
            hint: hint.map(str::to_owned),
        }
    }
}

/// A document that could be read.
#[derive(Debug)]
pub(crate) struct Document {
    pub root: Node,
    /// Keys that stand twice in one map; the last one was taken.
    pub repeated: Vec<Fault>,
}

#[cfg(test)]
mod budgets;
#[cfg(test)]
mod tests;
