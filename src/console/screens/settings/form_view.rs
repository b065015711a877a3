//! How a form looks: where its fields stand, what is said of the one under the cursor, a long text that is open, and the
//! steps of the test.

use ratatui::layout::{Position, Rect};
use roundel::settings::check::Finding;
use roundel::settings::registry::find;

use super::Settings;
use super::editor::Editor;
use super::model::{Field, Proposal};
use crate::console::keymap::Cmd;
use crate::console::line::Line;
use crate::console::pen::Pen;
use crate::console::screens::Scene;
use crate::console::text;
use crate::console::theme::Role;

/// Rows of fields that stay in sight above the steps of a test.
const FIELDS_MIN: u16 = 6;

/// What a setting is called.
pub fn label(key: &str) -> String {
    find(key).map_or_else(
        || key.to_owned(),
        |(_, entry)| {
            if entry.is_family() {
                key.to_owned()
            } else {
                entry.label.to_owned()
            }
        },
    )
}

/// How a finding is marked: a glyph and its role.
pub fn mark(finding: &Finding) -> (&'static str, Role) {
    if finding.is_error() {
        ("✗", Role::Failed)
    } else {
        ("!", Role::Warning)
    }
}

impl Settings {
    pub(super) fn draw_form(&self, pen: &mut Pen, area: Rect, scene: &Scene) {
        let Some(proposal) = self.proposal() else {
            return;
        };
        let fields = self.fields(&proposal);
        let here = self.focused(&fields);
        let airy = scene.shell.is_airy();
        let mut y = area.y;
        let note = self.form.group.and_then(|group| group.note);
        if let Some(note) = note.filter(|_| !scene.shell.is_small()) {
            let lines = text::wrap(note, area.width);
            let lines: Vec<Line> = lines
                .into_iter()
                .take(2)
                .map(|w| Line::new().muted(w))
                .collect();
            pen.lines(Rect { y, ..area }, &lines);
            y += u16::try_from(lines.len()).unwrap_or(0) + u16::from(airy);
        }
        let rest = Rect {
            y,
            height: area.bottom().saturating_sub(y),
            ..area
        };
        if let (Editor::Long(_), Some(field)) = (&self.form.editor, fields.get(here)) {
            return self.draw_long(pen, rest, scene, field);
        }
        let wanted = u16::try_from(fields.len()).unwrap_or(u16::MAX);
        let steps = self.draw_steps(pen, rest, scene, wanted);
        let room = Rect {
            height: rest.height - steps,
            ..rest
        };
        self.draw_fields(pen, room, scene, &fields, &proposal, Some(here));
        let used = wanted.min(room.height);
        let mut lines = Vec::new();
        if let Some(field) = fields.get(here).filter(|_| airy && room.height >= used + 4) {
            // There is room for all of what the line below has no room for.
            lines = help_lines(field, &proposal, area.width);
            lines.push(Line::new());
        }
        if let Some((cmd, words)) = self.own_command().filter(|_| self.types()) {
            lines.push(Line::new().key(self.key_here(scene, cmd), words));
        }
        let below = Rect {
            y: room.y + used + 1,
            height: room.height.saturating_sub(used + 1),
            ..room
        };
        pen.lines(below, &lines);
    }

    /// Draws the steps of the test at the bottom; answers how many rows they take.
    fn draw_steps(&self, pen: &mut Pen, area: Rect, scene: &Scene, fields: u16) -> u16 {
        let Some(trial) = &self.trial else { return 0 };
        let key = self.key_here(scene, Cmd::TestSettings);
        let (head, lines) = trial.lines(scene, area.width, &key);
        let wanted = u16::try_from(lines.len()).unwrap_or(u16::MAX);
        let most = area
            .height
            .saturating_sub(fields.min(FIELDS_MIN.max(area.height / 3)));
        let height = wanted.saturating_add(2).min(most);
        if height < 2 {
            return 0;
        }
        let y = area.bottom() - height;
        let room = usize::from(height - 2);
        let top = trial.window(lines.len(), room);
        let below = lines.len().saturating_sub(top + room);
        let head = match (top, below) {
            (0, 0) => head,
            (above, below) => head.gap(2).muted(format!("{above} above, {below} below")),
        };
        pen.line(area.x, y + 1, area.width, &head);
        let at = Rect {
            y: y + 2,
            height: height - 2,
            ..area
        };
        pen.lines(at, &lines[top..]);
        height
    }

