//! Runs: into the queue, onto nodes, and what becomes of them.

use std::borrow::Cow;

use super::builds::Batch;
use super::command::{CommandError, Reply};
use super::outbox::{Effect, Topic};
use super::reports::AgentEvent;
use super::roster::Move;
use super::state::{Attempt, StopReason, executor_kind};
use crate::ids::{AttemptId, WorkflowId, fleet_name};
use crate::pipeline::JobPlan;
use crate::pipeline::status::{Outcome, RunState, Status, StepStatus};
use crate::queue::{Shape, Waiting};
use crate::scheduler::Placement;
use crate::store::{HotRun, NewAttempt, Stopped, StoreError};

/// Priority of every run until something sets another: the middle of Nomad's 1 to 100.
const PRIORITY: u8 = 50;

/// Placements per batch: bounds the work that one commit must make durable.
const PLACE_MAX: usize = 256;

impl Batch<'_, '_> {
    /// Makes a run of each parallel copy of a job and puts it in the queue.
    pub(super) fn enqueue_job(
        &mut self,
        workflow: WorkflowId,
        position: u32,
    ) -> Result<(), StoreError> {
        let live = self
            .state
            .workflows
            .get_mut(&workflow)
            .ok_or(StoreError::Corrupt { what: "workflow" })?;
        let job = &mut live.jobs[position as usize];
        let (job_id, copies) = (job.id, job.parallelism);
        job.open = copies;
        for copy in 0..copies {
            self.enqueue_run(workflow, position, job_id, copy, copies, None)?;
        }
        Ok(())
    }

    /// Puts one copy in the queue; `again` is the interrupted attempt it replaces, whose age it keeps.
    fn enqueue_run(
        &mut self,
        workflow: WorkflowId,
        position: u32,
        job: crate::ids::JobId,
        copy: u32,
        copies: u32,
        again: Option<Waiting>,
    ) -> Result<(), StoreError> {
        let missing = StoreError::Corrupt { what: "job" };
        let Some(job) = self.tx.job(job)? else {
            return Err(missing);
        };
        let Some(pipeline) = self.tx.pipeline(job.pipeline)? else {
            return Err(missing);
        };
        let Some(pass) = self.tx.workflow(workflow)? else {
            return Err(missing);
        };
        let plan: JobPlan = serde_json::from_str(&job.spec).map_err(|_| StoreError::Corrupt {
            what: "compiled job",
        })?;
        let (mut cpu_millis, mut memory_mb) = (plan.cpu_millis, plan.memory_mb);
        if plan.resource_class.is_none() {
            // A class that nobody asked for must not make a small machine refuse the job.
            let (cpu_most, memory_most) = self.state.largest_node;
            (cpu_millis, memory_mb) = (cpu_millis.min(cpu_most), memory_mb.min(memory_most));
        }
        let id = AttemptId::fresh();
        let (org, name) = pipeline
            .title
            .split_once('/')
            .unwrap_or(("", &pipeline.title));
        let executor = plan.executor.word();
        let queued = again.map_or(self.now, |waiting| waiting.queued);
        let project = self
            .state
            .workflows
            .get(&workflow)
            .map(|live| live.project)
            .ok_or(missing)?;
        let new = NewAttempt {
            id,
            job: &job,
            workflow_name: &pass.name,
            project,
            title: &pipeline.title,
            branch: if pipeline.branch.is_empty() {
                &pipeline.tag
            } else {
                &pipeline.branch
            },
            name: &fleet_name(id, copy, org, name, job.number),
            copy,
            copies,
            executor,
            resource_class: plan.resource_class.as_deref(),
            cpu_millis,
            memory_mb,
            priority: PRIORITY,
            queued,
            requeued: again.is_some(),
        };
        self.tx.insert_attempt(&new)?;
        self.out.moves.push(Move::Waits(Box::new(hot(&new))));
        let shape = Shape {
            cpu_millis,
            memory_mb,
            executor: executor_kind(executor),
        };
        let waiting = Waiting {
            attempt: id,
            project,
            shape,
            priority: PRIORITY,
            queued,
        };
        self.state.scheduler.enqueue(waiting);
        let attempt = Attempt {
            workflow,
            position,
            copy,
            stopping: None,
            requeued: again.is_some(),
            seq: 0,
            started: false,
        };
        self.state.attempts.insert(id, attempt);
        self.state.note_unserved(id, shape.executor);
        self.out.touch(Topic::Runs, id);
        Ok(())
    }

