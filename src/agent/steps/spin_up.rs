//! Step 0, "Spin up environment": makes the place and says what it is.

use std::sync::Arc;

use super::Context;
use crate::agent::environment::{self, Environment};
use crate::agent::executors::{Docker, Host, NotReady, Vm};
use crate::agent::log;
use crate::agent::mask::Mask;
use crate::api::agent::{self, SPIN_UP};
use crate::api::builds::StepStatus;
use crate::api::projects::Variable;

/// Makes the host ready.
pub(super) async fn host(context: &Context<'_>) -> Result<Host, NotReady> {
    let made = async { on_host(context, begin(context).await?).await };
    end(context, made.await).await
}

async fn on_host(context: &Context<'_>, environment: Environment) -> Result<Host, NotReady> {
    let host = Host::prepare(context.task, environment, context.dir)
        .map_err(|err| NotReady::Broken(format!("the environment could not be made: {err}")))?;
    let (cpu, memory) = (
        f64::from(context.task.cpu_millis) / 1000.0,
        context.task.memory_mb,
    );
    let line = match &host.cgroup.unlimited {
        None => format!("Limits: {cpu} cpu, {memory} MB."),
        Some(why) => format!("Asked for {cpu} cpu and {memory} MB; {why}."),
    };
    say(context, 1, &[line]).await;
    Ok(host)
}

/// Makes containers ready.
pub(super) async fn containers(
    context: &Context<'_>,
    docker: &agent::Docker,
) -> Result<Docker, NotReady> {
    let (task, journal) = (context.task, context.journal);
    let made = async {
        let environment = begin(context).await?;
        let (dir, deadline) = (context.dir, context.deadline);
        Docker::prepare(task, environment, docker, dir, journal, deadline).await
    };
    end(context, made.await).await
}

/// Makes a machine ready.
pub(super) async fn machine(context: &Context<'_>, vm: &agent::Vm) -> Result<Vm, NotReady> {
    let (task, journal) = (context.task, context.journal);
    let made = async {
        let environment = begin(context).await?;
        let (own, deadline) = ((context.dir, context.token), context.deadline);
        Vm::prepare(task, environment, vm, own, journal, deadline).await
    };
    end(context, made.await).await
}

/// Begins the step, and gets the environment; from here on the project's variables are hidden in all output.
async fn begin(context: &Context<'_>) -> Result<Environment, NotReady> {
    let (task, journal) = (context.task, context.journal);
    journal.step_started(SPIN_UP).await;
    say(context, 1, &task.notes).await;
    if task.variables.is_none() {
        return Ok(Environment::of(task, Vec::new()));
    }
    let locked = async || {
        let why = "Waiting for the project's variables: the secrets of the server are locked, until `roundel unlock`.";
        say(context, 2, &[why.to_owned()]).await;
    };
    let variables = environment::fetch(task, context.dir, context.token, locked);
    let variables = tokio::select! {
        variables = variables => variables.map_err(NotReady::Broken)?,
        () = journal.stopped() => return Err(NotReady::Stopped),
        () = tokio::time::sleep_until(context.deadline.into()) => return Err(NotReady::Late),
    };
    let hidden = variables.iter().flat_map(Variable::hides);
    if let Some(mask) = Mask::new(hidden).map(Arc::new) {
        log::hide(&mask);
        journal.hide(mask);
    }
    let names = |of_project: bool| {
        let of_it = |variable: &&Variable| variable.hidden.is_none() == of_project;
        let names = variables.iter().filter(of_it);
        names.map(|variable| &*variable.name).collect::<Vec<_>>()
    };
    for (names, what) in [
        (names(false), "Variables of the proxy"),
        (
            names(true),
            "Variables of the project, masked in the output",
        ),
    ] {
        if !names.is_empty() {
            say(context, 1, &[format!("{what}: {}.", names.join(", "))]).await;
        }
    }
    Ok(Environment::of(task, variables))
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
