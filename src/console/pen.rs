//! Puts lines on the screen's cells: the only way onto them, and so the one place that makes outside text inert.

use std::borrow::Cow;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Modifier;
use roundel::sanitise;

use crate::console::line::Line;
use crate::console::spot::{Placed, Spot, Spots};
use crate::console::text;
use crate::console::theme::{Role, Theme};

/// Cells of a row's ground on a slow line: enough to find it, and no line's worth of bytes.
const SHORT: u16 = 16;

/// A pen over one frame.
#[derive(Debug)]
pub struct Pen<'a> {
    buffer: &'a mut Buffer,
    theme: &'a Theme,
    /// What is drawn is old: states lose their colour until the server is back.
    pub stale: bool,
    /// Where the cursor of the terminal stands, when somebody types.
    pub cursor: Option<Position>,
    /// What stands where.
    pub spots: Spots,
    /// Number of the first row or box that is drawn next.
    pub first: u64,
    /// The line is slow: a ground under words is short.
    pub slow: bool,
    /// Spots are written down in words too.
    pub reads: bool,
}

impl<'a> Pen<'a> {
    /// A pen that draws on a buffer in a theme.
    pub fn new(buffer: &'a mut Buffer, theme: &'a Theme) -> Self {
        Self {
            buffer,
            theme,
            stale: false,
            cursor: None,
            spots: Spots::default(),
            first: 0,
            slow: false,
            reads: false,
        }
    }

    /// Writes down what stands in an area; `words` tell it where the frame is read to somebody.
    pub fn spot(&mut self, area: Rect, spot: Spot, words: impl FnOnce() -> String) {
        let area = area.intersection(*self.buffer.area());
        let spot = match spot {
            Spot::Row(n) => Spot::Row(self.first + n),
            Spot::Box(n) => Spot::Box(self.first + n),
            spot => spot,
        };
        let words = if self.reads { words() } else { String::new() };
        self.spots.add(Placed { area, spot, words });
    }

    /// Clears an area to a ground.
    pub fn ground(&mut self, area: Rect, ground: Role) {
        let area = area.intersection(*self.buffer.area());
        let style = self.theme.style(ground);
        for y in area.top()..area.bottom() {
            for x in area.left()..area.right() {
                let cell = &mut self.buffer[(x, y)];
                cell.reset();
                cell.set_style(style);
            }
        }
    }

    /// Clears an area for what stands over the screen; with a frame where the theme gives it no ground of its own.
    pub fn panel(&mut self, area: Rect) {
        self.ground(area, Role::Raised);
        if !self.theme.is_flat() || area.width < 2 || area.height < 2 {
            return;
        }
        let across = "─".repeat(usize::from(area.width - 2));
        let edge = |words: String| Line::new().put(Role::Faint, words);
        self.line(area.x, area.y, area.width, &edge(format!("╭{across}╮")));
        for y in area.y + 1..area.bottom() - 1 {
            self.line(area.x, y, 1, &edge("│".to_owned()));
            self.line(area.right() - 1, y, 1, &edge("│".to_owned()));
        }
        let last = area.bottom() - 1;
        self.line(area.x, last, area.width, &edge(format!("╰{across}╯")));
    }

    /// Lays a ground under what stands there already: the cursor's row, a button.
    pub fn underlay(&mut self, area: Rect, ground: Role) {
        let mut area = area.intersection(*self.buffer.area());
        if self.slow {
            area.width = area.width.min(SHORT);
        }
        self.buffer.set_style(area, self.theme.style(ground));
    }

    /// Writes a line from `(x, y)`, cut to `width` cells; answers the column after it.
    pub fn line(&mut self, x: u16, y: u16, width: u16, line: &Line) -> u16 {
        let end = x.saturating_add(width).min(self.buffer.area().right());
        if y < self.buffer.area().top() || y >= self.buffer.area().bottom() {
            return x;
        }
        let whole = line.width() <= end.saturating_sub(x);
        let mut at = x;
        for (i, span) in line.spans.iter().enumerate() {
            if at >= end {
                break;
            }
            let words = sanitise::line(&span.text);
            let room = end - at;
            let rest: u16 = if whole {
                0
            } else {
                line.spans[i + 1..]
                    .iter()
                    .map(|s| text::width(&s.text))
                    .sum()
            };
            // A line that goes on beyond its room ends in an ellipsis, wherever its spans break.
            let cut = if text::width(&words) < room || (text::width(&words) == room && rest == 0) {
                words
            } else {
                Cow::Owned(
                    text::fit(
                        &format!("{words}{}", if rest > 0 { "  " } else { "" }),
                        room,
                    )
                    .into_owned(),
                )
            };
            let mut style = self.theme.style(self.role(span.role));
            if span.bold {
                style = style.add_modifier(Modifier::BOLD);
            }
            at = self
                .buffer
                .set_stringn(at, y, &cut, usize::from(room), style)
                .0;
        }
        at
    }

    /// Writes a line that ends at the right edge of `width` cells.
    pub fn right(&mut self, x: u16, y: u16, width: u16, line: &Line) {
        let wide = line.width().min(width);
        self.line(x + width - wide, y, wide, line);
    }

