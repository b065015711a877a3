//! Dashboard: is the installation well, and what needs me now? Enter goes to the thing itself.

use std::time::Duration;

use ratatui::layout::Rect;
use roundel::api::builds::PipelineRow;
use roundel::api::dashboard::{AttentionItem, CertificateRow, Dashboard as Answered};
use roundel::api::services::ServiceRow;
use roundel::clock::Timestamp;
use serde_json::Value;

use super::{Scene, Screen, Touch, instead, json, only};
use crate::console::action::{Action, Slot, Want};
use crate::console::effect::Effect;
use crate::console::event::{Answer, Failure};
use crate::console::feed::Feed;
use crate::console::keymap::{Cmd, Context};
use crate::console::line::Line;
use crate::console::pen::Pen;
use crate::console::place::{Page, Place};
use crate::console::shell::Shell;
use crate::console::spot::Spot;
use crate::console::text;
use crate::console::theme::Role;
use crate::console::verbs::{self, Fact, Subject};

mod charts;
mod rows;
mod tiles;
mod view;

/// How often figures are read anew while nothing happens: as often as the server looks at its machine.
const SLOW: Duration = Duration::from_secs(10);

/// How often at most while much happens.
const FAST: Duration = Duration::from_secs(1);

/// What the cursor can stand on.
#[derive(Clone, Copy, Debug)]
enum Thing<'a> {
    Attention(&'a AttentionItem),
    Service(&'a ServiceRow),
    Build(&'a PipelineRow),
    /// The certificates that are served, in the facts at the top.
    Certificates(&'a CertificateRow),
}

impl Thing<'_> {
    /// What names it for as long as it stands there.
    fn key(&self) -> String {
        match self {
            Self::Attention(item) => format!("attention {} {}", item.screen, item.text),
            Self::Service(row) => format!("service {}", row.name),
            Self::Build(row) => format!("build {}", row.id),
            Self::Certificates(_) => "certificates".to_owned(),
        }
    }

    fn section(&self) -> u8 {
        match self {
            Self::Attention(_) => 0,
            Self::Service(_) => 1,
            Self::Build(_) => 2,
            Self::Certificates(_) => 3,
        }
    }
}

/// The screen.
#[derive(Debug, Default)]
pub struct Dashboard {
    feed: Feed<Answered>,
    asked: Option<Timestamp>,
    /// Something changed since.
    changed: bool,
    selected: Option<String>,
    /// Where the cursor stands, should its thing be gone.
    index: usize,
}

impl Dashboard {
    /// Number of builds there ever were, once that is known.
    #[must_use]
    pub fn built(&self) -> Option<u64> {
        self.feed.data().map(|data| data.built)
    }

    fn things(&self) -> Vec<Thing<'_>> {
        let Some(data) = self.feed.data() else {
            return Vec::new();
        };
        let attention = data.attention.iter().map(Thing::Attention);
        let services = data.services.iter().map(Thing::Service);
        let builds = data.builds.iter().map(Thing::Build);
        let certificates = data.certificates.first().map(Thing::Certificates);
        let rows = attention.chain(services).chain(builds);
        rows.chain(certificates).collect()
    }

    /// Index of the thing under the cursor among all.
    fn cursor(&self) -> usize {
        let things = self.things();
        let place = self
            .selected
            .as_ref()
            .and_then(|key| things.iter().position(|thing| thing.key() == *key));
        place.unwrap_or(self.index.min(things.len().saturating_sub(1)))
    }

    fn current(&self) -> Option<Thing<'_>> {
        self.things().get(self.cursor()).copied()
    }

    fn stand_on(&mut self, index: usize) {
        let key = self.things().get(index).map(Thing::key);
        self.index = index;
        self.selected = key;
    }

    /// The first thing of the next section, or of the one before.
    fn neighbour(&self, forward: bool) -> usize {
        let things = self.things();
        let Some(here) = things.get(self.cursor()).map(Thing::section) else {
            return 0;
        };
        let first = |section: u8| things.iter().position(|thing| thing.section() == section);
        let step = if forward { 1 } else { 3 };
        let found = (1..=3).find_map(|n| first((here + step * n) % 4));
        found.unwrap_or_else(|| self.cursor())
    }

    fn moved(&self, cmd: Cmd) -> Option<usize> {
        let things = self.things();
        // The certificates stand above all rows, and are the last thing.
        let is_top = |thing: &&Thing| matches!(thing, Thing::Certificates(_));
        let top = things.last().filter(is_top).map(|_| things.len() - 1);
        let last = top.unwrap_or(things.len()).saturating_sub(1);
        let here = self.cursor();
        let on_top = top == Some(here);
        Some(match cmd {
            Cmd::Up | Cmd::PageUp | Cmd::HalfUp if on_top => here,
            Cmd::Down | Cmd::PageDown | Cmd::HalfDown if on_top => 0,
            Cmd::Up if here == 0 => top.unwrap_or(0),
            Cmd::Up => here.saturating_sub(1),
            Cmd::Down => (here + 1).min(last),
            Cmd::PageUp | Cmd::HalfUp => here.saturating_sub(5),
            Cmd::PageDown | Cmd::HalfDown => (here + 5).min(last),
            Cmd::Top => 0,
            Cmd::Bottom => last,
            Cmd::NextPane => self.neighbour(true),
            Cmd::PreviousPane => self.neighbour(false),
            _ => return None,
        })
    }

    fn open(&self) -> Vec<Effect> {
        match self.current() {
            Some(Thing::Attention(item)) => match Place::parse(&item.screen) {
                Ok(Place::Dashboard) | Err(_) => vec![Effect::Press(Cmd::Describe)],
                Ok(place) => vec![Effect::Go(place)],
            },
            Some(Thing::Service(row)) if row.name == "fleet" => vec![Effect::Go(Place::Cluster)],
            Some(Thing::Service(_)) => vec![Effect::Press(Cmd::Describe)],
            Some(Thing::Build(row)) => vec![Effect::Go(Place::Pipeline(row.id.clone()))],
            Some(Thing::Certificates(_)) => {
                let form = Page::group("privacy").unwrap_or_default();
                vec![Effect::Go(Place::Settings(form))]
            }
            None => Vec::new(),
        }
    }

    /// How long until figures are read anew, at the latest.
    fn patience(&self, now: Timestamp) -> Duration {
        let every = if self.changed { FAST } else { SLOW };
        let waited = self.asked.map_or(every, |at| now.since(at));
        every.saturating_sub(waited)
    }
}

