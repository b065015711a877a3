//! Jobs that wait for somebody's approval: given, what requires them goes on.

use super::builds::Batch;
use super::command::{CommandError, Reply};
use crate::ids::JobId;
use crate::pipeline::status::Status;

impl Batch<'_, '_> {
    pub(super) fn approve(&mut self, id: JobId) -> Result<Reply, CommandError> {
        let record = self.tx.job(id)?.ok_or(CommandError::NotFound {
            what: "job",
            name: id.to_string(),
        })?;
        if record.status != Status::OnHold {
            return Err(CommandError::Conflict {
                what: "job",
                name: record.name,
                why: "does not wait for approval".to_owned(),
            });
        }
        self.tx
            .set_job(id, Status::Success, None, Some(self.now), Some(self.now))?;
        self.set_job(record.workflow, record.position, Status::Success)?;
        self.advance(record.workflow, record.position + 1)?;
        Ok(Reply::Pipeline {
            pipeline: record.pipeline,
            workflow: Some(record.workflow),
        })
    }
}
