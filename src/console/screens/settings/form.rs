//! The form of a group: which field has the cursor, what keys do in it, and what was typed.

use roundel::secret::Secret;
use roundel::settings::registry::{Group, Kind};

use super::editor::Editor;
use super::model::{self, Field, Proposal};
use super::{Settings, trial};
use crate::console::effect::Effect;
use crate::console::keymap::Cmd;
use crate::console::overlays::{Overlay, Prompt, Purpose};
use crate::console::place::{Page, Place};
use crate::console::shell::Shell;
use crate::console::theme::Role;

/// A form.
#[derive(Debug, Default)]
pub struct Form {
    /// The group.
    pub group: Option<&'static Group>,
    /// Key of the field under the cursor.
    pub focus: String,
    /// Where its text is typed.
    pub editor: Editor,
    /// What was typed in it before it had the cursor.
    pub(super) before: Option<Option<Secret>>,
    /// Letters type: this console may write, or could when the form was opened.
    pub types: bool,
    /// Something was typed since it was opened: letters stay letters, whatever becomes of the console's right to write.
    pub touched: bool,
    /// Index of the field under the cursor, should it be gone.
    index: usize,
}

impl Settings {
    /// The lines of the form.
    pub(super) fn fields(&self, proposal: &Proposal) -> Vec<Field> {
        self.form
            .group
            .map(|group| model::fields(group, &proposal.values))
            .unwrap_or_default()
    }

    /// The same, as all stands now.
    pub(super) fn fields_now(&self) -> Vec<Field> {
        let proposal = self.proposal();
        proposal.map(|one| self.fields(&one)).unwrap_or_default()
    }

    /// Index of the field under the cursor.
    pub(super) fn focused(&self, fields: &[Field]) -> usize {
        let at = fields.iter().position(|one| one.key == self.form.focus);
        at.unwrap_or(self.form.index.min(fields.len().saturating_sub(1)))
    }

    /// The form of another group, from its first field; the same one stays as it is.
    pub(super) fn open_form(&mut self, group: &'static Group) {
        if self.form.group.is_none_or(|old| old.name != group.name) {
            self.form = Form {
                group: Some(group),
                focus: group
                    .entries
                    .first()
                    .map_or("", |entry| entry.key)
                    .to_owned(),
                ..Form::default()
            };
            self.trial = None;
        }
        self.form.types = false;
        self.form.touched = false;
        self.form.editor = Editor::None;
    }

    /// Puts the cursor on a field, whose text can be typed in from now on.
    pub(super) fn focus(&mut self, key: &str) {
        let Some((field, at)) = self.field(key) else {
            return;
        };
        self.form.before = self.edits.0.get(key).cloned();
        self.form.focus = key.to_owned();
        self.form.index = at;
        self.form.editor = self.editor_of(&field);
    }

    pub(super) fn field(&self, key: &str) -> Option<(Field, usize)> {
        let proposal = self.proposal()?;
        let fields = self.fields(&proposal);
        let at = fields.iter().position(|one| one.key == key)?;
        Some((fields[at].clone(), at))
    }

    fn editor_of(&self, field: &Field) -> Editor {
        let (Some(data), true) = (self.feed.data(), self.form.types) else {
            return Editor::None;
        };
        if field.adds {
            return Editor::line(self.adding.get(&field.key).map_or("", String::as_str));
        }
        match field.entry.kind {
            Kind::Switch | Kind::Choice(_) => Editor::None,
            kind if model::is_long(kind) => Editor::None,
            _ => Editor::line(&model::text_of(data, &self.edits, &field.key)),
        }
    }

    /// New values came, or the console may type now: the field under the cursor shows them, unless something is typed
    /// in it.
    pub(super) fn refresh_form(&mut self, shell: &Shell) {
        let Page::Group(_) = self.page else { return };
        if self.feed.data().is_none() {
            return;
        }
        // Where the screen is read to somebody, a line that is typed is a command or an answer.
        let may = self.protected(shell).is_none() && !shell.reads;
        if !may && !self.form.touched {
            // Whether it may write is heard a moment after the first frame.
            self.form.types = false;
            self.form.editor = Editor::None;
        }
        if may && !self.form.types {
            self.form.types = true;
            let key = self.form.focus.clone();
            self.focus(&key);
        }
        let fields = self.fields_now();
        let Some(field) = fields.get(self.focused(&fields)) else {
            return;
        };
        if field.key != self.form.focus {
            // The one that had the cursor is gone.
            return self.focus(&field.key);
        }
        let typed = self.edits.0.contains_key(&field.key)
            || self.adding.contains_key(&field.key)
            || self.form.editor.is_long();
        if !typed && self.form.types {
            let editor = self.editor_of(field);
            // What is not settled yet is what somebody types just now.
            if editor.text() != self.form.editor.text() && !self.unsettled(field) {
                self.form.editor = editor;
            }
        }
    }

