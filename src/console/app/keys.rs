//! What a command does on a screen: the screen's own meaning first, then what it means everywhere.

use super::App;
use crate::console::action::{Action, Kept};
use crate::console::command;
use crate::console::effect::Effect;
use crate::console::event::Link;
use crate::console::keymap::Cmd;
use crate::console::overlays::{Candidate, Item, Menu, Overlay, Palette, Prompt, Purpose, Reading};
use crate::console::place::{Page, Place, tab_name};
use crate::console::screens::Touch;
use crate::console::theme::Role;
use crate::console::verbs;

impl App {
    pub(super) fn command(&mut self, cmd: Cmd) -> Vec<Effect> {
        if let Some(effects) = self
            .screens
            .at(self.trail.place())
            .command(cmd, &self.shell)
        {
            return effects;
        }
        match cmd {
            Cmd::Go(tab) if Place::of_tab(tab).as_ref() == Some(self.place()) => {
                let here = format!("this is {} already", tab_name(tab));
                vec![Effect::Say(Role::Accent, here)]
            }
            Cmd::Go(tab) => command::tab(tab),
            Cmd::GoLdap => group("ldap"),
            Cmd::GoVm => group("vm"),
            Cmd::GoProxy => group("proxy"),
            Cmd::GoTls => group("tls"),
            Cmd::GoMetrics => command::later("metrics"),
            Cmd::GotoPrefix => vec![Effect::Open(Overlay::Goto)],
            Cmd::Back => self.back(),
            Cmd::Quit => {
                if self.up() {
                    Vec::new()
                } else {
                    self.ask_to_quit()
                }
            }
            Cmd::HistoryBack => self.walk(true),
            Cmd::HistoryForward => self.walk(false),
            Cmd::HistoryLast => {
                if !self.trail.last() {
                    return Effect::refuse("there was no place before this one");
                }
                self.entered();
                Vec::new()
            }
            Cmd::Suspend => vec![Effect::Do(Action::Suspend)],
            Cmd::Refresh => {
                self.touch(Touch::All);
                let reconnect =
                    matches!(self.shell.link, Link::Lost { .. } | Link::SignedOut { .. })
                        .then_some(Effect::Do(Action::Reconnect));
                reconnect
                    .into_iter()
                    .chain([Effect::Do(Action::Redraw)])
                    .collect()
            }
            Cmd::StartServer => vec![Effect::Do(Action::StartServer)],
            Cmd::Palette => vec![Effect::Open(Overlay::Palette(self.palette()))],
            Cmd::Help => vec![Effect::Open(Overlay::Reading(Reading::help(
                &self.shell.keymap,
                &self.screen_contexts(),
            )))],
            Cmd::Filter => self.filter(),
            Cmd::SortMenu => self.sort_menu(),
            Cmd::SortNext => self.sort_by_neighbour(1),
            Cmd::SortPrevious => self.sort_by_neighbour(-1),
            Cmd::Mark | Cmd::MarkRange => self.mark(cmd == Cmd::MarkRange),
            Cmd::Actions => {
                let menu = verbs::menu(self.screen(), &self.shell, &self.screen_contexts());
                menu.map_or_else(
                    || Effect::refuse("there is nothing here to act on"),
                    |menu| vec![Effect::Open(menu)],
                )
            }
            Cmd::Describe | Cmd::Raw | Cmd::Edit | Cmd::Commands => self.describe(cmd),
            Cmd::Copy => self.copy(),
            Cmd::Slow => command::slow(),
            Cmd::Compare => self.compare(),
            Cmd::Save => vec![Effect::Save(Kept::View)],
            Cmd::Locator => {
                let locator = self.place().locator();
                vec![Effect::Copy(locator.clone(), locator)]
            }
            Cmd::Drain | Cmd::Eligibility | Cmd::Stop | Cmd::Rerun | Cmd::Approve | Cmd::LogOf => {
                self.verb(cmd)
            }
            _ => Effect::refuse("that key does nothing here"),
        }
    }

    fn mark(&mut self, range: bool) -> Vec<Effect> {
        match self.screens.at(self.trail.place()).listing() {
            Some(list) => list
                .mark(range)
                .map_or_else(Effect::refuse, |()| Vec::new()),
            None => Effect::refuse("there is no list here to mark in"),
        }
    }

    /// Esc: clears marks first, then a filter, then goes up; never quits.
    fn back(&mut self) -> Vec<Effect> {
        if let Some(list) = self.screens.at(self.trail.place()).listing() {
            if list.marked() > 0 {
                list.clear_marks();
                return Vec::new();
            }
            if !list.filter().is_empty() {
                list.set_filter("");
                return Vec::new();
            }
        }
        if self.up() {
            Vec::new()
        } else {
            vec![Effect::Say(
                Role::Accent,
                "this is a root; q quits".to_owned(),
            )]
        }
    }

    fn up(&mut self) -> bool {
        let moved = self.trail.up();
        if moved {
            self.entered();
        }
        moved
    }

