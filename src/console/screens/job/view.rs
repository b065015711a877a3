//! How a job looks: crumbs, graph, runs and steps at the left, the log at the right.

use ratatui::layout::Rect;
use roundel::api::builds::{RunRow, RunState};

use super::log::Stream;
use super::words::{ended, waiting};
use super::{Focus, Job, log_view};
use crate::console::line::Line;
use crate::console::marks;
use crate::console::now::Now;
use crate::console::pen::Pen;
use crate::console::screens::{Scene, failed, instead, workflow};
use crate::console::shell::Shell;
use crate::console::spot::Spot;
use crate::console::text;
use crate::console::theme::Role;
use crate::console::verbs::pipeline_name;
use crate::console::widgets::graph::Graph;

/// Runs in a row of the left side.
const RUNS_ABREAST: usize = 5;
/// Rows of runs shown.
const RUN_ROWS: usize = 4;

impl Job {
    /// Lines of the graph above the panes: as many as it needs, up to a quarter of the screen.
    fn graph_height(&self, shell: &Shell, area: Rect) -> u16 {
        let most = if shell.is_airy() {
            area.height / 4
        } else if area.height >= 20 {
            2
        } else {
            0
        };
        let Some((pass, _)) = self.job().filter(|_| most > 0) else {
            return 0;
        };
        let now = Now::new(shell.data_now(), true);
        Graph::new(&workflow::boxes(pass, &now), most)
            .height
            .min(most)
    }

    /// The part of the screen that shows lines of the log.
    pub(super) fn log_area(&self, shell: &Shell, area: Rect) -> Rect {
        let pane = self.log_pane(shell, area);
        // A head and a blank line above, the end of the step and a blank line below.
        Rect {
            y: pane.y + 2,
            height: pane.height.saturating_sub(4).max(1),
            ..pane
        }
    }

    fn log_pane(&self, shell: &Shell, area: Rect) -> Rect {
        if self.focus == Focus::FullLog {
            return Rect {
                x: area.x + 1,
                y: area.y + 1,
                width: area.width.saturating_sub(2),
                height: area.height.saturating_sub(1),
            };
        }
        let panes = self.panes(shell, area);
        if shell.is_small() {
            return if self.focus == Focus::Steps {
                Rect { height: 0, ..panes }
            } else {
                panes
            };
        }
        let left = Self::left_width(area.width);
        Rect {
            x: panes.x + left + 2,
            width: panes.width.saturating_sub(left + 2),
            ..panes
        }
    }

    fn left_width(width: u16) -> u16 {
        if width >= 100 { 38 } else { 27 }
    }

    fn panes(&self, shell: &Shell, area: Rect) -> Rect {
        let graph = self.graph_height(shell, area);
        let above = 1 + u16::from(shell.is_airy()) + if graph > 0 { graph + 1 } else { 0 };
        let top = area.y + above;
        Rect {
            x: area.x + 1,
            y: top,
            width: area.width.saturating_sub(2),
            height: area.bottom().saturating_sub(top),
        }
    }

    /// Draws the whole screen.
    pub(super) fn draw(&self, pen: &mut Pen, area: Rect, scene: &Scene) {
        self.draw_crumbs(pen, area, scene);
        let width = area.width.saturating_sub(2);
        let failure = self.run.failure().or(self.pipeline.failure());
        if let (Some(failure), true) = (
            failure,
            self.detail().is_none() && self.pipeline.data().is_none(),
        ) {
            return pen.lines(
                Rect {
                    x: 1,
                    y: area.y + 2,
                    width,
                    height: area.height.saturating_sub(2),
                },
                &failed(failure, width),
            );
        }
        if self.focus == Focus::FullLog {
            return self.draw_log(pen, self.log_pane(scene.shell, area), scene);
        }
        let graph = self.graph_height(scene.shell, area);
        if let (Some((pass, job)), true) = (self.job(), graph > 0) {
            let boxes = workflow::boxes(pass, scene.now);
            let selected = pass.jobs.iter().position(|one| one.id == job.id);
            let y = area.y + 1 + u16::from(scene.shell.is_airy());
            Graph::new(&boxes, graph).draw(
                pen,
                Rect {
                    x: 2,
                    y,
                    width: area.width.saturating_sub(4),
                    height: graph,
                },
                selected,
            );
        }
        let panes = self.panes(scene.shell, area);
        let log = self.log_pane(scene.shell, area);
        if scene.shell.is_small() {
            return if self.focus == Focus::Steps {
                self.draw_left(pen, panes, scene);
            } else {
                self.draw_log(pen, log, scene);
            };
        }
        let left = Self::left_width(area.width);
        self.draw_left(
            pen,
            Rect {
                width: left - 1,
                ..panes
            },
            scene,
        );
        for y in panes.top()..panes.bottom() {
            pen.line(panes.x + left, y, 1, &Line::new().put(Role::Faint, "│"));
        }
        self.draw_log(pen, log, scene);
    }

