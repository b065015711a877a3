//! The table of keys: every name is a key, none means two things, and what destroys is never one key away.

use std::collections::HashSet;

use super::*;

#[test]
fn every_name_in_the_table_is_a_key() {
    for binding in TABLE.iter().flat_map(|section| section.bindings) {
        for name in binding.keys {
            assert!(
                Chord::parse(name).is_some(),
                "`{name}` for {:?}",
                binding.cmd
            );
        }
    }
}

#[test]
fn no_key_means_two_things_in_one_context() {
    for section in TABLE {
        let mut seen = HashSet::new();
        for binding in section.bindings {
            for name in binding.keys {
                assert!(
                    seen.insert(*name),
                    "`{name}` twice in {:?}",
                    section.context
                );
            }
        }
    }
}

#[test]
fn every_name_of_a_context_and_of_its_commands_is_one_word_and_unique() {
    for section in TABLE {
        let mut seen = HashSet::from([section.context.name()]);
        for binding in section.bindings {
            let name = binding.cmd.name();
            let plain = name.chars().all(|c| c.is_ascii_lowercase() || c == '-');
            assert!(plain && name.len() > 1, "`{name}`");
            assert!(
                seen.insert(name),
                "{:?} twice in {:?}",
                binding.cmd,
                section.context
            );
        }
    }
}

#[test]
fn what_is_reachable_names_no_key_twice_and_each_means_what_it_says() {
    let keymap = Keymap::standard();
    let contexts = [
        Context::Log,
        Context::Job,
        Context::Things,
        Context::Everywhere,
    ];
    let mut seen = HashSet::new();
    for section in keymap.reachable(&contexts) {
        for bound in &section.bindings {
            for key in &bound.keys {
                assert!(seen.insert(key.clone()), "`{key}` twice");
                let means = keymap.find(&contexts, Chord::parse(key).unwrap());
                assert_eq!(means, Some(bound.shipped.cmd), "`{key}`");
            }
        }
    }
    assert_eq!(keymap.sequence_of(Cmd::Top).as_deref(), Some("g g"));
    assert_eq!(keymap.sequence_of(Cmd::Back), None);
}

#[test]
fn every_context_stands_in_the_table_once_with_help_for_each_key() {
    let contexts: Vec<_> = TABLE.iter().map(|section| section.context).collect();
    let unique: HashSet<_> = contexts.iter().collect();
    assert_eq!(unique.len(), contexts.len());
    for binding in TABLE.iter().flat_map(|section| section.bindings) {
        assert!(
            !binding.does.is_empty() && !binding.keys.is_empty(),
            "{:?}",
            binding.cmd
        );
    }
}

#[test]
fn what_destroys_is_never_on_a_bare_control_key_or_delete() {
    let destroys = [Cmd::Drain, Cmd::Stop, Cmd::Eligibility];
    for binding in TABLE.iter().flat_map(|section| section.bindings) {
        if destroys.contains(&binding.cmd) {
            assert!(
                binding
                    .keys
                    .iter()
                    .all(|name| name.chars().all(char::is_uppercase)),
                "{:?}",
                binding.keys
            );
        }
    }
    let avoided = ["ctrl-a", "ctrl-b", "ctrl-h", "ctrl-\\"];
    let all = TABLE
        .iter()
        .flat_map(|section| section.bindings)
        .flat_map(|binding| binding.keys);
    assert!(all.into_iter().all(|name| !avoided.contains(name)));
}

#[test]
fn the_nearest_context_wins_and_the_rest_still_hold() {
    let keymap = Keymap::standard();
    let chord = |name| Chord::parse(name).unwrap();
    let contexts = [Context::Job, Context::Things, Context::Everywhere];
    assert_eq!(keymap.find(&contexts, chord("e")), Some(Cmd::StreamErr));
    assert_eq!(keymap.find(&contexts, chord("j")), Some(Cmd::Down));
    assert_eq!(keymap.find(&contexts, chord("?")), Some(Cmd::Help));
    assert_eq!(keymap.find(&[Context::Menu], chord("?")), None);
}
