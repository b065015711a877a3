//! What `g` offers: a second letter says where.

use ratatui::layout::Rect;

use crate::console::effect::Effect;
use crate::console::keymap::{Cmd, Context, Keymap};
use crate::console::line::Line;
use crate::console::pen::Pen;
use crate::console::spot::Spot;
use crate::console::theme::Role;

/// Takes the second letter's command.
pub fn command(cmd: Cmd) -> Vec<Effect> {
    match cmd {
        Cmd::Back => vec![Effect::Close],
        cmd => vec![Effect::Close, Effect::Press(cmd)],
    }
}

/// Draws the letters above the hint bar, at the right.
pub fn view(pen: &mut Pen, area: Rect, keymap: &Keymap) {
    let prefix = keymap
        .key_of(&[Context::Everywhere], Cmd::GotoPrefix)
        .unwrap_or_default();
    let hints = keymap.hints(&[Context::Goto]);
    let rows: Vec<Line> = hints
        .iter()
        .map(|(key, word, _)| {
            let (name, later) = word.split_once(", ").unwrap_or((word, ""));
            let line = Line::new()
                .bold(Role::Accent, format!("{prefix} {key}"))
                .gap(3);
            if later.is_empty() {
                line.text(name)
            } else {
                line.muted(*word)
            }
        })
        .collect();
    let height = u16::try_from(rows.len()).unwrap_or(0) + 2;
    let width = rows.iter().map(Line::width).max().unwrap_or(0) + 4;
    let top = area.bottom().saturating_sub(height + 1);
    let panel = Rect {
        x: area.right().saturating_sub(width + 1),
        y: top,
        width,
        height,
    }
    .intersection(area);
    pen.panel(panel);
    let inside = Rect {
        x: panel.x + 2,
        y: panel.y + 1,
        width: panel.width.saturating_sub(3),
        height: panel.height.saturating_sub(2),
    };
    pen.lines(inside, &rows);
    for (y, (_, word, cmd)) in (inside.top()..inside.bottom()).zip(&hints) {
        let row = Rect {
            y,
            height: 1,
            ..inside
        };
        pen.spot(row, Spot::Press(*cmd), || (*word).to_owned());
    }
}
