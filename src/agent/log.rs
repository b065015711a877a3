//! The Build Agent's own log: standard error, without what is hidden in output.

use std::io::{self, Write};
use std::sync::{Arc, OnceLock};

use super::mask::Mask;

/// What is hidden. The process runs one attempt, so it is set once.
static HIDDEN: OnceLock<Arc<Mask>> = OnceLock::new();

/// Hides this in all that is logged from now on.
pub(super) fn hide(mask: &Arc<Mask>) {
    // A second time there is the same to hide.
    let _ = HIDDEN.set(mask.clone());
}

/// Where an agent's log goes. Takes whole lines.
pub fn log() -> impl Write {
    Log
}

struct Log;

impl Write for Log {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match HIDDEN.get() {
            Some(mask) => io::stderr().write_all(&mask.whole(line))?,
            None => io::stderr().write_all(line)?,
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
