//! What a job screen says in place of a log: how a step ended, why a run waits.

use roundel::api::builds::{RunRow, StepRow};

use crate::console::line::Line;
use crate::console::marks;
use crate::console::screens::Scene;
use crate::console::text;
use crate::console::theme::Role;

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
