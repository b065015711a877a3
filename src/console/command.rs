//! What a line of the palette means. Pure: words in, effects out.

use crate::console::action::{Action, Errand, Write, parse_deadline};
use crate::console::effect::Effect;
use crate::console::keymap::{Cmd, Tab};
use crate::console::nearest;
use crate::console::overlays::{Candidate, Overlay};
use crate::console::place::{CALLED, JobRef, Page, Place, tab_name};
use crate::console::verbs;
use roundel::settings::registry::{self, GROUPS};

/// A line that means nothing here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NotUnderstood(pub String);

/// Words that take none after them, what they are, and what they do.
const PLAIN: &[(&str, &str, Word)] = &[
    (
        "dashboard",
        "tab 1: is it well, what needs me",
        Word::Tab(1),
    ),
    ("queue", "tab 2: what waits, and why", Word::Tab(2)),
    ("builds", "tab 3: what ran and runs", Word::Tab(3)),
    ("cluster", "tab 4: the nodes", Word::Tab(4)),
    ("nodes", "tab 4: the nodes", Word::Tab(4)),
    ("settings", "tab 6: all that can be set", Word::Tab(6)),
    ("audit", "tab 7: who changed what", Word::Tab(7)),
    (
        "review",
        "what a save of the settings would change",
        Word::Page(Page::Review),
    ),
    (
        "versions",
        "who saved settings, and back to them",
        Word::Page(Page::Versions),
    ),
    ("help", "the keys of this screen", Word::Press(Cmd::Help)),
    ("quit", "leave; builds go on", Word::Press(Cmd::Quit)),
    ("q", "leave; builds go on", Word::Quit),
    ("refresh", "read everything anew", Word::Press(Cmd::Refresh)),
    (
        "commands",
        "what was written here",
        Word::Press(Cmd::Commands),
    ),
    ("rerun", "this build again", Word::Press(Cmd::Rerun)),
    (
        "approve",
        "the job of this build that waits",
        Word::Press(Cmd::Approve),
    ),
    ("stop", "this run or build", Word::Press(Cmd::Stop)),
    (
        "eligibility",
        "this node takes new work, or not",
        Word::Press(Cmd::Eligibility),
    ),
    ("log", "the log of this run", Word::Press(Cmd::LogOf)),
    ("insights", "comes later", Word::Tab(5)),
    ("support", "comes later", Word::Tab(8)),
    ("start", "a server, when there is none", Word::Start),
    (
        "edit",
        "all about this in $EDITOR, to read",
        Word::Press(Cmd::Edit),
    ),
    ("shell", "a shell here; its end comes back", Word::Shell),
    ("save", "this view to a file", Word::Press(Cmd::Save)),
    (
        "locator",
        "the command that shows this to a colleague",
        Word::Press(Cmd::Locator),
    ),
    (
        "slow",
        "builds that run for longer than usual",
        Word::Press(Cmd::Slow),
    ),
    ("disarm", "change nothing any more", Word::Disarm),
];

/// Words that take one after them, and what they are.
const OPEN: &[(&str, &str)] = &[
    ("arm 10m", "and a reason: may change things"),
    ("build", "the repository at a path or URL"),
    ("drain", "take a node out of work"),
    ("undrain", "end the drain of a node"),
    ("node", "a node by its name"),
    ("compare", "a build with the last green one before it"),
    (
        "pipeline",
        "a build by its id, or that of job project#number",
    ),
    ("run", "a run by its id or name"),
    ("job", "a job: PIPELINE/NAME"),
    ("project", "the builds of a project"),
    ("theme", "other colours"),
    ("settings", "a group of the settings"),
];

/// Groups of settings that are not built yet. Each will be a page of its own.
const LATER: &[&str] = &["metrics", "scaling", "users"];

#[derive(Clone, Debug)]
enum Word {
    Tab(u8),
    Page(Page),
    Press(Cmd),
    Quit,
    Start,
    Disarm,
    Shell,
}

