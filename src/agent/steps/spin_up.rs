//! Step 0, "Spin up environment": makes the place and says what it is.

use super::Context;
use crate::agent::executors::Host;
use crate::api::agent::SPIN_UP;
use crate::api::builds::StepStatus;

/// Makes the host ready. An error is a sentence: the ground gave way, no step ran.
pub(super) async fn run(context: &Context<'_>) -> Result<Host, String> {
    context.journal.step_started(SPIN_UP).await;
    let host = Host::prepare(context.task, context.dir);
    let mut lines = context.task.notes.clone();
    match &host {
        Ok(host) => {
            let (cpu, memory) = (
                f64::from(context.task.cpu_millis) / 1000.0,
                context.task.memory_mb,
            );
            lines.push(match &host.cgroup.unlimited {
                None => format!("Limits: {cpu} cpu, {memory} MB."),
                Some(why) => format!("Asked for {cpu} cpu and {memory} MB; {why}."),
            });
        }
        Err(err) => lines.push(format!("The environment could not be made: {err}")),
    }
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    context.journal.output(SPIN_UP, 1, text.as_bytes()).await;
    let status = if host.is_ok() {
        StepStatus::Success
    } else {
        StepStatus::Failed
    };
    context.journal.step_ended(SPIN_UP, status, None).await;
    host.map_err(|err| format!("the environment could not be made: {err}"))
}
