//! A frame as plain text: what `--once` prints and what is saved to a file. Knows no terminal.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::view;
use crate::console::app::App;
use crate::console::text::width;
use crate::console::theme::{Depth, Theme};

/// What the terminal would show, without escape sequences.
///
/// # Panics
/// Never: the theme is built in.
#[must_use]
pub fn text(app: &App, ascii: bool) -> String {
    let (columns, rows) = app.shell.size;
    let mut buffer = Buffer::empty(Rect::new(0, 0, columns, rows));
    let theme = Theme::named("mono", Depth::Sixteen).expect("the theme is built in and tested");
    view(app, &theme, ascii, &mut buffer);
    (0..rows).map(|y| row_text(&buffer, y) + "\n").collect()
}

/// One row of a frame without its trailing blanks.
#[must_use]
pub fn row_text(buffer: &Buffer, y: u16) -> String {
    let mut line = String::new();
    let mut skip = 0;
    for x in buffer.area().left()..buffer.area().right() {
        let symbol = buffer[(x, y)].symbol();
        if skip == 0 {
            line.push_str(symbol);
        }
        // The cell behind a wide character belongs to it.
        skip = if skip > 0 {
            skip - 1
        } else {
            width(symbol).saturating_sub(1)
        };
    }
    line.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_characters_take_two_cells_and_print_once() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 12, 2));
        buffer.set_string(0, 0, "a日b", ratatui::style::Style::new());
        assert_eq!([row_text(&buffer, 0), row_text(&buffer, 1)], ["a日b", ""]);
    }
}
