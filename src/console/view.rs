//! Draws the whole frame from the state: bars, tabs, screen, filter line, hints, and what stands over them.
//!
//! Pure: state in, cells out, and the moment at which the frame would look different by time alone.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use roundel::clock::Timestamp;

use crate::console::app::App;
use crate::console::keymap::Cmd;
use crate::console::line::Line;
use crate::console::now::Now;
use crate::console::pen::{Pen, to_ascii};
use crate::console::screens::Scene;
use crate::console::shell::SMALLEST;
use crate::console::spot::{Spot, Spots};
use crate::console::theme::{Role, Theme};

mod bars;
mod print;

pub use print::{row_text, text};

/// What a frame needs besides its cells.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Drawn {
    /// Where the terminal's cursor stands; `None` = hidden.
    pub cursor: Option<Position>,
    /// When the frame changes by time alone, by this machine's clock.
    pub wake: Option<Timestamp>,
    /// What stands where.
    pub spots: Spots,
}

/// Draws a frame into a buffer of the terminal's size.
pub fn view(app: &App, theme: &Theme, ascii: bool, buffer: &mut Buffer) -> Drawn {
    let shell = &app.shell;
    let whole = *buffer.area();
    let data = Now::new(shell.data_now(), !shell.is_live());
    let wall = Now::new(shell.now, false);
    let mut pen = Pen::new(buffer, theme);
    (pen.slow, pen.reads) = (shell.slow, shell.reads);
    pen.ground(whole, Role::Base);
    if whole.width < 20 || whole.height < 4 {
        pen.line(0, 0, whole.width, &Line::new().strong("too small"));
        return Drawn {
            cursor: None,
            wake: None,
            spots: Spots::default(),
        };
    }
    let scene = Scene { shell, now: &data };
    pen.stale = !shell.is_live() && shell.hello.is_some();
    app.screen().view(&mut pen, shell.body(), &scene);
    pen.stale = false;
    bars::top(&mut pen, whole, app, &wall);
    if shell.has_tabs() {
        bars::tabs(
            &mut pen,
            Rect {
                y: 1,
                height: 1,
                ..whole
            },
            app.place().tab(),
        );
    }
    let footer = Rect {
        y: whole.bottom() - 2,
        height: 1,
        ..whole
    };
    let words = match &shell.flash {
        Some(flash) => {
            wall.wake_in(flash.until.since(shell.now));
            Line::new().put(flash.role, flash.text.clone())
        }
        None => bars::gone(app, &wall).unwrap_or_else(|| app.screen().footer(&scene)),
    };
    pen.line(1, footer.y, whole.width.saturating_sub(2), &words);
    let last = Rect {
        y: whole.bottom() - 1,
        height: 1,
        ..whole
    };
    pen.ground(last, Role::Raised);
    if app.overlay().is_some() {
        // What stands over the screen takes all clicks; the hints are its own.
        pen.spots.cover();
    }
    if shell.is_small() {
        let note = format!(
            "{}×{} is small: {}×{} shows all of it",
            whole.width, whole.height, SMALLEST.0, SMALLEST.1
        );
        pen.line(
            1,
            last.y,
            whole.width - 2,
            &Line::new().put(Role::Warning, note),
        );
    } else {
        draw_hints(&mut pen, last, app);
    }
    if let Some(overlay) = app.overlay() {
        overlay.view(&mut pen, whole, &shell.keymap);
    }
    let (cursor, spots) = (pen.cursor, std::mem::take(&mut pen.spots));
    if ascii {
        to_ascii(buffer);
    }
    // The data's clock may be the server's: its wake is brought back to this machine's.
    let wakes = [
        data.next().map(|at| Timestamp(at.0 - shell.skew)),
        wall.next(),
    ];
    Drawn {
        cursor,
        wake: wakes.into_iter().flatten().min(),
        spots,
    }
}

/// Draws the keys that matter here, as many as there is room for; help always.
fn draw_hints(pen: &mut Pen, area: Rect, app: &App) {
    let all = app.shell.keymap.hints(&app.contexts());
    let piece = |key: &str, word: &str| Line::new().key(key, word);
    let help = all
        .iter()
        .find(|(_, _, cmd)| *cmd == Cmd::Help)
        .map(|(key, word, _)| piece(key, word));
    let reserve = help.as_ref().map_or(0, |line| line.width() + 2);
    let mut line = Line::new();
    let room = area.width.saturating_sub(2);
    let spot = |pen: &mut Pen, x: u16, width: u16, cmd: Cmd| {
        let x = area.x + 1 + x;
        pen.spot(Rect { x, width, ..area }, Spot::Press(cmd), String::new);
    };
    for (key, word, cmd) in &all {
        if *cmd == Cmd::Help {
            continue;
        }
        let next = piece(key, word);
        if line.width() + next.width() + 2 + reserve > room {
            break;
        }
        spot(pen, line.width(), next.width(), *cmd);
        line = line.join(next).gap(2);
    }
    if let Some(help) = help {
        spot(pen, line.width(), help.width(), Cmd::Help);
        line = line.join(help);
    }
    let end = pen.line(1, area.y, room, &line);
    let locator = Line::new().muted(app.place().locator());
    if app.overlay().is_none() && end + locator.width() + 3 < area.right() {
        pen.right(end, area.y, area.right() - end - 1, &locator);
    }
}
