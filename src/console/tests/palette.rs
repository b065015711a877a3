//! The command palette over a server: names that are not on the screen, and what a line does.

use super::kit::*;
use crate::console::action::Want;
use crate::console::place::Place;

/// Opens the palette and types.
fn typed(stage: &mut Stage, text: &str) {
    stage.keys(":");
    stage.types(text);
}

#[test]
fn names_that_are_not_on_the_screen_are_found_and_gone_to() {
    for size in SIZES {
        let mut stage = Stage::live(Place::Queue, size, Model::busy());
        stage.frame().lacks(&["n02"]);
        typed(&mut stage, "n02");
        stage.frame().has(&["node n02", "draining"]);
        stage.keys("enter");
        assert_eq!(stage.place(), "node:n02");
        typed(&mut stage, "api #2");
        stage.frame().has(&["pipeline org/api #2"]);
        stage.keys("enter");
        assert_eq!(stage.place(), format!("pipeline:{}", pipeline_id(2)));
    }
}

#[test]
fn a_drain_is_completed_with_the_names_of_nodes_and_asks_first() {
    let mut stage = Stage::live(Place::Builds, (80, 24), Model::busy());
    typed(&mut stage, "drain n0");
    stage.frame().has(&["drain n01", "drain n02", "down"]);
    stage.keys("down tab enter");
    stage.frame().has(&["Drain n02?", "[ Cancel ]"]);
    assert_eq!(stage.writes(), []);
}

#[test]
fn a_build_is_found_by_the_words_of_its_commit() {
    let mut model = Model::busy();
    model.pipelines[2].row.subject = "Make the login page quick".into();
    let mut stage = Stage::live(Place::Cluster, (120, 36), model);
    typed(&mut stage, "login quick");
    stage
        .frame()
        .has(&["pipeline org/api #3", "Make the login page quick"]);
    stage.keys("enter");
    assert_eq!(stage.place(), format!("pipeline:{}", pipeline_id(3)));
}

#[test]
fn a_project_filters_the_builds() {
    let mut model = Model::busy();
    model.pipelines[1].row.project = "org/web".into();
    let mut stage = Stage::live(Place::Queue, (120, 36), model);
    typed(&mut stage, "project we");
    stage.frame().has(&["project org/web"]);
    stage.keys("tab enter");
    assert_eq!(stage.place(), "builds");
    let frame = stage.frame();
    frame.has(&["org/web #2", "1 of 1 shown"]);
    frame.lacks(&["org/api"]);
}

#[test]
fn an_unknown_word_names_the_nearest_and_is_kept_for_another_try() {
    let mut stage = Stage::live(Place::Queue, (80, 24), Model::busy());
    typed(&mut stage, "clutser");
    stage.frame().has(&["nothing matches; nearest: cluster"]);
    stage.keys("enter");
    assert!(
        stage.flash().ends_with("nearest: cluster"),
        "{}",
        stage.flash()
    );
    stage.keys(": up");
    stage.frame().has(&[": clutser"]);
    stage.keys("esc");
    typed(&mut stage, "metrics");
    stage.frame().has(&["metrics", "comes later"]);
    stage.keys("enter");
    assert_eq!(stage.flash(), "Metrics comes later");
    typed(&mut stage, "cluster");
    stage.keys("enter : up up");
    stage.frame().has(&[": metrics"]);
}

#[test]
fn fast_typing_asks_once_a_change_and_a_lost_connection_asks_anew() {
    let mut stage = Stage::live(Place::Queue, (80, 24), Model::busy());
    stage.slow = true;
    typed(&mut stage, "node n01");
    let asked = stage.questions();
    let nodes = |want: &&Want| matches!(want, Want::Nodes(q) if "n01".starts_with(&q.filter));
    assert_eq!(
        asked.iter().filter(nodes).count(),
        3,
        "n, n0 and n01: {asked:?}"
    );
    stage.answer();
    stage.frame().has(&["node n01"]);
    stage.wait(60_000);
    assert_eq!(stage.questions(), [], "an answer is not asked for again");
    stage.lose("gone");
    assert!(!stage.questions().is_empty());
    stage.frame().has(&["node n01"]);
}
