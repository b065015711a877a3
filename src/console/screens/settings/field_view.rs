//! How a field looks: its label, what stands in it, and what is to be said of it.

use ratatui::layout::{Position, Rect};
use roundel::api::settings::{SettingRow, Source};
use roundel::settings::registry::Kind;

use super::Settings;
use super::editor::Editor;
use super::form::turns;
use super::form_view::mark;
use super::model::{self, Field, Proposal};
use crate::console::line::Line;
use crate::console::pen::Pen;
use crate::console::screens::Scene;
use crate::console::spot::Spot;
use crate::console::text;
use crate::console::theme::Role;

/// Bullets that stand for a secret that is typed: no more, however long it is.
const BULLETS_MAX: usize = 20;

/// Most cells of a label.
const LABEL: u16 = 35;

impl Settings {
    /// Draws fields around the one under the cursor.
    pub(super) fn draw_fields(
        &self,
        pen: &mut Pen,
        area: Rect,
        scene: &Scene,
        fields: &[Field],
        proposal: &Proposal,
        here: Option<usize>,
    ) {
        if area.height == 0 {
            return;
        }
        let labels = fields.iter().map(|field| text::width(&field.label));
        let label = labels.max().unwrap_or(0).min(LABEL).min(area.width * 2 / 5);
        let room = usize::from(area.height);
        let top = here.map_or(0, |at| (at + 1).saturating_sub(room));
        // The row below the cursor is in sight too, so that one sees where one goes.
        let top = if here.is_some_and(|at| at + 1 < fields.len() && at + 1 == top + room) {
            top + 1
        } else {
            top
        };
        let rows = fields.iter().enumerate().skip(top).take(room);
        for (y, (n, field)) in (area.top()..).zip(rows) {
            let row = Rect {
                y,
                height: 1,
                ..area
            };
            let focused = here == Some(n);
            self.draw_field(pen, row, scene, (field, label, focused), proposal);
            if here.is_some() {
                let said = || self.words_of(field, proposal);
                pen.spot(row, Spot::Row(n as u64), said);
            }
        }
    }

    fn draw_field(
        &self,
        pen: &mut Pen,
        row: Rect,
        scene: &Scene,
        (field, label, focused): (&Field, u16, bool),
        proposal: &Proposal,
    ) {
        let (glyph, glyph_role, note) = self.note(field, proposal, focused);
        pen.line(row.x, row.y, 1, &Line::new().bold(glyph_role, glyph));
        let words = Line::new();
        let words = if focused {
            words.strong(field.label.clone())
        } else {
            words.muted(field.label.clone())
        };
        pen.line(row.x + 2, row.y, label, &words);
        let x = row.x + 2 + label + 2;
        let rest = row.right().saturating_sub(x);
        let noted = note.width();
        // Words to choose from come before what is to be said of them; a text shares the row with it.
        let shares = if turns(field) {
            let all = self.value(field, proposal, scene, rest).width();
            rest.saturating_sub(all)
        } else {
            rest / 2
        };
        let room = match noted {
            0 => rest,
            noted => rest - (noted + 2).min(shares),
        };
        let value = Rect {
            x,
            width: room,
            ..row
        };
        if focused {
            pen.underlay(value, Role::Selected);
        }
        let end = match &self.form.editor {
            Editor::Line(input) if focused => {
                let (before, shown) = input.seen(room, field.entry.kind.is_secret());
                pen.cursor = Some(Position {
                    x: x + text::width(&before).min(room.saturating_sub(1)),
                    y: row.y,
                });
                if shown.is_empty() {
                    let empty = self.value(field, proposal, scene, room);
                    pen.line(x + 1, row.y, room.saturating_sub(1), &empty)
                } else {
                    pen.line(x, row.y, room, &Line::new().strong(shown))
                }
            }
            _ => {
                let line = self.value(field, proposal, scene, room);
                pen.line(x, row.y, room, &line)
            }
        };
        if noted > 0 {
            let at = if row.width >= 90 || focused {
                value.right() + 2
            } else {
                end + 2
            };
            let room = row.right().saturating_sub(at);
            // The mark says it too: half a word would not.
            if room >= noted.min(6) {
                pen.line(at, row.y, room, &note);
            }
        }
    }

    /// What stands in a field.
    fn value(&self, field: &Field, proposal: &Proposal, scene: &Scene, room: u16) -> Line {
        let plain = |words: String, role: Role| Line::new().put(role, words);
        if field.adds {
            let typed = self.adding.get(&field.key).cloned().unwrap_or_default();
            return if typed.is_empty() {
                plain(model::example(field.entry).to_owned(), Role::Faint)
            } else {
                plain(typed, Role::Text)
            };
        }
        let typed = self.edits.0.get(&field.key);
        let row = self.row(&field.key);
        let kind = field.entry.kind;
        if kind.is_secret() {
            return match (typed, row) {
                (Some(Some(text)), _) if kind == Kind::SecretPem => plain(
                    format!("new, {}", model::summary(kind, text.expose())),
                    Role::Text,
                ),
                (Some(Some(text)), _) => {
                    let n = text.expose().chars().count().min(BULLETS_MAX);
                    Line::new().text("•".repeat(n))
                }
                (None, Some(row)) if row.set => {
                    let age = row.changed_at.map(|at| scene.now.age(at));
                    let age = age.map(|age| format!(" {age} ago")).unwrap_or_default();
                    plain(format!("set{age}"), Role::Muted)
                }
                _ => plain("not set".to_owned(), Role::Faint),
            };
        }
        let given = proposal.values.given(&field.key).is_some();
        let role = if given { Role::Text } else { Role::Muted };
        // What is no value of its kind is shown as it was typed.
        if let Some(Some(text)) = typed
            && !model::is_long(kind)
            && !turns(field)
        {
            return plain(text.expose().to_owned(), Role::Text);
        }
        let value = proposal.values.get(&field.key);
        match kind {
            Kind::Switch => {
                let on = proposal.values.on(&field.key);
                radios(&[("on", on), ("off", !on)], room)
            }
            Kind::Choice(options) => {
                let now = proposal.values.text(&field.key);
                let options: Vec<(&str, bool)> = options
                    .iter()
                    .map(|one| (one.label, one.word == now))
                    .collect();
                radios(&options, room)
            }
            _ => match value.filter(|value| !value.is_empty()) {
                None => plain("–".to_owned(), Role::Faint),
                Some(value) if model::is_long(kind) => {
                    plain(model::summary(kind, value.text()), role)
                }
                Some(value) => plain(value.shown(), role),
            },
        }
    }

