//! The keys of the settings: of the list of groups, of a form, of the page before a save, of the versions. In a form
//! letters type, so that none of its commands has one.

use super::super::{Cmd, Context, Section};
use super::{hint, key};

pub(super) const SETTINGS: Section = Section {
    context: Context::Settings,
    title: "Settings",
    bindings: &[
        hint(&["enter"], Cmd::Open, "open", "open the form of this group"),
        hint(
            &["ctrl-s"],
            Cmd::Review,
            "review",
            "what would be saved: differences, errors, warnings; then save",
        ),
        hint(
            &["h"],
            Cmd::Versions,
            "versions",
            "who saved what and when, and back to it",
        ),
        key(
            &["ctrl-t"],
            Cmd::TestSettings,
            "put the values of the form to their test",
        ),
        key(&["D"], Cmd::Discard, "forget what is changed and not saved"),
    ],
};

pub(super) const FORM: Section = Section {
    context: Context::Form,
    title: "In a form",
    bindings: &[
        hint(&["tab"], Cmd::NextPane, "next", "next field"),
        key(&["backtab"], Cmd::PreviousPane, "previous field"),
        key(
            &["down"],
            Cmd::Down,
            "next field; in a long text, a line down",
        ),
        key(
            &["up"],
            Cmd::Up,
            "previous field; in a long text, a line up",
        ),
        key(
            &["right"],
            Cmd::Right,
            "next choice; in a text, a character on",
        ),
        key(
            &["left"],
            Cmd::Left,
            "previous choice; in a text, a character back",
        ),
        key(&["home"], Cmd::Top, "to the start of the text"),
        key(&["end", "ctrl-e"], Cmd::Bottom, "to the end of the text"),
        key(
            &["enter"],
            Cmd::Open,
            "next field; opens a long text, and is a line end in it",
        ),
        key(&["backspace"], Cmd::Erase, "erase to the left"),
        key(&["delete"], Cmd::EraseNext, "erase to the right"),
        key(&["ctrl-w"], Cmd::EraseWord, "erase a word"),
        key(&["ctrl-u"], Cmd::EraseLine, "erase everything"),
        hint(
            &["ctrl-t"],
            Cmd::TestSettings,
            "test",
            "put the values to their test, saved or not, step by step",
        ),
        hint(
            &["ctrl-s"],
            Cmd::Review,
            "review",
            "what would be saved: differences, errors, warnings; then save",
        ),
        key(
            &["ctrl-o"],
            Cmd::LoadFile,
            "take the text of a file of this machine",
        ),
        key(
            &["ctrl-k"],
            Cmd::FetchChain,
            "Custom CAs: fetch the certificates of a host, and choose whom to trust",
        ),
        key(
            &["ctrl-n"],
            Cmd::SelfSign,
            "Privacy: make a certificate that signs itself",
        ),
        key(
            &["ctrl-x"],
            Cmd::Unset,
            "back to what is saved; from there, to the default",
        ),
        key(
            &["pgdn", "ctrl-f"],
            Cmd::PageDown,
            "on in the steps of the test",
        ),
        key(&["pgup"], Cmd::PageUp, "back in the steps of the test"),
        hint(
            &["esc"],
            Cmd::Back,
            "undo, leave",
            "undo what was typed in this field; then leave, and what was typed is staged",
        ),
        hint(
            &["f1"],
            Cmd::Help,
            "help",
            "all about this field, and the keys",
        ),
        key(&["f2"], Cmd::Actions, "what can be done here, and why not"),
        key(&["f3"], Cmd::Palette, "command line: tabs, verbs, names"),
        key(&["ctrl-r", "f5"], Cmd::Refresh, "read everything anew"),
        key(
            &["ctrl-g"],
            Cmd::Locator,
            "copy the command that shows this to a colleague",
        ),
        key(&["ctrl-z"], Cmd::Suspend, "suspend"),
        key(&["ctrl-c"], Cmd::Interrupt, "quit; twice leaves at once"),
    ],
};

pub(super) const REVIEW: Section = Section {
    context: Context::Review,
    title: "Review",
    bindings: &[
        hint(
            &["enter"],
            Cmd::Open,
            "do it",
            "press the button, or go to the field that has the error",
        ),
        hint(&["right", "tab"], Cmd::Right, "next", "next button"),
        key(&["left", "backtab"], Cmd::Left, "previous button"),
        hint(&["S"], Cmd::SaveSettings, "save", "save it as a version"),
        key(
            &["R"],
            Cmd::SaveRestart,
            "save it, and have the installation run with it",
        ),
        key(&["D"], Cmd::Discard, "forget what is changed and not saved"),
        key(&["pgdn", "ctrl-f"], Cmd::PageDown, "on in the differences"),
        key(&["pgup"], Cmd::PageUp, "back in the differences"),
    ],
};

pub(super) const VERSIONS: Section = Section {
    context: Context::Versions,
    title: "Versions",
    bindings: &[
        hint(
            &["enter"],
            Cmd::Open,
            "what changed",
            "what this version changed",
        ),
        hint(
            &["R"],
            Cmd::Rollback,
            "roll back",
            "bring the values of this version back, as a new one",
        ),
    ],
};

pub(super) const WORDS: Section = Section {
    context: Context::Words,
    title: "What a test wants to know",
    bindings: &[
        hint(&["enter"], Cmd::Open, "test", "begin the test"),
        hint(&["tab", "down"], Cmd::NextPane, "next", "next line"),
        key(&["backtab", "up"], Cmd::PreviousPane, "previous line"),
        key(&["left"], Cmd::Left, "cursor left"),
        key(&["right"], Cmd::Right, "cursor right"),
        key(&["home"], Cmd::Top, "to the start"),
        key(&["end", "ctrl-e"], Cmd::Bottom, "to the end"),
        key(&["backspace"], Cmd::Erase, "erase to the left"),
        key(&["delete"], Cmd::EraseNext, "erase to the right"),
        key(&["ctrl-w"], Cmd::EraseWord, "erase a word"),
        key(&["ctrl-u"], Cmd::EraseLine, "erase everything"),
        hint(&["esc"], Cmd::Back, "close", "no test"),
        key(&["ctrl-c"], Cmd::Interrupt, "quit"),
    ],
};
