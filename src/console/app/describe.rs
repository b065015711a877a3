//! Texts about the thing under the cursor: all fields in words, the raw JSON, and the commands of this session.

use roundel::api::builds::Outcome;
use roundel::clock::Timestamp;
use serde_json::Value;

use super::App;
use crate::console::action::{Action, Errand};
use crate::console::effect::Effect;
use crate::console::keymap::{Cmd, Context};
use crate::console::line::Line;
use crate::console::overlays::{Overlay, Reading};
use crate::console::place::Place;
use crate::console::shell::Wrote;
use crate::console::text;
use crate::console::theme::Role;
use crate::console::verbs::{Subject, pipeline_name, run_name};

impl App {
    pub(super) fn describe(&self, cmd: Cmd) -> Vec<Effect> {
        if cmd == Cmd::Commands {
            return vec![Effect::Open(Overlay::Reading(self.commands()))];
        }
        let things = self.things();
        let lines = match (things.as_slice(), cmd) {
            ([], _) => return Effect::refuse("there is nothing here to describe"),
            ([(_, value)], Cmd::Raw | Cmd::Edit) => raw(value),
            (several, Cmd::Raw | Cmd::Edit) => {
                let values = several.iter().map(|(_, value)| value.clone());
                raw(&Value::Array(values.collect()))
            }
            ([(_, value)], _) => {
                let about = self.about();
                let tests = matches!(
                    about.first(),
                    Some(Subject::Run(run)) if run.outcome == Some(Outcome::Failed)
                )
                .then(|| self.tests());
                tests.into_iter().flatten().chain(fields(value)).collect()
            }
            (several, _) => several
                .iter()
                .flat_map(|(name, value)| {
                    let head = [Line::new().strong(name.clone())];
                    head.into_iter().chain(fields(value)).chain([Line::new()])
                })
                .collect(),
        };
        if cmd == Cmd::Edit {
            let text: String = lines.iter().map(|line| line.plain() + "\n").collect();
            return vec![Effect::Do(Action::Lend(Errand::Edit(text)))];
        }
        let title = match things.as_slice() {
            [(name, _)] => name.clone(),
            several => format!("{} marked", several.len()),
        };
        vec![Effect::Open(Overlay::Reading(Reading::new(title, lines)))]
    }

    /// Where the results of a run's tests will stand; until then what says most.
    fn tests(&self) -> [Line; 3] {
        let key = self.shell.keymap.key_of(&[Context::Log], Cmd::StreamErr);
        [
            Line::new().muted("Which test failed: the results of single tests are not collected yet; they will stand here."),
            Line::new()
                .muted("What the failed step wrote to stderr says most:  ")
                .key(key.unwrap_or_default(), "in its log"),
            Line::new(),
        ]
    }

    /// The thing under the cursor, or all that is marked: names, and all that is known.
    fn things(&self) -> Vec<(String, Value)> {
        let value = |subject: &Subject| {
            let (name, value) = match subject {
                Subject::Run(run) => (run_name(run), serde_json::to_value(run)),
                Subject::Pipeline(row, _) => (pipeline_name(row), serde_json::to_value(row)),
                Subject::Node(node) => (node.name.clone(), serde_json::to_value(node)),
                Subject::Fact(fact) => (fact.name(), fact.value()),
            };
            Some((name, value.ok()?))
        };
        self.about().iter().filter_map(value).collect()
    }

    /// What is marked, or the foremost subject.
    fn about(&self) -> Vec<Subject<'_>> {
        let marked = self.screen().marked();
        if marked.is_empty() {
            self.screen().subjects().into_iter().take(1).collect()
        } else {
            marked
        }
    }

    pub(super) fn copy(&self) -> Vec<Effect> {
        let ids = self.about().into_iter().map(|subject| match subject {
            Subject::Run(run) => run.name.clone(),
            Subject::Pipeline(row, _) => row.id.clone(),
            Subject::Node(node) => node.name.clone(),
            Subject::Fact(fact) => fact.name(),
        });
        let ids: Vec<String> = ids.collect();
        let said = match ids.as_slice() {
            [] => return Effect::refuse("there is nothing here to copy"),
            [id] => id.clone(),
            several => format!("{} names, one a line", several.len()),
        };
        vec![Effect::Copy(ids.join("\n"), said)]
    }

    /// To what the build at the cursor did differently from the last green one; or the newer of two marked from the other.
    pub(super) fn compare(&self) -> Vec<Effect> {
        let marked = self.screen().marked();
        let place = match marked.as_slice() {
            [Subject::Pipeline(one, _), Subject::Pipeline(other, _)] => {
                let (new, old) = if one.created_at > other.created_at {
                    (one, other)
                } else {
                    (other, one)
                };
                Place::Compare(new.id.clone(), Some(old.id.clone()))
            }
            [] => match self.screen().subjects().first() {
                Some(Subject::Pipeline(row, _)) => Place::Compare(row.id.clone(), None),
                Some(Subject::Run(run)) => Place::Compare(run.pipeline.clone(), None),
                _ => return Effect::refuse("there is no build here to compare"),
            },
            _ => return Effect::refuse("mark two builds to compare them, or none"),
        };
        if place == *self.place() {
            let here = "this is the comparison already; Space in Builds marks two others";
            return vec![Effect::Say(Role::Accent, here.to_owned())];
        }
        vec![Effect::Go(place)]
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

fn raw(value: &Value) -> Vec<Line> {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.lines().map(Line::from).collect()
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
