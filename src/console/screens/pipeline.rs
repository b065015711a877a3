//! A build: the graph of each of its workflows, and what the job under the cursor is about.

use ratatui::layout::Rect;
use roundel::api::builds::{JobRow, PipelineDetail};
use roundel::error::Kind;
use serde_json::Value;

use super::{Scene, Screen, Touch, fact, instead, json, only, workflow};
use crate::console::action::{Action, Slot, Want};
use crate::console::effect::Effect;
use crate::console::event::{Answer, Failure};
use crate::console::feed::Feed;
use crate::console::keymap::{Cmd, Context};
use crate::console::line::Line;
use crate::console::marks;
use crate::console::now::Now;
use crate::console::pen::Pen;
use crate::console::place::{JobRef, Place};
use crate::console::shell::Shell;
use crate::console::spot::Spot;
use crate::console::text;
use crate::console::theme::Role;
use crate::console::verbs::{Subject, Within, pipeline_name};
use crate::console::widgets::graph::Graph;

/// Lines of the panel about the job under the cursor, its head counted.
const PANEL: u16 = 6;

/// The screen.
#[derive(Debug, Default)]
pub struct Pipeline {
    id: String,
    detail: Feed<PipelineDetail>,
    /// Id of the job under the cursor.
    selected: Option<String>,
}

impl Pipeline {
    /// Shows another build.
    pub fn enter(&mut self, id: &str) {
        let same = self.id == id || self.detail.data().is_some_and(|detail| detail.row.id == id);
        if !same {
            *self = Self::default();
        }
        id.clone_into(&mut self.id);
    }

    fn jobs(&self) -> Vec<&JobRow> {
        let passes = self.detail.data().map(workflow::newest).unwrap_or_default();
        passes
            .into_iter()
            .flat_map(|(pass, _)| &pass.jobs)
            .collect()
    }

    fn current(&self) -> Option<&JobRow> {
        let jobs = self.jobs();
        let selected = self
            .selected
            .as_ref()
            .and_then(|id| jobs.iter().find(|job| job.id == *id));
        selected.or_else(|| jobs.first()).copied()
    }

    /// The job a step away: along the file for up and down, along the wires for left and right.
    fn step(&self, cmd: Cmd) -> Option<String> {
        let jobs = self.jobs();
        let current = self.current()?;
        let at = jobs.iter().position(|job| job.id == current.id)?;
        let to = match cmd {
            Cmd::Up => at.saturating_sub(1),
            Cmd::Down => (at + 1).min(jobs.len() - 1),
            Cmd::Top => 0,
            Cmd::Bottom => jobs.len() - 1,
            Cmd::Left | Cmd::Right => {
                return self.across(current, if cmd == Cmd::Left { -1 } else { 1 });
            }
            _ => return None,
        };
        Some(jobs[to].id.clone())
    }

    fn across(&self, current: &JobRow, columns: i32) -> Option<String> {
        let passes = workflow::newest(self.detail.data()?);
        let (pass, _) = passes
            .into_iter()
            .find(|(pass, _)| pass.jobs.iter().any(|job| job.id == current.id))?;
        let at = pass.jobs.iter().position(|job| job.id == current.id)?;
        let now = Now::new(roundel::clock::Timestamp(0), true);
        let boxes = workflow::boxes(pass, &now);
        let to = Graph::new(&boxes, u16::MAX).neighbour(at, columns, 0)?;
        Some(pass.jobs[to].id.clone())
    }

    /// The job under the cursor; of a build that is still being read, as when keys come faster than answers, the one that
    /// the cursor will be on.
    fn job_place(&self) -> Option<Place> {
        let Some(detail) = self.detail.data() else {
            return Some(Place::log_of(&self.id));
        };
        let job = self.current()?;
        Some(Place::Job(JobRef {
            pipeline: Some(detail.row.id.clone()),
            job: Some(job.id.clone()),
            run: None,
        }))
    }
}

impl Screen for Pipeline {
    fn contexts(&self, _shell: &Shell) -> Vec<Context> {
        vec![Context::Pipeline, Context::Things, Context::Everywhere]
    }

    fn need(&mut self, shell: &Shell) -> Vec<Action> {
        self.detail
            .need(Slot::Detail, Want::Pipeline(self.id.clone()), shell.now)
            .into_iter()
            .collect()
    }

    fn accept(&mut self, _slot: Slot, want: &Want, answer: Result<Box<Answer>, Failure>) {
        self.detail
            .accept(want, only!(answer, Answer::Pipeline), |_| false);
        if self.selected.is_none() {
            let foremost = self.detail.data().and_then(workflow::foremost);
            self.selected = foremost.map(|job| job.id.clone());
        }
    }

