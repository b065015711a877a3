//! Steps: `run` and `checkout`.

use std::collections::HashSet;

use super::environment;
use crate::pipeline::keys;
use crate::pipeline::plan::{RunStep, Step, When};
use crate::pipeline::read::{self, Cursor, Map, duration};
use crate::pipeline::report::Report;
use crate::pipeline::yaml::Value;

/// Name of a `checkout` step that names none.
pub(crate) const CHECKOUT_NAME: &str = "Checkout code";
/// Seconds without output after which a step is killed, where it says nothing else.
pub(crate) const NO_OUTPUT_TIMEOUT_S: u64 = 600;

/// Reads the steps of a job. `commands` are the names that stand for reusable commands.
pub(super) fn read_all(
    value: &Cursor,
    commands: &HashSet<String>,
    report: &mut Report,
) -> Option<Vec<Step>> {
    let items = value.list(report)?;
    if items.is_empty() {
        report.error(&value.key_place(), "the job has no steps");
    }
    let steps: Vec<Option<Step>> = items
        .iter()
        .map(|item| read(item, commands, report))
        .collect();
    steps.into_iter().collect()
}

fn read(item: &Cursor, commands: &HashSet<String>, report: &mut Report) -> Option<Step> {
    let (name, value) = match &*item.node.value {
        Value::Map(entries) if entries.len() != 1 => {
            several(item, report);
            return None;
        }
        Value::Map(entries) => {
            let map = item.map(report)?;
            (entries[0].key.clone(), map.raw(&entries[0].key)?)
        }
        Value::Scalar(_) if !item.node.is_null() => (item.text(report)?, item.clone()),
        Value::Hole => return None,
        _ => {
            report.error(
                &item.place(),
                format!("a step is a name or a map, not {}", item.node.kind()),
            );
            return None;
        }
    };
    let is_word = matches!(&*item.node.value, Value::Scalar(_));
    let options = Some(&value).filter(|value| !is_word && !value.node.is_null());
    match name.as_str() {
        _ if commands.contains(&name) => {
            report.not_yet(&value.key_place(), &format!("command `{name}`"));
        }
        "run" => return run(options, item, report),
        "checkout" => return checkout(options, report),
        _ if keys::STEP.later.contains(&name.as_str()) => {
            report.not_yet(&value.key_place(), &format!("`{name}`"));
        }
        _ if name.contains('/') => {
            report.not_yet(&value.key_place(), &format!("orb command `{name}`"));
        }
        _ => {
            let hint = read::hint(&name, &keys::STEP, report);
            report.error_hint(&value.key_place(), format!("unknown step `{name}`"), hint);
        }
    }
    None
}

/// The commonest error of real files: keys of a step that stand beside its name.
fn several(item: &Cursor, report: &mut Report) {
    let Some(map) = item.map(report) else { return };
    let names: Vec<String> = map
        .names()
        .take(4)
        .map(|name| format!("`{name}`"))
        .collect();
    let Some(first) = names.first() else {
        return report.error(&item.place(), "the step is empty");
    };
    if first == "`type`" {
        let hint = "write `- run:` with the key `command` below it".to_owned();
        let message = "steps with a `type` ended with the trial of version 2";
        return report.error_hint(&item.place(), message, Some(hint));
    }
    let hint = format!("indent what belongs to {first} deeper than {first}");
    let message = format!("a step has one key, this one has {}", names.join(", "));
    report.error_hint(&item.place(), message, Some(hint));
}

fn run(options: Option<&Cursor>, item: &Cursor, report: &mut Report) -> Option<Step> {
    let Some(options) = options else {
        report.error(&item.place(), "`run` needs a command");
        return None;
    };
    if options.node.scalar().is_some() {
        let command = options.text(report)?;
        let name = command.clone();
        return Some(Step::Run(RunStep {
            name,
            command,
            no_output_timeout_s: NO_OUTPUT_TIMEOUT_S,
            ..RunStep::default()
        }));
    }
    let map = options.map(report)?;
    map.check(&keys::RUN, report);
    let text = |key: &str, report: &mut Report| map.get(key).and_then(|value| value.text(report));
    let name = text("name", report);
    let shell = map.get("shell").and_then(|value| shell(&value, report));
    let working_directory = text("working_directory", report);
    let environment = environment::read(&map, report);
    let background = map
        .get("background")
        .and_then(|value| value.boolean(report))
        .unwrap_or(false);
    let no_output_timeout_s = timeout(&map, report).unwrap_or(NO_OUTPUT_TIMEOUT_S);
    let when = map
        .get("when")
        .and_then(|value| when(&value, report))
        .unwrap_or_default();
    let Some(command) = map.get("command") else {
        report.error(&options.key_place(), "`run` needs the key `command`");
        return None;
    };
    let command = command.text(report)?;
    let name = name.unwrap_or_else(|| command.clone());
    Some(Step::Run(RunStep {
        name,
        command,
        shell,
        environment,
        working_directory,
        background,
        no_output_timeout_s,
        when,
    }))
}

/// A program, with its first arguments.
pub(super) fn shell(value: &Cursor, report: &mut Report) -> Option<String> {
    let text = value.text(report)?;
    if text.trim().is_empty() {
        let hint = "leave it out for the usual shell, or write `/bin/sh -e`".to_owned();
        report.error_hint(&value.place(), "the shell is empty", Some(hint));
        return None;
    }
    Some(text)
}

fn timeout(map: &Map, report: &mut Report) -> Option<u64> {
    let value = map.get("no_output_timeout")?;
    let text = value.text(report)?;
    let seconds = duration::seconds(&text);
    if seconds.is_none() {
        let hint = "write a number with `s`, `m` or `h`, as `20m`; a week is the most".to_owned();
        report.error_hint(
            &value.place(),
            format!("`{text}` is no span of time"),
            Some(hint),
        );
    }
    seconds
}

fn when(value: &Cursor, report: &mut Report) -> Option<When> {
    match value.text(report)?.as_str() {
        "always" => Some(When::Always),
        "on_success" => Some(When::OnSuccess),
        "on_fail" => Some(When::OnFail),
        other => {
            let hint = "write `always`, `on_success` or `on_fail`".to_owned();
            report.error_hint(
                &value.place(),
                format!("`{other}` does not say when a step runs"),
                Some(hint),
            );
            None
        }
    }
}

fn checkout(options: Option<&Cursor>, report: &mut Report) -> Option<Step> {
    let mut path = None;
    let mut name = None;
    if let Some(options) = options {
        let map = options.map(report)?;
        map.check(&keys::CHECKOUT, report);
        path = map.get("path").and_then(|value| value.text(report));
        name = map.get("name").and_then(|value| value.text(report));
    }
    Some(Step::Checkout {
        name: name.unwrap_or_else(|| CHECKOUT_NAME.to_owned()),
        path,
    })
}
