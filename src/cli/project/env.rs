//! `project env`: the variables of a project. Values come from a file or pipe, never from the command line, where every
//! account of the machine could read them.

use std::fs;
use std::io::{self, Read};
use std::path::PathBuf;

use roundel::api::projects::Variable;
use roundel::error::Kind;
use roundel::secret::{self, Secret};
use rustix::termios::OptionalActions;

use super::Named;
use crate::cli::context::Context;
use crate::cli::{End, Failure};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Verb {
    /// List the variables, without their values
    List(Named),
    /// Set a variable to what comes on standard input
    Set {
        #[command(flatten)]
        project: Named,
        /// Its name
        name: String,
        /// Read the value from this file instead
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Take a variable away
    Unset {
        #[command(flatten)]
        project: Named,
        /// Its name
        name: String,
    },
}

pub(super) async fn run(verb: &Verb, context: &mut Context<'_>) -> Result<End, Failure> {
    match verb {
        Verb::List(project) => {
            let reference = project.reference()?;
            let rows = context.connect().await?.project_env(&reference).await?;
            let none = "No variable is set. `roundel project env set PROJECT NAME` sets one.";
            let heading = ["Name", "Value", "Set at", "By"];
            context.rows(rows, none, heading, |row| {
                [row.name, row.value, row.set_at.to_string(), row.by]
            })
        }
        Verb::Set {
            project,
            name,
            file,
        } => {
            let reference = project.reference()?;
            secret::checked_name(name)?;
            let bytes = match file {
                Some(path) => read_file(path)?,
                None => read_input(name, context)?,
            };
            let variable = Variable {
                name: name.clone(),
                value: Secret::variable(name, bytes)?,
                hidden: None,
            };
            let client = context.connect().await?;
            let written = client.set_project_env(&reference, &variable).await?;
            let set = &written.value;
            let text = format!("{} is set for {}.", set.name, set.project);
            context.done(&written, &text)
        }
        Verb::Unset { project, name } => {
            let reference = project.reference()?;
            let client = context.connect().await?;
            let written = client.unset_project_env(&reference, name).await?;
            let gone = &written.value;
            let text = format!("{} is no more set for {}.", gone.name, gone.project);
            context.done(&written, &text)
        }
    }
}

/// One byte more than a value can have, so that a longer one is known as such.
const READ_MAX: u64 = secret::BYTES_MAX as u64 + 1;

fn read_file(path: &PathBuf) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    fs::File::open(path)
        .and_then(|file| file.take(READ_MAX).read_to_end(&mut bytes))
        .map_err(|err| {
            let kind = match err.kind() {
                io::ErrorKind::NotFound => Kind::NotFound,
                _ => Kind::Infrastructure,
            };
            Failure::said(kind, format!("failed to read `{}`: {err}", path.display()))
        })?;
    Ok(bytes)
}

/// What a pipe holds; on a terminal one line, which is not shown while it is typed.
fn read_input(name: &str, context: &mut Context<'_>) -> Result<Vec<u8>, Failure> {
    if context.terminals.input {
        let question = format!("Value of {name} (it is not shown)");
        return context.hidden(&question, OptionalActions::Now);
    }
    let mut bytes = Vec::new();
    io::stdin().lock().take(READ_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}
