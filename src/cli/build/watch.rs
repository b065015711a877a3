//! Follows a pipeline: reads anew what the stream says has changed, and everything now and then.
//!
//! A server that goes away is waited for, and reading goes on where it was; nothing is started here.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use roundel::api::builds::{
    LogQuery, Outcome, PipelineDetail, RunDetail, RunRow, RunState, Status, StepStatus,
};
use roundel::client::{Client, StreamItem};
use roundel::clock;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::report::{Broken, Report, end_of, hopeless};
use crate::cli::follow::{News, Piece, RunTail, wait_for_return};
use crate::cli::words::label;
use crate::cli::{End, Failure};

/// After this long without news everything is read anew: a reason to wait may change without a change of the run.
const LOOK: Duration = Duration::from_secs(1);

/// Least time between two readings; news within it are taken together.
const PACE: Duration = Duration::from_millis(50);

/// Waiting shorter than this is not worth a word.
const SHORT_WAIT: Duration = Duration::from_millis(500);

/// Least time between two words about the same run's waiting when only numbers changed.
const REPEAT: Duration = Duration::from_secs(10);

/// How long a person who leaves is kept until the server knows that the build is canceled.
const FAREWELL: Duration = Duration::from_secs(2);

/// Lines shown of a step that failed.
const LAST_LINES: u64 = 10;

/// Most runs whose failure is shown at length.
const BROKEN_MAX: usize = 10;

pub(super) struct Watch {
    client: Client,
    id: String,
    wait: bool,
    interrupts: watch::Receiver<u32>,
    cancel: Cancel,
    news: News,
    /// The pipeline is to be read anew.
    stale: bool,
    pipeline: Option<PipelineDetail>,
    runs: BTreeMap<String, Followed>,
    /// Why the server takes no writes, as it said last.
    read_only: Option<String>,
    told_read_only: bool,
}

/// Whether the person wants the build canceled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Cancel {
    No,
    /// The server does not know it yet.
    Wanted,
    Asked,
}

enum Heard {
    News(Option<StreamItem>),
    Interrupt,
}

/// One attempt.
struct Followed {
    row: RunRow,
    tail: RunTail,
    detail: Option<RunDetail>,
    /// It is to be read anew.
    stale: bool,
    /// Its log has grown.
    grown: bool,
    began: bool,
    over: bool,
    /// It was told that its agent is unreachable.
    unreachable: bool,
    since: Instant,
    /// What was said about its waiting, and when.
    said: Option<(String, String, Instant)>,
}

impl Watch {
    pub(super) fn new(
        client: Client,
        id: &str,
        wait: bool,
        interrupts: watch::Receiver<u32>,
    ) -> Self {
        Self {
            client,
            id: id.to_owned(),
            wait,
            interrupts,
            cancel: Cancel::No,
            news: News::default(),
            stale: true,
            pipeline: None,
            runs: BTreeMap::new(),
            read_only: None,
            told_read_only: false,
        }
    }

    /// Follows until the pipeline has ended, or until what is left will never start.
    pub(super) async fn run(&mut self, report: &mut impl Report) -> Result<End, Failure> {
        loop {
            match self.until_over(report).await {
                Err(Failure::Client(err)) if err.server_gone() => {
                    report
                        .note("the server is away; its runs go on, waiting for it to come back")?;
                    self.outlast(report).await?;
                    report.note("the server is back")?;
                    self.news = News::default();
                    self.all_stale();
                }
                result => return result,
            }
        }
    }

    /// Stops following. What the first interrupt asked for is still seen to, when the second came so soon that the
    /// server has not heard of it.
    pub(super) async fn leave(self) {
        if self.cancel != Cancel::Asked {
            // A server that is away, or slow, does not keep anybody who wants to go.
            let _ = timeout(FAREWELL, self.client.cancel(&self.id)).await;
        }
    }

    /// Waits for the server, and meanwhile listens to the keyboard.
    async fn outlast(&mut self, report: &mut impl Report) -> Result<(), Failure> {
        let client = self.client.clone();
        let mut back = std::pin::pin!(wait_for_return(&client));
        loop {
            tokio::select! {
                result = &mut back => return Ok(result?),
                Ok(_) = self.interrupts.wait_for(|times| *times > 0), if self.cancel == Cancel::No => {}
            }
            self.cancel = Cancel::Wanted;
            report.note(
                "cancels the build once the server is back; a second ctrl-c leaves it at once",
            )?;
        }
    }

