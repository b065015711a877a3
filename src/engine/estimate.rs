//! When a waiting run may start and when a node may be empty, from how long the same jobs took before.
//!
//! An estimate is only given where every run it rests on has a history and runs no longer than usual, and says what it
//! was made from.

use std::time::Duration;

use super::usuals::Usuals;
use super::view::View;
use crate::clock::Timestamp;
use crate::ids::{AttemptId, NodeId};
use crate::pipeline::status::RunState;
use crate::pipeline::usual::Usual;
use crate::store::{RunFilter, RunRecord, StoreError, WindowQuery};

/// Running runs looked at; beyond that an estimate would be a guess.
const RUNNING: u64 = 200;

/// A moment that is expected, and what that rests on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Expected {
    /// The moment; not past when it was made.
    pub at: Timestamp,
    /// `median of 18 runs`.
    pub how: String,
}

/// A run's expected end with the size of the history it rests on, and its node and job. `None`: it has no history, or
/// runs longer than usual.
type End = (Option<(Timestamp, u32)>, Option<NodeId>, String);

/// When the runs that run now are expected to end.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Forecast {
    /// Expected ends with the size of the history each rests on, soonest first; those without come last.
    ends: Vec<End>,
}

impl Forecast {
    fn new(mut ends: Vec<End>) -> Self {
        ends.sort_by_key(|(end, ..)| (end.is_none(), *end));
        Self { ends }
    }

    /// When the run at this place in line (from 1) may start: once as many runs have ended as stand before and at it.
    #[must_use]
    pub fn start(&self, place: u64) -> Option<Expected> {
        let index = usize::try_from(place).ok()?.checked_sub(1)?;
        let (end, _, job) = self.ends.get(index)?;
        let (at, runs) = (*end)?;
        let ahead = match index {
            0 => "next in line".to_owned(),
            n => format!("{n} ahead"),
        };
        Some(Expected {
            at,
            how: format!(
                "median of {runs} run{} of {job}, which must end first; {ahead}",
                if runs == 1 { "" } else { "s" }
            ),
        })
    }

    /// When the last run of a node is expected to end.
    #[must_use]
    pub fn idle(&self, node: NodeId) -> Option<Expected> {
        let on_node: Vec<_> = self
            .ends
            .iter()
            .filter(|(_, on, _)| *on == Some(node))
            .map(|(end, ..)| *end)
            .collect();
        let ends = on_node.into_iter().collect::<Option<Vec<_>>>()?;
        let (at, runs) = ends.into_iter().max()?;
        Some(Expected {
            at,
            how: format!("median of {runs} run{}", if runs == 1 { "" } else { "s" }),
        })
    }
}

/// A run is overdue when it runs longer than usual and so much beyond its median: for less, nobody is called.
const OVER: Duration = Duration::from_secs(60);

/// A run that runs clearly longer than its job usually does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Overdue {
    /// Its attempt.
    pub attempt: AttemptId,
    /// `org/api #12 test`.
    pub name: String,
    /// When it had run as long as usual.
    pub since: Timestamp,
    /// What is usual.
    pub median: Duration,
    /// Past runs that this is the median of.
    pub runs: u32,
}

/// Since when a run has been overdue; `None` while it is not.
fn overdue_since(placed: Timestamp, usual: Usual, now: Timestamp) -> Option<(Timestamp, Duration)> {
    let median = Duration::from_millis(usual.ms);
    let over = now.since(placed);
    let ms = u64::try_from(over.as_millis()).unwrap_or(u64::MAX);
    let clearly = usual.is_exceeded_by(ms) && over >= median + OVER;
    clearly.then(|| (placed.plus(median), median))
}

