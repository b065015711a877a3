//! The parts of the queue screen below its table: why a run waits, and how long runs waited.

use ratatui::layout::Rect;
use roundel::api::WaitBucket;
use roundel::api::builds::{RunDetail, RunRow};
use roundel::api::fleet::Explanation;

use crate::console::feed::Feed;
use crate::console::line::Line;
use crate::console::pen::Pen;
use crate::console::screens::{Scene, fact, instead};
use crate::console::text;
use crate::console::theme::Role;
use crate::console::verbs::copy_name;
use crate::console::widgets::bars;

/// The objective: most runs wait no longer than this.
const OBJECTIVE_MS: u64 = 1000;
/// The objective of expensive hardware; beyond it a wait is a failure.
const LONG_MS: u64 = 10_000;

/// Draws the explanation of one run.
pub fn why(pen: &mut Pen, area: Rect, run: &RunRow, feed: &Feed<RunDetail>, scene: &Scene) {
    pen.section(
        area,
        &Line::new().strong(format!("why {} waits", copy_name(run))),
    );
    let inside = Rect {
        x: area.x + 1,
        y: area.y + 1,
        width: area.width.saturating_sub(2),
        height: area.height.saturating_sub(1),
    };
    let detail = feed
        .data()
        .filter(|detail| detail.run.attempt == run.attempt);
    match detail.and_then(|detail| detail.explanation.as_ref()) {
        Some(explanation) => pen.lines(inside, &facts(run, explanation, scene)),
        None => {
            let reason = run
                .reason
                .as_ref()
                .map(|reason| Line::from(reason.text.as_str()));
            pen.lines(
                inside,
                &instead(feed, scene, inside.width).unwrap_or_else(|| reason.into_iter().collect()),
            );
        }
    }
}

fn facts(run: &RunRow, why: &Explanation, scene: &Scene) -> Vec<Line> {
    let class = run.resource_class.as_deref().map_or_else(
        || " (no resource class written)".to_owned(),
        |class| format!(" (resource class {class})"),
    );
    let asks = format!(
        "{}, {}, executor {}",
        text::cpu(why.cpu_millis),
        text::memory(u64::from(why.memory_mb)),
        why.executor
    );
    let mut causes = Line::new();
    for cause in &why.causes {
        let role = if cause.cause == "fits" {
            Role::Ok
        } else {
            Role::Text
        };
        causes = causes.put(
            role,
            format!(
                "{} {}   ",
                text::count(u64::from(cause.nodes)),
                words(&cause.cause)
            ),
        );
    }
    let nearest = why.nearest.as_ref().map_or_else(
        || Line::new().muted("none that could ever give as much"),
        |node| {
            Line::new().put(Role::Link, node.node.clone()).text(format!(
                "  {} of {} free, {} of {} GB free",
                text::cores(u64::from(node.cpu_free_millis)),
                text::cpu(node.cpu_millis),
                text::gigabytes(u64::from(node.memory_free_mb)),
                text::gigabytes(u64::from(node.memory_mb)),
            ))
        },
    );
    let line = format!(
        "{} of its shape, {} in all; priority {}, age {}",
        text::ordinal(why.place_of_shape),
        text::ordinal(why.place),
        run.priority,
        scene.now.age(run.queued_at)
    );
    let estimate = run.estimate.as_ref().map_or_else(
        || {
            Line::new()
                .text("; no estimate")
                .muted(" (what it waits for is new or late)")
        },
        |estimate| {
            Line::new()
                .text(format!("; starts in {}", scene.now.eta(estimate.at)))
                .muted(format!(" ({})", estimate.how))
        },
    );
    let help = if why.help.is_empty() {
        Line::new().muted("nothing but waiting")
    } else {
        Line::from(why.help.join(";  "))
    };
    vec![
        fact("asks for", Line::new().text(asks).muted(class)),
        fact(&text::plural(u64::from(why.nodes), "node"), causes),
        fact("nearest", nearest),
        fact("in line", Line::from(line).join(estimate)),
        fact("would help", help),
    ]
}

fn words(cause: &str) -> &str {
    match cause {
        "cpu" => "lack cpu",
        "memory" => "lack memory",
        "executor" => "without executor",
        "too_small_cpu" => "too small in cpu",
        "too_small_memory" => "too small in memory",
        "fits" => "with room",
        other => other,
    }
}

