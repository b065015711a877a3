//! A workflow graph as boxes and lines: jobs in columns by how deep their requirements go, wires between the columns.
//!
//! Laid out once per frame from plain names; draws any part of itself, so that a wide graph scrolls with the cursor.

use ratatui::layout::Rect;

use crate::console::line::Line;
use crate::console::marks::Mark;
use crate::console::pen::Pen;
use crate::console::spot;
use crate::console::text;
use crate::console::theme::Role;

mod layers;
mod wires;

use layers::{Layers, Spot};

/// A job of the graph.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its name, with the number of copies where there are several.
    pub name: String,
    /// Its state.
    pub mark: Mark,
    /// A word below the name: how long it took or what it waits for.
    pub note: String,
    /// Indices of the jobs it requires, all smaller than its own.
    pub requires: Vec<usize>,
}

impl Node {
    /// As it is read: a job, how it stands, and its note.
    fn words(&self) -> String {
        let note = text::spoken(&self.note);
        let note = if note.is_empty() {
            note
        } else {
            format!(", {note}")
        };
        format!("job {}: {}{note}", self.name, self.mark.word)
    }
}

/// Columns and lines beyond this one pile up there: a config may hold thousands of jobs in a row, cells are counted in 16
/// bits, and nobody scrolls that far. Leaves room for a box and what is added to it.
const EDGE: u16 = u16::MAX - 256;

/// Longest name shown whole.
const NAME_MAX: u16 = 28;

/// How a box is drawn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Form {
    /// A frame around name and note: four lines.
    Full,
    /// Name and note between two bars: one line.
    Flat,
}

impl Form {
    fn height(self) -> u16 {
        if self == Form::Full { 4 } else { 1 }
    }

    /// The line of a box at which wires come and go.
    fn port(self) -> u16 {
        u16::from(self == Form::Full)
    }
}

/// A graph, placed.
#[derive(Debug)]
pub struct Graph<'a> {
    nodes: &'a [Node],
    form: Form,
    layers: Layers,
    /// Left edge and width of each column of boxes.
    columns: Vec<(u16, u16)>,
    /// Top line of each spot of each column.
    tops: Vec<Vec<u16>>,
    /// Lines it takes.
    pub height: u16,
    /// Cells it takes.
    pub width: u16,
}

impl<'a> Graph<'a> {
    /// Places jobs so that the graph takes at most `height` lines where that is possible.
    #[must_use]
    pub fn new(nodes: &'a [Node], height: u16) -> Self {
        let layers = Layers::new(nodes);
        let tallest = |form| {
            (0..layers.columns.len())
                .map(|i| layers.height(i, form))
                .max()
                .unwrap_or(0)
        };
        let form = if tallest(Form::Full) <= height {
            Form::Full
        } else {
            Form::Flat
        };
        let tops = (0..layers.columns.len())
            .map(|i| layers.tops(i, form))
            .collect();
        let mut graph = Self {
            nodes,
            form,
            height: tallest(form),
            layers,
            columns: Vec::new(),
            tops,
            width: 0,
        };
        graph.place_columns();
        graph
    }

    fn place_columns(&mut self) {
        let mut x = 0;
        for (i, column) in self.layers.columns.iter().enumerate() {
            let wide = column
                .iter()
                .filter_map(|spot| spot.job())
                .map(|job| self.box_width(&self.nodes[job]))
                .max();
            let wide = wide.unwrap_or(1);
            self.columns.push((x, wide));
            x += wide;
            self.width = x;
            x = x
                .saturating_add(wires::width(&self.wires_after(i)))
                .min(EDGE);
        }
    }

    fn box_width(&self, node: &Node) -> u16 {
        let name = text::width(&node.name).min(NAME_MAX);
        let note = text::width(&node.note).min(NAME_MAX);
        match self.form {
            Form::Full => 6 + name.max(note),
            Form::Flat => 6 + name + if note > 0 { 2 + note } else { 0 },
        }
    }