    async fn until_over(&mut self, report: &mut impl Report) -> Result<End, Failure> {
        let mut looked = clock::monotonic();
        loop {
            self.read(report).await?;
            report.flush()?;
            if let Some(end) = self.end() {
                return self.finish(end, report).await;
            }
            sleep(PACE).await;
            self.hear(report).await?;
            self.tell_read_only(report)?;
            if looked.elapsed() >= LOOK {
                looked = clock::monotonic();
                self.all_stale();
            }
        }
    }

    /// Tells when the server stops taking writes, and when it takes them again: meanwhile the build stands still.
    fn tell_read_only(&mut self, report: &mut impl Report) -> Result<(), Failure> {
        match (&self.read_only, self.told_read_only) {
            (Some(why), false) => report.note(&format!(
                "the server is read-only: {why}; the build goes on by itself when that is over"
            ))?,
            (None, true) => report.note("the server takes writes again")?,
            _ => return Ok(()),
        }
        self.told_read_only = self.read_only.is_some();
        Ok(())
    }

    /// Waits for news, of the server or from the keyboard.
    async fn hear(&mut self, report: &mut impl Report) -> Result<(), Failure> {
        while !self.anything_stale() && self.cancel != Cancel::Wanted {
            let heard = tokio::select! {
                item = self.news.next(&self.client, LOOK) => Heard::News(item),
                Ok(_) = self.interrupts.wait_for(|times| *times > 0), if self.cancel == Cancel::No => Heard::Interrupt,
            };
            match heard {
                Heard::News(item) => self.note_item(item),
                Heard::Interrupt => {
                    self.cancel = Cancel::Wanted;
                    report.note("cancels the build; a second ctrl-c leaves it at once")?;
                }
            }
        }
        if self.cancel == Cancel::Wanted {
            match self.client.cancel(&self.id).await {
                Err(err) if err.server_gone() => return Err(err.into()),
                // It has just ended by itself.
                Err(_) | Ok(_) => self.cancel = Cancel::Asked,
            }
            self.stale = true;
        }
        Ok(())
    }

    fn note_item(&mut self, item: Option<StreamItem>) {
        match item {
            Some(StreamItem::Log(log)) => {
                if let Some(run) = self.runs.get_mut(&log.attempt) {
                    let known = run
                        .detail
                        .as_ref()
                        .and_then(|detail| detail.steps.get(usize::from(log.step)));
                    // A step that began since the run was last read must be read first.
                    let running = known.is_some_and(|step| step.status == StepStatus::Running);
                    run.grown |= running;
                    run.stale |= !running;
                }
            }
            Some(StreamItem::Change(change)) => {
                if change.ids.is_empty() {
                    self.all_stale();
                }
                for id in &change.ids {
                    if *id == self.id {
                        self.stale = true;
                    } else if let Some(run) = self.runs.get_mut(id) {
                        run.stale = true;
                        self.stale = true;
                    }
                }
            }
            Some(StreamItem::Summary(summary)) => self.read_only = summary.read_only,
            // Whoever may not go on is told so by the next reading.
            Some(StreamItem::Reset | StreamItem::Ended(_)) | None => self.all_stale(),
        }
    }

    fn all_stale(&mut self) {
        self.stale = true;
        self.runs
            .values_mut()
            .filter(|run| !run.over)
            .for_each(|run| run.stale = true);
    }

    fn anything_stale(&self) -> bool {
        self.stale
            || self.read_only.is_some() != self.told_read_only
            || self
                .runs
                .values()
                .any(|run| !run.over && (run.stale || run.grown))
    }

    /// Reads what is stale and tells what is new.
    async fn read(&mut self, report: &mut impl Report) -> Result<(), Failure> {
        if self.stale {
            let pipeline = self.client.pipeline(&self.id).await?;
            if self.pipeline.is_none() {
                report.started(&pipeline)?;
            }
            let jobs = pipeline
                .workflows
                .iter()
                .flat_map(|workflow| &workflow.jobs)
                .filter(|job| !job.reused);
            for row in jobs.flat_map(|job| &job.runs) {
                match self.runs.get_mut(&row.attempt) {
                    Some(run) => {
                        run.stale |= (run.row.state, run.row.step) != (row.state, row.step);
                        run.row = row.clone();
                    }
                    None => {
                        self.runs
                            .insert(row.attempt.clone(), Followed::new(row.clone()));
                    }
                }
            }
            self.pipeline = Some(pipeline);
            self.stale = false;
        }
        report.running(
            self.runs
                .values()
                .filter(|run| run.row.state == RunState::Running)
                .count(),
        );
        for run in self.runs.values_mut().filter(|run| !run.over) {
            run.read(&self.client, report).await?;
        }
        Ok(())
    }

