//! The terminal: one guard that knows every mode that was switched on, and undoes them however the console ends.
//!
//! On drop, before a panic is printed, on SIGHUP, SIGTERM and SIGINT, and before the console is suspended. Nothing
//! else here or elsewhere switches a mode.

use std::io::{self, IsTerminal};
use std::os::fd::AsFd;
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, Once, PoisonError};

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};

mod clipboard;
mod encode;
mod frames;
mod line;
mod pace;
mod parse;

pub use clipboard::{Between, MAX as COPY_MAX};
pub use frames::Frames;
pub use line::{Keys, Output};
pub use pace::Pace;

/// Alternate screen, hidden cursor, bracketed paste.
const ENTER: &[u8] = b"\x1b[?1049h\x1b[?25l\x1b[?2004h";

/// Clicks and the wheel are told, in the form that knows no last column.
const MOUSE: &[u8] = b"\x1b[?1000h\x1b[?1006h";

/// They are not.
const NO_MOUSE: &[u8] = b"\x1b[?1006l\x1b[?1000l";

/// The same, undone, in the opposite order; before it the end of a frame that may have been cut short. Cleared first: a
/// terminal without an alternate screen, as the kernel's, would keep the last frame under the prompt.
const LEAVE: &[u8] =
    b"\x1b[?2026l\x1b[0m\x1b[2J\x1b[H\x1b[?1006l\x1b[?1000l\x1b[?2004l\x1b[?25h\x1b[?1049l";

/// What the terminal was like, while the console has it.
static TAKEN: Mutex<Option<Termios>> = Mutex::new(None);

/// Its descriptors are shared with the shell and do not block while the console has them.
static SHARED: AtomicBool = AtomicBool::new(false);

/// The terminal, taken. Dropping it gives the terminal back.
#[derive(Debug)]
pub struct Guard {
    /// The mouse is taken with it.
    mouse: bool,
    /// How the terminal was before it was lent to a child: what that makes of it is no new beginning.
    before: Option<Termios>,
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
        enter(mouse, None)?;
        Ok(Self {
            mouse,
            before: None,
        })
    }

    /// The bytes that take the mouse, or leave it to the terminal.
    pub fn mouse(&mut self, on: bool) -> &'static [u8] {
        self.mouse = on;
        if on { MOUSE } else { NO_MOUSE }
    }

    /// Columns and rows of the terminal; the least common ones where it does not know.
    #[must_use]
    pub fn size(&self) -> (u16, u16) {
        match tcgetwinsize(io::stdout()) {
            Ok(size) if size.ws_col > 0 && size.ws_row > 0 => (size.ws_col, size.ws_row),
            _ => (80, 24),
        }
    }

    /// Speed of the line to it, in bits a second, as it says.
    #[must_use]
    pub fn baud(&self) -> u32 {
        tcgetattr(io::stdout()).map_or(0, |settings| settings.output_speed())
    }

    /// Takes the terminal again after it was given back for a while, or after others changed it.
    ///
    /// # Errors
    /// When it refuses.
    pub fn retake(&mut self) -> io::Result<()> {
        enter(self.mouse, self.before.take())
    }

    /// Gives the terminal back for a while.
    pub fn lend(&self) {
        give_back();
    }

    /// Lends the terminal to a program that this one started and waits for.
    pub fn lend_to_child(&mut self) {
        self.before = TAKEN.lock().unwrap_or_else(PoisonError::into_inner).clone();
        give_back();
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        give_back();
    }
}

fn enter(mouse: bool, was: Option<Termios>) -> io::Result<()> {
    let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
    // Others may have set it meanwhile (a shell that resumes us): what counts is how it was before we first took it.
    let before = match taken.take().or(was) {
        Some(before) => before,
        None => tcgetattr(io::stdin())?,
    };
    let mut raw = before.clone();
    raw.make_raw();
    tcsetattr(io::stdin(), OptionalActions::Now, &raw)?;
    *taken = Some(before);
    if SHARED.load(Ordering::Relaxed) {
        set_blocking(false);
    }
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
        if SHARED.load(Ordering::Relaxed) {
            set_blocking(true);
        }
    }
}

/// Makes a descriptor that others have too never block, until the terminal is given back.
fn share_unblocked() {
    SHARED.store(true, Ordering::Relaxed);
    set_blocking(false);
}

fn set_blocking(on: bool) {
    for fd in [io::stdin().as_fd(), io::stdout().as_fd()] {
        // Of a terminal that is gone there is nothing left to set.
        if let Ok(flags) = fcntl_getfl(fd) {
            let mut wanted = flags;
            wanted.set(OFlags::NONBLOCK, !on);
            _ = fcntl_setfl(fd, wanted);
        }
    }
}
