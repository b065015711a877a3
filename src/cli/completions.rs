//! `completions`: scripts that complete verbs and options in a shell.

use clap::CommandFactory;
use clap_complete::Shell;

use super::context::Context;
use super::{Cli, End, Failure};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Which shell
    shell: Shell,
}

pub(super) fn run(args: &Args, context: &mut Context<'_>) -> Result<End, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "roundel", &mut script);
    context.out.write_all(&script)?;
    Ok(End::Ok)
}
