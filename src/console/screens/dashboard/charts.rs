//! What people would rather look at than read: the objective, the runs of the last hour, the machine.

use roundel::api::dashboard::{Dashboard, MachineSample};
use roundel::clock::Timestamp;

use super::tiles::share_role;
use crate::console::line::Line;
use crate::console::text;
use crate::console::theme::Role;
use crate::console::widgets::{bars, spark};

/// Looks in the whole history of the machine: a quarter of an hour.
const QUARTER_S: u64 = 900;

/// Minutes of an hour.
const HOUR: usize = 60;

/// Values of the last sixty minutes, `None` for those without any.
fn hour(now: Timestamp, minutes: impl Iterator<Item = (Timestamp, u64)>) -> Vec<Option<u64>> {
    let last = now.0.div_euclid(60_000);
    let mut all = vec![None; HOUR];
    for (at, value) in minutes {
        let back = usize::try_from(last - at.0.div_euclid(60_000)).ok();
        if let Some(place) = back.and_then(|back| (HOUR - 1).checked_sub(back)) {
            all[place] = Some(value);
        }
    }
    all
}

/// The share of each minute's runs that met the objective.
pub(super) fn objective(data: &Dashboard, now: Timestamp, cells: u16) -> Line {
    let shares = data.objective.minutes.iter().filter(|m| m.runs > 0);
    // The worst of the minutes that share a cell: misses are what is looked for.
    let missed = hour(now, shares.map(|m| (m.at, 100 - m.met * 100 / m.runs)));
    let worst = spark::spread(&missed, HOUR, cells);
    worst
        .into_iter()
        .fold(Line::new(), |line, missed| match missed {
            None => line.put(Role::Faint, "·"),
            Some(missed) => {
                let share = 100 - missed.min(100);
                line.join(spark::row(share_role(share), &[Some(share.max(1))], 100))
            }
        })
}

/// Runs of the last hour: bars of those that ran, and below them those that waited.
pub(super) fn runs(data: &Dashboard, now: Timestamp, cells: u16, height: u16) -> Vec<Line> {
    let of = |value: fn(&roundel::api::dashboard::LoadMinute) -> u64| {
        let minutes = data.load.iter().map(|minute| (minute.at, value(minute)));
        spark::spread(&hour(now, minutes), HOUR, cells)
    };
    let (running, waiting) = (of(|m| m.running), of(|m| m.waiting));
    let most = |values: &[Option<u64>]| values.iter().flatten().copied().max().unwrap_or(0);
    let (most_running, most_waiting) = (most(&running), most(&waiting));
    if most_running + most_waiting == 0 {
        return vec![Line::new().muted("Nothing ran and nothing waited.")];
    }
    let bars = spark::rows(Role::BarUsed, &running, most_running, height);
    let last = bars.len().saturating_sub(1);
    let mut lines: Vec<Line> = bars
        .into_iter()
        .enumerate()
        .map(|(i, bars)| {
            let scale = match i {
                0 => text::count(most_running),
                i if i == last => "0".to_owned(),
                _ => String::new(),
            };
            Line::new()
                .put(Role::Faint, format!("{scale:>6} ┤"))
                .join(bars)
        })
        .collect();
    let label = format!("{:>6} ┤", text::count(most_waiting));
    lines.push(Line::new().put(Role::Faint, label).join(spark::row(
        Role::Waiting,
        &waiting,
        most_waiting,
    )));
    let ends = (now.0 - 3_600_000, now.0);
    let from = Timestamp(ends.0).local("%H:%M");
    let axis = Line::new().gap(8).put(Role::Faint, from);
    lines.push(
        axis.pad(8 + cells.saturating_sub(5))
            .put(Role::Faint, now.local("%H:%M")),
    );
    lines
}

/// Over which span the machine is shown: a quarter of an hour, or less while the server is young.
pub(super) fn machine_head(data: &Dashboard) -> String {
    let span_s = data.machine.samples.len() as u64 * data.machine.every_s;
    if span_s >= QUARTER_S {
        return "This machine, last 15 min".to_owned();
    }
    let span = std::time::Duration::from_secs(span_s);
    format!("This machine, {} since the start", text::age(span))
}

