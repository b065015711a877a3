//! The reference in `docs/reference`: every verb as clap has it, every setting as the registry has it.
//!
//! The pages are the program's own words, so they are not written by hand: `ROUNDEL_WRITE=1 cargo test --bin roundel reference`
//! writes them, and without that variable the same test says which one is not what the program says.

use std::fmt::Write;
use std::path::Path;

use clap::{Arg, Command, CommandFactory};
use roundel::settings::registry::{self, Entry, Group, When};

use super::{Cli, HEADING};

const MADE: &str = "Made from the program by a test; see `src/cli/reference.rs`.";

/// Text that a cell of a table can hold.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

fn table(page: &mut String, head: [&str; 2], rows: &[(String, String)]) {
    if rows.is_empty() {
        return;
    }
    let _ = writeln!(page, "\n| {} | {} |\n| --- | --- |", head[0], head[1]);
    for (name, says) in rows {
        let _ = writeln!(page, "| {} | {} |", cell(name), cell(says));
    }
}

/// How an argument is written, and what it is for.
fn argument(arg: &Arg) -> (String, String) {
    let takes = arg.get_action().takes_values();
    let values: Vec<String> = arg
        .get_value_names()
        .filter(|_| takes)
        .into_iter()
        .flatten()
        .map(ToString::to_string)
        .collect();
    let values = values.join(" ");
    let mut written = String::new();
    if let Some(short) = arg.get_short() {
        let _ = write!(written, "-{short}");
    }
    if let Some(long) = arg.get_long() {
        let comma = if written.is_empty() { "" } else { ", " };
        let _ = write!(written, "{comma}--{long}");
    }
    if !values.is_empty() {
        let space = if written.is_empty() { "" } else { " " };
        let _ = write!(written, "{space}{values}");
    }
    let mut says = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let words: Vec<String> = arg
        .get_possible_values()
        .iter()
        .filter(|_| takes)
        .map(|value| format!("`{}`", value.get_name()))
        .collect();
    if !words.is_empty() {
        let _ = write!(says, ": {}", words.join(", "));
    }
    let defaults = arg.get_default_values().iter().filter(|_| takes);
    for default in defaults.map(|value| value.to_string_lossy()) {
        let _ = write!(says, "; default `{default}`");
    }
    (format!("`{written}`"), says)
}

fn is_global(arg: &Arg) -> bool {
    arg.get_help_heading() == Some(HEADING)
}

/// A verb and those below it.
fn verb(page: &mut String, command: &Command, depth: usize) {
    let mut command = command.clone();
    let usage = command.render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ");
    let _ = writeln!(
        page,
        "\n{} `{}`\n",
        "#".repeat(depth.min(4)),
        command.get_bin_name().unwrap_or(command.get_name())
    );
    let about = command.get_long_about().or_else(|| command.get_about());
    let _ = writeln!(
        page,
        "{}.",
        about
            .map(ToString::to_string)
            .unwrap_or_default()
            .trim_end_matches('.')
    );
    let _ = writeln!(page, "\n```text\n{}\n```", usage.trim());
    let rows: Vec<_> = command
        .get_arguments()
        .filter(|arg| !arg.is_hide_set() && !is_global(arg) && arg.get_id() != "help")
        .map(argument)
        .collect();
    table(page, ["Argument", ""], &rows);
    if let Some(after) = command.get_after_help() {
        let _ = writeln!(page, "\n{after}");
    }
    for below in command.get_subcommands() {
        if !below.is_hide_set() && below.get_name() != "help" {
            verb(page, below, depth + 1);
        }
    }
}

fn commands() -> String {
    let mut command = Cli::command();
    command.build();
    let mut page = format!("# Commands\n\n{MADE}\n\n## Every verb takes\n");
    let globals: Vec<_> = command
        .get_arguments()
        .filter(|arg| is_global(arg))
        .map(argument)
        .collect();
    table(&mut page, ["Argument", ""], &globals);
    verb(&mut page, &command, 2);
    page
}

/// A condition in words.
fn condition(when: When) -> Option<String> {
    Some(match when {
        When::Always | When::Never => return None,
        When::On(key) => format!("`{key}` is on"),
        When::Off(key) => format!("`{key}` is off"),
        When::Is(key, word) => format!("`{key}` is `{word}`"),
        When::Has(key) => format!("`{key}` is set"),
        When::All(all) => all
            .iter()
            .filter_map(|when| condition(*when))
            .collect::<Vec<_>>()
            .join(" and "),
    })
}

fn setting(page: &mut String, entry: &Entry) {
    let _ = writeln!(
        page,
        "\n### `{}`\n\n{}. {}\n",
        entry.key, entry.label, entry.help
    );
    let _ = writeln!(page, "- {}", entry.kind.described());
    for (when, value) in entry.all_defaults() {
        let place = condition(when).map_or_else(String::new, |when| format!(" where {when}"));
        let _ = writeln!(page, "- default{place}: `{}`", value.shown());
    }
    if let Some(when) = condition(entry.shown) {
        let _ = writeln!(page, "- looked at where {when}");
    }
    match (entry.required, condition(entry.required)) {
        (When::Always, _) => page.push_str("- required\n"),
        (_, Some(when)) => {
            let _ = writeln!(page, "- required where {when}");
        }
        _ => {}
    }
    if entry.hashed {
        page.push_str("- kept as a hash\n");
    } else if entry.kind.is_secret() {
        page.push_str("- kept sealed, shown to nobody\n");
    }
    if let Some(test) = entry.test {
        let _ = writeln!(page, "- tried by `roundel settings test {}`", test.word());
    }
    let _ = writeln!(page, "- {}", entry.restart.described());
}

fn group(page: &mut String, group: &Group) {
    let _ = writeln!(page, "\n## {} (`{}`)", group.title, group.name);
    if let Some(note) = group.note {
        let _ = writeln!(page, "\n{note}");
    }
    for entry in group.entries {
        setting(page, entry);
    }
}

fn settings() -> String {
    let mut page = format!(
        "# Settings\n\n{MADE} Read and changed by `roundel settings`, the console's tab 6, and files of `roundel settings import`.\n"
    );
    for of in registry::GROUPS {
        group(&mut page, of);
    }
    page
}

#[test]
fn the_reference_is_what_the_program_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference");
    for (name, page) in [("commands.md", commands()), ("settings.md", settings())] {
        let file = folder.join(name);
        if std::env::var_os("ROUNDEL_WRITE").is_some() {
            std::fs::write(&file, &page).unwrap();
        }
        let kept = std::fs::read_to_string(&file).unwrap_or_default();
        let differs = kept
            .lines()
            .zip(page.lines())
            .find(|(kept, says)| kept != says);
        assert!(
            kept == page,
            "docs/reference/{name} is not what the program says, first at {differs:?}: \
             ROUNDEL_WRITE=1 cargo test --bin roundel reference"
        );
    }
}
