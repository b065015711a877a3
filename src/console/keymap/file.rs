//! What a person changes of the keys: `keymap.toml`, one table a context, one line a command.
//!
//! A line that cannot be is told with its number and left out; all others hold. Knows text, no file system.

use serde_json::{Value, json};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Binding, Bound, Cmd, Context, Keymap, Keys, TABLE};
use crate::console::chord::{self, Chord};
use crate::console::nearest::nearest;
use crate::console::text::line_at;

/// Keys that terminals send for another one, and for which.
const TWINS: [(&str, &str); 4] = [
    ("ctrl-i", "tab"),
    ("ctrl-m", "enter"),
    ("ctrl-[", "esc"),
    ("ctrl-h", "backspace"),
];

/// A line of the file that can be.
#[derive(Clone, Debug)]
struct Change {
    line: usize,
    context: Context,
    shipped: &'static Binding,
    keys: Vec<String>,
}

/// Reads the text of a keymap file: the keys as shipped with what it changes, and what is wrong with it, as
/// `file:line: what`.
#[must_use]
pub fn read(text: &str, file: &str) -> (Keymap, Vec<String>) {
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut problems: Vec<(usize, String)> = errors
        .iter()
        .map(|err| {
            let start = err.span().map_or(0, |span| span.start);
            (
                line_at(text, start),
                err.message().trim_end().replace('\n', ", "),
            )
        })
        .collect();
    let mut changes = Vec::new();
    for (name, lines) in table.get_ref() {
        let at = line_at(text, name.span().start);
        match section(name.get_ref(), lines.get_ref()) {
            Ok((keys, lines)) => {
                for (command, value) in lines {
                    let line = line_at(text, command.span().start);
                    match change(keys, command.get_ref(), value, line) {
                        Ok(change) => changes.push(change),
                        Err(why) => problems.push((line, why)),
                    }
                }
            }
            Err(why) => problems.push((at, why)),
        }
    }
    // A line that is no TOML is told once.
    problems.sort_by_key(|(line, _)| *line);
    problems.dedup_by_key(|(line, _)| *line);
    changes.sort_by_key(|change| change.line);
    // What clashes is left out one by one: the keys that come back with it may clash with another line.
    let mut keymap = apply(&changes);
    while let Some((out, line, why)) = clash(&keymap, &changes) {
        problems.push((line, why));
        changes.remove(out);
        keymap = apply(&changes);
    }
    problems.sort();
    let told = problems
        .into_iter()
        .map(|(line, why)| format!("{file}:{line}: {why}"));
    (keymap, told.collect())
}

fn section<'a, 'i>(
    name: &str,
    value: &'a DeValue<'i>,
) -> Result<(Context, &'a DeTable<'i>), String> {
    let known = TABLE.iter().find(|section| section.context.name() == name);
    let Some(known) = known else {
        let names: Vec<String> = TABLE.iter().map(|section| section.context.name()).collect();
        let near = nearest(name, names.iter().map(String::as_str)).unwrap_or_default();
        return Err(format!("there is no context `{name}`; nearest: [{near}]"));
    };
    let lines = value.as_table();
    let lines = lines
        .ok_or_else(|| format!("`{name}` is a context; write [{name}] and its commands below"))?;
    Ok((known.context, lines))
}

/// The commands that can have a key in a context: its own, and below a screen's those that hold under it.
fn commands(context: Context) -> impl Iterator<Item = &'static Binding> {
    let own = TABLE
        .iter()
        .filter(move |section| section.context == context);
    let rest = TABLE
        .iter()
        .filter(move |section| context.is_nearer(section.context));
    own.chain(rest).flat_map(|section| section.bindings)
}

