//! The screens: each holds its windows and its cursor, says what it needs, takes commands and draws itself.
//!
//! A screen knows neither keys nor colours nor the connection; it answers [`Effect`]s and [`Action`]s.

use ratatui::layout::Rect;
use roundel::api::{Change, LogAdvanced};
use roundel::error::Kind;
use serde_json::Value;

use crate::console::action::{Action, Slot, Want};
use crate::console::effect::Effect;
use crate::console::event::{Answer, Failure};
use crate::console::feed::{Feed, PATIENCE};
use crate::console::keymap::{Cmd, Context};
use crate::console::line::Line;
use crate::console::list::Order;
use crate::console::now::Now;
use crate::console::pen::Pen;
use crate::console::place::Place;
use crate::console::shell::Shell;
use crate::console::spot::Spot;
use crate::console::text;
use crate::console::theme::Role;
use crate::console::verbs::{Subject, Verb};

pub mod audit;
pub mod builds;
pub mod cluster;
pub mod compare;
pub mod dashboard;
pub mod job;
mod listed;
pub mod node;
pub mod pipeline;
pub mod queue;
pub mod settings;
pub mod workflow;

/// What a screen is drawn from besides its own state.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// What holds on every screen.
    pub shell: &'a Shell,
    /// The clock of this frame.
    pub now: &'a Now,
}

/// Why windows must be read anew.
#[derive(Clone, Copy, Debug)]
pub enum Touch<'a> {
    /// Everything may be old.
    All,
    /// The connection broke: questions under way are lost.
    Lost,
    /// Something changed.
    Change(&'a Change),
    /// A log grew.
    Log(&'a LogAdvanced),
}

impl Touch<'_> {
    /// Tells a feed. A log that grew changes no window of a feed.
    pub fn reach<T>(self, feed: &mut Feed<T>) {
        match self {
            Touch::All => feed.touch(),
            Touch::Lost => feed.disconnect(),
            Touch::Change(change) => feed.touch_by(change),
            Touch::Log(_) => {}
        }
    }
}

/// A screen.
pub trait Screen {
    /// Where its keys stand in the table, nearest first.
    fn contexts(&self, shell: &Shell) -> Vec<Context>;
    /// The fetches that are due for what is on the screen.
    fn need(&mut self, shell: &Shell) -> Vec<Action>;
    /// Takes a window.
    fn accept(&mut self, slot: Slot, want: &Want, answer: Result<Box<Answer>, Failure>);
    /// Marks what may be old.
    fn touch(&mut self, touch: Touch);
    /// Takes a command; `None` when it means nothing here.
    fn command(&mut self, cmd: Cmd, shell: &Shell) -> Option<Vec<Effect>>;
    /// Takes a letter that no key of the table is.
    fn typed(&mut self, _c: char, _shell: &Shell) -> Vec<Effect> {
        Vec::new()
    }
    /// Takes pasted text.
    fn pasted(&mut self, _text: &str, _shell: &Shell) -> Vec<Effect> {
        Vec::new()
    }
    /// Puts the cursor on something it drew; true when it was there already.
    fn point(&mut self, spot: Spot) -> bool {
        match (spot, self.listing()) {
            (Spot::Row(n), Some(list)) => list.point(n),
            _ => false,
        }
    }
    /// Scrolls what is at a spot by some lines: down, or up where negative.
    fn scroll(&mut self, _spot: Option<Spot>, lines: i32, shell: &Shell) {
        if let Some(list) = self.listing() {
            return list.scroll(lines);
        }
        let cmd = if lines > 0 { Cmd::Down } else { Cmd::Up };
        for _ in 0..lines.unsigned_abs() {
            _ = self.command(cmd, shell);
        }
    }
    /// What verbs are about, the foremost first.
    fn subjects(&self) -> Vec<Subject<'_>>;
    /// What else can be done on it, for the menu of actions.
    fn verbs(&self, _shell: &Shell) -> Vec<Verb> {
        Vec::new()
    }
    /// What is marked: verbs are about all of it while there is any.
    fn marked(&self) -> Vec<Subject<'_>> {
        Vec::new()
    }
    /// Draws it.
    fn view(&self, pen: &mut Pen, area: Rect, scene: &Scene);
    /// The words of the filter line.
    fn footer(&self, _scene: &Scene) -> Line {
        self.listed().map_or_else(Line::new, Listing::footer)
    }
    /// What it shows, as the API gave it.
    fn rows(&self) -> Value {
        self.listed().map_or(Value::Null, Listing::rows)
    }
    /// Order of the newest change that what it shows includes.
    fn seq(&self) -> Option<i64> {
        self.listed()?.seq()
    }
    /// Number of rows there are, of which it shows some.
    fn total(&self) -> Option<u64> {
        self.listed()?.total()
    }
    /// Whether all it needs has been answered.
    fn is_settled(&self) -> bool;
    /// Why the one thing that it is about cannot be shown.
    fn refused(&self) -> Option<Kind> {
        None
    }
    /// Its list, where it is one that filters and sorts: who has one has to say no more of what it shows.
    fn listed(&self) -> Option<&dyn Listing> {
        None
    }
    /// The same, to be changed.
    fn listing(&mut self) -> Option<&mut dyn Listing> {
        None
    }
    /// Goes to a line of its text, by its number from 0.
    fn go_to_line(&mut self, _n: u64) -> Vec<Effect> {
        Effect::refuse("there is no text here with numbered lines")
    }
    /// Searches its text.
    fn search(&mut self, _words: &str) -> Vec<Effect> {
        Vec::new()
    }
}

