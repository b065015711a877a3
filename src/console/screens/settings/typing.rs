//! What is typed, pasted, chosen and loaded in a form.

use roundel::api::settings::Source;
use roundel::error::Kind as Failing;
use roundel::secret::Secret;
use roundel::settings::registry::Kind;
use roundel::settings::value::TEXT_MAX;

use super::Settings;
use super::form::turns;
use super::model::{self, Field};
use crate::console::action::{SettingsWrite, Write};
use crate::console::effect::Effect;
use crate::console::event::Failure;
use crate::console::overlays::{Item, Menu, Overlay, Prompt, Purpose};
use crate::console::shell::Shell;
use crate::console::theme::Role;

impl Settings {
    /// Asks for a value in a line of its own, where the screen is read to somebody.
    pub(super) fn ask_for(&mut self, field: &Field) -> Vec<Effect> {
        let Some(data) = self.feed.data() else {
            return Vec::new();
        };
        let key = field.key.clone();
        let fill = |text: &str| vec![Effect::Fill(key.clone(), Secret::new(text.to_owned()))];
        let item = |label: &str, word: &str| Item {
            key: None,
            label: label.to_owned(),
            note: String::new(),
            effects: Ok(fill(word)),
        };
        match field.entry.kind {
            Kind::Switch => self.turn(field, 1),
            Kind::Choice(options) => {
                let items = options.iter().map(|one| item(one.label, one.word));
                let menu = Menu::new(field.label.clone(), items.collect());
                vec![Effect::Open(Overlay::Menu(menu))]
            }
            kind if kind.is_secret() || model::is_long(kind) => {
                Effect::refuse("type ctrl-o, then the path of a file that holds it")
            }
            _ => {
                let text = match field.adds {
                    true => String::new(),
                    false => model::text_of(data, &self.edits, &field.key),
                };
                let (key, label) = (field.key.clone(), field.label.clone());
                let prompt = Prompt::new(Purpose::Field { key, label }, &text);
                vec![Effect::Open(Overlay::Prompt(prompt))]
            }
        }
    }

    /// ctrl-x: from what was typed back to what the server has, from there to what is saved, from there to the default.
    pub(super) fn unset(&mut self, field: &Field, shell: &Shell) -> Vec<Effect> {
        let key = field.key.clone();
        if field.adds {
            self.adding.remove(&key);
            self.focus(&key);
            return Vec::new();
        }
        let source = self
            .feed
            .data()
            .and_then(|data| model::row(data, &key))
            .map(|row| row.source);
        let said = match (self.edits.0.remove(&key), source) {
            (Some(_), _) => "as it was before it was typed",
            (None, Some(Source::Staged)) => {
                let write = Write::Settings(SettingsWrite::Discard(vec![key]));
                return match self.protected(shell) {
                    Some(why) => Effect::refuse(format!("cannot take it back: {why}")),
                    None => vec![Effect::Write(write)],
                };
            }
            (None, Some(Source::Saved)) => {
                self.edits.0.insert(key.clone(), None);
                "back to its default, once saved"
            }
            (None, _) => "it is at its default already",
        };
        self.focus(&key);
        vec![Effect::Say(
            Role::Accent,
            format!("{}: {said}", field.label),
        )]
    }

    /// The next word of a choice, or the other side of a switch.
    pub(super) fn turn(&mut self, field: &Field, step: isize) -> Vec<Effect> {
        let Some(proposal) = self.proposal() else {
            return Vec::new();
        };
        let word = match field.entry.kind {
            Kind::Switch => (!proposal.values.on(&field.key)).to_string(),
            Kind::Choice(options) => {
                let now = proposal.values.text(&field.key);
                let at = options.iter().position(|one| one.word == now);
                let n = isize::try_from(options.len()).unwrap_or(1).max(1);
                let at = at.and_then(|at| isize::try_from(at).ok()).unwrap_or(-1);
                let to = usize::try_from((at + step).rem_euclid(n)).unwrap_or(0);
                options.get(to).map_or("", |one| one.word).to_owned()
            }
            _ => return Vec::new(),
        };
        self.put(&field.key, &word);
        Vec::new()
    }

