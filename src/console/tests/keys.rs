//! Every key of the help, on every screen: it does something that is seen, or says why not. And every action is in the
//! menu of actions, too.

use std::collections::HashSet;

use super::kit::*;
use super::screens::{Met, SCREENS};
use crate::console::action::Action;
use crate::console::chord::Chord;
use crate::console::keymap::{Cmd, Context};
use crate::console::overlays::Overlay;
use crate::console::text;

/// Where things stand before a key: from some of these, each command must have an effect.
const BEFORE: [&str; 14] = [
    "",
    "j",
    "G",
    "tab G",
    "tab right",
    "tab home",
    "j enter",
    "3 4",
    "3 4 [",
    "/ 1 enter",
    "o",
    "k",
    "right",
    "G k",
];

/// Commands that have nowhere to go where there are no rows.
const MOVES: [Cmd; 9] = [
    Cmd::Up,
    Cmd::Down,
    Cmd::Top,
    Cmd::Bottom,
    Cmd::HalfUp,
    Cmd::HalfDown,
    Cmd::PageUp,
    Cmd::PageDown,
    Cmd::Describe,
];

/// Everything of a console that somebody can notice, with what it asked for besides windows.
fn noticed(stage: &mut Stage) -> (String, Vec<Action>) {
    let frame = stage.frame();
    (
        format!("{:?} {:?}", frame.buffer, frame.cursor),
        stage.wanted(),
    )
}

/// Whether this key does something on a screen in this state.
fn acts(met: &Met, size: (u16, u16), before: &str, key: &str) -> Option<bool> {
    let mut stage = met.stage(size);
    let from = stage.place();
    stage.keys(before);
    let place = stage.place();
    // Another screen, or something over it, is another test.
    if stage.app.overlay().is_some() || place != from {
        return None;
    }
    let (was, _) = noticed(&mut stage);
    stage.keys(key);
    let (is, wanted) = noticed(&mut stage);
    Some(was != is || !wanted.is_empty() || stage.place() != place)
}

#[test]
fn every_key_of_the_help_of_every_screen_does_something_or_says_why_not() {
    let mut silent = Vec::new();
    for met in SCREENS {
        let stage = met.stage((120, 36));
        let keymap = &stage.app.shell.keymap;
        let moves = |cmd| MOVES.contains(&cmd) && met.still;
        for section in keymap.reachable(&stage.app.contexts()) {
            for bound in section
                .bindings
                .iter()
                .filter(|one| !moves(one.shipped.cmd))
            {
                // That its other keys mean the same is a test of its own.
                let key = &bound.keys[0];
                // A text that fits its room has nowhere to go: there, a small one tells.
                let acts = |size| {
                    BEFORE
                        .iter()
                        .any(|before| acts(met, size, before, key) == Some(true))
                };
                if !acts((120, 36)) && !acts((60, 15)) {
                    silent.push(format!("{}: {key} ({})", met.name, bound.shipped.does));
                }
            }
        }
    }
    assert!(silent.is_empty(), "silent keys:\n{}", silent.join("\n"));
}

#[test]
fn every_key_of_what_stands_over_a_screen_does_something() {
    for (open, names) in [
        (":", "typing"),
        ("x", "a menu"),
        ("q", "a question"),
        ("?", "a text"),
        ("g", "go to"),
    ] {
        let stage = |before: &str| {
            let mut stage = SCREENS[1].stage((80, 24));
            stage.keys("4 3");
            stage.keys(open);
            stage.keys(before);
            stage
        };
        let opened = stage("");
        let contexts = opened.app.contexts();
        assert_eq!(contexts.len(), 1, "{names}");
        for section in opened.app.shell.keymap.reachable(&contexts) {
            for bound in section.bindings {
                for key in &bound.keys {
                    // Typed words are asked for in few questions; they are a test of their own.
                    if contexts == [Context::Dialog] && bound.shipped.cmd == Cmd::Erase {
                        continue;
                    }
                    let acts = ["", "down", "pgdn pgdn", "j", "n o left"]
                        .iter()
                        .any(|before| {
                            let mut stage = stage(before);
                            if stage.app.contexts() != contexts {
                                return false;
                            }
                            let (was, _) = noticed(&mut stage);
                            let cursor = stage.frame().cursor;
                            stage.keys(key);
                            let (is, wanted) = noticed(&mut stage);
                            was != is || !wanted.is_empty() || stage.frame().cursor != cursor
                        });
                    assert!(acts, "{names}: {key} ({})", bound.shipped.does);
                }
            }
        }
    }
}

