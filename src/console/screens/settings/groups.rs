//! The head of every page, and the list of groups with how each stands, beside the form of one.

use ratatui::layout::Rect;
use roundel::settings::registry::{GROUPS, Group};

use super::Settings;
use super::model::Standing;
use crate::console::keymap::{Cmd, Context};
use crate::console::line::Line;
use crate::console::pen::Pen;
use crate::console::place::Page;
use crate::console::screens::Scene;
use crate::console::shell::AIRY;
use crate::console::spot::Spot;
use crate::console::text;
use crate::console::theme::Role;

/// How a group stands: a glyph and its role.
fn mark(group: &Group, standing: Standing) -> (String, Role) {
    match standing {
        Standing { errors: 1.., .. } => {
            let errors = standing.errors.min(9);
            (errors.to_string(), Role::Failed)
        }
        Standing { changed: 1.., .. } => ("✎".to_owned(), Role::Accent),
        Standing { waits: 1.., .. } => ("↻".to_owned(), Role::Warning),
        Standing { warnings: 1.., .. } => ("!".to_owned(), Role::Warning),
        _ if group.note.is_some() => ("·".to_owned(), Role::Faint),
        _ => ("✓".to_owned(), Role::Ok),
    }
}

/// The same in words.
fn words(standing: Standing) -> String {
    let counts = [
        (standing.errors, "error"),
        (standing.changed, "unsaved change"),
        (standing.warnings, "warning"),
    ];
    let mut words: Vec<String> = counts
        .into_iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, noun)| text::plural(n as u64, noun))
        .collect();
    if standing.waits > 0 {
        words.push(format!("{} not running yet", standing.waits));
    }
    if words.is_empty() {
        "in order".to_owned()
    } else {
        words.join(", ")
    }
}

impl Settings {
    /// Draws where one is and how all stands; answers what is left below.
    pub(super) fn draw_head(&self, pen: &mut Pen, area: Rect, scene: &Scene) -> Rect {
        let line = match &self.page {
            Page::Groups => Line::new().strong("Settings"),
            Page::Group(_) => {
                let title = self.form.group.map_or("", |group| group.title);
                Line::new().muted("Settings › ").strong(title)
            }
            Page::Review => Line::new().muted("Settings › ").strong("Review"),
            Page::Versions => Line::new().muted("Settings › ").strong("Versions"),
        };
        let line = match self.standing(None) {
            Some(standing) => line.gap(3).join(all_words(standing)),
            None => line,
        };
        let end = pen.line(area.x, area.y, area.width, &line);
        let right = match (&self.page, self.feed.data()) {
            (Page::Groups | Page::Group(_), Some(_)) if self.protected(scene.shell).is_some() => {
                Line::new().put(Role::Warning, "read-only")
            }
            (Page::Groups | Page::Group(_), Some(data)) if data.version > data.running => {
                Line::new().muted(format!(
                    "version {}, running {}",
                    data.version, data.running
                ))
            }
            (Page::Groups | Page::Group(_), Some(data)) => {
                Line::new().muted(format!("version {}", data.version))
            }
            _ => Line::new(),
        };
        if end + right.width() + 2 <= area.right() {
            pen.right(end, area.y, area.right() - end, &right);
        }
        let used = if scene.shell.is_airy() { 2 } else { 1 };
        Rect {
            y: area.y + used,
            height: area.height.saturating_sub(used),
            ..area
        }
    }

    /// Draws the list of groups, and the form of the one under the cursor beside it.
    pub(super) fn draw_groups(&self, pen: &mut Pen, area: Rect, scene: &Scene) {
        let wide = scene.shell.size.0 >= AIRY.0;
        let small = scene.shell.is_small() || scene.shell.reads;
        let list = matches!(self.page, Page::Groups);
        if small {
            // One pane: the list, or the form.
            if list {
                self.draw_list(pen, area, wide || scene.shell.reads);
            } else {
                self.draw_form(pen, area, scene);
            }
            return;
        }
        let name = |group: &&Group| text::width(if wide { group.title } else { group.name });
        let width = GROUPS.iter().map(|group| name(&group)).max().unwrap_or(0) + 3;
        self.draw_list(pen, Rect { width, ..area }, wide);
        for y in area.top()..area.bottom() {
            pen.line(area.x + width + 1, y, 1, &Line::new().put(Role::Faint, "│"));
        }
        let rest = Rect {
            x: area.x + width + 3,
            width: area.width.saturating_sub(width + 3),
            ..area
        };
        if list {
            self.draw_glance(pen, rest, scene);
        } else {
            self.draw_form(pen, rest, scene);
        }
    }