/// A list that filters and sorts, whatever its rows.
pub trait Listing {
    /// The words that filter it.
    fn filter(&self) -> &str;
    /// Filters by these words.
    fn set_filter(&mut self, words: &str);
    /// Its order.
    fn order(&self) -> Order;
    /// Orders by a column.
    fn order_by(&mut self, column: &'static str);
    /// Puts the cursor on a row; true when it was there already.
    fn point(&mut self, row: u64) -> bool;
    /// Scrolls by some lines.
    fn scroll(&mut self, lines: i32);
    /// Columns it can be ordered by: API name and head.
    fn columns(&self) -> Vec<(&'static str, &'static str)>;
    /// Number of marked rows.
    fn marked(&self) -> usize;
    /// Marks the row under the cursor, or all from the last mark to it.
    ///
    /// # Errors
    /// Why nothing is marked.
    fn mark(&mut self, range: bool) -> Result<(), String>;
    /// Takes all marks away.
    fn clear_marks(&mut self);
    /// The rows in view, as the API gave them.
    fn rows(&self) -> Value;
    /// Order of the newest change that they include.
    fn seq(&self) -> Option<i64>;
    /// Number of rows there are.
    fn total(&self) -> Option<u64>;
    /// The filter line: filter, how much of the list shows, what is hidden above.
    fn footer(&self) -> Line;
}

/// All screens; each place has the one that shows it.
#[derive(Debug, Default)]
pub struct Screens {
    /// Tab 1.
    pub dashboard: dashboard::Dashboard,
    /// Tab 6.
    pub settings: settings::Settings,
    /// Tab 7.
    pub audit: audit::Audit,
    /// Tab 2.
    pub queue: queue::Queue,
    /// Tab 3.
    pub builds: builds::Builds,
    /// A pipeline.
    pub pipeline: pipeline::Pipeline,
    /// What a build did differently.
    pub compare: compare::Compare,
    /// A job.
    pub job: job::Job,
    /// Tab 4.
    pub cluster: cluster::Cluster,
    /// A node.
    pub node: node::Node,
}

impl Screens {
    /// The screen of a place.
    pub fn at(&mut self, place: &Place) -> &mut dyn Screen {
        match place {
            Place::Dashboard => &mut self.dashboard,
            Place::Settings(_) => &mut self.settings,
            Place::Audit => &mut self.audit,
            Place::Queue => &mut self.queue,
            Place::Builds => &mut self.builds,
            Place::Pipeline(_) => &mut self.pipeline,
            Place::Compare(..) => &mut self.compare,
            Place::Job(_) => &mut self.job,
            Place::Cluster => &mut self.cluster,
            Place::Node(_) => &mut self.node,
        }
    }