    fn touch(&mut self, touch: Touch) {
        touch.reach(&mut self.detail);
    }

    fn command(&mut self, cmd: Cmd, _shell: &Shell) -> Option<Vec<Effect>> {
        // A graph has no pages: it is a few boxes high.
        let cmd = match cmd {
            Cmd::HalfUp | Cmd::PageUp => Cmd::Top,
            Cmd::HalfDown | Cmd::PageDown => Cmd::Bottom,
            cmd => cmd,
        };
        match cmd {
            Cmd::Open | Cmd::LogOf => self.job_place().map(|place| vec![Effect::Go(place)]),
            Cmd::Up | Cmd::Down | Cmd::Left | Cmd::Right | Cmd::Top | Cmd::Bottom => {
                if let Some(id) = self.step(cmd) {
                    self.selected = Some(id);
                }
                Some(Vec::new())
            }
            _ => None,
        }
    }

    fn point(&mut self, spot: Spot) -> bool {
        let Spot::Box(n) = spot else { return false };
        let jobs = self.jobs();
        let id = usize::try_from(n)
            .ok()
            .and_then(|n| Some(jobs.get(n)?.id.clone()));
        let here = id.is_some() && id == self.current().map(|job| job.id.clone());
        if id.is_some() {
            self.selected = id;
        }
        here
    }

