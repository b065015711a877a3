//! Leaks that are planted, each secret in each kind of place: a search that does not find them would show nothing by finding none.

use std::fs;
use std::process::Stdio;

use crate::search::Search;
use crate::support::{Running, until};

use super::searched;
use super::site::Site;
use super::watch::Watch;

/// A job that prints a file.
const PRINTS: &str = "version: 2.1
jobs:
  leak:
    machine: true
    steps: [{run: \"cat FILE\"}]
workflows: {main: {jobs: [leak]}}
";

/// Where the names of all tokens are shown.
const NAMED: &str = "token list
token list --json
audit list -n 1000
audit list -n 1000 --json
console --once --size 300x300 --screen audit
GET /api/roundel/v1/tokens?limit=1000
GET /api/roundel/v1/audit?limit=1000";

/// Longest name of a token.
const NAME_MAX: usize = 64;

/// Forms as text, each with its name.
type Planted<'a> = Vec<(&'a str, &'a str)>;

fn texts(search: &Search) -> Planted<'_> {
    let forms = search.forms.iter();
    let text = |bytes| std::str::from_utf8(bytes).ok();
    let all = forms.filter_map(|(name, bytes)| Some((name.as_str(), text(bytes)?)));
    all.filter(|(_, text)| !text.contains(char::is_control))
        .collect()
}

/// Of each secret a form that is the same wherever it is written.
fn plain(search: &Search) -> Planted<'_> {
    let mut found: Planted<'_> = Vec::new();
    let secret = |name: &str| name.rsplit_once(", ").unwrap().0.to_owned();
    for (name, text) in texts(search) {
        let known = found
            .last()
            .is_some_and(|(last, _)| secret(last) == secret(name));
        let same = |c: char| c.is_ascii_alphanumeric() || "+/=-_".contains(c);
        if !known && text.len() <= NAME_MAX && text.chars().all(same) {
            found.push((name, text));
        }
    }
    let mut secrets: Vec<String> = search.every().into_iter().map(secret).collect();
    secrets.dedup();
    assert_eq!(found.len(), secrets.len(), "{found:?}");
    found
}

/// What was planted and is not among what was found.
fn missing<'a>(planted: &Planted<'a>, found: &[&str]) -> Vec<&'a str> {
    let names = planted.iter().map(|(name, _)| *name);
    names.filter(|name| !found.contains(name)).collect()
}

#[track_caller]
fn all_found(planted: &Planted<'_>, found: impl IntoIterator<Item = impl AsRef<str>>, place: &str) {
    let found: Vec<_> = found.into_iter().collect();
    let found: Vec<&str> = found.iter().map(AsRef::as_ref).collect();
    let left = missing(planted, &found);
    assert!(left.is_empty(), "not found in {place}: {left:?}");
}

impl Site {
    /// Plants everything everywhere.
    pub fn plants(&self, search: &Search) {
        self.on_disk(search);
        self.in_processes(search);
        self.in_a_log(search);
        self.in_settings(search);
        self.in_names(search);
    }

    /// In a file of its own, in each directory that is searched.
    fn on_disk(&self, search: &Search) {
        for root in searched(self) {
            let file = root.join("planted");
            for (name, bytes) in &search.forms {
                fs::write(&file, [b"before ", bytes.as_slice(), b" after"].concat()).unwrap();
                let found = search.found_in_files(vec![file.clone()]);
                let found = found
                    .iter()
                    .any(|(_, forms)| forms.contains(&name.as_str()));
                assert!(found, "{name} in {}", file.display());
            }
            let found = search.found_below(&[&root]);
            assert!(
                found.iter().any(|(path, _)| *path == file),
                "{}",
                file.display()
            );
            fs::remove_file(file).unwrap();
        }
    }

    /// On a command line, and in an environment. Who looks all the time has seen them too.
    fn in_processes(&self, search: &Search) {
        let watch = Watch::start();
        let texts = texts(search);
        // So many fit.
        for some in texts.chunks(200) {
            let some = some.to_vec();
            let mut words = vec!["-c", "read end", "sh"];
            words.extend(some.iter().map(|(_, text)| *text));
            let mut line = self.home().program("sh", &words);
            let mut environment = self.home().program("sh", &words[..2]);
            environment.envs(
                some.iter()
                    .enumerate()
                    .map(|(n, (_, text))| (format!("V{n}"), *text)),
            );
            let started = [&mut line, &mut environment]
                .map(|one| Running(one.stdin(Stdio::piped()).spawn().unwrap()));
            let [line, environment] = started.each_ref().map(|one| one.0.id().to_string());
            let found = |path: String| {
                let found = search.found_in_processes(&[&environment]).into_iter();
                let found = found.filter(|(found, _)| found.to_str() == Some(&path));
                missing(
                    &some,
                    &found.flat_map(|(_, forms)| forms).collect::<Vec<_>>(),
                )
                .is_empty()
            };
            // What is started is itself a moment later.
            until("both are found", || {
                found(format!("/proc/{line}/cmdline"))
                    && found(format!("/proc/{environment}/environ"))
            });
            watch.look_again();
        }
        let seen = watch.end();
        let found = seen
            .command_lines
            .iter()
            .flat_map(|line| search.found_in(line));
        all_found(&texts, found, "what was seen of processes");
    }

