//! What stands over a screen, by the keys that work it: palette, menus, help and other texts, prompts.

use serde_json::Value;

use super::kit::*;
use crate::console::action::{Action, Write};
use crate::console::event::Event;
use crate::console::keymap::Keymap;
use crate::console::place::Place;
use crate::console::text;
use crate::console::theme::Role;
use roundel::api::fleet::SetDrain;

fn builds() -> Stage {
    Stage::live(Place::Builds, (80, 24), Model::busy())
}

fn palette(typed: &str) -> Stage {
    let mut stage = builds();
    stage.keys(":");
    stage.types(typed);
    stage
}

#[test]
fn the_palette_goes_where_its_words_say() {
    for (typed, place) in [
        ("queue", "queue".to_owned()),
        ("que", "queue".to_owned()),
        ("nodes", "cluster".to_owned()),
        ("clus", "cluster".to_owned()),
        ("node n02", "node:n02".to_owned()),
        ("  queue  ", "queue".to_owned()),
        ("org/api #2", format!("pipeline:{}", pipeline_id(2))),
        ("api #3", format!("pipeline:{}", pipeline_id(3))),
        ("run ffff", "run:ffff".to_owned()),
        ("job ab/build", "job:ab/build".to_owned()),
        ("pipeline ab", "pipeline:ab".to_owned()),
    ] {
        let mut stage = palette(typed);
        stage.keys("enter");
        assert_eq!(stage.place(), place, "{typed}");
        assert!(stage.app.overlay().is_none(), "{typed}");
    }
}

#[test]
fn the_palette_closes_without_doing_anything() {
    for keys in ["esc", "enter", "q u e esc"] {
        let mut stage = builds();
        stage.keys(":");
        stage.keys(keys);
        assert!(stage.app.overlay().is_none());
        assert_eq!((stage.place().as_str(), stage.flash()), ("builds", ""));
        assert_eq!(stage.wanted(), []);
    }
}

#[test]
fn an_unknown_word_names_the_nearest_and_does_nothing() {
    let mut stage = palette("xqzzzy");
    stage.frame().has(&["nothing matches; nearest: "]);
    stage.keys("enter");
    assert!(
        stage
            .flash()
            .contains("`xqzzzy` means nothing here; nearest: "),
        "{}",
        stage.flash()
    );
    assert_eq!(stage.place(), "builds");
    let mut stage = palette("clusterr");
    stage.keys("enter");
    assert!(stage.flash().ends_with("nearest: cluster"));
}

#[test]
fn tab_completes_and_a_beginning_waits_for_its_word() {
    let mut stage = palette("undr");
    stage.keys("tab");
    stage.frame().has(&[": undrain"]);
    stage.types("n02");
    stage.keys("enter");
    let off = SetDrain {
        enable: false,
        deadline_s: None,
    };
    let write = Write::Drain {
        node: "n02".into(),
        set: off,
    };
    assert_eq!(stage.writes(), [write]);
    // Enter on a beginning alone completes it instead of doing half a thing.
    let mut stage = palette("undrai");
    stage.keys("enter");
    assert!(stage.app.overlay().is_some());
    stage.frame().has(&[": undrain"]);
    assert_eq!(stage.writes(), []);
}

#[test]
fn arrows_choose_among_what_is_shown_and_go_round() {
    let mut stage = palette("");
    let first = stage.frame().selected();
    stage.keys("down");
    let second = stage.frame().selected();
    assert_ne!(first, second);
    stage.keys("up");
    assert_eq!(stage.frame().selected(), first);
    stage.keys("up");
    let last = stage.frame().selected();
    assert!(last != first && last != second);
    stage.keys("down");
    assert_eq!(stage.frame().selected(), first);
    // What is chosen by arrows is taken, whatever was typed.
    let mut stage = palette("queue");
    stage.keys("down up enter");
    assert_eq!(stage.place(), "queue");
}

