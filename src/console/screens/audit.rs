//! Audit Log: who changed what, newest first, as it happens.

use ratatui::layout::Rect;
use roundel::api::{AuditRow, Page};
use roundel::clock::Timestamp;
use serde::Serialize;

use super::listed::{Listed, unmatched};
use super::{Listing, Scene, Screen, Touch, only, workflow};
use crate::console::action::{Action, Slot, Want};
use crate::console::effect::Effect;
use crate::console::event::{Answer, Failure};
use crate::console::keymap::{Cmd, Context};
use crate::console::line::Line;
use crate::console::list::{List, Order, Row};
use crate::console::pen::Pen;
use crate::console::shell::Shell;
use crate::console::text;
use crate::console::theme::Role;
use crate::console::verbs::{Fact, Subject};
use crate::console::widgets::table::{self, Column};

/// The word of the filter that leaves the last hour.
const LAST_HOUR: &str = "last:1h";

/// Begins a word of the filter that names a span.
const LAST: &str = "last:";

/// After so long a list of the last hour is read anew though nothing changed: its oldest rows have left it.
const SLIDES_MS: i64 = 60_000;

/// An audit event as a row of a list: lists know their rows by a text.
#[derive(Clone, Debug, Serialize)]
pub struct Event {
    /// Its number as a text.
    #[serde(skip)]
    pub id: String,
    /// The event.
    #[serde(flatten)]
    pub row: AuditRow,
}

impl From<AuditRow> for Event {
    fn from(row: AuditRow) -> Self {
        Self {
            id: row.id.to_string(),
            row,
        }
    }
}

impl Row for Event {
    fn id(&self) -> &str {
        &self.id
    }
}

const COLUMNS: &[Column] = &[
    Column::new("TIME", "at", 14, 14),
    Column::new("AGE", "", 6, 6).right().drop(2),
    Column::new("ACTOR", "actor", 8, 12),
    Column::new("ACTION", "action", 16, 20),
    Column::new("OBJECT", "object", 12, u16::MAX),
    Column::new("RESULT", "result", 6, 10),
    Column::new("DETAIL", "", 16, u16::MAX).drop(1),
];

/// The screen.
#[derive(Debug)]
pub struct Audit {
    listed: Listed<Event>,
    asked: Option<Timestamp>,
}

impl Default for Audit {
    fn default() -> Self {
        let order = Order {
            column: "at",
            descending: true,
        };
        Self {
            listed: Listed {
                list: List::new(Want::Audit, "", order),
                columns: COLUMNS,
            },
            asked: None,
        }
    }
}

impl Audit {
    fn table(shell: &Shell, area: Rect) -> Rect {
        let above = if shell.is_airy() { 2 } else { 1 };
        Rect {
            y: area.y + above,
            height: area.height.saturating_sub(above),
            ..area
        }
    }

    /// The words of the filter that name a span.
    fn span(&self) -> Option<&str> {
        let mut words = self.listed.list.filter.split_whitespace();
        words.find_map(|word| word.strip_prefix(LAST))
    }

    /// The last hour only, or all again; other words of the filter stay.
    fn toggle_hour(&mut self) {
        let had = self.span().is_some();
        let filter = self.listed.list.filter.clone();
        let others = filter.split_whitespace().filter(|w| !w.starts_with(LAST));
        let hour = (!had).then_some(LAST_HOUR);
        let words: Vec<&str> = hour.into_iter().chain(others).collect();
        self.listed.list.set_filter(&words.join(" "));
    }

    fn status(&self, shell: &Shell) -> Line {
        let total = self.listed.list.total().unwrap_or(0);
        let line = Line::new().strong(text::count(total)).text(if total == 1 {
            " event"
        } else {
            " events"
        });
        let key = shell.keymap.key_of(&[Context::Audit], Cmd::LastHour);
        let key = key.unwrap_or_default();
        match self.span() {
            Some("1h") => line.text(" in the last hour   ").key(key, "shows all"),
            Some(span) => line
                .text(format!(" in the last {span}   "))
                .key(key, "shows all"),
            None => line.text("   ").key(key, "shows the last hour"),
        }
    }

