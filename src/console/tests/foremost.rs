//! Of a build, one wants to see first what failed, else what runs.

use super::kit::*;
use crate::console::place::Place;
use roundel::api::Topic;

#[test]
fn one_key_leads_from_a_failed_build_to_the_log_of_what_failed() {
    for size in [(80, 24), (120, 36)] {
        let mut stage = Stage::live(Place::Builds, size, Model::busy());
        stage.keys("j l");
        assert_eq!(stage.place(), format!("log:{}", pipeline_id(2)));
        stage
            .frame()
            .has(&["Builds › org/api #2", "› test", "line 30"]);
        stage.keys("esc");
        stage.frame().stands_on("org/api #2");
    }
}

#[test]
fn the_cursor_of_a_graph_begins_on_what_matters_and_then_stays() {
    for (n, job) in [(1, "─ test"), (2, "─ test"), (3, "─ build")] {
        let place = Place::Pipeline(pipeline_id(n));
        let mut stage = Stage::live(place, (120, 36), Model::busy());
        stage.frame().has(&[job]);
        stage.keys("home");
        let first = stage.frame().text();
        stage.change(Topic::Builds);
        assert_eq!(stage.frame().text(), first, "of build {n}");
    }
}
