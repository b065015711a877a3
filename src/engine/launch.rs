//! Carries out what the dispatcher decided, once it is durable: builds submissions and hands them to the fleet.

use std::collections::HashSet;
use std::sync::Arc;

use tokio::sync::mpsc;

use super::gate::Gate;
use super::handle::Handle;
use super::machines::Machines;
use super::outbox::Effect;
use super::reports::{AgentEvent, Report};
use super::room::Room;
use super::told::of_proxy;
use super::view::View;
use super::vms::Vms;
use crate::clock;
use crate::cluster::{Fleet, Report as FleetReport, Reports, Source, Submission};
use crate::error::Chain;
use crate::ids::{AttemptId, NodeId};
use crate::pipeline::{Executor, JobPlan};
use crate::services::health::Part;
use crate::storage::logs::LogStore;
use crate::storage::space::Space;
use crate::store::{StartRecord, StoreError};

/// Carries out effects in order until the dispatcher ends.
pub(super) async fn carry_out(
    mut effects: mpsc::UnboundedReceiver<Effect>,
    view: View,
    fleet: Arc<dyn Fleet>,
    handle: Handle,
    vms: Vms,
) {
    while let Some(effect) = effects.recv().await {
        match effect {
            Effect::Stop(attempt) => fleet.stop(attempt),
            Effect::Close(attempt) => vms.over(attempt),
            Effect::Launch {
                attempt,
                node,
                token,
            } => {
                let (view, fleet, handle) = (view.clone(), fleet.clone(), handle.clone());
                tokio::spawn(async move {
                    let reader = view.clone();
                    let begun = clock::monotonic();
                    let built = tokio::task::spawn_blocking(move || {
                        submission(&reader, attempt, node, token)
                    })
                    .await;
                    match built {
                        Ok(Ok(submission)) => {
                            fleet.submit(submission);
                            let meter = view.pulse.of(Part::Fleet);
                            meter.done(begun.elapsed(), clock::now());
                        }
                        Ok(Err(err)) => {
                            tracing::error!(attempt = %attempt, error = %Chain(&err), "a run could not be started");
                            let cause = format!("it could not be started: {}", Chain(&err));
                            let meter = view.pulse.of(Part::Fleet);
                            meter.failed(Chain(&err).to_string(), clock::now());
                            // A server that cannot write keeps the run placed and meets it again at its next start.
                            let _ = handle.report(Report::Gone { attempt, cause }).await;
                        }
                        Err(join) => {
                            tracing::error!(attempt = %attempt, error = %join, "a start was broken off");
                        }
                    }
                });
            }
        }
    }
}

/// Why a run that was placed cannot be started.
#[derive(Debug, thiserror::Error)]
enum LaunchError {
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The settings were changed since.
    #[error("{0}")]
    Refused(String),
}

