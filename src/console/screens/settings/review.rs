//! The page before a save: what it changes, what it restarts, what is wrong, and the buttons. The harmless one has the
//! focus.

use std::collections::BTreeMap;

use ratatui::layout::Rect;
use roundel::api::settings::{DiffRow, Restart};
use roundel::settings::check::Finding;
use roundel::settings::registry::find;
use roundel::settings::value::Value;

use super::Settings;
use super::form_view::{label, mark};
use super::model;
use crate::console::action::{SettingsWrite, Write};
use crate::console::effect::Effect;
use crate::console::event::Failure;
use crate::console::keymap::Cmd;
use crate::console::line::Line;
use crate::console::pen::Pen;
use crate::console::place::{Page, Place};
use crate::console::screens::Scene;
use crate::console::shell::Shell;
use crate::console::spot::Spot;
use crate::console::text;
use crate::console::theme::Role;

/// Findings in sight at once; the cursor brings others into it.
const FINDINGS: usize = 6;

/// How the page stands.
#[derive(Debug, Default)]
pub struct Review {
    /// Index of what has the focus: the findings first, then the buttons; the harmless button where none was chosen.
    pub focus: Option<usize>,
    /// Lines of differences that are scrolled away.
    top: usize,
    /// A save is under way.
    saving: bool,
    /// Why the last save was refused.
    refused: Option<Failure>,
}

impl Review {
    /// Index of what has the focus, of `all`, of which the first are `findings`.
    fn here(&self, findings: usize, all: usize) -> usize {
        self.focus.unwrap_or(findings).min(all - 1)
    }

    /// A save was answered.
    pub fn answered(&mut self, refused: Option<&Failure>) {
        self.saving = false;
        self.refused = refused.cloned();
    }
}

/// A button.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Button {
    Back,
    Save,
    SaveRestart,
}

impl Button {
    fn label(self) -> &'static str {
        match self {
            Self::Back => "Back",
            Self::Save => "Save",
            Self::SaveRestart => "Save and restart",
        }
    }
}

impl Settings {
    /// What a save would change: what the server has staged, and what was typed here.
    pub(super) fn changes(&self) -> Vec<DiffRow> {
        let rows = self.diff.data().into_iter().flatten();
        let mut changes: BTreeMap<String, DiffRow> =
            rows.map(|row| (row.key.clone(), row.clone())).collect();
        for (key, typed) in &self.edits.0 {
            let Some((_, entry)) = find(key) else {
                continue;
            };
            let new = typed.as_ref().map(|text| {
                Value::parse(entry.kind, text.expose())
                    .map_or_else(|_| text.expose().to_owned(), |value| value.shown())
            });
            let secret = entry.kind.is_secret();
            let new = new.map(|new| if secret { "(set)".to_owned() } else { new });
            let old = match changes.get(key) {
                Some(known) => known.old.clone(),
                None => self.saved(key),
            };
            if old == new && !secret {
                changes.remove(key);
                continue;
            }
            let change = DiffRow {
                key: key.clone(),
                label: entry.label.to_owned(),
                old,
                new,
                secret,
                restart: entry.restart,
            };
            changes.insert(key.clone(), change);
        }
        changes.into_values().collect()
    }

    /// What is saved for a setting that is not staged, in words.
    fn saved(&self, key: &str) -> Option<String> {
        let saved = model::value_of(self.row(key)?)?;
        Some(saved.shown())
    }

    /// What keeps a save from being made, and what somebody should know of the groups that are changed: a directory that is
    /// switched on without encryption was that before, and mattered to nobody.
    fn against(&self, changes: &[DiffRow]) -> Vec<Finding> {
        let changed = |key: &str| {
            let group = find(key).map(|(group, _)| group);
            let is_of = |change: &DiffRow| group.is_some_and(|group| group.has(&change.key));
            changes.iter().any(is_of)
        };
        let findings = self.proposal().map(|proposal| proposal.findings.clone());
        let mut findings: Vec<Finding> = findings
            .unwrap_or_default()
            .into_iter()
            .filter(|finding| finding.is_error() || changed(&finding.key))
            .collect();
        findings.sort_by_key(|finding| !finding.is_error());
        findings
    }

    fn buttons(changes: &[DiffRow]) -> Vec<Button> {
        let restarts = changes.iter().any(|one| one.restart != Restart::Live);
        let again = restarts.then_some(Button::SaveRestart);
        [Button::Back, Button::Save]
            .into_iter()
            .chain(again)
            .collect()
    }

    fn why_not(&self, changes: &[DiffRow], shell: &Shell) -> Option<String> {
        let errors = self.proposal().map_or(0, |proposal| proposal.errors());
        if self.review.saving {
            Some("it is being saved".to_owned())
        } else if let Some(why) = self.protected(shell) {
            Some(why)
        } else if errors > 0 {
            let errors = text::plural(errors as u64, "error");
            Some(format!("{errors} first: Enter on one goes to its field"))
        } else if changes.is_empty() {
            Some("nothing is changed".to_owned())
        } else {
            None
        }
    }