/// How long runs waited, in a few words and one bar.
pub fn waited(waits: &[WaitBucket], roomy: bool) -> Line {
    let total: u64 = waits.iter().map(|bucket| bucket.runs).sum();
    if total == 0 {
        return Line::new().muted("none placed within the last hour");
    }
    let share = |part: u64| format!("{} p{part} ", if part == 50 { "waited" } else { "" });
    let mut line = Line::new();
    for percent in [50, 95] {
        let label = if roomy || percent == 95 {
            share(percent)
        } else {
            format!("p{percent} ")
        };
        line = line
            .text(label)
            .strong(quantile(waits, total, percent))
            .gap(1);
    }
    let Some(within) = within(waits, OBJECTIVE_MS) else {
        return line;
    };
    let percent = within * 1000 / total;
    let words = format!("{}.{} %", percent / 10, percent % 10);
    if roomy {
        let bar = bars::capacity(within, 0, total, 10);
        let bar = Line {
            spans: bar
                .spans
                .into_iter()
                .map(|mut s| {
                    if s.role == Role::BarUsed {
                        s.role = Role::Ok;
                    }
                    s
                })
                .collect(),
        };
        line.muted("  objective 1 s ")
            .join(bar)
            .muted(format!(" {words} of the last hour"))
    } else {
        line.muted(format!("  {words} under 1 s"))
    }
}

/// The bound under which a share of the runs waited; a histogram knows no more.
fn quantile(waits: &[WaitBucket], total: u64, percent: u64) -> String {
    let rank = (total * percent).div_ceil(100);
    let mut seen = 0;
    let mut lower = 0;
    for bucket in waits {
        seen += bucket.runs;
        if seen >= rank {
            return match bucket.up_to_ms {
                Some(bound) => format!("<{}", short(bound)),
                None => format!(">{}", short(lower)),
            };
        }
        lower = bucket.up_to_ms.unwrap_or(lower);
    }
    "–".to_owned()
}

fn within(waits: &[WaitBucket], ms: u64) -> Option<u64> {
    waits
        .iter()
        .any(|bucket| bucket.up_to_ms == Some(ms))
        .then(|| {
            waits
                .iter()
                .filter(|bucket| bucket.up_to_ms.is_some_and(|bound| bound <= ms))
                .map(|bucket| bucket.runs)
                .sum()
        })
}

/// Writes a bound: `0.1 s`, `1 s`, `10 s`, `5 min`.
fn short(ms: u64) -> String {
    match ms {
        0..1000 => format!("0.{} s", ms / 100),
        1000..60_000 => format!("{} s", ms / 1000),
        _ => format!("{} min", ms / 60_000),
    }
}

/// Writes two bounds: `0.1 – 1 s`, `10 s – 1 min`.
fn between(from: u64, to: u64) -> String {
    let (low, high) = (short(from), short(to));
    let unit = |words: &str| words.rsplit(' ').next().map(str::to_owned);
    match low.rsplit_once(' ') {
        Some((number, _)) if unit(&low) == unit(&high) => format!("{number} – {high}"),
        _ => format!("{low} – {high}"),
    }
}

/// Draws the histogram of waits.
pub fn waits(pen: &mut Pen, area: Rect, waits: &[WaitBucket]) {
    pen.section(area, &Line::new().strong("how long runs waited, last hour"));
    let most = waits.iter().map(|bucket| bucket.runs).max().unwrap_or(0);
    let total: u64 = waits.iter().map(|bucket| bucket.runs).sum();
    let room = area.width.saturating_sub(16 + 20);
    let mut lower = 0;
    for (y, bucket) in (area.y + 1..area.bottom()).zip(waits) {
        let label = match bucket.up_to_ms {
            Some(bound) if lower == 0 => format!("under {}", short(bound)),
            Some(bound) => between(lower, bound),
            None => format!("over {}", short(lower)),
        };
        let role = match bucket.up_to_ms {
            Some(bound) if bound <= OBJECTIVE_MS => Role::BarUsed,
            Some(bound) if bound <= LONG_MS => Role::Waiting,
            _ => Role::Failed,
        };
        let line = Line::new()
            .muted(label)
            .pad(14)
            .join(bars::amount(role, bucket.runs, most, room))
            .pad(14 + room);
        let percent = if total == 0 {
            0
        } else {
            (bucket.runs * 100 + total / 2) / total
        };
        let line = line
            .text(format!("{:>9}", text::count(bucket.runs)))
            .muted(format!(" {percent:>3} %"));
        pen.line(area.x + 1, y, area.width.saturating_sub(2), &line);
        lower = bucket.up_to_ms.unwrap_or(lower);
    }
}

#[cfg(test)]
mod tests;
