//! From the store's records to the wire's rows.

use crate::api::builds::{Estimate, JobCounts, JobRow, PipelineRow, Reason, RunRow};
use crate::api::fleet::{Cause, Drain, Explanation, Nearest, NodeRow};
use crate::api::services::Installation;
use crate::clock::Timestamp;
use crate::engine::{Expected, NodeView, Usuals, View, kind_word};
use crate::pipeline::JobPlan;
use crate::pipeline::status::{RunState, Status};
use crate::queue::ExecutorKind;
use crate::store::{InstallationRecord, JobRecord, PipelineRecord, RunRecord, StoreError};

pub(super) fn pipeline_row(record: PipelineRecord, counts: &[(Status, u32)]) -> PipelineRow {
    PipelineRow {
        id: record.id.to_string(),
        project: record.title,
        number: record.number,
        branch: record.branch,
        tag: record.tag,
        revision: record.revision,
        subject: record.subject,
        actor: record.actor,
        status: record.status,
        jobs: job_counts(counts),
        created_at: record.created,
        started_at: record.started,
        stopped_at: record.stopped,
        usual: None,
    }
}

fn job_counts(counts: &[(Status, u32)]) -> JobCounts {
    let mut sum = JobCounts::default();
    for &(status, n) in counts {
        sum.total += n;
        *match status {
            Status::Blocked | Status::Queued => &mut sum.waiting,
            Status::OnHold => &mut sum.on_hold,
            Status::Running | Status::Failing => &mut sum.running,
            Status::Success => &mut sum.success,
            Status::Failed | Status::InfrastructureFail | Status::Timedout | Status::Errored => {
                &mut sum.failed
            }
            Status::Canceled | Status::NotRun => &mut sum.canceled,
        } += n;
    }
    sum
}

/// A job's row; `names` are the names of its workflow's jobs by position.
pub(super) fn job_row(record: JobRecord, names: &[String], runs: Vec<RunRow>) -> JobRow {
    let plan: Option<JobPlan> = serde_json::from_str(&record.spec).ok();
    JobRow {
        id: record.id.to_string(),
        number: record.number,
        name: record.name,
        status: record.status,
        requires: record
            .requires
            .iter()
            .filter_map(|&position| names.get(position as usize).cloned())
            .collect(),
        parallelism: plan.as_ref().map_or(1, |plan| plan.parallelism),
        executor: plan
            .as_ref()
            .map_or("", |plan| plan.executor.word())
            .to_owned(),
        resource_class: plan.and_then(|plan| plan.resource_class),
        queued_at: record.queued,
        started_at: record.started,
        stopped_at: record.stopped,
        runs,
        reused: record.reused_from.is_some(),
    }
}

/// An expectation on the wire.
pub(super) fn estimate(expected: Expected) -> Estimate {
    Estimate {
        at: expected.at,
        how: expected.how,
    }
}

/// A run's row; `place` is its place in line, when that is known.
pub(super) fn run_row(
    view: &View,
    usuals: &mut Usuals<'_>,
    record: RunRecord,
    place: Option<u64>,
    now: Timestamp,
) -> Result<RunRow, StoreError> {
    let usual = match record.state {
        RunState::Running => usuals.run(record.project, &record.job_name)?,
        _ => None,
    };
    let silent_since = match record.state {
        RunState::Running => view.gate.unreachable(record.id, now),
        RunState::Pending | RunState::Dead => None,
    };
    let reason = view.reason(&record).map(|reason| Reason {
        code: reason.code.to_owned(),
        text: reason.text,
        never: reason.never,
    });
    Ok(RunRow {
        attempt: record.id.to_string(),
        name: record.name,
        pipeline: record.pipeline.to_string(),
        workflow: record.workflow_name,
        job: record.job.to_string(),
        job_name: record.job_name,
        project: record.title,
        number: record.number,
        branch: record.branch,
        index: record.copy,
        of: record.copies,
        state: record.state,
        outcome: record.outcome,
        cause: record.cause,
        unreachable: silent_since.is_some(),
        heard_at: silent_since,
        stopping: record.stopping.is_some() && record.state == RunState::Running,
        cpu_millis: record.cpu_millis,
        memory_mb: record.memory_mb,
        executor: record.executor,
        resource_class: record.resource_class,
        priority: record.priority,
        queued_at: record.queued,
        placed_at: record.placed,
        started_at: record.started,
        stopped_at: record.stopped,
        node: record.node_name,
        place,
        reason,
        estimate: None,
        step: record.step,
        usual,
        log_removed_at: record.log_removed,
    })
}

/// The installation's state on the wire.
pub(super) fn installation(record: &InstallationRecord) -> Installation {
    Installation {
        phase: record.phase,
        since: Some(record.since),
        by: record.by.clone(),
    }
}

/// `executor` is the word of the config, which says more than the scheduler's kind.
pub(super) fn explanation(from: crate::scheduler::Explanation, executor: &str) -> Explanation {
    Explanation {
        cpu_millis: from.shape.cpu_millis,
        memory_mb: from.shape.memory_mb,
        executor: executor.to_owned(),
        nodes: from.nodes,
        causes: from
            .causes
            .into_iter()
            .map(|(cause, nodes)| Cause {
                cause: cause.to_owned(),
                nodes,
            })
            .collect(),
        nearest: from.nearest.map(|near| Nearest {
            node: near.name,
            cpu_free_millis: near.cpu_free_millis,
            memory_free_mb: near.memory_free_mb,
            cpu_millis: near.cpu_millis,
            memory_mb: near.memory_mb,
        }),
        place_of_shape: from.place_of_shape,
        place: from.place,
        help: from.help,
    }
}

pub(super) fn node_row(node: &NodeView) -> NodeRow {
    let record = &node.record;
    NodeRow {
        id: record.id.to_string(),
        name: record.name.clone(),
        datacenter: "dc1".to_owned(),
        class: String::new(),
        status: "ready".to_owned(),
        eligible: record.eligible,
        drain: record.drain.clone().map(|(since, deadline, by)| Drain {
            since,
            deadline,
            by,
        }),
        safe_to_terminate: record.drain.is_some() && node.used.runs == 0,
        cpu_total_millis: node.capacity.cpu_total_millis,
        cpu_reserved_millis: node.capacity.cpu_reserved_millis,
        cpu_used_millis: node.used.cpu_millis,
        memory_total_mb: node.capacity.memory_total_mb,
        memory_reserved_mb: node.capacity.memory_reserved_mb,
        memory_used_mb: node.used.memory_mb,
        runs: node.used.runs,
        executors: node
            .capacity
            .executors
            .iter()
            .map(|kind| match (kind, &node.capacity.engine) {
                (ExecutorKind::Docker, Some(engine)) => format!("docker ({engine})"),
                _ => kind_word(*kind).to_owned(),
            })
            .collect(),
        overcommitted: node.capacity.overcommitted,
        created_at: record.created,
        version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}
