//! What needs no server: usage, configs, the version, completions.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::support::Home;

#[test]
fn wrong_words_are_usage() {
    let home = Home::new();
    let cases: [&[&str]; 9] = [
        &["no-such-verb"],
        &["node-drain", "-enable"],
        &["node-drain", "-self"],
        &["node-drain", "-enable", "-disable", "-self"],
        &["node-drain", "-enable", "-self", "-deadline", "soon"],
        &["logs", "--raw", "-stderr", "x"],
        &["console", "--once", "--size", "80"],
        &["--server", "http://ci.example.com:8800", "status"],
        &["--server", "https://", "status"],
    ];
    for words in cases {
        let said = home.run(words).with_code(2);
        assert!(said.err.starts_with("error: "), "{words:?}: {}", said.err);
    }
    assert!(!home.data().exists(), "none of them started a server");
}

#[test]
fn the_help_shows_nomads_spelling_and_the_exit_codes() {
    let home = Home::new();
    let help = home.run(&["--help"]).with_code(0).out;
    assert!(
        help.contains("6 no server") && help.contains("-json"),
        "{help}"
    );
    let help = home.run(&["node-drain", "--help"]).with_code(0).out;
    for spelling in ["-enable", "-disable", "-self", "-yes", "-deadline"] {
        assert!(
            help.contains(&format!("(also {spelling})")),
            "{spelling}: {help}"
        );
    }
}

#[test]
fn a_server_that_is_not_there_is_code_6() {
    let home = Home::new();
    let said = home.run(&["--server", "./none", "status"]).with_code(6);
    assert!(said.err.contains("no server answers on"), "{}", said.err);
    let said = home
        .run(&["--server", "./none", "status", "-json"])
        .with_code(6);
    let body: serde_json::Value = serde_json::from_str(&said.err).unwrap();
    assert_eq!(body["kind"], "no_server");
}

#[test]
fn a_console_without_a_terminal_says_what_to_do_instead() {
    let said = Home::new().run(&[]).with_code(2);
    assert!(
        said.err.contains("needs a terminal") && said.err.contains("--once"),
        "{}",
        said.err
    );
}

#[test]
fn a_bootstrap_file_with_an_error_names_file_and_key() {
    let home = Home::new();
    fs::write(home.path("c.toml"), "nodes = 0\n").unwrap();
    for words in [
        &["--config", "c.toml", "status"][..],
        &["--config", "c.toml", "serve"],
    ] {
        let said = home.run(words).with_code(2);
        assert!(
            said.err.contains("c.toml: `nodes` must be 1 to 10000"),
            "{}",
            said.err
        );
    }
    home.run(&["--config", "none.toml", "status"]).with_code(2);
}

const GOOD: &str =
    "version: 2.1\njobs:\n  build:\n    machine: true\n    steps:\n      - run: echo hello\n";

#[test]
fn configs_are_checked_without_a_server() {
    let home = Home::new();
    fs::write(home.path("good.yml"), GOOD).unwrap();
    fs::write(home.path("bad.yml"), GOOD.replace("steps", "setps")).unwrap();

    let said = home.run(&["config", "validate", "good.yml"]).with_code(0);
    assert_eq!(said.out, "good.yml is valid\n");
    let said = home.run(&["config", "validate", "bad.yml"]).with_code(2);
    assert!(said.err.contains("bad.yml:5:5: error: "), "{}", said.err);
    assert!(
        said.err.contains("hint: ") && said.err.contains("`steps`"),
        "{}",
        said.err
    );
    let said = home
        .run(&["config", "validate", "bad.yml", "--json"])
        .with_code(2);
    let answer: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(
        (&answer["valid"], &answer["problems"][0]["line"]),
        (&false.into(), &3.into()),
        "the job without steps comes first"
    );

    let document = home
        .run(&["config", "process", "good.yml"])
        .with_code(0)
        .out;
    fs::write(home.path("processed.yml"), document).unwrap();
    home.run(&["config", "validate", "processed.yml"])
        .with_code(0);
    home.run(&["config", "validate", "none.yml"]).with_code(4);
    assert!(!home.data().exists());
}

/// The stages that `tests/run` would run with these arguments.
fn stages(arguments: &[&str]) -> Vec<String> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/run");
    let listed = Command::new(script)
        .arg("--list")
        .args(arguments)
        .output()
        .unwrap();
    assert!(listed.status.success(), "{listed:?}");
    let text = String::from_utf8(listed.stdout).unwrap();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn roundels_own_checks_are_a_config_whose_parts_are_all_of_them() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = root.join(".circleci/config.yml");
    let said = Home::new()
        .run(&["config", "process", config.to_str().unwrap()])
        .with_code(0);
    assert!(said.out.contains("parallelism: 2"), "{}", said.out);
    let commands: Vec<_> = said
        .out
        .lines()
        .filter_map(|line| line.trim().strip_prefix("command: "))
        .filter(|command| !command.starts_with("dpkg-deb "))
        .collect();
    assert_eq!(commands.len(), 3, "{}", said.out);
    for command in commands {
        let script = root.join(command.split(' ').next().unwrap());
        let rights = fs::metadata(&script).unwrap().permissions().mode();
        assert_ne!(rights & 0o100, 0, "{command}: {}", script.display());
    }

    let mut all = stages(&[]);
    let mut parts = stages(&["--part", "1/2"]);
    parts.extend(stages(&["--part", "2/2"]));
    all.sort();
    parts.sort();
    assert!(all.len() >= 4, "{all:?}");
    assert_eq!(parts, all);
}

#[test]
fn version_and_completions() {
    let home = Home::new();
    let said = home.run(&["version"]).with_code(0);
    assert!(
        said.out
            .starts_with(concat!("roundel ", env!("CARGO_PKG_VERSION"))),
        "{}",
        said.out
    );
    for shell in ["bash", "zsh", "fish"] {
        assert!(
            home.run(&["completions", shell])
                .with_code(0)
                .out
                .contains("node-drain"),
            "{shell}"
        );
    }
}
