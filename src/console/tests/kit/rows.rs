//! Rows of the API as the server would send them, with ordinary values: change a field by `Row { field: .., ..row() }`.

use std::time::Duration;

use roundel::api::builds::{
    Estimate, JobCounts, JobRow, LogLine, Outcome, PipelineDetail, PipelineRow, Reason, RunDetail,
    RunRow, RunState, Status, StepRow, StepStatus, WorkflowDetail,
};
use roundel::api::compare::{Commit, Commits, Comparison, ConfigLine, JobChange, JobSide};
use roundel::api::fleet::{Cause, Drain, Explanation, Nearest, NodeCounts, NodeDetail, NodeRow};
use roundel::api::{AuditRow, Hello, Summary, WaitBucket};
use roundel::clock::Timestamp;

/// When every test begins: 2025-11-25 20:00:00 UTC.
pub const NOW: Timestamp = Timestamp(1_764_100_800_000);

/// The moment this many seconds before [`NOW`].
pub fn ago(seconds: i64) -> Timestamp {
    Timestamp(NOW.0 - seconds * 1000)
}

/// The moment this many seconds after [`NOW`].
pub fn later(seconds: u64) -> Timestamp {
    NOW.plus(Duration::from_secs(seconds))
}

/// Id of the run `n`: also what its place in line is sorted by.
pub fn run_id(n: u32) -> String {
    format!("0190a0b1-0000-7000-8000-{n:012}")
}

/// Id of the pipeline `n`.
pub fn pipeline_id(n: u32) -> String {
    format!("0190a0b2-0000-7000-8000-{n:012}")
}

/// Run `n`, which waits as the `n`th in line for 10 `n` seconds: job `test`, class `medium`.
pub fn run(n: u32) -> RunRow {
    RunRow {
        attempt: run_id(n),
        name: format!("{n:012}-0-build-org-api-{n}"),
        pipeline: pipeline_id(1),
        workflow: "main".into(),
        job: format!("job-{n}"),
        job_name: format!("test-{n}"),
        project: "org/api".into(),
        number: i64::from(n),
        branch: "main".into(),
        index: 0,
        of: 1,
        state: RunState::Pending,
        outcome: None,
        cause: String::new(),
        unreachable: false,
        heard_at: None,
        stopping: false,
        cpu_millis: 2000,
        memory_mb: 4096,
        executor: "machine".into(),
        resource_class: Some("medium".into()),
        priority: 50,
        queued_at: ago(i64::from(n) * 10),
        placed_at: None,
        started_at: None,
        stopped_at: None,
        node: None,
        place: Some(u64::from(n)),
        reason: Some(Reason {
            code: "capacity".into(),
            text: "no node has 2 cpu free; best is n07 with 1".into(),
            never: false,
        }),
        estimate: Some(Estimate {
            at: later(40),
            how: "median of 18 runs".into(),
        }),
        step: None,
        usual: None,
        log_removed_at: None,
    }
}

/// Run `n`, which runs on `n01` for 90 s.
pub fn running(n: u32) -> RunRow {
    RunRow {
        state: RunState::Running,
        placed_at: Some(ago(91)),
        started_at: Some(ago(90)),
        node: Some("n01".into()),
        place: None,
        reason: None,
        estimate: None,
        step: Some(1),
        ..run(n)
    }
}

/// Run `n`, which ended 30 s ago.
pub fn ended(n: u32, outcome: Outcome) -> RunRow {
    let cause = if outcome == Outcome::Failed {
        "step \"Test\" exited with 1"
    } else {
        ""
    };
    RunRow {
        state: RunState::Dead,
        outcome: Some(outcome),
        cause: cause.into(),
        stopped_at: Some(ago(30)),
        ..running(n)
    }
}

