//! A `run` step: a script in a shell.

use std::ffi::OsString;
use std::time::Duration;

use super::Context;
use crate::agent::executors::{End, Executor, Program};
use crate::pipeline::plan::RunStep;

/// A script longer than this goes to the shell as a file: the kernel takes 128 KiB for one argument.
const INLINE_MAX: usize = 100 * 1024;

pub(super) async fn run(
    context: &Context<'_>,
    executor: &mut impl Executor,
    index: u16,
    step: &RunStep,
) -> End {
    let shell = step.shell.as_deref().or(context.task.shell.as_deref());
    let mut words: Vec<OsString> = match shell {
        Some(shell) => shell.split_whitespace().map(OsString::from).collect(),
        None => default_shell(executor.has_bash()),
    };
    if step.command.len() <= INLINE_MAX {
        words.push("-c".into());
        words.push(step.command.as_str().into());
    } else {
        match executor
            .keep_script(&format!("step-{index}"), &step.command)
            .await
        {
            Ok(script) => words.push(script),
            Err(err) => return End::Failed(err),
        }
    }
    let program = Program {
        step: index,
        words,
        directory: executor.places().of_step(step.working_directory.as_deref()),
        environment: &step.environment,
        silence: (step.no_output_timeout_s > 0)
            .then(|| Duration::from_secs(step.no_output_timeout_s)),
        deadline: context.deadline,
        background: step.background,
    };
    executor.run(&program, context.journal).await
}

fn default_shell(has_bash: bool) -> Vec<OsString> {
    // dash knows no pipefail.
    let words: &[&str] = if has_bash {
        &["/bin/bash", "-eo", "pipefail"]
    } else {
        &["/bin/sh", "-e"]
    };
    words.iter().map(OsString::from).collect()
}
