//! One line to type: filters, paths to build, files to save to.

use super::kit::*;
use crate::console::action::{Action, Kept, Write};
use crate::console::event::{Done, Event, Failure};
use crate::console::place::Place;
use roundel::error::Kind;

fn builds() -> Stage {
    Stage::live(Place::Builds, (80, 24), Model::busy())
}

#[test]
fn a_filter_works_while_it_is_typed_and_esc_brings_back_the_earlier_one() {
    let mut stage = builds();
    stage.keys("/");
    stage.types("failed");
    stage.frame().has(&["org/api #2", "filter /failed"]);
    stage.frame().lacks(&["org/api #1", "org/api #3"]);
    stage.keys("enter /");
    stage.types(" x");
    stage.frame().lacks(&["org/api #2"]);
    stage.keys("esc");
    stage
        .frame()
        .has(&["org/api #2", "filter / failed", "1 of 1 shown"]);
    // The earlier words stand there to be edited.
    stage.keys("/ ctrl-w enter");
    stage.frame().has(&["3 of 3 shown", "filter / none"]);
}

#[test]
fn a_filter_knows_words_that_must_not_occur_and_pasted_lines() {
    let mut stage = builds();
    stage.keys("/");
    stage.event(Event::Paste("!failed\n".into()));
    stage.frame().lacks(&["org/api #2"]);
    stage.frame().has(&["org/api #1", "org/api #3"]);
    let cursor = stage.frame().cursor.unwrap();
    assert_eq!((cursor.x, cursor.y), (1 + 8 + 7, 22));
    stage.keys("enter");
    assert_eq!(
        stage.frame().cursor,
        None,
        "the terminal's cursor shows only where somebody types"
    );
}

#[test]
fn a_long_prompt_keeps_its_typed_end_in_sight() {
    let mut stage = builds();
    stage.keys("P");
    stage.types(&format!("/{}/end", "語".repeat(60)));
    let frame = stage.frame();
    frame.has(&["path or URL of a git repository to build", "/end"]);
    let cursor = frame.cursor.unwrap();
    assert!(cursor.x < 80 && cursor.y == 22, "{cursor:?}");
    stage.keys("home");
    assert!(stage.frame().cursor.unwrap().x < 80);
}

#[test]
fn a_path_is_built_and_an_empty_one_is_not() {
    let mut stage = builds();
    stage.keys("P enter");
    assert!(stage.app.overlay().is_none());
    assert_eq!(stage.writes(), []);
    stage.keys("P");
    stage.types(" /srv/web ");
    stage.keys("enter");
    let write = Write::Build {
        source: "/srv/web".into(),
    };
    assert_eq!(stage.writes(), std::slice::from_ref(&write));
    // What it made is gone to, and Esc leads up to the builds.
    let done = Done {
        text: "building".into(),
        pipeline: Some(pipeline_id(3)),
    };
    stage.event(Event::Written(write, Ok(done)));
    assert_eq!(stage.place(), format!("pipeline:{}", pipeline_id(3)));
    assert_eq!(stage.flash(), "building");
    stage.keys("esc");
    assert_eq!(stage.place(), "builds");
}

#[test]
fn a_file_that_is_there_is_replaced_only_when_somebody_says_so() {
    let mut stage = builds();
    stage.keys("ctrl-s");
    stage.frame().has(&["save this view to", ".txt"]);
    stage.keys("ctrl-u");
    stage.types("~/view.txt");
    stage.keys("enter");
    let wanted = stage.wanted();
    let [Action::Save(save)] = &wanted[..] else {
        panic!("{wanted:?}")
    };
    assert_eq!(
        (save.path.as_str(), save.replace, &save.what),
        ("~/view.txt", false, &Kept::View)
    );
    let there = Failure::new(Kind::Conflict, "it is there");
    stage.event(Event::Saved(save.clone(), Err(there)));
    stage.frame().has(&["Replace ~/view.txt?", "[ Cancel ]"]);
    stage.keys("enter");
    assert_eq!(stage.wanted(), [], "Cancel has the focus");
    let there = Failure::new(Kind::Conflict, "it is there");
    stage.event(Event::Saved(save.clone(), Err(there)));
    stage.keys("r");
    let wanted = stage.wanted();
    assert!(
        matches!(&wanted[..], [Action::Save(again)] if again.replace),
        "{wanted:?}"
    );
    let full = Failure::new(Kind::Infrastructure, "no space");
    stage.event(Event::Saved(save.clone(), Err(full)));
    assert_eq!(stage.flash(), "✗ no space");
}
