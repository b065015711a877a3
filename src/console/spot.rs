//! What stands where in a frame, written down while it is drawn: for the mouse, and for those to whom it is read.
//!
//! Knows no screen: a spot says what it is, the screen that drew it knows what that means.

use ratatui::layout::{Position, Rect};

use crate::console::keymap::Cmd;

/// Something that can be pointed at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Spot {
    /// What the key of this command does.
    Press(Cmd),
    /// The head of a column, by its name in the API.
    Head(&'static str),
    /// A row of the screen's list, counted from its first.
    Row(u64),
    /// A box of a graph, counted in the order of its file; an entry of the list beside a form.
    Box(u64),
    /// One of several runs of a job.
    Run(usize),
    /// The pane with the log.
    Log,
    /// A line or button of what stands over the screen.
    Choice(usize),
}

/// A spot and where it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Placed {
    /// Its cells.
    pub area: Rect,
    /// What is there.
    pub spot: Spot,
    /// The same in words, where the frame is read to somebody.
    pub words: String,
}

/// All spots of a frame.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Spots {
    placed: Vec<Placed>,
}

impl Spots {
    /// Writes one down. What is written down later lies above.
    pub fn add(&mut self, placed: Placed) {
        if !placed.area.is_empty() {
            self.placed.push(placed);
        }
    }

    /// Forgets all of them: something that takes all clicks lies above.
    pub fn cover(&mut self) {
        self.placed.clear();
    }

    /// What is at a cell.
    #[must_use]
    pub fn at(&self, x: u16, y: u16) -> Option<Spot> {
        let here = Position { x, y };
        let found = self.placed.iter().rev();
        let mut found = found.filter(|placed| placed.area.contains(here));
        found.next().map(|placed| placed.spot)
    }

    /// All of them, in the order they were drawn.
    #[must_use]
    pub fn all(&self) -> &[Placed] {
        &self.placed
    }
}

/// Something that a mouse did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pointer {
    /// Column of the terminal.
    pub x: u16,
    /// Row of the terminal.
    pub y: u16,
    /// What.
    pub does: Does,
}

/// What a mouse does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Does {
    /// The first button went down.
    Click,
    /// The wheel turned: lines down, or up where negative.
    Wheel(i32),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(x: u16, y: u16, width: u16, spot: Spot) -> Placed {
        Placed {
            area: Rect::new(x, y, width, 1),
            spot,
            words: String::new(),
        }
    }

    #[test]
    fn the_topmost_spot_of_a_cell_is_the_one() {
        let mut spots = Spots::default();
        spots.add(placed(0, 1, 10, Spot::Row(3)));
        spots.add(placed(4, 1, 2, Spot::Choice(0)));
        spots.add(placed(0, 0, 0, Spot::Log));
        for (x, y, spot) in [
            (0, 1, Some(Spot::Row(3))),
            (4, 1, Some(Spot::Choice(0))),
            (6, 1, Some(Spot::Row(3))),
            (10, 1, None),
            (0, 0, None),
        ] {
            assert_eq!(spots.at(x, y), spot, "{x} {y}");
        }
        spots.cover();
        assert_eq!(spots.at(4, 1), None);
    }
}