    fn draw_list(&self, pen: &mut Pen, area: Rect, titles: bool) {
        let (Some(data), Some(proposal)) = (self.feed.data(), self.proposal()) else {
            return;
        };
        let room = usize::from(area.height);
        let top = (self.at + 1).saturating_sub(room);
        let rows = GROUPS.iter().enumerate().skip(top).take(room);
        for (y, (n, group)) in (area.top()..).zip(rows) {
            let standing = Standing::of(Some(group), data, &self.edits, &proposal);
            let (glyph, role) = mark(group, standing);
            let name = if titles { group.title } else { group.name };
            let line = Line::new().bold(role, glyph).gap(1);
            let line = if n == self.at {
                line.strong(name)
            } else {
                line.text(name)
            };
            let row = Rect {
                y,
                height: 1,
                ..area
            };
            if n == self.at {
                pen.underlay(row, Role::Selected);
            }
            pen.line(area.x, y, area.width, &line);
            let said = || format!("{}: {}", group.title, words(standing));
            // Beside a form the groups are boxes: its rows are the fields.
            let spot = if matches!(self.page, Page::Groups) {
                Spot::Row(n as u64)
            } else {
                Spot::Box(n as u64)
            };
            pen.spot(row, spot, said);
        }
    }

    /// What a group is about, and what stands in it, for whoever goes through the list.
    fn draw_glance(&self, pen: &mut Pen, area: Rect, scene: &Scene) {
        let Some(proposal) = self.proposal() else {
            return;
        };
        let group = &GROUPS[self.at];
        let standing = self.standing(Some(group)).unwrap_or_default();
        let mut lines = vec![
            Line::new()
                .strong(group.title)
                .gap(2)
                .muted(words(standing)),
        ];
        if let Some(note) = group.note {
            let note = text::wrap(note, area.width).into_iter();
            lines.extend(note.map(|words| Line::new().muted(words)));
        }
        lines.push(Line::new());
        let height = u16::try_from(lines.len()).unwrap_or(area.height);
        pen.lines(area, &lines);
        let rest = Rect {
            y: area.y + height,
            height: area.height.saturating_sub(height),
            ..area
        };
        let fields = super::model::fields(group, &proposal.values);
        let fields: Vec<_> = fields.into_iter().filter(|field| !field.adds).collect();
        if fields.is_empty() {
            pen.lines(rest, &[Line::new().muted("nothing is set here")]);
        }
        self.draw_fields(pen, rest, scene, &fields, &proposal, None);
    }

    /// What stands in the line below: about what is under the cursor.
    pub(super) fn said(&self) -> Line {
        match &self.page {
            Page::Groups => {
                let group = &GROUPS[self.at];
                match self.standing(Some(group)) {
                    Some(Standing { errors: 0, .. }) | None => Line::new()
                        .muted(format!("{}  ", group.title))
                        .text(group.note.unwrap_or("In force.")),
                    Some(_) => self.first_error(group),
                }
            }
            Page::Group(_) => self.said_of_field(),
            Page::Review => Line::new().muted(
                "A save is written to the audit log with the keys, never with the value of a secret.",
            ),
            Page::Versions => Line::new().muted(
                "A rollback is a version of its own: nothing that was saved is ever lost.",
            ),
        }
    }

    fn first_error(&self, group: &Group) -> Line {
        let Some(proposal) = self.proposal() else {
            return Line::new();
        };
        let mut findings = proposal.findings.iter();
        let error = findings.find(|finding| finding.is_error() && group.has(&finding.key));
        error.map_or_else(Line::new, |finding| {
            Line::new().put(
                Role::Failed,
                format!(
                    "✗ {} {}",
                    super::form_view::label(&finding.key),
                    finding.message
                ),
            )
        })
    }

    /// The key that reviews, as this page has it.
    pub(super) fn key_here(&self, scene: &Scene, cmd: Cmd) -> String {
        let contexts = if self.types() {
            vec![Context::Form]
        } else {
            vec![Context::Settings, Context::Things, Context::Everywhere]
        };
        scene
            .shell
            .keymap
            .key_of(&contexts, cmd)
            .unwrap_or_default()
    }
}

/// How all stands, with its colours.
fn all_words(standing: Standing) -> Line {
    let mut line = Line::new();
    let counts = [
        (standing.errors, "error", Role::Failed),
        (standing.changed, "unsaved change", Role::Accent),
        (standing.warnings, "warning", Role::Warning),
    ];
    for (n, noun, role) in counts {
        if n > 0 {
            line = line.put(role, text::plural(n as u64, noun)).gap(2);
        }
    }
    if standing.waits > 0 {
        line = line.put(
            Role::Warning,
            format!("{} saved, not running", standing.waits),
        );
    }
    if standing == Standing::default() {
        line = line.put(Role::Ok, "✓ all in order");
    }
    line
}
