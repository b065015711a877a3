//! Builds: what ran and runs, newest first, with the graph of the one under the cursor; the offer of a first build
//! where there is none.

use ratatui::layout::Rect;
use roundel::api::builds::{PipelineDetail, PipelineRow};

use super::listed::{Listed, unmatched};
use super::{Listing, Scene, Screen, Touch, instead, only, workflow};
use crate::console::action::{Action, Slot, Want, Write};
use crate::console::effect::Effect;
use crate::console::event::{Answer, Failure};
use crate::console::feed::Feed;
use crate::console::keymap::{Cmd, Context};
use crate::console::line::Line;
use crate::console::list::{List, Order, Row};
use crate::console::marks;
use crate::console::overlays::{Overlay, Prompt, Purpose};
use crate::console::pen::Pen;
use crate::console::place::Place;
use crate::console::shell::{Look, Shell};
use crate::console::text;
use crate::console::theme::Role;
use crate::console::verbs::{Subject, pipeline_name};
use crate::console::widgets::bars;
use crate::console::widgets::graph::Graph;
use crate::console::widgets::table::{self, Column};

mod first;

impl Row for PipelineRow {
    fn id(&self) -> &str {
        &self.id
    }
}

const COLUMNS: &[Column] = &[
    Column::new("STATUS", "status", 14, 14),
    Column::new("BUILD", "project", 14, 18),
    Column::new("BRANCH", "branch", 8, 10),
    Column::new("COMMIT", "", 8, u16::MAX),
    Column::new("JOBS", "", 12, 12),
    Column::new("BY", "", 6, 6).drop(2),
    Column::new("STARTED", "created", 10, 11),
    Column::new("TOOK", "duration", 7, 7).right().drop(1),
];

/// Lines of the graph below the list, its head counted.
const PREVIEW: u16 = 10;

/// The screen.
#[derive(Debug)]
pub struct Builds {
    listed: Listed<PipelineRow>,
    preview: Feed<PipelineDetail>,
}

impl Default for Builds {
    fn default() -> Self {
        let list = List::new(
            Want::Pipelines,
            "",
            Order {
                column: "created",
                descending: true,
            },
        );
        Self {
            listed: Listed {
                list,
                columns: COLUMNS,
            },
            preview: Feed::default(),
        }
    }
}

impl Builds {
    /// Nothing has been built here yet.
    fn is_first(&self) -> bool {
        self.listed.list.total() == Some(0) && self.listed.list.filter.is_empty()
    }

    fn parts(&self, shell: &Shell, area: Rect) -> (Rect, Option<Rect>) {
        let airy = shell.is_airy();
        let above = if airy { 2 } else { 1 };
        let preview = if airy { PREVIEW + 1 } else { 0 };
        let table = Rect {
            y: area.y + above,
            height: area.height.saturating_sub(above + preview),
            ..area
        };
        (
            table,
            airy.then(|| Rect {
                y: table.bottom() + 1,
                height: PREVIEW,
                ..area
            }),
        )
    }

    fn cells(row: &PipelineRow, scene: &Scene) -> Vec<Line> {
        let mark = marks::status(row.status);
        let jobs = row.jobs;
        let bar = bars::parts(
            &[
                (Role::Ok, "█", jobs.success.into()),
                (Role::Failed, "█", jobs.failed.into()),
                (Role::Running, "▒", jobs.running.into()),
            ],
            jobs.total.into(),
            6,
        );
        let ended = [jobs.success, jobs.failed, jobs.canceled];
        let ended: u64 = ended.into_iter().map(u64::from).sum();
        let bar = if jobs.total == 0 {
            Line::new().muted("none")
        } else {
            bar.text(format!(" {ended:>2}/{}", jobs.total))
        };
        let branch = if row.tag.is_empty() {
            row.branch.clone()
        } else {
            format!("tag {}", row.tag)
        };
        let took = row.started_at.map_or_else(
            || Line::new().muted("–"),
            |start| {
                let role = if row.stopped_at.is_some() {
                    Role::Text
                } else {
                    Role::Running
                };
                Line::new().put(role, scene.now.took(start, row.stopped_at))
            },
        );
        let slow = workflow::longer(row.usual, row.started_at, row.stopped_at, scene.now);
        vec![
            match slow {
                Some(times) => mark.line().put(Role::Warning, format!(" {times}")),
                None => mark.line(),
            },
            Line::new()
                .bold(Role::Text, row.project.clone())
                .put(Role::Link, format!(" #{}", row.number)),
            Line::from(branch),
            Line::new()
                .muted(format!("{} ", text::revision(&row.revision)))
                .text(row.subject.clone()),
            bar,
            Line::new().muted(workflow::who(&row.actor)),
            Line::new().muted(format!("{} ago", scene.now.age(row.created_at))),
            took,
        ]
    }

    fn status(&self, scene: &Scene) -> Line {
        let total = self.listed.list.total().unwrap_or(0);
        let line = Line::new().strong(text::count(total)).text(if total == 1 {
            " build   "
        } else {
            " builds   "
        });
        let Some(summary) = &scene.shell.summary else {
            return line;
        };
        line.strong(text::count(summary.running))
            .text(if summary.running == 1 {
                " run running   "
            } else {
                " runs running   "
            })
            .strong(text::count(summary.waiting))
            .text(" waiting")
    }
}