    /// Writes lines below one another; those beyond the area are left out.
    pub fn lines(&mut self, area: Rect, lines: &[Line]) {
        for (y, line) in (area.top()..area.bottom()).zip(lines) {
            self.line(area.x, y, area.width, line);
        }
    }

    /// Draws a faint rule.
    pub fn rule(&mut self, x: u16, y: u16, width: u16) {
        self.line(
            x,
            y,
            width,
            &Line::new().put(Role::Faint, "─".repeat(usize::from(width))),
        );
    }

    /// Draws the head of a section: `─ words ─────────`.
    pub fn section(&mut self, area: Rect, words: &Line) {
        self.rule(area.x, area.y, area.width);
        let padded = Line::new().gap(1).join(words.clone()).gap(1);
        self.line(area.x + 1, area.y, area.width.saturating_sub(2), &padded);
    }

    fn role(&self, role: Role) -> Role {
        let state = matches!(
            role,
            Role::Text
                | Role::Ok
                | Role::Running
                | Role::Waiting
                | Role::Failed
                | Role::Canceled
                | Role::Warning
                | Role::Link
        );
        if self.stale && state {
            Role::Muted
        } else {
            role
        }
    }
}

/// Replaces the drawing characters of a finished frame by ASCII.
pub fn to_ascii(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        if let Some(plain) = plain(cell.symbol()) {
            cell.set_symbol(plain);
        }
    }
}

/// A text with its drawing characters replaced by ASCII; names keep their letters.
#[must_use]
pub fn ascii(words: &str) -> String {
    let mut buffer = [0; 4];
    let each = words.chars().map(|c| {
        let symbol: &str = c.encode_utf8(&mut buffer);
        plain(symbol).map_or_else(|| symbol.to_owned(), str::to_owned)
    });
    each.collect()
}

fn plain(symbol: &str) -> Option<&'static str> {
    Some(match symbol {
        "─" | "–" | "—" | "━" => "-",
        "│" | "‖" | "┃" | "▏" => "|",
        "╭" | "╮" | "╰" | "╯" | "┬" | "┴" | "├" | "┤" | "┼" | "┌" | "┐" | "└" | "┘" => {
            "+"
        }
        "▶" | "→" | "›" => ">",
        "←" | "‹" => "<",
        "↑" | "▲" => "^",
        "↓" | "▼" => "v",
        "✓" => "v",
        "✗" => "x",
        "●" | "◆" => "*",
        "◐" => "d",
        "○" | "◌" => "o",
        "·" | "•" => ".",
        "✎" => "+",
        "↻" => "@",
        "█" | "▉" | "▊" | "▋" | "▌" | "▇" | "▆" | "▅" => "#",
        "▍" | "▎" | "▁" | "▂" | "▃" | "▄" => "=",
        "░" | "▒" => ".",
        "…" => "~",
        "“" | "”" => "\"",
        "’" => "'",
        "×" => "x",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::theme::Depth;

    fn drawn(width: u16, draw: impl FnOnce(&mut Pen)) -> Buffer {
        let theme = Theme::named("dark", Depth::True).unwrap();
        let mut buffer = Buffer::empty(Rect::new(0, 0, width, 1));
        let mut pen = Pen::new(&mut buffer, &theme);
        draw(&mut pen);
        buffer
    }

    fn words(buffer: &Buffer) -> String {
        buffer
            .content
            .iter()
            .map(ratatui::buffer::Cell::symbol)
            .collect()
    }

    #[test]
    fn a_line_that_does_not_fit_says_so() {
        let line = Line::new().text("one ").muted("two ").text("three");
        assert_eq!(
            words(&drawn(20, |pen| _ = pen.line(0, 0, 20, &line))),
            "one two three       "
        );
        assert_eq!(
            words(&drawn(10, |pen| _ = pen.line(0, 0, 10, &line))),
            "one two t…"
        );
        assert_eq!(
            words(&drawn(8, |pen| _ = pen.line(0, 0, 8, &line))),
            "one two…"
        );
    }

    #[test]
    fn no_control_character_reaches_a_cell() {
        let line = Line::from("a\u{1b}[2Jb\u{7}\nc");
        let buffer = drawn(20, |pen| _ = pen.line(0, 0, 20, &line));
        assert!(!words(&buffer).chars().any(char::is_control));
    }

    #[test]
    fn stale_states_lose_their_colour_but_not_their_words() {
        let theme = Theme::named("dark", Depth::True).unwrap();
        let line = Line::new().put(Role::Failed, "✗ failed");
        let live = drawn(10, |pen| _ = pen.line(0, 0, 10, &line));
        let stale = drawn(10, |pen| {
            pen.stale = true;
            pen.line(0, 0, 10, &line);
        });
        assert_eq!(words(&live), words(&stale));
        assert_eq!(live[(0, 0)].fg, theme.style(Role::Failed).fg.unwrap());
        assert_eq!(stale[(0, 0)].fg, theme.style(Role::Muted).fg.unwrap());
    }

    #[test]
    fn ascii_replaces_what_is_drawn_and_keeps_names() {
        let mut buffer = drawn(12, |pen| _ = pen.line(0, 0, 12, &Line::from("─│╭▶✓ é░…")));
        to_ascii(&mut buffer);
        assert_eq!(words(&buffer), "-|+>v é.~   ");
    }
}
