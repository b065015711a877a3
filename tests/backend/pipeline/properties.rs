//! Whatever the text: an answer, never a panic; and what `process` prints means the same.

use proptest::prelude::*;
use roundel::pipeline::{Facts, compile, process};
use serde_json::{Map, Value, json};

use super::{check_problems, master};

/// Compiles, and checks what holds for any text.
pub fn check(text: &str) {
    let facts = master();
    match compile(text, &facts) {
        Err(problems) => check_problems(text, &problems),
        Ok(done) => {
            let document = process(text, &facts).unwrap();
            let again =
                compile(&document, &facts).unwrap_or_else(|err| panic!("{err:#?}\n{document}"));
            assert_eq!(again.plan, done.plan, "{document}");
            check_graph(&done.plan);
        }
    }
}

/// Every job stands after all it requires, under a name of its own.
fn check_graph(plan: &roundel::pipeline::Plan) {
    for workflow in &plan.workflows {
        let mut seen = std::collections::HashSet::new();
        for job in &workflow.jobs {
            assert!(
                job.requires.iter().all(|name| seen.contains(name.as_str())),
                "{workflow:#?}"
            );
            assert!(seen.insert(job.name.as_str()), "{workflow:#?}");
            assert!(!job.steps.is_empty() && job.parallelism > 0 && job.cpu_millis > 0);
        }
    }
}

/// Pieces of which configs are made, put together without sense.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "version: 2.1\n",
        "version: 2\n",
        "jobs:\n",
        "workflows:\n",
        "  build:\n",
        "  w:\n",
        "    jobs:\n",
        "    steps:\n",
        "      - checkout\n",
        "      - run: x\n",
        "      - run:\n",
        "          command: |\n",
        "            y\n",
        "    machine: true\n",
        "    docker:\n",
        "      - image: a\n",
        "      - build\n",
        "          requires: [build]\n",
        "    <<: *a\n",
        "  a: &a\n",
        "&a ",
        "*a",
        "- ",
        ": ",
        "{",
        "}",
        "[",
        "]",
        ",",
        "\n",
        "\n  ",
        "\n    ",
        "'",
        "\"",
        "|",
        ">",
        "#",
        "<<",
        "<< parameters.x >>",
        "\t",
        "!!str ",
        "? ",
        "---\n",
        "...\n",
        "%YAML 1.1\n",
        "\u{feff}",
        "\0",
        "é",
        "0x",
        "~",
        "filters: {branches: {only: /",
        "/}}",
        "\\",
        "\r\n",
    ]);
    proptest::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

/// Texts that a careless writer of YAML gets wrong.
fn word() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "a", "b c", " ", "\n", "\t", ":", ": ", "#", " #", "-", "'", "\"", "\\", "{{ x }}", "$X",
        "yes", "1", "1:30", "<<", "<<EOF", "&", "*", "~", "null", "ü", "\u{2028}", "|", ">", "%",
        "@", "\r", "/", ".*",
    ]);
    proptest::collection::vec(piece, 1..6).prop_map(|pieces| pieces.concat())
}

/// A name of a job or workflow: odd, but fit to be shown.
fn label() -> impl Strategy<Value = String> {
    word().prop_map(|word| format!("n{}", word.replace(char::is_control, "")))
}

fn step() -> impl Strategy<Value = Value> {
    let run = (
        word(),
        proptest::option::of(word()),
        any::<bool>(),
        1..9_u32,
    )
        .prop_map(|(command, name, background, minutes)| {
            let mut run = json!({"command": command, "background": background});
            run["no_output_timeout"] = json!(format!("{minutes}m"));
            if let Some(name) = name {
                run["name"] = json!(name);
            }
            json!({"run": run})
        });
    prop_oneof![
        Just(json!("checkout")),
        word().prop_map(|path| json!({"checkout": {"path": path}})),
        word().prop_map(|command| json!({"run": command})),
        run,
    ]
}

fn job() -> impl Strategy<Value = Value> {
    let executor = prop_oneof![
        Just(("machine", json!(true))),
        word().prop_map(|image| ("machine", json!({"image": image}))),
        (word(), word()).prop_map(|(image, value)| {
            (
                "docker",
                json!([{"image": image, "environment": {"A": value}, "command": "x y"}]),
            )
        }),
        Just(("macos", json!({"xcode": "11"}))),
    ];
    let environment = proptest::collection::hash_map("[A-Z]{1,3}", word(), 0..3);
    (
        executor,
        environment,
        1..4_u32,
        proptest::collection::vec(step(), 1..4),
    )
        .prop_map(|((executor, value), environment, parallelism, steps)| {
            let mut job =
                json!({"environment": environment, "parallelism": parallelism, "steps": steps});
            job[executor] = value;
            job
        })
}

/// A config as JSON, which is YAML: jobs under odd names, each requiring some of those before it.
fn config() -> impl Strategy<Value = String> {
    let entry = (
        label(),
        job(),
        any::<u8>(),
        proptest::option::of(label()),
        0..3_u8,
    );
    (
        proptest::collection::vec(entry, 1..6),
        label(),
        any::<bool>(),
    )
        .prop_map(|(entries, workflow, twice)| {
            let mut jobs = Map::new();
            let mut list: Vec<Value> = Vec::new();
            let mut names: Vec<String> = Vec::new();
            for (key, job, requires, name, filter) in entries {
                let key = format!("{key}{}", names.len());
                let mut entry = Map::new();
                let required: Vec<&String> = names
                    .iter()
                    .enumerate()
                    .filter(|(at, _)| requires & (1 << at) != 0)
                    .map(|(_, name)| name)
                    .collect();
                entry.insert("requires".to_owned(), json!(required));
                let filters = match filter {
                    1 => json!({"branches": {"ignore": "master"}}),
                    2 => json!({"tags": {"only": ["/v.*/", "x"]}}),
                    _ => Value::Null,
                };
                entry.insert("filters".to_owned(), filters);
                if let Some(name) = &name {
                    entry.insert("name".to_owned(), json!(format!("{name}-{key}")));
                }
                names.push(name.map_or(key.clone(), |name| format!("{name}-{key}")));
                list.push(json!({key.clone(): entry}));
                jobs.insert(key, job);
            }
            let mut workflows = Map::new();
            workflows.insert(workflow.clone(), json!({"jobs": list}));
            if twice {
                workflows.insert(format!("{workflow}2"), json!({"jobs": list}));
            }
            json!({"version": "2", "jobs": jobs, "workflows": workflows}).to_string()
        })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        check(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn any_text_is_answered(text in "\\PC{0,120}") {
        check(&text);
    }

    #[test]
    fn any_pieces_of_configs_are_answered(text in pieces()) {
        check(&text);
        check(&format!("version: 2.1\njobs:\n  build:\n    machine: true\n    steps:\n{text}"));
    }

    #[test]
    fn whole_configs_compile_and_mean_the_same_when_processed(text in config()) {
        let facts = master();
        for facts in [facts.clone(), Facts { no_engine: true, ..facts.clone() }, Facts { tag: "v1".to_owned(), ..facts }] {
            let done = compile(&text, &facts);
            prop_assert!(done.is_ok(), "{done:#?}\n{text}");
            let done = done.unwrap();
            check_graph(&done.plan);
            let document = process(&text, &facts).unwrap();
            let again = compile(&document, &facts);
            prop_assert!(again.is_ok(), "{again:?}\n{document}");
            prop_assert_eq!(again.unwrap().plan, done.plan, "{}", document);
        }
    }
}
