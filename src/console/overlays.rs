//! What can stand over a screen: one of these at a time, and it takes the keys.
//!
//! Each answers what should come of a key as [`Effect`]s; none changes anything but itself.

use ratatui::layout::Rect;

use crate::console::effect::Effect;
use crate::console::keymap::{Cmd, Context, Keymap};
use crate::console::pen::Pen;

pub mod dialog;
pub mod goto;
pub mod input;
pub mod menu;
pub mod palette;
pub mod prompt;
pub mod reading;
pub mod words;

pub use dialog::{Button, Dialog, Word};
pub use menu::{Item, Menu};
pub use palette::{Candidate, Palette};
pub use prompt::{Prompt, Purpose};
pub use reading::Reading;
pub use words::Words;

/// Something over the screen.
#[derive(Clone, PartialEq, Debug)]
pub enum Overlay {
    /// A question with buttons.
    Dialog(Dialog),
    /// A list to choose from.
    Menu(Menu),
    /// The command line.
    Palette(Palette),
    /// One line to type, in the filter line.
    Prompt(Prompt),
    /// A text to read: help, description, JSON.
    Reading(Reading),
    /// What a test wants to know.
    Words(Words),
    /// `g` was pressed.
    Goto,
}

impl Overlay {
    /// Where its keys stand in the table.
    #[must_use]
    pub fn context(&self) -> Context {
        match self {
            Overlay::Dialog(_) => Context::Dialog,
            Overlay::Menu(_) => Context::Menu,
            Overlay::Palette(_) | Overlay::Prompt(_) => Context::Input,
            Overlay::Reading(_) => Context::Reading,
            Overlay::Words(_) => Context::Words,
            Overlay::Goto => Context::Goto,
        }
    }

    /// Takes a command; `height` is the terminal's, for paging.
    pub fn command(&mut self, cmd: Cmd, height: u16) -> Vec<Effect> {
        match self {
            Overlay::Dialog(dialog) => dialog.command(cmd),
            Overlay::Menu(menu) => menu.command(cmd),
            Overlay::Palette(palette) => palette.command(cmd),
            Overlay::Prompt(prompt) => prompt.command(cmd),
            Overlay::Reading(reading) => reading.command(cmd, height),
            Overlay::Words(words) => words.command(cmd),
            Overlay::Goto => goto::command(cmd),
        }
    }

    /// Takes a character that the key table gives no meaning here.
    pub fn typed(&mut self, c: char) -> Vec<Effect> {
        match self {
            Overlay::Dialog(dialog) => dialog.typed(c),
            Overlay::Menu(menu) => menu.typed(c),
            Overlay::Palette(palette) => palette.insert(c.encode_utf8(&mut [0; 4])),
            Overlay::Prompt(prompt) => prompt.insert(c.encode_utf8(&mut [0; 4])),
            Overlay::Words(words) => words.insert(c.encode_utf8(&mut [0; 4])),
            Overlay::Reading(_) => Vec::new(),
            Overlay::Goto => vec![Effect::Close],
        }
    }

    /// Takes a click on its line or button with this number.
    pub fn choose(&mut self, n: usize) -> Vec<Effect> {
        match self {
            Overlay::Dialog(dialog) => dialog.press(n),
            Overlay::Menu(menu) => menu.choose(n),
            Overlay::Palette(palette) => palette.choose(n),
            Overlay::Words(words) => words.choose(n),
            Overlay::Prompt(_) | Overlay::Reading(_) | Overlay::Goto => Vec::new(),
        }
    }

    /// Takes pasted text.
    pub fn pasted(&mut self, text: &str) -> Vec<Effect> {
        match self {
            Overlay::Palette(palette) => palette.insert(text),
            Overlay::Prompt(prompt) => prompt.insert(text),
            Overlay::Words(words) => words.insert(text),
            _ => Vec::new(),
        }
    }

    /// Draws it over the screen of this area.
    pub fn view(&self, pen: &mut Pen, area: Rect, keymap: &Keymap) {
        match self {
            Overlay::Dialog(dialog) => dialog.view(pen, area),
            Overlay::Menu(menu) => menu.view(pen, area),
            Overlay::Palette(palette) => palette.view(pen, area, keymap),
            Overlay::Prompt(prompt) => prompt.view(pen, area),
            Overlay::Reading(reading) => reading.view(pen, area),
            Overlay::Words(words) => words.view(pen, area, keymap),
            Overlay::Goto => goto::view(pen, area, keymap),
        }
    }
}

/// Clears a box of this size in the middle of an area; answers its inside, two cells from the sides.
fn panel(pen: &mut Pen, area: Rect, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    let x = area.x + (area.width - width) / 2;
    let y = area.y + (area.height - height) / 2;
    let area = Rect {
        x,
        y,
        width,
        height,
    };
    pen.panel(area);
    Rect {
        x: x + 2,
        width: width.saturating_sub(4),
        ..area
    }
}
