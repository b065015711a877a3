//! The facts at the top: state, version, queue objective, fleet; in three lines each, or all of it in four lines.

use roundel::api::dashboard::Dashboard;
use roundel::api::services::Phase;

use super::charts;
use crate::console::keymap::{Cmd, Context};
use crate::console::line::Line;
use crate::console::screens::{Scene, workflow};
use crate::console::text;
use crate::console::theme::Role;
use crate::console::widgets::bars;

/// Share of an hour's runs from which the objective counts as met, and as nearly met, in percent.
const MET: (u64, u64) = (95, 80);

fn state(data: &Dashboard) -> Line {
    match data.installation.phase {
        Phase::Started => Line::new().bold(Role::Ok, "● Started"),
        Phase::Stopping => Line::new().bold(
            Role::Warning,
            format!("◐ Stopping, {} left", text::plural(data.running, "run")),
        ),
        Phase::Stopped => Line::new().bold(Role::Failed, "○ Stopped"),
    }
}

fn since(data: &Dashboard, scene: &Scene) -> String {
    let who = workflow::who(&data.installation.by);
    match data.installation.since {
        Some(at) => format!("{}, by {who}", scene.now.age(at)),
        None => String::new(),
    }
}

fn key(scene: &Scene, data: &Dashboard) -> Line {
    let key = scene
        .shell
        .keymap
        .key_of(&[Context::Dashboard], Cmd::Services);
    let does = if data.installation.takes_work() {
        "stops it"
    } else {
        "starts it"
    };
    key.map_or_else(Line::new, |key| Line::new().key(key, does))
}

fn version(data: &Dashboard) -> String {
    format!("Roundel {}", data.version)
}

fn uptime(data: &Dashboard, scene: &Scene) -> String {
    format!("up {}", scene.now.age(data.started_at))
}

fn runs(data: &Dashboard) -> Line {
    Line::new()
        .strong(text::count(data.running))
        .text(" running   ")
        .strong(text::count(data.waiting))
        .text(" waiting")
}

/// `98.6 % of the last hour`.
fn objective(data: &Dashboard) -> Line {
    let (mut all, mut met) = (0u64, 0u64);
    for minute in &data.objective.minutes {
        all += minute.runs;
        met += minute.met;
    }
    if all == 0 {
        return Line::new().muted("no run in the last hour");
    }
    let tenths = met * 1000 / all;
    let role = share_role(tenths / 10);
    let share = match tenths {
        1000 => "100 %".to_owned(),
        tenths => format!("{}.{} %", tenths / 10, tenths % 10),
    };
    Line::new().bold(role, share).muted(" of the last hour")
}

/// How a share of the objective is told.
pub(super) fn share_role(percent: u64) -> Role {
    match percent {
        p if p >= MET.0 => Role::Ok,
        p if p >= MET.1 => Role::Waiting,
        _ => Role::Failed,
    }
}

fn objective_head(data: &Dashboard) -> String {
    format!("Queue under {} s", data.objective.within_ms / 1000)
}

fn fleet(data: &Dashboard) -> Line {
    let nodes = &data.nodes;
    let line = Line::new().text(format!("{} ready", nodes.ready));
    let others = [
        (nodes.draining, Role::Waiting, "draining"),
        (nodes.ineligible, Role::Canceled, "ineligible"),
        (nodes.down, Role::Failed, "down"),
    ];
    others
        .into_iter()
        .filter(|(n, ..)| *n > 0)
        .fold(line, |line, (n, role, word)| {
            line.put(role, format!(" {n} {word}"))
        })
}

fn capacity(data: &Dashboard, cells: u16) -> Line {
    let nodes = &data.nodes;
    bars::capacity(nodes.cpu_millis_used, 0, nodes.cpu_millis, cells).text(format!(
        " {} of {} cpu",
        text::cores(nodes.cpu_millis_used),
        text::cores(nodes.cpu_millis)
    ))
}

/// Four tiles of three lines; `cells` is the width of one.
pub(super) fn tiles(data: &Dashboard, scene: &Scene, cells: u16) -> [[Line; 3]; 4] {
    [
        [
            state(data),
            Line::new().muted(since(data, scene)),
            key(scene, data),
        ],
        [
            Line::new().strong(version(data)),
            Line::new().muted(uptime(data, scene)),
            runs(data),
        ],
        [
            Line::new().strong(objective_head(data)),
            objective(data),
            charts::objective(data, scene.now.at(), cells.saturating_sub(4).min(60)),
        ],
        [
            Line::new().strong("Fleet"),
            fleet(data),
            capacity(data, cells.saturating_sub(16).min(40)),
        ],
    ]
}

/// The same where there is no room for tiles.
pub(super) fn lines(data: &Dashboard, scene: &Scene, width: u16) -> Vec<Line> {
    let first = state(data)
        .gap(2)
        .muted(since(data, scene))
        .gap(3)
        .strong(version(data))
        .muted(format!(" {}   ", uptime(data, scene)))
        .join(key(scene, data));
    let queue = Line::new()
        .muted("Queue    ")
        .join(runs(data))
        .gap(3)
        .join(objective(data))
        .muted(format!(" under {} s", data.objective.within_ms / 1000));
    let nodes = Line::new()
        .muted("Fleet    ")
        .join(fleet(data))
        .gap(2)
        .join(capacity(data, if width >= 76 { 12 } else { 6 }));
    vec![first, queue, nodes, charts::machine_line(data)]
}
