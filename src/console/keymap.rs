//! Which key does what, where: one table, from which the dispatch, the help and the hint bar all come.
//!
//! Knows nothing of what a command does. Screens and overlays receive a [`Cmd`] and never see a key.

use std::collections::HashMap;

use crate::console::chord::{self, Chord};

mod table;

pub use table::TABLE;

/// A tab, by its fixed number. Those not built yet leave a gap.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Tab(pub u8);

/// What a key means.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Cmd {
    Up,
    Down,
    Left,
    Right,
    Top,
    Bottom,
    PageUp,
    PageDown,
    HalfUp,
    HalfDown,
    Open,
    Back,
    Go(Tab),
    GotoPrefix,
    NextPane,
    PreviousPane,
    HistoryBack,
    HistoryForward,
    HistoryLast,
    Quit,
    Interrupt,
    Suspend,
    Mouse,
    Refresh,
    Filter,
    Palette,
    Help,
    SortMenu,
    SortNext,
    SortPrevious,
    Describe,
    Raw,
    Copy,
    Save,
    Locator,
    Commands,
    Actions,
    LogOf,
    StreamOut,
    StreamErr,
    StreamBoth,
    AgentLog,
    Times,
    Wrap,
    Follow,
    FullScreen,
    NextError,
    NextMatch,
    PreviousMatch,
    NextRun,
    PreviousRun,
    Drain,
    Eligibility,
    Stop,
    Rerun,
    BuildHere,
    BuildPath,
    StartServer,
    Erase,
    EraseWord,
    EraseLine,
    EraseNext,
    Complete,
}

/// Where a key is pressed. A screen's keys come before those of lists, those before the ones that hold everywhere.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Context {
    Everywhere,
    Things,
    List,
    Queue,
    Builds,
    Pipeline,
    Job,
    Log,
    Cluster,
    Node,
    FirstBuild,
    Gone,
    Goto,
    Menu,
    Dialog,
    Input,
    Reading,
}

/// One line of the table.
#[derive(Debug)]
pub struct Binding {
    /// Names of the keys; the first is the one that hints show.
    pub keys: &'static [&'static str],
    /// What they mean.
    pub cmd: Cmd,
    /// What it does, for the help.
    pub does: &'static str,
    /// The word in the hint bar, for those that stand there.
    pub hint: Option<&'static str>,
}

/// The keys of one context.
#[derive(Debug)]
pub struct Section {
    /// Where they hold.
    pub context: Context,
    /// Head in the help.
    pub title: &'static str,
    /// The keys.
    pub bindings: &'static [Binding],
}

/// The table, ready for looking up.
#[derive(Debug)]
pub struct Keymap {
    by_key: HashMap<(Context, Chord), Cmd>,
}

impl Keymap {
    /// The keys as shipped.
    #[must_use]
    pub fn standard() -> Self {
        let rows = TABLE.iter().flat_map(|section| {
            section
                .bindings
                .iter()
                .map(|binding| (section.context, binding))
        });
        let by_key = rows
            .flat_map(|(context, binding)| {
                let chords = binding.keys.iter().filter_map(|name| Chord::parse(name));
                chords.map(move |chord| ((context, chord), binding.cmd))
            })
            .collect();
        Self { by_key }
    }

    /// What a key means in the first of these contexts that knows it.
    #[must_use]
    pub fn find(&self, contexts: &[Context], chord: Chord) -> Option<Cmd> {
        contexts
            .iter()
            .find_map(|context| self.by_key.get(&(*context, chord)).copied())
    }
}

/// The sections of these contexts, in their order.
pub fn sections(contexts: &[Context]) -> impl Iterator<Item = &'static Section> {
    contexts
        .iter()
        .filter_map(|context| TABLE.iter().find(|section| section.context == *context))
}

/// Keys and words for the hint bar: each command once, the nearest context first.
#[must_use]
pub fn hints(contexts: &[Context]) -> Vec<(String, &'static str, Cmd)> {
    let mut out: Vec<(String, &'static str, Cmd)> = Vec::new();
    let mut taken: Vec<&str> = Vec::new();
    for binding in sections(contexts).flat_map(|section| section.bindings) {
        let Some(key) = binding.keys.iter().find(|key| !taken.contains(key)) else {
            continue;
        };
        taken.extend(binding.keys);
        if let Some(word) = binding.hint {
            out.push((chord::shown(key), word, binding.cmd));
        }
    }
    out
}

/// The key that hints name for a command in these contexts.
#[must_use]
pub fn key_of(contexts: &[Context], cmd: Cmd) -> Option<String> {
    let mut bindings = sections(contexts).flat_map(|section| section.bindings);
    bindings
        .find(|binding| binding.cmd == cmd)
        .map(|binding| chord::shown(binding.keys[0]))
}

#[cfg(test)]
mod tests {
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
}