    /// Places what can be placed. Answers whether there may be more.
    pub(super) fn place(&mut self, placed_after: &mut Vec<i64>) -> Result<bool, StoreError> {
        let placements = self.state.scheduler.place(self.now, PLACE_MAX);
        for Placement { run, node } in &placements {
            let id = run.attempt;
            let Some(attempt) = self.state.attempts.get(&id) else {
                continue;
            };
            let (workflow, position) = (attempt.workflow, attempt.position);
            placed_after.push(self.now.0 - run.queued.0);
            let token = new_token(id);
            let name = self
                .state
                .nodes
                .get(node)
                .map(|node| node.record.name.clone())
                .unwrap_or_default();
            let hash = crate::access::hash(&token);
            self.tx.place_attempt(id, *node, &name, &hash, self.now)?;
            let move_to = Move::Placed(id, name.into_boxed_str(), self.now);
            self.out.moves.push(move_to);
            self.out.touch(Topic::Runs, id);
            self.out.touch_node(*node);
            self.out.effects.push(Effect::Launch {
                attempt: id,
                node: *node,
                token,
            });
            self.job_began(workflow, position)?;
        }
        Ok(placements.len() == PLACE_MAX)
    }

    fn job_began(&mut self, workflow: WorkflowId, position: u32) -> Result<(), StoreError> {
        let Some(live) = self.state.workflows.get(&workflow) else {
            return Ok(());
        };
        let job = &live.jobs[position as usize];
        if job.status == Status::Queued {
            self.tx
                .set_job(job.id, Status::Running, None, Some(self.now), None)?;
            self.set_job(workflow, position, Status::Running)?;
            self.settle(workflow)?;
        }
        Ok(())
    }

    /// Takes what an agent reported; what was taken before is skipped.
    pub(super) fn agent_events(
        &mut self,
        id: AttemptId,
        last_seq: u64,
        events: Vec<(u64, AgentEvent)>,
    ) -> Result<(), StoreError> {
        let Some(attempt) = self.state.attempts.get(&id) else {
            return Ok(());
        };
        let taken = attempt.seq;
        let mut step_now = None;
        for (_, event) in events.into_iter().filter(|(seq, _)| *seq > taken) {
            match event {
                AgentEvent::Started { at } => {
                    // Heard late where the server was away meanwhile; never later than now, whatever the node's clock says.
                    let at = self.tx.start_attempt(id, at.min(self.now))?;
                    self.out.moves.push(Move::Started(id, at));
                    if let Some(attempt) = self.state.attempts.get_mut(&id) {
                        attempt.started = true;
                    }
                }
                AgentEvent::StepStarted { step, at } => {
                    self.tx
                        .set_step(id, step, StepStatus::Running, None, Some(at), None)?;
                    step_now = Some(step);
                }
                AgentEvent::StepEnded {
                    step,
                    at,
                    status,
                    exit_code,
                } => {
                    self.tx
                        .set_step(id, step, status, exit_code, None, Some(at))?;
                }
                AgentEvent::Finished {
                    at,
                    outcome,
                    cause,
                    step,
                    exit_code,
                } => {
                    self.tx.advance_attempt(id, last_seq, step_now)?;
                    let end = Stopped {
                        at: at.min(self.now),
                        outcome,
                        cause: &cause,
                        step,
                        exit_code,
                    };
                    self.out.touch(Topic::Runs, id);
                    return self.end_run(id, end);
                }
            }
        }
        self.tx.advance_attempt(id, last_seq.max(taken), step_now)?;
        if let Some(attempt) = self.state.attempts.get_mut(&id) {
            attempt.seq = attempt.seq.max(last_seq);
        }
        self.out.touch(Topic::Runs, id);
        Ok(())
    }

    /// An agent is gone without a word: the run is not done again by itself, since nobody knows how far it came.
    pub(super) fn agent_gone(&mut self, id: AttemptId, cause: &str) -> Result<(), StoreError> {
        let Some(attempt) = self.state.attempts.get(&id) else {
            return Ok(());
        };
        let outcome = if attempt.stopping.is_some() {
            Outcome::Canceled
        } else {
            Outcome::InfrastructureFail
        };
        self.end_run(
            id,
            Stopped {
                at: self.now,
                outcome,
                cause,
                step: None,
                exit_code: None,
            },
        )
    }

    /// The fleet holds nothing of an attempt that was placed. One that never began goes back to the queue as it was.
    /// One that had begun is not begun again by itself: nobody knows what it had done.
    pub(super) fn never_started(&mut self, id: AttemptId) -> Result<(), StoreError> {
        let Some(attempt) = self.state.attempts.get(&id) else {
            return Ok(());
        };
        if attempt.stopping.is_some() {
            return self.agent_gone(id, "stopped before it began");
        }
        if attempt.started {
            return self.agent_gone(id, "what it left is not on this machine");
        }
        let Some(Placement { run, node }) = self.state.scheduler.release(id) else {
            return Ok(());
        };
        self.state.scheduler.enqueue(run);
        self.tx.unplace_attempt(id)?;
        self.out.moves.push(Move::Returned(id));
        self.out.effects.push(Effect::Close(id));
        self.out.touch(Topic::Runs, id);
        self.out.touch_node(node);
        Ok(())
    }

