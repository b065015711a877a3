//! Settings: the groups with how each stands, the form of one, what a save would change, and the versions.
//!
//! What is typed stays here until it is saved, or until somebody leaves the form: then it is staged, so that nothing
//! typed is lost with a connection or a console. Each key is answered by the registry, without asking the server.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use ratatui::layout::Rect;
use roundel::access::Role as May;
use roundel::api::settings::{DiffRow, Settings as Answered, VersionRow};
use roundel::error::Kind;
use roundel::secret::Secret;
use roundel::settings::registry::{GROUPS, Group, group};
use serde_json::Value;

use super::{Scene, Screen, Touch, instead, json, only};
use crate::console::action::{Action, Edits, Slot, Want};
use crate::console::effect::Effect;
use crate::console::event::{Answer, Failure};
use crate::console::feed::Feed;
use crate::console::keymap::{Cmd, Context};
use crate::console::line::Line;
use crate::console::pen::Pen;
use crate::console::place::{Page, Place};
use crate::console::shell::Shell;
use crate::console::spot::Spot;
use crate::console::theme::Role;
use crate::console::verbs::{Fact, Subject, Verb};

mod about;
mod certificates;
mod editor;
mod field_view;
mod form;
mod form_view;
mod groups;
mod model;
mod review;
mod staging;
#[cfg(test)]
mod tests;
pub mod trial;
mod typing;
mod versions;

use form::Form;
use model::{Proposal, Standing};
use review::Review;
use trial::Trial;

/// The screen.
#[derive(Debug, Default)]
pub struct Settings {
    page: Page,
    feed: Feed<Answered>,
    diff: Feed<Vec<DiffRow>>,
    versions: Feed<Vec<VersionRow>>,
    /// What was typed and is neither staged nor saved, of all groups.
    edits: Edits,
    /// The last proposal, and the edits that it is of.
    known: RefCell<Option<(Edits, Rc<Proposal>)>>,
    /// What is typed for new members of families and is none yet.
    adding: BTreeMap<String, String>,
    /// What the server has taken, and the next answer will hold.
    taken: Edits,
    /// What is on its way to be staged.
    staging: Option<Edits>,
    /// What the server would not stage: it is not sent again until something else is typed.
    refused: Option<Edits>,
    /// Index of the group under the cursor.
    at: usize,
    form: Form,
    review: Review,
    trial: Option<Trial>,
    /// Number of tests that were begun.
    tries: u64,
    /// What tests wanted to know; kept until the form is left.
    words: BTreeMap<String, Secret>,
    /// Index of the version under the cursor.
    version: usize,
    /// The group that was clicked beside a form.
    clicked: Option<usize>,
}

impl Settings {
    /// Shows another page.
    pub fn enter(&mut self, page: &Page) {
        self.page = page.clone();
        self.clicked = None;
        match page {
            Page::Group(name) => {
                self.at = GROUPS.iter().position(|one| one.name == *name).unwrap_or(0);
                if let Some(group) = group(name) {
                    self.open_form(group);
                }
            }
            Page::Review => self.review = Review::default(),
            Page::Groups | Page::Versions => self.words.clear(),
        }
    }

    /// Why this console changes no settings now, if so.
    fn protected(&self, shell: &Shell) -> Option<String> {
        match shell.role().filter(|role| *role < May::Admin) {
            Some(short) => Some(format!(
                "settings are changed by an admin, and this is a {short}"
            )),
            None => shell.write_protected(),
        }
    }

    /// What would hold with all that was typed. It is asked for many times at each key, and a certificate is dear to look
    /// at: it is made anew only when what was typed, or what the server has, is another.
    fn proposal(&self) -> Option<Rc<Proposal>> {
        let data = self.feed.data()?;
        let mut known = self.known.borrow_mut();
        if known.as_ref().is_none_or(|(of, _)| *of != self.edits) {
            let proposal = Rc::new(Proposal::of(data, &self.edits));
            *known = Some((self.edits.clone(), proposal));
        }
        known.as_ref().map(|(_, proposal)| Rc::clone(proposal))
    }

    fn standing(&self, group: Option<&Group>) -> Option<Standing> {
        let data = self.feed.data()?;
        let proposal = self.proposal()?;
        Some(Standing::of(group, data, &self.edits, &proposal))
    }

    /// Whether letters type now.
    fn types(&self) -> bool {
        matches!(self.page, Page::Group(_)) && self.form.types && self.feed.data().is_some()
    }