    fn draw_crumbs(&self, pen: &mut Pen, area: Rect, scene: &Scene) {
        let width = area.width.saturating_sub(2);
        let line = Line::new().muted("Builds › ");
        let (Some(detail), Some((pass, job))) = (self.pipeline.data(), self.job()) else {
            let name = self.detail().map_or_else(
                || self.reference.job.clone().unwrap_or_default(),
                |d| d.run.job_name.clone(),
            );
            pen.line(1, area.y, width, &line.strong(name));
            return;
        };
        let mark = marks::status(job.status);
        let took = job
            .started_at
            .map(|start| format!(" {}", scene.now.took(start, job.stopped_at)))
            .unwrap_or_default();
        let line = line
            .put(Role::Link, pipeline_name(&detail.row))
            .muted(" › ");
        let line = if scene.shell.has_tabs() {
            line.text(pass.name.clone()).muted(" › ")
        } else {
            line
        };
        let line = line
            .strong(job.name.clone())
            .gap(3)
            .put(mark.role, format!("{} {}{took}", mark.glyph, mark.word));
        let end = pen.line(1, area.y, width, &line);
        let counts = workflow::counts(&pass.jobs);
        if end + counts.width() + 3 < area.right() {
            pen.right(end, area.y, area.right() - end - 1, &counts);
        }
    }

    fn draw_left(&self, pen: &mut Pen, area: Rect, scene: &Scene) {
        let mut y = area.y;
        let runs = self.runs();
        let shown = self.attempt();
        if runs.len() > 1 {
            pen.line(
                area.x,
                y,
                area.width,
                &Line::new().strong("Runs").muted("  ← → choose"),
            );
            y += 1 + u16::from(scene.shell.is_airy());
            y = self.draw_runs(
                pen,
                Rect {
                    y,
                    height: area.bottom().saturating_sub(y),
                    ..area
                },
                runs,
                shown.as_deref(),
            ) + 1;
        }
        let head = Line::new().bold(
            if self.focus == Focus::Steps {
                Role::Accent
            } else {
                Role::Strong
            },
            "Steps",
        );
        let Some(detail) = self.detail() else {
            pen.line(area.x, y, area.width, &head);
            // Which run it is, only the build tells, where nobody named one.
            let lines = if self.attempt().is_none() {
                instead(&self.pipeline, scene, area.width)
            } else {
                instead(&self.run, scene, area.width)
            };
            let to_come = || vec![Line::new().muted("not in the queue yet")];
            let lines = if let Some(name) = self.missing() {
                let text = format!("✗ this build has no job `{name}`");
                text::wrap(&text, area.width)
                    .into_iter()
                    .map(|words| Line::new().put(Role::Failed, words))
                    .collect()
            } else if self.attempt().is_none() && self.job().is_some() {
                to_come()
            } else {
                lines.unwrap_or_default()
            };
            return pen.lines(
                Rect {
                    y: y + 1,
                    height: area.bottom().saturating_sub(y + 1),
                    ..area
                },
                &lines,
            );
        };
        let which = if detail.run.of > 1 {
            format!("  run {} ", detail.run.index + 1)
        } else {
            "  ".to_owned()
        };
        let node = detail
            .run
            .node
            .as_ref()
            .map(|node| Line::new().muted("on ").put(Role::Link, node.clone()))
            .unwrap_or_default();
        let tries = detail.attempts.len();
        let head = head.muted(which).join(node);
        let head = if tries > 1 {
            head.muted(format!("  attempt {tries}"))
        } else {
            head
        };
        pen.line(area.x, y, area.width, &head);
        y += 1;
        let room = area.bottom().saturating_sub(y);
        let about = self.about(area.width, detail.run.cause.as_str());
        let about_height = u16::try_from(about.len()).unwrap_or(0).min(room / 3);
        let list = Rect {
            y,
            height: room.saturating_sub(about_height + 1),
            ..area
        };
        let end = self.draw_steps(pen, list, scene);
        let below = Rect {
            y: end + 1,
            height: area.bottom().saturating_sub(end + 1),
            ..area
        };
        pen.lines(below, &about);
    }

    fn draw_runs(&self, pen: &mut Pen, area: Rect, runs: &[RunRow], shown: Option<&str>) -> u16 {
        let cell = area.width / u16::try_from(RUNS_ABREAST).unwrap_or(1);
        let at = runs
            .iter()
            .position(|run| Some(run.attempt.as_str()) == shown)
            .unwrap_or(0);
        let first_row = (at / RUNS_ABREAST + 1).saturating_sub(RUN_ROWS);
        let mut last = area.y;
        for (i, run) in runs
            .iter()
            .enumerate()
            .skip(first_row * RUNS_ABREAST)
            .take(RUN_ROWS * RUNS_ABREAST)
        {
            let place = i - first_row * RUNS_ABREAST;
            let x = area.x + cell * u16::try_from(place % RUNS_ABREAST).unwrap_or(0);
            let y = area.y + u16::try_from(place / RUNS_ABREAST).unwrap_or(0);
            if y >= area.bottom() {
                break;
            }
            let mark = marks::run(run);
            let place = Rect {
                x: x.saturating_sub(1),
                y,
                width: cell.min(7),
                height: 1,
            };
            pen.spot(place, Spot::Run(i), || {
                format!("run {}: {}", run.index + 1, mark.word)
            });
            if i == at {
                pen.underlay(place, Role::Selected);
            }
            pen.line(
                x,
                y,
                cell,
                &Line::new().put(mark.role, format!("{} {}", mark.glyph, run.index + 1)),
            );
            last = y + 1;
        }
        last
    }