impl View {
    /// When what runs now is expected to end.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn forecast(
        &self,
        usuals: &mut Usuals<'_>,
        now: Timestamp,
    ) -> Result<Forecast, StoreError> {
        let ends = self.running(usuals)?.into_iter().map(|(run, known)| {
            let end = known.and_then(|known| expected_end(run.placed?, known, now));
            (end, run.node, run.job_name)
        });
        Ok(Forecast::new(ends.collect()))
    }

    /// What runs clearly longer than usual, longest overdue first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn overdue(&self, now: Timestamp) -> Result<Vec<Overdue>, StoreError> {
        let found = self.running(&mut self.usuals())?.into_iter();
        let mut overdue: Vec<Overdue> = found
            .filter_map(|(run, known)| {
                let known = known?;
                let (since, median) = overdue_since(run.placed?, known, now)?;
                Some(Overdue {
                    attempt: run.id,
                    name: format!("{} #{} {}", run.title, run.number, run.job_name),
                    since,
                    median,
                    runs: known.of,
                })
            })
            .collect();
        overdue.sort_by_key(|one| one.since);
        Ok(overdue)
    }

    /// What runs now, each with how long its job usually takes.
    fn running(
        &self,
        usuals: &mut Usuals<'_>,
    ) -> Result<Vec<(RunRecord, Option<Usual>)>, StoreError> {
        let filter = RunFilter {
            states: vec![RunState::Running],
            node: None,
        };
        let query = WindowQuery {
            limit: RUNNING,
            ..WindowQuery::default()
        };
        let runs = self.runs(&filter, &query)?.rows.into_iter();
        runs.map(|run| {
            let usual = usuals.run(run.project, &run.job_name)?;
            Ok((run, usual))
        })
        .collect()
    }
}

/// Of a run past its median nobody knows when it ends: better no moment than one that stays "now".
fn expected_end(placed: Timestamp, usual: Usual, now: Timestamp) -> Option<(Timestamp, u32)> {
    let end = placed.plus(Duration::from_millis(usual.ms));
    (end > now).then_some((end, usual.of))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nth_in_line_starts_when_the_nth_run_ends() {
        let node = NodeId::fresh();
        let forecast = Forecast::new(vec![
            (Some((Timestamp(900), 3)), Some(node), "test".to_owned()),
            (None, Some(node), "test".to_owned()),
            (Some((Timestamp(500), 1)), None, "lint".to_owned()),
        ]);
        assert_eq!(forecast.start(1).unwrap().at, Timestamp(500));
        assert_eq!(
            forecast.start(1).unwrap().how,
            "median of 1 run of lint, which must end first; next in line"
        );
        assert_eq!(
            forecast.start(2).unwrap().how,
            "median of 3 runs of test, which must end first; 1 ahead"
        );
        assert_eq!(forecast.start(2).unwrap().at, Timestamp(900));
        assert_eq!(forecast.start(3), None, "no history, no estimate");
        assert_eq!(forecast.start(4), None);
        assert_eq!(forecast.idle(node), None, "one run there has no history");
    }

    #[test]
    fn a_run_past_its_median_has_no_expected_end() {
        let end = |now| expected_end(Timestamp(1000), Usual { ms: 500, of: 7 }, Timestamp(now));
        assert_eq!(end(1499), Some((Timestamp(1500), 7)));
        assert_eq!(end(1500), None);
        assert_eq!(end(9000), None);
    }

    #[test]
    fn overdue_is_longer_than_usual_and_a_minute_at_least_of_a_job_with_a_history() {
        let overdue = |ms, of, now| overdue_since(Timestamp(0), Usual { ms, of }, Timestamp(now));
        assert_eq!(overdue(400_000, 3, 600_000), None);
        assert_eq!(
            overdue(400_000, 3, 600_001),
            Some((Timestamp(400_000), Duration::from_secs(400)))
        );
        assert_eq!(overdue(100_000, 2, 900_000), None, "two runs are no habit");
        assert_eq!(
            overdue(1_000, 9, 60_999),
            None,
            "a short job may take a minute more"
        );
        assert!(overdue(1_000, 9, 61_000).is_some());
    }
}
