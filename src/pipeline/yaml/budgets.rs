//! Whatever the text: what was read keeps its budgets, and reading it ends in good time.

use std::collections::HashSet;
use std::time::Duration;

use proptest::prelude::*;

use super::{MAX_BYTES, MAX_COST, MAX_DEPTH, MAX_KEY, Node, Value, parse};
use crate::clock;

/// What the longest text may take, also without optimisation on a busy machine. Work that grew with the square of the
/// length would take hours.
const PATIENCE: Duration = Duration::from_secs(60);

/// Nodes of a tree with its aliases written out; fails where a budget or a promise is broken.
fn walk(node: &Node, depth: u32, lines: u32) -> u32 {
    let inside = |span: super::Span| {
        assert!(span.start <= span.end, "{span:?}");
        assert!(span.start.line >= 1 && span.start.column >= 1, "{span:?}");
        assert!(span.end.line <= lines, "{span:?} of {lines}");
    };
    inside(node.span);
    assert!(depth <= MAX_DEPTH, "{depth} levels");
    match &*node.value {
        Value::Scalar(_) | Value::Hole => 1,
        Value::List(items) => {
            let below: u32 = items.iter().map(|item| walk(item, depth + 1, lines)).sum();
            1 + below
        }
        Value::Map(entries) => {
            let keys: HashSet<&str> = entries.iter().map(|entry| entry.key.as_str()).collect();
            assert_eq!(keys.len(), entries.len(), "a key twice");
            assert!(keys.iter().all(|key| key.len() <= MAX_KEY));
            entries.iter().for_each(|entry| inside(entry.key_span));
            let below = entries.iter();
            1 + below
                .map(|entry| walk(&entry.value, depth + 1, lines))
                .sum::<u32>()
        }
    }
}

/// Reads a text and looks at all that came of it.
fn check(text: &str) {
    let lines = u32::try_from(text.split('\n').count()).unwrap();
    match parse(text) {
        Ok(document) => assert!(walk(&document.root, 0, lines) <= MAX_COST),
        Err(fault) => {
            assert!(
                !fault.message.is_empty() && fault.span.start <= fault.span.end,
                "{fault:?}"
            );
            assert!(fault.span.start.line <= lines, "{fault:?} of {lines}");
        }
    }
}

/// A piece many times over, as often as the budgets of depth and size are near.
fn piled() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "[", "{a: ", "- ", "? ", "]", "}", "a: ", "[[", "{? ", "&a ", "*a, ", "'", "\"",
    ]);
    (
        piece,
        prop_oneof![1..9_usize, 55..75_usize, 120..140_usize, Just(3000)],
    )
        .prop_map(|(piece, times)| piece.repeat(times))
}

/// Anchors, the first one deep, each a map of many aliases of the one before.
fn ladder() -> impl Strategy<Value = String> {
    (
        1..9_usize,
        prop_oneof![1..3_usize, 1..12_usize],
        1..64_usize,
        any::<bool>(),
    )
        .prop_map(|(levels, wide, deep, merges)| {
            let mut text = format!(
                "a0: &a0 {{k: v, l: {}{}}}\n",
                "[".repeat(deep),
                "]".repeat(deep)
            );
            for level in 1..=levels {
                let before = format!("*a{}", level - 1);
                let item = |n: usize| match merges {
                    true => format!("k{level}x{n}: {{<<: {before}}}"),
                    false => format!("k{n}: {before}"),
                };
                let items: Vec<_> = (0..wide).map(item).collect();
                text.push_str(&format!("a{level}: &a{level} {{{}}}\n", items.join(", ")));
            }
            text
        })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_read_keeps_its_budgets(
        pieces in prop::collection::vec(prop_oneof![
            2 => piled(),
            1 => ladder(),
            3 => prop::sample::select(vec!["\n", "\n  ", "a: ", ": ", "x", ", ", "<<: *a1\n", "b: *a1\n", "&a1 ", "|\n", "#", "\t"])
                .prop_map(str::to_owned),
        ], 0..6)
    ) {
        check(&pieces.concat());
    }

    #[test]
    fn what_is_read_by_aliases_keeps_them_too(text in ladder()) {
        check(&text);
    }
}

#[test]
fn nothing_makes_reading_take_longer_than_its_length() {
    let after = |start: &str, piece: &str| {
        let times = (MAX_BYTES - start.len()) / piece.len();
        format!("{start}{}", piece.repeat(times))
    };
    let many = |piece| after("", piece);
    let numbered = |line: fn(usize) -> String| {
        let mut text = String::new();
        let mut n = 0;
        while text.len() < MAX_BYTES - 100 {
            text.push_str(&line(n));
            n += 1;
        }
        text
    };
    let texts = [
        many("["),
        many("{"),
        many("[["),
        many("- "),
        many("? "),
        many("a: "),
        many("&a "),
        many("*a "),
        many("!a "),
        many("\n"),
        many(" "),
        many("\t"),
        many("#\n"),
        many("% x\n"),
        many("---\n"),
        many("- \n"),
        many("- a\n"),
        many("'x\n"),
        many("\"\\n"),
        many("a\n"),
        many("a: b\n"),
        many("a: [\n]\n"),
        many("a: {\n}\n"),
        many("[],"),
        after("a: |\n", " x\n"),
        after("a: >\n", "  x\n\n"),
        after("a: \"", "x "),
        after("a: ", "x "),
        after("a: &a x\nb: [", "*a, "),
        after("a: &a {x: y}\nb:\n", "  <<: *a\n"),
        after("a: &a {x: y}\nb:\n", "  - <<: [*a, *a]\n"),
        numbered(|n| format!("k{n}: &a{n} x\n")),
        numbered(|n| format!("k{n}: [\n]\n")),
        numbered(|n| format!("- &a{n} {{<<: *a{}}}\n", n.saturating_sub(1)))
            .replacen("<<: *a0", "", 1),
    ];
    for text in texts {
        let begun = clock::monotonic();
        check(&text);
        let took = begun.elapsed();
        let start: String = text.chars().take(40).collect();
        assert!(took < PATIENCE, "{took:?} for {start:?}");
    }
}
