//! Texts about the thing under the cursor: all fields in words, the raw JSON, and the commands of this session.

use roundel::clock::Timestamp;
use serde_json::Value;

use super::App;
use crate::console::action::Action;
use crate::console::effect::Effect;
use crate::console::keymap::Cmd;
use crate::console::line::Line;
use crate::console::overlays::{Overlay, Reading};
use crate::console::shell::Wrote;
use crate::console::text;
use crate::console::theme::Role;
use crate::console::verbs::{Subject, pipeline_name, run_name};

impl App {
    pub(super) fn describe(&self, cmd: Cmd) -> Vec<Effect> {
        if cmd == Cmd::Commands {
            return vec![Effect::Open(Overlay::Reading(self.commands()))];
        }
        let Some((title, value)) = self.subject() else {
            return Effect::refuse("there is nothing here to describe");
        };
        let lines = if cmd == Cmd::Raw {
            let text = serde_json::to_string_pretty(&value).unwrap_or_default();
            text.lines().map(Line::from).collect()
        } else {
            fields(&value)
        };
        vec![Effect::Open(Overlay::Reading(Reading::new(title, lines)))]
    }

    /// The thing under the cursor: its name, and all of it.
    fn subject(&self) -> Option<(String, Value)> {
        let subjects = self.screen().subjects();
        let (title, value) = match subjects.first()? {
            Subject::Run(run) => (run_name(run), serde_json::to_value(run)),
            Subject::Pipeline(row, _) => (pipeline_name(row), serde_json::to_value(row)),
            Subject::Node(node) => (node.name.clone(), serde_json::to_value(node)),
        };
        Some((title, value.ok()?))
    }

    pub(super) fn copy(&self) -> Vec<Effect> {
        let subjects = self.screen().subjects();
        let id = match subjects.first() {
            Some(Subject::Run(run)) => run.name.clone(),
            Some(Subject::Pipeline(row, _)) => row.id.clone(),
            Some(Subject::Node(node)) => node.name.clone(),
            None => return Effect::refuse("there is nothing here to copy"),
        };
        vec![
            Effect::Do(Action::Copy(id.clone())),
            Effect::Say(Role::Accent, format!("copied {id}")),
        ]
    }

    /// What was written in this session, and how this screen is shown to a colleague.
    fn commands(&self) -> Reading {
        let mut lines = vec![
            Line::new().muted("This screen, for a colleague:"),
            Line::new().gap(2).put(Role::Accent, self.place().locator()),
            Line::new(),
        ];
        if self.shell.wrote.is_empty() {
            lines.push(Line::new().muted(
                "Nothing was written in this session. Each write will stand here as a command.",
            ));
        }
        for wrote in self.shell.wrote.iter().rev() {
            lines.extend(written(wrote));
        }
        Reading::new("Commands", lines)
    }
}

fn written(wrote: &Wrote) -> [Line; 2] {
    let result = match &wrote.result {
        None => Line::new().put(Role::Waiting, "◌ under way"),
        Some(Ok(done)) => Line::new().put(Role::Ok, format!("✓ {}", done.text)),
        Some(Err(failure)) => Line::new().put(Role::Failed, format!("✗ {}", failure.text)),
    };
    [
        Line::new()
            .muted(format!("{}  ", wrote.at.local("%H:%M:%S")))
            .put(Role::Accent, wrote.command.clone()),
        Line::new().gap(10).join(result),
    ]
}

/// All fields of a thing, one a line, times in full.
fn fields(value: &Value) -> Vec<Line> {
    let mut lines = Vec::new();
    collect("", value, &mut lines);
    lines
}

fn collect(path: &str, value: &Value, lines: &mut Vec<Line>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let name = key.replace('_', " ");
                collect(
                    &if path.is_empty() {
                        name
                    } else {
                        format!("{path}, {name}")
                    },
                    value,
                    lines,
                );
            }
        }
        value => {
            let words = words(value);
            let line = Line::new().muted(path).pad(24);
            lines.push(if words.is_empty() {
                line.muted("–")
            } else {
                line.text(words)
            });
        }
    }
}

fn words(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        Value::String(text) => match Timestamp::parse(text) {
            Ok(moment) if text.ends_with('Z') => text::moment(moment),
            _ => text.clone(),
        },
        Value::Array(all) => all.iter().map(words).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}