    /// In what a job prints that does not know them as its variables: the log, how it is shown, and a copy of it.
    fn in_a_log(&self, search: &Search) {
        let mut planted = texts(search);
        // Jobs are told of the proxy, so it is hidden in what each of them prints.
        planted.retain(|(name, _)| !name.starts_with("proxy.url, "));
        let text: String = planted
            .iter()
            .map(|(_, text)| format!("{text}\n"))
            .collect();
        let file = self.file("planted", &text);
        self.home()
            .repository("leak", &PRINTS.replace("FILE", &file));
        let size = format!("300x{}", planted.len().min(900) + 50);
        for words in [
            &["build", "leak"][..],
            &["logs", "leak#1"],
            &["logs", "--raw", "leak#1"],
            &[
                "console",
                "--once",
                "--size",
                &size,
                "--screen",
                "log:leak#1",
            ],
        ] {
            let said = self.home().run(words).with_code(0).out;
            all_found(&planted, search.found_in(&said), &words.join(" "));
        }
        self.home()
            .run(&["backup", "create", "copied"])
            .with_code(0);
        for root in [self.home().data().join("logs"), self.home().path("copied")] {
            let found = search.found_below(&[&root]).into_iter();
            all_found(
                &planted,
                found.flat_map(|(_, forms)| forms),
                &root.display().to_string(),
            );
        }
    }

    /// In settings that are no secrets, staged and saved; and in what is said of settings that are not there.
    fn in_settings(&self, search: &Search) {
        let planted = plain(search);
        let found_in = |words: &[&str]| {
            let said = self.home().run(words);
            all_found(
                &planted,
                search.found_in(said.out + &said.err),
                &words.join(" "),
            );
        };
        let file = |line: &dyn Fn(usize, &str) -> String| {
            let lines = planted
                .iter()
                .enumerate()
                .map(|(n, (_, text))| line(n, text));
            self.file("planted.toml", &lines.collect::<String>())
        };
        let stage = |file: String| ["settings", "import", "--stage", &file].map(str::to_owned);
        self.home().run(&["settings", "discard"]).with_code(0);
        let unknown = stage(file(&|_, text| format!("\"{text}\" = 1\n")));
        found_in(&unknown.each_ref().map(String::as_str));
        let overrides = stage(file(&|n, text| {
            format!("override.frontend.P_{n} = \"{text}\"\n")
        }));
        let overrides = overrides.each_ref().map(String::as_str);
        self.home().run(&overrides).with_code(0);
        let screen = |name| ["console", "--once", "--size", "300x1000", "--screen", name];
        found_in(&["settings", "diff"]);
        found_in(&screen("settings:review"));
        self.home().run(&["settings", "save", "--yes"]).with_code(0);
        found_in(&["settings", "export"]);
        found_in(&["settings", "list", "--all", "--json"]);
        found_in(&["settings", "diff", "0", "--json"]);
        found_in(&screen("settings:overrides"));
    }

    /// In names of tokens: the database, the audit log, lists and screens, and what the API answers.
    fn in_names(&self, search: &Search) {
        let planted = plain(search);
        for (_, text) in &planted {
            let body = serde_json::json!({"name": text, "role": "viewer"});
            let answer = self.post("tokens", &body.to_string());
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        }
        let mut places: Vec<&str> = NAMED.lines().collect();
        for (from, text) in self.shown() {
            if places.contains(&from.as_str()) {
                all_found(&planted, search.found_in(&text), &from);
                places.retain(|place| *place != from);
            }
        }
        assert_eq!(places, [""; 0], "these are shown no more");
        let database = |name| self.home().data().join(name);
        let files = ["roundel.db", "roundel.db-wal"].map(database).to_vec();
        let found = search.found_in_files(files).into_iter();
        all_found(&planted, found.flat_map(|(_, forms)| forms), "the database");
    }
}
