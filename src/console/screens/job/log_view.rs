//! How a log looks: numbers, times, the two streams told apart, the program's own colours as roles, matches marked.

use ratatui::layout::Rect;
use roundel::api::builds::LogLine;
use roundel::clock::Timestamp;
use roundel::sanitise::{self, Colour};

use super::log::{Log, Stream};
use super::stand::Place;
use crate::console::line::{Line, Span};
use crate::console::pen::Pen;
use crate::console::text;
use crate::console::theme::Role;

/// From this width on times are shown unless they were switched off.
const ROOM_FOR_TIMES: u16 = 72;

/// Whether times are shown in a pane of this width.
pub fn shows_times(log: &Log, width: u16) -> bool {
    log.times.unwrap_or(width >= ROOM_FOR_TIMES)
}

/// Draws the lines; answers the line of the screen below the last.
pub fn view(pen: &mut Pen, area: Rect, log: &Log) -> u16 {
    let Some(window) = log.lines.data() else {
        return area.y;
    };
    let rows = rows(&window.lines, log);
    let places: Vec<Place> = rows.iter().map(|row| row.0).collect();
    let shown = log.stand().shown(&places, usize::from(area.height));
    let mut y = area.y;
    for ((n, _), line) in rows.into_iter().take(shown.end).skip(shown.start) {
        if log.here == Some(n) {
            pen.underlay(
                Rect {
                    y,
                    height: 1,
                    ..area
                },
                Role::Selected,
            );
        }
        pen.line(area.x, y, area.width, &line);
        y += 1;
    }
    y
}

/// The rows of these lines, in a pane as wide as the log's.
fn rows(lines: &[LogLine], log: &Log) -> Vec<(Place, Line)> {
    let width = log.size().0;
    let digits = text::width(&text::count(log.total().max(1)));
    let times = shows_times(log, width);
    let mut rows = Vec::new();
    for line in lines {
        let gutter = gutter(line, log, digits, times);
        let room = width.saturating_sub(gutter.width());
        for (i, part) in parts(line, log, room).into_iter().enumerate() {
            let head = if i == 0 {
                gutter.clone()
            } else {
                Line::new().gap(usize::from(gutter.width()))
            };
            rows.push(((line.n, i), head.join(part)));
        }
    }
    rows
}

/// The rows that the lines of the window take.
pub fn places(log: &Log) -> Vec<Place> {
    let lines = log.lines.data().map_or(&[][..], |window| &window.lines);
    if log.wrap {
        rows(lines, log).into_iter().map(|row| row.0).collect()
    } else {
        lines.iter().map(|line| (line.n, 0)).collect()
    }
}

/// The rows that are on the screen.
pub fn shown(log: &Log) -> Vec<Place> {
    let places = places(log);
    let shown = log.stand().shown(&places, usize::from(log.size().1));
    places.get(shown).map_or_else(Vec::new, <[Place]>::to_vec)
}

fn gutter(line: &LogLine, log: &Log, digits: u16, times: bool) -> Line {
    let number = format!(
        "{:>width$} ",
        text::count(line.n + 1),
        width = usize::from(digits)
    );
    let gutter = Line::new().put(Role::Faint, number);
    // Lines of the Build Agent's own log have no time beside the one they name themselves.
    let gutter = if times && line.t > 0 {
        gutter.muted(format!(
            "{} ",
            Timestamp(line.t / 1000).local("%H:%M:%S%.3f")
        ))
    } else {
        gutter
    };
    let gutter = match line.of {
        Some(of) => gutter.bold(run_role(of.run), format!("{:>2} ", of.run + 1)),
        None => gutter,
    };
    match log.stream {
        Stream::Both if line.s == 2 => gutter.put(Role::Warning, "e "),
        Stream::Both => gutter.gap(2),
        _ => gutter,
    }
}

/// Colours that tell runs apart; the number stands beside it.
const RUN_ROLES: [Role; 5] = [
    Role::Accent,
    Role::Ok,
    Role::Running,
    Role::Canceled,
    Role::Link,
];

/// The role of a run among others.
pub(super) fn run_role(index: u32) -> Role {
    RUN_ROLES[index as usize % RUN_ROLES.len()]
}

/// A line's text as one or several lines of the screen.
fn parts(line: &LogLine, log: &Log, room: u16) -> Vec<Line> {
    let mut whole = coloured(line);
    if line.cut > 0 {
        whole = whole.bold(Role::Warning, format!(" … {} more", text::bytes(line.cut)));
    }
    let words = log.search_words();
    let whole = if words.is_empty() {
        whole
    } else {
        marked(&whole, words)
    };
    if log.wrap {
        wrapped(&whole, room)
    } else {
        vec![shifted(whole, log.left)]
    }
}

