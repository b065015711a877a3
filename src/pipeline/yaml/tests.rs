//! Trees, places, merge keys and budgets of the YAML layer.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn tree(text: &str) -> Node {
    parse(text).unwrap_or_else(|fault| panic!("{fault:?}")).root
}

fn fault(text: &str) -> Fault {
    parse(text).map(|_| ()).expect_err("a fault")
}

/// The tree in one line: maps in braces, lists in brackets, scalars as their source.
fn show(node: &Node) -> String {
    match &*node.value {
        Value::Scalar(scalar) if scalar.plain => scalar.text.clone(),
        Value::Scalar(scalar) => format!("{:?}", scalar.text),
        Value::List(items) => format!("[{}]", items.iter().map(show).collect::<Vec<_>>().join(" ")),
        Value::Map(entries) => {
            let show = |entry: &Entry| format!("{}={}", entry.key, show(&entry.value));
            format!(
                "{{{}}}",
                entries.iter().map(show).collect::<Vec<_>>().join(" ")
            )
        }
        Value::Hole => "?".to_owned(),
    }
}

#[test]
fn scalars_keep_their_source() {
    let cases = [
        ("a: 3.10", "{a=3.10}"),
        ("a: '3.10'", "{a=\"3.10\"}"),
        (
            "a: 012\nb: yes\nc: 2019-01-01",
            "{a=012 b=yes c=2019-01-01}",
        ),
        ("a: !!str 12", "{a=\"12\"}"),
        ("--- \na: b", "{a=b}"),
        ("a:\n- b\n- c: d", "{a=[b {c=d}]}"),
        ("a: |\n  x\n  y\n", "{a=\"x\\ny\\n\"}"),
        ("{a: [b, {c: d}], e: }", "{a=[b {c=d}] e=}"),
        ("? a\n: b", "{a=b}"),
        ("\u{feff}a: ü", "{a=ü}"),
    ];
    for (text, expected) in cases {
        assert_eq!(show(&tree(text)), expected, "{text}");
    }
}

#[test]
fn merge_keys_follow_the_rules() {
    let cases = [
        // Local keys win wherever they stand.
        ("a: &a {x: 1, y: 1}\nb:\n  x: 2\n  <<: *a", "{y=1 x=2}"),
        ("a: &a {x: 1, y: 1}\nb:\n  <<: *a\n  x: 2", "{y=1 x=2}"),
        // In a list, and among several keys, the earlier wins.
        (
            "a: &a {x: 1}\nc: &c {x: 2, z: 2}\nb: {<<: [*a, *c]}",
            "{x=1 z=2}",
        ),
        (
            "a: &a {x: 1}\nc: &c {x: 2, z: 2}\nb:\n  <<: *a\n  <<: *c",
            "{x=1 z=2}",
        ),
        // Maps in place, with and without an anchor.
        ("b:\n  <<: &n {x: 1}\n  y: 2", "{x=1 y=2}"),
        ("b:\n  <<: {x: 1}", "{x=1}"),
        // An alias to a list of maps.
        ("l: &l\n  - x: 1\n  - y: 2\nb: {<<: *l}", "{x=1 y=2}"),
        // A map that was merged into can be merged again.
        (
            "a: &a {x: 1}\nc: &c {<<: *a, y: 2}\nb: {<<: *c}",
            "{x=1 y=2}",
        ),
        // An anchor named again counts from there.
        ("a: &a {x: 1}\nc: &a {x: 2}\nb: {<<: *a}", "{x=2}"),
        // Quotes make it an ordinary key.
        ("b: {'<<': 1}", "{<<=1}"),
    ];
    for (text, expected) in cases {
        let root = tree(text);
        let Value::Map(entries) = &*root.value else {
            panic!("{text}")
        };
        let b = entries.iter().find(|entry| entry.key == "b").unwrap();
        assert_eq!(show(&b.value), expected, "{text}");
        assert!(parse(text).unwrap().repeated.is_empty(), "{text}");
    }
}

#[test]
fn nodes_know_where_they_stand() {
    let text =
        "jobs:\n  build:\n    steps:\n      - run: |\n          a\n      - checkout\n\nx: [ä, b]\n";
    let root = tree(text);
    let place = |span: Span| {
        (
            span.start.line,
            span.start.column,
            span.end.line,
            span.end.column,
        )
    };
    let Value::Map(top) = &*root.value else {
        panic!()
    };
    assert_eq!(place(top[0].key_span), (1, 1, 1, 5));
    let Value::Map(jobs) = &*top[0].value.value else {
        panic!()
    };
    assert_eq!(place(jobs[0].key_span), (2, 3, 2, 8));
    let Value::Map(build) = &*jobs[0].value.value else {
        panic!()
    };
    let Value::List(steps) = &*build[0].value.value else {
        panic!()
    };
    assert_eq!(place(steps[1].span), (6, 9, 6, 17));
    // A block ends with its last child, not at the next token.
    assert_eq!(build[0].value.span.end, steps[1].span.end);
    let Value::List(flow) = &*top[1].value.value else {
        panic!()
    };
    assert_eq!(place(top[1].value.span), (8, 4, 8, 10));
    assert_eq!(place(flow[1].span), (8, 8, 8, 9));
}

