//! Cluster: which nodes there are, how full, draining, unwell; for the one under the cursor what a drain waits for.

use ratatui::layout::Rect;
use roundel::api::fleet::{NodeDetail, NodeRow};

use super::listed::{Listed, unmatched};
use super::{Listing, Scene, Screen, Touch, node, only};
use crate::console::action::{Action, Slot, Want};
use crate::console::effect::Effect;
use crate::console::event::{Answer, Failure};
use crate::console::feed::Feed;
use crate::console::keymap::{Cmd, Context};
use crate::console::line::Line;
use crate::console::list::{List, Order, Row};
use crate::console::marks;
use crate::console::pen::Pen;
use crate::console::place::Place;
use crate::console::shell::Shell;
use crate::console::text;
use crate::console::theme::Role;
use crate::console::verbs::Subject;
use crate::console::widgets::bars;
use crate::console::widgets::table::{self, Column};

impl Row for NodeRow {
    fn id(&self) -> &str {
        &self.id
    }
}

const COLUMNS: &[Column] = &[
    Column::new("NAME", "name", 10, 14),
    Column::new("STATUS", "status", 12, 12),
    Column::new("CLASS", "", 8, 8).drop(3),
    Column::new("CPU", "cpu", 13, 20),
    Column::new("MEMORY", "memory", 18, 25).drop(1),
    Column::new("RUNS", "runs", 4, 4).right(),
    Column::new("AGE", "", 6, 6).drop(4),
    Column::new("NOTE", "", 10, u16::MAX).drop(2),
];

/// Lines of the panel: its head and six facts.
const PANEL: u16 = 7;

/// The screen.
#[derive(Debug)]
pub struct Cluster {
    listed: Listed<NodeRow>,
    detail: Feed<NodeDetail>,
}

impl Default for Cluster {
    fn default() -> Self {
        let list = List::new(
            Want::Nodes,
            "",
            Order {
                column: "name",
                descending: false,
            },
        );
        Self {
            listed: Listed {
                list,
                columns: COLUMNS,
            },
            detail: Feed::default(),
        }
    }
}

impl Cluster {
    fn parts(&self, shell: &Shell, area: Rect) -> (Rect, Option<Rect>) {
        let airy = shell.is_airy();
        let above = if airy { 2 } else { 1 };
        let panel = if area.height >= 18 { PANEL + 1 } else { 0 };
        let most = area.height.saturating_sub(above + panel);
        // Before the first answer as if it were large: one question brings all that may be shown.
        let total = self.listed.list.total().unwrap_or(u64::MAX);
        let rows = u16::try_from(total).unwrap_or(u16::MAX);
        // A small fleet keeps its panel close; no fleet at all leaves room to say why.
        let least = match (airy, rows) {
            (true, _) => 7,
            (false, 0) => 4,
            (false, _) => 1,
        };
        let few = table::head_height(airy).saturating_add(rows.max(least));
        let table = Rect {
            y: area.y + above,
            height: most.min(few),
            ..area
        };
        (
            table,
            (panel > 0).then(|| Rect {
                y: table.bottom() + 1,
                height: area.bottom().saturating_sub(table.bottom() + 1),
                ..area
            }),
        )
    }

    fn status(scene: &Scene) -> Line {
        let Some(summary) = &scene.shell.summary else {
            return Line::new().muted("Cluster");
        };
        let nodes = &summary.nodes;
        let states = [nodes.ready, nodes.draining, nodes.ineligible, nodes.down];
        let all: u64 = states.into_iter().map(u64::from).sum();
        let line = Line::new().strong(text::count(all)).text(if all == 1 {
            " node   "
        } else {
            " nodes   "
        });
        let line = line.text(format!("{} ready   ", text::count(nodes.ready.into())));
        let counted = |line: Line, n: u32, role: Role, word: &str| {
            if n > 0 {
                line.put(role, format!("{} {word}   ", text::count(n.into())))
            } else {
                line.text(format!("0 {word}   "))
            }
        };
        let line = counted(line, nodes.draining, Role::Waiting, "draining");
        let line = if nodes.ineligible > 0 {
            counted(line, nodes.ineligible, Role::Canceled, "ineligible")
        } else {
            line
        };
        let line = counted(line, nodes.down, Role::Failed, "down");
        let cells = if scene.shell.has_tabs() { 24 } else { 10 };
        line.join(bars::capacity(
            nodes.cpu_millis_used,
            0,
            nodes.cpu_millis,
            cells,
        ))
        .text(format!(
            "  {} of {} cpu",
            text::cores(nodes.cpu_millis_used),
            text::cores(nodes.cpu_millis)
        ))
        .muted(if scene.shell.has_tabs() {
            " given to runs"
        } else {
            " given"
        })
    }

