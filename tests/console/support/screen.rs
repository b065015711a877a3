//! A terminal's screen, as far as the console needs one: cells, cursor, modes, and a record of everything else that was
//! asked of the terminal.

use std::collections::BTreeSet;
use std::fmt;

use unicode_width::UnicodeWidthChar;
use vte::{Params, Parser, Perform};

/// Colour of a cell, as it was asked for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Color {
    /// The terminal's own.
    #[default]
    Default,
    /// One of the terminal's table.
    Indexed(u16),
    /// Red, green, blue.
    Rgb(u16, u16, u16),
}

/// How cells are drawn.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Style {
    pub fg: Color,
    pub bg: Color,
    pub bold: bool,
    pub reverse: bool,
}

/// One cell; behind a wide character stands an empty one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cell {
    pub text: String,
    pub style: Style,
}

impl Default for Cell {
    fn default() -> Self {
        Self {
            text: " ".to_owned(),
            style: Style::default(),
        }
    }
}

/// A screen and what came to it.
pub struct Screen {
    parser: Parser,
    state: State,
}

struct State {
    size: (u16, u16),
    main: Vec<Vec<Cell>>,
    alternate: Vec<Vec<Cell>>,
    on_alternate: bool,
    cursor: (usize, usize),
    /// Where it stood when the alternate screen was entered.
    saved: (usize, usize),
    style: Style,
    modes: BTreeSet<u16>,
    cursor_hidden: bool,
    /// Everything that came.
    bytes: Vec<u8>,
    /// What the console never asks of a terminal.
    strange: Vec<String>,
    /// Texts that were to go to the clipboard, still encoded.
    clipboard: Vec<String>,
    /// Colours were asked for.
    coloured: bool,
    /// It is the kernel's: modes that it does not know pass it by, and it has sixteen colours.
    little: bool,
}

/// What the console switches on and off: alternate screen, bracketed paste, synchronized frames, and the mouse.
const MODES: [u16; 6] = [1049, 2004, 2026, 1000, 1002, 1006];

impl Screen {
    pub fn new(size: (u16, u16)) -> Self {
        let blank = blank(size);
        Self {
            parser: Parser::new(),
            state: State {
                size,
                main: blank.clone(),
                alternate: blank,
                on_alternate: false,
                cursor: (0, 0),
                saved: (0, 0),
                style: Style::default(),
                modes: BTreeSet::new(),
                cursor_hidden: false,
                bytes: Vec::new(),
                strange: Vec::new(),
                clipboard: Vec::new(),
                coloured: false,
                little: false,
            },
        }
    }

    /// Takes what a program wrote.
    pub fn take(&mut self, bytes: &[u8]) {
        self.state.bytes.extend_from_slice(bytes);
        self.parser.advance(&mut self.state, bytes);
    }

    /// Becomes the kernel's terminal.
    pub fn knows_little(&mut self) {
        self.state.little = true;
    }

    /// Becomes another size; what was shown is gone, as a program must not count on it.
    pub fn resize(&mut self, size: (u16, u16)) {
        self.state.size = size;
        self.state.main = blank(size);
        self.state.alternate = blank(size);
        self.state.cursor = (0, 0);
    }

    fn cells(&self) -> &Vec<Vec<Cell>> {
        self.state.cells()
    }

    /// A row without its trailing blanks.
    pub fn row(&self, y: usize) -> String {
        let row = &self.cells()[y];
        let text: String = row.iter().map(|cell| cell.text.as_str()).collect();
        text.trim_end().to_owned()
    }

    /// All rows.
    pub fn text(&self) -> String {
        let rows: Vec<_> = (0..self.cells().len()).map(|y| self.row(y)).collect();
        rows.join("\n")
    }

    /// The row with these words, and the style of the first of their cells.
    pub fn find(&self, words: &str) -> Option<(usize, Style)> {
        self.cells().iter().enumerate().find_map(|(y, row)| {
            let text: String = row.iter().map(|cell| cell.text.as_str()).collect();
            let at = text.find(words)?;
            let mut passed = 0;
            let cell = row.iter().find(|cell| {
                let here = passed == at && !cell.text.is_empty();
                passed += cell.text.len();
                here
            })?;
            Some((y, cell.style.clone()))
        })
    }

