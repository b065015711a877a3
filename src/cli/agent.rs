//! `agent`: the main process of a run, started by the server.

use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Directory of the attempt
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
}

pub(super) fn run(args: &Args) -> ExitCode {
    // To be wired: roundel::agent::run(&args.dir).
    eprintln!("error: the agent for `{}` is not wired", args.dir.display());
    ExitCode::from(3)
}