    fn groups_command(&mut self, cmd: Cmd) -> Option<Vec<Effect>> {
        let last = GROUPS.len() - 1;
        self.at = match cmd {
            Cmd::Up => self.at.saturating_sub(1),
            Cmd::Down => (self.at + 1).min(last),
            Cmd::Top => 0,
            Cmd::Bottom => last,
            Cmd::PageUp | Cmd::HalfUp => self.at.saturating_sub(5),
            Cmd::PageDown | Cmd::HalfDown => (self.at + 5).min(last),
            Cmd::Open => {
                let page = Page::Group(GROUPS[self.at].name);
                return Some(vec![Effect::Go(Place::Settings(page))]);
            }
            _ => return None,
        };
        Some(Vec::new())
    }
}

impl Screen for Settings {
    fn contexts(&self, shell: &Shell) -> Vec<Context> {
        let own = match self.page {
            _ if self.types() => return vec![Context::Form],
            Page::Group(_) if shell.reads => Context::Form,
            Page::Review => Context::Review,
            Page::Versions => Context::Versions,
            Page::Groups | Page::Group(_) => Context::Settings,
        };
        vec![own, Context::Things, Context::Everywhere]
    }

    fn need(&mut self, shell: &Shell) -> Vec<Action> {
        self.refresh_form(shell);
        let all = self.feed.need(Slot::Rows, Want::Settings, shell.now);
        let more = match self.page {
            Page::Review => self.diff.need(Slot::Detail, Want::SettingsDiff, shell.now),
            Page::Versions => self
                .versions
                .need(Slot::Detail, Want::SettingsVersions, shell.now),
            Page::Groups | Page::Group(_) => None,
        };
        all.into_iter().chain(more).collect()
    }

    fn accept(&mut self, _slot: Slot, want: &Want, answer: Result<Box<Answer>, Failure>) {
        match want {
            Want::Settings => {
                let answer = only!(answer, Answer::Settings);
                self.known.take();
                if self.feed.accept(want, answer, |_| false) && self.feed.failure().is_none() {
                    // What was typed meanwhile stays.
                    let taken = std::mem::take(&mut self.taken);
                    self.edits
                        .0
                        .retain(|key, typed| taken.0.get(key) != Some(typed));
                    // What the server has is nothing that Esc could bring back.
                    if taken.0.contains_key(&self.form.focus) {
                        self.form.before = None;
                    }
                }
            }
            Want::SettingsDiff => {
                let answer = only!(answer, Answer::SettingsDiff);
                self.diff.accept(want, answer, |_| false);
            }
            _ => {
                let answer = only!(answer, Answer::SettingsVersions);
                self.versions.accept(want, answer, |_| false);
            }
        }
    }

    fn touch(&mut self, touch: Touch) {
        touch.reach(&mut self.feed);
        touch.reach(&mut self.diff);
        touch.reach(&mut self.versions);
    }

    fn command(&mut self, cmd: Cmd, shell: &Shell) -> Option<Vec<Effect>> {
        if cmd == Cmd::Open
            && let Some(n) = self.clicked.take()
        {
            let page = Page::Group(GROUPS.get(n)?.name);
            return Some(vec![Effect::Switch(Place::Settings(page))]);
        }
        let own = match self.page {
            Page::Groups => self.groups_command(cmd),
            Page::Group(_) if self.feed.data().is_some() => self.form_command(cmd, shell),
            Page::Group(_) => None,
            Page::Review => self.review_command(cmd, shell),
            Page::Versions => self.versions_command(cmd, shell),
        };
        if own.is_some() {
            return own;
        }
        match cmd {
            Cmd::Review => Some(vec![Effect::Go(Place::Settings(Page::Review))]),
            Cmd::Versions => Some(vec![Effect::Go(Place::Settings(Page::Versions))]),
            Cmd::Discard => Some(self.discard(shell)),
            Cmd::TestSettings => Some(Effect::refuse("open a form: its values are tested there")),
            _ => None,
        }
    }

    fn typed(&mut self, c: char, _shell: &Shell) -> Vec<Effect> {
        if self.types() {
            self.form_typed(c)
        } else {
            Vec::new()
        }
    }

    fn pasted(&mut self, text: &str, shell: &Shell) -> Vec<Effect> {
        if self.types() {
            return self.form_pasted(text);
        }
        match self.protected(shell) {
            Some(why) => Effect::refuse(format!("nothing is pasted: {why}")),
            None => Effect::refuse("open a form, and go to the field to paste into"),
        }
    }