    /// Whether something stands in the field that is no change, as blanks at its end.
    fn unsettled(&self, field: &Field) -> bool {
        let (Some(data), Some(text)) = (self.feed.data(), self.form.editor.text()) else {
            return false;
        };
        !text.is_empty() && model::settled(data, &field.key, &text).is_none()
    }

    /// Takes over what stands in the editor.
    pub(super) fn take_over(&mut self) {
        let (Some(text), Some((field, _))) =
            (self.form.editor.text(), self.field(&self.form.focus))
        else {
            return;
        };
        if field.adds {
            if text.is_empty() {
                self.adding.remove(&field.key);
            } else {
                self.adding.insert(field.key, text);
            }
            return;
        }
        self.put(&field.key, &text);
    }

    /// What was typed for a setting.
    pub(super) fn put(&mut self, key: &str, text: &str) {
        let Some(data) = self.feed.data() else { return };
        match model::settled(data, key, text) {
            Some(typed) => _ = self.edits.0.insert(key.to_owned(), typed),
            None => _ = self.edits.0.remove(key),
        }
        self.refused = None;
        self.form.touched = true;
        if let Some(trial) = &mut self.trial {
            trial.overtake(key);
        }
    }

    /// Gives a setting a text, as if it had been typed.
    pub fn fill(&mut self, key: &str, text: &Secret) {
        if let Some((field, _)) = self.field(key).filter(|(field, _)| field.adds) {
            self.adding.insert(key.to_owned(), text.expose().to_owned());
            self.add(&field);
            return;
        }
        self.put(key, text.expose());
        if self.form.focus == key
            && let Some((field, _)) = self.field(key)
        {
            self.form.editor = self.editor_of(&field);
        }
    }

    fn go_by(&mut self, steps: isize) -> Vec<Effect> {
        let Some(proposal) = self.proposal() else {
            return Vec::new();
        };
        let fields = self.fields(&proposal);
        let here = self.focused(&fields);
        if let Some(field) = fields.get(here).filter(|field| field.adds)
            && let Some(effects) = self.add(field)
        {
            return effects;
        }
        let n = isize::try_from(fields.len()).unwrap_or(1).max(1);
        let here = isize::try_from(here).unwrap_or(0);
        let to = usize::try_from((here + steps).rem_euclid(n)).unwrap_or(0);
        if let Some(field) = fields.get(to) {
            self.focus(&field.key);
        }
        Vec::new()
    }

    /// Takes a new member of a family; `None` where none is typed, or a wrong one, which stays as it is.
    pub(super) fn add(&mut self, field: &Field) -> Option<Vec<Effect>> {
        let typed = self.adding.get(&field.key)?;
        let (key, value) = model::new_member(field.entry, typed).ok()?;
        self.adding.remove(&field.key);
        self.put(&key, value.expose());
        self.focus(&field.key);
        Some(vec![Effect::Say(
            Role::Accent,
            format!("{key} is added; the next one can be typed"),
        )])
    }

    /// Takes a command on the form.
    pub(super) fn form_command(&mut self, cmd: Cmd, shell: &Shell) -> Option<Vec<Effect>> {
        let proposal = self.proposal()?;
        let fields = self.fields(&proposal);
        let field = fields.get(self.focused(&fields))?.clone();
        match cmd {
            Cmd::Review => return Some(vec![Effect::Go(Place::Settings(Page::Review))]),
            Cmd::TestSettings => return Some(self.ask_test(&field, shell)),
            Cmd::FetchChain => return Some(self.ask_host(shell)),
            Cmd::SelfSign => return Some(self.ask_names(shell)),
            Cmd::Help => return Some(self.about(&field, shell)),
            Cmd::NextPane => return Some(self.go_by(1)),
            Cmd::PreviousPane => return Some(self.go_by(-1)),
            _ => {}
        }
        if !self.form.types {
            return match cmd {
                Cmd::Down => Some(self.go_by(1)),
                Cmd::Up => Some(self.go_by(-1)),
                Cmd::Top => Some(self.stand_on(0)),
                Cmd::Bottom => Some(self.stand_on(fields.len().saturating_sub(1))),
                Cmd::PageDown | Cmd::HalfDown => Some(self.go_within(5)),
                Cmd::PageUp | Cmd::HalfUp => Some(self.go_within(-5)),
                Cmd::Open | Cmd::LoadFile | Cmd::Unset if shell.reads => {
                    if let Some(why) = self.protected(shell) {
                        return Some(Effect::refuse(format!("cannot change it: {why}")));
                    }
                    if cmd == Cmd::Open {
                        Some(self.enter_field(&field, shell))
                    } else {
                        self.other_command(cmd, &field, shell)
                    }
                }
                Cmd::Open => Some(self.about(&field, shell)),
                _ => None,
            };
        }
        if cmd == Cmd::Back {
            return self.step_back();
        }
        if self.form.editor.is_long() {
            if self.form.editor.edit(cmd) {
                self.take_over();
                return Some(Vec::new());
            }
            return self.other_command(cmd, &field, shell);
        }
        match cmd {
            Cmd::Down => return Some(self.go_by(1)),
            Cmd::Up => return Some(self.go_by(-1)),
            Cmd::Open => return Some(self.enter_field(&field, shell)),
            Cmd::Right | Cmd::Left if turns(&field) => {
                return Some(self.turn(&field, if cmd == Cmd::Right { 1 } else { -1 }));
            }
            Cmd::PageDown | Cmd::PageUp => {
                return Some(self.turn_steps(cmd == Cmd::PageDown));
            }
            Cmd::EraseLine | Cmd::Erase if model::is_long(field.entry.kind) => {
                return Some(Effect::refuse(
                    "Enter opens the text; ctrl-x takes it back whole",
                ));
            }
            _ => {}
        }
        if self.form.editor.edit(cmd) {
            self.take_over();
            return Some(Vec::new());
        }
        self.other_command(cmd, &field, shell)
    }

