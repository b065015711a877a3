//! The `roundel` program: arguments, logging, then a verb or the console, then the exit code.

mod cli;
mod console;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main(std::env::args_os())
}
