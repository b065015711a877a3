//! The state of the console and the one function that changes it: an event goes in, actions come out.
//!
//! No IO, no await, no clock: time comes with events. What a key means comes from the key table, what it does from the
//! screen or overlay that has the keys.

use roundel::clock::Timestamp;

use crate::console::action::{Action, Slot, Write};
use crate::console::chord::Chord;
use crate::console::command;
use crate::console::effect::Effect;
use crate::console::event::{Event, Link};
use crate::console::keymap::{Cmd, Context};
use crate::console::line::Line;
use crate::console::overlays::{Overlay, Purpose, Reading};
use crate::console::place::Place;
use crate::console::screens::{Screen, Screens, Touch};
use crate::console::shell::{Look, Shell};
use crate::console::spot::Spots;
use crate::console::text;
use crate::console::theme::Role;
use crate::console::verbs;

mod describe;
mod keep;
mod keys;
mod mouse;
mod news;
mod trail;

use trail::Trail;

/// The whole state.
#[derive(Debug)]
pub struct App {
    /// What holds on every screen.
    pub shell: Shell,
    screens: Screens,
    trail: Trail,
    overlay: Option<Overlay>,
    /// What stands where in the frame that was drawn last.
    spots: Spots,
    /// Nobody chose the first screen: where nothing was ever built, the offer of a first build is better.
    opening: bool,
}

impl App {
    /// A console that stands at a place and knows nothing yet; without one, at the screen that it opens with by itself.
    #[must_use]
    pub fn new(shell: Shell, place: impl Into<Option<Place>>) -> Self {
        let place = place.into();
        let opening = place.is_none();
        let place = place.unwrap_or(Place::Dashboard);
        let mut screens = Screens::default();
        screens.enter(&place);
        Self {
            shell,
            screens,
            trail: Trail::new(place),
            overlay: None,
            spots: Spots::default(),
            opening,
        }
    }

    /// Shows what is wrong with the files that a person wrote, if something is, over the first screen.
    pub fn warn(&mut self, title: &str, problems: &[String]) {
        if problems.is_empty() {
            return;
        }
        let room = self.shell.size.0.saturating_sub(8).clamp(20, 100);
        let mut lines = Vec::new();
        for problem in problems {
            let words = text::wrap(problem, room).into_iter();
            lines.extend(words.map(|words| Line::new().put(Role::Warning, words)));
        }
        lines.push(Line::new());
        lines.push(Line::new().muted("All others hold. `roundel console --keys` prints them."));
        self.overlay = Some(Overlay::Reading(Reading::new(title, lines)));
    }

    /// Takes an event; answers what is to be done about it.
    pub fn update(&mut self, event: Event) -> Vec<Action> {
        let mut actions = Vec::new();
        let effects = self.react(event, &mut actions);
        self.apply(effects, &mut actions);
        self.stage_left(&mut actions);
        actions.extend(self.screens.at(self.trail.place()).need(&self.shell));
        if let Some(Overlay::Palette(palette)) = &mut self.overlay {
            actions.extend(palette.need());
        }
        actions
    }

    /// Has effects come true that no event asked for.
    pub fn act(&mut self, effects: Vec<Effect>) -> Vec<Action> {
        let mut actions = Vec::new();
        self.apply(effects, &mut actions);
        self.stage_left(&mut actions);
        actions.extend(self.start());
        actions
    }

    /// Does what a command means now.
    pub fn obey_now(&mut self, cmd: Cmd) -> Vec<Action> {
        let effects = self.obey(cmd);
        self.act(effects)
    }

    /// Replaces what is being typed by a line and takes it; an empty one leaves all as it was.
    pub fn typed_line(&mut self, line: &str) -> Vec<Action> {
        if line.is_empty() {
            return self.obey_now(Cmd::Back);
        }
        let mut actions = self.obey_now(Cmd::EraseLine);
        actions.extend(self.update(Event::Paste(line.to_owned())));
        actions.extend(self.obey_now(Cmd::Open));
        actions
    }

    /// What was typed in a form that was left is staged: nothing typed is lost.
    fn stage_left(&mut self, actions: &mut Vec<Action>) {
        let settings = &mut self.screens.settings;
        if let Some(write) = settings.leftover(self.trail.place(), &self.shell) {
            self.send(vec![write], None, actions);
        }
    }

    /// The first actions, before any event.
    pub fn start(&mut self) -> Vec<Action> {
        self.screens.at(self.trail.place()).need(&self.shell)
    }