    /// The line below a form: what is wrong with the field, or what it is.
    pub(super) fn said_of_field(&self) -> Line {
        let Some(proposal) = self.proposal() else {
            return Line::new();
        };
        let fields = self.fields(&proposal);
        let Some(field) = fields.get(self.focused(&fields)) else {
            return Line::new();
        };
        if let Some(typed) = self.adding.get(&field.key).filter(|_| field.adds)
            && let Err(why) = super::model::new_member(field.entry, typed)
        {
            return Line::new().put(Role::Failed, format!("✗ {} {why}", field.label));
        }
        let fault = self
            .trial
            .as_ref()
            .and_then(|trial| trial.fault(&field.key));
        if let Some(fix) = fault.and_then(|step| step.fix.clone()) {
            return Line::new().muted("fix  ").put(Role::Warning, fix);
        }
        match proposal.finding(&field.key) {
            Some(finding) => {
                let (glyph, role) = mark(finding);
                let line =
                    Line::new().put(role, format!("{glyph} {} {}", field.label, finding.message));
                match &finding.fix {
                    Some(fix) => line.text(format!(": {fix}")),
                    None => line.muted(format!(".  {}", field.entry.help)),
                }
            }
            None => Line::new()
                .muted(format!("{}  ", field.label))
                .text(field.entry.help),
        }
    }

    /// Draws a long text that is open.
    fn draw_long(&self, pen: &mut Pen, area: Rect, scene: &Scene, field: &Field) {
        let Editor::Long(editor) = &self.form.editor else {
            return;
        };
        let secret = field.entry.kind.is_secret();
        let lines = editor.lines();
        let cursor = editor.cursor();
        let head = Line::new()
            .strong(field.label.clone())
            .muted(format!(
                "   {}, line {}",
                text::plural(lines.len() as u64, "line"),
                cursor.0 + 1
            ))
            .gap(3)
            .key(self.key_here(scene, Cmd::NextPane), "keeps it, next field")
            .gap(2)
            .key(self.key_here(scene, Cmd::Back), "closes it");
        pen.line(area.x, area.y, area.width, &head);
        let inside = Rect {
            y: area.y + 1,
            height: area.height.saturating_sub(1),
            ..area
        };
        let room = usize::from(inside.height.max(1));
        let top = (cursor.0 + 1).saturating_sub(room);
        for (y, (n, words)) in
            (inside.top()..inside.bottom()).zip(lines.iter().enumerate().skip(top))
        {
            let words = if secret {
                "•".repeat(words.chars().count())
            } else {
                words.replace('\t', "    ")
            };
            let number = Line::new().put(Role::Faint, format!("{:>4} ", n + 1));
            let x = pen.line(inside.x, y, 5, &number);
            let width = inside.right().saturating_sub(x);
            let before: String = words.chars().take(cursor.1).collect();
            let skip = if n == cursor.0 {
                before
                    .chars()
                    .count()
                    .saturating_sub(usize::from(width.saturating_sub(2)))
            } else {
                0
            };
            let shown: String = words.chars().skip(skip).collect();
            pen.line(x, y, width, &Line::from(shown));
            if n == cursor.0 {
                let before: String = before.chars().skip(skip).collect();
                pen.underlay(
                    Rect {
                        y,
                        height: 1,
                        ..inside
                    },
                    Role::Selected,
                );
                pen.cursor = Some(Position {
                    x: x + text::width(&before),
                    y,
                });
            }
        }
    }
}

/// What a field means, and what is wrong with it, in full.
fn help_lines(field: &Field, proposal: &Proposal, width: u16) -> Vec<Line> {
    let mut lines = vec![
        Line::new()
            .strong(field.label.clone())
            .gap(2)
            .put(Role::Faint, field.key.clone()),
    ];
    let mut add = |role: Role, words: &str| {
        let words = text::wrap(words, width).into_iter();
        lines.extend(words.map(|words| Line::new().put(role, words)));
    };
    add(Role::Muted, field.entry.help);
    if let Some(finding) = proposal.finding(&field.key) {
        let (_, role) = mark(finding);
        add(role, &format!("It {}.", finding.message));
        if let Some(fix) = &finding.fix {
            add(Role::Text, &format!("Fix: {fix}."));
        }
    }
    lines
}
