//! A node: what it has and gives, what runs there, how its drain stands, and when it is safe to terminate.

use ratatui::layout::Rect;
use std::time::Duration;

use roundel::api::builds::RunRow;
use roundel::api::fleet::{NodeDetail, NodeRow, SetDrain};
use roundel::error::Kind;
use serde_json::Value;

use super::{Scene, Screen, Touch, fact, instead, json, only, workflow};
use crate::console::action::{Action, Slot, Want, Write};
use crate::console::effect::Effect;
use crate::console::event::{Answer, Failure};
use crate::console::feed::Feed;
use crate::console::keymap::{Cmd, Context};
use crate::console::line::Line;
use crate::console::list::Order;
use crate::console::marks;
use crate::console::pen::Pen;
use crate::console::shell::Shell;
use crate::console::spot::Spot;
use crate::console::text;
use crate::console::theme::Role;
use crate::console::verbs::{Subject, job_of, run_name, undrain};
use crate::console::widgets::bars;
use crate::console::widgets::table::{self, Column};

const COLUMNS: &[Column] = &[
    Column::new("RUN", "", 20, 40),
    Column::new("STATE", "", 13, 13),
    Column::new("FOR", "", 8, 8).right(),
    Column::new("USUAL", "", 5, 5).right(),
    Column::new("CPU", "", 8, 8).right(),
    Column::new("MEMORY", "", 8, 8).right().drop(1),
    Column::new("FLEET NAME", "", 12, u16::MAX).drop(2),
];

/// Label and capacity lines above the facts.
const CAPACITY: u16 = 2;

/// The screen.
#[derive(Debug, Default)]
pub struct Node {
    name: String,
    detail: Feed<NodeDetail>,
    /// The run under the cursor.
    selected: Option<String>,
}

impl Node {
    /// Shows another node.
    pub fn enter(&mut self, name: &str) {
        if self.name != name {
            *self = Self {
                name: name.to_owned(),
                ..Self::default()
            };
        }
    }

    fn runs(&self) -> &[RunRow] {
        self.detail.data().map_or(&[], |detail| &detail.runs)
    }

    fn cursor(&self) -> usize {
        let at = self
            .selected
            .as_ref()
            .and_then(|id| self.runs().iter().position(|run| run.attempt == *id));
        at.unwrap_or(0)
    }

    fn current(&self) -> Option<&RunRow> {
        self.runs().get(self.cursor())
    }

    fn cells(run: &RunRow, scene: &Scene) -> Vec<Line> {
        let since = run.started_at.or(run.placed_at).unwrap_or(run.queued_at);
        vec![
            Line::new().put(Role::Link, run_name(run)),
            marks::run(run).line(),
            Line::new().put(Role::Running, scene.now.runs_for(since)),
            match workflow::longer(run.usual, run.placed_at, run.stopped_at, scene.now) {
                Some(times) => Line::new().put(Role::Failed, times),
                None => Line::new().muted("–"),
            },
            Line::from(text::cpu(run.cpu_millis)),
            Line::from(text::memory(u64::from(run.memory_mb))),
            Line::new().muted(run.name.clone()),
        ]
    }
}

/// How long the job of a run usually takes: more words where it takes longer.
fn usually(run: &RunRow, scene: &Scene) -> Line {
    let Some(usual) = run.usual else {
        return Line::new();
    };
    let took = text::took(Duration::from_millis(usual.ms));
    let line = Line::new().muted(format!(", usually {took}"));
    match workflow::longer(run.usual, run.placed_at, run.stopped_at, scene.now) {
        Some(times) => line.put(Role::Failed, format!(" ({times} its median)")),
        None => line,
    }
}

