//! Changed cells as the fewest bytes that plain terminals understand: moves, colours, attributes, characters.
//!
//! A slow line shows a frame no sooner than its last byte. So nothing is said twice: the terminal's colours are
//! remembered from frame to frame, and only what differs is set.

use std::io::Write;

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Position;
use ratatui::style::{Color, Modifier};

use crate::console::text::width;

/// Unchanged cells that are written again rather than moved over: a move takes more bytes.
const BRIDGE: u16 = 3;

/// Attributes, and the codes that set and end them.
const ATTRIBUTES: [(Modifier, u8, u8); 6] = [
    (Modifier::BOLD, 1, 22),
    (Modifier::DIM, 2, 22),
    (Modifier::ITALIC, 3, 23),
    (Modifier::UNDERLINED, 4, 24),
    (Modifier::REVERSED, 7, 27),
    (Modifier::CROSSED_OUT, 9, 29),
];

/// What the terminal was last told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Encoder {
    style: Option<Style>,
    /// Where the terminal's cursor stands, if that is known.
    at: Option<Position>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Style {
    fg: Color,
    bg: Color,
    set: Modifier,
}

impl Style {
    const PLAIN: Self = Self {
        fg: Color::Reset,
        bg: Color::Reset,
        set: Modifier::empty(),
    };

    fn of(cell: &Cell) -> Self {
        let known = ATTRIBUTES.iter().map(|(one, _, _)| *one);
        Self {
            fg: cell.fg,
            bg: cell.bg,
            set: cell.modifier & known.fold(Modifier::empty(), |all, one| all | one),
        }
    }
}

impl Encoder {
    /// One that knows nothing of the terminal.
    #[must_use]
    pub fn new() -> Self {
        Self {
            style: None,
            at: None,
        }
    }

    /// Clears the whole screen, to the terminal's own ground.
    pub fn clear(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"\x1b[0m\x1b[2J");
        *self = Self {
            style: Some(Style::PLAIN),
            at: None,
        };
    }

    /// Writes the cells of `next` that differ from `shown`.
    pub fn cells(&mut self, out: &mut Vec<u8>, shown: &Buffer, next: &Buffer) {
        for (x, y, cell) in shown.diff(next) {
            self.reach(out, Position { x, y }, next);
            self.cell(out, cell);
            let right = x.saturating_add(width(cell.symbol()).max(1));
            // At the last column terminals differ in where the cursor is.
            self.at = (right < next.area().right()).then_some(Position { x: right, y });
        }
    }

    /// Moves to where the next changed cell is.
    fn reach(&mut self, out: &mut Vec<u8>, to: Position, next: &Buffer) {
        let gap = self
            .at
            .filter(|at| at.y == to.y)
            .and_then(|at| to.x.checked_sub(at.x).map(|gap| (at, gap)));
        match gap {
            Some((_, 0)) => {}
            Some((at, gap)) if gap <= BRIDGE && self.can_bridge(next, at, gap) => {
                for x in at.x..to.x {
                    out.extend_from_slice(next[(x, at.y)].symbol().as_bytes());
                }
            }
            Some((_, gap)) => put(out, format_args!("\x1b[{gap}C")),
            None => self.go(out, to),
        }
    }

    /// Whether the cells between could be written without another word.
    fn can_bridge(&self, next: &Buffer, at: Position, gap: u16) -> bool {
        (at.x..at.x + gap).all(|x| {
            let cell = &next[(x, at.y)];
            Some(Style::of(cell)) == self.style && width(cell.symbol()) == 1
        })
    }

    /// Moves the terminal's cursor.
    pub fn go(&mut self, out: &mut Vec<u8>, to: Position) {
        put(out, format_args!("\x1b[{};{}H", to.y + 1, to.x + 1));
        self.at = Some(to);
    }

    fn cell(&mut self, out: &mut Vec<u8>, cell: &Cell) {
        let style = Style::of(cell);
        if self.style != Some(style) {
            let codes = codes(self.style, style);
            put(out, format_args!("\x1b[{}m", codes.join(";")));
            self.style = Some(style);
        }
        out.extend_from_slice(cell.symbol().as_bytes());
    }
}

/// The codes that make one style of another; of an unknown one, from the ground up.
fn codes(was: Option<Style>, style: Style) -> Vec<String> {
    let mut codes = Vec::new();
    let mut was = was.unwrap_or_else(|| {
        codes.push("0".to_owned());
        Style::PLAIN
    });
    for (one, _, end) in ATTRIBUTES {
        if was.set.contains(one) && !style.set.contains(one) {
            codes.push(end.to_string());
            // Bold and dim end together.
            was.set -= one;
            if end == 22 {
                was.set -= Modifier::BOLD | Modifier::DIM;
            }
        }
    }
    for (one, begin, _) in ATTRIBUTES {
        if style.set.contains(one) && !was.set.contains(one) {
            codes.push(begin.to_string());
        }
    }
    if was.fg != style.fg {
        codes.push(colour(style.fg, 30));
    }
    if was.bg != style.bg {
        codes.push(colour(style.bg, 40));
    }
    codes
}

