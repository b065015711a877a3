//! F1 in a form: all about the field under the cursor, then the keys.

use roundel::api::settings::Source;

use super::Settings;
use super::form_view::mark;
use super::model::{self, Field};
use crate::console::effect::Effect;
use crate::console::line::Line;
use crate::console::overlays::{Overlay, Reading};
use crate::console::screens::{Screen, fact};
use crate::console::shell::Shell;
use crate::console::text;

/// Cells of a line of text.
const WIDTH: u16 = 70;

impl Settings {
    pub(super) fn about(&self, field: &Field, shell: &Shell) -> Vec<Effect> {
        let Some(proposal) = self.proposal() else {
            return Vec::new();
        };
        let (entry, row) = (field.entry, self.row(&field.key));
        let mut lines: Vec<Line> = text::wrap(entry.help, WIDTH)
            .into_iter()
            .map(Line::from)
            .collect();
        lines.push(Line::new());
        lines.push(fact("key", Line::from(field.key.clone())));
        let takes = text::wrap(&entry.kind.described().replace('`', ""), WIDTH - 16);
        for (n, words) in takes.into_iter().enumerate() {
            lines.push(fact(if n == 0 { "takes" } else { "" }, Line::from(words)));
        }
        let default = entry.default_in(&proposal.values);
        let default = default.map_or_else(|| "none".to_owned(), |value| value.shown());
        lines.push(fact("default", Line::from(default)));
        lines.push(fact("after a save", Line::from(entry.restart.described())));
        if let Some(test) = entry.test {
            lines.push(fact("test", Line::from(super::trial::title(test))));
        }
        let value = proposal.values.given(&field.key);
        if let Some(value) = value.filter(|_| !entry.kind.is_secret()) {
            let words = if model::is_long(entry.kind) {
                model::summary(entry.kind, value.text())
            } else {
                value.shown()
            };
            for (n, words) in text::wrap(&words, WIDTH - 16).into_iter().enumerate() {
                lines.push(fact(if n == 0 { "is" } else { "" }, Line::from(words)));
            }
        }
        let from = match (self.edits.0.contains_key(&field.key), row) {
            (true, _) => "typed here, neither staged nor saved".to_owned(),
            (false, Some(row)) => {
                let who = row.changed_by.clone().unwrap_or_default();
                let when = row.changed_at.map(text::moment).unwrap_or_default();
                match row.source {
                    Source::Default => "nothing was given".to_owned(),
                    Source::Saved => format!("saved {when} by {who}"),
                    Source::Staged => format!("staged {when} by {who}"),
                }
            }
            (false, None) => "nothing was given".to_owned(),
        };
        lines.push(fact("from", Line::from(from)));
        if let Some(finding) = proposal.finding(&field.key) {
            let (_, role) = mark(finding);
            lines.push(fact(
                "wrong",
                Line::new().put(role, finding.message.clone()),
            ));
            let fix = finding.fix.clone().unwrap_or_default();
            for words in text::wrap(&fix, WIDTH - 16) {
                lines.push(fact("", Line::from(words)));
            }
        }
        if model::is_long(entry.kind) && !entry.kind.is_secret() && !self.form.types {
            let text = value.map_or("", |value| value.text());
            lines.extend(text.lines().map(Line::from));
        }
        lines.push(Line::new());
        let contexts = self.contexts(shell);
        let reading = Reading::help_after(field.label.clone(), lines, &shell.keymap, &contexts);
        vec![Effect::Open(Overlay::Reading(reading))]
    }
}
