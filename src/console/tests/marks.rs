//! Marks on every list: by keys, behind the menu, through scrolling, filters and orders; what is copied and described.

use super::kit::*;
use crate::console::action::{Action, Write};
use crate::console::place::Place;

/// The lists, and the first two names that `c` copies of each.
fn lists() -> [(Place, usize); 3] {
    [(Place::Queue, 6), (Place::Builds, 3), (Place::Cluster, 3)]
}

fn copied(stage: &mut Stage) -> Vec<String> {
    let wanted = stage.wanted().into_iter().find_map(|action| match action {
        Action::Copy(text) => Some(text),
        _ => None,
    });
    let text = wanted.expect("something is copied");
    text.lines().map(str::to_owned).collect()
}

fn written(stage: &mut Stage) -> Vec<Write> {
    let wanted = stage.wanted().into_iter();
    wanted
        .filter_map(|action| match action {
            Action::Write(write) => Some(write),
            _ => None,
        })
        .collect()
}

#[test]
fn every_list_marks_ranges_copies_all_and_esc_takes_marks_before_filters() {
    for (place, rows) in lists() {
        for size in SIZES {
            let mut stage = Stage::live(place.clone(), size, Model::busy());
            stage.keys("space");
            stage.frame().has(&["▶ 1 marked"]);
            stage.keys("G v");
            stage.frame().has(&[&format!("▶ {rows} marked")]);
            stage.keys("c");
            assert_eq!(copied(&mut stage).len(), rows, "{place}");
            stage.keys("y");
            stage.frame().has(&[&format!("{rows} marked"), "["]);
            stage.keys("esc S esc /");
            // The sentence about the copy has gone from the line below.
            stage.wait(9000);
            stage.types("zzz");
            stage.keys("enter");
            stage
                .frame()
                .has(&[&format!("▶ {rows} marked"), "0 of 0 shown"]);
            stage.keys("esc");
            stage.frame().lacks(&["marked"]);
            stage.frame().has(&["filter / zzz"]);
            stage.keys("esc");
            stage.frame().has(&["filter / none"]);
            stage.keys("c");
            assert_eq!(copied(&mut stage).len(), 1, "{place}: that at the cursor");
        }
    }
}

#[test]
fn each_verb_of_what_is_marked_is_behind_its_key_and_the_menu_alike() {
    for (place, _) in lists() {
        let mut stage = Stage::live(place.clone(), (120, 36), Model::busy());
        stage.keys("space G v x");
        let menu = stage.frame();
        menu.has(&["marked"]);
        let keys: &[(&str, &str)] = match place {
            Place::Queue => &[("X", "stop 6 runs")],
            Place::Builds => &[("r", "run 3 builds again"), ("X", "cancel 3 builds")],
            _ => &[
                ("D", "drain 3 nodes, or end it"),
                ("C", "give 3 nodes no new work, or let them"),
            ],
        };
        for (key, words) in keys {
            menu.has(&[words]);
            let mut by_menu = Stage::live(place.clone(), (120, 36), Model::busy());
            by_menu.keys(&format!("space G v x {key}"));
            let mut by_key = Stage::live(place.clone(), (120, 36), Model::busy());
            by_key.keys(&format!("space G v {key}"));
            assert_eq!(by_menu.app.overlay(), by_key.app.overlay(), "{place} {key}");
            assert!(by_key.app.overlay().is_some(), "{place} {key} asks first");
            assert_eq!(written(&mut by_key), [], "nothing is done unasked");
        }
    }
}

#[test]
fn stopping_many_sends_one_write_each_and_leaves_no_mark() {
    let mut stage = Stage::live(Place::Queue, (120, 36), Model::busy());
    stage.keys("space G v X");
    stage
        .frame()
        .has(&["Stop 6 runs?", "[ Cancel ]", "roundel stop"]);
    stage.keys("enter");
    assert_eq!(written(&mut stage), [], "the harmless answer has the focus");
    stage.frame().has(&["▶ 6 marked"]);
    stage.keys("X s");
    let writes = written(&mut stage);
    assert_eq!(writes.len(), 6);
    assert!(
        writes
            .iter()
            .all(|write| matches!(write, Write::StopRun { .. }))
    );
    stage.frame().lacks(&["marked"]);
    stage.keys("@");
    stage.frame().has(&["under way", "roundel stop"]);
}

#[test]
fn a_range_asks_for_a_mark_first() {
    for (place, _) in lists() {
        let mut stage = Stage::live(place, (120, 36), Model::busy());
        stage.keys("v");
        stage.frame().has(&["Space marks where a range begins"]);
    }
}
