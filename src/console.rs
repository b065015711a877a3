//! The console: what people see and what their hands do, in a terminal.
//!
//! Uses the library only through what is public there: the wire types, the typed client, the clock and the
//! sanitiser. Inside, one line: an [`event`] goes into [`app`], which changes its state and answers actions; the
//! [`runner`] performs those; [`view`] draws the state. State and views know no clock, no IO and no key.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use roundel::client::launch;
use roundel::error::Kind;

mod action;
mod app;
mod backend;
mod chord;
mod command;
mod effect;
mod event;
mod feed;
mod keymap;
mod line;
mod list;
mod marks;
mod nearest;
mod now;
mod once;
mod overlays;
mod pen;
mod place;
mod plain;
mod preferences;
mod runner;
mod screens;
mod shell;
mod spot;
mod surroundings;
mod terminal;
mod text;
mod theme;
mod verbs;
mod view;
mod widgets;

#[cfg(test)]
mod tests;

use backend::Server;
use place::Place;
use preferences::Preferences;
use runner::{End, Look};

/// What a console is opened with.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which server.
    pub server: launch::Place,
    /// Bootstrap file for a server that is started.
    pub config: Option<PathBuf>,
    /// Name of the screen to begin with; `None` = the dashboard, or the offer of a first build.
    pub screen: Option<String>,
    /// Print one frame instead.
    pub once: Option<Once>,
    /// Draw with ASCII only.
    pub ascii: bool,
    /// Theme; `None` = by the terminal.
    pub theme: Option<String>,
    /// Do not bracket frames by DEC 2026.
    pub unsynchronized: bool,
    /// Leave the mouse to the terminal.
    pub no_mouse: bool,
    /// Read the screens out as lines instead of drawing them.
    pub plain: bool,
    /// Change nothing until armed, also where it could.
    pub read_only: bool,
}

/// One frame.
#[derive(Clone, Copy, Debug)]
pub struct Once {
    /// Columns and rows.
    pub size: (u16, u16),
    /// How it is printed.
    pub format: Format,
}

/// How a frame is printed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// As the terminal would show it.
    Text,
    /// As the API gave what it shows.
    Json,
}

/// Runs the console, or prints one frame.
pub fn run(options: &Options) -> ExitCode {
    let place = match options.screen.as_deref().map(Place::parse).transpose() {
        Ok(place) => place,
        Err(err) => return failed(&err.to_string(), Kind::Usage),
    };
    let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb" || term.is_empty());
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(err) => return failed(&format!("no runtime: {err}"), Kind::Infrastructure),
    };
    let preferences = Preferences::beside(options.config.as_deref());
    let env = |name: &str| std::env::var(name).unwrap_or_default();
    let around = surroundings::read(options.theme.as_deref(), env);
    let look = Look {
        theme: around.theme,
        depth: around.depth,
        ascii: options.ascii || around.ascii,
        synchronized: !options.unsynchronized,
        mouse: !options.no_mouse,
        between: terminal::Between::guess(env),
        far: ["SSH_CONNECTION", "SSH_TTY"]
            .iter()
            .any(|name| !env(name).is_empty()),
    };
    let theme = match preferences.theme(&look.theme, look.depth) {
        Ok(theme) => theme,
        Err(err) => return failed(&err.to_string(), Kind::Usage),
    };
    let server = Server {
        place: options.server.clone(),
        config: options.config.clone(),
        start: true,
        session: uuid::Uuid::new_v4().to_string(),
        read_only: options.read_only,
    };
    if let Some(once) = options.once {
        return runtime.block_on(print(server, place, once, look.ascii, &preferences));
    }
    if options.plain || dumb {
        let (keymap, problems) = preferences.keymap();
        for problem in problems {
            eprintln!("roundel: {problem}");
        }
        runtime.block_on(plain::run(server, place, keymap, look.ascii));
        runtime.shutdown_background();
        return ExitCode::SUCCESS;
    }
    let ended = runtime.block_on(runner::run(server, place, look, theme, preferences));
    runtime.shutdown_background();
    match ended {
        Ok(End::Quit) => ExitCode::SUCCESS,
        Ok(End::Interrupted) => ExitCode::from(130),
        Err(err) => failed(
            &format!("the console cannot open: {err}; `roundel console --once` prints one frame"),
            Kind::Usage,
        ),
    }
}

/// Prints the live keys, in the form of `keymap.toml` or as JSON.
pub fn print_keys(config: Option<&Path>, format: Format) -> ExitCode {
    let (keymap, problems) = Preferences::beside(config).keymap();
    let text = match format {
        Format::Text => keymap::write(&keymap),
        Format::Json => format!("{:#}\n", keymap::json(&keymap)),
    };
    // Nobody is left to be told when the reader has closed the pipe.
    _ = io::stdout().write_all(text.as_bytes());
    for problem in &problems {
        eprintln!("roundel: {problem}");
    }
    if problems.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(Kind::Usage.exit_code())
    }
}

async fn print(
    server: Server,
    place: Option<Place>,
    once: Once,
    ascii: bool,
    preferences: &Preferences,
) -> ExitCode {
    let (keymap, problems) = preferences.keymap();
    for problem in problems {
        eprintln!("roundel: {problem}");
    }
    let frame = once::read(server, place, once.size, keymap).await;
    let text = match once.format {
        Format::Text => frame.text(ascii),
        Format::Json => format!("{:#}\n", frame.json()),
    };
    // Nobody is left to be told when the reader has closed the pipe.
    _ = io::stdout().write_all(text.as_bytes());
    frame
        .refused()
        .map_or(ExitCode::SUCCESS, |kind| ExitCode::from(kind.exit_code()))
}

fn failed(text: &str, kind: Kind) -> ExitCode {
    eprintln!("roundel: {text}");
    ExitCode::from(kind.exit_code())
}