    /// The same, to look at.
    #[must_use]
    pub fn shown(&self, place: &Place) -> &dyn Screen {
        match place {
            Place::Dashboard => &self.dashboard,
            Place::Settings(_) => &self.settings,
            Place::Audit => &self.audit,
            Place::Queue => &self.queue,
            Place::Builds => &self.builds,
            Place::Pipeline(_) => &self.pipeline,
            Place::Compare(..) => &self.compare,
            Place::Job(_) => &self.job,
            Place::Cluster => &self.cluster,
            Place::Node(_) => &self.node,
        }
    }

    /// Makes the screen of a place ready: about the right thing, and everything to be read anew.
    pub fn enter(&mut self, place: &Place) {
        match place {
            Place::Pipeline(id) => self.pipeline.enter(id),
            Place::Compare(id, with) => self.compare.enter(id, with.as_deref()),
            Place::Job(job) => self.job.enter(job),
            Place::Node(name) => self.node.enter(name),
            Place::Settings(page) => self.settings.enter(page),
            _ => {}
        }
        // Answers under way were for what was shown when they were asked for.
        self.at(place).touch(Touch::Lost);
        self.at(place).touch(Touch::All);
    }
}

/// Takes the one kind of answer that a feed can hold; anything else leaves the function.
macro_rules! only {
    ($answer:expr, $kind:path) => {
        match $answer {
            Ok(boxed) => match *boxed {
                $kind(value) => Ok(value),
                _ => return,
            },
            Err(failure) => Err(failure),
        }
    };
}
pub(crate) use only;

/// What stands in a pane that has nothing to show yet: why not, or that it is being loaded. `None` when there is data.
fn instead<T>(feed: &Feed<T>, scene: &Scene, width: u16) -> Option<Vec<Line>> {
    if feed.data().is_some() {
        return None;
    }
    if let Some(failure) = feed.failure() {
        return Some(failed(failure, width, scene.shell));
    }
    let waited = feed.empty_since().map(|since| scene.shell.now.since(since));
    match waited {
        Some(waited) if waited < PATIENCE => {
            scene.now.wake_in(PATIENCE - waited);
            Some(Vec::new())
        }
        _ if !scene.shell.is_live() => {
            let words = text::wrap("◌ nothing read yet; waits for the server", width);
            let lines = words.into_iter().map(|words| Line::new().muted(words));
            Some(lines.collect())
        }
        _ => Some(vec![Line::new().muted("◌ loading")]),
    }
}

/// Says what failed, what to do about it, and which key tries again.
fn failed(failure: &Failure, width: u16, shell: &Shell) -> Vec<Line> {
    let room = width.saturating_sub(4);
    let mut lines: Vec<Line> = text::wrap(&failure.text, room)
        .into_iter()
        .enumerate()
        .map(|(i, words)| {
            Line::new().put(
                Role::Failed,
                format!("{} {words}", if i == 0 { "✗" } else { " " }),
            )
        })
        .collect();
    if let Some(hint) = &failure.hint {
        lines.extend(
            text::wrap(hint, room)
                .into_iter()
                .map(|words| Line::new().gap(2).muted(words)),
        );
    }
    lines.push(
        Line::new()
            .gap(2)
            .key(shell.key(Cmd::Refresh), "tries again"),
    );
    lines
}

/// A label and what it says, as the panels have them.
fn fact(label: &str, says: Line) -> Line {
    Line::new().muted(label).pad(16).join(says)
}

/// Rows as the API gave them.
fn json<T: serde::Serialize>(value: &T) -> Value {
    serde_json::to_value(value).unwrap_or(Value::Null)
}
