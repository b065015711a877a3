//! What was typed on its way to the server: staged when its form is left, saved, or forgotten.

use std::collections::BTreeMap;

use roundel::secret::Secret;
use roundel::settings::registry::{Group, find, group};

use super::{Settings, editor, model};
use crate::console::action::{Edits, SettingsWrite, Write};
use crate::console::effect::Effect;
use crate::console::event::Failure;
use crate::console::overlays::{Button, Dialog, Overlay};
use crate::console::place::{Page, Place};
use crate::console::shell::Shell;
use crate::console::text;

impl Settings {
    /// What was typed and would be lost with this console.
    #[must_use]
    pub fn unstaged(&self) -> usize {
        self.edits.0.len()
    }

    /// What is to be staged because its form was left; nothing while it is still in sight, or under way.
    pub fn leftover(&mut self, place: &Place, shell: &Shell) -> Option<Write> {
        let here = match place {
            Place::Settings(Page::Group(name)) => group(name),
            Place::Settings(Page::Review) => return None,
            _ => None,
        };
        if !matches!(place, Place::Settings(_)) {
            // What a test wanted to know is kept as long as its form is near.
            self.words.clear();
        }
        self.stage(here, shell)
    }

    /// Stages all that was typed, before the console may end.
    pub fn stage_all(&mut self, shell: &Shell) -> Option<Write> {
        self.stage(None, shell)
    }

    /// Stages what may be when the console is made to end: no secret, for nobody has said that it is whole.
    pub fn stage_at_end(&mut self, shell: &Shell) -> Option<Write> {
        // What is under way is waited for, and what was typed since is staged with it once more.
        self.staging = None;
        self.refused = None;
        let secrets: Vec<_> = self
            .edits
            .0
            .extract_if(.., |key, _| is_secret(key))
            .collect();
        let write = self.stage(None, shell);
        self.edits.0.extend(secrets);
        write
    }

    /// Whether what was typed is on its way to be staged.
    #[must_use]
    pub fn is_staging(&self) -> bool {
        self.staging.is_some()
    }

    /// What was typed and goes away with the console, and why; `None` where nothing does.
    #[must_use]
    pub fn left_behind(&self, shell: &Shell) -> Option<String> {
        let protected = self.protected(shell);
        let why = |(key, typed): (&String, &Option<Secret>)| {
            let text = typed.as_ref();
            if self.taken.0.get(key) == Some(typed) {
                return None;
            }
            let why = if is_secret(key) {
                "a secret"
            } else if text.is_some_and(|text| !model::is_readable(key, text.expose())) {
                "no value"
            } else {
                protected.as_deref().unwrap_or("the server did not take it")
            };
            Some(format!("{key} ({why})"))
        };
        let all: Vec<String> = self.edits.0.iter().filter_map(why).collect();
        (!all.is_empty()).then(|| format!("typed and not staged: {}", all.join(", ")))
    }

    fn stage(&mut self, but: Option<&Group>, shell: &Shell) -> Option<Write> {
        let idle = self.edits.is_empty() || self.staging.is_some();
        if idle || self.protected(shell).is_some() {
            return None;
        }
        let is_due = |(key, typed): &(&String, &Option<Secret>)| {
            let here = but.is_some_and(|group| group.has(key));
            let taken = self.taken.0.get(*key) == Some(*typed);
            // What is no value of its kind stays here, and says why in its form.
            let text = typed.as_ref();
            !here && !taken && text.is_none_or(|text| model::is_readable(key, text.expose()))
        };
        let due = self.edits.0.iter().filter(is_due);
        let due = Edits(
            due.map(|(key, typed)| (key.clone(), typed.clone()))
                .collect(),
        );
        if due.is_empty() || self.refused.as_ref() == Some(&due) {
            return None;
        }
        self.staging = Some(due.clone());
        Some(Write::Settings(SettingsWrite::Stage(due)))
    }

    /// A write was answered.
    pub fn written(&mut self, write: &SettingsWrite, result: Result<(), &Failure>) {
        let done = match write {
            SettingsWrite::Stage(edits) => {
                // What was staged when the console was made to end may still be under way.
                if self.staging.as_ref() == Some(edits) {
                    self.staging = None;
                }
                if result.is_err() {
                    self.refused = Some(edits.clone());
                }
                edits
            }
            SettingsWrite::Save { edits, .. } => {
                self.review.answered(result.err());
                edits
            }
            SettingsWrite::Discard(_) | SettingsWrite::Rollback(_) => return,
        };
        if result.is_ok() {
            self.taken = done.clone();
            self.feed.touch();
        }
    }

    /// Asks whether all that is changed is to be forgotten.
    pub(super) fn discard(&self, shell: &Shell) -> Vec<Effect> {
        let Some(standing) = self.standing(None) else {
            return Effect::refuse("nothing is read yet");
        };
        if standing.changed == 0 {
            return Effect::refuse("nothing is changed that is not saved");
        }
        if let Some(why) = self.protected(shell) {
            return Effect::refuse(format!("cannot forget it: {why}"));
        }
        let write = Write::Settings(SettingsWrite::Discard(Vec::new()));
        let body = vec![
            "What was typed and staged here, and by others, goes away. What is saved stays as it is."
                .to_owned(),
        ];
        let title = format!(
            "Forget {}?",
            text::plural(standing.changed as u64, "unsaved change")
        );
        let mut dialog = Dialog::new(title, body, Vec::new());
        dialog.command = write.command();
        let effects = vec![Effect::Forget, Effect::Write(write)];
        dialog.buttons.push(Button::new("Forget", true, effects));
        vec![Effect::Open(Overlay::Dialog(dialog))]
    }

    /// Forgets what was typed and is not on the server.
    pub fn forget(&mut self) {
        self.edits = Edits::default();
        self.adding = BTreeMap::new();
        self.form.editor = editor::Editor::None;
        self.form.types = false;
    }
}

/// Whether a setting is never shown.
fn is_secret(key: &str) -> bool {
    find(key).is_some_and(|(_, entry)| entry.kind.is_secret())
}
