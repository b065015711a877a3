//! The keys of what stands over a screen: of menus, dialogs, lines that are typed, and texts that are read.

use super::super::{Cmd, Context, Section, Tab};
use super::{hint, key};

pub(super) const GOTO: Section = Section {
    context: Context::Goto,
    title: "Go to",
    bindings: &[
        hint(&["g"], Cmd::Top, "top of the list", "top of the list"),
        hint(&["q"], Cmd::Go(Tab(2)), "Queue", "Queue"),
        hint(&["b"], Cmd::Go(Tab(3)), "Builds", "Builds"),
        hint(&["n", "c"], Cmd::Go(Tab(4)), "Nodes", "Cluster: the nodes"),
        hint(
            &["w"],
            Cmd::Slow,
            "what takes longer",
            "builds that run for longer than usual",
        ),
        hint(&["d"], Cmd::Go(Tab(1)), "Dashboard", "Dashboard"),
        hint(
            &["i"],
            Cmd::Go(Tab(5)),
            "Insights, comes later",
            "Insights (comes later)",
        ),
        hint(&["e"], Cmd::Go(Tab(6)), "Settings", "Settings"),
        hint(&["l"], Cmd::GoLdap, "LDAP", "Settings: LDAP"),
        hint(&["v"], Cmd::GoVm, "VM provider", "Settings: VM provider"),
        hint(&["p"], Cmd::GoProxy, "Proxy", "Settings: proxy"),
        hint(&["t"], Cmd::GoTls, "TLS", "Settings: certificate and key"),
        hint(
            &["m"],
            Cmd::GoMetrics,
            "Metrics, comes later",
            "Metrics (comes later)",
        ),
        hint(&["a"], Cmd::Go(Tab(7)), "Audit Log", "Audit Log"),
        hint(
            &["s"],
            Cmd::Go(Tab(8)),
            "Support, comes later",
            "Support (comes later)",
        ),
        key(&["esc"], Cmd::Back, "stay"),
        key(&["ctrl-c"], Cmd::Interrupt, "quit"),
    ],
};

pub(super) const MENU: Section = Section {
    context: Context::Menu,
    title: "Menus",
    bindings: &[
        hint(&["enter"], Cmd::Open, "choose", "choose"),
        key(&["down", "tab"], Cmd::Down, "one down"),
        key(&["up", "backtab"], Cmd::Up, "one up"),
        hint(&["esc"], Cmd::Back, "close", "close"),
        key(&["ctrl-c"], Cmd::Interrupt, "quit"),
    ],
};

pub(super) const DIALOG: Section = Section {
    context: Context::Dialog,
    title: "Dialogs",
    bindings: &[
        hint(&["enter"], Cmd::Open, "choose", "press the focused button"),
        key(&["right", "tab", "down"], Cmd::Right, "next button"),
        key(&["left", "backtab", "up"], Cmd::Left, "previous button"),
        hint(&["esc"], Cmd::Back, "cancel", "cancel"),
        key(
            &["backspace"],
            Cmd::Erase,
            "erase, where a word is to be typed",
        ),
        key(&["ctrl-c"], Cmd::Interrupt, "quit"),
    ],
};

pub(super) const INPUT: Section = Section {
    context: Context::Input,
    title: "Typing",
    bindings: &[
        hint(&["enter"], Cmd::Open, "go", "take it"),
        hint(&["esc"], Cmd::Back, "close", "leave it as it was"),
        key(&["tab"], Cmd::Complete, "complete"),
        key(&["up", "ctrl-p"], Cmd::Up, "choice above"),
        key(&["down", "ctrl-n"], Cmd::Down, "choice below"),
        key(&["left"], Cmd::Left, "cursor left"),
        key(&["right"], Cmd::Right, "cursor right"),
        key(&["home"], Cmd::Top, "to the start"),
        key(&["end", "ctrl-e"], Cmd::Bottom, "to the end"),
        key(&["backspace"], Cmd::Erase, "erase to the left"),
        key(&["delete"], Cmd::EraseNext, "erase to the right"),
        key(&["ctrl-w"], Cmd::EraseWord, "erase a word"),
        key(&["ctrl-u"], Cmd::EraseLine, "erase everything"),
        key(&["ctrl-c"], Cmd::Interrupt, "quit"),
    ],
};

pub(super) const READING: Section = Section {
    context: Context::Reading,
    title: "Reading",
    bindings: &[
        key(&["j", "down"], Cmd::Down, "one down"),
        key(&["k", "up"], Cmd::Up, "one up"),
        key(&["home"], Cmd::Top, "to the top"),
        key(&["G", "end"], Cmd::Bottom, "to the bottom"),
        hint(
            &["pgdn", "ctrl-f", "ctrl-d", "space"],
            Cmd::PageDown,
            "page down",
            "a page down",
        ),
        key(&["pgup", "ctrl-u"], Cmd::PageUp, "a page up"),
        hint(&["c"], Cmd::Copy, "copy", "copy all of it (OSC 52)"),
        hint(&["ctrl-s"], Cmd::Save, "save", "save it to a file"),
        hint(&["e"], Cmd::Edit, "editor", "read it in $VISUAL or $EDITOR"),
        key(
            &["m"],
            Cmd::Mouse,
            "the mouse for the terminal, or for the console",
        ),
        hint(&["esc", "q", "?", "enter"], Cmd::Back, "close", "close"),
        key(&["ctrl-c"], Cmd::Interrupt, "quit"),
    ],
};