    pub(super) fn review_command(&mut self, cmd: Cmd, shell: &Shell) -> Option<Vec<Effect>> {
        let changes = self.changes();
        let findings = self.against(&changes);
        let buttons = Self::buttons(&changes);
        let n = findings.len() + buttons.len();
        let here = self.review.here(findings.len(), n);
        match cmd {
            Cmd::Right | Cmd::Down => self.review.focus = Some((here + 1) % n),
            Cmd::Left | Cmd::Up => self.review.focus = Some((here + n - 1) % n),
            Cmd::Top => self.review.focus = Some(0),
            Cmd::Bottom => self.review.focus = Some(n - 1),
            Cmd::PageDown | Cmd::HalfDown | Cmd::PageUp | Cmd::HalfUp
                if changes.len() + findings.len() + 8 <= usize::from(shell.body().height) =>
            {
                return Some(Effect::refuse("all of the differences are in sight"));
            }
            Cmd::PageDown | Cmd::HalfDown => {
                self.review.top = (self.review.top + 5).min(changes.len());
            }
            Cmd::PageUp | Cmd::HalfUp => {
                self.review.top = self.review.top.min(changes.len()).saturating_sub(5);
            }
            Cmd::SaveSettings => return Some(self.save(false, shell)),
            Cmd::SaveRestart => return Some(self.save(true, shell)),
            Cmd::Open => {
                if let Some(finding) = findings.get(here) {
                    return Some(self.go_to(&finding.key));
                }
                return Some(match buttons.get(here - findings.len())? {
                    Button::Back => vec![Effect::Press(Cmd::Back)],
                    Button::Save => self.save(false, shell),
                    Button::SaveRestart => self.save(true, shell),
                });
            }
            _ => return None,
        }
        Some(Vec::new())
    }

    /// To the field of a setting.
    fn go_to(&mut self, key: &str) -> Vec<Effect> {
        let Some((group, _)) = find(key) else {
            return Effect::refuse(format!("{key} has no field: this console does not know it"));
        };
        self.open_form(group);
        self.form.focus = key.to_owned();
        vec![Effect::Go(Place::Settings(Page::Group(group.name)))]
    }

    fn save(&mut self, restart: bool, shell: &Shell) -> Vec<Effect> {
        let changes = self.changes();
        if let Some(why) = self.why_not(&changes, shell) {
            return Effect::refuse(format!("cannot save: {why}"));
        }
        if restart && Self::buttons(&changes).len() < 3 {
            return Effect::refuse("nothing has to be restarted: S saves it, and it holds");
        }
        self.review.saving = true;
        self.review.refused = None;
        vec![Effect::Write(Write::Settings(SettingsWrite::Save {
            edits: self.edits.clone(),
            restart,
        }))]
    }

    pub(super) fn draw_review(&self, pen: &mut Pen, area: Rect, scene: &Scene) {
        if let Some(failure) = self.diff.failure() {
            let lines = crate::console::screens::failed(failure, area.width, scene.shell);
            return pen.lines(area, &lines);
        }
        let changes = self.changes();
        let findings = self.against(&changes);
        let buttons = Self::buttons(&changes);
        let here = self
            .review
            .here(findings.len(), findings.len() + buttons.len());
        let airy = u16::from(scene.shell.is_airy());
        let shown = findings.len().min(FINDINGS);
        let found = if findings.is_empty() { 0 } else { shown + 1 };
        let found = u16::try_from(found).unwrap_or(0);
        let told = u16::from(self.review.refused.is_some());
        let below = airy + 1 + airy + found + told + 1 + 1;
        let top = Rect {
            height: area.height.saturating_sub(below),
            ..area
        };
        self.draw_changes(pen, top, &changes);
        let mut y = area.bottom().saturating_sub(below) + airy;
        let row = |y: u16| Rect {
            y,
            height: 1,
            ..area
        };
        pen.line(area.x, y, area.width, &restarts(&changes));
        y += 1 + airy;
        if found > 0 {
            let errors = findings.iter().filter(|one| one.is_error()).count();
            let head = heads(errors, findings.len() - errors);
            pen.line(area.x, y, area.width, &head);
            y += 1;
            let first = (here + 1)
                .saturating_sub(FINDINGS)
                .min(findings.len() - shown);
            let all = findings.iter().enumerate().skip(first).take(shown);
            for (n, finding) in all {
                let line = said(finding);
                let at = row(y);
                if n == here {
                    pen.underlay(at, Role::Selected);
                }
                pen.line(area.x + 2, y, area.width.saturating_sub(2), &line);
                pen.spot(at, Spot::Choice(n), || line.plain());
                y += 1;
            }
        }
        if let Some(failure) = &self.review.refused {
            let line = Line::new().put(Role::Failed, format!("✗ not saved: {}", failure.text));
            pen.line(area.x, y, area.width, &line);
            y += 1;
        }
        y += 1;
        let why = self.why_not(&changes, scene.shell);
        let mut x = area.x;
        for (i, button) in buttons.iter().enumerate() {
            let n = findings.len() + i;
            let off = *button != Button::Back && why.is_some();
            let line = button_line(button.label(), n == here, off);
            let end = pen.line(x, y, area.right().saturating_sub(x), &line);
            let at = Rect {
                x,
                y,
                width: end.saturating_sub(x),
                height: 1,
            };
            pen.spot(at, Spot::Choice(n), || button.label().to_owned());
            if n == here {
                pen.underlay(at, Role::Selected);
            }
            x = end + 2;
        }
        if let Some(why) = why {
            let room = area.right().saturating_sub(x + 1);
            pen.line(x + 1, y, room, &Line::new().put(Role::Warning, why));
        }
    }

