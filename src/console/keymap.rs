//! Which key does what, where: one table, from which the dispatch, the help and the hint bar all come.
//!
//! Knows nothing of what a command does. Screens and overlays receive a [`Cmd`] and never see a key.

use std::collections::{HashMap, HashSet};

use serde::Serialize;

use crate::console::chord::{self, Chord};
use crate::console::place::tab_name;

mod file;
mod table;

pub use file::{json, read, write};

use table::TABLE;

/// A tab, by its fixed number. Those not built yet leave a gap.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct Tab(pub u8);

/// What a key means.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
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
    Edit,
    Mouse,
    Refresh,
    Filter,
    Palette,
    Help,
    SortMenu,
    SortNext,
    SortPrevious,
    Mark,
    MarkRange,
    Compare,
    Slow,
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
    FailedStep,
    Together,
    NextMatch,
    PreviousMatch,
    NextRun,
    PreviousRun,
    Drain,
    Eligibility,
    Stop,
    Rerun,
    Approve,
    BuildHere,
    Services,
    LastHour,
    BuildPath,
    StartServer,
    Erase,
    EraseWord,
    EraseLine,
    EraseNext,
    Complete,
    Review,
    TestSettings,
    SaveSettings,
    SaveRestart,
    Discard,
    Unset,
    LoadFile,
    FetchChain,
    SelfSign,
    Versions,
    Rollback,
    GoLdap,
    GoVm,
    GoProxy,
    GoTls,
    GoMetrics,
}

/// Where a key is pressed. A screen's keys come before those of lists, those before the ones that hold everywhere.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Context {
    Everywhere,
    Things,
    List,
    Dashboard,
    Queue,
    Builds,
    Pipeline,
    Compare,
    Job,
    Log,
    Cluster,
    Node,
    Settings,
    Form,
    Review,
    Versions,
    Audit,
    FirstBuild,
    Gone,
    Goto,
    Menu,
    Dialog,
    Input,
    Words,
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