    /// Ends a run: frees its node, and requeues it once when it was interrupted.
    fn end_run(&mut self, id: AttemptId, mut end: Stopped<'_>) -> Result<(), StoreError> {
        let Some(attempt) = self.state.attempts.remove(&id) else {
            return Ok(());
        };
        if attempt.stopping == Some(StopReason::Drained) && end.outcome == Outcome::Canceled {
            end.outcome = Outcome::Interrupted;
            end.cause = if attempt.requeued {
                "its node was drained again; not tried a third time"
            } else {
                "its node was drained; requeued at its old place"
            };
        }
        let waiting = match self.state.scheduler.release(id) {
            Some(placement) => {
                self.out.touch_node(placement.node);
                Some(placement.run)
            }
            None => self.state.scheduler.withdraw(id),
        };
        self.tx.stop_attempt(id, &end)?;
        self.out.moves.push(Move::Over(id));
        self.out.ended.push(end.outcome);
        self.out.effects.push(Effect::Close(id));
        self.out.touch(Topic::Runs, id);
        if end.outcome == Outcome::Interrupted && !attempt.requeued {
            let copies = self.state.workflows.get(&attempt.workflow).map(|workflow| {
                let job = &workflow.jobs[attempt.position as usize];
                (job.id, job.parallelism)
            });
            if let Some((job, copies)) = copies {
                return self.enqueue_run(
                    attempt.workflow,
                    attempt.position,
                    job,
                    attempt.copy,
                    copies,
                    waiting,
                );
            }
        }
        self.run_ended(attempt.workflow, attempt.position)
    }

    /// Somebody stops one run.
    pub(super) fn stop_run(&mut self, id: AttemptId) -> Result<Reply, CommandError> {
        let record = self.tx.attempt(id)?.ok_or(CommandError::NotFound {
            what: "run",
            name: id.to_string(),
        })?;
        if !self.state.attempts.contains_key(&id) {
            let why = "is over already".to_owned();
            return Err(CommandError::Conflict {
                what: "run",
                name: record.name,
                why,
            });
        }
        self.cancel_run(id)?;
        Ok(Reply::Pipeline {
            pipeline: record.pipeline,
            workflow: Some(record.workflow),
        })
    }

    /// A run that waits ends at once; one that runs is told to stop.
    pub(super) fn cancel_run(&mut self, id: AttemptId) -> Result<(), StoreError> {
        if self.state.scheduler.node_of(id).is_some() {
            return self.ask_to_stop(id, StopReason::Canceled);
        }
        let end = Stopped {
            at: self.now,
            outcome: Outcome::Canceled,
            cause: "",
            step: None,
            exit_code: None,
        };
        self.end_run(id, end)
    }

    /// Ends a run that waits and that nobody will ever start.
    pub(super) fn end_waiting(&mut self, id: AttemptId, cause: &str) -> Result<(), StoreError> {
        if self.state.scheduler.waiting(id).is_none() {
            return Ok(());
        }
        self.end_run(
            id,
            Stopped {
                at: self.now,
                outcome: Outcome::InfrastructureFail,
                cause,
                step: None,
                exit_code: None,
            },
        )
    }

    /// Tells a run that runs to stop; a cancel beats a drain.
    pub(super) fn ask_to_stop(&mut self, id: AttemptId, why: StopReason) -> Result<(), StoreError> {
        let Some(attempt) = self.state.attempts.get_mut(&id) else {
            return Ok(());
        };
        if attempt.stopping == Some(StopReason::Canceled) || attempt.stopping == Some(why) {
            return Ok(());
        }
        attempt.stopping = Some(why);
        self.tx.set_stopping(id, why.word())?;
        self.out.moves.push(Move::Stopping(id));
        self.out.effects.push(Effect::Stop(id));
        self.out.touch(Topic::Runs, id);
        Ok(())
    }
}

/// What lists keep of a run that begins to wait.
fn hot(new: &NewAttempt<'_>) -> HotRun<'static> {
    let text = |text: &str| Cow::Owned(text.to_owned());
    HotRun {
        id: new.id,
        name: text(new.name),
        copy: new.copy,
        job_name: text(&new.job.name),
        workflow_name: text(new.workflow_name),
        title: text(new.title),
        number: new.job.number,
        branch: text(new.branch),
        executor: text(new.executor),
        resource_class: new.resource_class.map(text),
        cpu_millis: new.cpu_millis,
        priority: new.priority,
        state: RunState::Pending,
        stopping: false,
        queued: new.queued,
        placed: None,
        started: None,
        node_name: None,
    }
}

/// A token for one attempt: `rdla_`, the attempt, and 244 random bits.
fn new_token(attempt: AttemptId) -> String {
    let secret = [uuid::Uuid::new_v4(), uuid::Uuid::new_v4()]
        .map(|part| part.simple().to_string())
        .concat();
    format!("rdla_{}_{secret}", attempt.short())
}