/// State of a node in words: for heads.
pub fn state(row: &NodeRow, scene: &Scene) -> Line {
    let mark = marks::node(row);
    let Some(drain) = &row.drain else {
        return mark.line();
    };
    let since = drain.since.local("%H:%M");
    let deadline = match drain.deadline {
        Some(at) if at < scene.now.at() => format!(", deadline {} passed", at.local("%H:%M")),
        Some(at) => format!(", deadline {}", at.local("%H:%M")),
        None => ", no deadline".to_owned(),
    };
    Line::new().put(
        mark.role,
        format!(
            "{} {} since {since} by {}{deadline}",
            mark.glyph, mark.word, drain.by
        ),
    )
}

/// The facts of a node; those that need the detail come when it is there.
pub fn facts(row: &NodeRow, detail: Option<&NodeDetail>, scene: &Scene) -> Vec<Line> {
    let runs = detail.map_or(&[][..], |detail| &detail.runs);
    let mut names = Line::new();
    for run in runs.iter().take(2) {
        let since = run.started_at.or(run.placed_at).unwrap_or(run.queued_at);
        names = names
            .put(Role::Link, run_name(run))
            .text(format!("  {}", scene.now.runs_for(since)))
            .join(usually(run, scene))
            .gap(3);
    }
    let names = match row.runs {
        0 => Line::new().muted("nothing"),
        n if n > 2 => names.muted(format!("and {} more", n - 2)),
        _ => names,
    };
    let safe = match (row.safe_to_terminate, &row.drain) {
        (true, _) => Line::new().bold(Role::Ok, "safe to terminate"),
        (false, Some(_)) => Line::new()
            .bold(
                Role::Failed,
                format!("not yet: {}", text::plural(u64::from(row.runs), "run")),
            )
            .join(safe_in(detail, scene)),
        (false, None) => Line::new()
            .muted("not drained")
            .muted(drains_to(detail, scene)),
    };
    let gives = Line::new()
        .text(format!(
            "{} and {}",
            text::cpu(row.cpu_total_millis.saturating_sub(row.cpu_reserved_millis)),
            text::memory(u64::from(
                row.memory_total_mb.saturating_sub(row.memory_reserved_mb)
            )),
        ))
        .muted(format!(
            "   of {} and {}; the rest is kept{}",
            text::cpu(row.cpu_total_millis),
            text::memory(u64::from(row.memory_total_mb)),
            if row.overcommitted {
                "; a rehearsal slice, more is given out than there is"
            } else {
                ""
            },
        ));
    let machine = detail.map_or_else(Line::new, machine);
    let offers = Line::new()
        .text(if row.executors.is_empty() {
            "no executor".to_owned()
        } else {
            row.executors.join(", ")
        })
        .muted(format!(" · agent {} · {}", row.version, row.datacenter));
    let same = match &row.drain {
        Some(_) => undrain(&row.name),
        None => Write::Drain {
            node: row.name.clone(),
            set: SetDrain {
                enable: true,
                deadline_s: None,
            },
        },
    };
    vec![
        fact(
            if row.drain.is_some() {
                "still runs"
            } else {
                "runs"
            },
            names,
        ),
        fact("safe", safe),
        fact("gives to runs", gives),
        fact("executors", offers),
        fact("machine", machine),
        fact(
            if row.drain.is_some() {
                "end by hand"
            } else {
                "drain by hand"
            },
            Line::new().put(Role::Accent, same.command()),
        ),
    ]
}

/// How the machine fares. A busy one fits into 80 columns too: used memory is a share, as the disk is.
fn machine(detail: &NodeDetail) -> Line {
    let load = f64::from(detail.load_percent) / 100.0;
    let load = if load < 10.0 {
        format!("{load:.2}")
    } else {
        format!("{load:.1}")
    };
    // Rounded up, as `df` does.
    let share = |used: u64, total: u64| (used * 100).div_ceil(total.max(1));
    let disk_used = detail.disk_total_mb.saturating_sub(detail.disk_free_mb);
    Line::new()
        .text(format!(
            "up {}",
            text::age(std::time::Duration::from_secs(detail.uptime_s))
        ))
        .muted(format!(
            " · load {load} · memory {} % of {} · disk {} % full",
            share(detail.host_memory_used_mb, detail.host_memory_total_mb),
            text::memory(detail.host_memory_total_mb),
            share(disk_used, detail.disk_total_mb),
        ))
}

