//! Pipelines, workflows and jobs: taking in, advancing the graph, rerunning, cancelling.

use super::command::{Actor, BuildCommand, CommandError, NewBuild, Reply};
use super::outbox::{Outbox, Topic};
use super::state::{Job, State, Workflow};
use crate::clock::Timestamp;
use crate::ids::{JobId, PipelineId, ProjectId, WorkflowId};
use crate::pipeline::status::{Outcome, Status};
use crate::pipeline::{Plan, WorkflowPlan};
use crate::storage::seal::Seal;
use crate::store::{JobRecord, NewJob, PipelineRecord, StoreError, Tx};

/// A batch being decided: everything a decision may read and change.
pub(super) struct Batch<'a, 'tx> {
    pub tx: &'a Tx<'tx>,
    pub state: &'a mut State,
    pub out: &'a mut Outbox,
    pub now: Timestamp,
    pub seal: &'a Seal,
}

/// The status of a job whose runs ended so: the worst of them.
fn worst(outcomes: impl IntoIterator<Item = Outcome>) -> Status {
    let rank = |outcome: Outcome| match outcome {
        Outcome::Success => (0, Status::Success),
        Outcome::Canceled => (1, Status::Canceled),
        Outcome::Failed => (2, Status::Failed),
        Outcome::Timedout => (3, Status::Timedout),
        Outcome::Interrupted | Outcome::InfrastructureFail => (4, Status::InfrastructureFail),
    };
    outcomes
        .into_iter()
        .map(rank)
        .max_by_key(|(rank, _)| *rank)
        .map_or(Status::Success, |(_, status)| status)
}

fn is_bad(status: Status) -> bool {
    matches!(
        status,
        Status::Failed | Status::Timedout | Status::InfrastructureFail | Status::Errored
    )
}

/// The status of a whole from those of its parts.
fn overall(parts: impl IntoIterator<Item = Status> + Clone) -> Status {
    let any = |wanted: fn(Status) -> bool| parts.clone().into_iter().any(wanted);
    let bad = |status| is_bad(status) || status == Status::Failing;
    if any(|status| !status.is_final()) {
        let begun = |status| !matches!(status, Status::Blocked | Status::OnHold | Status::Queued);
        let active = |status| matches!(status, Status::Queued | Status::Running | Status::Failing);
        return if any(bad) {
            Status::Failing
        } else if any(|status| status == Status::OnHold) && !any(active) {
            Status::OnHold
        } else if any(begun) {
            Status::Running
        } else {
            Status::Queued
        };
    }
    if any(|status| status == Status::Canceled) {
        Status::Canceled
    } else if any(bad) {
        Status::Failed
    } else if any(|status| status == Status::Success) {
        Status::Success
    } else {
        Status::NotRun
    }
}

impl Batch<'_, '_> {
    /// Decides a wish on builds.
    pub(super) fn build(
        &mut self,
        command: BuildCommand,
        actor: &Actor,
    ) -> Result<Reply, CommandError> {
        match command {
            BuildCommand::Create(new) => self.create(&new, actor),
            BuildCommand::Rerun {
                workflow,
                from_failed,
            } => self.rerun(workflow, from_failed),
            BuildCommand::Approve(id) => self.approve(id),
            BuildCommand::CancelPipeline(id) => self.cancel_pipeline(id),
            BuildCommand::CancelWorkflow(id) => self.cancel_workflow(id),
            BuildCommand::CancelJob(id) => self.cancel_job(id),
            BuildCommand::StopRun(id) => self.stop_run(id),
        }
    }

    fn create(&mut self, new: &NewBuild, actor: &Actor) -> Result<Reply, CommandError> {
        if self.tx.pipeline(new.id)?.is_some() {
            return Ok(Reply::Pipeline {
                pipeline: new.id,
                workflow: None,
            });
        }
        if let Some(watch) = new.watch {
            if let Some(pipeline) = self.tx.watched_commit(watch, &new.revision)? {
                return Ok(Reply::Pipeline {
                    pipeline,
                    workflow: None,
                });
            }
            // A look that was under way as it was removed.
            if !self.tx.has_watch(watch)? {
                return Err(CommandError::NotFound {
                    what: "watched repository",
                    name: watch.to_string(),
                });
            }
        }
        let mut numbers = self
            .tx
            .project(&new.project_key, &new.org, &new.name, &new.origin)?;
        numbers.last_pipeline += 1;
        // It may have been renamed.
        let title = self.tx.project_title(numbers.id)?.unwrap_or_default();
        let workflows = new
            .plan
            .as_ref()
            .map_or(&[][..], |plan: &Plan| &plan.workflows);
        let (status, stopped) = match &new.plan {
            None => (Status::Errored, Some(self.now)),
            Some(_) if workflows.is_empty() => (Status::NotRun, Some(self.now)),
            Some(_) => (Status::Queued, None),
        };
        let record = PipelineRecord {
            id: new.id,
            project: numbers.id.0,
            title,
            number: numbers.last_pipeline,
            branch: new.branch.clone(),
            tag: new.tag.clone(),
            revision: new.revision.clone(),
            subject: new.subject.clone(),
            actor: actor.name.clone(),
            source: new.source.clone(),
            status,
            problems: new.problems.clone(),
            created: self.now,
            started: None,
            stopped,
        };
        self.tx.insert_pipeline(&record)?;
        let mut begun = Vec::with_capacity(workflows.len());
        for plan in workflows {
            begun.push(self.insert_planned(plan, new.id, numbers.id, &mut numbers.last_build)?);
        }
        self.tx.set_project_numbers(&numbers)?;
        if let Some(watch) = new.watch {
            self.tx.keep_watched_commit(watch, &new.revision, new.id)?;
        }
        self.out.touch(Topic::Builds, new.id);
        for workflow in begun {
            self.advance(workflow, 0)?;
        }
        Ok(Reply::Pipeline {
            pipeline: new.id,
            workflow: None,
        })
    }

