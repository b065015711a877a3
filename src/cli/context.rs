//! What every verb gets: where to print, whether people look, and the way to the server.

use std::io::{self, BufRead, Write};
use std::path::{Path, PathBuf};

use roundel::api::API_VERSION;
use roundel::client::Client;
use roundel::client::launch::{self, Connected, LaunchError, Place, Wanted};
use roundel::error::Kind;
use roundel::pipeline::{Classes, Size};
use roundel::sanitise::{line, shell_word};
use roundel::settings::bootstrap::{self, Bootstrap};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use serde::Serialize;

use super::table::table;
use super::words::Paint;
use super::{End, Failure, Global};

/// Which of the three are terminals.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Terminals {
    pub input: bool,
    pub out: bool,
    pub err: bool,
}

/// The surroundings of a verb.
pub(super) struct Context<'a> {
    pub out: &'a mut dyn Write,
    pub err: &'a mut dyn Write,
    pub terminals: Terminals,
    /// Objects of the API as JSON instead of text.
    pub json: bool,
    color: bool,
    global: Global,
}

impl<'a> Context<'a> {
    pub(super) fn new(
        out: &'a mut dyn Write,
        err: &'a mut dyn Write,
        terminals: Terminals,
        global: &Global,
    ) -> Self {
        let color = color(global);
        Self {
            out,
            err,
            terminals,
            json: global.json,
            color,
            global: global.clone(),
        }
    }

    pub(super) fn out_paint(&self) -> Paint {
        Paint::new(self.color && self.terminals.out)
    }

    pub(super) fn err_paint(&self) -> Paint {
        Paint::new(self.color && self.terminals.err)
    }

    pub(super) fn global(&self) -> &Global {
        &self.global
    }

    /// Connects to the server; starts one when nobody is there.
    pub(super) async fn connect(&mut self) -> Result<Client, Failure> {
        let mut place = place(&self.global).await?;
        if let Place::Remote(remote) = &mut place {
            super::login::trust(remote, &self.global, self.terminals)?.await?;
        }
        let config = config_file(&self.global)?;
        let Connected { client, hello, .. } = launch::ensure(&place, config.as_deref()).await?;
        if hello.api != API_VERSION || hello.version != env!("CARGO_PKG_VERSION") {
            let paint = self.err_paint();
            writeln!(
                self.err,
                "{}: the server is version {} (API {}), this is version {} (API {API_VERSION})",
                paint.warn("warning"),
                hello.version,
                hello.api,
                env!("CARGO_PKG_VERSION"),
            )?;
        }
        Ok(client)
    }

    /// Says when nothing moves on, and why: the server takes no writes, or the installation was stopped.
    pub(super) async fn warn_when_held(&mut self, client: &Client) -> Result<(), Failure> {
        let summary = client.summary().await?;
        if !summary.installation.takes_work() {
            let warning = self.err_paint().warn("warning");
            let plain = super::words::Paint::new(false);
            let how = super::services::sentence(&summary.installation, summary.running, plain);
            writeln!(self.err, "{warning}: the installation: {how}")?;
        }
        if let Some(why) = summary.read_only {
            let warning = self.err_paint().warn("warning");
            writeln!(
                self.err,
                "{warning}: the server is read-only: {}",
                line(&why)
            )?;
        }
        Ok(())
    }

    /// Says what somebody should know, beside the output.
    pub(super) fn warn(&mut self, text: &str) -> Result<(), Failure> {
        let warning = self.err_paint().warn("warning");
        writeln!(self.err, "{warning}: {}", line(text))?;
        Ok(())
    }

    /// Prints an object of the API.
    pub(super) fn print_json(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        serde_json::to_writer_pretty(&mut *self.out, value).map_err(io::Error::from)?;
        writeln!(self.out)?;
        Ok(())
    }

    /// A line that is typed on the terminal and not shown. `from`: whether what was typed before the question counts.
    pub(super) fn hidden(
        &mut self,
        question: &str,
        from: OptionalActions,
    ) -> Result<Vec<u8>, Failure> {
        write!(self.err, "{question}: ")?;
        self.err.flush()?;
        let mut input = io::stdin().lock();
        let shown = tcgetattr(&input).map_err(io::Error::from)?;
        let mut silent = shown.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(&input, from, &silent).map_err(io::Error::from)?;
        let mut bytes = Vec::new();
        let read = input.read_until(b'\n', &mut bytes);
        tcsetattr(&input, OptionalActions::Now, &shown).map_err(io::Error::from)?;
        writeln!(self.err)?;
        read?;
        Ok(bytes)
    }