    pub(super) fn row(&self, key: &str) -> Option<&SettingRow> {
        model::row(self.feed.data()?, key)
    }

    /// What is to be said beside a field: a glyph and words.
    fn note(
        &self,
        field: &Field,
        proposal: &Proposal,
        focused: bool,
    ) -> (&'static str, Role, Line) {
        let say = |glyph, role, words: &str| (glyph, role, Line::new().put(role, words));
        if field.adds {
            return match self.adding.get(&field.key) {
                Some(typed) => match model::new_member(field.entry, typed) {
                    Ok(_) => say("✎", Role::Accent, "Enter adds it"),
                    Err(why) => say("✗", Role::Failed, &why),
                },
                None => say(" ", Role::Faint, ""),
            };
        }
        let fault = self
            .trial
            .as_ref()
            .and_then(|trial| trial.fault(&field.key));
        if let Some(step) = fault {
            return say("✗", Role::Failed, &format!("test: {}", step.found));
        }
        let typed = self.edits.0.get(&field.key);
        let row = self.row(&field.key);
        if let Some(finding) = proposal.finding(&field.key) {
            let (glyph, role) = mark(finding);
            return say(glyph, role, &finding.message);
        }
        let source = row.map(|row| row.source);
        match (typed, source) {
            (Some(None), _) => say("✎", Role::Accent, "back to the default"),
            (Some(_), _) => say("✎", Role::Accent, "changed"),
            (None, Some(Source::Staged)) => say("✎", Role::Accent, "staged"),
            (None, Some(Source::Saved)) if row.is_some_and(|row| row.waits_for_restart) => {
                say("↻", Role::Warning, "not running yet")
            }
            (None, _) if field.entry.kind.is_secret() && row.is_some_and(|row| row.set) => {
                let words = if focused { "empty keeps it" } else { "" };
                say(" ", Role::Muted, words)
            }
            (None, Some(Source::Default)) if proposal.values.has(&field.key) && !turns(field) => {
                say(" ", Role::Muted, "default")
            }
            _ => say(" ", Role::Muted, ""),
        }
    }

    /// A field as it is read to somebody.
    fn words_of(&self, field: &Field, proposal: &Proposal) -> String {
        if field.adds {
            return format!("{}, as {}", field.label, model::example(field.entry));
        }
        let finding = proposal.finding(&field.key);
        let finding = finding.map(|finding| finding.message.clone());
        let typed = self.edits.0.contains_key(&field.key);
        let row = self.row(&field.key);
        let value = if field.entry.kind.is_secret() {
            match (typed, row.is_some_and(|row| row.set)) {
                (true, _) => "typed anew".to_owned(),
                (false, true) => "set".to_owned(),
                (false, false) => "not set".to_owned(),
            }
        } else {
            proposal
                .values
                .get(&field.key)
                .filter(|value| !value.is_empty())
                .map_or_else(
                    || "empty".to_owned(),
                    |value| match field.entry.kind {
                        Kind::Switch if proposal.values.on(&field.key) => "on".to_owned(),
                        Kind::Switch => "off".to_owned(),
                        Kind::Choice(options) => options
                            .iter()
                            .find(|one| one.word == value.text())
                            .map_or("", |one| one.label)
                            .to_owned(),
                        _ => value.shown(),
                    },
                )
        };
        let state = match (finding, typed) {
            (Some(why), _) => format!(", {why}"),
            (None, true) => ", changed".to_owned(),
            (None, false) => String::new(),
        };
        format!("{}: {value}{state}", field.label)
    }
}

/// Words of which one holds: all of them where there is room, else the one and how many there are.
fn radios(options: &[(&str, bool)], room: u16) -> Line {
    let mut line = Line::new();
    for (n, (label, is)) in options.iter().enumerate() {
        if n > 0 {
            line = line.gap(2);
        }
        line = if *is {
            line.bold(Role::Accent, format!("(●) {label}"))
        } else {
            line.muted(format!("( ) {label}"))
        };
    }
    if line.width() <= room {
        return line;
    }
    let at = options.iter().position(|(_, is)| *is);
    let label = at.map_or("–", |at| options[at].0);
    let number = at.map_or(0, |at| at + 1);
    Line::new()
        .muted("‹ ")
        .bold(Role::Accent, label)
        .muted(" ›")
        .muted(format!("  {number} of {}", options.len()))
}