    fn insert_planned(
        &mut self,
        plan: &WorkflowPlan,
        pipeline: PipelineId,
        project: ProjectId,
        last_build: &mut i64,
    ) -> Result<WorkflowId, CommandError> {
        let id = WorkflowId::fresh();
        self.tx
            .insert_workflow(id, pipeline, &plan.name, self.now, None)?;
        let mut jobs = Vec::with_capacity(plan.jobs.len());
        for (position, job) in plan.jobs.iter().enumerate() {
            *last_build += 1;
            let requires: Vec<u32> = plan.jobs[..position]
                .iter()
                .enumerate()
                .filter(|(_, earlier)| job.requires.contains(&earlier.name))
                .map(|(index, _)| index as u32)
                .collect();
            let spec = serde_json::to_string(job).expect("a compiled job is plain data");
            let new = NewJob {
                id: JobId::fresh(),
                workflow: id,
                pipeline,
                position: position as u32,
                number: *last_build,
                name: &job.name,
                requires: &requires,
                parallelism: job.parallelism.max(1),
                status: Status::Blocked,
                spec: &spec,
                reused_from: None,
            };
            self.tx.insert_job(&new)?;
            jobs.push(Job {
                id: new.id,
                requires: requires.as_slice().into(),
                status: Status::Blocked,
                parallelism: new.parallelism,
                open: 0,
                approval: job.is_approval(),
            });
        }
        self.state.workflows.insert(
            id,
            Workflow {
                pipeline,
                project,
                jobs: jobs.into(),
                canceled: false,
            },
        );
        Ok(id)
    }

    /// Moves jobs from `from` on as far as what they require allows, then the workflow's and pipeline's status.
    pub(super) fn advance(&mut self, id: WorkflowId, from: u32) -> Result<(), StoreError> {
        let count = self
            .state
            .workflows
            .get(&id)
            .map_or(0, |workflow| workflow.jobs.len() as u32);
        for position in from..count {
            let Some(workflow) = self.state.workflows.get(&id) else {
                return Ok(());
            };
            let job = &workflow.jobs[position as usize];
            if job.status != Status::Blocked {
                continue;
            }
            let needs = || {
                job.requires
                    .iter()
                    .map(|&index| workflow.jobs[index as usize].status)
            };
            let job_id = job.id;
            if needs().any(|status| status.is_final() && status != Status::Success) {
                let status = if workflow.canceled {
                    Status::Canceled
                } else {
                    Status::NotRun
                };
                self.set_job(id, position, status)?;
                self.tx
                    .set_job(job_id, status, None, None, Some(self.now))?;
            } else if needs().all(|status| status == Status::Success) {
                let approval = job.approval;
                let status = if approval {
                    Status::OnHold
                } else {
                    Status::Queued
                };
                self.set_job(id, position, status)?;
                self.tx
                    .set_job(job_id, status, Some(self.now), None, None)?;
                if !approval {
                    self.enqueue_job(id, position)?;
                }
            }
        }
        self.settle(id)
    }

    /// Notes a job's status in memory.
    pub(super) fn set_job(
        &mut self,
        id: WorkflowId,
        position: u32,
        status: Status,
    ) -> Result<(), StoreError> {
        let workflow = self
            .state
            .workflows
            .get_mut(&id)
            .ok_or(StoreError::Corrupt { what: "workflow" })?;
        workflow.jobs[position as usize].status = status;
        self.out.touch(Topic::Builds, workflow.pipeline);
        Ok(())
    }

    /// Brings the workflow's and its pipeline's status in line with the jobs; a workflow that is over is forgotten.
    pub(super) fn settle(&mut self, id: WorkflowId) -> Result<(), StoreError> {
        let Some(workflow) = self.state.workflows.get(&id) else {
            return Ok(());
        };
        let pipeline = workflow.pipeline;
        let status = overall(workflow.jobs.iter().map(|job| job.status));
        let stopped = status.is_final().then_some(self.now);
        self.tx.set_workflow(id, status, stopped)?;
        if status.is_final() {
            self.state.workflows.remove(&id);
        }
        let passes = self.tx.current_workflows(pipeline)?;
        let whole = overall(passes.iter().map(|pass| pass.status));
        let started = matches!(whole, Status::Running | Status::Failing).then_some(self.now);
        self.tx.set_pipeline(
            pipeline,
            whole,
            started,
            whole.is_final().then_some(self.now),
        )?;
        self.out.touch(Topic::Builds, pipeline);
        Ok(())
    }