impl Screen for Builds {
    fn contexts(&self, _shell: &Shell) -> Vec<Context> {
        if self.is_first() {
            vec![Context::FirstBuild, Context::Everywhere]
        } else {
            vec![
                Context::Builds,
                Context::List,
                Context::Things,
                Context::Everywhere,
            ]
        }
    }

    fn need(&mut self, shell: &Shell) -> Vec<Action> {
        let (table, preview) = self.parts(shell, shell.body());
        let rows = table
            .height
            .saturating_sub(table::head_height(shell.is_airy()));
        let list = self.listed.list.need(rows, shell.now);
        let current = self.listed.list.current().map(|row| row.id.clone());
        let preview = match current {
            Some(id) if preview.is_some() => {
                self.preview
                    .need(Slot::Detail, Want::Pipeline(id), shell.now)
            }
            _ => None,
        };
        let look = (self.is_first() && shell.look == Look::NotYet).then_some(Action::LookAt(None));
        list.into_iter().chain(preview).chain(look).collect()
    }

    fn accept(&mut self, slot: Slot, want: &Want, answer: Result<Box<Answer>, Failure>) {
        match slot {
            Slot::Rows => self
                .listed
                .list
                .accept(want, only!(answer, Answer::Pipelines)),
            _ => {
                _ = self
                    .preview
                    .accept(want, only!(answer, Answer::Pipeline), |_| false);
            }
        }
    }

    fn touch(&mut self, touch: Touch) {
        touch.reach(self.listed.list.feed_mut());
        touch.reach(&mut self.preview);
    }

    fn command(&mut self, cmd: Cmd, shell: &Shell) -> Option<Vec<Effect>> {
        match cmd {
            Cmd::Open => self
                .listed
                .list
                .current()
                .map(|row| vec![Effect::Go(Place::Pipeline(row.id.clone()))]),
            Cmd::LogOf => self
                .listed
                .list
                .current()
                .map(|row| vec![Effect::Go(Place::log_of(&row.id))]),
            Cmd::BuildPath => Some(vec![Effect::Open(Overlay::Prompt(Prompt::new(
                Purpose::Source,
                "",
            )))]),
            Cmd::BuildHere => Some(match &shell.look {
                Look::Found(Some(repository)) if repository.config.is_ok() => {
                    vec![Effect::Write(Write::Build {
                        source: repository.path.clone(),
                    })]
                }
                Look::Found(Some(repository)) => {
                    Effect::refuse(repository.config.clone().err().unwrap_or_default())
                }
                _ => vec![Effect::Open(Overlay::Prompt(Prompt::new(
                    Purpose::Source,
                    "",
                )))],
            }),
            cmd => self.listed.list.movement(cmd).then(Vec::new),
        }
    }

    fn subjects(&self) -> Vec<Subject<'_>> {
        self.listed.current(|row| Subject::Pipeline(row, None))
    }

    fn marked(&self) -> Vec<Subject<'_>> {
        self.listed.marked(|row| Subject::Pipeline(row, None))
    }

    fn view(&self, pen: &mut Pen, area: Rect, scene: &Scene) {
        if self.is_first() {
            return first::view(pen, area, scene);
        }
        let (table, preview) = self.parts(scene.shell, area);
        pen.line(1, area.y, area.width.saturating_sub(2), &self.status(scene));
        let list = &self.listed.list;
        self.listed.draw(
            pen,
            table,
            scene,
            |row| Self::cells(row, scene),
            || unmatched("No build", scene.shell),
        );
        if let (Some(area), Some(row)) = (preview, list.current()) {
            self.view_preview(pen, area, row, scene);
        }
    }

    fn footer(&self, _scene: &Scene) -> Line {
        if self.is_first() {
            Line::new()
        } else {
            self.listed.footer()
        }
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

impl Builds {
    fn view_preview(&self, pen: &mut Pen, area: Rect, row: &PipelineRow, scene: &Scene) {
        let head = Line::new()
            .strong(pipeline_name(row))
            .gap(2)
            .join(workflow::state(row, scene.now));
        pen.section(area, &head);
        let inside = Rect {
            x: 2,
            y: area.y + 1,
            width: area.width.saturating_sub(4),
            height: area.height - 1,
        };
        let Some(detail) = self.preview.data().filter(|detail| detail.row.id == row.id) else {
            return pen.lines(
                inside,
                &instead(&self.preview, scene, inside.width).unwrap_or_default(),
            );
        };
        let passes = workflow::newest(detail);
        if passes.is_empty() {
            return pen.lines(inside, &workflow::problems(&detail.problems, inside.width));
        }
        let mut y = inside.y;
        for (pass, _) in &passes {
            let room = inside.bottom().saturating_sub(y);
            let boxes = workflow::boxes(pass, scene.now);
            let graph = Graph::new(&boxes, if passes.len() > 1 { 1 } else { room });
            if passes.len() > 1 && room > 1 {
                pen.line(
                    inside.x,
                    y,
                    inside.width,
                    &Line::new().muted(pass.name.clone()),
                );
                y += 1;
            }
            let height = graph.height.min(inside.bottom().saturating_sub(y));
            graph.draw(
                pen,
                Rect {
                    y,
                    height,
                    ..inside
                },
                None,
            );
            y += height + 1;
        }
    }
}