    fn stand_on(&mut self, to: usize) -> Vec<Effect> {
        let fields = self.fields_now();
        if let Some(field) = fields.get(to.min(fields.len().saturating_sub(1))) {
            self.focus(&field.key);
        }
        Vec::new()
    }

    /// Moves without going round.
    fn go_within(&mut self, steps: isize) -> Vec<Effect> {
        let to = self
            .focused(&self.fields_now())
            .saturating_add_signed(steps);
        self.stand_on(to)
    }

    fn other_command(&mut self, cmd: Cmd, field: &Field, shell: &Shell) -> Option<Vec<Effect>> {
        match cmd {
            Cmd::Unset => Some(self.unset(field, shell)),
            Cmd::LoadFile if turns(field) || field.adds => {
                Some(Effect::refuse("this field takes no file"))
            }
            Cmd::LoadFile => {
                let (key, label) = (field.key.clone(), field.label.clone());
                let prompt = Prompt::new(Purpose::Load { key, label }, "");
                Some(vec![Effect::Open(Overlay::Prompt(prompt))])
            }
            Cmd::Left | Cmd::Right | Cmd::Top | Cmd::Bottom => {
                Some(Effect::refuse("there is no text here to move in"))
            }
            Cmd::Erase | Cmd::EraseNext | Cmd::EraseWord | Cmd::EraseLine => {
                Some(Effect::refuse("there is no text here to erase"))
            }
            _ => None,
        }
    }

    /// Enter: on, or into what is more than a line.
    fn enter_field(&mut self, field: &Field, shell: &Shell) -> Vec<Effect> {
        if shell.reads {
            return self.ask_for(field);
        }
        match field.entry.kind {
            kind if model::is_long(kind) && !field.adds => {
                self.open_long(field);
                Vec::new()
            }
            _ => self.go_by(1),
        }
    }

    pub(super) fn open_long(&mut self, field: &Field) {
        if let Some(data) = self.feed.data() {
            self.form.editor = Editor::long(&model::text_of(data, &self.edits, &field.key));
        }
    }

    /// Esc: closes a long text, undoes what was typed in the field since the cursor came, then leaves.
    fn step_back(&mut self) -> Option<Vec<Effect>> {
        if self.form.editor.is_long() {
            self.form.editor = Editor::None;
            return Some(Vec::new());
        }
        let key = self.form.focus.clone();
        let undone = self.adding.remove(&key).is_some()
            || self.edits.0.get(&key) != self.form.before.as_ref();
        if !undone {
            return None;
        }
        match self.form.before.clone() {
            Some(before) => _ = self.edits.0.insert(key.clone(), before),
            None => _ = self.edits.0.remove(&key),
        }
        if let Some(trial) = &mut self.trial {
            trial.overtake(&key);
        }
        self.focus(&key);
        let said = "what was typed here is undone; Esc again leaves";
        Some(vec![Effect::Say(Role::Accent, said.to_owned())])
    }

    /// The steps of the test, further on or back.
    fn turn_steps(&mut self, on: bool) -> Vec<Effect> {
        match &mut self.trial {
            Some(trial) => {
                trial.turn(on);
                Vec::new()
            }
            None => Effect::refuse(trial::NONE_YET),
        }
    }
}

/// Whether a field has nothing to type in, but words to choose from.
pub fn turns(field: &Field) -> bool {
    !field.adds && matches!(field.entry.kind, Kind::Switch | Kind::Choice(_))
}
