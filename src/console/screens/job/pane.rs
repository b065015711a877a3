//! The right side of a job: the head of the log, its lines, and how what wrote them ended.

use ratatui::layout::Rect;
use roundel::api::builds::RunState;
use roundel::settings::keep;

use super::log::Stream;
use super::words::{ended, run_ended, waiting};
use super::{Focus, Job, log_view};
use crate::console::line::Line;
use crate::console::pen::Pen;
use crate::console::screens::{Scene, instead};
use crate::console::spot::Spot;
use crate::console::text;
use crate::console::theme::Role;

impl Job {
    pub(super) fn draw_log(&self, pen: &mut Pen, area: Rect, scene: &Scene) {
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
        // First, because the name of a step may be as long as it likes.
        let head = match detail.run.heard_at.filter(|_| detail.run.unreachable) {
            Some(heard) => Line::new().put(
                Role::Warning,
                format!("! agent unreachable for {} · ", scene.now.age(heard)),
            ),
            None => Line::new(),
        };
        let head = head.bold(if focused { Role::Accent } else { Role::Strong }, name);
        let head = if self.is_together() {
            head.muted(" · ")
                .text(format!("all {} runs", self.runs().len()))
        } else if detail.run.of > 1 {
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
        let end = log_view::view(pen, inside, &self.log) + u16::from(scene.shell.is_airy());
        self.draw_end(
            pen,
            Rect {
                y: end,
                height: area.bottom().saturating_sub(end),
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
            let run = self.detail().map(|detail| &detail.run);
            let removed = run.and_then(|run| Some((run.stopped_at, run.log_removed_at?)));
            let line = Line::new().muted(match removed {
                Some((stopped, removed)) => keep::log_removed(stopped, removed),
                None if window.open => "no output yet".to_owned(),
                None => "no output".to_owned(),
            });
            pen.line(
                area.x,
                self.log_area(scene.shell, scene.shell.body()).y,
                area.width,
                &line,
            );
            return;
        }
        let at_end = self
            .log
            .position()
            .is_none_or(|(last, total)| last == total);
        if !at_end || self.agent {
            return;
        }
        let lines = if self.is_together() {
            self.runs().iter().filter_map(run_ended).collect()
        } else {
            let line = self.shown_step().and_then(|step| ended(step, scene));
            line.into_iter().collect::<Vec<_>>()
        };
        pen.lines(area, &lines);
    }
}
