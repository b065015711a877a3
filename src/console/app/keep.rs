//! What is kept in files: asking where, and what came of it. Never replaces a file unasked.

use super::App;
use crate::console::action::{Action, Kept, Save};
use crate::console::effect::Effect;
use crate::console::event::{Done, Failure};
use crate::console::line::Line;
use crate::console::overlays::{Button, Dialog, Overlay, Prompt, Purpose, Reading};
use crate::console::terminal::COPY_MAX;
use crate::console::theme::Role;
use roundel::error::Kind;

impl App {
    /// The prompt for the file, with a name that says what it holds and of when.
    pub(super) fn ask_where(&self, what: Kept) -> Overlay {
        let (name, ending) = match &what {
            Kept::Log(log) => (log.name.clone(), "log"),
            _ => (format!("roundel-{}", self.place()), "txt"),
        };
        let name: String = name
            .chars()
            .map(|c| if c.is_alphanumeric() { c } else { '-' })
            .take(68)
            .collect();
        let at = self.shell.now.local("%Y%m%d-%H%M%S");
        let name = format!("{name}-{at}.{ending}");
        Overlay::Prompt(Prompt::new(Purpose::Save(what), &name))
    }

    /// Copies a text, or shows it where the terminal would not take it.
    pub(super) fn copy_out(&mut self, text: String, what: &str) -> Option<Action> {
        if self.shell.copies && text.len() <= COPY_MAX {
            self.shell.say(Role::Accent, format!("copied {what}"));
            return Some(Action::Copy(text));
        }
        let (title, why) = if self.shell.copies {
            (
                "Too long for a clipboard",
                "too long to copy: ctrl-s saves it, e opens it",
            )
        } else {
            (
                "To be copied by hand",
                "this terminal takes no copy; m frees the mouse to select it",
            )
        };
        let lines = text.lines().map(Line::from).collect();
        self.overlay = Some(Overlay::Reading(Reading::new(title, lines)));
        self.shell.say(Role::Warning, why);
        None
    }

    /// What stands above a view in its file: how to see it live, when and where it was.
    #[must_use]
    pub fn head_of_view(&self) -> String {
        let host = self
            .shell
            .hello
            .as_ref()
            .map_or("no server", |hello| &hello.hostname);
        format!(
            "{}\n{}, {host}\n\n",
            self.place().locator(),
            self.shell.now.local("%Y-%m-%d %H:%M:%S %:z"),
        )
    }

    /// A file was written or not; one that is there already is asked about.
    pub(super) fn saved(&mut self, save: Save, result: Result<Done, Failure>) -> Vec<Effect> {
        match result {
            Ok(done) => {
                let same = match &save.what {
                    Kept::Log(log) => format!("; the same: {}", log.command),
                    _ => String::new(),
                };
                vec![Effect::Say(Role::Accent, done.text + &same)]
            }
            Err(failure) if failure.kind == Kind::Conflict && !save.replace => {
                let title = format!("Replace {}?", save.path);
                let body = vec!["This file is there already.".to_owned()];
                let again = Save {
                    replace: true,
                    ..save
                };
                let yes = Button::new("Replace", true, vec![Effect::Do(Action::Save(again))]);
                vec![Effect::Open(Overlay::Dialog(Dialog::new(
                    title,
                    body,
                    vec![yes],
                )))]
            }
            Err(failure) => vec![Effect::Say(Role::Failed, format!("✗ {}", failure.text))],
        }
    }
}