#[test]
fn the_help_of_every_screen_names_each_key_once_and_all_that_act() {
    for met in SCREENS {
        let mut stage = met.stage((200, 60));
        let contexts = stage.app.contexts();
        let keymap = stage.app.shell.keymap.clone();
        let mut seen = HashSet::new();
        for section in keymap.reachable(&contexts) {
            for bound in &section.bindings {
                for key in &bound.keys {
                    assert!(seen.insert(key.clone()), "{}: `{key}` twice", met.name);
                    let chord = Chord::parse(key).unwrap();
                    assert_eq!(keymap.find(&contexts, chord), Some(bound.shipped.cmd));
                }
            }
        }
        // And the help shows all of it, in these words.
        let help = keymap.key_of(&contexts, Cmd::Help).unwrap();
        stage.keys(&help);
        let mut shown = stage.frame().text();
        for _ in 0..6 {
            stage.keys("pgdn");
            shown.push_str(&stage.frame().text());
        }
        for section in keymap.reachable(&contexts) {
            for bound in &section.bindings {
                for words in text::wrap(bound.shipped.does, 58) {
                    assert!(shown.contains(&words), "{}: {words}", met.name);
                }
            }
        }
    }
}

#[test]
fn every_action_is_in_the_menu_too_with_its_reason_where_it_cannot_be() {
    for met in SCREENS {
        let mut stage = met.stage((200, 60));
        let contexts = stage.app.contexts();
        let keymap = stage.app.shell.keymap.clone();
        let Some(actions) = keymap.key_of(&contexts, Cmd::Actions) else {
            panic!("{}: no key for the menu of actions", met.name);
        };
        let own = keymap.actions(&contexts);
        stage.keys(&actions);
        let frame = stage.frame();
        if own.is_empty() {
            continue;
        }
        assert!(
            matches!(stage.app.overlay(), Some(Overlay::Menu(_))),
            "{}: {}",
            met.name,
            stage.flash()
        );
        for bound in own {
            let key = &bound.keys[0];
            let listed = frame
                .lines()
                .iter()
                .any(|line| line.contains(&format!("  {key}  ")));
            assert!(
                listed,
                "{}: {key} ({}) is not in\n{}",
                met.name,
                bound.shipped.does,
                frame.text()
            );
        }
    }
}

#[test]
fn tabs_are_gone_to_by_number_by_letter_and_by_name() {
    for (keys, place) in [
        ("2", "queue"),
        ("g q", "queue"),
        ("3", "builds"),
        ("g b", "builds"),
        ("4", "cluster"),
        ("g n", "cluster"),
        (": q u e u e enter", "queue"),
        (": n o d e s enter", "cluster"),
        ("6", "settings"),
        ("g e", "settings"),
        ("g l", "settings:ldap"),
        ("g v", "settings:vm"),
        ("g p", "settings:proxy"),
        ("g t", "settings:privacy"),
        (": t l s enter", "settings:privacy"),
    ] {
        for met in SCREENS {
            let mut stage = met.stage((80, 24));
            // In a form letters type: Esc leaves it first.
            if met.types {
                stage.keys("esc");
            }
            stage.keys(keys);
            assert_eq!(stage.place(), place, "{keys} on {}", met.name);
        }
    }
}