#[test]
fn what_was_typed_is_edited_and_pasted_like_any_line() {
    let mut stage = palette("xx");
    stage.keys("ctrl-u");
    stage.event(Event::Paste("clu\nster\u{1b}".into()));
    stage.frame().has(&[": cluster"]);
    stage.keys("left left backspace");
    stage
        .frame()
        .has(&[": clusер".replace("ер", "er").as_str()]);
    stage.keys("home");
    let frame = stage.frame();
    let (x, y) = frame.find(": cluser");
    assert_eq!(frame.cursor.map(|at| (at.x, at.y)), Some((x + 2, y)));
}

#[test]
fn the_palette_tells_what_a_verb_would_do_here_or_why_not() {
    let stage = palette("rerun");
    stage.frame().has(&["not now: it still runs"]);
    let mut stage = builds();
    stage.keys("j :");
    stage.types("rerun");
    stage.frame().has(&["run it again"]);
    stage.keys("enter");
    stage
        .frame()
        .has(&["Run org/api #2 again", "from what failed"]);
}

#[test]
fn themes_are_taken_by_name() {
    for name in ["light", "mono", "dark"] {
        let mut stage = palette(&format!("theme {name}"));
        stage.keys("enter");
        assert_eq!(stage.wanted(), [Action::Theme(name.into())]);
    }
}

#[test]
fn the_help_holds_every_key_of_the_screen_and_its_last_line_is_the_end() {
    for place in [
        Place::Queue,
        Place::Builds,
        Place::Cluster,
        Place::Node("n01".into()),
    ] {
        for size in [(80, 24), (120, 36), (200, 60)] {
            let mut stage = Stage::live(place.clone(), size, Model::busy());
            let contexts = stage.app.contexts();
            let sections = Keymap::standard().reachable(&contexts);
            let all: Vec<&str> = sections
                .iter()
                .flat_map(|s| &s.bindings)
                .map(|b| b.shipped.does)
                .collect();
            assert!(all.len() > 20, "{place}");
            stage.keys("?");
            let mut seen = String::new();
            for _ in 0..all.len() + 20 {
                seen.push_str(&stage.frame().text());
                stage.keys("j");
            }
            for words in all.iter().flat_map(|does| text::wrap(does, 58)) {
                assert!(
                    seen.contains(&words),
                    "`{words}` is not in the help of {place}"
                );
            }
            // However far down: the last line stays at the foot of the panel.
            let end = stage.frame().text();
            stage.keys("pgdn pgdn G");
            assert_eq!(stage.frame().text(), end, "{place} at {size:?}");
            if end.contains(" above, ") {
                let at = stage.frame().find(all.last().unwrap()).1;
                assert_eq!(at, size.1 - 4, "no blank lines below the last one");
                assert!(end.contains(" above, 0 below"), "{end}");
                stage.keys("home k pgup");
                stage.frame().has(&["0 above, "]);
            }
        }
    }
}

#[test]
fn a_text_is_closed_by_the_keys_that_its_hints_name() {
    for close in ["esc", "q", "enter", "?"] {
        let mut stage = builds();
        stage.keys("?");
        stage.frame().has(&["Keys", "Esc close"]);
        stage.keys(close);
        assert!(stage.app.overlay().is_none(), "{close}");
        assert_eq!(stage.place(), "builds", "{close}");
    }
}

#[test]
fn raw_shows_the_row_as_the_api_gave_it_and_copies_it_whole() {
    for (place, want) in [
        (
            Place::Builds,
            serde_json::to_value(&Model::busy().pipelines[0].row),
        ),
        (Place::Queue, serde_json::to_value(&Model::busy().runs[0])),
        (
            Place::Cluster,
            serde_json::to_value(&Model::busy().nodes[0]),
        ),
    ] {
        let mut stage = Stage::live(place.clone(), (80, 24), Model::busy());
        stage.keys("y c");
        let wanted = stage.wanted();
        let [Action::Copy(text)] = &wanted[..] else {
            panic!("{wanted:?}")
        };
        let copied: Value = serde_json::from_str(text).unwrap();
        assert_eq!(copied, want.unwrap(), "{place}");
        assert!(stage.flash().starts_with("copied "), "{}", stage.flash());
    }
}

