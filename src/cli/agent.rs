//! `agent`: the main process of a run, started by the server and by nobody else. Standard error is its own log.

use std::path::PathBuf;
use std::process::ExitCode;

use super::logging;

/// Runs one attempt.
#[derive(Debug, clap::Parser)]
#[command(name = "roundel agent")]
pub(super) struct Args {
    /// Directory of the attempt
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
}

pub(super) fn run(args: &Args) -> ExitCode {
    // A log that cannot be had must not cost a build.
    let _ = logging::start(None, None);
    roundel::agent::run(&args.dir)
}
