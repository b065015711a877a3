//! `console`, also without a verb: hands over to the full-screen console.

use std::io::{self, IsTerminal};
use std::process::ExitCode;
use std::str::FromStr;

use roundel::client::launch::{self, Place};
use roundel::error::Kind;

use super::context::{self, Context, Terminals};
use super::{Failure, Global, failure};
use crate::console::{self, Once, Options};

#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct Args {
    /// Print one frame and leave
    #[arg(long)]
    once: bool,
    /// Print the keys and leave: what can stand in keymap.toml, as it is now
    #[arg(long, conflicts_with = "once")]
    keys: bool,
    /// Screen to begin with: queue, builds, cluster, pipeline:ID, compare:ID, run:ID, node:NAME
    #[arg(long, value_name = "NAME")]
    screen: Option<String>,
    #[command(flatten)]
    pub(super) look: Look,
    /// Read the screens out as lines, with menus by number: for screen readers, braille, and terminals that only print
    #[arg(long, conflicts_with = "once")]
    plain: bool,
    /// Leave the mouse to the terminal, to select text with
    #[arg(long)]
    no_mouse: bool,
    /// Do not bracket frames for terminals that show them at once (DEC 2026)
    #[arg(long)]
    no_sync: bool,
    /// Change nothing until armed by `:arm 10m reason`
    #[arg(long)]
    read_only: bool,
    /// Size of that frame
    #[arg(long, value_name = "WxH", requires = "once", default_value = "120x36")]
    size: Size,
    /// Form of that frame
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// How it looks; can stand without the verb, too.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct Look {
    /// Draw the console with ASCII only, as where the locale is not UTF-8
    #[arg(long)]
    ascii: bool,
    /// Theme of the console: dark, light, high-contrast, colour-blind-safe, terminal-16, mono, one of your own or its
    /// file [env: ROUNDEL_THEME]
    #[arg(long, value_name = "NAME")]
    theme: Option<String>,
}

impl Args {
    /// The console as it opens without a verb.
    pub(super) fn looking(look: Look) -> Self {
        Self {
            look,
            ..Self::default()
        }
    }

    /// With what was said before the verb.
    pub(super) fn looking_also(mut self, before: Look) -> Self {
        self.look.ascii |= before.ascii;
        self.look.theme = self.look.theme.or(before.theme);
        self
    }
}

impl Look {
    /// The flag that was given, if one was.
    pub(super) fn given(&self) -> Option<&'static str> {
        let theme = self.theme.is_some().then_some("--theme");
        theme.or(self.ascii.then_some("--ascii"))
    }
}

/// Columns and rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Size(u16, u16);

impl Default for Size {
    fn default() -> Self {
        Self(120, 36)
    }
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let sides = text
            .split_once('x')
            .and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)));
        match sides {
            Some((w @ 1..=1000, h @ 1..=1000)) => Ok(Self(w, h)),
            _ => Err("columns and rows, as 120x36, at most 1000 each".to_owned()),
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// As it would be drawn, without colours
    #[default]
    Text,
    /// What it shows, as JSON
    Json,
}

/// Opens the console and answers its exit code.
pub(super) fn run(args: &Args, global: &Global) -> ExitCode {
    let done = if args.keys {
        let format = format(args, global);
        context::config_file(global).map(|config| console::print_keys(config.as_deref(), format))
    } else {
        options(args, global).map(|options| console::run(&options))
    };
    match done {
        Ok(code) => code,
        Err(failure) => {
            let (mut out, mut err) = (io::sink(), io::stderr());
            let terminals = Terminals {
                err: io::stderr().is_terminal(),
                ..Terminals::default()
            };
            failure::print(
                &failure,
                &mut Context::new(&mut out, &mut err, terminals, global),
            );
            ExitCode::from(failure.end().code())
        }
    }
}

fn format(args: &Args, global: &Global) -> console::Format {
    if global.json || args.format == Format::Json {
        console::Format::Json
    } else {
        console::Format::Text
    }
}

/// The server to open on, which somebody knows by its certificate.
async fn server(global: &Global) -> Result<Place, Failure> {
    let mut place = context::place(global).await?;
    if let Place::Remote(remote) = &mut place {
        let terminals = Terminals {
            input: io::stdin().is_terminal(),
            out: io::stdout().is_terminal(),
            err: io::stderr().is_terminal(),
        };
        super::login::trust(remote, global, terminals)?.await?;
        // Another certificate or a token that opens nothing is told before a screen is taken.
        launch::connect(&place).await?;
    }
    Ok(place)
}

fn options(args: &Args, global: &Global) -> Result<Options, Failure> {
    let people = io::stdin().is_terminal() && io::stdout().is_terminal();
    if !args.once && !args.plain && !people {
        return Err(
            Failure::said(Kind::Usage, "the console needs a terminal").with_hint(
                "`roundel console --once` prints one frame, `roundel help` lists the verbs",
            ),
        );
    }
    let once = args.once.then_some(Once {
        size: (args.size.0, args.size.1),
        format: format(args, global),
    });
    let plain = (!context::color(global)).then(|| "mono".to_owned());
    Ok(Options {
        server: context::runtime()?.block_on(server(global))?,
        config: context::config_file(global)?,
        screen: args.screen.clone(),
        once,
        ascii: args.look.ascii,
        theme: args.look.theme.clone().or(plain),
        unsynchronized: args.no_sync,
        no_mouse: args.no_mouse,
        plain: args.plain,
        read_only: args.read_only,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_columns_and_rows() {
        assert_eq!("80x24".parse(), Ok(Size(80, 24)));
        for bad in ["80", "x", "0x24", "80x-1", "1001x5", "80 x 24", ""] {
            assert!(bad.parse::<Size>().is_err(), "{bad}");
        }
    }
}
