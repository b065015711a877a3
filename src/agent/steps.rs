//! The steps of a run, in order, by their `when`.

mod checkout;
mod run;
mod spin_up;

use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::executors::{End, Executor, NotReady};
use super::journal::Journal;
use super::session::Session;
use crate::api::agent::{Finished, SPIN_UP, Task};
use crate::api::builds::{Outcome, StepStatus};
use crate::clock;
use crate::pipeline::Step;
use crate::pipeline::plan::When;

/// What decided the run so far: outcome, words, step and exit code of the first thing that went wrong.
#[derive(Debug)]
struct Verdict {
    outcome: Outcome,
    cause: String,
    step: Option<u16>,
    exit_code: Option<i32>,
}

/// What every step can reach.
struct Context<'a> {
    task: &'a Task,
    token: &'a str,
    dir: &'a Path,
    journal: &'a Rc<Journal>,
    deadline: Instant,
}

/// Runs all steps and answers how it went. Nothing is left running.
pub(super) async fn run_all(session: &Session, dir: &Path, journal: &Rc<Journal>) -> Finished {
    let task = &session.task;
    let deadline = clock::monotonic() + Duration::from_secs(task.deadline_s);
    let context = Context {
        task,
        token: &session.token,
        dir,
        journal,
        deadline,
    };
    let verdict = match (&task.docker, &task.vm) {
        (Some(docker), _) => run_in(&context, spin_up::containers(&context, docker).await).await,
        (None, Some(vm)) => run_in(&context, spin_up::machine(&context, vm).await).await,
        (None, None) => run_in(&context, spin_up::host(&context).await).await,
    };
    let verdict = verdict.unwrap_or(Verdict {
        outcome: Outcome::Success,
        cause: String::new(),
        step: None,
        exit_code: None,
    });
    Finished {
        at: clock::now(),
        outcome: verdict.outcome,
        cause: journal.clean(verdict.cause),
        step: verdict.step,
        exit_code: verdict.exit_code,
        last_seq: journal.end_output().await,
    }
}

/// Runs the steps in the place that was made for them, if one was.
async fn run_in<E: Executor>(context: &Context<'_>, place: Result<E, NotReady>) -> Option<Verdict> {
    let (outcome, cause) = match place {
        Ok(mut executor) => {
            let verdict = plan_steps(context, &mut executor).await;
            executor.finish(context.journal).await;
            return verdict;
        }
        Err(NotReady::Broken(cause)) => (Outcome::InfrastructureFail, cause),
        Err(NotReady::Wrong(cause)) => (Outcome::Failed, cause),
        Err(NotReady::Stopped) => (Outcome::Canceled, String::new()),
        Err(NotReady::Late) => (Outcome::Timedout, late(context)),
    };
    Some(Verdict {
        outcome,
        cause,
        step: Some(SPIN_UP),
        exit_code: None,
    })
}

async fn plan_steps(context: &Context<'_>, executor: &mut impl Executor) -> Option<Verdict> {
    let mut verdict: Option<Verdict> = None;
    for (index, step) in (1u16..).zip(&context.task.steps) {
        let when = match step {
            Step::Run(run) => run.when,
            Step::Checkout { .. } => When::OnSuccess,
        };
        let over = verdict
            .as_ref()
            .is_some_and(|verdict| verdict.outcome != Outcome::Failed);
        let wanted = match when {
            When::Always => true,
            When::OnSuccess => verdict.is_none(),
            When::OnFail => verdict.is_some(),
        };
        if over || !wanted {
            context
                .journal
                .step_ended(index, StepStatus::Skipped, None)
                .await;
            continue;
        }
        context.journal.step_started(index).await;
        let end = if context.journal.is_stopped() {
            End::Stopped
        } else {
            match step {
                Step::Run(step) => run::run(context, executor, index, step).await,
                Step::Checkout { path, .. } => {
                    checkout::run(context, executor, index, path.as_deref()).await
                }
            }
        };
        let (status, found) = judge(step, index, &end, context);
        if let End::Failed(err) = &end {
            let words = format!("This step could not be started: {err}\n");
            context.journal.output(index, 2, words.as_bytes()).await;
        }
        let exit_code = match end {
            End::Exited(code) | End::OutOfMemory(code, _) => Some(code),
            _ => None,
        };
        tracing::info!(
            step = index,
            status = status.word(),
            exit_code,
            "step ended"
        );
        context.journal.step_ended(index, status, exit_code).await;
        // The first failure decides; only a stop or a time-out weighs more than a failed step.
        if let Some(found) = found
            && verdict
                .as_ref()
                .is_none_or(|_| found.outcome != Outcome::Failed)
        {
            verdict = Some(found);
        }
    }
    verdict
}

fn judge(
    step: &Step,
    index: u16,
    end: &End,
    context: &Context<'_>,
) -> (StepStatus, Option<Verdict>) {
    let name = step.name().lines().next().unwrap_or_default();
    let verdict = |outcome, cause, exit_code| {
        Some(Verdict {
            outcome,
            cause,
            step: Some(index),
            exit_code,
        })
    };
    match end {
        End::Exited(0) | End::Left => (StepStatus::Success, None),
        End::Exited(code) => {
            let cause = format!("step \"{name}\" exited with {code}");
            (
                StepStatus::Failed,
                verdict(Outcome::Failed, cause, Some(*code)),
            )
        }
        End::OutOfMemory(code, why) => {
            let cause = format!("step \"{name}\" exited with {code}: {why}");
            (
                StepStatus::Failed,
                verdict(Outcome::Failed, cause, Some(*code)),
            )
        }
        End::Gone(why) => {
            let cause = format!("step \"{name}\" was lost: {why}");
            (
                StepStatus::Failed,
                verdict(Outcome::InfrastructureFail, cause, None),
            )
        }
        End::Failed(err) => {
            let cause = format!("step \"{name}\" could not be started: {err}");
            (StepStatus::Failed, verdict(Outcome::Failed, cause, None))
        }
        End::Stopped => (
            StepStatus::Canceled,
            verdict(Outcome::Canceled, String::new(), None),
        ),
        End::Silent => {
            let limit = match step {
                Step::Run(run) => run.no_output_timeout_s,
                Step::Checkout { .. } => checkout::SILENCE.as_secs(),
            };
            let cause = format!(
                "step \"{name}\": too long with no output (exceeded {})",
                minutes(limit)
            );
            (
                StepStatus::Timedout,
                verdict(Outcome::Timedout, cause, None),
            )
        }
        End::Late => (
            StepStatus::Timedout,
            verdict(Outcome::Timedout, late(context), None),
        ),
    }
}

fn late(context: &Context<'_>) -> String {
    format!(
        "the run took longer than {}",
        minutes(context.task.deadline_s)
    )
}

/// Seconds in the form of CircleCI's own message: `10m0s`.
fn minutes(seconds: u64) -> String {
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, s) => format!("{s}s"),
        (0, m, s) => format!("{m}m{s}s"),
        (h, m, s) => format!("{h}h{m}m{s}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_written_as_circleci_writes_them() {
        assert_eq!(
            [minutes(5), minutes(600), minutes(3601)],
            ["5s", "10m0s", "1h0m1s"]
        );
    }
}
