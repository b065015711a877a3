//! Agents as processes: watched to their end, adopted after a server's restart, told to stop, cleaned up after.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use rustix::process::{Pid, Signal};
use tokio::time::timeout;

use super::Inner;
use crate::api::agent::{BODY_MAX, Event, Finished, Record, RecordBody};
use crate::clock::{self, Timestamp};
use crate::cluster::{Report, Reports};
use crate::ids::AttemptId;
use crate::processes;
use crate::storage::spool::Reader;
use crate::storage::trees;

/// How long an agent that claimed its token may take to write its `pid`.
const CLAIM_GRACE: Duration = Duration::from_secs(10);

/// Why a run ended whose agent did not end it.
const OVERDUE: &str =
    "the build agent did not end the run at its deadline, nor soon after, and was killed";

/// How long an agent that was told to stop has before it matters whether it is heard of: twice what it gives a step.
const STOP_GRACE: Duration = Duration::from_secs(10);

/// How often an adopted agent is looked for. It is not our child, so its end comes to nobody by itself.
const LOOK_EVERY: Duration = Duration::from_millis(200);

impl<R: Reports> Inner<R> {
    /// Waits for a child's end and settles what it left.
    pub(super) async fn watch_child(&self, attempt: AttemptId, mut child: tokio::process::Child) {
        let cause = match timeout(self.lifetime(self.settings.deadline_s), child.wait()).await {
            Ok(Ok(status)) => format!("the build agent ended without a result ({status})"),
            Ok(Err(err)) => format!("the build agent was lost from sight: {err}"),
            Err(_) => {
                tracing::warn!(attempt = %attempt, "{OVERDUE}");
                if let Err(err) = child.kill().await {
                    tracing::warn!(attempt = %attempt, error = %err, "an agent could not be killed");
                }
                OVERDUE.to_owned()
            }
        };
        self.settle(attempt, cause).await;
    }

    /// How long an agent may live whose run has this deadline: it ends the run by itself, and has the grace for that.
    fn lifetime(&self, deadline_s: u64) -> Duration {
        Duration::from_secs(deadline_s.saturating_add(self.settings.silence_s))
    }

    /// How long the agent of an earlier server may still live.
    fn time_left(&self, dir: &Path) -> Duration {
        #[derive(serde::Deserialize)]
        struct Bounds {
            deadline_s: u64,
        }
        let path = dir.join("task.json");
        // One that an older server has started goes by what that one wrote.
        let bounds = fs::read(&path)
            .ok()
            .and_then(|text| serde_json::from_slice::<Bounds>(&text).ok());
        let deadline_s = bounds.map_or(self.settings.deadline_s, |bounds| bounds.deadline_s);
        let now = clock::now();
        let begun = fs::metadata(&path).map_or(now, |file| Timestamp(file.mtime() * 1000));
        begun.plus(self.lifetime(deadline_s)).since(now)
    }

