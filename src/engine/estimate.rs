//! When a waiting run may start and when a node may be empty, from how long the same jobs took before.
//!
//! An estimate is only given where every run it rests on has a history, and says what it was made from.

use std::collections::HashMap;
use std::time::Duration;

use super::view::View;
use crate::clock::Timestamp;
use crate::ids::NodeId;
use crate::pipeline::status::RunState;
use crate::store::{RunFilter, RunRecord, StoreError, WindowQuery};

/// Past runs of a job that its median is taken from.
const HISTORY: u32 = 20;

/// Running runs looked at; beyond that an estimate would be a guess.
const RUNNING: u64 = 200;

/// A moment that is expected, and what that rests on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Expected {
    /// The moment; never in the past.
    pub at: Timestamp,
    /// `median of 18 runs`.
    pub how: String,
}

/// A run's expected end with the size of the history it rests on (`None`: no history), and its node.
type End = (Option<(Timestamp, usize)>, Option<NodeId>);

/// When the runs that run now are expected to end.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Forecast {
    /// Expected ends with the size of the history each rests on, soonest first; `None` at the end: no history.
    ends: Vec<End>,
}

impl Forecast {
    fn new(mut ends: Vec<End>) -> Self {
        ends.sort_by_key(|(end, _)| (end.is_none(), *end));
        Self { ends }
    }

    /// When the run at this place in line (from 1) may start: once as many runs have ended as stand before and at it.
    #[must_use]
    pub fn start(&self, place: u64) -> Option<Expected> {
        let index = usize::try_from(place).ok()?.checked_sub(1)?;
        let (at, runs) = self.ends.get(index)?.0?;
        Some(Expected {
            at,
            how: format!(
                "median of {runs} run{} of what runs now",
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
            .filter(|(_, on)| *on == Some(node))
            .map(|(end, _)| *end)
            .collect();
        let ends = on_node.into_iter().collect::<Option<Vec<_>>>()?;
        let (at, runs) = ends.into_iter().max()?;
        Some(Expected {
            at,
            how: format!("median of {runs} run{}", if runs == 1 { "" } else { "s" }),
        })
    }
}

fn median(mut values: Vec<i64>) -> Option<i64> {
    values.sort_unstable();
    values.get(values.len() / 2).copied()
}

impl View {
    /// When what runs now is expected to end.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn forecast(&self, now: Timestamp) -> Result<Forecast, StoreError> {
        let filter = RunFilter {
            states: vec![RunState::Running],
            node: None,
        };
        let running = self.store.runs(
            &filter,
            &WindowQuery {
                limit: RUNNING,
                ..WindowQuery::default()
            },
        )?;
        let mut medians: HashMap<(String, String), Option<(i64, usize)>> = HashMap::new();
        let mut ends = Vec::with_capacity(running.rows.len());
        for run in &running.rows {
            let key = (run.title.clone(), run.job_name.clone());
            let known = match medians.get(&key) {
                Some(known) => *known,
                None => {
                    let past = self.store.durations(&run.title, &run.job_name, HISTORY)?;
                    let count = past.len();
                    let found = median(past).map(|ms| (ms, count));
                    medians.insert(key, found);
                    found
                }
            };
            ends.push((
                known.and_then(|known| expected_end(run, known, now)),
                run.node,
            ));
        }
        Ok(Forecast::new(ends))
    }
}

/// A run past its median is expected to end now rather than in the past.
fn expected_end(
    run: &RunRecord,
    (median_ms, runs): (i64, usize),
    now: Timestamp,
) -> Option<(Timestamp, usize)> {
    let span = Duration::from_millis(u64::try_from(median_ms).ok()?);
    Some((run.placed?.plus(span).max(now), runs))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nth_in_line_starts_when_the_nth_run_ends() {
        let node = NodeId::fresh();
        let forecast = Forecast::new(vec![
            (Some((Timestamp(900), 3)), Some(node)),
            (None, Some(node)),
            (Some((Timestamp(500), 1)), None),
        ]);
        assert_eq!(forecast.start(1).unwrap().at, Timestamp(500));
        assert_eq!(
            forecast.start(1).unwrap().how,
            "median of 1 run of what runs now"
        );
        assert_eq!(forecast.start(2).unwrap().at, Timestamp(900));
        assert_eq!(forecast.start(3), None, "no history, no estimate");
        assert_eq!(forecast.start(4), None);
        assert_eq!(forecast.idle(node), None, "one run there has no history");
    }

    #[test]
    fn a_median_is_the_middle() {
        assert_eq!(median(vec![9, 1, 5]), Some(5));
        assert_eq!(median(vec![]), None);
    }
}
