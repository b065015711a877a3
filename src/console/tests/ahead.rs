//! Keys that are faster than the first rows are not lost.

use super::kit::*;
use crate::console::place::Place;

#[test]
fn movements_before_the_first_rows_count() {
    for (keys, row) in [
        ("j", "org/api #2"),
        ("j j", "org/api #3"),
        ("j j k", "org/api #2"),
        ("pgdn", "org/api #3"),
        ("G", "org/api #3"),
        ("G home", "org/api #1"),
    ] {
        let mut stage = Stage::cold(Place::Builds, (120, 36), Model::busy());
        stage.connect();
        stage.keys(keys);
        stage.slow = false;
        stage.answer();
        stage.frame().stands_on(row);
    }
}

#[test]
fn a_log_is_opened_of_a_build_that_is_still_being_read() {
    let mut stage = Stage::live(Place::Builds, (120, 36), Model::busy());
    stage.keys("j");
    stage.slow = true;
    stage.keys("enter l");
    assert_eq!(stage.place(), format!("log:{}", pipeline_id(2)));
    stage.slow = false;
    stage.answer();
    stage
        .frame()
        .has(&["Builds › org/api #2", "error in line 30"]);
}