    /// Wires from a column to the next one, as lines of the graph.
    fn wires_after(&self, column: usize) -> Vec<(u16, u16)> {
        let port = |column: usize, spot: usize| {
            self.tops[column][spot] + self.layers.port(column, spot, self.form)
        };
        let pairs = self.layers.wires.get(column).into_iter().flatten();
        pairs
            .map(|(from, to)| (port(column, *from), port(column + 1, *to)))
            .collect()
    }

    /// Draws the part of the graph that fits, `selected` in sight, its left edge at the area's.
    pub fn draw(&self, pen: &mut Pen, area: Rect, selected: Option<usize>) {
        let (dx, dy) = self.scroll(area, selected);
        let window = Window { area, dx, dy };
        for (i, column) in self.layers.columns.iter().enumerate() {
            let (x, width) = self.columns[i];
            for (spot, top) in column.iter().zip(&self.tops[i]) {
                match spot {
                    Spot::Job(job) => {
                        self.draw_box(pen, &window, x, *top, width, *job, selected == Some(*job));
                    }
                    Spot::Pass(_) => {
                        window.put(pen, x, *top, &faint("─".repeat(usize::from(width))));
                    }
                }
            }
            let pairs = self.wires_after(i);
            if !pairs.is_empty() {
                let next = i + 1;
                let to_box = |y: u16| {
                    let spots = self.layers.columns[next].iter().zip(&self.tops[next]);
                    spots
                        .into_iter()
                        .any(|(s, t)| s.job().is_some() && *t + self.form.port() == y)
                };
                let gutter = self.columns[next].0.saturating_sub(x + width);
                if gutter == 0 {
                    continue;
                }
                for (at, y, glyph) in wires::draw(&pairs, gutter, to_box) {
                    window.put(pen, x + width + at, y, &faint(glyph.to_string()));
                }
            }
        }
        window.edges(pen, self);
    }

    #[expect(clippy::too_many_arguments, reason = "one box has that many sides")]
    fn draw_box(
        &self,
        pen: &mut Pen,
        window: &Window,
        x: u16,
        y: u16,
        width: u16,
        job: usize,
        here: bool,
    ) {
        let node = &self.nodes[job];
        let place = window.part(x, y, width, self.form.height());
        pen.spot(place, spot::Spot::Box(job as u64), || node.words());
        let role = node.mark.role;
        let inside = usize::from(width.saturating_sub(2));
        let name = text::fit(&node.name, NAME_MAX).into_owned();
        let note = text::fit(&node.note, NAME_MAX).into_owned();
        let title = Line::new().put(role, format!(" {} ", node.mark.glyph));
        let title = if here {
            title.bold(Role::Strong, name)
        } else {
            title.put(role, name)
        };
        let side = || Line::new().put(role, "│");
        match self.form {
            Form::Full => {
                window.put(
                    pen,
                    x,
                    y,
                    &Line::new().put(role, format!("╭{}╮", "─".repeat(inside))),
                );
                window.put(
                    pen,
                    x,
                    y + 1,
                    &side().join(title.pad(width - 2)).join(side()),
                );
                let below = Line::new().gap(3).put(role, note).pad(width - 2);
                window.put(pen, x, y + 2, &side().join(below).join(side()));
                window.put(
                    pen,
                    x,
                    y + 3,
                    &Line::new().put(role, format!("╰{}╯", "─".repeat(inside))),
                );
                if here {
                    window.underlay(pen, x + 1, y + 1, width - 2, 2);
                }
            }
            Form::Flat => {
                let note = if note.is_empty() {
                    Line::new()
                } else {
                    Line::new().put(role, note).gap(1)
                };
                let fill = (width - 2).saturating_sub(note.width());
                window.put(
                    pen,
                    x,
                    y,
                    &side().join(title.pad(fill)).join(note).join(side()),
                );
                if here {
                    window.underlay(pen, x + 1, y, width - 2, 1);
                }
            }
        }
    }

    /// How far the graph is scrolled to keep the selected box in sight.
    fn scroll(&self, area: Rect, selected: Option<usize>) -> (u16, u16) {
        let Some((column, spot)) = selected.and_then(|job| self.layers.find(job)) else {
            return (0, 0);
        };
        let (x, width) = self.columns[column];
        let y = self.tops[column][spot];
        let dx = (x + width + 8).min(self.width).saturating_sub(area.width);
        let dy = (y + self.form.height() + 1)
            .min(self.height)
            .saturating_sub(area.height);
        (dx.min(x), dy.min(y))
    }