/// Reads a line.
///
/// # Errors
/// When it is none that is known; the text says which known one is nearest.
pub fn parse(line: &str) -> Result<Vec<Effect>, NotUnderstood> {
    let line = line.trim().trim_start_matches(':').trim();
    #[cfg(feature = "fault-injection")]
    if line == "panic" {
        return Ok(vec![Effect::Do(Action::Panic)]);
    }
    if let Some((_, _, word)) = PLAIN.iter().find(|(name, _, _)| *name == line) {
        return Ok(match word {
            Word::Tab(n) => tab(Tab(*n)),
            Word::Page(page) => vec![Effect::Switch(Place::Settings(page.clone()))],
            Word::Press(cmd) => vec![Effect::Press(*cmd)],
            Word::Quit => vec![Effect::Do(Action::Quit)],
            Word::Shell => vec![Effect::Do(Action::Lend(Errand::Shell))],
            Word::Start => vec![Effect::Do(Action::StartServer)],
            Word::Disarm => vec![Effect::Write(Write::Arm {
                seconds: 0,
                reason: String::new(),
            })],
        });
    }
    if LATER.contains(&line) {
        return Ok(later(line));
    }
    if let Some(page) = Page::group(line) {
        return Ok(vec![Effect::Switch(Place::Settings(page))]);
    }
    if let Ok(n) = line.parse::<u64>() {
        return Ok(vec![Effect::Line(n.saturating_sub(1))]);
    }
    if let Some(command) = line.strip_prefix('!') {
        let command = command.trim();
        let errand = if command.is_empty() {
            Errand::Shell
        } else {
            Errand::Run(command.to_owned())
        };
        return Ok(vec![Effect::Do(Action::Lend(errand))]);
    }
    let wrong = || {
        NotUnderstood(format!(
            "`{line}` means nothing here; nearest: {}",
            nearest(line)
        ))
    };
    if let Some(rest) = line
        .strip_prefix("arm")
        .filter(|rest| rest.is_empty() || rest.starts_with(' '))
    {
        return arm(rest.trim()).map(|write| vec![Effect::Write(write)]);
    }
    let (word, rest) = line.split_once(' ').ok_or_else(wrong)?;
    let rest = rest.trim().to_owned();
    Ok(vec![match word {
        "project" => return Ok(vec![Effect::Switch(Place::Builds), Effect::Filter(rest)]),
        "theme" => Effect::Do(Action::Theme(rest)),
        "build" => Effect::Write(Write::Build { source: rest }),
        "drain" => Effect::Open(Overlay::Dialog(verbs::drain_dialog(&rest, None))),
        "undrain" => Effect::Write(verbs::undrain(&rest)),
        "settings" => Effect::Switch(Place::Settings(group(&rest)?)),
        "node" => Effect::Switch(Place::Node(rest)),
        "compare" => Effect::Switch(Place::Compare(rest, None)),
        "pipeline" => Effect::Switch(Place::Pipeline(rest)),
        "run" => Effect::Switch(Place::Job(JobRef {
            run: Some(rest),
            ..JobRef::default()
        })),
        "job" => Effect::Switch(Place::parse(&format!("job:{rest}")).map_err(|_| wrong())?),
        _ => return Err(wrong()),
    }])
}

/// The page of a group, or the nearest one.
fn group(name: &str) -> Result<Page, NotUnderstood> {
    Page::group(name).ok_or_else(|| {
        let names = GROUPS.iter().map(|group| group.name);
        let near = nearest::nearest(name, names).unwrap_or_default();
        NotUnderstood(format!("there are no settings `{name}`; nearest: {near}"))
    })
}

/// What comes of a name for something that is not built.
#[must_use]
pub fn later(name: &str) -> Vec<Effect> {
    let mut letters = name.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    let name: String = first.into_iter().chain(letters).collect();
    Effect::refuse(format!("{name} comes later"))
}

/// To the builds that run for longer than usual.
#[must_use]
pub fn slow() -> Vec<Effect> {
    vec![
        Effect::Switch(Place::Builds),
        Effect::Filter("status:slow".to_owned()),
    ]
}

/// Reads for how long and why a console is armed.
fn arm(rest: &str) -> Result<Write, NotUnderstood> {
    let (time, reason) = rest.split_once(' ').unwrap_or((rest, ""));
    match parse_deadline(time) {
        Some(seconds) if seconds > 0 && !reason.trim().is_empty() => Ok(Write::Arm {
            seconds,
            reason: reason.trim().to_owned(),
        }),
        _ => Err(NotUnderstood(
            "say for how long and why: `:arm 10m replace n07`; the reason goes into the audit log"
                .to_owned(),
        )),
    }
}

/// What comes of choosing a tab.
#[must_use]
pub fn tab(tab: Tab) -> Vec<Effect> {
    match Place::of_tab(tab) {
        Some(place) => vec![Effect::Switch(place)],
        None => Effect::refuse(format!("{} comes later", tab_name(tab))),
    }
}

/// All lines that are always known, for the palette.
#[must_use]
pub fn candidates(themes: &[String]) -> Vec<Candidate> {
    let plain = PLAIN
        .iter()
        .filter(|(name, _, _)| !matches!(*name, "q" | "nodes"));
    let plain = plain.map(|(name, note, _)| Candidate::new(*name, *note));
    let (now, later): (Vec<_>, Vec<_>) = plain.partition(|one| one.note != "comes later");
    let open = OPEN
        .iter()
        .map(|(name, note)| Candidate::open(*name, *note));
    let themes = themes
        .iter()
        .map(|name| Candidate::new(format!("theme {name}"), "other colours"));
    let groups = GROUPS
        .iter()
        .map(|group| Candidate::new(group.name, format!("settings: {}", group.title)));
    let called = CALLED.iter().filter_map(|(word, name)| {
        let group = registry::group(name)?;
        Some(Candidate::new(*word, format!("settings: {}", group.title)))
    });
    let comes = LATER
        .iter()
        .map(|name| Candidate::new(*name, "a group of settings, comes later"));
    let now = now.into_iter().chain(open).chain(themes);
    let now = now.chain(groups).chain(called);
    now.chain(later).chain(comes).collect()
}