    fn cells(event: &Event, scene: &Scene) -> Vec<Line> {
        let row = &event.row;
        let result = if row.result == "ok" {
            Line::new().put(Role::Ok, "✓ ok")
        } else {
            Line::new().put(Role::Failed, format!("✗ {}", row.result))
        };
        vec![
            Line::from(row.at.local("%m-%d %H:%M:%S")),
            Line::new().muted(scene.now.age(row.at)),
            Line::new().bold(Role::Text, workflow::who(&row.actor)),
            Line::new().put(Role::Accent, row.action.clone()),
            Line::from(row.object.as_str()),
            result,
            Line::new().muted(row.detail.clone()),
        ]
    }
}

impl Screen for Audit {
    fn contexts(&self, _shell: &Shell) -> Vec<Context> {
        vec![
            Context::Audit,
            Context::List,
            Context::Things,
            Context::Everywhere,
        ]
    }

    fn need(&mut self, shell: &Shell) -> Vec<Action> {
        let slid =
            self.span().is_some() && self.asked.is_some_and(|at| shell.now.0 - at.0 >= SLIDES_MS);
        if slid {
            self.listed.list.feed_mut().touch();
        }
        let table = Self::table(shell, shell.body());
        let rows = table
            .height
            .saturating_sub(table::head_height(shell.is_airy()));
        let list = self.listed.list.need(rows, shell.now);
        if list.is_some() {
            self.asked = Some(shell.now);
        }
        list.into_iter().collect()
    }

    fn accept(&mut self, _slot: Slot, want: &Want, answer: Result<Box<Answer>, Failure>) {
        let page = only!(answer, Answer::Audit).map(|page: Page<AuditRow>| Page {
            rows: page.rows.into_iter().map(Event::from).collect(),
            total: page.total,
            offset: page.offset,
            seq: page.seq,
        });
        self.listed.list.accept(want, page);
    }

    fn touch(&mut self, touch: Touch) {
        touch.reach(self.listed.list.feed_mut());
    }

    fn command(&mut self, cmd: Cmd, _shell: &Shell) -> Option<Vec<Effect>> {
        match cmd {
            Cmd::Open => Some(vec![Effect::Press(Cmd::Raw)]),
            Cmd::LastHour => {
                self.toggle_hour();
                Some(Vec::new())
            }
            cmd => self.listed.list.movement(cmd).then(Vec::new),
        }
    }

    fn subjects(&self) -> Vec<Subject<'_>> {
        let current = self.listed.list.current();
        current
            .map(|event| Subject::Fact(Fact::Event(&event.row)))
            .into_iter()
            .collect()
    }

    fn marked(&self) -> Vec<Subject<'_>> {
        self.listed
            .marked(|event| Subject::Fact(Fact::Event(&event.row)))
    }

    fn view(&self, pen: &mut Pen, area: Rect, scene: &Scene) {
        let width = area.width.saturating_sub(2);
        pen.line(1, area.y, width, &self.status(scene.shell));
        if let (Some(at), Some(_)) = (self.asked, self.span()) {
            let left = SLIDES_MS - (scene.shell.now.0 - at.0).clamp(0, SLIDES_MS);
            let left = u64::try_from(left).unwrap_or(0);
            scene.now.wake_in(std::time::Duration::from_millis(left));
        }
        let table = Self::table(scene.shell, area);
        let none = || match (self.span(), self.listed.list.filter.as_str()) {
            (Some("1h"), LAST_HOUR) => {
                vec![Line::from("Nothing was changed in the last hour.")]
            }
            (_, "") => vec![
                Line::new().strong("Nothing was changed here yet."),
                Line::new()
                    .muted("Each change will stand here, with who made it and what came of it."),
            ],
            _ => unmatched("No event", scene.shell),
        };
        self.listed
            .draw(pen, table, scene, |row| Self::cells(row, scene), none);
    }

    fn is_settled(&self) -> bool {
        self.listed.list.feed().is_settled()
    }

    fn listed(&self) -> Option<&dyn Listing> {
        Some(&self.listed)
    }

    fn listing(&mut self) -> Option<&mut dyn Listing> {
        Some(&mut self.listed)
    }
}

