//! Nomad's spelling: `-self` and its like, which clap would read as `-s -e -l -f`, become `--self` for the verbs that
//! know them, and only there.

use std::ffi::OsString;

/// Spelled so with every verb, before or after it.
const EVERYWHERE: &[&str] = &["json"];

/// Spelled so with one verb. `-n` and `-f` are ordinary short options.
const BY_VERB: &[(&str, &[&str])] = &[
    ("node-status", &["self", "allocs"]),
    (
        "node-drain",
        &["enable", "disable", "self", "yes", "deadline"],
    ),
    ("node-eligibility", &["enable", "disable", "self"]),
    ("logs", &["job", "stderr", "tail"]),
    ("stop", &["yes"]),
    ("services", &["yes"]),
    ("project", &["yes"]),
    ("settings", &["yes"]),
];

/// Options that stand before a verb and take the next word.
const WITH_VALUE: &[&str] = &["--server", "--data", "--config"];

/// Turns Nomad's tokens into `--...`; `-deadline=5m` keeps its value. Nothing after `--` is touched.
pub(super) fn respell(args: impl Iterator<Item = OsString>) -> impl Iterator<Item = OsString> {
    let mut verb: Option<&'static [&'static str]> = None;
    let mut literal = false;
    let mut value = true; // The program's own name is no verb.
    args.map(move |arg| {
        let Some(text) = arg.to_str() else {
            value = false;
            return arg;
        };
        if std::mem::take(&mut value) || literal {
            return arg;
        }
        if text == "--" {
            literal = true;
        } else if WITH_VALUE.contains(&text) {
            value = true;
        } else if let Some(option) = text.strip_prefix('-') {
            let name = option.split('=').next().unwrap_or(option);
            if EVERYWHERE.contains(&name) || verb.is_some_and(|names| names.contains(&name)) {
                return OsString::from(format!("--{option}"));
            }
        } else if verb.is_none() {
            verb = Some(
                BY_VERB
                    .iter()
                    .find(|(known, _)| *known == text)
                    .map_or(&[], |(_, names)| *names),
            );
        }
        arg
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn respelled(line: &str) -> String {
        let args = std::iter::once("roundel")
            .chain(line.split(' '))
            .map(OsString::from);
        let words: Vec<_> = respell(args)
            .skip(1)
            .map(|word| word.into_string().unwrap())
            .collect();
        words.join(" ")
    }

    #[test]
    fn exactly_these_tokens_for_exactly_these_verbs() {
        let cases = [
            (
                "node-status -self -allocs -json",
                "node-status --self --allocs --json",
            ),
            (
                "node-drain -enable -self -yes -deadline 5m",
                "node-drain --enable --self --yes --deadline 5m",
            ),
            (
                "node-drain -disable -deadline=0 n1",
                "node-drain --disable --deadline=0 n1",
            ),
            (
                "logs -job -stderr -tail -n 5 -f x",
                "logs --job --stderr --tail -n 5 -f x",
            ),
            ("stop -yes x", "stop --yes x"),
            ("settings save -yes", "settings save --yes"),
            (
                "node-eligibility -disable n1",
                "node-eligibility --disable n1",
            ),
            ("-json status", "--json status"),
            (
                "--data -self node-status -self",
                "--data -self node-status --self",
            ),
            ("--data logs status -job", "--data logs status -job"),
            ("build -self", "build -self"),
            ("status -yes", "status -yes"),
            ("node-status --self -- -self", "node-status --self -- -self"),
            ("logs -fn 5 -jobs x", "logs -fn 5 -jobs x"),
        ];
        for (line, expected) in cases {
            assert_eq!(respelled(line), expected);
        }
    }

    #[test]
    fn every_spelling_is_an_option_of_its_verb() {
        use clap::CommandFactory;
        let command = super::super::Cli::command();
        for (verb, names) in BY_VERB {
            let verb = command.find_subcommand(verb).unwrap();
            for name in *names {
                assert!(
                    verb.get_arguments().any(|arg| arg.get_long() == Some(name)),
                    "{verb} --{name}"
                );
            }
        }
    }
}