    /// Column and row of the first of these words.
    pub fn place(&self, words: &str) -> Option<(usize, usize)> {
        (0..self.cells().len()).find_map(|y| {
            let row = self.row(y);
            let at = row.find(words)?;
            Some((row[..at].chars().map(|c| c.width().unwrap_or(0)).sum(), y))
        })
    }

    /// The ground of a cell.
    pub fn ground(&self, x: usize, y: usize) -> Color {
        self.cells()[y][x].style.bg.clone()
    }

    /// Whether a frame is under way.
    pub fn is_drawing(&self) -> bool {
        self.state.modes.contains(&2026)
    }

    /// Cells that have the terminal's own ground.
    pub fn bare(&self) -> usize {
        let cells = self.cells().iter().flatten();
        cells.filter(|cell| cell.style.bg == Color::Default).count()
    }

    /// Whether the alternate screen is shown.
    pub fn is_alternate(&self) -> bool {
        self.state.on_alternate
    }

    /// What is switched on that is off in a terminal that nobody has; 25 stands for a hidden cursor.
    pub fn modes_on(&self) -> Vec<u16> {
        let hidden = self.state.cursor_hidden.then_some(25);
        self.state.modes.iter().copied().chain(hidden).collect()
    }

    /// What the console never asks of a terminal.
    pub fn strange(&self) -> &[String] {
        &self.state.strange
    }

    /// Whether a colour was ever asked for.
    pub fn is_coloured(&self) -> bool {
        self.state.coloured
    }

    /// Everything that came.
    pub fn bytes(&self) -> &[u8] {
        &self.state.bytes
    }

    /// What was to go to the clipboard.
    pub fn clipboard(&self) -> &[String] {
        &self.state.clipboard
    }
}

impl fmt::Display for Screen {
    /// The screen as it looks, for a test that failed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (columns, rows) = self.state.size;
        writeln!(f, "{columns}x{rows}, modes {:?}", self.modes_on())?;
        for y in 0..self.cells().len() {
            writeln!(f, "|{}", self.row(y))?;
        }
        if !self.strange().is_empty() {
            writeln!(f, "strange: {:?}", self.strange())?;
        }
        Ok(())
    }
}

fn blank((columns, rows): (u16, u16)) -> Vec<Vec<Cell>> {
    vec![vec![Cell::default(); usize::from(columns)]; usize::from(rows)]
}

impl State {
    fn cells(&self) -> &Vec<Vec<Cell>> {
        if self.on_alternate {
            &self.alternate
        } else {
            &self.main
        }
    }

    fn cells_mut(&mut self) -> &mut Vec<Vec<Cell>> {
        if self.on_alternate {
            &mut self.alternate
        } else {
            &mut self.main
        }
    }

    fn line_feed(&mut self) {
        let (x, y) = self.cursor;
        if y + 1 < self.cells().len() {
            self.cursor = (x, y + 1);
        } else {
            let width = usize::from(self.size.0);
            let cells = self.cells_mut();
            cells.remove(0);
            cells.push(vec![Cell::default(); width]);
        }
    }

    fn mode(&mut self, mode: u16, on: bool) {
        if self.little && !matches!(mode, 25 | 1000) && MODES.contains(&mode) {
            return;
        }
        match mode {
            25 => self.cursor_hidden = !on,
            1049 => {
                if on && !self.on_alternate {
                    self.alternate = blank(self.size);
                    self.saved = self.cursor;
                } else if !on && self.on_alternate {
                    self.cursor = self.saved;
                }
                self.on_alternate = on;
            }
            _ => {}
        }
        if !MODES.contains(&mode) && mode != 25 {
            self.strange.push(format!("mode {mode} {on}"));
        } else if mode != 25 && on {
            self.modes.insert(mode);
        } else {
            self.modes.remove(&mode);
        }
    }