impl Screen for Dashboard {
    fn contexts(&self, _shell: &Shell) -> Vec<Context> {
        vec![Context::Dashboard, Context::Things, Context::Everywhere]
    }

    fn need(&mut self, shell: &Shell) -> Vec<Action> {
        if self.asked.is_some() && self.patience(shell.now).is_zero() {
            self.feed.touch();
        }
        let fetch = self.feed.need(Slot::Detail, Want::Dashboard, shell.now);
        if fetch.is_some() {
            self.asked = Some(shell.now);
            self.changed = false;
        }
        fetch.into_iter().collect()
    }

    fn accept(&mut self, _slot: Slot, want: &Want, answer: Result<Box<Answer>, Failure>) {
        let here = self.cursor();
        let section = self.current().map(|thing| thing.section());
        let answer = only!(answer, Answer::Dashboard);
        if self.feed.accept(want, answer, |_| false) {
            let gone = self
                .selected
                .as_ref()
                .is_some_and(|key| self.things().iter().all(|thing| thing.key() != *key));
            if gone {
                // Another of its kind, where there is one.
                let things = self.things();
                let last = things.len().saturating_sub(1);
                let kind = |thing: &Thing| Some(thing.section()) == section;
                let to = match things.get(here).filter(|thing| kind(thing)) {
                    Some(_) => here,
                    None => things.iter().rposition(kind).unwrap_or(here.min(last)),
                };
                self.stand_on(to);
            } else {
                self.index = self.cursor();
            }
        }
    }

