//! The terminal: one guard that knows every mode that was switched on, and undoes them however the console ends.
//!
//! On drop, before a panic is printed, on SIGHUP, SIGTERM and SIGINT, and before the console is suspended. Nothing
//! else here or elsewhere switches a mode.

use std::io::{self, IsTerminal};
use std::panic;
use std::sync::{Mutex, Once, PoisonError};

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};

mod frames;

pub use frames::{Frames, copy};

/// Alternate screen, hidden cursor, bracketed paste.
const ENTER: &[u8] = b"\x1b[?1049h\x1b[?25l\x1b[?2004h";

/// Clicks and the wheel are told, in the form that knows no last column.
const MOUSE: &[u8] = b"\x1b[?1000h\x1b[?1006h";

/// They are not.
const NO_MOUSE: &[u8] = b"\x1b[?1006l\x1b[?1000l";

/// The same, undone, in the opposite order; before it the end of a frame that may have been cut short.
const LEAVE: &[u8] = b"\x1b[?2026l\x1b[0m\x1b[?1006l\x1b[?1000l\x1b[?2004l\x1b[?25h\x1b[?1049l";

/// What the terminal was like, while the console has it.
static TAKEN: Mutex<Option<Termios>> = Mutex::new(None);

/// The terminal, taken. Dropping it gives the terminal back.
#[derive(Debug)]
pub struct Guard {
    /// The mouse is taken with it.
    mouse: bool,
}

impl Guard {
    /// Takes the terminal, with the mouse or without; from now on a panic gives it back before it is printed.
    ///
    /// # Errors
    /// When standard input or output is no terminal, or it refuses.
    pub fn take(mouse: bool) -> io::Result<Self> {
        if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "standard input or output is no terminal",
            ));
        }
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let before = panic::take_hook();
            panic::set_hook(Box::new(move |info| {
                give_back();
                before(info);
                // A task that panicked would leave a console without one of its parts.
                std::process::exit(101);
            }));
        });
        enter(mouse)?;
        Ok(Self { mouse })
    }

    /// Takes the mouse, or leaves it to the terminal.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn set_mouse(&mut self, on: bool) -> io::Result<()> {
        self.mouse = on;
        frames::write_all(if on { MOUSE } else { NO_MOUSE })
    }

    /// Takes the terminal again after it was given back for a while, or after others changed it.
    ///
    /// # Errors
    /// When it refuses.
    pub fn retake(&self) -> io::Result<()> {
        enter(self.mouse)
    }

    /// Gives the terminal back for a while.
    pub fn lend(&self) {
        give_back();
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        give_back();
    }
}

fn enter(mouse: bool) -> io::Result<()> {
    let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
    let now = tcgetattr(io::stdin())?;
    // Others may have set it meanwhile (a shell that resumes us): what counts is how it was before we first took it.
    let before = taken.take().unwrap_or_else(|| now.clone());
    let mut raw = now;
    raw.make_raw();
    tcsetattr(io::stdin(), OptionalActions::Now, &raw)?;
    *taken = Some(before);
    frames::write_all(ENTER)?;
    if mouse {
        frames::write_all(MOUSE)?;
    }
    Ok(())
}

fn give_back() {
    let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(before) = taken.take() {
        // Nobody is left to hear of an error here, and every part is worth trying.
        _ = frames::write_all(LEAVE);
        _ = tcsetattr(io::stdin(), OptionalActions::Now, &before);
    }
}