/// When a node that drains is expected to be safe, and how that was made.
fn safe_in(detail: Option<&NodeDetail>, scene: &Scene) -> Line {
    match detail.and_then(|detail| detail.idle_estimate.as_ref()) {
        Some(estimate) => Line::new()
            .text(format!("   safe in {}", scene.now.eta(estimate.at)))
            .muted(format!(" ({})", estimate.how)),
        None => Line::new().muted("   at 0 this line says “safe to terminate”"),
    }
}

fn drains_to(detail: Option<&NodeDetail>, scene: &Scene) -> String {
    let estimate = detail.and_then(|detail| detail.idle_estimate.as_ref());
    estimate.map_or_else(String::new, |estimate| {
        format!(
            "   if it were, it would be safe in {} ({})",
            scene.now.eta(estimate.at),
            estimate.how
        )
    })
}

impl Screen for Node {
    fn contexts(&self, _shell: &Shell) -> Vec<Context> {
        vec![Context::Node, Context::Things, Context::Everywhere]
    }

    fn need(&mut self, shell: &Shell) -> Vec<Action> {
        self.detail
            .need(Slot::Detail, Want::Node(self.name.clone()), shell.now)
            .into_iter()
            .collect()
    }

    fn accept(&mut self, _slot: Slot, want: &Want, answer: Result<Box<Answer>, Failure>) {
        self.detail
            .accept(want, only!(answer, Answer::Node), |_| false);
    }

    fn touch(&mut self, touch: Touch) {
        touch.reach(&mut self.detail);
    }

    fn command(&mut self, cmd: Cmd, _shell: &Shell) -> Option<Vec<Effect>> {
        let last = self.runs().len().saturating_sub(1);
        let to = match cmd {
            Cmd::Open | Cmd::LogOf => {
                return self.current().map(|run| vec![Effect::Go(job_of(run))]);
            }
            Cmd::Up => self.cursor().saturating_sub(1),
            Cmd::Down => (self.cursor() + 1).min(last),
            Cmd::Top => 0,
            Cmd::Bottom => last,
            _ => return None,
        };
        self.selected = self.runs().get(to).map(|run| run.attempt.clone());
        Some(Vec::new())
    }

    fn point(&mut self, spot: Spot) -> bool {
        let Spot::Row(n) = spot else { return false };
        let n = usize::try_from(n).unwrap_or(usize::MAX);
        let here = n == self.cursor();
        if let Some(run) = self.runs().get(n) {
            self.selected = Some(run.attempt.clone());
        }
        here
    }