fn change(
    context: Context,
    command: &str,
    value: &Spanned<DeValue>,
    line: usize,
) -> Result<Change, String> {
    let shipped = commands(context).find(|binding| binding.cmd.name() == command);
    let Some(shipped) = shipped else {
        let names: Vec<String> = commands(context)
            .map(|binding| binding.cmd.name())
            .collect();
        let near = nearest(command, names.iter().map(String::as_str)).unwrap_or_default();
        return Err(format!(
            "there is no command `{command}` in [{}]; nearest: {near}",
            context.name()
        ));
    };
    let values = match value.get_ref() {
        DeValue::Array(all) => all.iter().map(|one| one.get_ref().as_str()).collect(),
        one => vec![one.as_str()],
    };
    let mut keys = Vec::new();
    for name in values {
        let name = name.ok_or_else(|| {
            format!("`{command}` takes the name of a key, or several in brackets")
        })?;
        let name = key(context, name)?;
        if !keys.contains(&name) {
            keys.push(name);
        }
    }
    Ok(Change {
        line,
        context,
        shipped,
        keys,
    })
}

/// The name of a key as the table has it.
fn key(context: Context, name: &str) -> Result<String, String> {
    let Some(chord) = Chord::parse(name) else {
        let near = nearest(name, chord::names()).unwrap_or_default();
        return Err(format!("there is no key `{name}`; nearest: {near}"));
    };
    let twin = TWINS
        .iter()
        .find(|(known, _)| Chord::parse(known) == Some(chord));
    if let Some((sent, as_key)) = twin {
        return Err(format!(
            "terminals send `{sent}` as {as_key}; take another key"
        ));
    }
    let types = matches!(context, Context::Input | Context::Words | Context::Form);
    if types && chord.typed().is_some() {
        return Err(format!(
            "`{name}` types itself in [{}]; take a key that types nothing",
            context.name()
        ));
    }
    Ok(chord.name())
}

fn apply(changes: &[Change]) -> Keymap {
    let mut sections: Vec<Keys> = Keymap::standard().sections;
    for change in changes {
        let Some(section) = sections
            .iter_mut()
            .find(|one| one.context == change.context)
        else {
            continue;
        };
        let keys = change.keys.clone();
        let cmd = change.shipped.cmd;
        match section
            .bindings
            .iter_mut()
            .find(|bound| bound.shipped.cmd == cmd)
        {
            Some(bound) => bound.keys = keys,
            None => section.bindings.push(Bound {
                keys,
                shipped: change.shipped,
            }),
        }
    }
    Keymap::of(sections)
}

/// The first change whose key means something else already: its index, its line, and both meanings.
fn clash(keymap: &Keymap, changes: &[Change]) -> Option<(usize, usize, String)> {
    let changed = |context: Context, cmd: Cmd| {
        changes
            .iter()
            .position(|one| one.context == context && one.shipped.cmd == cmd)
    };
    for (i, change) in changes.iter().enumerate() {
        let named = change
            .keys
            .iter()
            .filter_map(|name| Some((name, Chord::parse(name)?)));
        for (name, chord) in named {
            for section in keymap.all() {
                let here = section.context == change.context;
                // A nearer context would take the key away on its screen; who says so in the file means it.
                let nearer = section.context.is_nearer(change.context);
                let other = section.bindings.iter().find(|bound| {
                    let same = bound
                        .keys
                        .iter()
                        .any(|key| Chord::parse(key) == Some(chord));
                    let meant = nearer && changed(section.context, bound.shipped.cmd).is_some();
                    bound.shipped.cmd != change.shipped.cmd && same && (here || nearer) && !meant
                });
                let Some(other) = other else { continue };
                // Of two lines of the file, the later one is left out.
                let second = changed(section.context, other.shipped.cmd).filter(|at| *at > i);
                let out = second.unwrap_or(i);
                let line = changes[out].line;
                let meaning = |context: Context, binding: &Binding| {
                    format!(
                        "{} in [{}] ({})",
                        binding.cmd.name(),
                        context.name(),
                        binding.does
                    )
                };
                let why = format!(
                    "`{name}` would be both {} and {}; this line is left out",
                    meaning(change.context, change.shipped),
                    meaning(section.context, other.shipped),
                );
                return Some((out, line, why));
            }
        }
    }
    None
}

