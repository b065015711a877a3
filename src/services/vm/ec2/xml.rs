//! Answers of the Query API: small documents of elements in elements, read into a tree and asked by path.
//!
//! Knows no EC2. A document is bounded by whoever fetched it; its nodes are bounded here.

use roxmltree::{Document, Node, ParsingOptions};

/// Most nodes of a document: an answer of a thousand instances has about 200 of each.
const NODES_MAX: u32 = 500_000;

/// Reads a document. No entities of its own, no external ones.
///
/// # Errors
/// What is wrong with it, as an end of a sentence.
pub(super) fn read(text: &str) -> Result<Document<'_>, String> {
    let options = ParsingOptions {
        allow_dtd: false,
        nodes_limit: NODES_MAX,
        ..ParsingOptions::default()
    };
    Document::parse_with_options(text, options).map_err(|err| format!("is no XML: {err}"))
}

/// The first element down a path of names.
pub(super) fn at<'a, 'i>(from: Node<'a, 'i>, path: &str) -> Option<Node<'a, 'i>> {
    path.split('/').try_fold(from, |node, name| {
        node.children()
            .find(|child| child.is_element() && child.tag_name().name() == name)
    })
}

/// The text of the first element down a path; empty where there is none.
pub(super) fn text<'a>(from: Node<'a, '_>, path: &str) -> &'a str {
    at(from, path)
        .and_then(|node| node.text())
        .unwrap_or_default()
        .trim()
}

/// The `item`s of a list down a path.
pub(super) fn items<'a, 'i: 'a>(
    from: Node<'a, 'i>,
    path: &str,
) -> impl Iterator<Item = Node<'a, 'i>> + use<'a, 'i> {
    at(from, path).into_iter().flat_map(|list| {
        list.children()
            .filter(|child| child.is_element() && child.tag_name().name() == "item")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_asked_by_path() {
        let document = read(
            "<?xml version=\"1.0\"?><R xmlns=\"http://ec2.example.com/\"><set>\
             <item><id>a&amp;b</id><state><name> running </name></state></item><item/></set></R>",
        )
        .unwrap();
        let root = document.root_element();
        let found: Vec<&str> = items(root, "set").map(|item| text(item, "id")).collect();
        assert_eq!(found, ["a&b", ""]);
        assert_eq!(text(root, "set/item/state/name"), "running");
        assert_eq!(items(root, "nothing").count(), 0);
    }

    #[test]
    fn what_is_no_answer_says_so() {
        let bomb = "<!DOCTYPE a [<!ENTITY b \"bb\">]><a>&b;</a>";
        for text in ["", "<a>", "nope", bomb] {
            assert!(read(text).unwrap_err().starts_with("is no XML"), "{text}");
        }
    }
}
