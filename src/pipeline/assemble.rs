//! Config + facts of the revision -> plan: filters applied, jobs put where they can run.

use std::collections::HashSet;

use super::Facts;
use super::plan::{Container, Executor, JobPlan, Plan, WorkflowPlan};
use super::schema::{Config, Invocation, Workflow};

/// The plan for one revision. A workflow of which nothing is left is left out.
pub(crate) fn plan(config: &Config, facts: &Facts) -> Plan {
    let workflows = config
        .workflows
        .iter()
        .map(|workflow| reduce(workflow, facts));
    Plan {
        workflows: workflows
            .filter(|workflow| !workflow.jobs.is_empty())
            .collect(),
    }
}

/// A job runs if its filters allow it and, where it requires some, at least one of them runs.
fn reduce(workflow: &Workflow, facts: &Facts) -> WorkflowPlan {
    let mut kept: HashSet<&str> = HashSet::new();
    let mut jobs = Vec::new();
    for invocation in &workflow.jobs {
        let required: Vec<String> = invocation
            .requires
            .iter()
            .filter(|name| kept.contains(name.as_str()))
            .cloned()
            .collect();
        let orphaned = required.is_empty() && !invocation.requires.is_empty();
        if !orphaned && invocation.filters.allow(&facts.branch, &facts.tag) {
            kept.insert(&invocation.name);
            jobs.push(job(invocation, required, facts));
        }
    }
    WorkflowPlan {
        name: workflow.name.clone(),
        jobs,
    }
}

fn job(invocation: &Invocation, requires: Vec<String>, facts: &Facts) -> JobPlan {
    let job = &invocation.job;
    let mut plan = JobPlan {
        name: invocation.name.clone(),
        requires,
        executor: job.executor.clone(),
        resource_class: job.resource_class.clone(),
        cpu_millis: job.size.cpu_millis,
        memory_mb: job.size.memory_mb,
        parallelism: job.parallelism,
        environment: job.environment.clone(),
        working_directory: job.working_directory.clone(),
        shell: job.shell.clone(),
        steps: job.steps.clone(),
        notes: Vec::new(),
    };
    if let (true, Executor::Docker { containers }) = (facts.no_engine, &job.executor) {
        on_host(&mut plan, containers);
    }
    plan
}

/// Puts a `docker` job on the host. The environment of its primary container is kept, below the job's own.
fn on_host(plan: &mut JobPlan, containers: &[Container]) {
    plan.executor = Executor::Machine { image: None };
    let Some((primary, services)) = containers.split_first() else {
        return;
    };
    let own: HashSet<String> = plan
        .environment
        .iter()
        .map(|(name, _)| name.clone())
        .collect();
    let inherited = primary
        .environment
        .iter()
        .filter(|(name, _)| !own.contains(*name));
    plan.environment.splice(
        0..0,
        inherited.map(|(name, value)| (name.clone(), value.clone())),
    );
    plan.notes.push(format!(
        "docker image {} was not used: this job runs on the host (--no-engine)",
        primary.image
    ));
    for service in services {
        plan.notes.push(format!(
            "docker image {} was not started (--no-engine)",
            service.image
        ));
    }
}