#[test]
fn a_description_has_all_fields_in_words_with_times_in_full() {
    let mut stage = Stage::live(Place::Builds, (120, 60), Model::busy());
    stage.keys("j d");
    let created = ago(120).local("%Y-%m-%d %H:%M:%S");
    stage.frame().has(&[
        "org/api #2",
        "created at",
        &created,
        "jobs, failed",
        "subject",
        "Commit number 2",
    ]);
    assert!(
        stage.frame().line_with("  tag ").contains('–'),
        "an empty field says that it is empty"
    );
    stage.frame().lacks(&["created_at", "null"]);
    let mut stage = Stage::live(Place::Cluster, (120, 60), Model::busy());
    stage.keys("j d");
    stage
        .frame()
        .has(&["n02", "drain, by", "ann", "eligible", "safe to terminate"]);
    assert!(stage.frame().line_with("eligible").contains("no"));
}

#[test]
fn copying_takes_what_other_commands_take() {
    for (place, id) in [
        (Place::Builds, pipeline_id(1)),
        (Place::Queue, "000000000001-0-build-org-api-1".to_owned()),
        (Place::Cluster, "n01".to_owned()),
        (Place::Node("n02".into()), "n02".to_owned()),
    ] {
        let mut stage = Stage::live(place, (80, 24), Model::busy());
        stage.keys("c");
        assert_eq!(stage.wanted(), [Action::Copy(id.clone())]);
        assert_eq!(stage.flash(), format!("copied {id}"));
    }
}

#[test]
fn where_there_is_nothing_nothing_is_described_copied_or_done() {
    for (key, said) in [
        ("y", "there is nothing here to describe"),
        ("c", "there is nothing here to copy"),
        ("D", "there is nothing here to do that with"),
    ] {
        let mut stage = Stage::live(Place::Cluster, (80, 24), Model::empty());
        stage.keys(key);
        assert_eq!(stage.flash(), said);
        assert!(stage.app.overlay().is_none());
    }
    for (key, said) in [
        ("S", "there is no list here to sort"),
        ("/", "there is no list here to filter"),
    ] {
        let mut stage = Stage::live(Place::Node("n01".into()), (80, 24), Model::busy());
        let cmd = Keymap::standard();
        // Those keys mean nothing on this screen; the palette and the mouse may still send the command.
        assert_eq!(
            cmd.key_of(&stage.app.contexts(), crate::console::keymap::Cmd::SortMenu),
            None
        );
        stage.keys(key);
        assert!(stage.flash().is_empty() || stage.flash() == said);
    }
}

#[test]
fn the_sort_menu_orders_by_each_column_and_turns_it_round() {
    for place in [Place::Queue, Place::Builds, Place::Cluster] {
        let mut stage = Stage::live(place.clone(), (120, 36), Model::busy());
        stage.keys("S");
        let frame = stage.frame();
        frame.has(&["Sort by", "again turns it round"]);
        // Each line has a letter of its own.
        let first = frame.find("Sort by");
        let lines = frame.lines();
        let items: Vec<String> = lines[usize::from(first.1) + 2..]
            .iter()
            .map(|line| line.chars().skip(usize::from(first.0)).collect::<String>())
            .take_while(|line| {
                line.chars().nth(3).is_some_and(|c| c != ' ')
                    && line.starts_with(|c: char| c != ' ')
            })
            .collect();
        assert!(items.len() >= 3, "{items:?}");
        let mut letters: Vec<char> = items
            .iter()
            .filter_map(|item| item.chars().next())
            .collect();
        letters.sort_unstable();
        letters.dedup();
        assert_eq!(letters.len(), items.len(), "{items:?}");
        stage.keys("esc");
        stage.questions();
        for letter in letters {
            stage.keys("S");
            stage.types(&letter.to_string());
            let once = stage.frame();
            let up = once.text().contains('↑');
            stage.keys("S");
            stage.types(&letter.to_string());
            assert_ne!(
                stage.frame().text().contains('↑'),
                up,
                "{letter} on {place} turns round"
            );
        }
    }
}

