//! Queue: what waits, since when, why, until when; for the run under the cursor the whole explanation.

use ratatui::layout::Rect;
use roundel::api::builds::{RunDetail, RunRow};

use super::listed::{Listed, unmatched};
use super::{Listing, Scene, Screen, Touch, only};
use crate::console::action::{Action, Slot, Want};
use crate::console::effect::Effect;
use crate::console::event::{Answer, Failure};
use crate::console::feed::Feed;
use crate::console::keymap::{Cmd, Context, Tab};
use crate::console::line::Line;
use crate::console::list::{List, Order, Row};
use crate::console::pen::Pen;
use crate::console::shell::Shell;
use crate::console::text;
use crate::console::theme::Role;
use crate::console::verbs::{Subject, copy_name, job_of};
use crate::console::widgets::table::{self, Column};

mod panels;

impl Row for RunRow {
    fn id(&self) -> &str {
        &self.attempt
    }
}

const COLUMNS: &[Column] = &[
    Column::new("#", "place", 3, 7),
    Column::new("JOB", "job", 15, 20),
    Column::new("PROJECT", "project", 9, 12).drop(1),
    Column::new("NEEDS", "", 14, 16).drop(3),
    Column::new("WAITING", "waiting", 9, 9),
    Column::new("WHY", "", 20, u16::MAX),
    Column::new("STARTS", "", 7, 8).drop(2),
];

/// Lines of the explanation: its head and five facts.
const WHY: u16 = 6;

/// The screen.
#[derive(Debug)]
pub struct Queue {
    listed: Listed<RunRow>,
    why: Feed<RunDetail>,
    /// The explanation is shown where there is room.
    explains: bool,
}

impl Default for Queue {
    fn default() -> Self {
        let order = Order {
            column: "place",
            descending: false,
        };
        let list = List::new(Want::Runs, "pending", order);
        Self {
            listed: Listed {
                list,
                columns: COLUMNS,
            },
            why: Feed::default(),
            explains: true,
        }
    }
}

/// Where the parts of the screen stand.
struct Parts {
    table: Rect,
    why: Option<Rect>,
    waits: Option<Rect>,
}

impl Queue {
    fn parts(&self, shell: &Shell, area: Rect) -> Parts {
        let airy = shell.is_airy();
        let above = if airy { 2 } else { 1 };
        let buckets = shell
            .summary
            .as_ref()
            .map_or(0, |summary| u16::try_from(summary.waits.len()).unwrap_or(0));
        let waits = if airy && buckets > 0 { buckets + 2 } else { 0 };
        let why = if self.explains && area.height >= 18 {
            WHY + 1
        } else {
            0
        };
        let most = area.height.saturating_sub(above + waits + why);
        // A short queue keeps its panels close; a long one takes all the room.
        let few = table::head_height(airy) + 9;
        // Before the first answer as if it were long: one question brings all that may be shown.
        let rows = self.listed.list.total().unwrap_or(u64::MAX);
        let height = if airy && rows <= 9 {
            most.min(few)
        } else {
            most
        };
        let table = Rect {
            y: area.y + above,
            height,
            ..area
        };
        let below = |y: u16, height: u16| Rect {
            y: y + 1,
            height: height - 1,
            ..area
        };
        Parts {
            table,
            why: (why > 0).then(|| below(table.bottom(), why)),
            waits: (waits > 0).then(|| below(table.bottom() + why, waits)),
        }
    }

    fn status(&self, scene: &Scene) -> Line {
        let Some(summary) = &scene.shell.summary else {
            return Line::new().muted("Queue");
        };
        let line = Line::new()
            .strong(text::count(summary.waiting))
            .text(" waiting   ")
            .strong(text::count(summary.running))
            .text(" running   ");
        line.join(panels::waited(&summary.waits, scene.shell.has_tabs()))
    }