    fn draw_steps(&self, pen: &mut Pen, area: Rect, scene: &Scene) -> u16 {
        let steps = self.steps();
        let shown = self.step();
        let at = steps
            .iter()
            .position(|step| Some(step.index) == shown)
            .unwrap_or(0);
        let top = (at + 1).saturating_sub(usize::from(area.height));
        let mut y = area.y;
        for (i, step) in steps
            .iter()
            .enumerate()
            .skip(top)
            .take(usize::from(area.height))
        {
            let mark = marks::step(step.status);
            let place = Rect {
                x: area.x - 1,
                y,
                width: area.width + 1,
                height: 1,
            };
            if i == at && !self.agent {
                pen.underlay(place, Role::Selected);
            }
            let took = step
                .started_at
                .map(|start| scene.now.took(start, step.stopped_at))
                .unwrap_or_default();
            pen.spot(place, Spot::Row(i as u64), || {
                format!("step {}: {} {took}", step.name, mark.word)
            });
            let room = area.width.saturating_sub(text::width(&took) + 1);
            let name = Line::new().put(mark.role, mark.glyph).gap(1);
            let name = if matches!(mark.word, "waits" | "skipped") {
                name.muted(step.name.clone())
            } else {
                name.text(step.name.clone())
            };
            pen.line(area.x, y, room, &name);
            pen.right(area.x, y, area.width, &Line::new().muted(took));
            y += 1;
        }
        y
    }

    /// What ended the step that is shown, and its command.
    fn about(&self, width: u16, cause: &str) -> Vec<Line> {
        let mut lines = Vec::new();
        if !cause.is_empty() {
            lines.extend(
                text::wrap(cause, width)
                    .into_iter()
                    .map(|words| Line::new().put(Role::Failed, words)),
            );
        }
        let Some(step) = self.shown_step().filter(|_| !self.agent) else {
            return lines;
        };
        let code = step
            .exit_code
            .map_or_else(String::new, |code| format!("exit code {code}, "));
        if !step.command.is_empty() {
            lines.push(Line::new().muted(format!("{code}command:")));
            lines.extend(text::wrap(&step.command, width).into_iter().map(Line::from));
        } else if !code.is_empty() {
            lines.push(Line::new().muted(code.trim_end_matches(", ").to_owned()));
        }
        lines
    }

    fn draw_log(&self, pen: &mut Pen, area: Rect, scene: &Scene) {
        if area.height == 0 {
            return;
        }
        let Some(detail) = self.detail() else { return };
        let focused = self.focus != Focus::Steps;
        let name = if self.agent {
            "Build Agent’s own log".to_owned()
        } else {
            self.shown_step()
                .map_or_else(String::new, |step| step.name.clone())
        };
        pen.spot(area, Spot::Log, String::new);
        let streams = match self.log.stream {
            Stream::Both => "stdout and stderr",
            Stream::Out => "stdout",
            Stream::Err => "stderr",
        };
        let head = Line::new().bold(if focused { Role::Accent } else { Role::Strong }, name);
        let head = if detail.run.of > 1 {
            head.muted(format!(" · run {}", detail.run.index + 1))
        } else {
            head
        };
        let head = head.muted(format!(" · {streams}"));
        let head = if self.log.total() > 0 {
            head.muted(format!(" · {}", text::plural(self.log.total(), "line")))
        } else {
            head
        };
        pen.line(area.x, area.y, area.width, &head);
        let inside = self.log_area(scene.shell, scene.shell.body());
        if detail.run.state == RunState::Pending {
            return pen.lines(inside, &waiting(&detail.run, scene, inside.width));
        }
        if let Some(lines) = instead(&self.log.lines, scene, inside.width) {
            return pen.lines(inside, &lines);
        }
        let end = log_view::view(pen, inside, &self.log);
        self.draw_end(
            pen,
            Rect {
                y: end + 1,
                height: area.bottom().saturating_sub(end + 1),
                ..area
            },
            scene,
        );
    }

    /// Says below the last line how the step ended, or that nothing has come yet.
    fn draw_end(&self, pen: &mut Pen, area: Rect, scene: &Scene) {
        let Some(window) = self.log.lines.data() else {
            return;
        };
        if window.total == 0 {
            let line = Line::new().muted(if window.open {
                "no output yet"
            } else {
                "no output"
            });
            pen.line(area.x, area.y.saturating_sub(1), area.width, &line);
        }
        let at_end = window
            .lines
            .last()
            .is_none_or(|line| line.n + 1 == window.total);
        let Some(step) = self
            .shown_step()
            .filter(|_| at_end && !self.agent && area.height > 0)
        else {
            return;
        };
        let Some(line) = ended(step, scene) else {
            return;
        };
        pen.line(area.x, area.y, area.width, &line);
    }
}
