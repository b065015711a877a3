//! Cancelling a pipeline, a workflow or a job: what waits ends at once, what runs is told to stop.

use super::builds::Batch;
use super::command::{CommandError, Reply};
use crate::ids::{JobId, PipelineId, WorkflowId};
use crate::pipeline::status::Status;
use crate::store::StoreError;

impl Batch<'_, '_> {
    pub(super) fn cancel_pipeline(&mut self, id: PipelineId) -> Result<Reply, CommandError> {
        let record = self.tx.pipeline(id)?.ok_or(CommandError::NotFound {
            what: "pipeline",
            name: id.to_string(),
        })?;
        let live: Vec<WorkflowId> = self
            .state
            .workflows
            .iter()
            .filter(|(_, w)| w.pipeline == id)
            .map(|(id, _)| *id)
            .collect();
        if live.is_empty() {
            let name = format!("{}#{}", record.title, record.number);
            return Err(CommandError::Conflict {
                what: "pipeline",
                name,
                why: "is over already".to_owned(),
            });
        }
        for workflow in live {
            self.cancel_jobs(workflow, None)?;
        }
        Ok(Reply::Pipeline {
            pipeline: id,
            workflow: None,
        })
    }

    pub(super) fn cancel_workflow(&mut self, id: WorkflowId) -> Result<Reply, CommandError> {
        let record = self.tx.workflow(id)?.ok_or(CommandError::NotFound {
            what: "workflow",
            name: id.to_string(),
        })?;
        if !self.state.workflows.contains_key(&id) {
            let why = "is over already".to_owned();
            return Err(CommandError::Conflict {
                what: "workflow",
                name: record.name,
                why,
            });
        }
        self.cancel_jobs(id, None)?;
        Ok(Reply::Pipeline {
            pipeline: record.pipeline,
            workflow: Some(id),
        })
    }

    pub(super) fn cancel_job(&mut self, id: JobId) -> Result<Reply, CommandError> {
        let record = self.tx.job(id)?.ok_or(CommandError::NotFound {
            what: "job",
            name: id.to_string(),
        })?;
        if record.status.is_final() {
            let why = "is over already".to_owned();
            return Err(CommandError::Conflict {
                what: "job",
                name: record.name,
                why,
            });
        }
        self.cancel_jobs(record.workflow, Some(record.position))?;
        Ok(Reply::Pipeline {
            pipeline: record.pipeline,
            workflow: Some(record.workflow),
        })
    }

    /// Cancels all jobs of a workflow, or the one at `only`.
    fn cancel_jobs(&mut self, id: WorkflowId, only: Option<u32>) -> Result<(), StoreError> {
        let Some(workflow) = self.state.workflows.get_mut(&id) else {
            return Ok(());
        };
        workflow.canceled |= only.is_none();
        let blocked: Vec<(u32, JobId)> = (0u32..)
            .zip(workflow.jobs.iter())
            .filter(|(position, job)| {
                only.is_none_or(|only| only == *position)
                    && matches!(job.status, Status::Blocked | Status::OnHold)
            })
            .map(|(position, job)| (position, job.id))
            .collect();
        for (position, job) in blocked {
            self.tx
                .set_job(job, Status::Canceled, None, None, Some(self.now))?;
            self.set_job(id, position, Status::Canceled)?;
        }
        let runs: Vec<_> = self
            .state
            .attempts
            .iter()
            .filter(|(_, a)| a.workflow == id && only.is_none_or(|only| only == a.position))
            .map(|(attempt, _)| *attempt)
            .collect();
        for run in runs {
            self.cancel_run(run)?;
        }
        self.advance(id, 0)
    }
}
