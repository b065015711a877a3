//! That the stage itself tells the truth: what it shows is what a test reads.

use super::kit::*;
use crate::console::place::Place;
use crate::console::theme::Role;

#[test]
fn a_stage_answers_windows_takes_keys_and_shows_frames() {
    for size in SIZES {
        let mut stage = Stage::live(Place::Builds, size, Model::busy());
        let frame = stage.frame();
        frame.has(&["org/api #1", "org/api #2", "✗ failed"]);
        frame.lacks(&["org/api #4"]);
        frame.stands_on("org/api #1");
        frame.shows("✗ failed", Role::Failed);
        stage.keys("j");
        stage.frame().stands_on("org/api #2");
        stage.keys("enter");
        assert_eq!(stage.place(), format!("pipeline:{}", pipeline_id(2)));
        stage.frame().has(&["Builds › org/api #2", "deploy"]);
    }
}

#[test]
fn the_model_filters_sorts_and_cuts_as_the_server_does() {
    let mut stage = Stage::live(Place::Queue, (120, 36), Model::busy());
    stage.frame().has(&["test-1", "test-6", "6 of 6 shown"]);
    stage.keys("/");
    stage.types("test-3");
    stage.keys("enter");
    let frame = stage.frame();
    frame.has(&["test-3", "1 of 1 shown"]);
    stage.keys("esc shift-left");
    stage.frame().has(&["6 of 6 shown"]);
}

#[test]
fn a_slow_stage_holds_answers_back() {
    let mut stage = Stage::cold(Place::Cluster, (120, 36), Model::busy());
    assert_eq!(stage.questions().len(), 1);
    stage.connect();
    stage.frame().lacks(&["n01"]);
    stage.answer();
    stage.frame().has(&["n01", "n02", "n03"]);
}
