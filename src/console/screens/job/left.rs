//! The left side of a job: its runs, the steps of one of them, and what ended the step that is shown.

use ratatui::layout::Rect;
use roundel::api::builds::{JobRow, RunRow, Status};

use super::{Focus, Job, is_bad};
use crate::console::keymap::{Cmd, Context};
use crate::console::line::Line;
use crate::console::marks;
use crate::console::pen::Pen;
use crate::console::screens::{Scene, instead};
use crate::console::spot::Spot;
use crate::console::text;
use crate::console::theme::Role;

/// Runs in a row.
const RUNS_ABREAST: usize = 5;
/// Rows of runs shown.
const RUN_ROWS: usize = 4;

impl Job {
    pub(super) fn draw_left(&self, pen: &mut Pen, area: Rect, scene: &Scene) {
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
            let lines = if let Some(name) = self.missing() {
                let text = format!("✗ this build has no job `{name}`");
                text::wrap(&text, area.width)
                    .into_iter()
                    .map(|words| Line::new().put(Role::Failed, words))
                    .collect()
            } else if let (None, Some((_, job))) = (self.attempt(), self.job()) {
                to_come(job, scene, area.width)
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
        // The cause of a run that failed names the code of the step that did.
        let code = step.exit_code.filter(|_| cause.is_empty() || !is_bad(step));
        let code = code.map_or_else(String::new, |code| format!("exit code {code}, "));
        if !step.command.is_empty() {
            lines.push(Line::new().muted(format!("{code}command:")));
            lines.extend(text::wrap(&step.command, width).into_iter().map(Line::from));
        } else if !code.is_empty() {
            lines.push(Line::new().muted(code.trim_end_matches(", ").to_owned()));
        }
        lines
    }
}

/// Why a job has no run yet.
fn to_come(job: &JobRow, scene: &Scene, width: u16) -> Vec<Line> {
    if job.status != Status::OnHold {
        return vec![Line::new().muted("not in the queue yet")];
    }
    let since = job
        .queued_at
        .map(|since| format!(", {}", scene.now.age(since)));
    let words = format!("◌ waits for approval{}", since.unwrap_or_default());
    let contexts = [Context::Job, Context::Things];
    let key = scene.shell.keymap.key_of(&contexts, Cmd::Approve);
    text::wrap(&words, width)
        .into_iter()
        .map(|words| Line::new().put(Role::Warning, words))
        .chain(key.map(|key| Line::new().key(key, "approves it")))
        .collect()
}