    /// Takes a letter.
    pub(super) fn form_typed(&mut self, c: char) -> Vec<Effect> {
        let Some((field, _)) = self.field(&self.form.focus) else {
            return Vec::new();
        };
        match field.entry.kind {
            Kind::Switch if c == ' ' => return self.turn(&field, 1),
            Kind::Choice(_) if c == ' ' => return self.turn(&field, 1),
            Kind::Switch => {
                let word = match c.to_ascii_lowercase() {
                    'y' => "true",
                    'n' => "false",
                    _ => return Effect::refuse("Space or an arrow turns it; y and n, too"),
                };
                self.put(&field.key, word);
                return Vec::new();
            }
            Kind::Choice(options) => {
                let same = |one: &char| one.eq_ignore_ascii_case(&c);
                let meant = options
                    .iter()
                    .find(|one| one.label.chars().next().as_ref().is_some_and(same));
                return match meant {
                    Some(one) => {
                        self.put(&field.key, one.word);
                        Vec::new()
                    }
                    None => Effect::refuse("arrows or Space choose; so do first letters"),
                };
            }
            kind if model::is_long(kind) && !field.adds && !self.form.editor.is_long() => {
                self.open_long(&field);
            }
            _ => {}
        }
        self.form.editor.insert(c.encode_utf8(&mut [0; 4]));
        self.take_over();
        Vec::new()
    }

    /// Takes pasted text: what is between the marks of PEM replaces a certificate or key whole.
    pub(super) fn form_pasted(&mut self, text: &str) -> Vec<Effect> {
        let Some((field, _)) = self.field(&self.form.focus) else {
            return Vec::new();
        };
        if text.len() > TEXT_MAX {
            let most = TEXT_MAX / 1024;
            return Effect::refuse(format!(
                "that is longer than {most} KB, which no setting takes"
            ));
        }
        if turns(&field) {
            return Effect::refuse("this field takes no text");
        }
        if model::is_long(field.entry.kind) && !field.adds {
            if self.form.editor.is_long() {
                if !self.form.editor.insert(text) {
                    return Effect::refuse("with that it would be longer than a setting may be");
                }
                self.take_over();
                return Vec::new();
            }
            let text = text.trim().to_owned() + "\n";
            self.put(&field.key, &text);
            let what = model::summary(field.entry.kind, &text);
            return vec![Effect::Say(
                Role::Accent,
                format!("{}: pasted, {what}", field.label),
            )];
        }
        let line = text.trim_matches(['\n', '\r']);
        if line.contains('\n') && field.entry.kind != Kind::List {
            return Effect::refuse(format!("{} is one line", field.label));
        }
        let line = line.replace('\n', ", ");
        self.form.editor.insert(&line);
        self.take_over();
        Vec::new()
    }

    /// What came of reading a file for a field.
    pub fn loaded(&mut self, key: &str, path: &str, text: Result<Secret, Failure>) -> Vec<Effect> {
        let text = match text {
            Ok(text) => text,
            Err(failure) => {
                let hint = failure
                    .hint
                    .map(|hint| format!("; {hint}"))
                    .unwrap_or_default();
                return vec![Effect::Say(
                    Role::Failed,
                    format!("✗ {}{hint}", failure.text),
                )];
            }
        };
        let Some((field, _)) = self.field(key) else {
            return Vec::new();
        };
        let kind = field.entry.kind;
        if model::is_long(kind) {
            self.fill(key, &text);
            let what = model::summary(kind, text.expose());
            return vec![Effect::Say(
                Role::Accent,
                format!("{}: {what} of {path}", field.label),
            )];
        }
        let line = text.expose().trim_end_matches(['\n', '\r']).to_owned();
        if line.contains('\n') && kind != Kind::List {
            let why = Failure::new(
                Failing::Usage,
                format!("{} is one line, and {path} has several", field.label),
            );
            return self.loaded(key, path, Err(why));
        }
        self.fill(key, &Secret::new(line));
        vec![Effect::Say(
            Role::Accent,
            format!("{}: taken from {path}", field.label),
        )]
    }
}