    /// A copy of a job ended; the job ends with its last copy.
    pub(super) fn run_ended(&mut self, id: WorkflowId, position: u32) -> Result<(), StoreError> {
        let Some(workflow) = self.state.workflows.get_mut(&id) else {
            return Ok(());
        };
        let job = &mut workflow.jobs[position as usize];
        job.open = job.open.saturating_sub(1);
        if job.open > 0 || job.status.is_final() {
            return Ok(());
        }
        let job_id = job.id;
        let status = worst(
            self.tx
                .job_outcomes(job_id)?
                .into_iter()
                .map(|(_, outcome)| outcome),
        );
        self.tx
            .set_job(job_id, status, None, None, Some(self.now))?;
        self.set_job(id, position, status)?;
        self.advance(id, position + 1)
    }

    fn rerun(&mut self, old: WorkflowId, from_failed: bool) -> Result<Reply, CommandError> {
        let record = self.tx.workflow(old)?.ok_or(CommandError::NotFound {
            what: "workflow",
            name: old.to_string(),
        })?;
        let conflict = |why: &str| CommandError::Conflict {
            what: "workflow",
            name: record.name.clone(),
            why: why.to_owned(),
        };
        if !record.status.is_final() {
            return Err(conflict("is not over yet; cancel it first"));
        }
        if record.superseded {
            return Err(conflict("was rerun already; rerun the newest pass"));
        }
        let jobs = self.tx.workflow_jobs(old)?;
        if from_failed && jobs.iter().all(|job| job.status == Status::Success) {
            return Err(conflict(
                "has nothing that failed; rerun it from the beginning",
            ));
        }
        let id = WorkflowId::fresh();
        let project = self.tx.pipeline_project(record.pipeline)?;
        let mut numbers = self.tx.project_numbers(project)?;
        self.tx
            .insert_workflow(id, record.pipeline, &record.name, self.now, Some(old))?;
        let mut live = Vec::with_capacity(jobs.len());
        for job in &jobs {
            let kept = from_failed && job.status == Status::Success;
            live.push(self.insert_again(job, id, kept, &mut numbers.last_build)?);
        }
        self.tx.set_project_numbers(&numbers)?;
        let workflow = Workflow {
            pipeline: record.pipeline,
            project,
            jobs: live.into(),
            canceled: false,
        };
        self.state.workflows.insert(id, workflow);
        self.advance(id, 0)?;
        Ok(Reply::Pipeline {
            pipeline: record.pipeline,
            workflow: Some(id),
        })
    }

    fn insert_again(
        &mut self,
        job: &JobRecord,
        workflow: WorkflowId,
        kept: bool,
        last_build: &mut i64,
    ) -> Result<Job, StoreError> {
        let number = if kept {
            job.number
        } else {
            *last_build += 1;
            *last_build
        };
        let plan = serde_json::from_str::<crate::pipeline::JobPlan>(&job.spec).map_err(|_| {
            StoreError::Corrupt {
                what: "compiled job",
            }
        })?;
        let parallelism = plan.parallelism.max(1);
        let status = if kept {
            Status::Success
        } else {
            Status::Blocked
        };
        let new = NewJob {
            id: JobId::fresh(),
            workflow,
            pipeline: job.pipeline,
            position: job.position,
            number,
            name: &job.name,
            requires: &job.requires,
            parallelism,
            status,
            spec: &job.spec,
            reused_from: kept.then_some(job.reused_from.unwrap_or(job.id)),
        };
        self.tx.insert_job(&new)?;
        if kept {
            self.tx
                .set_job(new.id, status, job.queued, job.started, job.stopped)?;
        }
        Ok(Job {
            id: new.id,
            requires: job.requires.clone().into(),
            status,
            parallelism,
            open: 0,
            approval: plan.is_approval(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_as_bad_as_its_worst_run() {
        use Outcome::{Canceled, Failed, InfrastructureFail, Success};
        assert_eq!(worst([Success, Success]), Status::Success);
        assert_eq!(worst([Success, Failed, Canceled]), Status::Failed);
        assert_eq!(
            worst([Failed, InfrastructureFail]),
            Status::InfrastructureFail
        );
    }

    #[test]
    fn a_whole_is_told_from_its_parts() {
        use Status::{Blocked, Canceled, Failed, Failing, NotRun, Queued, Running, Success};
        for (parts, whole) in [
            (&[Queued, Blocked][..], Queued),
            (&[Success, Blocked], Running),
            (&[Running, Failed], Failing),
            (&[Success, Success], Success),
            (&[Success, Failed, NotRun], Failed),
            (&[Canceled, Failed], Canceled),
            (&[Failing], Failing),
            (&[NotRun], NotRun),
        ] {
            assert_eq!(overall(parts.iter().copied()), whole, "{parts:?}");
        }
    }
}