/// CPU, memory, disk and output, each with its history.
pub(super) fn machine(data: &Dashboard, cells: u16) -> Vec<Line> {
    let history = History::of(data, cells);
    let row = |label: &str, chart: Line, words: String, more: String| {
        Line::new()
            .muted(label)
            .pad(8)
            .join(chart.pad(cells))
            .gap(2)
            .text(format!("{words:<9}"))
            .muted(more)
    };
    let now = history.now;
    let mut lines = Vec::new();
    if let Some(cpu) = now.cpu_permille {
        let most = data
            .machine
            .samples
            .iter()
            .filter_map(|s| s.cpu_permille)
            .max();
        lines.push(row(
            "CPU",
            history.row(|s| s.cpu_permille.map(u64::from), 1000),
            format!("{} %", cpu / 10),
            most.map_or_else(String::new, |most| format!("max {} %", most / 10)),
        ));
    }
    if let (Some(used), Some(all)) = (now.memory_used_mb, now.memory_total_mb) {
        lines.push(row(
            "Memory",
            history.row(|s| s.memory_used_mb, all),
            text::memory(used),
            format!("of {}", text::memory(all)),
        ));
    }
    if let (Some(used), Some(all)) = (now.disk_used, now.disk_total) {
        lines.push(row(
            "Disk",
            bars::capacity(used, 0, all, cells),
            format!("{} %", percent(used, all)),
            format!("{} free", text::bytes(all.saturating_sub(used))),
        ));
    }
    let most = data
        .machine
        .samples
        .iter()
        .map(|s| s.log_bytes_s)
        .max()
        .unwrap_or(0);
    lines.push(row(
        "Log in",
        history.row(|s| Some(s.log_bytes_s), most),
        format!("{}/s", text::bytes(now.log_bytes_s)),
        format!("max {}/s", text::bytes(most)),
    ));
    lines
}

/// All of it in one line.
pub(super) fn machine_line(data: &Dashboard) -> Line {
    let history = History::of(data, 15);
    let now = history.now;
    let mut line = Line::new().muted("Machine  ");
    if let Some(cpu) = now.cpu_permille {
        let chart = history.row(|s| s.cpu_permille.map(u64::from), 1000);
        line = line
            .muted("cpu ")
            .join(chart)
            .text(format!(" {} %   ", cpu / 10));
    }
    if let (Some(used), Some(all)) = (now.memory_used_mb, now.memory_total_mb) {
        line = line.muted("memory ").text(format!(
            "{} of {}   ",
            text::memory(used),
            text::memory(all)
        ));
    }
    if let (Some(used), Some(all)) = (now.disk_used, now.disk_total) {
        line = line
            .muted("disk ")
            .text(format!("{} %", percent(used, all)));
    }
    line
}

fn percent(part: u64, whole: u64) -> u64 {
    u64::try_from(u128::from(part) * 100 / u128::from(whole.max(1))).unwrap_or(100)
}

/// The looks, and the newest of them.
struct History<'a> {
    samples: &'a [MachineSample],
    now: MachineSample,
    whole: usize,
    cells: u16,
}

impl<'a> History<'a> {
    fn of(data: &'a Dashboard, cells: u16) -> Self {
        let samples = &data.machine.samples;
        let none = MachineSample {
            at: data.started_at,
            cpu_permille: None,
            memory_used_mb: None,
            memory_total_mb: None,
            disk_used: None,
            disk_total: None,
            log_bytes_s: 0,
        };
        Self {
            samples,
            now: samples.last().copied().unwrap_or(none),
            whole: usize::try_from(QUARTER_S / data.machine.every_s.max(1)).unwrap_or(1),
            cells,
        }
    }

    fn row(&self, value: fn(&MachineSample) -> Option<u64>, most: u64) -> Line {
        let values: Vec<_> = self.samples.iter().map(value).collect();
        spark::row(
            Role::BarUsed,
            &spark::spread(&values, self.whole, self.cells),
            most,
        )
    }
}
