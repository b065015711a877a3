//! How each part of the server does, from what was measured of it, and the look at the machine every few seconds.

use std::path::PathBuf;
use std::sync::PoisonError;
use std::time::Duration;

use super::view::View;
use crate::clock::{self, Timestamp};
use crate::services::health::machine::Machine;
use crate::services::health::meter::Reading;
use crate::services::health::{Health, Part, history};

/// Silence after which the dispatcher is stuck: it hears a tick each second.
const STUCK_MS: i64 = 5_000;

/// How a part of the server does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartStands {
    /// Which.
    pub part: Part,
    /// How it does.
    pub health: Health,
    /// Since when.
    pub since: Timestamp,
    /// What last went wrong, and when; also long ago.
    pub error: Option<(Timestamp, String)>,
    /// Its figures, in words.
    pub note: String,
}

/// What of a part takes time, and what is too long: people begin to notice, far above what it takes on slow hardware.
fn usual(part: Part) -> (&'static str, Duration) {
    match part {
        Part::Engine => ("decisions", Duration::from_secs(1)),
        Part::Store => ("commits", Duration::from_millis(250)),
        Part::Logs => ("reports", Duration::from_millis(500)),
        Part::Git => ("fetches", Duration::from_secs(30)),
        Part::Fleet => ("starts", Duration::from_secs(5)),
        Part::Api => ("answers", Duration::from_millis(500)),
        // Removing a year of logs may take long, and holds nobody up.
        Part::Housekeeping => ("passes", Duration::from_secs(3600)),
        Part::SignIn => ("looks", Duration::from_secs(30)),
    }
}

impl View {
    /// How each part of the server does.
    #[must_use]
    pub fn parts(&self, now: Timestamp) -> Vec<PartStands> {
        let live = self.live();
        let silent = self.gate.silent(now).len();
        let stands = |part: Part| {
            let read = self.pulse.of(part).read(now);
            let (health, note) = match part {
                Part::Engine => engine(&read, now),
                Part::Store if live.read_only.is_some() => {
                    (Health::Failing, "takes no writes".to_owned())
                }
                Part::Fleet => fleet(&read, live.nodes.rows().len(), self.gate.count(), silent),
                Part::Housekeeping => (timed(part, &read).0, self.passes_told(now)),
                _ => timed(part, &read),
            };
            PartStands {
                part,
                health,
                since: self.pulse.stands(part, health, now),
                error: read.error,
                note,
            }
        };
        // Where nobody has signed in by a directory, there is no such part.
        let used =
            |part: &Part| *part != Part::SignIn || self.pulse.of(*part).read(now).last.is_some();
        Part::ALL.into_iter().filter(used).map(stands).collect()
    }
}

impl View {
    /// What the last pass of housekeeping removed, and when the next one is.
    fn passes_told(&self, now: Timestamp) -> String {
        let passes = self.passes.lock().unwrap_or_else(PoisonError::into_inner);
        let last = match &passes.last {
            None => "removed nothing yet".to_owned(),
            Some(last) => format!("{} ago removed {}", ago(last.at, now), last.words()),
        };
        // Where there is little room, what comes is worth more than what was.
        match (passes.running, passes.next) {
            (Some(_), _) => format!("at it now; {last}"),
            (None, Some(next)) => format!("next in {}; {last}", ago(now, next)),
            (None, None) => last,
        }
    }
}

/// `40 s`, `12 min`, `3 h`, `5 d`: the time between two moments, roughly.
fn ago(from: Timestamp, to: Timestamp) -> String {
    match to.since(from).as_secs() {
        s @ 0..60 => format!("{s} s"),
        s @ 60..3600 => format!("{} min", s / 60),
        s @ 3600..86_400 => format!("{} h", s / 3600),
        s => format!("{} d", s / 86_400),
    }
}

/// Health and figures of a part that is known by how long it takes.
fn timed(part: Part, read: &Reading) -> (Health, String) {
    let (what, most) = usual(part);
    let Some(p99) = read.p99 else {
        let health = if read.failed {
            Health::Failing
        } else {
            Health::Ok
        };
        return (health, format!("no {what} in the last 5 min"));
    };
    let health = match p99 {
        _ if read.failed => Health::Failing,
        // A single one is no measure.
        p99 if p99 > most && read.count > 1 => Health::Slow,
        _ => Health::Ok,
    };
    let of = match read.count {
        1 => "1 of 1".to_owned(),
        few @ 0..100 => format!("{} of {few}", few.saturating_sub(1)),
        _ => "99 of 100".to_owned(),
    };
    (health, format!("{of} {what} within {}", span(p99)))
}