    fn cells(run: &RunRow, scene: &Scene) -> Vec<Line> {
        let (why, starts) = match (&run.reason, &run.estimate) {
            (Some(reason), _) if reason.never => {
                // The next column says it.
                let why = reason
                    .text
                    .strip_suffix(": will never start")
                    .unwrap_or(&reason.text);
                (
                    Line::new().put(Role::Failed, why),
                    Line::new().put(Role::Failed, "never"),
                )
            }
            (reason, estimate) => {
                let why = reason
                    .as_ref()
                    .map_or_else(Line::new, |reason| Line::from(reason.text.as_str()));
                let starts = estimate
                    .as_ref()
                    .map(|estimate| Line::from(scene.now.eta(estimate.at)));
                (why, starts.unwrap_or_else(|| Line::new().muted("–")))
            }
        };
        let needs = format!(
            "{:<6} {:>6}",
            text::cpu(run.cpu_millis),
            text::memory(u64::from(run.memory_mb))
        );
        vec![
            Line::new().muted(run.place.map_or_else(String::new, text::count)),
            Line::new().bold(Role::Text, copy_name(run)),
            Line::from(run.project.as_str()),
            Line::from(needs),
            Line::new().put(Role::Waiting, scene.now.age(run.queued_at)),
            why,
            starts,
        ]
    }
}

impl Screen for Queue {
    fn contexts(&self, _shell: &Shell) -> Vec<Context> {
        vec![
            Context::Queue,
            Context::List,
            Context::Things,
            Context::Everywhere,
        ]
    }

    fn need(&mut self, shell: &Shell) -> Vec<Action> {
        let parts = self.parts(shell, shell.body());
        let rows = parts
            .table
            .height
            .saturating_sub(table::head_height(shell.is_airy()));
        let list = self.listed.list.need(rows, shell.now);
        let current = self.listed.list.current().map(|run| run.attempt.clone());
        let why = match current {
            Some(attempt) if parts.why.is_some() => {
                self.why.need(Slot::Detail, Want::Run(attempt), shell.now)
            }
            _ => None,
        };
        list.into_iter().chain(why).collect()
    }

    fn accept(&mut self, slot: Slot, want: &Want, answer: Result<Box<Answer>, Failure>) {
        match slot {
            Slot::Rows => self.listed.list.accept(want, only!(answer, Answer::Runs)),
            _ => _ = self.why.accept(want, only!(answer, Answer::Run), |_| false),
        }
    }

    fn touch(&mut self, touch: Touch) {
        touch.reach(self.listed.list.feed_mut());
        touch.reach(&mut self.why);
    }

    fn command(&mut self, cmd: Cmd, _shell: &Shell) -> Option<Vec<Effect>> {
        match cmd {
            Cmd::Open | Cmd::LogOf => self
                .listed
                .list
                .current()
                .map(|run| vec![Effect::Go(job_of(run))]),
            Cmd::Describe => {
                self.explains = !self.explains;
                Some(Vec::new())
            }
            cmd => self.listed.list.movement(cmd).then(Vec::new),
        }
    }

    fn subjects(&self) -> Vec<Subject<'_>> {
        self.listed.current(Subject::Run)
    }

    fn marked(&self) -> Vec<Subject<'_>> {
        self.listed.marked(Subject::Run)
    }

    fn view(&self, pen: &mut Pen, area: Rect, scene: &Scene) {
        let parts = self.parts(scene.shell, area);
        pen.line(1, area.y, area.width.saturating_sub(2), &self.status(scene));
        let list = &self.listed.list;
        self.listed.draw(
            pen,
            parts.table,
            scene,
            |run| Self::cells(run, scene),
            || self.empty(scene.shell),
        );
        if let (Some(area), Some(run)) = (parts.why, list.current()) {
            panels::why(pen, area, run, &self.why, scene);
        }
        if let (Some(area), Some(summary)) = (parts.waits, &scene.shell.summary) {
            panels::waits(pen, area, &summary.waits);
        }
    }

    fn is_settled(&self) -> bool {
        self.listed.list.feed().is_settled()
            && (self.listed.list.current().is_none() || self.why.is_settled() || !self.explains)
    }

    fn listed(&self) -> Option<&dyn Listing> {
        Some(&self.listed)
    }

    fn listing(&mut self) -> Option<&mut dyn Listing> {
        Some(&mut self.listed)
    }
}

impl Queue {
    fn empty(&self, shell: &Shell) -> Vec<Line> {
        if !self.listed.list.filter.is_empty() {
            return unmatched("Nothing that waits", shell);
        }
        vec![
            Line::new().strong("Nothing waits."),
            Line::new()
                .muted("A run stands here from the moment it may start until a node has room."),
            Line::new()
                .put(Role::Accent, "roundel build .")
                .muted("  makes some;  ")
                .key(shell.key(Cmd::Go(Tab(3))), "what ran and runs"),
        ]
    }
}