    fn walk(&mut self, back: bool) -> Vec<Effect> {
        if !self.trail.walk(back) {
            return Effect::refuse(if back {
                "nothing before this"
            } else {
                "nothing after this"
            });
        }
        self.entered();
        Vec::new()
    }

    fn filter(&mut self) -> Vec<Effect> {
        match self.screens.at(self.trail.place()).listing() {
            Some(list) => {
                let before = list.filter().to_owned();
                vec![Effect::Open(Overlay::Prompt(Prompt::new(
                    Purpose::Filter {
                        before: before.clone(),
                    },
                    &before,
                )))]
            }
            None => Effect::refuse("there is no list here to filter"),
        }
    }

    fn sort_menu(&mut self) -> Vec<Effect> {
        let Some(list) = self.screens.at(self.trail.place()).listing() else {
            return Effect::refuse("there is no list here to sort");
        };
        let order = list.order();
        let mut taken = Vec::new();
        let items = list.columns().into_iter().map(|(column, title)| {
            let here = column == order.column;
            let note = match (here, order.descending) {
                (false, _) => "",
                (true, false) => "now, ↑; again turns it round",
                (true, true) => "now, ↓; again turns it round",
            };
            // The first letter that no column before has.
            let mut letters = title
                .chars()
                .filter(|c| c.is_ascii_alphanumeric() || *c == '#')
                .map(|c| c.to_ascii_lowercase());
            let key = letters.find(|c| !taken.contains(c));
            taken.extend(key);
            Item {
                key,
                label: title.to_lowercase(),
                note: note.to_owned(),
                effects: Ok(vec![Effect::OrderBy(column)]),
            }
        });
        vec![Effect::Open(Overlay::Menu(Menu::new(
            "Sort by",
            items.collect(),
        )))]
    }

    fn sort_by_neighbour(&mut self, step: isize) -> Vec<Effect> {
        let Some(list) = self.screens.at(self.trail.place()).listing() else {
            return Effect::refuse("there is no list here to sort");
        };
        let columns = list.columns();
        let n = isize::try_from(columns.len()).unwrap_or(0);
        let at = columns
            .iter()
            .position(|(column, _)| *column == list.order().column);
        let at = at.and_then(|at| isize::try_from(at).ok()).unwrap_or(0);
        let to = usize::try_from((at + step).rem_euclid(n.max(1))).unwrap_or(0);
        if let Some((column, _)) = columns.get(to) {
            list.order_by(column);
        }
        Vec::new()
    }

    /// A verb by its key: the first of the subjects that has it.
    fn verb(&self, cmd: Cmd) -> Vec<Effect> {
        match verbs::of(self.screen(), &self.shell)
            .into_iter()
            .find(|verb| verb.cmd == cmd)
            .map(|verb| (verb.effects, verb.label))
        {
            Some((Ok(effects), _)) => effects,
            Some((Err(why), label)) => Effect::refuse(format!("cannot {label}: {why}")),
            None => Effect::refuse("there is nothing here to do that with"),
        }
    }

    fn palette(&self) -> Palette {
        let mut all = command::candidates(&self.shell.themes);
        for verb in verbs::of(self.screen(), &self.shell) {
            if let Some(known) = all
                .iter_mut()
                .find(|one| known_word(&one.text) == Some(verb.cmd))
            {
                known.note = match verb.effects {
                    Ok(_) => verb.label,
                    Err(why) => format!("not now: {why}"),
                };
            }
        }
        all.extend(self.names());
        Palette::new(all, self.shell.history.iter().cloned().collect())
    }

    /// Names that are on the screen, as the palette offers them.
    fn names(&self) -> Vec<Candidate> {
        let rows = self.screen().rows();
        let text = |row: &serde_json::Value, key: &str| {
            row.get(key).and_then(|v| v.as_str()).map(str::to_owned)
        };
        let rows = rows.as_array().map(Vec::as_slice).unwrap_or_default();
        let named = rows.iter().filter_map(|row| {
            if let (Some(name), true) = (text(row, "name"), row.get("datacenter").is_some()) {
                return Some(Candidate::new(format!("node {name}"), "a node"));
            }
            if let Some(attempt) = text(row, "attempt") {
                let run = serde_json::from_value(row.clone()).ok()?;
                return Some(Candidate::named(
                    format!("run {}", verbs::run_name(&run)),
                    "a run",
                    format!("run {attempt}"),
                ));
            }
            let (project, number) = (text(row, "project")?, row.get("number")?.as_i64()?);
            // `project#number` would be the job of that build number.
            Some(Candidate::named(
                format!("pipeline {project} #{number}"),
                "a build",
                format!("pipeline {}", text(row, "id")?),
            ))
        });
        named.collect()
    }
}

/// To the form of a group of settings.
fn group(name: &str) -> Vec<Effect> {
    let page = Page::group(name);
    page.map(|page| Effect::Switch(Place::Settings(page)))
        .into_iter()
        .collect()
}

fn known_word(text: &str) -> Option<Cmd> {
    match text {
        "rerun" => Some(Cmd::Rerun),
        "stop" => Some(Cmd::Stop),
        "eligibility" => Some(Cmd::Eligibility),
        _ => None,
    }
}
