//! The console (in work).

use std::path::PathBuf;
use std::process::ExitCode;

use roundel::client::launch::Place;

/// What the console is started with.
#[derive(Debug)]
pub struct Options {
    /// Which server.
    pub place: Place,
    /// The bootstrap file for a server that has to be started.
    pub config: Option<PathBuf>,
    /// Colours may be used.
    pub color: bool,
    /// One frame to print instead of the live screen.
    pub once: Option<Once>,
}

/// One frame.
#[derive(Debug)]
pub struct Once {
    /// Name of the screen, as in the palette.
    pub screen: String,
    /// Columns and rows.
    pub size: (u16, u16),
    /// JSON instead of text.
    pub json: bool,
}

/// Runs until it is left.
pub fn run(options: Options) -> ExitCode {
    drop(options);
    ExitCode::from(3)
}
