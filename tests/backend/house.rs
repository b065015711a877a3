//! The rules of the house that a test can see: the order of the modules, who may name SQL, keys, colours and
//! terminals, what every file begins with, and how long it may grow.

use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

/// Lines of a source file, tests not counted, above which it holds more than one thing.
const FILE_LINES_MAX: usize = 500;

/// One file under `src`.
struct Source {
    /// Its path within the repository.
    path: String,
    text: String,
}

impl Source {
    /// The lines before the first inline tests, numbered from 1.
    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text
            .lines()
            .take_while(|line| !line.trim_start().starts_with("#[cfg(test)]"))
            .zip(1..)
            .map(|(l, n)| (n, l))
    }

    /// The lines before the first inline tests that are no comments, numbered from 1.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        self.lines()
            .filter(|(_, line)| !line.trim_start().starts_with("//"))
    }

    /// The module of the crate root that the file belongs to: `src/store/pool.rs` to `store`.
    fn module(&self) -> &str {
        let rest = self.path.strip_prefix("src/").unwrap_or(&self.path);
        rest.split(['/', '.']).next().unwrap_or(rest)
    }

    fn is_tests(&self) -> bool {
        self.path.ends_with("/tests.rs") || self.path.contains("/tests/")
    }

    /// Whether it is part of the program alone, not of the library.
    fn is_program(&self) -> bool {
        matches!(self.module(), "main" | "cli" | "console")
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// All source files but those that hold only tests, sorted by path.
fn sources() -> Vec<Source> {
    fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let root = root();
    let mut paths = Vec::new();
    walk(&root.join("src"), &mut paths);
    paths.sort();
    let sources: Vec<_> = paths
        .iter()
        .map(|path| Source {
            path: path
                .strip_prefix(&root)
                .unwrap()
                .to_string_lossy()
                .into_owned(),
            text: fs::read_to_string(path).unwrap(),
        })
        .filter(|source| !source.is_tests())
        .collect();
    assert!(
        sources.len() > 50,
        "the sources are where this test looks for them"
    );
    sources
}

/// Every match of `pattern` in code that is not a comment, as `file:line: text`.
fn places(sources: &[Source], of: impl Fn(&Source) -> bool, pattern: &str) -> Vec<String> {
    let pattern = Regex::new(pattern).unwrap();
    let mut found = Vec::new();
    for source in sources.iter().filter(|source| of(source)) {
        for (number, line) in source.code() {
            if pattern.is_match(line) {
                found.push(format!("{}:{number}: {}", source.path, line.trim()));
            }
        }
    }
    found
}

fn assert_none(broken: &[String], rule: &str) {
    assert!(broken.is_empty(), "{rule}:\n{}\n", broken.join("\n"));
}

/// The modules of the library, in the order of `lib.rs`.
fn module_order(lib: &str) -> Vec<String> {
    let declared = Regex::new(r"(?m)^pub mod ([a-z_]+);").unwrap();
    declared
        .captures_iter(lib)
        .map(|found| found[1].to_owned())
        .collect()
}

/// Each use of a module that does not stand above the user's own, as `file:line: user uses used`.
fn uses_from_below(order: &[String], sources: &[Source]) -> Vec<String> {
    let rank = |module: &str| order.iter().position(|name| name == module);
    let used = Regex::new(r"\bcrate::(?:\{([^}]*)\}?|([a-z_]+))").unwrap();
    let mut broken = Vec::new();
    for source in sources {
        let Some(own) = rank(source.module()) else {
            continue;
        };
        // Over line ends: a list of modules may be long.
        let (numbers, lines): (Vec<_>, Vec<_>) = source.code().unzip();
        let code = lines.join("\n");
        for found in used.captures_iter(&code) {
            let at = found.get(0).map_or(0, |whole| whole.start());
            let number = numbers[code[..at].matches('\n').count()];
            let names = found
                .get(1)
                .or(found.get(2))
                .map_or("", |names| names.as_str());
            for name in names.split(',') {
                let name = name.trim().split("::").next().unwrap_or_default();
                if rank(name).is_some_and(|other| other > own) {
                    broken.push(format!(
                        "{}:{number}: {} uses {name}",
                        source.path,
                        source.module()
                    ));
                }
            }
        }
    }
    broken
}

#[test]
fn a_module_uses_only_modules_above_it() {
    let order = module_order(&fs::read_to_string(root().join("src/lib.rs")).unwrap());
    assert!(order.len() > 10, "lib.rs declares the modules: {order:?}");
    assert_none(
        &uses_from_below(&order, &sources()),
        "lib.rs has the order of dependency",
    );
}

#[test]
fn the_order_test_sees_a_use_from_below() {
    let order = ["ids", "store", "engine"].map(str::to_owned);
    let source = |path: &str, text: &str| Source {
        path: path.into(),
        text: text.into(),
    };
    let cases = [
        (
            "src/store/pool.rs",
            "use crate::engine::Handle;",
            vec!["src/store/pool.rs:1: store uses engine"],
        ),
        (
            "src/store.rs",
            "\n    x: crate::engine::Handle,",
            vec!["src/store.rs:2: store uses engine"],
        ),
        (
            "src/ids.rs",
            "use crate::{engine::X, store};",
            vec![
                "src/ids.rs:1: ids uses engine",
                "src/ids.rs:1: ids uses store",
            ],
        ),
        (
            "src/engine.rs",
            "use crate::store::Store;\nuse crate::engine::state;",
            vec![],
        ),
        (
            "src/store.rs",
            "// crate::engine is below\n#[cfg(test)]\nuse crate::engine::Handle;",
            vec![],
        ),
    ];
    for (path, text, expected) in cases {
        assert_eq!(
            uses_from_below(&order, &[source(path, text)]),
            expected,
            "{path}: {text}"
        );
    }
}

#[test]
fn every_file_says_first_what_it_is_for() {
    let without = |source: &&Source| !source.text.starts_with("//! ");
    let broken: Vec<_> = sources()
        .iter()
        .filter(without)
        .map(|source| source.path.clone())
        .collect();
    assert_none(&broken, "a file begins with `//! ` and what it is for");
}

#[test]
fn no_file_holds_more_than_one_thing() {
    let broken: Vec<_> = sources()
        .iter()
        .map(|source| {
            let before = source.text.split("#[cfg(test)]\nmod tests").next();
            (before.unwrap_or_default().lines().count(), &source.path)
        })
        .filter(|(count, _)| *count > FILE_LINES_MAX)
        .map(|(count, path)| format!("{path}: {count} lines"))
        .collect();
    assert_none(&broken, "a file has at most 500 lines before its tests");
}

#[test]
fn modules_are_a_file_and_a_folder() {
    let broken: Vec<_> = sources()
        .iter()
        .map(|source| source.path.clone())
        .filter(|path| path.ends_with("/mod.rs"))
        .collect();
    assert_none(&broken, "a module is `foo.rs` and `foo/`, never `mod.rs`");
}

#[test]
fn sql_stays_in_the_store() {
    let outside = |source: &Source| source.module() != "store";
    let broken = places(
        &sources(),
        outside,
        r"SELECT |INSERT INTO|UPDATE [a-z_]+ SET|DELETE FROM|rusqlite",
    );
    assert_none(&broken, "SQL stands in src/store only");
}

#[test]
fn the_library_knows_no_terminal() {
    let broken = places(
        &sources(),
        |source| !source.is_program(),
        r"\b(ratatui|crossterm|clap|tui_textarea)\b",
    );
    assert_none(&broken, "the library names no terminal crate");
}

#[test]
fn a_screen_knows_no_key_and_no_colour() {
    let screens = |source: &Source| source.path.starts_with("src/console/screens");
    let broken = places(&sources(), screens, r"\bKeyCode\b|\bColor::");
    assert_none(&broken, "keys stand in the keymap, colours in the theme");
}

#[test]
fn the_console_reaches_the_services_through_the_api_only() {
    let console = |source: &Source| source.module() == "console";
    let broken = places(
        &sources(),
        console,
        r"\broundel::(store|engine|http|storage|cluster|scheduler)\b",
    );
    assert_none(
        &broken,
        "the console uses the client and the words of the wire",
    );
}

#[test]
fn only_the_clock_reads_the_clock() {
    let elsewhere = |source: &Source| source.module() != "clock" && !source.is_program();
    let broken = places(&sources(), elsewhere, r"\b(Instant|SystemTime)::now\b");
    assert_none(&broken, "only src/clock.rs reads the system clocks");
}

#[test]
fn the_pure_modules_touch_nothing_outside() {
    let pure = |source: &Source| matches!(source.module(), "pipeline" | "queue" | "scheduler");
    let broken = places(
        &sources(),
        pure,
        r"\b(std::fs|std::net|std::env|std::process|tokio|Timestamp::now)\b",
    );
    assert_none(
        &broken,
        "pipeline, queue and scheduler read no clock, file or socket",
    );
}

#[test]
fn the_top_level_is_short() {
    let expected = [
        "CHANGELOG.md",
        "Cargo.lock",
        "Cargo.toml",
        "LICENSE",
        "README.md",
        "assets",
        "docs",
        "src",
        "tests",
        "themes",
    ];
    let listed = std::process::Command::new("git")
        .args(["ls-files"])
        .current_dir(root())
        .output()
        .unwrap();
    if !listed.status.success() {
        return crate::support::skip("needs a git checkout");
    }
    let listed = String::from_utf8(listed.stdout).unwrap();
    let mut found: Vec<_> = listed
        .lines()
        .filter_map(|path| path.split('/').next())
        .collect();
    found.retain(|name| !name.starts_with('.') && !expected.contains(name));
    found.dedup();
    assert!(found.is_empty(), "not at the top level: {found:?}");
}

#[test]
fn no_document_holds_two_versions_of_itself() {
    let mut broken = Vec::new();
    let pages = fs::read_dir(root().join("docs")).unwrap();
    let pages = pages.map(|entry| entry.unwrap().path());
    let top = ["README.md", "CHANGELOG.md"].map(|name| root().join(name));
    for page in pages.chain(top).filter(|page| page.is_file()) {
        let text = fs::read_to_string(&page).unwrap();
        let marks = text.lines().filter(|line| {
            ["<<<<<<< ", ">>>>>>> "]
                .iter()
                .any(|mark| line.starts_with(mark))
        });
        broken.extend(marks.map(|line| format!("{}: {line}", page.display())));
    }
    assert_none(&broken, "a merge is finished before it lands");
}
