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
    ("ca", &["yes"]),
    ("tls", &["yes"]),
];

/// Options that stand before a verb and take the next word.
const WITH_VALUE: &[&str] = &[
    "--server",
    "--data",
    "--config",
    "--fingerprint",
    "--token-file",
];

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
        // Also where a value is missing, as clap reads it.
        literal |= text == "--";
        if std::mem::take(&mut value) || literal {
            return arg;
        }
        if WITH_VALUE.contains(&text) {
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
    use std::ffi::OsStr;
    use std::os::unix::ffi::{OsStrExt, OsStringExt};

    use clap::error::ErrorKind;
    use clap::{CommandFactory, Parser};
    use proptest::prelude::*;

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
            ("--data -- -json", "--data -- -json"),
            ("logs -fn 5 -jobs x", "logs -fn 5 -jobs x"),
        ];
        for (line, expected) in cases {
            assert_eq!(respelled(line), expected);
        }
    }

    #[test]
    fn every_spelling_is_an_option_of_its_verb() {
        let command = super::super::Cli::command();
        for (verb, names) in BY_VERB {
            let verb = command.find_subcommand(verb).unwrap();
            // Of some it is an option of what follows them alone: `tls self-signed -yes`.
            let all: Vec<_> = [verb].into_iter().chain(verb.get_subcommands()).collect();
            let has = |name: &str| {
                let mut options = all.iter().flat_map(|one| one.get_arguments());
                options.any(|arg| arg.get_long() == Some(name))
            };
            for name in *names {
                assert!(has(name), "{verb} --{name}");
            }
        }
    }

    /// All that the command line knows: verbs, their verbs, and every option in both spellings.
    fn vocabulary() -> Vec<OsString> {
        fn collect(command: &clap::Command, words: &mut Vec<String>) {
            for arg in command.get_arguments() {
                words.extend(arg.get_long().map(|name| format!("--{name}")));
                words.extend(arg.get_long().map(|name| format!("-{name}")));
                words.extend(arg.get_long().map(|name| format!("-{name}=5m")));
                words.extend(arg.get_short().map(|name| format!("-{name}")));
            }
            for verb in command.get_subcommands() {
                words.push(verb.get_name().to_owned());
                collect(verb, words);
            }
        }
        let mut words: Vec<String> = [
            "", "-", "--", "=", "x", "5", "-5", "app#12", "--=", "-json=", "--data=",
        ]
        .map(str::to_owned)
        .into();
        collect(&super::super::Cli::command(), &mut words);
        words.sort();
        words.dedup();
        words.into_iter().map(OsString::from).collect()
    }

    proptest! {
        #[test]
        fn any_line_keeps_its_words_and_is_understood_or_explained(
            words in prop::collection::vec(
                prop_oneof![
                    8 => prop::sample::select(vocabulary()),
                    4 => prop::sample::select(vec!["--", "--data", "node-drain", "logs", "-json", "-self", "-yes", "-job", "-deadline=5m"])
                        .prop_map(OsString::from),
                    1 => "\\PC{0,6}".prop_map(OsString::from),
                    1 => prop::collection::vec(1..=255_u8, 0..6).prop_map(OsString::from_vec),
                ],
                0..9,
            )
        ) {
            let line: Vec<OsString> = std::iter::once("roundel".into()).chain(words).collect();
            let read: Vec<OsString> = respell(line.iter().cloned()).collect();
            prop_assert_eq!(read.len(), line.len());
            let literal = line.iter().position(|word| word == "--").unwrap_or(line.len());
            for (at, (before, after)) in line.iter().zip(&read).enumerate() {
                if before != after {
                    prop_assert!(at < literal, "{:?} after --", before);
                    let dashed = [b"-", before.as_bytes()].concat();
                    prop_assert_eq!(after.as_os_str(), OsStr::from_bytes(&dashed));
                    prop_assert!(before.as_bytes().starts_with(b"-") && !before.as_bytes().starts_with(b"--"));
                }
            }
            let again: Vec<OsString> = respell(read.iter().cloned()).collect();
            prop_assert_eq!(&again, &read, "a second pass changes nothing");
            if let Err(err) = super::super::Cli::try_parse_from(&read) {
                let shown = matches!(err.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
                prop_assert_eq!(err.exit_code(), if shown { 0 } else { 2 });
                prop_assert!(!err.to_string().is_empty());
            }
        }
    }
}