    fn react(&mut self, event: Event, actions: &mut Vec<Action>) -> Vec<Effect> {
        match event {
            Event::Key(chord) => return self.key(chord),
            Event::Pointer(pointer) => return self.pointed(pointer),
            Event::Paste(text) => {
                return match &mut self.overlay {
                    Some(overlay) => overlay.pasted(&text),
                    None => {
                        let screen = self.screens.at(self.trail.place());
                        screen.pasted(&text, &self.shell)
                    }
                };
            }
            Event::Resize(columns, rows) => self.shell.size = (columns, rows),
            Event::Tick(now) => self.tick(now),
            Event::Link(link) => self.linked(link),
            Event::Hello(hello) => {
                self.shell.skew = 0;
                self.shell.hello = Some(*hello);
            }
            Event::Summary(summary) => self.summed(*summary),
            Event::Session(session) => self.shell.session = Some(session),
            Event::Change(change) => self.touch(Touch::Change(&change)),
            Event::LogAdvanced(log) => self.touch(Touch::Log(&log)),
            Event::Reset => self.touch(Touch::All),
            Event::Answer(
                slot @ (Slot::NodeNames | Slot::BuildNames | Slot::RunNames),
                want,
                answer,
            ) => {
                if let Some(Overlay::Palette(palette)) = &mut self.overlay {
                    palette.accept(slot, &want, answer.ok().as_deref());
                }
            }
            Event::Answer(slot, want, answer) => {
                let screen = self.screens.at(self.trail.place());
                screen.accept(slot, &want, answer);
                self.settle_opening();
            }
            Event::Written(write, result) => return self.written(&write, result),
            Event::Saved(save, result) => return self.saved(save, result),
            Event::Tried(number, tried) => {
                self.screens.settings.tried(number, tried, self.shell.now);
            }
            Event::Loaded { key, path, text } => {
                return self.screens.settings.loaded(&key, &path, text);
            }
            Event::Completed { typed, paths } => {
                if let Some(Overlay::Prompt(prompt)) = &mut self.overlay {
                    prompt.completed(&typed, &paths);
                }
            }
            Event::Fetched { place, chain } => {
                if self.waits(&Purpose::Host, &place) {
                    let now = self.shell.now;
                    return self.screens.settings.fetched(&place, chain, now);
                }
            }
            Event::Made { names, made } => {
                if self.waits(&Purpose::Names, &names) {
                    return self.screens.settings.made(made, self.shell.now);
                }
            }
            Event::Found(repository) => self.shell.look = Look::Found(repository),
            Event::NotStarted(failure) => {
                let hint = failure
                    .hint
                    .map(|hint| format!("; {hint}"))
                    .unwrap_or_default();
                self.shell.say(
                    Role::Failed,
                    format!("no server was started: {}{hint}", failure.text),
                );
                self.shell.link = Link::Connecting;
                actions.push(Action::Reconnect);
            }
            Event::Resumed => actions.push(Action::Redraw),
            Event::Ended => actions.push(Action::Quit),
        }
        Vec::new()
    }

    /// Whether somebody still waits for what was asked for by a line: who closed it, or types on, does not.
    fn waits(&self, purpose: &Purpose, text: &str) -> bool {
        matches!(&self.overlay, Some(Overlay::Prompt(prompt)) if prompt.waits_for(purpose, text))
    }

    fn touch(&mut self, touch: Touch) {
        self.screens.at(self.trail.place()).touch(touch);
    }

    fn apply(&mut self, effects: Vec<Effect>, actions: &mut Vec<Action>) {
        for effect in effects {
            match effect {
                Effect::Go(place) => {
                    self.trail.drill(place);
                    self.entered();
                }
                Effect::Switch(place) => {
                    self.trail.switch(place);
                    self.entered();
                }
                Effect::Open(overlay) => self.overlay = Some(overlay),
                Effect::Close => self.overlay = None,
                Effect::Press(cmd) => {
                    let effects = self.command(cmd);
                    self.apply(effects, actions);
                }
                Effect::Filter(words) => {
                    if let Some(list) = self.screens.at(self.trail.place()).listing() {
                        list.set_filter(&words);
                    }
                }
                Effect::OrderBy(column) => {
                    if let Some(list) = self.screens.at(self.trail.place()).listing() {
                        list.order_by(column);
                    }
                }
                Effect::Search(words) => {
                    let effects = self.screens.at(self.trail.place()).search(&words);
                    self.apply(effects, actions);
                }
                Effect::Line(n) => {
                    let effects = self.screens.at(self.trail.place()).go_to_line(n);
                    self.apply(effects, actions);
                }
                Effect::Command(line) => {
                    self.shell.recall(&line);
                    match command::parse(&line) {
                        Ok(effects) => self.apply(effects, actions),
                        Err(why) => self.shell.say(Role::Warning, why.0),
                    }
                }
                Effect::Copy(text, what) => actions.extend(self.copy_out(text, &what)),
                Effect::Save(what) => self.overlay = Some(self.ask_where(what)),
                Effect::Fill(key, text) => self.screens.settings.fill(&key, &text),
                Effect::Join(key, text) => {
                    let effects = self.screens.settings.join(&key, &text);
                    self.apply(effects, actions);
                }
                Effect::Forget => self.screens.settings.forget(),
                Effect::Test(test, words) => {
                    let settings = &mut self.screens.settings;
                    actions.push(settings.begin_test(test, words, &self.shell));
                }
                Effect::Say(role, text) => self.shell.say(role, text),
                Effect::Write(write) => self.send(vec![write], None, actions),
                Effect::WriteMany(writes) => {
                    self.shell.many += 1;
                    self.send(writes, Some(self.shell.many), actions);
                    if let Some(list) = self.screens.at(self.trail.place()).listing() {
                        list.clear_marks();
                    }
                }
                Effect::Do(action) => {
                    if action == Action::StartServer {
                        self.shell.link = Link::Starting;
                    }
                    actions.push(action);
                }
            }
        }
    }

