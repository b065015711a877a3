//! What a job screen says around a log: how a step ended, why a run waits, what is searched and followed.

use roundel::api::builds::{RunRow, StepRow};

use super::Job;
use crate::console::line::Line;
use crate::console::marks;
use crate::console::screens::Scene;
use crate::console::text;
use crate::console::theme::Role;

impl Job {
    /// The words of the filter line.
    pub(super) fn words_below(&self) -> Line {
        let line = Line::new().muted("search ").put(Role::Accent, "/");
        let line = if self.log.search.is_empty() {
            line.muted(" none")
        } else {
            line.bold(Role::Strong, format!(" {}", self.log.search))
        };
        let line = match (self.log.found(), self.log.search_failure()) {
            (_, Some(failure)) => line.gap(3).put(Role::Failed, format!("✗ {}", failure.text)),
            (Some((0, _)), _) => line.gap(3).put(Role::Warning, "not found"),
            (Some((n, more)), _) => {
                let plus = if more { "+" } else { "" };
                line.gap(3).muted(format!(
                    "{}{plus} lines   n N next, previous",
                    text::count(n as u64)
                ))
            }
            _ => line,
        };
        let line = line.gap(5);
        let line = if self.log.follow {
            line.put(Role::Accent, "follows")
        } else {
            let unseen = self.log.unseen();
            let line = line.bold(Role::Waiting, "paused");
            let line = if unseen > 0 {
                line.text(format!(" +{} new", text::count(unseen)))
            } else {
                line
            };
            line.muted(", f follows")
        };
        match self.log.lines.failure() {
            Some(failure) if self.log.lines.data().is_some() => {
                line.gap(3).put(Role::Failed, format!("✗ {}", failure.text))
            }
            _ => line,
        }
    }
}

pub(super) fn ended(step: &StepRow, scene: &Scene) -> Option<Line> {
    let (start, stop) = (step.started_at?, step.stopped_at?);
    let mark = marks::step(step.status);
    let took = scene.now.took(start, Some(stop));
    let what = match step.exit_code {
        Some(code) if code != 0 => format!("{} exit {code} after {took}", mark.glyph),
        _ => format!("{} {} after {took}", mark.glyph, mark.word),
    };
    Some(Line::new().bold(mark.role, what))
}

pub(super) fn waiting(run: &RunRow, scene: &Scene, width: u16) -> Vec<Line> {
    let mut lines = vec![Line::new().put(
        Role::Waiting,
        format!("◌ waits for {}", scene.now.age(run.queued_at)),
    )];
    if let Some(reason) = &run.reason {
        let role = if reason.never {
            Role::Failed
        } else {
            Role::Text
        };
        lines.extend(
            text::wrap(&reason.text, width)
                .into_iter()
                .map(|words| Line::new().put(role, words)),
        );
    }
    if let Some(place) = run.place {
        lines.push(Line::new().muted(format!("{} in line", text::ordinal(place))));
    }
    lines.push(Line::new());
    lines.push(Line::new().key("2", "the queue explains at length"));
    lines
}
