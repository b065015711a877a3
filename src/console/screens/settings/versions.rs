//! The versions of the settings: who saved what and when, and the way back to one.

use ratatui::layout::Rect;

use super::Settings;
use crate::console::action::{SettingsWrite, Write};
use crate::console::effect::Effect;
use crate::console::keymap::Cmd;
use crate::console::line::Line;
use crate::console::overlays::{Button, Dialog, Overlay};
use crate::console::pen::Pen;
use crate::console::screens::{Scene, instead};
use crate::console::shell::Shell;
use crate::console::spot::Spot;
use crate::console::text;
use crate::console::theme::Role;

impl Settings {
    pub(super) fn versions_command(&mut self, cmd: Cmd, shell: &Shell) -> Option<Vec<Effect>> {
        let last = self.versions.data().map_or(0, Vec::len).saturating_sub(1);
        self.version = match cmd {
            Cmd::Up => self.version.saturating_sub(1),
            Cmd::Down => (self.version + 1).min(last),
            Cmd::Top => 0,
            Cmd::Bottom => last,
            Cmd::PageUp | Cmd::HalfUp => self.version.saturating_sub(10),
            Cmd::PageDown | Cmd::HalfDown => (self.version + 10).min(last),
            Cmd::Open => return Some(vec![Effect::Press(Cmd::Describe)]),
            Cmd::Rollback => return Some(self.roll_back(shell)),
            _ => return None,
        };
        Some(Vec::new())
    }

    fn roll_back(&self, shell: &Shell) -> Vec<Effect> {
        let rows = self.versions.data().map_or(&[][..], Vec::as_slice);
        let Some(row) = rows.get(self.version) else {
            return Effect::refuse("nothing was saved yet");
        };
        if let Some(why) = self.protected(shell) {
            return Effect::refuse(format!("cannot roll back: {why}"));
        }
        if rows
            .first()
            .is_some_and(|newest| newest.version == row.version)
        {
            return Effect::refuse("this is what is saved now; choose an older one");
        }
        if self.standing(None).is_some_and(|now| now.changed > 0) {
            return Effect::refuse("save or forget what is changed first: D forgets it");
        }
        let write = Write::Settings(SettingsWrite::Rollback(row.version));
        let body = vec![
            "Its values come back as a new version, by you. What has to be restarted waits for a restart."
                .to_owned(),
        ];
        let title = format!("Bring version {} back?", row.version);
        let mut dialog = Dialog::new(title, body, Vec::new());
        dialog.command = write.command();
        let yes = Button::new("Roll back", true, vec![Effect::Write(write)]);
        dialog.buttons.push(yes);
        vec![Effect::Open(Overlay::Dialog(dialog))]
    }

    pub(super) fn draw_versions(&self, pen: &mut Pen, area: Rect, scene: &Scene) {
        if let Some(lines) = instead(&self.versions, scene, area.width) {
            return pen.lines(area, &lines);
        }
        let rows = self.versions.data().map_or(&[][..], Vec::as_slice);
        if rows.is_empty() {
            let lines = [
                Line::new().strong("Nothing was saved yet: everything is at its default."),
                Line::new().muted("Each save will stand here as a version, with its keys."),
            ];
            return pen.lines(area, &lines);
        }
        let running = self.feed.data().map_or(0, |data| data.running);
        let head = Line::new()
            .muted("VERSION")
            .pad(9)
            .muted("SAVED")
            .pad(30)
            .muted("BY")
            .pad(46)
            .muted("FROM")
            .pad(60)
            .muted("KEYS");
        pen.line(area.x, area.y, area.width, &head);
        let room = usize::from(area.height.saturating_sub(1));
        let here = self.version.min(rows.len() - 1);
        let top = (here + 1).saturating_sub(room);
        let shown = rows.iter().enumerate().skip(top).take(room);
        for (y, (n, row)) in (area.y + 1..).zip(shown) {
            let at = Rect {
                y,
                height: 1,
                ..area
            };
            if n == here {
                pen.underlay(at, Role::Selected);
            }
            let number = format!("{:>5}", row.version);
            let cut = |words: &str, cells| text::fit(words, cells).into_owned();
            let mark = if row.version == running { " ●" } else { "" };
            let line = Line::new()
                .strong(number)
                .put(Role::Ok, mark)
                .pad(9)
                .text(text::moment(row.at))
                .pad(30)
                .text(cut(&row.by, 15))
                .pad(46)
                .muted(cut(&row.origin, 13))
                .pad(60)
                .text(row.keys.join(", "));
            pen.line(area.x, y, area.width, &line);
            pen.spot(at, Spot::Row(n as u64), || {
                let running = if row.version == running {
                    ", running"
                } else {
                    ""
                };
                format!(
                    "version {} by {}, {}{running}, keys {}",
                    row.version,
                    row.by,
                    text::moment(row.at),
                    row.keys.join(", ")
                )
            });
        }
    }
}