impl Binding {
    /// Capitals are actions, but for those that move and sort; so are the menu of reruns and a save.
    #[must_use]
    pub fn is_action(&self) -> bool {
        let capital = |key: &str| key.len() == 1 && key.chars().all(|c| c.is_ascii_uppercase());
        let acts = |key: &&str| capital(key) && !["G", "N", "S"].contains(key);
        self.keys.iter().any(acts) || matches!(self.cmd, Cmd::Rerun | Cmd::SaveSettings)
    }
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

/// One command of the live keymap, and the keys that it has now.
#[derive(Clone, Debug)]
pub struct Bound {
    /// Its keys: names of the table.
    pub keys: Vec<String>,
    /// The line of the table that it comes from.
    pub shipped: &'static Binding,
}

/// The live keys of one context.
#[derive(Clone, Debug)]
pub struct Keys {
    /// Where they hold.
    pub context: Context,
    /// Head in the help.
    pub title: &'static str,
    /// The commands, in the order of the help.
    pub bindings: Vec<Bound>,
}

/// What the keys mean now: the table, with what a person has changed in `keymap.toml`.
#[derive(Clone, Debug)]
pub struct Keymap {
    sections: Vec<Keys>,
    by_key: HashMap<(Context, Chord), Cmd>,
}

impl Keymap {
    /// The keys as shipped.
    #[must_use]
    pub fn standard() -> Self {
        let bound = |binding: &'static Binding| Bound {
            keys: binding.keys.iter().map(|key| (*key).to_owned()).collect(),
            shipped: binding,
        };
        let keys = |section: &'static Section| Keys {
            context: section.context,
            title: section.title,
            bindings: section.bindings.iter().map(bound).collect(),
        };
        Self::of(TABLE.iter().map(keys).collect())
    }

    fn of(sections: Vec<Keys>) -> Self {
        let mut by_key = HashMap::new();
        for section in &sections {
            for bound in &section.bindings {
                let chords = bound.keys.iter().filter_map(|name| Chord::parse(name));
                by_key.extend(chords.map(|chord| ((section.context, chord), bound.shipped.cmd)));
            }
        }
        Self { sections, by_key }
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> &[Keys] {
        &self.sections
    }

    /// What a key means in the first of these contexts that knows it.
    #[must_use]
    pub fn find(&self, contexts: &[Context], chord: Chord) -> Option<Cmd> {
        contexts
            .iter()
            .find_map(|context| self.by_key.get(&(*context, chord)).copied())
    }

    /// The commands of these contexts and the keys that reach them there, nearest context first: a key that a nearer
    /// one has taken is left out, and so is a command that no key is left for.
    #[must_use]
    pub fn reachable(&self, contexts: &[Context]) -> Vec<Keys> {
        let mut taken: HashSet<&str> = HashSet::new();
        let known = |context: &Context| self.sections.iter().find(|one| one.context == *context);
        let mut out = Vec::new();
        for section in contexts.iter().filter_map(known) {
            let mut bindings = Vec::new();
            for bound in &section.bindings {
                let free = |key: &&String| !taken.contains(key.as_str());
                let keys: Vec<String> = bound.keys.iter().filter(free).cloned().collect();
                if !keys.is_empty() {
                    let shipped = bound.shipped;
                    bindings.push(Bound { keys, shipped });
                }
            }
            taken.extend(
                section
                    .bindings
                    .iter()
                    .flat_map(|bound| bound.keys.iter().map(String::as_str)),
            );
            if !bindings.is_empty() {
                out.push(Keys {
                    bindings,
                    ..section.clone()
                });
            }
        }
        out
    }

    /// Keys and words for the hint bar, nearest context first.
    #[must_use]
    pub fn hints(&self, contexts: &[Context]) -> Vec<(String, &'static str, Cmd)> {
        let sections = self.reachable(contexts);
        let hints = sections.iter().flat_map(|section| &section.bindings);
        let hint = |bound: &Bound| {
            Some((
                chord::shown(&bound.keys[0]),
                bound.shipped.hint?,
                bound.shipped.cmd,
            ))
        };
        hints.filter_map(hint).collect()
    }

    /// The key that hints name for a command in these contexts.
    #[must_use]
    pub fn key_of(&self, contexts: &[Context], cmd: Cmd) -> Option<String> {
        let sections = self.reachable(contexts);
        let mut bindings = sections.iter().flat_map(|section| &section.bindings);
        bindings
            .find(|bound| bound.shipped.cmd == cmd)
            .map(|bound| chord::shown(&bound.keys[0]))
    }

    /// The actions of a screen: what has a capital letter among the commands of its own.
    #[must_use]
    pub fn actions(&self, contexts: &[Context]) -> Vec<Bound> {
        let own = self.reachable(contexts).into_iter();
        let own = own.filter(|section| section.context.layer() == Some(0));
        own.flat_map(|section| section.bindings)
            .filter(|bound| bound.shipped.is_action())
            .collect()
    }

    /// The two keys that reach a command by the go-to prefix.
    #[must_use]
    pub fn sequence_of(&self, cmd: Cmd) -> Option<String> {
        let prefix = self.key_of(&[Context::Everywhere], Cmd::GotoPrefix)?;
        let leads = !matches!(cmd, Cmd::Back | Cmd::Interrupt);
        let second = self.key_of(&[Context::Goto], cmd).filter(|_| leads)?;
        Some(format!("{prefix} {second}"))
    }
}

impl Cmd {
    /// Its name in `keymap.toml`.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Cmd::Go(tab) => format!("go-{}", tab_name(tab).to_lowercase().replace(' ', "-")),
            other => name(&other),
        }
    }
}

impl Context {
    /// Its name in `keymap.toml`.
    #[must_use]
    pub fn name(self) -> String {
        name(&self)
    }

    /// How far from the hand it is among those that hold together: a smaller one wins. `None` for what stands over a
    /// screen and holds alone.
    #[must_use]
    pub fn layer(self) -> Option<u8> {
        match self {
            Context::Goto
            | Context::Menu
            | Context::Dialog
            | Context::Input
            | Context::Words
            | Context::Reading => None,
            Context::Everywhere => Some(3),
            Context::Things => Some(2),
            Context::List => Some(1),
            _ => Some(0),
        }
    }

    /// Whether both hold together and this one wins.
    #[must_use]
    pub fn is_nearer(self, other: Self) -> bool {
        self.layer()
            .zip(other.layer())
            .is_some_and(|(near, far)| near < far)
    }
}

/// A variant without data as serde writes it.
fn name(of: &impl Serialize) -> String {
    let value = serde_json::to_value(of).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests;