    fn point(&mut self, spot: Spot) -> bool {
        match (&self.page, spot) {
            (Page::Groups, Spot::Row(n)) => {
                let n = usize::try_from(n).unwrap_or(0).min(GROUPS.len() - 1);
                std::mem::replace(&mut self.at, n) == n
            }
            (Page::Group(_), Spot::Box(n)) => {
                self.clicked = usize::try_from(n).ok();
                true
            }
            (Page::Group(_), Spot::Row(n)) => {
                let fields = self.fields_now();
                let here = self.focused(&fields);
                let n = usize::try_from(n).unwrap_or(usize::MAX);
                let Some(field) = fields.get(n) else {
                    return false;
                };
                if n != here {
                    self.focus(&field.key);
                } else if self.form.types && form::turns(field) {
                    _ = self.turn(field, 1);
                    return false;
                }
                n == here
            }
            (Page::Review, Spot::Choice(n)) => {
                self.review.focus = Some(n);
                true
            }
            (Page::Versions, Spot::Row(n)) => {
                let n = usize::try_from(n).unwrap_or(0);
                std::mem::replace(&mut self.version, n) == n
            }
            _ => false,
        }
    }

    fn scroll(&mut self, spot: Option<Spot>, lines: i32, shell: &Shell) {
        let form = matches!(self.page, Page::Group(_));
        let cmd = match (form && self.trial.is_some(), lines > 0) {
            // The wheel turns the steps of a test where there are any, and never a choice.
            (true, true) if spot.is_none() => Cmd::PageDown,
            (true, false) if spot.is_none() => Cmd::PageUp,
            (_, true) => Cmd::Down,
            (_, false) => Cmd::Up,
        };
        _ = self.command(cmd, shell);
    }

    fn subjects(&self) -> Vec<Subject<'_>> {
        let row = match &self.page {
            Page::Group(_) => self
                .feed
                .data()
                .and_then(|data| model::row(data, &self.form.focus)),
            _ => None,
        };
        let version = match &self.page {
            Page::Versions => self.versions.data().and_then(|rows| rows.get(self.version)),
            _ => None,
        };
        let row = row.map(|row| Subject::Fact(Fact::Setting(row)));
        let version = version.map(|row| Subject::Fact(Fact::Version(row)));
        row.into_iter().chain(version).collect()
    }

    fn verbs(&self, shell: &Shell) -> Vec<Verb> {
        if !matches!(self.page, Page::Group(_)) {
            return Vec::new();
        }
        let protected = self.protected(shell);
        let all = [
            (Cmd::TestSettings, "put the values to their test", true),
            (Cmd::Review, "see what a save would change, and save", false),
            (Cmd::LoadFile, "take the text of a file", true),
            (Cmd::Unset, "back to what is saved, or the default", true),
            (Cmd::Versions, "who saved what and when", false),
        ];
        let verb = |(cmd, words, writes): (Cmd, &str, bool)| {
            let key = shell.keymap.key_of(&[Context::Form], cmd);
            let key = key.map(|key| format!("   {key}")).unwrap_or_default();
            Verb {
                cmd,
                label: format!("{words}{key}"),
                effects: match protected.clone().filter(|_| writes) {
                    Some(why) => Err(why),
                    None => Ok(vec![Effect::Press(cmd)]),
                },
            }
        };
        let own = self.own_command().map(|(cmd, words)| (cmd, words, true));
        all.into_iter().chain(own).map(verb).collect()
    }

    fn view(&self, pen: &mut Pen, area: Rect, scene: &Scene) {
        let area = Rect {
            x: area.x + 1,
            width: area.width.saturating_sub(2),
            ..area
        };
        let rest = self.draw_head(pen, area, scene);
        if let Some(lines) = instead(&self.feed, scene, rest.width) {
            return pen.lines(rest, &lines);
        }
        match self.page {
            Page::Groups | Page::Group(_) => self.draw_groups(pen, rest, scene),
            Page::Review => self.draw_review(pen, rest, scene),
            Page::Versions => self.draw_versions(pen, rest, scene),
        }
    }

    fn footer(&self, _scene: &Scene) -> Line {
        if let Some(failure) = self.feed.failure() {
            return Line::new().put(Role::Failed, format!("✗ {}", failure.text));
        }
        self.said()
    }

    fn rows(&self) -> Value {
        let Some(data) = self.feed.data() else {
            return Value::Null;
        };
        match &self.page {
            Page::Groups => json(&data.settings),
            Page::Group(name) => {
                let rows = data.settings.iter().filter(|row| row.group == *name);
                json(&rows.collect::<Vec<_>>())
            }
            Page::Review => self.diff.data().map_or(Value::Null, json),
            Page::Versions => self.versions.data().map_or(Value::Null, json),
        }
    }

    fn is_settled(&self) -> bool {
        let more = match self.page {
            Page::Review => self.diff.is_settled(),
            Page::Versions => self.versions.is_settled(),
            Page::Groups | Page::Group(_) => true,
        };
        more && self.feed.is_settled()
    }

    fn refused(&self) -> Option<Kind> {
        self.feed.failure().map(|failure| failure.kind)
    }
}
