//! What the screens about builds say alike: newest passes, names with copies, counts, actors.

use super::*;
use crate::console::tests::kit::*;
use roundel::api::builds::Outcome;
use roundel::clock::Timestamp;

fn pass(id: &str, name: &str) -> WorkflowDetail {
    workflow(id, name, vec![job(1, "build", Status::Success, &[])])
}

#[test]
fn the_newest_pass_of_each_workflow_stands_where_the_first_did() {
    let flows = vec![pass("1", "main"), pass("2", "nightly"), pass("3", "main"), pass("4", "main")];
    let detail = pipeline(1, Status::Success, flows);
    let newest = newest(&detail);
    let newest: Vec<_> = newest.iter().map(|(pass, n)| (pass.id.as_str(), *n)).collect();
    assert_eq!(newest, [("4", 3), ("2", 1)]);
}

#[test]
fn a_box_requires_only_what_stands_before_it() {
    let jobs = vec![
        job(1, "a", Status::Success, &["b", "a", "no-such-job"]),
        job(2, "b", Status::Success, &["a"]),
    ];
    let flow = workflow("1", "main", jobs);
    let boxes = boxes(&flow, &Now::new(NOW, true));
    assert!(boxes[0].requires.is_empty(), "a circle of a faulty server draws no wire");
    assert_eq!(boxes[1].requires, [0]);
}

#[test]
fn several_copies_say_how_many_have_ended() {
    let copies = |runs: Vec<roundel::api::builds::RunRow>| JobRow {
        parallelism: 4,
        runs,
        ..job(1, "test", Status::Running, &[])
    };
    assert_eq!(job_name(&job(1, "test", Status::Running, &[])), "test");
    assert_eq!(job_name(&copies(Vec::new())), "test ×4");
    let runs = vec![running(1), ended(2, Outcome::Success), ended(3, Outcome::Failed), run(4)];
    assert_eq!(job_name(&copies(runs)), "test 2/4");
}

#[test]
fn a_note_says_how_long_or_why_not() {
    let now = Now::new(NOW, true);
    let reused = JobRow {
        reused: true,
        ..job(1, "a", Status::Success, &[])
    };
    let flow = |one: JobRow| workflow("1", "main", vec![one]);
    for (one, note) in [
        (job(1, "a", Status::Running, &[]), "1m 30s"),
        (job(1, "a", Status::Success, &[]), "1m 00s"),
        (job(2, "a", Status::Queued, &[]), "queued 20 s"),
        (job(1, "a", Status::Blocked, &[]), "waits"),
        (job(1, "a", Status::NotRun, &[]), "not run"),
        (job(1, "a", Status::Canceled, &[]), "canceled 1m 00s"),
        (reused, "kept"),
    ] {
        let flow = flow(one);
        assert_eq!(boxes(&flow, &now)[0].note, note, "{:?}", flow.jobs[0].status);
    }
}

#[test]
fn counts_name_what_failed_first_and_nothing_that_is_not_there() {
    let all = |statuses: &[Status]| -> Vec<JobRow> {
        statuses.iter().map(|status| job(1, "a", *status, &[])).collect()
    };
    for (statuses, said) in [
        (vec![], ""),
        (vec![Status::Success, Status::Success], "2 passed"),
        (vec![Status::Running, Status::Failed, Status::Success], "1 failed, 1 passed, 1 running"),
        (vec![Status::Timedout, Status::InfrastructureFail, Status::Errored], "3 failed"),
        (vec![Status::Queued, Status::Blocked], "1 queued, 1 to come"),
        (vec![Status::Canceled, Status::NotRun], "2 not run"),
    ] {
        assert_eq!(counts(&all(&statuses)).plain(), said);
    }
}

#[test]
fn an_actor_is_called_by_name_where_there_is_one() {
    for (actor, name) in [
        ("uid 1000 (ann)", "ann"),
        ("uid 1000", "uid 1000"),
        ("webhook", "webhook"),
        ("bot (nightly)", "bot (nightly)"),
        ("uid 1 (", "uid 1 ("),
        ("", ""),
    ] {
        assert_eq!(who(actor), name);
    }
}

#[test]
fn a_tag_is_told_from_a_branch() {
    let row = pipeline_row(1, Status::Success);
    assert!(revision(&row).plain().starts_with("main 0000000"));
    let tagged = PipelineRow {
        tag: "v1.2".into(),
        branch: String::new(),
        ..row
    };
    assert!(revision(&tagged).plain().starts_with("tag v1.2 0000000"));
}

#[test]
fn a_state_says_how_long_it_took_or_takes() {
    let now = Now::new(NOW, false);
    assert_eq!(state(&pipeline_row(2, Status::Failed), &now).plain(), "✗ failed 54 s");
    assert_eq!(now.next(), None, "what has ended wakes nobody");
    assert_eq!(state(&pipeline_row(2, Status::Queued), &now).plain(), "◌ queued");
    assert_eq!(state(&pipeline_row(2, Status::Running), &now).plain(), "▶ running 1m 59s");
    assert_eq!(now.next(), Some(Timestamp(NOW.0 + 1000)));
}
