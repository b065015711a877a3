//! The facts at the top: state, version, queue objective, fleet; in three lines each, or all of it in four lines.

use roundel::api::dashboard::{CertificateRow, Dashboard};
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

/// Days from which the end of a certificate is nothing that anybody has to know: ten years.
const FAR_DAYS: i64 = 3650;

/// Whose certificate it is and how long it holds, in so many cells for the name.
fn certificate(row: &CertificateRow, cells: u16) -> Line {
    let line = Line::new()
        .muted(format!("{} ", row.place))
        .text(text::fit(&row.name, cells).into_owned());
    let days = match row.days_left {
        ..0 => line.put(Role::Failed, " expired"),
        0 => line.put(Role::Failed, " ends today"),
        FAR_DAYS.. => line.muted(format!(" {}", row.source)),
        days => {
            let role = if row.ends_soon {
                Role::Warning
            } else {
                Role::Ok
            };
            line.put(role, format!(" {days} d left"))
        }
    };
    match row.trouble {
        Some(_) if row.locked => days.put(Role::Failed, ", its key is locked"),
        Some(_) => days.put(Role::Failed, ", new one refused"),
        None => days,
    }
}

/// The certificates that are served, in one line; `None` where none is.
pub(super) fn certificates(data: &Dashboard) -> Option<Line> {
    let (first, others) = data.certificates.split_first()?;
    let line = Line::new()
        .muted("Certs    ")
        .join(certificate(first, CERTIFICATE_NAME));
    Some(others.iter().fold(line, |line, row| {
        line.gap(3).join(certificate(row, CERTIFICATE_NAME))
    }))
}

/// Cells of the name of a certificate, where two stand in a line of 78.
const CERTIFICATE_NAME: u16 = 17;

/// The certificates that are served, in a tile of three lines.
pub(super) fn certificate_tile(data: &Dashboard, cells: u16) -> Option<[Line; 3]> {
    let name = cells.saturating_sub(20).max(8);
    let mut rows = data.certificates.iter().map(|row| certificate(row, name));
    let (first, second) = (rows.next()?, rows.next().unwrap_or_default());
    Some([Line::new().strong("Certificates"), first, second])
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
    let mut lines = vec![first, queue, nodes, charts::machine_line(data)];
    lines.extend(certificates(data));
    lines
}
