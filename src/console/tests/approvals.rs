//! Approvals: which jobs wait for one, and how one of several is chosen; and what is asked for before the stream is open.

use roundel::api::builds::Status;

use super::kit::*;
use crate::console::action::Write;
use crate::console::place::Place;

/// Build 7, of whose jobs these wait for approval; one more has passed.
fn held(names: &[&str]) -> Model {
    let hold = |(n, name): (u32, &&str)| job(n, name, Status::OnHold, &["build"]);
    let jobs = (41..).zip(names).map(hold);
    let jobs = std::iter::once(job(40, "build", Status::Success, &[])).chain(jobs);
    let pass = workflow("wf-7", "main", jobs.collect());
    let mut build = pipeline(7, Status::OnHold, vec![pass]);
    build.row.jobs.on_hold = u32::try_from(names.len()).unwrap();
    let mut model = Model::empty();
    model.pipelines = vec![build];
    model
}

fn approved(id: &str, name: &str) -> Write {
    let (id, name) = (id.into(), name.into());
    Write::Approve { id, name }
}

#[test]
fn an_approval_is_asked_for_by_the_name_of_its_job_and_one_of_several_is_chosen() {
    let mut stage = Stage::live(Place::Builds, (80, 24), held(&["hold"]));
    stage.keys("A");
    stage.frame().has(&["Approve org/api #7?", "[ Cancel ]"]);
    stage.keys("a");
    assert_eq!(stage.writes(), [approved(&pipeline_id(7), "org/api #7")]);
    stage.keys("enter A");
    stage
        .frame()
        .has(&["Approve hold of org/api #7?", "roundel approve job-41"]);
    stage.keys("esc");

    let mut stage = Stage::live(Place::Builds, (80, 24), held(&["hold-eu", "hold-us"]));
    stage.keys("A");
    assert_eq!(stage.place(), format!("pipeline:{}", pipeline_id(7)));
    assert_eq!(stage.flash(), "2 jobs of it wait for approval; A chooses");
    // The cursor is on the first that waits, and what it is on comes first.
    stage.keys("A");
    let frame = stage.frame();
    frame.has(&[
        "Approve which job of org/api #7?",
        "1  hold-eu",
        "2  hold-us",
    ]);
    stage.keys("2");
    stage
        .frame()
        .has(&["Approve hold-us of org/api #7?", "[ Cancel ]"]);
    stage.keys("a");
    assert_eq!(
        stage.writes(),
        [approved("job-42", "hold-us of org/api #7")]
    );
    stage.keys("j A");
    stage.frame().has(&["1  hold-us", "2  hold-eu"]);
}

#[test]
fn where_there_is_no_build_the_menu_says_that_there_is_none_to_approve() {
    let mut stage = Stage::live(Place::Builds, (80, 24), Model::busy());
    stage.keys("/");
    stage.types("nowhere");
    stage.keys("enter x");
    let line = stage.frame().line_with("approve");
    assert!(line.contains("nothing here to do that with"), "{line}");
}

#[test]
fn what_is_asked_for_before_the_stream_is_open_is_done() {
    let mut stage = Stage::cold(Place::Builds, (80, 24), Model::empty());
    stage.answer();
    stage.keys("P");
    stage.types("/srv/web");
    stage.keys("enter");
    let source = "/srv/web".into();
    assert_eq!(stage.writes(), [Write::Build { source }]);
}
