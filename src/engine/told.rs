//! What runs are told of the proxy, besides what they are given by their project and their config.

use super::view::View;
use crate::error::Chain;
use crate::ids::AttemptId;
use crate::pipeline::{Executor, JobPlan};
use crate::services::proxy::{JobVariable, job_variables};
use crate::settings::value::Values;
use crate::store::{StoreError, VariableRecord};

impl View {
    /// The variables that tell a run of the proxy, besides those of its project: asked for by its agent, as the settings are
    /// then.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn proxy_variables(
        &self,
        attempt: AttemptId,
        project: &[VariableRecord],
    ) -> Result<Vec<JobVariable>, StoreError> {
        let values = self.values.borrow().clone();
        if !values.has("proxy.url") {
            return Ok(Vec::new());
        }
        let missing = || StoreError::Corrupt { what: "run" };
        let run = self.store.attempt(attempt)?.ok_or_else(missing)?;
        let job = self.store.job(run.job)?.ok_or_else(missing)?;
        let plan: JobPlan = serde_json::from_str(&job.spec).map_err(|_| StoreError::Corrupt {
            what: "compiled job",
        })?;
        Ok(of_proxy(&values, &plan, project))
    }
}

/// The same of a job that is at hand.
pub(super) fn of_proxy(
    values: &Values,
    plan: &JobPlan,
    project: &[VariableRecord],
) -> Vec<JobVariable> {
    let of_container = match &plan.executor {
        Executor::Docker { containers } => containers.first(),
        _ => None,
    };
    let is_set = |name: &str| {
        of_container.is_some_and(|one| one.environment.contains_key(name))
            || plan.environment.iter().any(|(own, _)| own == name)
            || project.iter().any(|own| own.name == name)
    };
    job_variables(values, is_set).unwrap_or_else(|err| {
        // A job that needs nothing from outside runs all the same.
        tracing::warn!(error = %Chain(&err), "a run is told of no proxy");
        Vec::new()
    })
}