/// The code of a colour: for words from 30 on, for the ground from 40 on.
fn colour(colour: Color, base: u8) -> String {
    let of_table = |n: u8| if n < 8 { base + n } else { base + 52 + n };
    match colour {
        Color::Reset => (base + 9).to_string(),
        Color::Black => of_table(0).to_string(),
        Color::Red => of_table(1).to_string(),
        Color::Green => of_table(2).to_string(),
        Color::Yellow => of_table(3).to_string(),
        Color::Blue => of_table(4).to_string(),
        Color::Magenta => of_table(5).to_string(),
        Color::Cyan => of_table(6).to_string(),
        Color::Gray => of_table(7).to_string(),
        Color::DarkGray => of_table(8).to_string(),
        Color::LightRed => of_table(9).to_string(),
        Color::LightGreen => of_table(10).to_string(),
        Color::LightYellow => of_table(11).to_string(),
        Color::LightBlue => of_table(12).to_string(),
        Color::LightMagenta => of_table(13).to_string(),
        Color::LightCyan => of_table(14).to_string(),
        Color::White => of_table(15).to_string(),
        Color::Indexed(n) => format!("{};5;{n}", base + 8),
        Color::Rgb(r, g, b) => format!("{};2;{r};{g};{b}", base + 8),
    }
}

fn put(out: &mut Vec<u8>, words: std::fmt::Arguments) {
    // Writing to memory cannot fail.
    _ = out.write_fmt(words);
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;
    use ratatui::style::Style as Look;

    use super::*;

    fn buffer(rows: &[(&str, Look)]) -> Buffer {
        let height = u16::try_from(rows.len()).unwrap();
        let mut buffer = Buffer::empty(Rect::new(0, 0, 20, height));
        for (y, (words, look)) in (0..).zip(rows) {
            buffer.set_string(0, y, *words, *look);
        }
        buffer
    }

    fn encoded(encoder: &mut Encoder, shown: &Buffer, next: &Buffer) -> String {
        let mut out = Vec::new();
        encoder.cells(&mut out, shown, next);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn only_what_differs_is_said() {
        let plain = Look::new();
        let blue = plain.fg(Color::Indexed(4));
        let mut encoder = Encoder::new();
        encoder.clear(&mut Vec::new());
        for (shown, next, wanted) in [
            (("", plain), ("ab", plain), "\x1b[1;1Hab"),
            (("abcdef", plain), ("xbcdey", plain), "\x1b[1;1Hx\x1b[4Cy"),
            (("abc", plain), ("xby", plain), "\x1b[1;1Hxby"),
            (("a", plain), ("a", blue), "\x1b[1;1H\x1b[38;5;4ma"),
            (("a", plain), ("b", blue), "\x1b[1;1Hb"),
            (
                ("a", blue),
                (
                    "b",
                    plain.bg(Color::Rgb(1, 2, 3)).add_modifier(Modifier::BOLD),
                ),
                "\x1b[1;1H\x1b[1;39;48;2;1;2;3mb",
            ),
            (
                ("a", plain),
                ("b", plain.add_modifier(Modifier::DIM)),
                "\x1b[1;1H\x1b[22;2;49mb",
            ),
            (
                ("a", plain),
                ("b", plain.fg(Color::LightRed)),
                "\x1b[1;1H\x1b[22;91mb",
            ),
        ] {
            let said = encoded(&mut encoder, &buffer(&[shown]), &buffer(&[next]));
            assert_eq!(said, wanted, "{next:?}");
            encoder.at = None;
        }
    }

    #[test]
    fn after_the_last_column_and_after_wide_characters_the_cursor_is_known_or_asked_anew() {
        let plain = Look::new();
        let mut encoder = Encoder::new();
        encoder.clear(&mut Vec::new());
        let full = "x".repeat(20);
        let said = encoded(
            &mut encoder,
            &buffer(&[("", plain); 2]),
            &buffer(&[(full.as_str(), plain); 2]),
        );
        assert_eq!(said, format!("\x1b[1;1H{full}\x1b[2;1H{full}"));
        encoder.at = None;
        let said = encoded(
            &mut encoder,
            &buffer(&[("", plain)]),
            &buffer(&[("日本x", plain)]),
        );
        assert_eq!(said, "\x1b[1;1H日本x");
    }
}