    /// What a verb has done: the object of the API, or a sentence about it. What stands in the sentence may come from
    /// outside.
    pub(super) fn done(&mut self, object: &impl Serialize, text: &str) -> Result<End, Failure> {
        if self.json {
            self.print_json(object)?;
        } else {
            writeln!(self.out, "{}", line(text))?;
        }
        Ok(End::Ok)
    }

    /// A list of the API: its objects, or a table of them; a sentence where there is nothing.
    pub(super) fn rows<T: Serialize, const N: usize>(
        &mut self,
        rows: Vec<T>,
        none: &str,
        heading: [&str; N],
        cells: impl FnMut(T) -> [String; N],
    ) -> Result<End, Failure> {
        if self.json {
            self.print_json(&rows)?;
        } else if rows.is_empty() {
            writeln!(self.out, "{none}")?;
        } else {
            let cells: Vec<_> = rows.into_iter().map(cells).collect();
            table(self.out, heading, &cells)?;
        }
        Ok(End::Ok)
    }

    /// A command for the person to give, that reaches the same server.
    pub(super) fn command(&self, words: &[&str]) -> String {
        let mut text = String::from("roundel");
        // Absolute, so that it also holds in another folder.
        let data = self
            .global
            .data
            .as_deref()
            .and_then(|data| std::path::absolute(data).ok());
        let data = data.as_deref().and_then(Path::to_str);
        for (option, value) in [
            ("--server", self.global.server.as_deref()),
            ("--data", data),
        ] {
            if let Some(value) = value {
                text.push_str(&format!(" {option} {}", shell_word(value)));
            }
        }
        for word in words {
            text.push(' ');
            text.push_str(&shell_word(word));
        }
        text
    }

    /// Asks for a yes, where there is somebody to ask; `sure` is a yes given beforehand.
    ///
    /// # Errors
    /// [`Kind::Refused`] for a no, and where there is no terminal to ask on.
    pub(super) fn confirm(&mut self, question: &str, sure: bool) -> Result<(), Failure> {
        if sure {
            return Ok(());
        }
        if !self.terminals.input || !self.terminals.err {
            return Err(Failure::said(
                Kind::Refused,
                "this asks for a confirmation, and there is no terminal to ask on",
            )
            .with_hint("say -yes"));
        }
        self.out.flush()?;
        write!(self.err, "{question} [y/N] ")?;
        self.err.flush()?;
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer)?;
        if matches!(answer.trim(), "y" | "Y" | "yes" | "Yes") {
            return Ok(());
        }
        Err(Failure::said(
            Kind::Refused,
            "not confirmed: nothing was changed",
        ))
    }
}

/// Whether colours are allowed at all.
pub(super) fn color(global: &Global) -> bool {
    let forbidden = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    !global.no_color && !forbidden && !dumb
}

/// Which server is meant.
pub(super) async fn place(global: &Global) -> Result<Place, Failure> {
    let file_data = Bootstrap::load(global.config.as_deref())?.data;
    let wanted = Wanted {
        server: global.server.clone(),
        data: global.data.clone(),
        file_data,
        token_file: global.token_file.clone(),
    };
    Ok(wanted.place(|name| std::env::var_os(name)).await?)
}

/// The bootstrap file that was named, as a server finds it from its own directory.
pub(super) fn config_file(global: &Global) -> Result<Option<PathBuf>, Failure> {
    let absolute = |path: &PathBuf| {
        std::path::absolute(path).map_err(|source| LaunchError::Data {
            path: path.clone(),
            source,
        })
    };
    Ok(global.config.as_ref().map(absolute).transpose()?)
}

/// Resource classes of the installation's own.
pub(super) fn classes(bootstrap: &Bootstrap) -> Classes {
    let sized = |(name, class): (&String, &bootstrap::Class)| {
        // A size that cannot be was refused when the file was read.
        let (cpu_millis, memory_mb) = class.size()?;
        let size = Size {
            cpu_millis,
            memory_mb,
        };
        Some((name.clone(), size))
    };
    bootstrap.classes.iter().filter_map(sized).collect()
}

/// The runtime of a verb that speaks to a server: one thread suffices.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    Ok(tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_to_repeat_reaches_the_same_server() {
        let global = Global {
            data: Some("/tmp/my data".into()),
            ..Global::default()
        };
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let context = Context::new(&mut out, &mut err, Terminals::default(), &global);
        assert_eq!(
            context.command(&["logs", "abc"]),
            "roundel --data '/tmp/my data' logs abc"
        );
    }

    #[test]
    fn without_a_terminal_a_confirmation_is_refused_unless_given() {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut context =
            Context::new(&mut out, &mut err, Terminals::default(), &Global::default());
        assert!(context.confirm("Really?", true).is_ok());
        assert_eq!(
            context.confirm("Really?", false).unwrap_err().end().code(),
            5
        );
    }
}