    fn draw_changes(&self, pen: &mut Pen, area: Rect, changes: &[DiffRow]) {
        if area.height == 0 {
            return;
        }
        if changes.is_empty() {
            let line = if self.diff.data().is_none() {
                Line::new().muted("◌ loading")
            } else {
                Line::new().muted("Nothing is changed: what is typed in a form will stand here.")
            };
            return pen.lines(area, &[line]);
        }
        let version = self.feed.data().map_or(0, |data| data.version);
        let n = text::plural(changes.len() as u64, "setting");
        let head = Line::new()
            .strong("Changes")
            .muted(format!("   version {version} → {}, {n}", version + 1));
        let width = changes
            .iter()
            .map(|change| text::width(&change.key))
            .max()
            .unwrap_or(0)
            .min(area.width * 2 / 5);
        let lines: Vec<Line> = changes
            .iter()
            .map(|change| change_line(change, width))
            .collect();
        let room = usize::from(area.height - 1);
        let top = self.review.top.min(lines.len().saturating_sub(room));
        let below = lines.len().saturating_sub(top + room);
        let head = match (top, below) {
            (0, 0) => head,
            (above, below) => head.muted(format!("   {above} above, {below} below")),
        };
        pen.line(area.x, area.y, area.width, &head);
        let rest = Rect {
            y: area.y + 1,
            height: area.height - 1,
            ..area
        };
        pen.lines(rest, &lines[top..]);
    }
}

fn change_line(change: &DiffRow, width: u16) -> Line {
    let key = text::fit(&change.key, width).into_owned();
    let line = Line::new().gap(2).text(key).pad(width + 4);
    let dash = || "–".to_owned();
    match (&change.old, &change.new) {
        (Some(_), Some(_)) if change.secret => line
            .put(Role::Accent, "~ changed")
            .muted("  (a secret: never shown)"),
        (None, Some(_)) if change.secret => line
            .put(Role::Ok, "+ set")
            .muted("  (a secret: never shown)"),
        (old, None) => line
            .put(
                Role::Failed,
                format!("- {}", old.clone().unwrap_or_else(dash)),
            )
            .gap(2)
            .muted("back to the default"),
        (None, Some(new)) => line.put(Role::Ok, format!("+ {new}")),
        (Some(old), Some(new)) => line
            .put(Role::Failed, format!("- {old}"))
            .gap(2)
            .put(Role::Ok, format!("+ {new}")),
    }
}

/// What a save would restart.
fn restarts(changes: &[DiffRow]) -> Line {
    let line = Line::new().strong("What it restarts").gap(3);
    let of = |restart| changes.iter().filter(|one| one.restart == restart).count() as u64;
    if changes.is_empty() {
        return line.muted("nothing");
    }
    let later: Vec<String> = [Restart::All, Restart::Service, Restart::Console]
        .into_iter()
        .filter(|restart| of(*restart) > 0)
        .map(|restart| {
            let what = match restart {
                Restart::Console => "the console’s listener",
                Restart::Service => "one service",
                Restart::Live | Restart::All => "the services",
            };
            format!("{what} ({})", text::plural(of(restart), "setting"))
        })
        .collect();
    if later.is_empty() {
        line.muted("nothing: it holds once saved")
    } else {
        line.text(later.join(", "))
            .muted("; what runs goes on, new work waits a moment")
    }
}

fn heads(errors: usize, warnings: usize) -> Line {
    let mut line = Line::new();
    if errors > 0 {
        line = line
            .strong("Errors")
            .gap(2)
            .bold(Role::Failed, errors.to_string())
            .gap(3);
    }
    if warnings > 0 {
        line = line
            .strong("Warnings")
            .gap(2)
            .bold(Role::Warning, warnings.to_string())
            .muted("   a save takes them as known");
    }
    line
}

fn said(finding: &Finding) -> Line {
    let (glyph, role) = mark(finding);
    let line = Line::new()
        .put(role, format!("{glyph} "))
        .strong(label(&finding.key))
        .text(format!(" {}", finding.message));
    match &finding.fix {
        Some(fix) => line.muted(format!(": {fix}")),
        None => line,
    }
}

fn button_line(label: &str, focused: bool, off: bool) -> Line {
    let (open, close) = if focused { ("[ ", " ]") } else { ("  ", "  ") };
    let line = Line::new().put(Role::Accent, open);
    let line = match (off, focused) {
        (true, _) => line.put(Role::Faint, label),
        (false, true) => line.strong(label),
        (false, false) => {
            let mut letters = label.chars();
            let first: String = letters.next().into_iter().collect();
            line.bold(Role::Accent, first).text(letters.as_str())
        }
    };
    line.put(Role::Accent, close)
}