    fn sgr(&mut self, params: &Params) {
        let flat: Vec<u16> = params.iter().flatten().copied().collect();
        let mut rest = flat.as_slice();
        while let Some((&n, after)) = rest.split_first() {
            rest = after;
            match n {
                0 => self.style = Style::default(),
                1 => self.style.bold = true,
                7 => self.style.reverse = true,
                22 => self.style.bold = false,
                27 => self.style.reverse = false,
                // Dim, italic, underlined, struck out, and their ends; the end of a line's colour.
                2 | 3 | 4 | 9 | 23 | 24 | 29 | 59 => {}
                38 | 48 if self.little => self.strange.push(format!("SGR {flat:?}")),
                38 | 48 => {
                    let (color, after) = match rest {
                        [5, i, after @ ..] => (Color::Indexed(*i), after),
                        [2, r, g, b, after @ ..] => (Color::Rgb(*r, *g, *b), after),
                        _ => {
                            self.strange.push(format!("SGR {flat:?}"));
                            return;
                        }
                    };
                    rest = after;
                    self.coloured = true;
                    if n == 38 {
                        self.style.fg = color;
                    } else {
                        self.style.bg = color;
                    }
                }
                39 => self.style.fg = Color::Default,
                49 => self.style.bg = Color::Default,
                // Short for the first sixteen of the table.
                30..=37 | 90..=97 => {
                    self.coloured = true;
                    self.style.fg = Color::Indexed(if n < 90 { n - 30 } else { n - 82 });
                }
                40..=47 | 100..=107 => {
                    self.coloured = true;
                    self.style.bg = Color::Indexed(if n < 100 { n - 40 } else { n - 92 });
                }
                _ => self.strange.push(format!("SGR {flat:?}")),
            }
        }
    }
}

impl Perform for State {
    fn print(&mut self, c: char) {
        let width = c.width().unwrap_or(0);
        let (x, y) = self.cursor;
        let style = self.style.clone();
        if width == 0 {
            if let Some(cell) = self.cells_mut()[y].get_mut(x.saturating_sub(1)) {
                cell.text.push(c);
            }
            return;
        }
        let columns = usize::from(self.size.0);
        if x + width > columns {
            self.cursor.0 = 0;
            self.line_feed();
            return self.print(c);
        }
        let row = &mut self.cells_mut()[y];
        row[x] = Cell {
            text: c.to_string(),
            style: style.clone(),
        };
        for behind in row.iter_mut().take(x + width).skip(x + 1) {
            *behind = Cell {
                text: String::new(),
                style: style.clone(),
            };
        }
        self.cursor.0 = x + width;
    }

    fn execute(&mut self, byte: u8) {
        // In its own screen the console moves the cursor by address alone.
        if self.on_alternate {
            self.strange.push(format!("control {byte:#04x}"));
        }
        match byte {
            b'\n' => self.line_feed(),
            b'\r' => self.cursor.0 = 0,
            _ => {}
        }
    }

    fn csi_dispatch(&mut self, params: &Params, between: &[u8], ignored: bool, action: char) {
        let flat: Vec<u16> = params.iter().flatten().copied().collect();
        let nth = |i: usize| flat.get(i).copied().filter(|n| *n > 0).unwrap_or(1);
        match (between, action, flat.as_slice()) {
            (b"", 'H', _) => {
                let (columns, rows) = self.size;
                let x = usize::from(nth(1).min(columns) - 1);
                self.cursor = (x, usize::from(nth(0).min(rows) - 1));
            }
            (b"", 'C', _) => {
                let last = usize::from(self.size.0.saturating_sub(1));
                self.cursor.0 = (self.cursor.0 + usize::from(nth(0))).min(last);
            }
            (b"", 'm', _) => self.sgr(params),
            (b"", 'J', [2]) => *self.cells_mut() = blank(self.size),
            (b"?", 'h' | 'l', _) => {
                for mode in flat {
                    self.mode(mode, action == 'h');
                }
            }
            _ => self
                .strange
                .push(format!("CSI {between:?} {flat:?} {action} {ignored}")),
        }
    }

    fn osc_dispatch(&mut self, params: &[&[u8]], _bell: bool) {
        let text: Vec<_> = params.iter().map(|p| String::from_utf8_lossy(p)).collect();
        match text.as_slice() {
            [kind, place, code] if kind == "52" && place == "c" => {
                self.clipboard.push(code.clone().into_owned());
            }
            _ => self.strange.push(format!("OSC {text:?}")),
        }
    }

    fn esc_dispatch(&mut self, between: &[u8], _ignored: bool, byte: u8) {
        // The end of a string, in its two-byte form.
        if byte != b'\\' {
            self.strange.push(format!("ESC {between:?} {byte:#04x}"));
        }
    }

    fn hook(&mut self, _params: &Params, _between: &[u8], _ignored: bool, action: char) {
        self.strange.push(format!("DCS {action}"));
    }
}