/// The live keys as a keymap file that would make them.
#[must_use]
pub fn write(keymap: &Keymap) -> String {
    let mut out = String::new();
    for section in keymap.all() {
        out.push_str(&format!("[{}]\n", section.context.name()));
        for bound in &section.bindings {
            let keys = bound.keys.iter().map(|key| format!("{key:?}"));
            let keys = format!("[{}]", keys.collect::<Vec<_>>().join(", "));
            let line = format!("{} = {keys}", bound.shipped.cmd.name());
            out.push_str(&format!("{line:<40}  # {}\n", bound.shipped.does));
        }
        out.push('\n');
    }
    out
}

/// The live keys as data.
#[must_use]
pub fn json(keymap: &Keymap) -> Value {
    let rows = keymap.all().iter().flat_map(|section| {
        section.bindings.iter().map(|bound| {
            json!({
                "context": section.context.name(),
                "command": bound.shipped.cmd.name(),
                "keys": bound.keys,
                "does": bound.shipped.does,
            })
        })
    });
    rows.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUILDS: [Context; 4] = [
        Context::Builds,
        Context::List,
        Context::Things,
        Context::Everywhere,
    ];

    fn means(keymap: &Keymap, contexts: &[Context], name: &str) -> Option<Cmd> {
        keymap.find(contexts, Chord::parse(name).unwrap())
    }

    #[test]
    fn a_command_moves_to_other_keys_and_all_others_stay() {
        let text = "[builds]\nstop = [\"ctrl-x\", \"K\"]\n[things]\ndescribe = \"i\"\n[everywhere]\nrefresh = []\n";
        let (keymap, problems) = read(text, "k");
        assert_eq!(problems, Vec::<String>::new());
        for (key, cmd) in [
            ("ctrl-x", Some(Cmd::Stop)),
            ("K", Some(Cmd::Stop)),
            ("X", None),
            ("i", Some(Cmd::Describe)),
            ("d", None),
            ("f5", None),
            ("j", Some(Cmd::Down)),
            ("?", Some(Cmd::Help)),
        ] {
            assert_eq!(means(&keymap, &BUILDS, key), cmd, "{key}");
        }
        assert_eq!(keymap.key_of(&BUILDS, Cmd::Stop).as_deref(), Some("ctrl-x"));
        assert_eq!(
            means(&keymap, &[Context::Node], "X"),
            Some(Cmd::Stop),
            "elsewhere as shipped"
        );
    }

    #[test]
    fn two_commands_change_places() {
        let (keymap, problems) = read("[job]\nstream-out = \"e\"\nstream-err = \"o\"\n", "k");
        assert_eq!(problems, Vec::<String>::new());
        assert_eq!(means(&keymap, &[Context::Job], "e"), Some(Cmd::StreamOut));
        assert_eq!(means(&keymap, &[Context::Job], "o"), Some(Cmd::StreamErr));
    }

    #[test]
    fn a_screen_can_give_a_key_to_what_holds_on_all_of_them() {
        let (keymap, problems) = read("[builds]\npage-down = \"space\"\n", "k");
        assert_eq!(problems, Vec::<String>::new());
        assert_eq!(means(&keymap, &BUILDS, "space"), Some(Cmd::PageDown));
        assert_eq!(
            means(&keymap, &[Context::Queue, Context::Everywhere], "space"),
            None
        );
    }

    #[test]
    fn what_cannot_be_is_told_with_its_line_and_the_rest_holds() {
        for (text, told) in [
            (
                "[builds]\nstpo = \"K\"",
                "k:2: there is no command `stpo` in [builds]; nearest: stop",
            ),
            (
                "[bilds]\nstop = \"K\"",
                "k:1: there is no context `bilds`; nearest: [builds]",
            ),
            (
                "[builds]\nstop = \"cltr-x\"",
                "k:2: there is no key `cltr-x`; nearest: ctrl-x",
            ),
            ("[builds]\nstop = 3", "k:2: `stop` takes the name of a key"),
            (
                "[builds]\nstop = \"ctrl-i\"",
                "k:2: terminals send `ctrl-i` as tab",
            ),
            (
                "[input]\ncomplete = \"a\"",
                "k:2: `a` types itself in [input]",
            ),
            ("builds = 1", "k:1: `builds` is a context"),
            ("[builds]\nstop = ", "k:2: "),
        ] {
            let (keymap, problems) = read(&format!("{text}\n[things]\ndescribe = \"i\"\n"), "k");
            assert_eq!(problems.len(), 1, "{text}: {problems:?}");
            assert!(problems[0].starts_with(told), "{text}: {}", problems[0]);
            assert_eq!(means(&keymap, &BUILDS, "X"), Some(Cmd::Stop), "{text}");
            assert_eq!(means(&keymap, &BUILDS, "i"), Some(Cmd::Describe), "{text}");
        }
    }

    #[test]
    fn a_clash_names_both_actions_and_the_line_and_keeps_all_else() {
        let text = "[builds]\nrerun = \"K\"\nstop = \"P\"\n";
        let (keymap, problems) = read(text, "k");
        assert_eq!(problems.len(), 1, "{problems:?}");
        let told = &problems[0];
        assert!(
            told.starts_with(
                "k:3: `P` would be both stop in [builds] (cancel this build) and build-path"
            ),
            "{told}"
        );
        for (key, cmd) in [("P", Cmd::BuildPath), ("X", Cmd::Stop), ("K", Cmd::Rerun)] {
            assert_eq!(means(&keymap, &BUILDS, key), Some(cmd), "{key}");
        }
    }

    #[test]
    fn of_two_lines_that_clash_the_first_one_stays() {
        let (keymap, problems) = read("[builds]\nrerun = \"K\"\nstop = \"K\"\n", "k");
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].starts_with("k:3: `K`"), "{}", problems[0]);
        assert_eq!(means(&keymap, &BUILDS, "K"), Some(Cmd::Rerun));
        assert_eq!(means(&keymap, &BUILDS, "X"), Some(Cmd::Stop));
        // What a line that is left out gives back may be taken by another one.
        let (keymap, problems) = read("[builds]\nrerun = \"X\"\nstop = \"P\"\n", "k");
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert_eq!(means(&keymap, &BUILDS, "X"), Some(Cmd::Stop));
    }

    #[test]
    fn a_key_for_everywhere_that_a_screen_has_is_a_clash_unless_the_screen_says_so() {
        let (_, problems) = read("[everywhere]\nrefresh = \"e\"\n", "k");
        assert!(
            problems[0].contains("refresh in [everywhere]")
                && problems[0].contains("stream-err in [job]"),
            "{problems:?}"
        );
        let (_, problems) = read(
            "[things]\nactions = \"e\"\n[job]\nstream-err = \"e\"\n",
            "k",
        );
        assert_eq!(problems, Vec::<String>::new());
    }

    #[test]
    fn the_live_keys_written_and_read_are_the_live_keys() {
        let (changed, problems) = read(
            "[builds]\nstop = [\"ctrl-x\", \"\\\\\"]\npage-down = \"space\"\n",
            "k",
        );
        assert_eq!(problems, Vec::<String>::new());
        for keymap in [Keymap::standard(), changed] {
            let text = write(&keymap);
            let (again, problems) = read(&text, "k");
            assert_eq!(problems, Vec::<String>::new());
            assert_eq!(again.by_key, keymap.by_key);
            assert_eq!(write(&again), text);
        }
    }

    #[test]
    fn a_file_of_noise_does_no_harm() {
        for noise in [
            "\0\u{7f}[[",
            "[builds",
            "= = =\n[queue]\nstop=\"K\"",
            "[[builds]]\nstop=\"x\"",
            "\"\"\"",
            "[builds]\nstop = [[\"a\"]]",
        ] {
            let (keymap, problems) = read(noise, "k");
            assert!(!problems.is_empty(), "{noise:?}");
            assert_eq!(means(&keymap, &BUILDS, "?"), Some(Cmd::Help));
        }
    }
}
