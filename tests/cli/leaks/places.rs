//! Everything that a person can be shown: what each verb that reads prints, what each screen shows, what each route answers.

use regex::Regex;
use roundel::settings::registry::{GROUPS, entries};

use super::site::{Site, Text};

/// Routes that need nothing in their path. What is followed for ever is none that can be read.
fn routes() -> Vec<String> {
    let router = include_str!("../../../src/http/router.rs");
    let of = Regex::new(r#"\.route\(\s*"(/[^"{]*)",\s*get\("#).unwrap();
    let found = of.captures_iter(router).map(|found| found[1].to_owned());
    let routes: Vec<String> = found.filter(|route| route != "/events").collect();
    assert!(
        routes.len() > 20,
        "the routes are written otherwise: {routes:?}"
    );
    routes
}

impl Site {
    /// All of it, each with where it is from.
    pub fn shown(&self) -> Vec<Text> {
        let verb = |words: &[&str]| {
            let said = self.home().run(words);
            // Trouble may be what there is to tell; a verb that is not there is a fault of this list.
            assert!(
                said.code.is_some_and(|code| code < 6) && !said.err.contains("Usage:"),
                "{words:?}: {said:?}"
            );
            (words.join(" "), format!("{}\n{}", said.out, said.err))
        };
        let mut shown: Vec<Text> = Vec::new();
        let both = |words: &[&str]| [verb(words), verb(&[words, &["--json"]].concat())];
        for line in VERBS.lines() {
            shown.extend(both(&line.split(' ').collect::<Vec<_>>()));
        }
        for (_, entry) in entries().filter(|(_, entry)| entry.kind.is_secret()) {
            shown.extend(both(&["settings", "get", entry.key]));
        }
        let groups = GROUPS
            .iter()
            .map(|group| format!("settings:{}", group.name));
        let screens: Vec<String> = SCREENS
            .split(' ')
            .map(str::to_owned)
            .chain(groups)
            .collect();
        for screen in &screens {
            let once = ["console", "--once", "--size", "300x300", "--screen", screen];
            shown.extend(both(&once));
            let said = self.home().run(&["console", "--plain", "--screen", screen]);
            shown.push((
                format!("console --plain --screen {screen}"),
                said.out + &said.err,
            ));
        }
        for route in routes() {
            let path = match route.as_str() {
                "/health" | "/metrics" => route,
                route => format!("/api/roundel/v1{route}?limit=1000"),
            };
            let (head, body) = self.home().http(&path);
            assert!(
                !head.contains(" 404 ") && !body.is_empty(),
                "{path}: {head}"
            );
            shown.push((format!("GET {path}"), head + &body));
        }
        shown
    }
}

const VERBS: &str = "settings list --all
settings diff
settings diff 0
settings history
settings export
settings drift
audit list -n 1000
token list
people list
status
status web#1
logs web#1
logs --raw web#1
logs -stderr web#1
project list
project show web
project env list web
node-status
services
doctor
gc
vm list
ca list
secrets status
whoami";

const SCREENS: &str = "dashboard queue builds cluster audit settings settings:review settings:versions pipeline:web#1 log:web#1 job:web#1/tell";