/// A step; those that have begun took 12 s.
pub fn step(index: u16, name: &str, status: StepStatus) -> StepRow {
    let begun = !matches!(status, StepStatus::Waiting | StepStatus::Skipped);
    let over = begun && status != StepStatus::Running;
    StepRow {
        index,
        name: name.into(),
        kind: if index == 0 { "spin_up" } else { "run" }.into(),
        command: if index == 0 { "" } else { "make test" }.into(),
        status,
        exit_code: match status {
            StepStatus::Success => Some(0),
            StepStatus::Failed => Some(1),
            _ => None,
        },
        started_at: begun.then_some(ago(80)),
        stopped_at: over.then_some(ago(68)),
        log_bytes: if begun { 2048 } else { 0 },
    }
}

/// What the steps of a run are when nobody says otherwise.
pub fn steps(run: &RunRow) -> Vec<StepRow> {
    let second = match (run.state, run.outcome) {
        (RunState::Pending, _) => StepStatus::Waiting,
        (RunState::Running, _) => StepStatus::Running,
        (RunState::Dead, Some(Outcome::Success)) => StepStatus::Success,
        (RunState::Dead, _) => StepStatus::Failed,
    };
    let first = if second == StepStatus::Waiting {
        StepStatus::Waiting
    } else {
        StepStatus::Success
    };
    vec![
        step(0, "Spin up environment", first),
        step(1, "Test", second),
    ]
}

/// A run and its steps.
pub fn run_detail(run: &RunRow, steps: Vec<StepRow>) -> RunDetail {
    RunDetail {
        explanation: (run.state == RunState::Pending).then(explanation),
        attempts: vec![run.clone()],
        run: run.clone(),
        steps,
        seq: 1,
    }
}

/// Why a run waits: of ten nodes seven lack cpu, two lack memory, one drains.
pub fn explanation() -> Explanation {
    let cause = |cause: &str, nodes| Cause {
        cause: cause.into(),
        nodes,
    };
    Explanation {
        cpu_millis: 2000,
        memory_mb: 4096,
        executor: "machine".into(),
        nodes: 10,
        causes: vec![cause("cpu", 7), cause("memory", 2), cause("draining", 1)],
        nearest: Some(Nearest {
            node: "n07".into(),
            cpu_free_millis: 1000,
            memory_free_mb: 6144,
            cpu_millis: 8000,
            memory_mb: 32_768,
        }),
        place_of_shape: 2,
        place: 3,
        help: vec!["1 cpu more on n07".into()],
    }
}

/// A line of a log, on stdout.
pub fn log_line(n: u64, text: &str) -> LogLine {
    LogLine {
        n,
        t: NOW.0 * 1000,
        s: 1,
        text: text.into(),
        cut: 0,
        of: None,
    }
}

/// Job `name` of a workflow, in this state, with one run in the matching one.
pub fn job(n: u32, name: &str, status: Status, requires: &[&str]) -> JobRow {
    let one = match status {
        Status::Queued => Some(run(n)),
        Status::Running | Status::Failing => Some(running(n)),
        Status::Success => Some(ended(n, Outcome::Success)),
        Status::Failed => Some(ended(n, Outcome::Failed)),
        Status::Canceled => Some(ended(n, Outcome::Canceled)),
        Status::Timedout => Some(ended(n, Outcome::Timedout)),
        Status::InfrastructureFail => Some(ended(n, Outcome::InfrastructureFail)),
        Status::Blocked | Status::OnHold | Status::NotRun | Status::Errored => None,
    };
    let runs: Vec<RunRow> = one
        .into_iter()
        .map(|run| RunRow {
            job_name: name.into(),
            ..run
        })
        .collect();
    let of_run = |at: fn(&RunRow) -> Option<Timestamp>| runs.first().and_then(at);
    JobRow {
        id: format!("job-{n}"),
        number: i64::from(n),
        name: name.into(),
        status,
        requires: requires.iter().map(|name| (*name).to_owned()).collect(),
        parallelism: 1,
        executor: "machine".into(),
        resource_class: Some("medium".into()),
        queued_at: of_run(|run| Some(run.queued_at)),
        started_at: of_run(|run| run.started_at),
        stopped_at: of_run(|run| run.stopped_at),
        reused: false,
        runs,
    }
}

