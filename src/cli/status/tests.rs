//! What the verb prints, against fixed objects.

use roundel::api::builds::Status;
use roundel::api::fleet::{Cause, Explanation, Nearest};

use super::*;

fn printed(print: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> String {
    let mut out = Vec::new();
    print(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn the_list_has_nomads_headings_and_the_reasons_below() {
    let text = printed(|out| {
        print_list(
            out,
            &[fixtures::run_row(), fixtures::failed_run()],
            Paint::plain(),
        )
    });
    assert_eq!(
        text,
        "\
ID                               Type   Priority  Status
0123456789ab-0-build-acme-web-7  batch  50        pending
0123456789ab-0-build-acme-web-7  batch  50        dead

Waiting
ID                               Reason
0123456789ab-0-build-acme-web-7  no node has 2 cpu free; best is ci-1 with 1
"
    );
    let empty = printed(|out| print_list(out, &[], Paint::plain()));
    assert!(empty.starts_with("No runs yet"), "{empty}");
}

#[test]
fn a_run_that_waits_says_why_in_nomads_words() {
    let mut detail = fixtures::run_detail(fixtures::run_row());
    let cause = |cause: &str, nodes| Cause {
        cause: cause.to_owned(),
        nodes,
    };
    detail.explanation = Some(Explanation {
        cpu_millis: 2000,
        memory_mb: 4096,
        executor: "machine".to_owned(),
        nodes: 5,
        causes: vec![
            cause("cpu", 3),
            cause("executor", 1),
            cause("too_small_memory", 1),
        ],
        nearest: Some(Nearest {
            node: "ci-1".to_owned(),
            cpu_free_millis: 1000,
            memory_free_mb: 2048,
            cpu_millis: 2000,
            memory_mb: 12_288,
        }),
        place_of_shape: 1,
        place: 2,
        help: vec!["a node with 2 cpu".to_owned()],
    });
    let text = printed(|out| run::print(out, &detail, Paint::plain()));
    let expected = "\
ID            = 0123456789ab-0-build-acme-web-7
Name          = test 1/2
Type          = batch
Priority      = 50
Datacenters   = dc1
Status        = pending
Periodic      = false
Parameterized = false
Project       = acme/web
Build         = #7
Branch        = main
Workflow      = main
Pipeline      = 0190a0b1-0000-7000-8000-000000000001
Asks For      = 2 cpu, 4.0 GiB, machine (class medium)
Queued        = 2023-11-14T22:13:20.000Z

Summary
Task Group  Queued  Starting  Running  Failed  Complete  Lost
test        1       0         0        0       0         0

Placement Failure
Task Group \"test\":
  * no node has 2 cpu free; best is ci-1 with 1
  * Resources exhausted on 3 nodes
  * Dimension \"cpu\" exhausted on 3 nodes
  * Constraint \"executor = machine\" filtered 1 node
  * Dimension \"memory\" never has 4.0 GiB on 1 node
  * Nearest is ci-1: 1 of 2 cpu and 2.0 GiB of 12.0 GiB free
  * Place 2 in line, 1 of its shape
  * Would help: a node with 2 cpu

Allocations
ID                                    Node ID  Task Group  Desired  Status   Created At
0190a0b1-c2d3-7e4f-8a5b-0123456789ab  -        test        run      pending  2023-11-14T22:13:20.000Z
";
    assert_eq!(text, expected);
}

#[test]
fn a_run_that_ended_shows_its_steps() {
    let text = printed(|out| {
        run::print(
            out,
            &fixtures::run_detail(fixtures::failed_run()),
            Paint::plain(),
        )
    });
    let after = text.split_once("\nSummary\n").unwrap().1;
    assert_eq!(
        after,
        "\
Task Group  Queued  Starting  Running  Failed  Complete  Lost
test        0       0         0        1       0         0

Steps
Step  Name                 Status   Exit Code  Duration  Log
0     Spin up environment  success  0          2.0s      2 KiB
1     Test one half        failed   1          2.0s      2 KiB
2     Clean up             skipped  -          2.0s      2 KiB

Allocations
ID                                    Node ID  Task Group  Desired  Status  Created At
0190a0b1-c2d3-7e4f-8a5b-0123456789ab  ci-1     test        run      failed  2023-11-14T22:13:20.000Z
"
    );
    for line in [
        "Outcome       = failed",
        "Cause         = step \"Test one half\" exited with 1",
        "Duration      = 12s",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
}

#[test]
fn a_pipeline_shows_its_jobs() {
    let detail = fixtures::pipeline_detail(Status::Failed, &fixtures::failed_run());
    let text = printed(|out| pipeline::print(out, &detail, Paint::plain()));
    let jobs = text.split_once("Workflow").unwrap().1;
    assert_eq!(
        jobs,
        " \"main\" (failed)
ID = 0190a0b1-0000-7000-8000-000000000003
Build  Job   Status  Duration  Requires  Runs
#7     test  failed  12s       -         0123456789ab
"
    );
}

#[test]
fn every_state_of_a_run_has_a_word_of_nomad() {
    let dead = |outcome| RunRow {
        outcome: Some(outcome),
        ..fixtures::failed_run()
    };
    let cases = [
        (fixtures::run_row(), "run", "pending"),
        (dead(Outcome::Success), "run", "complete"),
        (dead(Outcome::Failed), "run", "failed"),
        (dead(Outcome::Timedout), "run", "failed"),
        (dead(Outcome::Canceled), "stop", "complete"),
        (dead(Outcome::Interrupted), "stop", "complete"),
        (dead(Outcome::InfrastructureFail), "run", "lost"),
    ];
    for (run, desired, client) in cases {
        let words = allocation(&run);
        assert_eq!(
            (words.desired, words.client),
            (desired, client),
            "{:?}",
            run.outcome
        );
    }
}