    /// Tells an agent to stop. One that is still starting learns it with its first report; one that does not hear is
    /// killed, and what it left is settled by whoever waits for its end.
    pub(super) async fn stop(&self, attempt: AttemptId) {
        let dir = self.attempt_dir(attempt);
        let path = dir.clone();
        if tokio::task::spawn_blocking(move || signal_stop(&path))
            .await
            .is_err()
        {
            return;
        }
        // It ends its steps first, and the last of them has some seconds for it.
        tokio::time::sleep(STOP_GRACE).await;
        while let Some(process) = read_pid(&dir).filter(|process| process.alive()) {
            if self.reports.unreachable(attempt) {
                tracing::warn!(attempt = %attempt, "an agent that was told to stop is unreachable and is killed");
                return process.kill();
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Takes charge of an attempt of an earlier server: alive, ended with a result, dead, or never begun.
    pub(super) async fn adopt(&self, attempt: AttemptId) {
        let dir = self.attempt_dir(attempt);
        self.tell_where(&dir);
        if read_pid(&dir).is_none() && unclaimed(&dir) {
            self.deliver(Report::NeverStarted { attempt }).await;
            let _ = fs::remove_dir_all(&dir);
            return;
        }
        let deadline = clock::monotonic() + CLAIM_GRACE;
        let process = loop {
            match read_pid(&dir) {
                Some(process) => break Some(process),
                None if clock::monotonic() > deadline => break None,
                None => tokio::time::sleep(LOOK_EVERY).await,
            }
        };
        let mut cause = "the build agent was killed";
        if let Some(process) = process
            && timeout(self.time_left(&dir), process.ended())
                .await
                .is_err()
        {
            tracing::warn!(attempt = %attempt, "{OVERDUE}");
            process.kill();
            process.ended().await;
            cause = OVERDUE;
        }
        self.settle(attempt, cause.to_owned()).await;
    }

    /// The agent is gone: takes what is in its spool and result, reports, and clears up.
    async fn settle(&self, attempt: AttemptId, cause: String) {
        let dir = self.attempt_dir(attempt);
        let open = self.reports.taken(attempt).is_some();
        if open {
            self.import(attempt, &dir).await;
            if self.reports.taken(attempt).is_some() {
                self.gone(attempt, cause).await;
            }
        }
        self.clear(attempt, open).await;
    }

    /// Attempts that have files here and are none of `alive`: they are over, and the server ended before it had
    /// cleared up after them.
    pub(super) fn left_over(&self, alive: &[AttemptId]) -> Vec<AttemptId> {
        super::attempts_in(&self.settings.data.join("attempts"))
            .map(|(attempt, _)| attempt)
            .filter(|attempt| !alive.contains(attempt))
            .collect()
    }

    /// Clears up after an attempt that is over, once its agent has learnt that and left.
    pub(super) async fn clear_left_over(&self, attempt: AttemptId) {
        let dir = self.attempt_dir(attempt);
        self.tell_where(&dir);
        if let Some(process) = read_pid(&dir) {
            process.ended().await;
        }
        self.clear(attempt, true).await;
    }

    /// Tells an agent of an earlier server where this one listens: the socket may have moved.
    fn tell_where(&self, dir: &Path) {
        let socket = self.settings.socket.as_os_str().as_encoded_bytes();
        if dir.is_dir() && fs::write(dir.join("server"), socket).is_err() {
            tracing::warn!(dir = %dir.display(), "an agent could not be told where the server is now");
        }
    }

    /// Removes the files of an attempt; with `sweep`, ends first what its steps left running.
    async fn clear(&self, attempt: AttemptId, sweep: bool) {
        let dir = self.attempt_dir(attempt);
        let scratch = self.settings.scratch.join(attempt.to_string());
        let cleared = tokio::task::spawn_blocking(move || {
            if sweep {
                processes::sweep(&dir);
            }
            let scratch = trees::remove(&scratch);
            trees::remove(&dir).and(scratch)
        })
        .await;
        if sweep {
            self.sweep_containers(Some(attempt)).await;
        }
        if let Ok(Err(err)) = cleared {
            tracing::warn!(attempt = %attempt, error = %err, "the files of an attempt could not be removed");
        }
    }

    /// Hands over records that never reached the server, then the result file if the records hold no end.
    async fn import(&self, attempt: AttemptId, dir: &Path) {
        let mut after = 0;
        let mut ended = false;
        let mut reader = Reader::open(&dir.join("spool")).ok();
        while let Some(mut open) = reader.take() {
            let read = tokio::task::spawn_blocking(move || {
                let records = open.next_records(BODY_MAX);
                (open, records)
            });
            let Ok((open, records)) = read.await else {
                break;
            };
            let records = match records {
                Ok(records) => records,
                Err(err) => {
                    tracing::warn!(attempt = %attempt, error = %err, "a dead agent's spool could not be read to its end");
                    break;
                }
            };
            let Some(last) = records.last() else { break };
            after = last.seq;
            ended |= records
                .iter()
                .any(|record| matches!(record.body, RecordBody::Event(Event::Finished(_))));
            self.deliver(Report::Spool { attempt, records }).await;
            reader = Some(open);
        }
        let result = fs::read(dir.join("result.json")).ok();
        let finished = result.and_then(|bytes| serde_json::from_slice::<Finished>(&bytes).ok());
        if let Some(finished) = finished.filter(|_| !ended) {
            let record = Record {
                seq: finished.last_seq.max(after) + 1,
                micros: finished.at.0 * 1000,
                body: RecordBody::Event(Event::Finished(finished)),
            };
            self.deliver(Report::Spool {
                attempt,
                records: vec![record],
            })
            .await;
        }
    }
}

/// A process by id and start time, so that a reused id is not taken for it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Process {
    pid: Pid,
    start: u64,
}

impl Process {
    pub(super) fn alive(self) -> bool {
        processes::start_time(self.pid.as_raw_nonzero().get() as u32) == Some(self.start)
    }

    /// Kills it; harmless when it is gone.
    fn kill(self) {
        if self.alive()
            && let Err(err) = rustix::process::kill_process(self.pid, Signal::KILL)
        {
            tracing::warn!(pid = %self.pid, error = %err, "an agent could not be killed");
        }
    }

    /// Resolves once it is gone. It need not be our child.
    async fn ended(self) {
        while self.alive() {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

pub(super) fn read_pid(dir: &Path) -> Option<Process> {
    let text = fs::read_to_string(dir.join("pid")).ok()?;
    let (pid, start) = text.trim().split_once(' ')?;
    Some(Process {
        pid: Pid::from_raw(pid.parse().ok()?)?,
        start: start.parse().ok()?,
    })
}

/// Whether no agent took the token, and from now on none can: whoever renames the file first has it.
fn unclaimed(dir: &Path) -> bool {
    !dir.join("task.json").exists()
        || fs::rename(dir.join("token"), dir.join("token.revoked")).is_ok()
}

fn signal_stop(dir: &Path) {
    if let Some(process) = read_pid(dir).filter(|process| process.alive())
        && let Err(err) = rustix::process::kill_process(process.pid, Signal::TERM)
    {
        tracing::warn!(dir = %dir.display(), error = %err, "an agent could not be told to stop");
    }
}