/// Pass `id` over the workflow `name`; in the worst state of its jobs.
pub fn workflow(id: &str, name: &str, jobs: Vec<JobRow>) -> WorkflowDetail {
    let any = |status| jobs.iter().any(|job| job.status == status);
    let status = [
        Status::Running,
        Status::Queued,
        Status::Failed,
        Status::Canceled,
    ];
    let status = status.into_iter().find(|status| any(*status));
    let status = status.unwrap_or(Status::Success);
    WorkflowDetail {
        id: id.into(),
        name: name.into(),
        status,
        created_at: ago(120),
        stopped_at: status.is_final().then_some(ago(30)),
        rerun_of: None,
        jobs,
    }
}

/// Pipeline `n` of `org/api`, asked for `n` minutes ago, in this state: of four jobs those that fit it.
pub fn pipeline_row(n: u32, status: Status) -> PipelineRow {
    let mut jobs = JobCounts {
        total: 4,
        ..JobCounts::default()
    };
    match status {
        Status::Success => jobs.success = 4,
        Status::Running => (jobs.success, jobs.running, jobs.waiting) = (1, 2, 1),
        Status::Failed => (jobs.success, jobs.failed) = (3, 1),
        Status::Canceled => (jobs.success, jobs.canceled) = (1, 3),
        Status::Errored => jobs.total = 0,
        _ => jobs.waiting = 4,
    }
    let begun = !matches!(status, Status::Queued | Status::Blocked | Status::Errored);
    PipelineRow {
        id: pipeline_id(n),
        project: "org/api".into(),
        number: i64::from(n),
        branch: "main".into(),
        tag: String::new(),
        revision: format!("{n:040x}"),
        subject: format!("Commit number {n}"),
        actor: "uid 1000 (ann)".into(),
        status,
        jobs,
        created_at: ago(i64::from(n) * 60),
        started_at: begun.then(|| ago(i64::from(n) * 60 - 1)),
        stopped_at: status.is_final().then(|| ago(i64::from(n) * 60 - 55)),
        usual: None,
    }
}

/// Pipeline `n` with these workflows.
pub fn pipeline(n: u32, status: Status, workflows: Vec<WorkflowDetail>) -> PipelineDetail {
    PipelineDetail {
        row: pipeline_row(n, status),
        source: "/srv/git/api".into(),
        problems: Vec::new(),
        workflows,
        seq: 1,
    }
}

/// A build of four jobs: `build`, then `lint` and `test` beside each other, then `deploy`; `test` has failed.
pub fn failed_build(n: u32) -> PipelineDetail {
    let jobs = vec![
        job(11, "build", Status::Success, &[]),
        job(12, "lint", Status::Success, &["build"]),
        job(13, "test", Status::Failed, &["build"]),
        job(14, "deploy", Status::NotRun, &["lint", "test"]),
    ];
    pipeline(n, Status::Failed, vec![workflow("wf-1", "main", jobs)])
}

/// Node `n`: 8 cpu and 32 GB, 1 of each kept, nothing given.
pub fn node(n: u32) -> NodeRow {
    NodeRow {
        id: format!("0190a0b3-0000-7000-8000-{n:012}"),
        name: format!("n{n:02}"),
        datacenter: "dc1".into(),
        class: String::new(),
        status: "ready".into(),
        eligible: true,
        drain: None,
        safe_to_terminate: false,
        cpu_total_millis: 8000,
        cpu_reserved_millis: 1000,
        cpu_used_millis: 0,
        memory_total_mb: 32_768,
        memory_reserved_mb: 1024,
        memory_used_mb: 0,
        runs: 0,
        executors: vec!["machine".into()],
        overcommitted: false,
        created_at: ago(3 * 86_400),
        version: "0.1.0".into(),
    }
}