fn submission(
    view: &View,
    attempt: AttemptId,
    node: NodeId,
    token: String,
) -> Result<Submission, LaunchError> {
    let missing = || StoreError::Corrupt { what: "run" };
    let StartRecord {
        run,
        job,
        pipeline,
        key,
        origin,
        variables: of_project,
    } = view.store.start_of(attempt)?.ok_or_else(missing)?;
    let plan: JobPlan = serde_json::from_str(&job.spec).map_err(|_| StoreError::Corrupt {
        what: "compiled job",
    })?;
    let machines = match &plan.executor {
        Executor::Machine { .. } => Machines::of(&view.values.borrow()),
        _ => Machines::Process,
    };
    let vm = match machines {
        Machines::Process => None,
        Machines::Vm(vm) => Some(vm),
        Machines::Refused(why) => return Err(LaunchError::Refused(why)),
    };
    let mut notes = plan.notes.clone();
    if plan.resource_class.is_none()
        && (run.cpu_millis, run.memory_mb) != (plan.cpu_millis, plan.memory_mb)
    {
        notes.push(format!(
            "No resource_class is set: the default asks for {} and {} MB, this machine can give {} and {} MB.",
            cores(plan.cpu_millis),
            plan.memory_mb,
            cores(run.cpu_millis),
            run.memory_mb
        ));
    }
    let (org, name) = pipeline
        .title
        .split_once('/')
        .unwrap_or(("", &pipeline.title));
    let mut environment: Vec<(String, String)> = [
        ("CI", "true".to_owned()),
        ("CIRCLECI", "true".to_owned()),
        ("CIRCLE_SHA1", pipeline.revision.clone()),
        ("CIRCLE_BUILD_NUM", run.number.to_string()),
        ("CIRCLE_JOB", run.job_name.clone()),
        ("CIRCLE_NODE_INDEX", run.copy.to_string()),
        ("CIRCLE_NODE_TOTAL", run.copies.to_string()),
        ("CIRCLE_PIPELINE_ID", run.pipeline.to_string()),
        ("CIRCLE_WORKFLOW_ID", run.workflow.to_string()),
        ("CIRCLE_WORKFLOW_JOB_ID", run.job.to_string()),
        ("CIRCLE_PROJECT_USERNAME", org.to_owned()),
        ("CIRCLE_PROJECT_REPONAME", name.to_owned()),
        ("CIRCLE_REPOSITORY_URL", origin.clone()),
        ("CIRCLE_WORKING_DIRECTORY", plan.working_directory.clone()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect();
    let reference = match (&*pipeline.tag, &*pipeline.branch) {
        // A commit that was checked out by itself.
        ("", "") => None,
        ("", branch) => Some(("CIRCLE_BRANCH", branch)),
        (tag, _) => Some(("CIRCLE_TAG", tag)),
    };
    environment.extend(reference.map(|(name, value)| (name.to_owned(), value.to_owned())));
    // As CircleCI has it: what is built in gives way to the project, and that to the job.
    let values = view.values.borrow().clone();
    let asks = !of_project.is_empty() || !of_proxy(&values, &plan, &of_project).is_empty();
    let variables = asks.then_some(environment.len());
    if let Executor::Docker { containers } = &plan.executor {
        let primary = containers.iter().take(1);
        environment.extend(primary.flat_map(|container| container.environment.clone()));
    }
    environment.extend(plan.environment.iter().cloned());
    Ok(Submission {
        attempt,
        node,
        name: run.name,
        token,
        job: plan,
        environment,
        variables,
        notes,
        vm,
        checkout: Source {
            project_key: key,
            origin,
            revision: pipeline.revision,
            branch: pipeline.branch,
            tag: pipeline.tag,
        },
        cpu_millis: run.cpu_millis,
        memory_mb: run.memory_mb,
    })
}

fn cores(millis: u32) -> String {
    format!("{} cpu", f64::from(millis) / 1000.0)
}

/// Takes a fleet's reports into the engine.
#[derive(Clone, Debug)]
pub struct Inbox {
    pub(super) handle: Handle,
    pub(super) view: View,
    pub(super) logs: LogStore,
}

impl Reports for Inbox {
    async fn report(&self, report: FleetReport) -> bool {
        let result = match report {
            FleetReport::Gone { attempt, cause, .. } => {
                self.handle.report(Report::Gone { attempt, cause }).await
            }
            FleetReport::NeverStarted { attempt } => {
                self.handle.report(Report::NeverStarted { attempt }).await
            }
            FleetReport::Containers(found) => {
                self.handle.containers(found).await;
                Ok(())
            }
            FleetReport::Spool { attempt, records } => {
                let logs = self.logs.clone();
                let appended = tokio::task::spawn_blocking(move || {
                    let kept = logs.append(attempt, &records);
                    (records, kept)
                });
                let Ok((records, kept)) = appended.await else {
                    return false;
                };
                if let Err(err) = kept {
                    tracing::warn!(attempt = %attempt, error = %Chain(&err), "left-over output could not be kept yet");
                    return false;
                }
                let last_seq = records.last().map_or(0, |record| record.seq);
                let events = agent_events(&records);
                self.handle.agent_events(attempt, last_seq, events).await
            }
        };
        result.is_ok()
    }

    fn taken(&self, attempt: AttemptId) -> Option<u64> {
        self.view.gate.taken(attempt)
    }

    fn unreachable(&self, attempt: AttemptId) -> bool {
        let gate = &self.view.gate;
        gate.unreachable(attempt, clock::now()).is_some()
    }
}

/// The events among records, with their sequence numbers, in the engine's words.
fn agent_events(records: &[crate::api::agent::Record]) -> Vec<(u64, AgentEvent)> {
    records
        .iter()
        .filter_map(|record| Some((record.seq, AgentEvent::from_record(record)?)))
        .collect()
}

/// Lets time pass for the dispatcher: drains that fall due, a full store tried anew, agents that fall silent or come back,
/// and the room on the disk.
pub(super) async fn tick(handle: Handle, gate: Arc<Gate>, room: Room) {
    let mut seconds = 0u64;
    let mut silent = HashSet::new();
    let mut every = tokio::time::interval(std::time::Duration::from_secs(1));
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        if handle.to.send(super::handle::Message::Tick).await.is_err() {
            return;
        }
        let now_silent = gate.all_unreachable(clock::now());
        if now_silent != silent {
            handle.heard(now_silent.symmetric_difference(&silent)).await;
            silent = now_silent;
        }
        if seconds.is_multiple_of(5) {
            handle.write_refusals().await;
            let room = room.clone();
            let look = move || room.low(|path| Some(Space::of(path)?.free_percent()));
            if let Ok(low) = tokio::task::spawn_blocking(look).await {
                handle.disk(low).await;
            }
        }
        seconds += 1;
    }
}
