//! The bars at the top: who the server is, how the console stands with it, the tabs, the clock.

use std::time::Duration;

use ratatui::layout::Rect;
use roundel::api::services::Phase;
use roundel::api::tokens;

use crate::console::app::App;
use crate::console::event::Link;
use crate::console::keymap::{Cmd, Tab};
use crate::console::line::Line;
use crate::console::now::Now;
use crate::console::pen::Pen;
use crate::console::place::{Place, TABS, tab_name};
use crate::console::shell::Shell;
use crate::console::spot::Spot;
use crate::console::text;
use crate::console::theme::Role;

/// Draws the first line.
pub fn top(pen: &mut Pen, whole: Rect, app: &App, wall: &Now) {
    let shell = &app.shell;
    let bar = Rect { height: 1, ..whole };
    pen.ground(bar, Role::Raised);
    let wide = shell.has_tabs();
    let host = shell
        .hello
        .as_ref()
        .map_or("no server", |hello| hello.hostname.as_str());
    let line = Line::new().bold(Role::Accent, if wide { "◆ roundel" } else { "◆" });
    let line = line
        .gap(if wide { 2 } else { 1 })
        .strong(host)
        .gap(if wide { 3 } else { 2 })
        .join(link(shell, wall, wide))
        .join(stopped(shell));
    let line = if wide {
        line
    } else {
        let tab = app.place().tab();
        let line = line
            .gap(2)
            .bold(Role::Accent, tab.0.to_string())
            .gap(1)
            .strong(tab_name(tab));
        if shell.size.0 >= 76 && shell.is_live() {
            line.gap(2).put(Role::Faint, "1-7 tabs")
        } else {
            line
        }
    };
    let end = pen.line(1, 0, whole.width.saturating_sub(2), &line);
    let right = Line::new()
        .join(mode(shell, wall))
        .gap(if wide { 3 } else { 2 })
        .text(wall.clock());
    if end + right.width() + 2 < whole.right() {
        pen.right(end, 0, whole.right() - end - 1, &right);
    } else if end + 7 < whole.right() {
        pen.right(end, 0, whole.right() - end - 1, &Line::from(wall.clock()));
    }
}

/// How the console stands with its server.
fn link(shell: &Shell, wall: &Now, wide: bool) -> Line {
    match &shell.link {
        Link::Live if wide => Line::new().put(Role::Ok, "● live"),
        Link::Live => Line::new().put(Role::Ok, "●"),
        Link::Connecting => Line::new().put(Role::Waiting, "◌ connecting"),
        Link::Starting => Line::new().put(Role::Waiting, "◌ starting a server"),
        Link::SignedOut { since, .. } => {
            let line = Line::new().bold(Role::Failed, "✗ signed out");
            if wide {
                line.muted(format!("   data of {}", since.local("%H:%M:%S")))
            } else {
                line
            }
        }
        Link::Lost {
            since, retry_at, ..
        } => {
            let left = retry_at.since(wall.at());
            wall.wake_in(Duration::from_millis(
                u64::try_from(left.as_millis() % 1000).unwrap_or(0) + 1,
            ));
            let seconds = left.as_millis().div_ceil(1000);
            let line = Line::new().bold(Role::Warning, format!("◌ reconnecting in {seconds} s"));
            if wide {
                line.muted(format!("   data of {}", since.local("%H:%M:%S")))
            } else {
                line
            }
        }
    }
}

/// That the installation takes no new work: on every screen, because everything waits for it.
fn stopped(shell: &Shell) -> Line {
    let phase = shell.summary.as_ref().map(|now| now.installation.phase);
    match phase {
        None | Some(Phase::Started) => Line::new(),
        Some(Phase::Stopping) => Line::new().gap(2).bold(Role::Warning, "◐ stopping"),
        Some(Phase::Stopped) => Line::new().gap(2).bold(Role::Failed, "○ stopped"),
    }
}

/// What is out of the ordinary about writing here.
fn mode(shell: &Shell, wall: &Now) -> Line {
    if shell
        .summary
        .as_ref()
        .is_some_and(|summary| summary.read_only.is_some())
    {
        return Line::new().bold(
            Role::Failed,
            if shell.has_tabs() {
                "read-only: store full"
            } else {
                "read-only"
            },
        );
    }
    match shell.armed() {
        Some(Some((left, reason))) => {
            let ms = u64::try_from(left.as_millis()).unwrap_or(0);
            wall.wake_in(Duration::from_millis(ms % 1000 + 1));
            let seconds = ms.div_ceil(1000);
            let armed = format!("armed {}:{:02}", seconds / 60, seconds % 60);
            let line = Line::new().bold(Role::Warning, armed);
            return if shell.has_tabs() {
                line.muted(format!(" ({})", text::fit(reason, 30)))
            } else {
                line
            };
        }
        Some(None) => {
            let may = shell.role().filter(|role| *role != tokens::Role::Admin);
            let line = Line::new().bold(Role::Muted, "read-only");
            return match may {
                Some(role) => line.muted(format!(", {role}")),
                None => line,
            };
        }
        None => {}
    }
    match &shell.hello {
        Some(hello) if hello.jobs_run_as.is_empty() => Line::new(),
        Some(hello) => Line::new().muted(format!("jobs run as {}", hello.jobs_run_as)),
        None => Line::new(),
    }
}

/// Draws the tabs that are built; the others leave a gap in the numbers.
pub fn tabs(pen: &mut Pen, area: Rect, here: Tab) {
    pen.ground(area, Role::Raised);
    let mut x = area.x + 1;
    for (tab, name) in TABS
        .into_iter()
        .filter(|(tab, _)| Place::of_tab(*tab).is_some())
    {
        let line = if tab == here {
            Line::new()
                .gap(1)
                .bold(Role::Accent, tab.0.to_string())
                .gap(1)
                .strong(name)
                .gap(1)
        } else {
            Line::new()
                .gap(1)
                .put(Role::Faint, tab.0.to_string())
                .gap(1)
                .muted(name)
                .gap(1)
        };
        let end = pen.line(x, area.y, area.right().saturating_sub(x), &line);
        let width = end - x;
        pen.spot(
            Rect { x, width, ..area },
            Spot::Press(Cmd::Go(tab)),
            String::new,
        );
        if tab == here {
            pen.underlay(
                Rect {
                    x,
                    width: end - x,
                    ..area
                },
                Role::Selected,
            );
        }
        x = end + 1;
    }
}

/// What the filter line says while there is no server, or the store takes nothing.
pub fn gone(app: &App, wall: &Now) -> Option<Line> {
    let shell = &app.shell;
    if let Link::Lost { why, .. } = &shell.link {
        let _ = wall;
        return Some(
            Line::new()
                .put(Role::Warning, why.clone())
                .gap(2)
                .key(shell.key(Cmd::StartServer), "starts one here")
                .muted("; builds go on without it"),
        );
    }
    if let Link::SignedOut { why, .. } = &shell.link {
        return Some(
            Line::new()
                .put(Role::Failed, why.clone())
                .gap(2)
                .muted("`roundel login` in another window signs in again; ")
                .key(shell.key(Cmd::Refresh), "tries"),
        );
    }
    let why = shell.summary.as_ref()?.read_only.as_ref()?;
    Some(Line::new().put(Role::Failed, format!("✗ the server is read-only: {why}")))
}