    fn touch(&mut self, touch: Touch) {
        match touch {
            Touch::All => self.feed.touch(),
            Touch::Lost => self.feed.disconnect(),
            Touch::Change(_) => self.changed = true,
            Touch::Log(_) => {}
        }
    }

    fn command(&mut self, cmd: Cmd, shell: &Shell) -> Option<Vec<Effect>> {
        match cmd {
            Cmd::Open => Some(self.open()),
            Cmd::Services => {
                let data = self.feed.data()?;
                let verb = verbs::of_installation(&data.installation, (data.running, data.waiting));
                Some(match (shell.write_protected(), verb.effects) {
                    (Some(why), _) => Effect::refuse(format!("cannot {}: {why}", verb.label)),
                    (None, Ok(effects)) => effects,
                    (None, Err(why)) => Effect::refuse(why),
                })
            }
            cmd => {
                let to = self.moved(cmd)?;
                self.stand_on(to);
                Some(Vec::new())
            }
        }
    }

    fn point(&mut self, spot: Spot) -> bool {
        let Spot::Row(n) = spot else { return false };
        let to = usize::try_from(n).unwrap_or(0);
        let there = to == self.cursor();
        self.stand_on(to);
        there
    }

    fn subjects(&self) -> Vec<Subject<'_>> {
        let here = self.current().and_then(|thing| match thing {
            Thing::Attention(item) => Some(Subject::Fact(Fact::Attention(item))),
            Thing::Service(row) => Some(Subject::Fact(Fact::Service(row))),
            Thing::Build(row) => Some(Subject::Pipeline(row, None)),
            Thing::Certificates(_) => None,
        });
        let whole = self
            .feed
            .data()
            .map(|data| Subject::Fact(Fact::Installation(data)));
        here.into_iter().chain(whole).collect()
    }

    fn view(&self, pen: &mut Pen, area: Rect, scene: &Scene) {
        if let Some(lines) = instead(&self.feed, scene, area.width) {
            let inside = Rect {
                x: 1,
                y: area.y + 1,
                width: area.width.saturating_sub(2),
                height: area.height.saturating_sub(1),
            };
            return pen.lines(inside, &lines);
        }
        if let Some(data) = self.feed.data() {
            scene.now.wake_in(self.patience(scene.shell.now));
            view::draw(pen, area, scene, data, self.cursor());
        }
    }

    fn footer(&self, _scene: &Scene) -> Line {
        if let Some(failure) = self.feed.failure() {
            return Line::new().put(Role::Failed, format!("✗ {}", failure.text));
        }
        match self.current() {
            Some(Thing::Attention(item)) => Line::new().muted("to do  ").text(item.help.clone()),
            Some(Thing::Service(row)) => match &row.last_error {
                Some(error) => Line::new()
                    .muted(format!("last error {}  ", error.at.local("%H:%M:%S")))
                    .text(error.text.clone()),
                None => Line::new().muted("no error since the server started"),
            },
            Some(Thing::Build(row)) => Line::new().muted("commit  ").text(row.subject.clone()),
            Some(Thing::Certificates(row)) => match &row.trouble {
                Some(why) => Line::new().put(Role::Failed, format!("✗ {why}")),
                None => Line::new().muted("signed by  ").text(format!(
                    "{}, until {}",
                    row.issuer,
                    text::moment(row.until)
                )),
            },
            None => Line::new(),
        }
    }

    fn rows(&self) -> Value {
        self.feed.data().map_or(Value::Null, |data| json(&[data]))
    }

    fn seq(&self) -> Option<i64> {
        self.feed.data().map(|data| data.seq)
    }

    fn is_settled(&self) -> bool {
        self.feed.is_settled()
    }
}

#[cfg(test)]
mod tests;