#[test]
fn shift_arrows_walk_through_the_columns_and_come_round() {
    let mut stage = Stage::live(Place::Cluster, (120, 36), Model::busy());
    let head = |stage: &Stage| {
        let frame = stage.frame();
        frame
            .lines()
            .into_iter()
            .find(|line| line.contains("NAME"))
            .unwrap()
    };
    let start = head(&stage);
    assert!(start.contains("NAME ↑"), "{start}");
    stage.keys("shift-right");
    assert!(head(&stage).contains("STATUS ↑"), "{}", head(&stage));
    stage.keys("shift-left");
    assert_eq!(head(&stage), start);
    stage.keys("shift-left");
    assert!(head(&stage).contains("RUNS ↑"), "{}", head(&stage));
    stage.keys("shift-right");
    assert_eq!(head(&stage), start);
}

#[test]
fn the_action_menu_lists_what_cannot_be_done_with_its_reason() {
    let mut stage = builds();
    stage.keys("x");
    let frame = stage.frame();
    frame.has(&[
        "org/api #1",
        "run it again",
        "it still runs",
        "cancel this build",
    ]);
    frame.shows("it still runs", Role::Warning);
    // The cursor stands on what can be done.
    assert!(
        !frame
            .selected()
            .iter()
            .any(|line| line.contains("run it again"))
    );
    stage.keys("r");
    assert_eq!(stage.flash(), "it still runs");
    assert!(stage.app.overlay().is_none());
    for close in ["esc", "q", "x"] {
        stage.keys("x");
        stage.keys(close);
        assert!(stage.app.overlay().is_none(), "{close}");
    }
    stage.keys("x");
    let seen: Vec<String> = (0..6)
        .map(|_| {
            stage.keys("j");
            stage.frame().selected().pop().unwrap()
        })
        .collect();
    assert!(
        seen.iter().any(|line| line.contains("run it again")),
        "{seen:?}"
    );
    assert!(
        seen.iter().any(|line| line.contains("cancel this build")),
        "it goes round: {seen:?}"
    );
    stage.keys("X");
    stage.frame().has(&["Cancel org/api #1?", "[ Cancel ]"]);
}

#[test]
fn g_lists_where_to_go_and_any_other_key_closes_it() {
    let mut stage = builds();
    stage.keys("g");
    stage
        .frame()
        .has(&["g q", "Queue", "g n", "Nodes", "g g", "top of the list"]);
    for other in ["z", "esc"] {
        stage.keys(other);
        assert!(stage.app.overlay().is_none());
        assert_eq!(stage.place(), "builds");
        stage.keys("g");
    }
    stage.keys("esc G g g");
    stage.frame().stands_on("org/api #1");
}

#[test]
fn letters_of_a_dialog_press_its_buttons_and_others_do_nothing() {
    let mut model = Model::empty();
    model.nodes = vec![node(7)];
    let mut stage = Stage::live(Place::Cluster, (80, 24), model);
    stage.keys("D z y 1");
    stage.frame().has(&["Drain n07?", "[ Cancel ]"]);
    stage.keys("right");
    stage.frame().has(&["[ Drain, wait ]"]);
    stage.keys("tab");
    stage.frame().has(&["[ Until a deadline… ]"]);
    stage.keys("down");
    stage.frame().has(&["[ Now ]"]);
    stage.frame().shows("Now ]", Role::Failed);
    stage.keys("right");
    stage.frame().has(&["[ Cancel ]"]);
    stage.keys("backtab");
    stage.frame().has(&["[ Now ]"]);
    // Pasted text presses nothing.
    stage.event(Event::Paste("n\r".into()));
    assert_eq!(stage.writes(), []);
    stage.keys("esc");
    // A key that is held or hit twice opens the question and does not answer it.
    stage.keys("D D D X S N");
    stage.frame().has(&["Drain n07?", "[ Cancel ]"]);
    assert_eq!(stage.writes(), []);
}
