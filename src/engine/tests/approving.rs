//! Jobs that wait for approval: through the graph, over a restart, canceled, and run again.

use super::*;
use crate::ids::JobId;

const GATE: &str = "
version: 2.1
jobs:
  build: {machine: true, resource_class: medium, steps: [run: a]}
  deploy: {machine: true, resource_class: medium, steps: [run: b]}
workflows:
  main:
    jobs: [build, hold: {type: approval, requires: [build]}, deploy: {requires: [hold]}]
";

fn job(bench: &Bench, pipeline: PipelineId, name: &str) -> JobId {
    let store = &bench.engine.view.store;
    let pass = store.workflows(pipeline).unwrap().pop().unwrap();
    let jobs = store.jobs(pass.id).unwrap();
    jobs.into_iter().find(|job| job.name == name).unwrap().id
}

#[tokio::test]
async fn what_waits_for_approval_waits_over_a_restart_and_goes_on_once_it_is_given() {
    let dir = tempfile::tempdir().unwrap();
    let bench = start_in(dir.path(), NO_LIMITS);
    let id = bench.build(GATE).await;
    let build = job(&bench, id, "build");
    let early = bench.send(BuildCommand::Approve(build)).await.unwrap_err();
    assert!(early.to_string().contains("does not wait for approval"));
    bench.end("build", Outcome::Success).await;
    assert_eq!(bench.status(id), Status::OnHold);
    assert_eq!(bench.running(), [""; 0]);
    let held = bench.engine.view.store.held().unwrap();
    assert_eq!(
        (held[0].pipeline, held[0].jobs, held[0].name.as_str()),
        (id, 1, "hold")
    );
    assert!(held.len() == 1 && held[0].since.is_some());
    bench.engine.stop().await;

    let bench = start_in(dir.path(), NO_LIMITS);
    assert_eq!(bench.status(id), Status::OnHold);
    let hold = job(&bench, id, "hold");
    bench.send(BuildCommand::Approve(hold)).await.unwrap();
    assert_eq!(bench.running(), ["deploy"]);
    assert_eq!(bench.engine.view.store.held().unwrap(), []);
    assert_eq!(bench.status(id), Status::Running);
    let again = bench.send(BuildCommand::Approve(hold)).await.unwrap_err();
    assert_eq!(again.kind(), Kind::Conflict);
    bench.end("deploy", Outcome::Success).await;
    assert_eq!(bench.status(id), Status::Success);
    let query = WindowQuery {
        filter: "action:job.approve result:ok".to_owned(),
        limit: 9,
        ..WindowQuery::default()
    };
    let audit = bench.engine.view.store.audit(&query, None);
    assert_eq!(audit.unwrap().rows[0].entry.object, hold.to_string());
}

#[tokio::test]
async fn what_waits_for_approval_can_be_canceled_and_waits_again_in_a_new_pass() {
    let dir = tempfile::tempdir().unwrap();
    let bench = start_in(dir.path(), NO_LIMITS);
    let id = bench.build(GATE).await;
    bench.end("build", Outcome::Success).await;
    bench.send(BuildCommand::CancelPipeline(id)).await.unwrap();
    assert_eq!(bench.status(id), Status::Canceled);
    let workflow = bench.engine.view.store.workflows(id).unwrap()[0].id;
    let rerun = BuildCommand::Rerun {
        workflow,
        from_failed: true,
    };
    bench.send(rerun).await.unwrap();
    assert_eq!(bench.status(id), Status::OnHold, "what succeeded is kept");
    let hold = job(&bench, id, "hold");
    bench.send(BuildCommand::Approve(hold)).await.unwrap();
    assert_eq!(bench.running(), ["deploy"]);
}
