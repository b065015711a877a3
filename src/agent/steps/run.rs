//! A `run` step: a script in a shell.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use super::Context;
use crate::agent::executors::{End, Host, Program};
use crate::pipeline::plan::RunStep;

/// A script longer than this goes to the shell as a file: the kernel takes 128 KiB for one argument.
const INLINE_MAX: usize = 100 * 1024;

pub(super) async fn run(context: &Context<'_>, host: &mut Host, index: u16, step: &RunStep) -> End {
    let shell = step.shell.as_deref().or(context.task.shell.as_deref());
    let mut words: Vec<OsString> = match shell {
        Some(shell) => shell.split_whitespace().map(OsString::from).collect(),
        None => default_shell(),
    };
    if step.command.len() <= INLINE_MAX {
        words.push("-c".into());
        words.push(step.command.as_str().into());
    } else {
        let script = context.task.scratch.join(format!("step-{index}"));
        if let Err(err) = std::fs::write(&script, &step.command) {
            return End::Failed(err);
        }
        words.push(script.into());
    }
    let program = Program {
        step: index,
        words,
        directory: host.places.of_step(step.working_directory.as_deref()),
        environment: &step.environment,
        silence: (step.no_output_timeout_s > 0)
            .then(|| Duration::from_secs(step.no_output_timeout_s)),
        deadline: context.deadline,
        background: step.background,
    };
    host.run(&program, context.journal).await
}

fn default_shell() -> Vec<OsString> {
    let shell = if Path::new("/bin/bash").exists() {
        "/bin/bash"
    } else {
        "/bin/sh"
    };
    // dash knows no pipefail.
    let options = if shell == "/bin/bash" {
        vec!["-eo", "pipefail"]
    } else {
        vec!["-e"]
    };
    std::iter::once(shell)
        .chain(options)
        .map(OsString::from)
        .collect()
}