    fn subjects(&self) -> Vec<Subject<'_>> {
        let node = self.detail.data().map(|detail| Subject::Node(&detail.node));
        node.into_iter()
            .chain(self.current().map(Subject::Run))
            .collect()
    }

    fn view(&self, pen: &mut Pen, area: Rect, scene: &Scene) {
        let width = area.width.saturating_sub(2);
        let crumb = Line::new().muted("Cluster › ").strong(self.name.clone());
        let Some(detail) = self.detail.data() else {
            pen.line(1, area.y, width, &crumb);
            let lines = instead(&self.detail, scene, area.width).unwrap_or_default();
            pen.lines(
                Rect {
                    x: 1,
                    y: area.y + 2,
                    width,
                    height: area.height.saturating_sub(2),
                },
                &lines,
            );
            return;
        };
        let row = &detail.node;
        pen.line(1, area.y, width, &crumb.gap(3).join(state(row, scene)));
        let airy = scene.shell.is_airy();
        let mut y = area.y + 1 + u16::from(airy);
        pen.lines(
            Rect {
                x: 1,
                y,
                width,
                height: CAPACITY,
            },
            &capacity(row, width),
        );
        y += CAPACITY + u16::from(airy);
        let facts = facts(row, Some(detail), scene);
        let height = u16::try_from(facts.len()).unwrap_or(0);
        pen.lines(
            Rect {
                x: 1,
                y,
                width,
                height,
            },
            &facts,
        );
        y += height + 1;
        let rest = Rect {
            y,
            height: area.bottom().saturating_sub(y),
            ..area
        };
        if rest.height < 3 {
            return;
        }
        pen.section(
            rest,
            &Line::new()
                .strong("what runs there")
                .muted(format!("  {}", text::plural(u64::from(row.runs), "run"))),
        );
        let table = Rect {
            y: y + 1,
            height: rest.height - 1,
            ..rest
        };
        if detail.runs.is_empty() {
            pen.line(
                1,
                y + 1,
                width,
                &Line::new().muted("Nothing runs there now."),
            );
            return;
        }
        let rows = usize::from(table.height - 1);
        let top = (self.cursor() + 1).saturating_sub(rows);
        let visible = detail
            .runs
            .iter()
            .enumerate()
            .skip(top)
            .take(rows)
            .map(|(i, run)| (Some(run), i == self.cursor()));
        let order = Order {
            column: "",
            descending: false,
        };
        pen.first = top as u64;
        table::draw(pen, table, false, COLUMNS, order, visible, |run| {
            Self::cells(run, scene)
        });
    }

    fn footer(&self, scene: &Scene) -> Line {
        match self.detail.failure() {
            Some(failure) => Line::new().put(Role::Failed, format!("✗ {}", failure.text)),
            None => Line::new()
                .muted("ages and states follow by themselves; ")
                .key(
                    scene.shell.key(Cmd::Describe),
                    "describes the node with times in full",
                ),
        }
    }

    fn rows(&self) -> Value {
        self.detail
            .data()
            .map_or(Value::Null, |detail| json(&[detail]))
    }

    fn seq(&self) -> Option<i64> {
        self.detail.data().map(|detail| detail.seq)
    }

    fn is_settled(&self) -> bool {
        self.detail.is_settled()
    }

    fn refused(&self) -> Option<Kind> {
        self.detail.failure().map(|failure| failure.kind)
    }
}

/// Two wide bars: what is given to runs, kept for coordination, and free.
fn capacity(row: &NodeRow, width: u16) -> Vec<Line> {
    let cells = width.saturating_sub(16 + 44).clamp(10, 60);
    let words = |used: String, free: String, held: String| {
        Line::new()
            .gap(2)
            .strong(used)
            .text(" given  ")
            .strong(free)
            .text(" free  ")
            .muted(format!("{held} kept"))
    };
    let cpu_free = row
        .cpu_total_millis
        .saturating_sub(row.cpu_reserved_millis)
        .saturating_sub(row.cpu_used_millis);
    let memory_free = row
        .memory_total_mb
        .saturating_sub(row.memory_reserved_mb)
        .saturating_sub(row.memory_used_mb);
    let (cpu, memory) = (
        |n: u32| text::cores(n.into()),
        |n: u32| format!("{} GB", text::gigabytes(n.into())),
    );
    let cpu_bar = bars::capacity(
        row.cpu_used_millis.into(),
        row.cpu_reserved_millis.into(),
        row.cpu_total_millis.into(),
        cells,
    );
    let memory_bar = bars::capacity(
        row.memory_used_mb.into(),
        row.memory_reserved_mb.into(),
        row.memory_total_mb.into(),
        cells,
    );
    vec![
        fact(
            "cpu",
            cpu_bar.join(words(
                cpu(row.cpu_used_millis),
                cpu(cpu_free),
                cpu(row.cpu_reserved_millis),
            )),
        ),
        fact(
            "memory",
            memory_bar.join(words(
                memory(row.memory_used_mb),
                memory(memory_free),
                memory(row.memory_reserved_mb),
            )),
        ),
    ]
}