    fn end(&self) -> Option<End> {
        let pipeline = self.pipeline.as_ref()?;
        if pipeline.row.status.is_final() && self.runs.values().all(|run| run.over) {
            return Some(end_of(pipeline, self.cancel != Cancel::No));
        }
        // Somebody must say yes: that may be tomorrow.
        if !self.wait
            && pipeline.row.status == Status::OnHold
            && self.runs.values().all(|run| run.over)
        {
            return Some(End::Infrastructure);
        }
        if self.wait || self.cancel != Cancel::No || hopeless(pipeline).is_none() {
            return None;
        }
        // What has failed already decides how the build ends, whatever becomes of the rest.
        let failing = pipeline.row.status == Status::Failing;
        Some(if failing {
            End::BuildFailed
        } else {
            End::Infrastructure
        })
    }

    async fn finish(&mut self, end: End, report: &mut impl Report) -> Result<End, Failure> {
        let Some(pipeline) = &self.pipeline else {
            return Ok(end);
        };
        let mut broken = Vec::new();
        for run in self.runs.values() {
            let bad = matches!(
                run.row.outcome,
                Some(Outcome::Failed | Outcome::Timedout | Outcome::InfrastructureFail)
            );
            if let (true, Some(detail)) = (bad && broken.len() < BROKEN_MAX, run.detail.clone()) {
                let lines = match detail.run.step {
                    Some(step) => {
                        let query = LogQuery {
                            tail: Some(LAST_LINES),
                            ..LogQuery::default()
                        };
                        self.client
                            .log_lines(&detail.run.attempt, &step.to_string(), &query)
                            .await?
                            .lines
                    }
                    None => Vec::new(),
                };
                broken.push(Broken { detail, lines });
            }
        }
        report.finished(pipeline, &broken, end)?;
        report.flush()?;
        Ok(end)
    }
}

impl Followed {
    fn new(row: RunRow) -> Self {
        let tail = RunTail::new(&row.attempt, None);
        let since = clock::monotonic();
        Self {
            row,
            tail,
            detail: None,
            stale: true,
            grown: false,
            began: false,
            over: false,
            unreachable: false,
            since,
            said: None,
        }
    }

    async fn read(&mut self, client: &Client, report: &mut impl Report) -> Result<(), Failure> {
        if self.row.state == RunState::Pending {
            self.stale = false;
            return self.tell_wait(report);
        }
        if self.stale || self.detail.is_none() {
            let detail = client.run(&self.row.attempt).await?;
            self.row = detail.run.clone();
            self.detail = Some(detail);
        } else if !self.grown {
            return Ok(());
        }
        (self.stale, self.grown) = (false, false);
        let Some(detail) = &self.detail else {
            return Ok(());
        };
        if !self.began {
            self.began = true;
            report.began(&self.row)?;
        }
        if self.row.unreachable != self.unreachable && self.row.state == RunState::Running {
            self.unreachable = self.row.unreachable;
            let label = label(&self.row);
            report.note(&match self.row.heard_at {
                Some(heard) => {
                    format!("the Build Agent of {label} is unreachable, last heard of {heard}")
                }
                None => format!("the Build Agent of {label} is back"),
            })?;
        }
        let row = &self.row;
        self.over = self
            .tail
            .advance(client, detail, &mut |piece: Piece<'_>| {
                report.piece(row, piece)
            })
            .await?;
        if self.over {
            report.ended(&self.row)?;
        }
        Ok(())
    }

    /// Tells why it waits: once it has waited for a moment, again when the reason is another, and now and then when
    /// only its numbers are.
    fn tell_wait(&mut self, report: &mut impl Report) -> Result<(), Failure> {
        let Some(reason) = &self.row.reason else {
            return Ok(());
        };
        let due = match &self.said {
            None => reason.never || self.since.elapsed() >= SHORT_WAIT,
            Some((code, text, at)) => {
                *text != reason.text && (*code != reason.code || at.elapsed() >= REPEAT)
            }
        };
        if due {
            self.said = Some((reason.code.clone(), reason.text.clone(), clock::monotonic()));
            report.waits(&self.row)?;
        }
        Ok(())
    }
}
