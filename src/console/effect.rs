//! What a screen or an overlay wants to come of a key: moves within the console, and actions beyond it.

use std::collections::BTreeMap;

use roundel::api::settings::TestId;
use roundel::secret::Secret;

use crate::console::action::{Action, Kept, Write};
use crate::console::keymap::Cmd;
use crate::console::overlays::Overlay;
use crate::console::place::Place;
use crate::console::theme::Role;

/// Something that should happen.
#[derive(Clone, PartialEq, Debug)]
pub enum Effect {
    /// Drill in; Esc comes back.
    Go(Place),
    /// Change over to a tab or a named place; Esc leads up from there.
    Switch(Place),
    /// Open something over the screen.
    Open(Overlay),
    /// Close what is over the screen.
    Close,
    /// As if the key of this command had been pressed on the screen.
    Press(Cmd),
    /// Filter the list by these words.
    Filter(String),
    /// Search the text for this.
    Search(String),
    /// Go to this line of the text, from 0.
    Line(u64),
    /// Order the list by this column of the API.
    OrderBy(&'static str),
    /// Carry out a line of the palette.
    Command(String),
    /// Copy a text, and say so by these words.
    Copy(String, String),
    /// Ask for a file to save this to.
    Save(Kept),
    /// Say a sentence.
    Say(Role, String),
    /// Give a setting of the form this text.
    Fill(String, Secret),
    /// Add a text to what a setting of the form has.
    Join(String, Secret),
    /// Forget what was typed in forms and is not on the server.
    Forget,
    /// Put values of the form to their test, with these words for it.
    Test(TestId, BTreeMap<String, Secret>),
    /// Change something on the server.
    Write(Write),
    /// Change many things on the server, each by itself.
    WriteMany(Vec<Write>),
    /// Something beyond the console.
    Do(Action),
}

impl Effect {
    /// Says why something cannot be done.
    #[must_use]
    pub fn refuse(why: impl Into<String>) -> Vec<Self> {
        vec![Self::Say(Role::Warning, why.into())]
    }
}