    /// Sends writes, unless nothing can be written now.
    fn send(&mut self, writes: Vec<Write>, many: Option<u64>, actions: &mut Vec<Action>) {
        let protected = if writes.iter().all(Write::arms) {
            self.shell.unreachable()
        } else {
            self.shell.write_protected()
        };
        if let Some(why) = protected {
            self.shell.say(Role::Failed, format!("not done: {why}"));
            return;
        }
        for write in writes {
            self.shell.remember(write.command(), many);
            actions.push(Action::Write(write));
        }
    }

    /// Where nothing was ever built, the screen that nobody chose gives way to the offer of a first build.
    fn settle_opening(&mut self) {
        if !self.opening || *self.trail.place() != Place::Dashboard {
            return;
        }
        let Some(built) = self.screens.dashboard.built() else {
            return;
        };
        self.opening = false;
        if built == 0 {
            self.trail = Trail::new(Place::Builds);
            self.entered();
        }
    }

    fn entered(&mut self) {
        let place = self.trail.place().clone();
        self.screens.enter(&place);
    }

    /// Where the console stands.
    #[must_use]
    pub fn place(&self) -> &Place {
        self.trail.place()
    }

    /// The screen that is shown.
    #[must_use]
    pub fn screen(&self) -> &dyn Screen {
        self.screens.shown(self.trail.place())
    }

    /// What stands over the screen.
    #[must_use]
    pub fn overlay(&self) -> Option<&Overlay> {
        self.overlay.as_ref()
    }

    /// Where keys are looked up now, nearest first.
    #[must_use]
    pub fn contexts(&self) -> Vec<Context> {
        match &self.overlay {
            Some(overlay) => vec![overlay.context()],
            None => self.screen_contexts(),
        }
    }

    fn screen_contexts(&self) -> Vec<Context> {
        let gone = matches!(self.shell.link, Link::Lost { .. }).then_some(Context::Gone);
        gone.into_iter()
            .chain(self.screen().contexts(&self.shell))
            .collect()
    }

    fn key(&mut self, chord: Chord) -> Vec<Effect> {
        let contexts = self.contexts();
        match (self.shell.keymap.find(&contexts, chord), &mut self.overlay) {
            (Some(cmd), _) => self.obey(cmd),
            (None, Some(overlay)) => chord.typed().map(|c| overlay.typed(c)).unwrap_or_default(),
            (None, None) => {
                let screen = self.screens.at(self.trail.place());
                let typed = chord.typed().map(|c| screen.typed(c, &self.shell));
                typed.unwrap_or_default()
            }
        }
    }

    /// Does what a command means now, to what stands over the screen or to the screen.
    fn obey(&mut self, cmd: Cmd) -> Vec<Effect> {
        match (cmd, &mut self.overlay) {
            (Cmd::Interrupt, _) => self.interrupt(),
            (Cmd::Mouse, _) => self.toggle_mouse(),
            (cmd, Some(overlay)) => overlay.command(cmd, self.shell.size.1),
            (cmd, None) => self.command(cmd),
        }
    }

    /// Remembers what stands where in the frame that was just drawn.
    pub fn drawn(&mut self, spots: Spots) {
        self.spots = spots;
    }

    /// ctrl-c: asks, and leaves when it had asked already.
    fn interrupt(&mut self) -> Vec<Effect> {
        if matches!(&self.overlay, Some(Overlay::Dialog(dialog)) if dialog.quits) {
            return vec![Effect::Do(Action::Quit)];
        }
        self.ask_to_quit()
    }

    fn ask_to_quit(&mut self) -> Vec<Effect> {
        let busy = self
            .shell
            .summary
            .as_ref()
            .map_or(0, |summary| summary.waiting + summary.running);
        // What was typed in forms is on the server by the time that somebody answers.
        let unstaged = self.screens.settings.unstaged() as u64;
        let stage = self.screens.settings.stage_all(&self.shell);
        let kept = stage.is_some();
        let quit = Effect::Open(Overlay::Dialog(verbs::quit_dialog(busy, unstaged, kept)));
        stage.map(Effect::Write).into_iter().chain([quit]).collect()
    }

    /// The console is made to end, by nobody who could be asked: what is to be done before.
    pub fn end(&mut self) -> Option<Action> {
        let write = self.screens.settings.stage_at_end(&self.shell);
        write.map(Action::Write)
    }

    /// Whether an answer to that is still to come.
    #[must_use]
    pub fn is_ending(&self) -> bool {
        self.screens.settings.is_staging()
    }

    /// What goes away with the console, and why.
    #[must_use]
    pub fn left_behind(&self) -> Option<String> {
        self.screens.settings.left_behind(&self.shell)
    }

    /// Time went on.
    fn tick(&mut self, now: Timestamp) {
        self.shell.now = now;
        if self
            .shell
            .flash
            .as_ref()
            .is_some_and(|flash| flash.until <= now)
        {
            self.shell.flash = None;
        }
    }
}
