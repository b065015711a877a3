//! How long builds and runs usually take, and which take longer.

use rusqlite::{ToSql, params};

use super::{During, ReadPool, StoreError};
use crate::pipeline::usual::Usual;

/// Past ones that the median is taken from.
const HISTORY: u32 = 20;
/// Builds of a project that are looked at for green ones.
const LOOKED_AT: u32 = 500;

/// The condition that holds for a row that runs for longer than usual; `past` selects how long the past ones took as `d`.
fn longer(running: &str, since: &str, past: &str, now: i64) -> String {
    format!(
        "({running} AND {since} IS NOT NULL AND EXISTS (SELECT 1 FROM (
           SELECT d, row_number() OVER (ORDER BY d) AS n, count(*) OVER () AS c FROM ({past})
         ) WHERE n = c / 2 + 1 AND c >= {least} AND ({now} - {since}) * 100 > d * {percent}
         AND {now} - {since} > d + {more}))",
        least = Usual::LEAST,
        percent = Usual::LONGER_PERCENT,
        more = Usual::LONGER_MS,
    )
}

/// Durations of the newest green builds of a project, as `d`.
fn past_builds(project: &str) -> String {
    format!(
        "SELECT q.stopped - q.started AS d FROM pipelines q WHERE q.project = {project} AND q.number >
         (SELECT max(number) - {LOOKED_AT} FROM pipelines r WHERE r.project = {project})
         AND q.status = 'success' AND q.started IS NOT NULL ORDER BY q.number DESC LIMIT {HISTORY}"
    )
}

/// Durations of the newest successful runs of a project's job, as `d`.
fn past_runs(project: &str, job: &str) -> String {
    format!(
        "SELECT q.stopped - q.placed AS d FROM attempts q WHERE q.state = 'dead' AND q.outcome = 'success' AND
         q.project = {project} AND q.job_name = {job} AND q.placed IS NOT NULL ORDER BY q.stopped DESC LIMIT {HISTORY}"
    )
}

/// Pipelines that run for longer than usual at this moment.
pub(super) fn slow_pipeline(now: i64) -> String {
    let running = "pipelines.status IN ('running', 'failing')";
    let past = past_builds("pipelines.project");
    longer(running, "pipelines.started", &past, now)
}

/// Runs that run for longer than usual at this moment.
pub(super) fn slow_run(now: i64) -> String {
    let past = past_runs("attempts.project", "attempts.job_name");
    longer("attempts.state = 'running'", "attempts.placed", &past, now)
}

impl ReadPool {
    /// Durations in ms of the newest green builds of a project.
    ///
    /// # Errors
    /// When the statement fails.
    pub fn build_durations(&self, project: i64) -> Result<Vec<i64>, StoreError> {
        self.durations(&past_builds("?1"), params![project])
    }

    /// Durations in ms of the newest successful runs of one job of a project.
    ///
    /// # Errors
    /// When the statement fails.
    pub fn run_durations(&self, project: i64, job_name: &str) -> Result<Vec<i64>, StoreError> {
        self.durations(&past_runs("?1", "?2"), params![project, job_name])
    }

    fn durations(&self, past: &str, of: &[&dyn ToSql]) -> Result<Vec<i64>, StoreError> {
        self.read(|db| {
            db.prepare_cached(past)
                .and_then(|mut statement| statement.query_map(of, |row| row.get(0))?.collect())
                .during("read how long it took before")
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::clock::Timestamp;
    use crate::ids::PipelineId;
    use crate::pipeline::status::Status;
    use crate::store::{PipelineRecord, WindowQuery, open};

    fn record(project: i64, number: i64, status: Status) -> PipelineRecord {
        PipelineRecord {
            id: PipelineId::fresh(),
            project,
            title: "org/api".to_owned(),
            number,
            branch: "main".to_owned(),
            tag: String::new(),
            revision: "5f3a9c1".to_owned(),
            subject: String::new(),
            actor: "ann".to_owned(),
            source: "/srv".to_owned(),
            status,
            problems: "[]".to_owned(),
            created: Timestamp(0),
            started: None,
            stopped: None,
        }
    }

    #[test]
    fn what_runs_for_longer_than_usual_is_found_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let (mut writer, pool) = open(&dir.path().join("db"), 1).unwrap();
        let tx = writer.begin().unwrap();
        for (key, past) in [
            ("a", &[9_000, 10_000, 11_000][..]),
            ("b", &[10_000, 10_000]),
        ] {
            let project = tx.project(key, "org", key, "").unwrap().id.0;
            for (n, took) in (1..).zip(past) {
                let record = record(project, n, Status::Running);
                tx.insert_pipeline(&record).unwrap();
                let (start, stop) = (Timestamp(0), Timestamp(*took));
                tx.set_pipeline(record.id, Status::Success, Some(start), Some(stop))
                    .unwrap();
            }
            for number in [8, 9] {
                let record = record(project, number, Status::Running);
                tx.insert_pipeline(&record).unwrap();
                let start = (number == 9).then_some(Timestamp(100_000));
                tx.set_pipeline(record.id, Status::Running, start, None)
                    .unwrap();
            }
        }
        tx.commit().unwrap();
        let slow = |filter: &str, now: i64| -> Vec<i64> {
            let query = WindowQuery {
                filter: filter.to_owned(),
                limit: 50,
                now,
                ..WindowQuery::default()
            };
            let found = pool.pipelines(&query).unwrap();
            assert_eq!(found.total, found.rows.len() as u64);
            found.rows.iter().map(|row| row.number).collect()
        };
        // Of the project with three green ones, the one that began; of that with two, none: two make nothing usual.
        assert_eq!(slow("status:slow", 114_000), [0; 0]);
        assert_eq!(slow("status:slow", 115_001), [9]);
        assert_eq!(slow("status:slow branch:main", 115_001), [9]);
        assert_eq!(slow("status:slow branch:other", 115_001), [0; 0]);
        assert_eq!(slow("!status:slow", 115_001).len(), 8);
        let all = pool.pipelines(&WindowQuery {
            limit: 50,
            ..WindowQuery::default()
        });
        let newest = all
            .unwrap()
            .rows
            .into_iter()
            .find(|row| row.number == 9)
            .unwrap();
        assert!(pool.build_durations(newest.project).unwrap().len() >= 2);
    }
}