#[test]
fn brackets_at_the_margin_are_read_and_nothing_moves() {
    let text = "a:\n  b: [\n    x,\n    {c: d\n  }\n  ]\n  e: f\ng:\n  h: |\n    ]\n";
    let root = tree(text);
    assert_eq!(show(&root), "{a={b=[x {c=d}] e=f} g={h=\"]\\n\"}}");
    let Value::Map(top) = &*root.value else {
        panic!()
    };
    let Value::Map(a) = &*top[0].value.value else {
        panic!()
    };
    assert_eq!(
        (a[0].value.span.end.line, a[0].value.span.end.column),
        (6, 4)
    );
}

#[test]
fn faults_have_a_place_and_a_hint() {
    let cases = [
        ("a: *b", 1, 4, "alias `*b` has no anchor", None),
        (
            "x: &deploy 1\na: *deplyo",
            2,
            4,
            "alias `*deplyo`",
            Some("`*deploy`"),
        ),
        ("a: &a [*a]", 1, 8, "inside its own anchor", None),
        ("a:\n\t- b", 2, 2, "not valid YAML", Some("spaces")),
        ("a: b: c", 1, 5, "not valid YAML", Some("quotes")),
        ("a: [1, 2", 1, 9, "not valid YAML", None),
        ("a: {{ b }}", 1, 5, "a key must be a word", Some("quotes")),
        ("a: \u{0}", 1, 4, "U+0000", None),
        ("a: 1\n---\nb: 2", 2, 1, "second document", None),
        ("a: {<<: 3}", 1, 9, "`<<` merges a map", None),
        ("", 1, 1, "empty", None),
        ("# only a comment\n", 1, 1, "empty", None),
        ("~", 1, 1, "empty", None),
    ];
    for (text, line, column, message, hint) in cases {
        let fault = fault(text);
        assert!(
            fault.message.contains(message),
            "{text:?}: {}",
            fault.message
        );
        assert_eq!(
            (fault.span.start.line, fault.span.start.column),
            (line, column),
            "{text:?}"
        );
        if let Some(hint) = hint {
            assert!(
                fault.hint.as_deref().unwrap_or_default().contains(hint),
                "{text:?}: {:?}",
                fault.hint
            );
        }
    }
}

#[test]
fn a_fault_names_the_key_in_which_it_is() {
    let fault = fault("jobs:\n  build:\n    steps:\n      - checkout\n      - run: *cmd\n");
    assert_eq!(fault.key, "jobs.build.steps[1].run");
}

#[test]
fn repeated_keys_are_noted_and_the_last_counts() {
    let document = parse("a:\n  b: 1\n  c: 2\n  b: 3\n").unwrap();
    assert_eq!(show(&document.root), "{a={b=3 c=2}}");
    let [repeated] = document.repeated.as_slice() else {
        panic!("{:?}", document.repeated)
    };
    assert_eq!(
        (repeated.span.start.line, repeated.key.as_str()),
        (4, "a.b")
    );
    assert_eq!(repeated.hint.as_deref(), Some("it stands first on line 2"));
}

/// `levels` anchors, each of ten aliases of the one before.
fn bomb(levels: u32, item: &str) -> String {
    let mut text = format!("a0: &a0 {item}\n");
    for level in 1..=levels {
        let below = vec![format!("*a{}", level - 1); 10].join(", ");
        text.push_str(&format!("a{level}: &a{level} [{below}]\n"));
    }
    text
}

#[test]
fn an_alias_bomb_of_ten_levels_ends_at_the_budget() {
    let fault = fault(&bomb(10, "x"));
    assert!(fault.message.contains("200000 nodes"), "{}", fault.message);
    assert!(fault.span.start.line < 10);
    assert!(parse(&bomb(3, "x")).is_ok());
}

#[test]
fn merging_and_long_texts_are_paid_for_too() {
    let wide: String = (0..1000).map(|key| format!("k{key}: 1, ")).collect();
    let merges = "  <<: *a\n".repeat(1000);
    assert!(
        fault(&format!("a: &a {{{wide}}}\nb:\n{merges}"))
            .message
            .contains("200000 nodes")
    );
    assert!(
        fault(&bomb(4, &"x".repeat(100_000)))
            .message
            .contains("200000 nodes")
    );
}

