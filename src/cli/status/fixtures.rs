//! Fixed objects of the API for the tests of what verbs print.

use roundel::api::builds::{
    JobCounts, JobRow, Outcome, PipelineDetail, PipelineRow, Reason, RunDetail, RunRow, RunState,
    Status, StepRow, StepStatus, WorkflowDetail,
};
use roundel::api::fleet::{Drain, NodeDetail, NodeRow};
use roundel::clock::Timestamp;

pub const NOW: Timestamp = Timestamp(1_700_000_000_000);

fn at(seconds: i64) -> Timestamp {
    Timestamp(NOW.0 + seconds * 1000)
}

/// The first of two copies of `test`, waiting.
pub fn run_row() -> RunRow {
    RunRow {
        attempt: "0190a0b1-c2d3-7e4f-8a5b-0123456789ab".to_owned(),
        name: "0123456789ab-0-build-acme-web-7".to_owned(),
        pipeline: "0190a0b1-0000-7000-8000-000000000001".to_owned(),
        workflow: "main".to_owned(),
        job: "0190a0b1-0000-7000-8000-000000000002".to_owned(),
        job_name: "test".to_owned(),
        project: "acme/web".to_owned(),
        number: 7,
        branch: "main".to_owned(),
        index: 0,
        of: 2,
        state: RunState::Pending,
        outcome: None,
        cause: String::new(),
        unreachable: false,
        heard_at: None,
        stopping: false,
        cpu_millis: 2000,
        memory_mb: 4096,
        executor: "machine".to_owned(),
        resource_class: Some("medium".to_owned()),
        priority: 50,
        queued_at: NOW,
        placed_at: None,
        started_at: None,
        stopped_at: None,
        node: None,
        place: Some(1),
        reason: Some(Reason {
            code: "capacity".to_owned(),
            text: "no node has 2 cpu free; best is ci-1 with 1".to_owned(),
            never: false,
        }),
        estimate: None,
        step: None,
        usual: None,
        log_removed_at: None,
    }
}

/// The same run, ended by its second step.
pub fn failed_run() -> RunRow {
    RunRow {
        state: RunState::Dead,
        outcome: Some(Outcome::Failed),
        cause: "step \"Test one half\" exited with 1".to_owned(),
        placed_at: Some(at(1)),
        started_at: Some(at(1)),
        stopped_at: Some(at(13)),
        node: Some("ci-1".to_owned()),
        place: None,
        reason: None,
        step: Some(1),
        ..run_row()
    }
}

pub fn step(index: u16, name: &str, status: StepStatus) -> StepRow {
    let over = !matches!(status, StepStatus::Waiting | StepStatus::Running);
    StepRow {
        index,
        name: name.to_owned(),
        kind: if index == 0 { "spin_up" } else { "run" }.to_owned(),
        command: String::new(),
        status,
        exit_code: match status {
            StepStatus::Success => Some(0),
            StepStatus::Failed => Some(1),
            _ => None,
        },
        started_at: (status != StepStatus::Waiting).then_some(at(1)),
        stopped_at: over.then_some(at(3)),
        log_bytes: 2048,
    }
}

pub fn run_detail(run: RunRow) -> RunDetail {
    let steps = vec![
        step(0, "Spin up environment", StepStatus::Success),
        step(1, "Test one half", StepStatus::Failed),
        step(2, "Clean up", StepStatus::Skipped),
    ];
    RunDetail {
        attempts: vec![run.clone()],
        run,
        steps,
        explanation: None,
        seq: 9,
    }
}

pub fn pipeline_detail(status: Status, run: &RunRow) -> PipelineDetail {
    let job = JobRow {
        id: run.job.clone(),
        number: run.number,
        name: run.job_name.clone(),
        status,
        requires: Vec::new(),
        parallelism: 2,
        executor: "machine".to_owned(),
        resource_class: None,
        queued_at: Some(NOW),
        started_at: run.started_at,
        stopped_at: run.stopped_at,
        runs: vec![run.clone()],
        reused: false,
    };
    PipelineDetail {
        row: PipelineRow {
            id: run.pipeline.clone(),
            project: run.project.clone(),
            number: 3,
            branch: "main".to_owned(),
            tag: String::new(),
            revision: "1a2b3c4d5e6f70819203a4b5c6d7e8f901234567".to_owned(),
            subject: "Make it work".to_owned(),
            actor: "uid 1000 (ann)".to_owned(),
            status,
            jobs: JobCounts::default(),
            created_at: NOW,
            started_at: run.started_at,
            stopped_at: run.stopped_at,
            usual: None,
        },
        source: "/src/web".to_owned(),
        problems: Vec::new(),
        workflows: vec![WorkflowDetail {
            id: "0190a0b1-0000-7000-8000-000000000003".to_owned(),
            name: "main".to_owned(),
            status,
            created_at: NOW,
            stopped_at: run.stopped_at,
            rerun_of: None,
            jobs: vec![job],
        }],
        seq: 9,
    }
}

/// A node that drains while one run is still on it.
pub fn node_detail() -> NodeDetail {
    let run = RunRow {
        state: RunState::Running,
        started_at: Some(at(1)),
        reason: None,
        ..run_row()
    };
    NodeDetail {
        node: NodeRow {
            id: "0190a0b1-0000-7000-8000-00000000000a".to_owned(),
            name: "ci-1".to_owned(),
            datacenter: "dc1".to_owned(),
            class: String::new(),
            status: "ready".to_owned(),
            eligible: false,
            drain: Some(Drain {
                since: NOW,
                deadline: Some(at(600)),
                by: "uid 0 (root)".to_owned(),
            }),
            safe_to_terminate: false,
            cpu_total_millis: 4000,
            cpu_reserved_millis: 2000,
            cpu_used_millis: 1000,
            memory_total_mb: 16_384,
            memory_reserved_mb: 4096,
            memory_used_mb: 2048,
            runs: 1,
            executors: vec!["machine".to_owned()],
            overcommitted: false,
            created_at: NOW,
            version: "0.1.0".to_owned(),
        },
        runs: vec![run],
        idle_estimate: None,
        uptime_s: 7440,
        load_percent: 52,
        host_memory_used_mb: 3072,
        host_memory_total_mb: 16_384,
        disk_free_mb: 1024,
        disk_total_mb: 10_240,
        seq: 9,
    }
}