    fn subjects(&self) -> Vec<Subject<'_>> {
        let Some(detail) = self.detail.data() else {
            return Vec::new();
        };
        let passes = workflow::newest(detail);
        let within = self.current().and_then(|job| {
            let mut passes = passes.iter().map(|(pass, _)| pass);
            let pass = passes.find(|pass| pass.jobs.iter().any(|one| one.id == job.id))?;
            Some(Within {
                detail,
                pass: &pass.id,
                job,
            })
        });
        vec![Subject::Pipeline(&detail.row, within)]
    }

    fn view(&self, pen: &mut Pen, area: Rect, scene: &Scene) {
        let width = area.width.saturating_sub(2);
        let crumb = Line::new().muted("Builds › ");
        let Some(detail) = self.detail.data() else {
            pen.line(1, area.y, width, &crumb.strong(self.id.clone()));
            let lines = instead(&self.detail, scene, area.width).unwrap_or_default();
            return pen.lines(
                Rect {
                    x: 1,
                    y: area.y + 2,
                    width,
                    height: area.height.saturating_sub(2),
                },
                &lines,
            );
        };
        let crumb = crumb
            .strong(pipeline_name(&detail.row))
            .gap(3)
            .join(workflow::state(&detail.row, scene.now));
        let end = pen.line(1, area.y, width, &crumb);
        let airy = scene.shell.is_airy();
        let revision = workflow::revision(&detail.row);
        if airy {
            let by = Line::new().muted(format!(
                "   by {}, {} ago",
                workflow::who(&detail.row.actor),
                scene.now.age(detail.row.created_at)
            ));
            pen.line(1, area.y + 1, width, &revision.join(by));
        } else if end + revision.width() + 3 < area.right() {
            pen.right(end, area.y, area.right() - end - 1, &revision);
        }
        let top = area.y + if airy { 3 } else { 1 };
        let panel = if area.height >= 16 { PANEL + 1 } else { 0 };
        let body = Rect {
            y: top,
            height: area.bottom().saturating_sub(top + panel),
            ..area
        };
        let mut y = self.view_problems(pen, body, detail);
        y += self.view_graphs(
            pen,
            Rect {
                y,
                height: body.bottom().saturating_sub(y),
                ..body
            },
            detail,
            scene,
        );
        if let Some(job) = self.current().filter(|_| panel > 0) {
            let y = (y + 1).min(area.bottom() - PANEL);
            let area = Rect {
                y,
                height: area.bottom() - y,
                ..area
            };
            pen.section(
                area,
                &Line::new()
                    .strong(job.name.clone())
                    .gap(2)
                    .join(marks::status(job.status).line()),
            );
            pen.lines(
                Rect {
                    x: 1,
                    y: y + 1,
                    width,
                    height: area.height - 1,
                },
                &facts(job, scene),
            );
        }
    }

    fn footer(&self, scene: &Scene) -> Line {
        let _ = scene;
        match (self.detail.failure(), self.detail.data()) {
            (Some(failure), Some(_)) => {
                Line::new().put(Role::Failed, format!("✗ {}", failure.text))
            }
            (_, Some(detail)) => Line::new().muted("from ").text(detail.source.clone()),
            _ => Line::new(),
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

impl Pipeline {
    /// Draws what is wrong with the config; answers the line below.
    fn view_problems(&self, pen: &mut Pen, area: Rect, detail: &PipelineDetail) -> u16 {
        let errored = detail.workflows.is_empty();
        let mut lines = Vec::new();
        if errored && detail.problems.is_empty() {
            lines.push(
                Line::new().muted("No workflow of its config is meant for this branch or tag."),
            );
        }
        lines.extend(workflow::problems(
            &detail.problems,
            area.width.saturating_sub(2),
        ));
        let most = if errored {
            area.height
        } else {
            area.height.min(3)
        };
        let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).min(most);
        pen.lines(
            Rect {
                x: 1,
                width: area.width.saturating_sub(2),
                height,
                ..area
            },
            &lines,
        );
        area.y + if height > 0 { height + 1 } else { 0 }
    }

    /// Draws the graphs, each below a head; answers how many lines they took.
    fn view_graphs(
        &self,
        pen: &mut Pen,
        area: Rect,
        detail: &PipelineDetail,
        scene: &Scene,
    ) -> u16 {
        let passes = workflow::newest(detail);
        let boxes: Vec<_> = passes
            .iter()
            .map(|(pass, _)| workflow::boxes(pass, scene.now))
            .collect();
        let heads = 2 * u16::try_from(passes.len()).unwrap_or(0);
        let whole: u16 = boxes
            .iter()
            .map(|boxes| Graph::new(boxes, u16::MAX).height)
            .fold(0, u16::saturating_add);
        let limit = if whole.saturating_add(heads) <= area.height {
            u16::MAX
        } else {
            1
        };
        let current = self.current();
        let mut y = area.y;
        let mut first = 0;
        for ((pass, number), boxes) in passes.iter().zip(&boxes) {
            if y + 1 >= area.bottom() {
                break;
            }
            let again = if *number > 1 {
                format!("   pass {number}")
            } else {
                String::new()
            };
            let head = Line::new()
                .strong(pass.name.clone())
                .gap(2)
                .join(marks::status(pass.status).line());
            let head = head.gap(3).join(workflow::counts(&pass.jobs)).muted(again);
            pen.line(1, y, area.width.saturating_sub(2), &head);
            let graph = Graph::new(boxes, limit);
            let selected =
                current.and_then(|job| pass.jobs.iter().position(|one| one.id == job.id));
            let height = graph.height.min(area.bottom().saturating_sub(y + 1));
            pen.first = first;
            first += pass.jobs.len() as u64;
            graph.draw(
                pen,
                Rect {
                    x: 2,
                    y: y + 1,
                    width: area.width.saturating_sub(4),
                    height,
                },
                selected,
            );
            y += height + 2;
        }
        y.saturating_sub(area.y + 1)
    }
}

fn facts(job: &JobRow, scene: &Scene) -> Vec<Line> {
    let class = job
        .resource_class
        .clone()
        .unwrap_or_else(|| "default class".to_owned());
    let requires = if job.requires.is_empty() {
        Line::new().muted("nothing")
    } else {
        Line::from(job.requires.join(", "))
    };
    let mut runs = Line::new();
    for run in job.runs.iter().take(12) {
        let mark = marks::run(run);
        runs = runs.put(mark.role, format!("{} {}  ", mark.glyph, run.index + 1));
    }
    let runs = if job.runs.is_empty() {
        Line::new().muted(format!(
            "{} to come",
            text::plural(u64::from(job.parallelism), "run")
        ))
    } else {
        runs
    };
    let why = job.runs.iter().find_map(|run| {
        run.reason
            .as_ref()
            .map(|reason| (reason.text.clone(), reason.never))
    });
    let cause = job
        .runs
        .iter()
        .find(|run| !run.cause.is_empty())
        .map(|run| run.cause.clone());
    let times = match (job.queued_at, job.started_at) {
        (Some(queued), Some(started)) => Line::from(format!(
            "waited {}, ran {}",
            text::took(started.since(queued)),
            scene.now.took(started, job.stopped_at)
        )),
        (Some(queued), None) => Line::new().put(
            Role::Waiting,
            format!("waits for {}", scene.now.age(queued)),
        ),
        _ => Line::new().muted("not in the queue yet"),
    };
    let times = match (why, cause) {
        (Some((why, never)), _) => times.put(
            if never { Role::Failed } else { Role::Text },
            format!(": {why}"),
        ),
        (None, Some(cause)) => times.put(Role::Failed, format!("; {cause}")),
        _ => times,
    };
    vec![
        fact(
            "build number",
            Line::from(format!("#{}", job.number)).muted(format!("   {}, {class}", job.executor)),
        ),
        fact("requires", requires),
        fact("runs", runs),
        fact("times", times),
    ]
}