#[test]
fn depth_size_and_keys_are_bounded() {
    let nested = |levels: usize| format!("a: {}{}", "[".repeat(levels), "]".repeat(levels));
    assert!(parse(&nested(60)).is_ok());
    assert!(fault(&nested(100)).message.contains("64 levels"));
    assert!(fault(&"- ".repeat(200)).message.contains("64 levels"));
    // Depth counts with aliases expanded: ten anchors, each one level above the next ten.
    let mut chain = "a0: &a0 [[[[[[[[x]]]]]]]]\n".to_owned();
    for level in 1..10 {
        chain.push_str(&format!(
            "a{level}: &a{level} [[[[[[[*a{}]]]]]]]\n",
            level - 1
        ));
    }
    assert!(fault(&chain).message.contains("64 levels"));
    assert!(
        fault(&format!("a: {}", "x".repeat(MAX_BYTES)))
            .message
            .contains("bytes")
    );
    assert!(
        fault(&format!("{}: x", "k".repeat(300)))
            .message
            .contains("key has 300 bytes")
    );
}

/// A map as a model: keys `k0` to `k5` with small values.
fn small_map() -> impl Strategy<Value = BTreeMap<u8, u8>> {
    proptest::collection::btree_map(0..6_u8, 0..9_u8, 0..5)
}

fn flow(map: &BTreeMap<u8, u8>) -> String {
    let pairs: Vec<String> = map
        .iter()
        .map(|(key, value)| format!("k{key}: {value}"))
        .collect();
    format!("{{{}}}", pairs.join(", "))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn merged_maps_equal_the_model(
        sources in proptest::collection::vec(small_map(), 0..4),
        local in small_map(),
        place in 0..6_usize,
        as_list: bool,
    ) {
        let mut text = String::new();
        for (index, source) in sources.iter().enumerate() {
            text.push_str(&format!("s{index}: &s{index} {}\n", flow(source)));
        }
        let names: Vec<String> = (0..sources.len()).map(|index| format!("*s{index}")).collect();
        let merges: Vec<String> = if as_list {
            vec![format!("<<: [{}]", names.join(", "))]
        } else {
            names.iter().map(|name| format!("<<: {name}")).collect()
        };
        let mut lines: Vec<String> = local.iter().map(|(key, value)| format!("k{key}: {value}")).collect();
        let place = place.min(lines.len());
        lines.splice(place..place, merges);
        text.push_str("b: {");
        text.push_str(&lines.join(", "));
        text.push_str("}\n");

        let mut model: BTreeMap<String, String> = BTreeMap::new();
        for map in std::iter::once(&local).chain(&sources) {
            for (key, value) in map {
                model.entry(format!("k{key}")).or_insert(value.to_string());
            }
        }
        let root = tree(&text);
        let Value::Map(entries) = &*root.value else { panic!() };
        let Value::Map(merged) = &*entries.last().unwrap().value.value else { panic!() };
        let found: BTreeMap<String, String> =
            merged.iter().map(|entry| (entry.key.clone(), show(&entry.value))).collect();
        prop_assert_eq!(merged.len(), found.len(), "a key twice");
        prop_assert_eq!(found, model);
    }

    #[test]
    fn what_is_written_reads_back(texts in proptest::collection::vec(nasty(), 1..5)) {
        let items: Vec<emit::Out> = texts.iter().map(|text| emit::Out::text(text)).collect();
        let keyed = texts.iter().enumerate().map(|(index, text)| (format!("{index}{text}"), emit::Out::text(text)));
        let out = emit::emit(&emit::Out::Map(vec![
            ("list".to_owned(), emit::Out::List(items)),
            ("map".to_owned(), emit::Out::Map(keyed.collect())),
        ]));
        let root = parse(&out).unwrap_or_else(|fault| panic!("{fault:?}\n{out}")).root;
        let Value::Map(top) = &*root.value else { panic!() };
        let Value::List(list) = &*top[0].value.value else { panic!() };
        let Value::Map(map) = &*top[1].value.value else { panic!() };
        for (index, text) in texts.iter().enumerate() {
            for node in [&list[index], &map[index].value] {
                let scalar = node.scalar().unwrap();
                prop_assert_eq!(&scalar.text, text, "{}", out);
                prop_assert_eq!(node.kind(), "a string", "{}", out);
            }
            prop_assert_eq!(&map[index].key, &format!("{index}{text}"));
        }
    }
}

/// Texts that a writer of YAML gets wrong.
fn nasty() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        " ",
        "\n",
        "\t",
        "\r",
        "#",
        ": ",
        ":",
        "- ",
        "-",
        "?",
        "'",
        "\"",
        "\\",
        "{",
        "}",
        "[",
        "]",
        ",",
        "&a",
        "*a",
        "!",
        "|",
        ">",
        "%",
        "@",
        "`",
        "~",
        "null",
        "yes",
        "1",
        "0x1f",
        "1:30",
        "2019-01-01",
        "<<",
        "=",
        "...",
        "---",
        "word",
        "ü",
        "\u{2028}",
        "\u{feff}",
        "\u{7f}",
        "\u{1}",
        "\u{85}",
        "😀",
        "$X",
        "\n\n",
        "  \n",
    ]);
    proptest::collection::vec(pieces, 0..8).prop_map(|pieces| pieces.concat())
}
