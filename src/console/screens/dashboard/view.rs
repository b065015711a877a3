//! Where the parts of the dashboard stand: tiles and charts where there is room, else lines; the rows always.

use ratatui::layout::Rect;
use roundel::api::dashboard::Dashboard;

use super::{charts, rows, tiles};
use crate::console::line::Line;
use crate::console::pen::Pen;
use crate::console::screens::Scene;
use crate::console::spot::Spot;
use crate::console::theme::Role;

/// Rows of bars in the chart of the last hour.
const BARS: u16 = 4;

/// Lines of that chart: head, bars, what waited, times.
const CHART: u16 = BARS + 3;

/// Width from which there is room for a fifth tile.
const FIVE_TILES: u16 = 158;

/// Draws it; `cursor` counts through attention, services, builds and certificates.
pub(super) fn draw(pen: &mut Pen, area: Rect, scene: &Scene, data: &Dashboard, cursor: usize) {
    let inner = Rect {
        x: area.x + 1,
        width: area.width.saturating_sub(2),
        ..area
    };
    if scene.shell.has_tabs() {
        wide(pen, inner, scene, data, cursor);
    } else {
        narrow(pen, inner, scene, data, cursor);
    }
}

fn wide(pen: &mut Pen, area: Rect, scene: &Scene, data: &Dashboard, cursor: usize) {
    let tall = area.height >= 30;
    let mut y = area.y + u16::from(tall);
    let fifth = tiles::certificate_tile(data, area.width / 5).filter(|_| area.width >= FIVE_TILES);
    let cells = area.width / if fifth.is_some() { 5 } else { 4 };
    let line = match fifth {
        Some(_) => None,
        None => tiles::certificates(data),
    };
    let all = tiles::tiles(data, scene, cells).into_iter().chain(fifth);
    for (n, tile) in (0..).zip(all) {
        let at = Rect {
            x: area.x + n * cells,
            y,
            width: cells.saturating_sub(2),
            height: 3,
        };
        if n == 4 {
            certificates(pen, at, data, cursor);
        }
        pen.lines(at, &tile);
    }
    y += 3;
    if let Some(line) = line {
        let at = Rect {
            y,
            height: 1,
            ..area
        };
        certificates(pen, at, data, cursor);
        pen.line(area.x, y, area.width, &line);
        y += 1;
    }
    y += u16::from(tall);
    // The services and a few builds must stay in view below.
    let below = services_height(data) + u16::from(tall) + CHART + 1;
    let most = area.bottom().saturating_sub(y + 1 + below).max(2);
    y = attention(
        pen,
        Rect {
            y,
            height: most + 1,
            ..area
        },
        scene,
        data,
        cursor,
    );
    y += u16::from(tall);
    let room = area.bottom().saturating_sub(y);
    if room >= CHART + 1 + services_height(data) {
        chart_row(
            pen,
            Rect {
                y,
                height: CHART,
                ..area
            },
            scene,
            data,
        );
        y += CHART + u16::from(tall);
    }
    let left = (area.width * 11 / 20).max(56);
    let rest = Rect {
        y,
        height: area.bottom().saturating_sub(y),
        ..area
    };
    services(
        pen,
        Rect {
            width: left,
            ..rest
        },
        scene,
        data,
        cursor,
    );
    let right = Rect {
        x: area.x + left + 2,
        width: area.width.saturating_sub(left + 2),
        ..rest
    };
    builds(pen, right, scene, data, cursor);
}

fn chart_row(pen: &mut Pen, area: Rect, scene: &Scene, data: &Dashboard) {
    let left = area.width * 11 / 20;
    let cells = if left >= 130 {
        120
    } else {
        left.saturating_sub(10).min(60)
    };
    let young = scene.now.at().since(data.started_at).as_secs() < 3600;
    let known = if young {
        format!(", known since {}", data.started_at.local("%H:%M"))
    } else {
        String::new()
    };
    let head = Line::new()
        .strong("Runs, last hour")
        .muted(known)
        .gap(3)
        .put(Role::BarUsed, "█")
        .muted(" running  ")
        .put(Role::Waiting, "█")
        .muted(" waiting");
    pen.line(area.x, area.y, left, &head);
    let inside = Rect {
        y: area.y + 1,
        height: area.height - 1,
        width: left,
        ..area
    };
    pen.lines(inside, &charts::runs(data, scene.now.at(), cells, BARS));
    let x = area.x + left + 2;
    let width = area.right().saturating_sub(x);
    pen.line(
        x,
        area.y,
        width,
        &Line::new().strong(charts::machine_head(data)),
    );
    let cells = width.saturating_sub(34).clamp(10, 45);
    let lines = charts::machine(data, cells);
    pen.lines(
        Rect {
            x,
            y: area.y + 1,
            width,
            height: area.height - 1,
        },
        &lines,
    );
}

