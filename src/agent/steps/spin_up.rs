//! Step 0, "Spin up environment": makes the place and says what it is.

use super::Context;
use crate::agent::executors::{Docker, Host, NotReady};
use crate::api::agent::{self, SPIN_UP};
use crate::api::builds::StepStatus;

/// Makes the host ready.
pub(super) async fn host(context: &Context<'_>) -> Result<Host, NotReady> {
    begin(context).await;
    let host = Host::prepare(context.task, context.dir)
        .map_err(|err| NotReady::Broken(format!("the environment could not be made: {err}")));
    if let Ok(host) = &host {
        let (cpu, memory) = (
            f64::from(context.task.cpu_millis) / 1000.0,
            context.task.memory_mb,
        );
        let line = match &host.cgroup.unlimited {
            None => format!("Limits: {cpu} cpu, {memory} MB."),
            Some(why) => format!("Asked for {cpu} cpu and {memory} MB; {why}."),
        };
        say(context, 1, &[line]).await;
    }
    end(context, host).await
}

/// Makes containers ready.
pub(super) async fn containers(
    context: &Context<'_>,
    docker: &agent::Docker,
) -> Result<Docker, NotReady> {
    begin(context).await;
    let (task, journal) = (context.task, context.journal);
    let made = Docker::prepare(task, docker, context.dir, journal, context.deadline).await;
    end(context, made).await
}

async fn begin(context: &Context<'_>) {
    context.journal.step_started(SPIN_UP).await;
    say(context, 1, &context.task.notes).await;
}

async fn end<E>(context: &Context<'_>, made: Result<E, NotReady>) -> Result<E, NotReady> {
    let status = match &made {
        Ok(_) => StepStatus::Success,
        Err(NotReady::Broken(why) | NotReady::Wrong(why)) => {
            say(context, 2, std::slice::from_ref(why)).await;
            StepStatus::Failed
        }
        Err(NotReady::Stopped) => StepStatus::Canceled,
        Err(NotReady::Late) => StepStatus::Timedout,
    };
    context.journal.step_ended(SPIN_UP, status, None).await;
    made
}

async fn say(context: &Context<'_>, stream: u8, lines: &[String]) {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    context
        .journal
        .output(SPIN_UP, stream, text.as_bytes())
        .await;
}