    /// The job next to one in a direction: columns across, spots down.
    #[must_use]
    pub fn neighbour(&self, job: usize, across: i32, down: i32) -> Option<usize> {
        let (column, spot) = self.layers.find(job)?;
        let target = usize::try_from(i32::try_from(column).ok()? + across).ok()?;
        let jobs: Vec<usize> = self
            .layers
            .columns
            .get(target)?
            .iter()
            .filter_map(Spot::job)
            .collect();
        let here = self.layers.columns[column][..spot]
            .iter()
            .filter(|s| s.job().is_some())
            .count();
        let wanted = i32::try_from(here).ok()? + down;
        if down != 0 && (wanted < 0 || wanted >= i32::try_from(jobs.len()).ok()?) {
            return None;
        }
        jobs.get(
            usize::try_from(wanted)
                .ok()?
                .min(jobs.len().checked_sub(1)?),
        )
        .copied()
    }
}

fn faint(glyphs: String) -> Line {
    Line::new().put(Role::Faint, glyphs)
}

/// The part of the graph that is on the screen.
struct Window {
    area: Rect,
    dx: u16,
    dy: u16,
}

impl Window {
    fn put(&self, pen: &mut Pen, x: u16, y: u16, line: &Line) {
        let Some(y) = y.checked_sub(self.dy).filter(|y| *y < self.area.height) else {
            return;
        };
        let skip = self.dx.saturating_sub(x);
        let x = x.saturating_sub(self.dx);
        if skip >= line.width() || x >= self.area.width {
            return;
        }
        let line = skipped(line, skip);
        let room = self.area.width - x;
        pen.line(
            self.area.x + x,
            self.area.y + y,
            room.min(line.width()),
            &line,
        );
    }

    fn underlay(&self, pen: &mut Pen, x: u16, y: u16, width: u16, height: u16) {
        pen.underlay(self.part(x, y, width, height), Role::Selected);
    }

    /// Where a part of the graph is on the screen.
    fn part(&self, x: u16, y: u16, width: u16, height: u16) -> Rect {
        let left = x.max(self.dx);
        let top = y.max(self.dy);
        let area = Rect {
            x: self.area.x + left - self.dx,
            y: self.area.y + top - self.dy,
            width: (x + width).saturating_sub(left),
            height: (y + height).saturating_sub(top),
        };
        area.intersection(self.area)
    }

    /// Says where the graph goes on.
    fn edges(&self, pen: &mut Pen, graph: &Graph) {
        let arrow = |glyph: &str| Line::new().bold(Role::Accent, glyph);
        let (right, bottom) = (
            self.area.right().saturating_sub(1),
            self.area.bottom().saturating_sub(1),
        );
        if self.dx > 0 {
            pen.line(self.area.x, bottom, 1, &arrow("←"));
        }
        if graph.width > self.dx + self.area.width {
            pen.line(right, bottom, 1, &arrow("→"));
        }
        if self.dy > 0 {
            pen.line(right.saturating_sub(2), self.area.y, 1, &arrow("↑"));
        }
        if graph.height > self.dy + self.area.height {
            pen.line(right.saturating_sub(2), bottom, 1, &arrow("↓"));
        }
    }
}

/// A line without its first cells.
fn skipped(line: &Line, cells: u16) -> Line {
    let mut left = cells;
    let mut out = Line::new();
    for span in &line.spans {
        let mut kept = String::new();
        for c in span.text.chars() {
            let cells = text::width(c.encode_utf8(&mut [0; 4]));
            if left == 0 {
                kept.push(c);
            } else if cells > left {
                // The half of a wide character that stays is blank.
                kept.extend(std::iter::repeat_n(' ', usize::from(cells - left)));
                left = 0;
            } else {
                left -= cells;
            }
        }
        let mut span = span.clone();
        span.text = kept;
        out.spans.push(span);
    }
    out
}

#[cfg(test)]
mod tests;
