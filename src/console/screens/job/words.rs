//! What a job screen says around a log: how a step ended, why a run waits, what is searched and followed.

use roundel::api::builds::{RunRow, StepRow};

use super::Job;
use super::log_view::run_role;
use crate::console::line::Line;
use crate::console::marks;
use crate::console::screens::Scene;
use crate::console::text;
use crate::console::theme::Role;

/// Cells of the words that are searched for.
const WORDS_SHOWN: u16 = 20;

impl Job {
    /// The words of the filter line.
    pub(super) fn words_below(&self) -> Line {
        let line = Line::new().muted("search ").put(Role::Accent, "/");
        let words = self.log.search_words();
        let line = if words.is_empty() {
            line.muted(" none")
        } else {
            // However long it is, what follows it must be seen.
            let words = text::fit(words, WORDS_SHOWN);
            line.bold(Role::Strong, format!(" {words}"))
        };
        let line = match (self.log.search_failure(), self.log.progress()) {
            (Some(failure), _) => line.gap(3).put(Role::Failed, format!("✗ {}", failure.text)),
            (None, Some((line_n, total))) => line.gap(3).put(
                Role::Running,
                format!("looks, {}%", line_n.saturating_mul(100) / total.max(1)),
            ),
            (None, None) => {
                let line = match self.log.found() {
                    Some((n, whole)) if n > 0 => {
                        let plus = if whole { "" } else { "+" };
                        let n = text::count(n as u64);
                        line.gap(3).muted(format!("{n}{plus} lines, n N"))
                    }
                    _ => line,
                };
                match self.log.came_to {
                    Some(words) => line.gap(3).put(Role::Warning, words),
                    None => line,
                }
            }
        };
        let line = line.gap(3);
        let line = if self.log.follows() {
            line.put(Role::Accent, "follows")
        } else {
            let unseen = self.log.unseen();
            let line = line.bold(Role::Waiting, "paused");
            let line = if unseen > 0 {
                line.text(format!(" +{} new", text::count(unseen)))
            } else {
                line
            };
            let line = line.muted(", f follows");
            match self.log.position() {
                Some((last, total)) => line.gap(3).muted(format!(
                    "{} of {} · {}%",
                    text::count(last),
                    text::count(total),
                    last * 100 / total.max(1),
                )),
                None => line,
            }
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

/// How one of several runs ended, when it did not end well.
pub(super) fn run_ended(run: &RunRow) -> Option<Line> {
    if !super::has_failed(run) {
        return None;
    }
    let mark = marks::run(run);
    let cause = if run.cause.is_empty() {
        mark.word
    } else {
        &run.cause
    };
    let line = Line::new().put(mark.role, format!("{} ", mark.glyph));
    Some(
        line.bold(run_role(run.index), format!("run {}", run.index + 1))
            .put(mark.role, format!(" {cause}")),
    )
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