fn engine(read: &Reading, now: Timestamp) -> (Health, String) {
    match read.last {
        Some(last) if now.0 - last.0 > STUCK_MS => (
            Health::Failing,
            format!("has decided nothing for {} s", (now.0 - last.0) / 1000),
        ),
        _ => timed(Part::Engine, read),
    }
}

fn fleet(read: &Reading, nodes: usize, agents: usize, silent: usize) -> (Health, String) {
    let plural = |n: usize, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
    let note = format!("{}, {}", plural(nodes, "node"), plural(agents, "agent"));
    if silent > 0 {
        return (Health::Failing, format!("{note}, {silent} unreachable"));
    }
    let (health, figures) = timed(Part::Fleet, read);
    match health {
        Health::Ok => (health, note),
        _ => (health, format!("{note}; {figures}")),
    }
}

/// `0.5 ms`, `4 ms`, `1.0 s`: the bars of the histogram are powers of two, so one place is enough.
fn span(span: Duration) -> String {
    let micros = span.as_micros();
    match micros {
        0..1000 => format!("0.{} ms", (micros / 100).max(1)),
        1000..1_000_000 => format!("{} ms", micros / 1000),
        _ => format!("{}.{} s", micros / 1_000_000, micros % 1_000_000 / 100_000),
    }
}

/// Looks at the machine every few seconds, for as long as the runtime lives.
pub(super) async fn watch(view: View, data: PathBuf) {
    let mut every = tokio::time::interval(Duration::from_secs(history::EVERY_S));
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        let data = data.clone();
        // A file system that hangs must not hang a thread that others need.
        let looked = tokio::task::spawn_blocking(move || Machine::look(&data)).await;
        let (Ok(machine), now) = (looked, clock::now()) else {
            continue;
        };
        let live = view.live();
        view.pulse
            .sample(&machine, (live.waiting, live.running), now);
        // Since when a part does as it does is known also when nobody asks.
        let _ = view.parts(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(p99_ms: Option<u64>, failed: bool) -> Reading {
        Reading {
            count: 1000,
            p99: p99_ms.map(Duration::from_millis),
            last: Some(Timestamp(1_000_000)),
            error: None,
            failed,
        }
    }

    #[test]
    fn a_part_is_slow_above_its_bound_and_fails_when_its_newest_try_did() {
        for (p99, failed, health, note) in [
            (None, false, Health::Ok, "no commits in the last 5 min"),
            (Some(4), false, Health::Ok, "99 of 100 commits within 4 ms"),
            (
                Some(250),
                false,
                Health::Ok,
                "99 of 100 commits within 250 ms",
            ),
            (
                Some(1048),
                false,
                Health::Slow,
                "99 of 100 commits within 1.0 s",
            ),
            (
                Some(4),
                true,
                Health::Failing,
                "99 of 100 commits within 4 ms",
            ),
            (None, true, Health::Failing, "no commits in the last 5 min"),
        ] {
            let told = timed(Part::Store, &read(p99, failed));
            assert_eq!(told, (health, note.to_owned()), "{p99:?} {failed}");
        }
        for (count, health, note) in [
            (1, Health::Ok, "1 of 1 commits within 1.0 s"),
            (2, Health::Slow, "1 of 2 commits within 1.0 s"),
            (99, Health::Slow, "98 of 99 commits within 1.0 s"),
        ] {
            let few = Reading {
                count,
                ..read(Some(1048), false)
            };
            assert_eq!(timed(Part::Store, &few), (health, note.to_owned()));
        }
    }

    #[test]
    fn a_dispatcher_that_hears_no_tick_is_stuck() {
        let read = read(Some(1), false);
        assert_eq!(engine(&read, Timestamp(1_004_000)).0, Health::Ok);
        let (health, note) = engine(&read, Timestamp(1_012_000));
        assert_eq!(
            (health, note.as_str()),
            (Health::Failing, "has decided nothing for 12 s")
        );
    }

    #[test]
    fn a_fleet_tells_its_agents_and_fails_with_those_that_are_silent() {
        let well = read(Some(3), false);
        assert_eq!(
            fleet(&well, 1, 2, 0),
            (Health::Ok, "1 node, 2 agents".to_owned())
        );
        assert_eq!(
            fleet(&well, 3, 1, 1),
            (
                Health::Failing,
                "3 nodes, 1 agent, 1 unreachable".to_owned()
            )
        );
    }

    #[test]
    fn spans_are_short() {
        for (micros, text) in [
            (1, "0.1 ms"),
            (512, "0.5 ms"),
            (4096, "4 ms"),
            (2_097_152, "2.0 s"),
        ] {
            assert_eq!(span(Duration::from_micros(micros)), text);
        }
    }
}
