//! The last quarter of an hour of the machine, and the last hour of the queue: two rings that never grow.

use std::collections::VecDeque;

use super::machine::Machine;
use crate::clock::Timestamp;

/// Seconds between two looks.
pub const EVERY_S: u64 = 10;

/// Looks that are kept: a quarter of an hour.
const LOOKS: usize = 90;

/// Minutes of load that are kept.
const MINUTES: usize = 60;

/// The machine at one moment, and since the look before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// When.
    pub at: Timestamp,
    /// Share of all processors that was busy since the look before, in tenths of a percent.
    pub cpu_permille: Option<u16>,
    /// Memory in use and all of it, in MiB.
    pub memory_mb: Option<(u64, u64)>,
    /// Space in use and all of it on the data directory's file system, in bytes.
    pub disk: Option<(u64, u64)>,
    /// Output of steps that was kept since the look before, in bytes a second.
    pub log_bytes_s: u64,
}

/// The most runs of a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// Its beginning.
    pub at: Timestamp,
    /// Most that waited.
    pub waiting: u64,
    /// Most that ran.
    pub running: u64,
}

/// Both rings.
#[derive(Debug)]
pub(super) struct History {
    samples: VecDeque<Sample>,
    load: VecDeque<Load>,
    cpu: Option<(u64, u64)>,
    looked: Timestamp,
    logged: u64,
}

impl History {
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            samples: VecDeque::with_capacity(LOOKS),
            load: VecDeque::with_capacity(MINUTES),
            cpu: None,
            looked: now,
            logged: 0,
        }
    }

    pub(super) fn logged(&mut self, bytes: u64) {
        self.logged = self.logged.saturating_add(bytes);
    }

    pub(super) fn push(
        &mut self,
        machine: &Machine,
        (waiting, running): (u64, u64),
        now: Timestamp,
    ) {
        let cpu_permille = match (self.cpu, machine.cpu) {
            (Some((busy_before, all_before)), Some((busy, all))) if all > all_before => {
                let share = busy.saturating_sub(busy_before) * 1000 / (all - all_before);
                u16::try_from(share.min(1000)).ok()
            }
            _ => None,
        };
        let span_ms = u64::try_from(now.since(self.looked).as_millis()).unwrap_or(u64::MAX);
        let log_bytes_s = (self.logged.saturating_mul(1000))
            .checked_div(span_ms)
            .unwrap_or(0);
        if machine.cpu.is_some() {
            self.cpu = machine.cpu;
        }
        self.logged = 0;
        self.looked = now;
        if self.samples.len() == LOOKS {
            self.samples.pop_front();
        }
        self.samples.push_back(Sample {
            at: now,
            cpu_permille,
            memory_mb: machine.memory_mb,
            disk: machine.disk,
            log_bytes_s,
        });
        self.loaded((waiting, running), now);
    }

    pub(super) fn loaded(&mut self, (waiting, running): (u64, u64), now: Timestamp) {
        let minute = Timestamp(now.0 - now.0.rem_euclid(60_000));
        match self.load.back_mut() {
            Some(last) if last.at == minute => {
                last.waiting = last.waiting.max(waiting);
                last.running = last.running.max(running);
            }
            _ => {
                if self.load.len() == MINUTES {
                    self.load.pop_front();
                }
                self.load.push_back(Load {
                    at: minute,
                    waiting,
                    running,
                });
            }
        }
    }

    pub(super) fn samples(&self) -> impl Iterator<Item = Sample> {
        self.samples.iter().copied()
    }

    pub(super) fn load(&self) -> impl Iterator<Item = Load> {
        self.load.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(busy: u64, all: u64) -> Machine {
        Machine {
            cpu: Some((busy, all)),
            memory_mb: Some((1, 2)),
            disk: None,
        }
    }

    #[test]
    fn shares_and_rates_are_of_the_time_since_the_look_before() {
        let mut history = History::new(Timestamp(0));
        history.push(&machine(100, 1000), (0, 0), Timestamp(0));
        history.logged(4000);
        history.logged(1000);
        history.push(&machine(125, 1100), (3, 1), Timestamp(10_000));
        history.push(&machine(125, 1100), (0, 0), Timestamp(20_000));
        let seen: Vec<_> = history
            .samples()
            .map(|sample| (sample.cpu_permille, sample.log_bytes_s))
            .collect();
        assert_eq!(seen, [(None, 0), (Some(250), 500), (None, 0)]);
    }

    #[test]
    fn a_minute_keeps_its_most() {
        let mut history = History::new(Timestamp(0));
        for (second, runs) in [(0, (1, 0)), (10, (7, 2)), (20, (0, 4)), (60, (5, 5))] {
            history.push(&Machine::default(), runs, Timestamp(second * 1000));
        }
        history.loaded((2, 9), Timestamp(65_000));
        let load: Vec<_> = history
            .load()
            .map(|l| (l.at.0, l.waiting, l.running))
            .collect();
        assert_eq!(load, [(0, 7, 4), (60_000, 5, 9)]);
    }

    #[test]
    fn neither_ring_grows_beyond_its_bound() {
        let mut history = History::new(Timestamp(0));
        for n in 0..10_000 {
            history.push(&machine(0, 1), (0, 0), Timestamp(n * 10_000));
        }
        assert_eq!(history.samples().count(), LOOKS);
        assert_eq!(history.load().count(), MINUTES);
        assert_eq!(history.samples().last().unwrap().at, Timestamp(99_990_000));
    }
}
