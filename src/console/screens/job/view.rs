//! How a job looks: crumbs, graph, runs and steps at the left, the log at the right.

use std::time::Duration;

use ratatui::layout::Rect;
use roundel::api::builds::{JobRow, RunRow, RunState};

use super::{Focus, Job};
use crate::console::line::Line;
use crate::console::marks;
use crate::console::now::Now;
use crate::console::pen::Pen;
use crate::console::screens::{Scene, failed, workflow};
use crate::console::shell::Shell;
use crate::console::text;
use crate::console::theme::Role;
use crate::console::verbs::pipeline_name;
use crate::console::widgets::graph::Graph;

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
        // A head above and the end of the step below; where there is room, a blank line between.
        let gap = u16::from(shell.is_airy());
        Rect {
            y: pane.y + 1 + gap,
            height: pane.height.saturating_sub(2 + 2 * gap).max(1),
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
                &failed(failure, width, scene.shell),
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
            .put(mark.role, format!("{} {}{took}", mark.glyph, mark.word))
            .join(self.usually(job));
        let end = pen.line(1, area.y, width, &line);
        let counts = workflow::counts(&pass.jobs);
        if end + counts.width() + 3 < area.right() {
            pen.right(end, area.y, area.right() - end - 1, &counts);
        }
    }
    /// How long a job that runs usually takes, where that is known.
    fn usually(&self, job: &JobRow) -> Line {
        let running = |run: &&RunRow| run.state == RunState::Running;
        let usual = job.runs.iter().filter(running).filter_map(|run| run.usual);
        // The job takes as long as the run that takes longest.
        match usual.max_by_key(|usual| usual.ms) {
            Some(usual) => {
                let took = text::took(Duration::from_millis(usual.ms));
                Line::new().muted(format!(" of ~{took}"))
            }
            None => Line::new(),
        }
    }
}