#[cfg(test)]
mod tests {
    use roundel::api::{AuditRow, Topic};

    use crate::console::place::Place;
    use crate::console::tests::kit::*;
    use crate::console::theme::Role;

    fn model() -> Model {
        let refused = AuditRow {
            result: "there is no node `n9`".into(),
            ..event(2, 30, "bea", "node.eligibility", "n9")
        };
        Model {
            audit: vec![
                event(3, 5, "ann", "node.drain", "n02"),
                refused,
                event(1, 90, "ann", "build.create", "org/api"),
            ],
            ..Model::busy()
        }
    }

    fn stage(size: (u16, u16)) -> Stage {
        Stage::live(Place::Audit, size, model())
    }

    #[test]
    fn it_says_who_changed_what_newest_first() {
        for size in SIZES {
            let frame = stage(size).frame();
            frame.has(&["3 events", "ann", "node.drain", "n02"]);
            frame.stands_on("node.drain");
            if size.0 >= 80 {
                frame.shows("✓ ok", Role::Ok);
                frame.shows("✗ there", Role::Failed);
                frame.has(&["TIME", "ACTOR", "ACTION", "OBJECT", "RESULT"]);
            }
        }
    }

    #[test]
    fn the_last_hour_is_two_keys_from_anywhere() {
        let mut stage = Stage::live(Place::Cluster, (80, 24), model());
        stage.keys("7 h");
        let frame = stage.frame();
        frame.has(&["2 events in the last hour", "filter / last:1h", "bea"]);
        frame.lacks(&["build.create"]);
        stage.keys("h");
        stage.frame().has(&["3 events", "build.create"]);
        stage.keys("g a h");
        stage.frame().has(&["2 events in the last hour"]);
        stage.keys("esc");
        stage.frame().has(&["build.create"]);
    }

    #[test]
    fn the_last_hour_keeps_the_other_words_and_slides() {
        let mut stage = stage((120, 36));
        stage.keys("/");
        stage.types("ann");
        stage.keys("enter h");
        let frame = stage.frame();
        frame.has(&["1 event in the last hour", "filter / last:1h ann"]);
        stage.questions();
        stage.wait(59_000);
        assert_eq!(stage.questions().len(), 0);
        stage.wait(1_000);
        assert_eq!(
            stage.questions().len(),
            1,
            "what is older has left the hour"
        );
    }

    #[test]
    fn enter_shows_the_event_as_the_api_gives_it() {
        let mut stage = stage((80, 24));
        stage.keys("j enter");
        stage.frame().has(&[
            "event 2: node.eligibility",
            "\"actor\": \"uid 1000 (bea)\"",
            "\"id\": 2",
        ]);
        stage.keys("esc c");
        stage.frame().has(&["copied event 2"]);
    }

    #[test]
    fn it_is_sorted_by_any_column_and_the_cursor_stays_on_its_event() {
        let mut stage = stage((120, 36));
        stage.keys("j");
        stage.keys("S a");
        stage.frame().has(&["ACTOR ↑"]);
        stage.keys("G");
        stage.frame().stands_on("bea");
        stage
            .model
            .audit
            .insert(0, event(4, 0, "ann", "services.stop", "installation"));
        stage.change(Topic::Audit);
        let frame = stage.frame();
        frame.has(&["4 events"]);
        frame.stands_on("bea");
    }

    #[test]
    fn nothing_changed_says_so() {
        let mut stage = Stage::live(Place::Audit, (80, 24), Model::empty());
        stage.frame().has(&["Nothing was changed here yet."]);
        stage.keys("h");
        stage
            .frame()
            .has(&["Nothing was changed in the last hour."]);
    }
}
