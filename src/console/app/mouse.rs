//! What the mouse does: a click is the key that does the same, the wheel scrolls what is under it.

use super::App;
use crate::console::action::Action;
use crate::console::effect::Effect;
use crate::console::keymap::Cmd;
use crate::console::spot::{Does, Pointer, Spot};
use crate::console::theme::Role;

impl App {
    /// Takes what the mouse did on the frame that was drawn last.
    pub(super) fn pointed(&mut self, pointer: Pointer) -> Vec<Effect> {
        let spot = self.spots.at(pointer.x, pointer.y);
        match (pointer.does, spot) {
            (Does::Click, Some(Spot::Press(cmd))) => self.obey(cmd),
            (Does::Click, Some(spot)) => self.click(spot),
            (Does::Click, None) => Vec::new(),
            (Does::Wheel(lines), spot) => self.wheel(lines, spot),
        }
    }

    /// Goes to a thing and opens it, or does what stands there: for those who choose by number.
    pub fn choose(&mut self, spot: Spot) -> Vec<Action> {
        let effects = match spot {
            Spot::Press(cmd) => self.obey(cmd),
            Spot::Choice(_) => self.click(spot),
            spot => {
                _ = self.screens.at(self.trail.place()).point(spot);
                self.command(Cmd::Open)
            }
        };
        self.act(effects)
    }

    /// A click on a thing goes to it; on the one that has the cursor, it opens.
    pub(super) fn click(&mut self, spot: Spot) -> Vec<Effect> {
        if let Some(overlay) = &mut self.overlay {
            return match spot {
                Spot::Choice(n) => overlay.choose(n),
                _ => Vec::new(),
            };
        }
        let screen = self.screens.at(self.trail.place());
        if let Spot::Head(column) = spot {
            return vec![Effect::OrderBy(column)];
        }
        if screen.point(spot) {
            self.command(Cmd::Open)
        } else {
            Vec::new()
        }
    }

    fn wheel(&mut self, lines: i32, spot: Option<Spot>) -> Vec<Effect> {
        let cmd = if lines > 0 { Cmd::Down } else { Cmd::Up };
        let height = self.shell.size.1;
        if let Some(overlay) = &mut self.overlay {
            let turns = (0..lines.unsigned_abs()).map(|_| overlay.command(cmd, height));
            return turns.flatten().collect();
        }
        let place = self.trail.place();
        self.screens.at(place).scroll(spot, lines, &self.shell);
        Vec::new()
    }

    /// `m`: the mouse is the console's, or the terminal's to select text with.
    pub(super) fn toggle_mouse(&mut self) -> Vec<Effect> {
        self.shell.mouse = !self.shell.mouse;
        let words = if self.shell.mouse {
            "the mouse is the console’s: click, wheel; m gives it back to the terminal"
        } else {
            "the mouse is the terminal’s, to select text; m takes it again"
        };
        vec![
            Effect::Do(Action::Mouse(self.shell.mouse)),
            Effect::Say(Role::Accent, words.to_owned()),
        ]
    }
}