/// Whether anything may follow a word: no name that the server knows.
#[must_use]
pub fn is_free(word: &str) -> bool {
    let named = ["node", "drain", "undrain", "pipeline", "project", "run"].contains(&word);
    let word = |(name, _): &(&str, &str)| name.split(' ').next() == Some(word);
    !named && OPEN.iter().any(word)
}

/// The known line that is nearest to what was typed.
#[must_use]
pub fn nearest(typed: &str) -> String {
    let word = typed.trim().split(' ').next().unwrap_or("");
    let known = PLAIN
        .iter()
        .map(|(name, _, _)| *name)
        .chain(OPEN.iter().map(|(name, _)| *name))
        .chain(GROUPS.iter().map(|group| group.name))
        .chain(CALLED.iter().map(|(word, _)| *word))
        .chain(LATER.iter().copied())
        .filter(|name| name.len() > 1);
    nearest::nearest(word, known).unwrap_or("help").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_candidate_is_understood() {
        for one in candidates(&["night".into()]) {
            let line = if one.open {
                // What follows the word is any text, but for the one whose names are known.
                let text = if one.text == "settings" {
                    "ldap"
                } else {
                    "p/x"
                };
                format!("{} {text}", one.text)
            } else {
                one.text
            };
            assert!(parse(&line).is_ok(), "{line}");
        }
    }

    #[test]
    fn places_are_gone_to_by_name() {
        assert_eq!(parse(":cluster"), Ok(vec![Effect::Switch(Place::Cluster)]));
        assert_eq!(
            parse("node n07"),
            Ok(vec![Effect::Switch(Place::Node("n07".into()))])
        );
        assert_eq!(
            parse("project org/api"),
            Ok(vec![
                Effect::Switch(Place::Builds),
                Effect::Filter("org/api".into())
            ])
        );
        assert_eq!(
            parse("theme night"),
            Ok(vec![Effect::Do(Action::Theme("night".into()))])
        );
        assert_eq!(parse("q"), Ok(vec![Effect::Do(Action::Quit)]));
        assert_eq!(parse(":123"), Ok(vec![Effect::Line(122)]));
    }

    #[test]
    fn an_exclamation_mark_is_a_command_of_the_shell() {
        for (line, errand) in [
            ("!ls -l", Errand::Run("ls -l".into())),
            (":! make  all ", Errand::Run("make  all".into())),
            ("!", Errand::Shell),
            ("shell", Errand::Shell),
        ] {
            assert_eq!(
                parse(line),
                Ok(vec![Effect::Do(Action::Lend(errand))]),
                "{line}"
            );
        }
    }

    #[test]
    fn an_unknown_word_names_the_nearest() {
        assert_eq!(nearest("clutser"), "cluster");
        assert!(parse("qeue").unwrap_err().0.ends_with("nearest: queue"));
        assert!(
            parse("drian n07")
                .unwrap_err()
                .0
                .ends_with("nearest: drain")
        );
    }

    #[test]
    fn arming_takes_a_time_and_a_reason() {
        let arm = |seconds, reason: &str| {
            Ok(vec![Effect::Write(Write::Arm {
                seconds,
                reason: reason.to_owned(),
            })])
        };
        for (line, effects) in [
            ("arm 10m replace n07", arm(600, "replace n07")),
            (":arm 1h  it burns ", arm(3600, "it burns")),
            ("arm 90s x", arm(90, "x")),
            ("disarm", arm(0, "")),
        ] {
            assert_eq!(parse(line), effects, "{line}");
        }
        for line in ["arm", "arm 10m", "arm 0m why", "arm soon why", "arm 10m  "] {
            let why = parse(line).unwrap_err().0;
            assert!(why.contains("for how long and why"), "{line}: {why}");
        }
        assert!(parse("army 10m x").unwrap_err().0.contains("nearest"));
        let Ok(effects) = parse("arm 10m replace n07") else {
            panic!("understood")
        };
        assert!(
            matches!(&effects[..], [Effect::Write(write)] if write.arms()
            && write.command() == ":arm 10m replace n07")
        );
    }

    #[test]
    fn what_is_not_built_says_that_it_comes() {
        let Ok(effects) = parse("metrics") else {
            panic!("metrics is a word")
        };
        assert!(matches!(&effects[..], [Effect::Say(_, text)] if text == "Metrics comes later"));
    }

    #[test]
    fn groups_of_settings_are_gone_to_by_the_names_that_people_have_for_them() {
        for (line, name) in [
            ("ldap", "ldap"),
            (":vm", "vm"),
            ("tls", "privacy"),
            ("cas", "ca"),
            ("settings proxy", "proxy"),
            ("settings tls", "privacy"),
        ] {
            let place = Place::Settings(Page::Group(name));
            assert_eq!(parse(line), Ok(vec![Effect::Switch(place)]), "{line}");
        }
        assert_eq!(
            parse("settings"),
            Ok(vec![Effect::Switch(Place::Settings(Page::Groups))])
        );
        let why = parse("settings ladp").unwrap_err().0;
        assert!(why.ends_with("nearest: ldap"), "{why}");
    }
}