fn narrow(pen: &mut Pen, area: Rect, scene: &Scene, data: &Dashboard, cursor: usize) {
    let mut facts = tiles::lines(data, scene, area.width);
    // Where almost nothing fits, what needs somebody comes first.
    let shown = match area.height {
        ..14 => 1,
        14..18 => 4,
        _ => facts.len() as u16,
    };
    let here = cursor == certificates_at(data);
    if !data.certificates.is_empty() && (here || usize::from(shown) == facts.len()) {
        // Their line is the last one; with the cursor it is in sight, however low the terminal is.
        let (last, line) = (usize::from(shown) - 1, facts.len() - 1);
        facts.swap(last, line);
        let at = Rect {
            y: area.y + shown - 1,
            height: 1,
            ..area
        };
        certificates(pen, at, data, cursor);
    }
    pen.lines(
        Rect {
            height: shown,
            ..area
        },
        &facts,
    );
    let mut y = area.y + shown;
    let below = services_height(data) + 4;
    let most = area.bottom().saturating_sub(y + 1 + below).max(2);
    y = attention(
        pen,
        Rect {
            y,
            height: most + 1,
            ..area
        },
        scene,
        data,
        cursor,
    );
    let rest = area.bottom().saturating_sub(y);
    let height = services_height(data).min(rest);
    services(pen, Rect { y, height, ..area }, scene, data, cursor);
    y += height;
    builds(
        pen,
        Rect {
            y,
            height: area.bottom().saturating_sub(y),
            ..area
        },
        scene,
        data,
        cursor,
    );
}

/// Index of the certificates among all that the cursor can stand on.
fn certificates_at(data: &Dashboard) -> usize {
    data.attention.len() + data.services.len() + data.builds.len()
}

/// Where the certificates stand can be pressed, and have the cursor.
fn certificates(pen: &mut Pen, area: Rect, data: &Dashboard, cursor: usize) {
    let at = certificates_at(data);
    if cursor == at {
        pen.underlay(area, Role::Selected);
    }
    pen.spot(area, Spot::Row(at as u64), || "the certificates".to_owned());
}

fn services_height(data: &Dashboard) -> u16 {
    1 + u16::try_from(data.services.len()).unwrap_or(u16::MAX)
}

/// What needs somebody; answers the line below it.
fn attention(pen: &mut Pen, area: Rect, scene: &Scene, data: &Dashboard, cursor: usize) -> u16 {
    let n = data.attention.len();
    if n == 0 {
        let line = Line::new()
            .strong("Needs attention")
            .gap(2)
            .put(Role::Ok, "✓ nothing");
        pen.line(area.x, area.y, area.width, &line);
        return area.y + 1;
    }
    let head = Line::new()
        .strong("Needs attention")
        .gap(2)
        .bold(Role::Warning, n.to_string())
        .muted("   most urgent first, Enter goes there");
    let lines = data
        .attention
        .iter()
        .map(|item| rows::attention(item, scene, area.width));
    list(pen, area, &head, lines.collect(), cursor, 0)
}

fn services(pen: &mut Pen, area: Rect, scene: &Scene, data: &Dashboard, cursor: usize) {
    let first = data.attention.len();
    let lines = data.services.iter().map(|row| rows::service(row, scene));
    let head = Line::new().strong("Services");
    list(pen, area, &head, lines.collect(), cursor, first);
}

fn builds(pen: &mut Pen, area: Rect, scene: &Scene, data: &Dashboard, cursor: usize) {
    let first = data.attention.len() + data.services.len();
    let head = Line::new().strong("Last builds");
    if data.builds.is_empty() {
        pen.lines(
            area,
            &[head, Line::new().muted("Nothing was built here yet.")],
        );
        return;
    }
    let lines = data
        .builds
        .iter()
        .map(|row| rows::build(row, scene, area.width));
    list(pen, area, &head, lines.collect(), cursor, first);
}

/// Draws rows under a head, around the cursor when it stands among them; answers the line below.
fn list(
    pen: &mut Pen,
    area: Rect,
    head: &Line,
    lines: Vec<Line>,
    cursor: usize,
    first: usize,
) -> u16 {
    if area.height < 2 {
        return area.y;
    }
    let room = usize::from(area.height - 1);
    let here = cursor.checked_sub(first).filter(|at| *at < lines.len());
    let top = here.map_or(0, |at| (at + 1).saturating_sub(room));
    let hidden = lines.len().saturating_sub(top + room);
    let head = match (top, hidden) {
        (0, 0) => head.clone(),
        (above, below) => head
            .clone()
            .muted(format!("   {above} above, {below} below")),
    };
    pen.line(area.x, area.y, area.width, &head);
    let mut y = area.y + 1;
    for (i, line) in lines.into_iter().enumerate().skip(top).take(room) {
        let row = Rect {
            y,
            height: 1,
            ..area
        };
        if here == Some(i) {
            pen.underlay(row, Role::Selected);
        }
        pen.line(area.x, y, area.width, &line);
        pen.spot(row, Spot::Row((first + i) as u64), || line.plain());
        y += 1;
    }
    y
}
