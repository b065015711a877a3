//! `man`: writes the manual pages, one for the program and one for each verb.

use std::path::PathBuf;

use clap::CommandFactory;
use roundel::error::Kind;

use super::context::Context;
use super::{Cli, End, Failure};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folder that is there
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

pub(super) fn run(args: &Args, context: &mut Context<'_>) -> Result<End, Failure> {
    clap_mangen::generate_to(Cli::command(), &args.folder).map_err(|err| {
        let folder = args.folder.display();
        Failure::said(
            Kind::Usage,
            format!("failed to write the manual pages into `{folder}`: {err}"),
        )
    })?;
    writeln!(
        context.out,
        "The manual pages are in {}.",
        args.folder.display()
    )?;
    Ok(End::Ok)
}
