//! `<< >>` in version 2.1: escapes undone, references found.
//!
//! Works on trees before they are read, so that the readers know nothing of it. References are not resolved yet: each
//! is an error, and leaves a hole that the readers pass over.

use super::read::Cursor;
use super::report::{Path, Place, Report};
use super::yaml::{Entry, Node, Scalar, Value};

/// Words with which a reference begins.
const SCOPES: [&str; 4] = ["parameters", "pipeline", "matrix", "orb"];

/// The tree with each `\<<` made `<<` and each scalar that holds a reference made a hole.
pub(crate) fn settle(at: &Cursor, report: &mut Report) -> Cursor {
    if !has_template(&at.node) {
        return at.clone();
    }
    let place = at.place();
    at.with(walk(&at.node, &place.path, report))
}

fn has_template(node: &Node) -> bool {
    match &*node.value {
        Value::Scalar(scalar) => scalar.text.contains("<<"),
        Value::List(items) => items.iter().any(has_template),
        Value::Map(entries) => entries.iter().any(|entry| has_template(&entry.value)),
        Value::Hole => false,
    }
}

fn walk(node: &Node, path: &Path, report: &mut Report) -> Node {
    let value = match &*node.value {
        Value::Scalar(scalar) if scalar.text.contains("<<") => match text(&scalar.text) {
            Ok(text) => Value::Scalar(Scalar {
                text,
                plain: scalar.plain,
            }),
            Err(found) => {
                found.report(
                    &Place {
                        span: node.span,
                        path: path.clone(),
                    },
                    report,
                );
                Value::Hole
            }
        },
        Value::List(items) => {
            let walk = |(index, item): (usize, &Node)| walk(item, &path.index(index), report);
            Value::List(items.iter().enumerate().map(walk).collect())
        }
        Value::Map(entries) => {
            let walk = |entry: &Entry| {
                let value = walk(&entry.value, &path.key(&entry.key), report);
                Entry {
                    value,
                    ..entry.clone()
                }
            };
            Value::Map(entries.iter().map(walk).collect())
        }
        _ => return node.clone(),
    };
    Node::new(node.span, value)
}

/// What stands in a text besides escapes.
#[derive(PartialEq, Eq, Debug)]
enum Found {
    /// `<< parameters.x >>`, as written.
    Reference(String),
    /// `<<` that opens nothing, as in a here-document.
    Unclosed,
}

impl Found {
    fn report(&self, place: &Place, report: &mut Report) {
        match self {
            Found::Reference(tag) => report.not_yet(place, &format!("`{tag}`")),
            Found::Unclosed => report.error_hint(
                place,
                "`<<` begins a reference in version 2.1, and this one is none",
                Some("write `\\<<` for a literal `<<`, as in `cat \\<<EOF`".to_owned()),
            ),
        }
    }
}

/// The text with escapes undone, or the first thing in it that is no text.
fn text(source: &str) -> Result<String, Found> {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(at) = rest.find("<<") {
        let (before, after) = (&rest[..at], &rest[at + 2..]);
        match before.strip_suffix('\\') {
            Some(before) => out.push_str(before),
            None => return Err(found(after)),
        }
        out.push_str("<<");
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

fn found(after: &str) -> Found {
    let Some((inner, _)) = after.split_once(">>") else {
        return Found::Unclosed;
    };
    let name = inner
        .trim()
        .trim_start_matches(['#', '^', '/'])
        .trim_start();
    let scope = name.split('.').next().unwrap_or_default();
    if SCOPES.contains(&scope) && inner.len() <= 200 {
        Found::Reference(format!("<<{inner}>>"))
    } else {
        Found::Unclosed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_undone_and_references_found() {
        let reference = |tag: &str| Err(Found::Reference(tag.to_owned()));
        let cases = [
            ("plain", Ok("plain".to_owned())),
            ("cat \\<<EOF", Ok("cat <<EOF".to_owned())),
            ("a \\<< b \\<< c", Ok("a << b << c".to_owned())),
            ("a < b >> c", Ok("a < b >> c".to_owned())),
            ("cat <<EOF", Err(Found::Unclosed)),
            ("cat <<EOF >> file", Err(Found::Unclosed)),
            ("<< parameters.x >>", reference("<< parameters.x >>")),
            ("v<<pipeline.number>>-", reference("<<pipeline.number>>")),
            (
                "<<# parameters.b >>x<</ parameters.b >>",
                reference("<<# parameters.b >>"),
            ),
        ];
        for (source, expected) in cases {
            assert_eq!(text(source), expected, "{source}");
        }
    }
}