fn coloured(line: &LogLine) -> Line {
    let plain = if line.s == 2 {
        Role::Warning
    } else {
        Role::Text
    };
    let spans = sanitise::spans(&line.text).into_iter().map(|span| {
        let colour = if span.style.reverse {
            span.style.bg
        } else {
            span.style.fg
        };
        let role = if span.style.dim {
            Role::Muted
        } else {
            role(colour, plain)
        };
        Span {
            text: span.text,
            role,
            bold: span.style.bold,
        }
    });
    Line {
        spans: spans.collect(),
    }
}

/// The role that says what a program meant by a colour.
fn role(colour: Colour, plain: Role) -> Role {
    let basic = match colour {
        Colour::Default => return plain,
        Colour::Indexed(n @ 0..16) => n % 8 + if n == 8 { 8 } else { 0 },
        Colour::Indexed(n @ 16..232) => {
            let n = n - 16;
            nearest(n / 36 * 51, n / 6 % 6 * 51, n % 6 * 51)
        }
        Colour::Indexed(_) => 8,
        Colour::Rgb(r, g, b) => nearest(r, g, b),
    };
    match basic {
        1 => Role::Failed,
        2 => Role::Ok,
        3 => Role::Waiting,
        4 => Role::Running,
        5 => Role::Canceled,
        6 => Role::Accent,
        8 => Role::Muted,
        _ => plain,
    }
}

/// The plain colour that a mixed one comes nearest to; 8 for greys.
fn nearest(r: u8, g: u8, b: u8) -> u8 {
    let (low, high) = (r.min(g).min(b), r.max(g).max(b));
    if high - low < 40 {
        return if high > 180 { 7 } else { 8 };
    }
    let middle = low + (high - low) / 2;
    u8::from(r > middle) | (u8::from(g > middle) << 1) | (u8::from(b > middle) << 2)
}

/// Marks what is searched for: capital letters count only when the words have some.
fn marked(line: &Line, words: &str) -> Line {
    let exact = words.chars().any(char::is_uppercase);
    let same = |c: char| if exact { c } else { c.to_ascii_lowercase() };
    let chars: Vec<(char, Role, bool)> = line
        .spans
        .iter()
        .flat_map(|span| span.text.chars().map(move |c| (c, span.role, span.bold)))
        .collect();
    let wanted: Vec<char> = words.chars().map(same).collect();
    let mut hit = vec![false; chars.len()];
    for at in 0..chars.len().saturating_sub(wanted.len().saturating_sub(1)) {
        if wanted
            .iter()
            .zip(&chars[at..])
            .all(|(a, (b, _, _))| *a == same(*b))
        {
            hit[at..at + wanted.len()].fill(true);
        }
    }
    let mut out = Line::new();
    for ((c, role, bold), hit) in chars.into_iter().zip(hit) {
        let (role, bold) = if hit {
            (Role::Match, true)
        } else {
            (role, bold)
        };
        match out.spans.last_mut() {
            Some(last) if last.role == role && last.bold == bold => last.text.push(c),
            _ => out.spans.push(Span {
                text: c.to_string(),
                role,
                bold,
            }),
        }
    }
    out
}

/// Breaks a line at the edge of the pane.
fn wrapped(line: &Line, room: u16) -> Vec<Line> {
    let mut lines = vec![Line::new()];
    let mut used = 0;
    for span in &line.spans {
        for c in span.text.chars() {
            let cells = text::width(c.encode_utf8(&mut [0; 4]));
            if used + cells > room.max(1) {
                lines.push(Line::new());
                used = 0;
            }
            used += cells;
            let Some(last) = lines.last_mut() else {
                continue;
            };
            match last.spans.last_mut() {
                Some(known) if known.role == span.role && known.bold == span.bold => {
                    known.text.push(c);
                }
                _ => last.spans.push(Span {
                    text: c.to_string(),
                    ..span.clone()
                }),
            }
        }
    }
    lines
}

/// Leaves out the cells that are scrolled away at the left.
fn shifted(line: Line, cells: u16) -> Line {
    let mut left = usize::from(cells);
    let spans = line.spans.into_iter().map(|mut span| {
        let n = span.text.chars().count();
        span.text = span.text.chars().skip(left).collect();
        left = left.saturating_sub(n);
        span
    });
    Line {
        spans: spans.collect(),
    }
}