    fn cells(row: &NodeRow, scene: &Scene) -> Vec<Line> {
        let roomy = scene.shell.has_tabs();
        let cells = if roomy { 12 } else { 5 };
        let room = row.cpu_total_millis.saturating_sub(row.cpu_reserved_millis);
        let cpu = bars::capacity(
            row.cpu_used_millis.into(),
            row.cpu_reserved_millis.into(),
            row.cpu_total_millis.into(),
            cells,
        );
        let cpu_words = format!(
            "{}/{}",
            text::cores(row.cpu_used_millis.into()),
            text::cores(room.into())
        );
        let memory = row.memory_total_mb.saturating_sub(row.memory_reserved_mb);
        let bar = bars::capacity(
            row.memory_used_mb.into(),
            row.memory_reserved_mb.into(),
            row.memory_total_mb.into(),
            cells,
        );
        let memory_words = format!(
            "{}/{} GB",
            text::gigabytes(row.memory_used_mb.into()),
            text::gigabytes(memory.into())
        );
        vec![
            Line::new().bold(Role::Text, row.name.clone()),
            marks::node(row).line(),
            Line::new().muted(if row.class.is_empty() {
                "–"
            } else {
                &row.class
            }),
            cpu.text(format!(" {cpu_words:>7}")),
            bar.text(format!(" {memory_words:>12}")),
            Line::from(row.runs.to_string()),
            Line::new().muted(scene.now.age(row.created_at)),
            note(row, scene),
        ]
    }
}

/// What is worth saying of a node in a few words.
fn note(row: &NodeRow, scene: &Scene) -> Line {
    if row.safe_to_terminate {
        return Line::new().put(Role::Ok, "safe to terminate");
    }
    if let Some(drain) = &row.drain {
        let runs = format!("{} left", text::plural(u64::from(row.runs), "run"));
        return match drain.deadline {
            None => Line::new().put(Role::Waiting, runs),
            Some(at) if at < scene.now.at() => {
                Line::new().put(Role::Failed, format!("{runs}, {} late", scene.now.age(at)))
            }
            Some(at) => Line::new().put(
                Role::Waiting,
                format!("{runs}, until {}", at.local("%H:%M")),
            ),
        };
    }
    if row.cpu_used_millis.saturating_add(row.cpu_reserved_millis) >= row.cpu_total_millis {
        return Line::new().muted("full");
    }
    if row.overcommitted {
        Line::new().muted("rehearsal slice")
    } else {
        Line::new()
    }
}

impl Screen for Cluster {
    fn contexts(&self, _shell: &Shell) -> Vec<Context> {
        vec![
            Context::Cluster,
            Context::List,
            Context::Things,
            Context::Everywhere,
        ]
    }

    fn need(&mut self, shell: &Shell) -> Vec<Action> {
        let (table, panel) = self.parts(shell, shell.body());
        let rows = table
            .height
            .saturating_sub(table::head_height(shell.is_airy()));
        let list = self.listed.list.need(rows, shell.now);
        let current = self.listed.list.current().map(|node| node.id.clone());
        let detail = match current {
            Some(id) if panel.is_some() => {
                self.detail.need(Slot::Detail, Want::Node(id), shell.now)
            }
            _ => None,
        };
        list.into_iter().chain(detail).collect()
    }

    fn accept(&mut self, slot: Slot, want: &Want, answer: Result<Box<Answer>, Failure>) {
        match slot {
            Slot::Rows => self.listed.list.accept(want, only!(answer, Answer::Nodes)),
            _ => {
                _ = self
                    .detail
                    .accept(want, only!(answer, Answer::Node), |_| false);
            }
        }
    }

    fn touch(&mut self, touch: Touch) {
        touch.reach(self.listed.list.feed_mut());
        touch.reach(&mut self.detail);
    }

    fn command(&mut self, cmd: Cmd, _shell: &Shell) -> Option<Vec<Effect>> {
        match cmd {
            Cmd::Open => self
                .listed
                .list
                .current()
                .map(|node| vec![Effect::Go(Place::Node(node.name.clone()))]),
            cmd => self.listed.list.movement(cmd).then(Vec::new),
        }
    }

    fn subjects(&self) -> Vec<Subject<'_>> {
        self.listed.current(Subject::Node)
    }

    fn marked(&self) -> Vec<Subject<'_>> {
        self.listed.marked(Subject::Node)
    }

    fn view(&self, pen: &mut Pen, area: Rect, scene: &Scene) {
        let (table, panel) = self.parts(scene.shell, area);
        pen.line(
            1,
            area.y,
            area.width.saturating_sub(2),
            &Self::status(scene),
        );
        let list = &self.listed.list;
        self.listed.draw(
            pen,
            table,
            scene,
            |row| Self::cells(row, scene),
            || {
                if list.filter.is_empty() {
                    vec![
                        Line::new().strong("No node yet."),
                        Line::new().muted(
                            "The server adds this machine as its first node when it starts.",
                        ),
                    ]
                } else {
                    unmatched("No node", scene.shell)
                }
            },
        );
        if let (Some(area), Some(row)) = (panel, list.current()) {
            let detail = self.detail.data().filter(|detail| detail.node.id == row.id);
            pen.section(
                area,
                &Line::new()
                    .strong(row.name.clone())
                    .gap(2)
                    .join(node::state(row, scene)),
            );
            let inside = Rect {
                x: 1,
                y: area.y + 1,
                width: area.width.saturating_sub(2),
                height: area.height.saturating_sub(1),
            };
            pen.lines(inside, &node::facts(row, detail, scene));
        }
    }

    fn is_settled(&self) -> bool {
        self.listed.list.feed().is_settled()
            && (self.listed.list.current().is_none() || self.detail.is_settled())
    }

    fn listed(&self) -> Option<&dyn Listing> {
        Some(&self.listed)
    }

    fn listing(&mut self) -> Option<&mut dyn Listing> {
        Some(&mut self.listed)
    }
}