/// A drain since 5 min, by ann, without a deadline.
pub fn drain() -> Drain {
    Drain {
        since: ago(300),
        deadline: None,
        by: "ann".into(),
    }
}

/// A node and the runs on it.
pub fn node_detail(node: &NodeRow, runs: Vec<RunRow>) -> NodeDetail {
    NodeDetail {
        node: node.clone(),
        runs,
        idle_estimate: Some(Estimate {
            at: later(120),
            how: "median of 7 runs".into(),
        }),
        uptime_s: 86_400,
        load_percent: 150,
        host_memory_used_mb: 8192,
        host_memory_total_mb: 32_768,
        disk_free_mb: 50_000,
        disk_total_mb: 100_000,
        seq: 1,
    }
}

/// Who the server is.
pub fn hello() -> Hello {
    Hello {
        version: "0.1.0".into(),
        api: roundel::api::API_VERSION,
        data_id: "data".into(),
        pid: 4242,
        started_at: ago(3600),
        auto: false,
        hostname: "ci.example.com".into(),
        jobs_run_as: "ci".into(),
        data: "/var/lib/roundel".into(),
        network: None,
        public: Vec::new(),
    }
}

/// Counters of an installation where nothing goes on.
pub fn summary() -> Summary {
    Summary {
        installation: Default::default(),
        seq: 1,
        now: NOW,
        waiting: 0,
        running: 0,
        oldest_waiting: None,
        nodes: NodeCounts::default(),
        read_only: None,
        waits: Vec::new(),
    }
}

/// How long runs waited: 90 under 0.1 s, 8 under 1 s, 1 under 10 s, 1 longer.
pub fn waits() -> Vec<WaitBucket> {
    let buckets = [
        (Some(100), 90),
        (Some(1000), 8),
        (Some(10_000), 1),
        (None, 1),
    ];
    buckets
        .into_iter()
        .map(|(up_to_ms, runs)| WaitBucket { up_to_ms, runs })
        .collect()
}

/// Something that somebody changed so many minutes ago.
pub fn event(id: i64, minutes: i64, actor: &str, action: &str, object: &str) -> AuditRow {
    AuditRow {
        id,
        at: ago(minutes * 60),
        actor: format!("uid 1000 ({actor})"),
        action: action.into(),
        object: object.into(),
        result: "ok".into(),
        detail: String::new(),
    }
}

/// What a build did differently from another: a job failed that took longer, by two commits and more copies.
pub fn comparison(build: PipelineRow, with: PipelineRow) -> Comparison {
    let side = |job: &str, status, took_ms| {
        Some(JobSide {
            job: job.into(),
            status,
            took_ms: Some(took_ms),
            nodes: vec!["n01".into()],
            cause: String::new(),
        })
    };
    let change = |name: &str, now, changes: &[&str]| JobChange {
        workflow: "main".into(),
        name: name.into(),
        then: side("job-31", Status::Success, 41_000),
        now,
        changes: changes.iter().map(|&words| words.into()).collect(),
    };
    let commit = |n: u8| Commit {
        id: n.to_string().repeat(40),
        author: "Ann".into(),
        at: ago(i64::from(n) * 3600),
        subject: format!("Change number {n}"),
    };
    let line = |sign, text: &str| ConfigLine {
        sign,
        text: text.into(),
    };
    Comparison {
        jobs: vec![
            change(
                "test",
                side("job-13", Status::Failed, 112_000),
                &["failed, was success", "took 2.7 times as long"],
            ),
            change("build", side("job-11", Status::Success, 41_000), &[]),
        ],
        commits: Commits {
            rows: (1..=2).map(commit).collect(),
            total: 2,
            ..Commits::default()
        },
        config: vec![
            line(' ', "job test"),
            line('-', "  parallelism 1"),
            line('+', "  parallelism 4"),
        ],
        config_cut: 0,
        which: "the last green build of main before it".into(),
        with: Some(with),
        build,
        seq: 1,
    }
}
