//! The Build Agent: the main process of one attempt.
//!
//! It reads its task, runs the steps one after the other in an executor, and reports every byte and event through a
//! spool on disk, so that neither a server that is away nor one that restarts loses anything. Knows the wire and the
//! client; knows no queue, no store and no engine.

mod asking;
mod environment;
mod executors;
mod journal;
mod log;
mod mask;
mod paths;
mod session;
mod steps;

use std::path::Path;
use std::process::ExitCode;
use std::rc::Rc;

use tokio::task::LocalSet;

use crate::api::agent::{Finished, Task};
use crate::error::Chain;
use crate::storage::{spool, trees};
use journal::Journal;
pub use log::log;
use session::Session;

/// Runs the attempt whose files are in `dir` to its end: until the server has everything, or says that the attempt is
/// over. Blocks. The exit code tells only whether the agent itself could work, not how the run ended.
#[must_use]
pub fn run(dir: &Path) -> ExitCode {
    // Of the steps and of what is checked out for them: a server's own is for its own files, and stricter.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    let session = match Session::claim(dir) {
        Ok(session) => session,
        Err(err) => {
            tracing::error!(error = %Chain(&err), "the attempt cannot be taken up");
            return ExitCode::FAILURE;
        }
    };
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(err) => {
            tracing::error!(error = %err, "no runtime");
            return ExitCode::FAILURE;
        }
    };
    let done = LocalSet::new().block_on(&runtime, work(dir, &session));
    // What still holds a pipe of ours must not hold the process.
    runtime.shutdown_background();
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(err) => {
            tracing::error!(error = %err, "the attempt ended without a result");
            ExitCode::FAILURE
        }
    }
}

async fn work(dir: &Path, session: &Session) -> std::io::Result<()> {
    let task = &session.task;
    tracing::info!(attempt = %task.attempt, name = %task.name, pid = std::process::id(), "agent started");
    let journal = Rc::new(Journal::open(dir, session)?);
    let sending = tokio::task::spawn_local(journal::send(
        journal.clone(),
        dir.to_owned(),
        session.token.clone(),
    ));
    session::obey_signals(&journal)?;
    tokio::task::spawn_local(session::bury_orphans());
    journal.agent_started().await;

    let finished = steps::run_all(session, dir, &journal).await;
    tracing::info!(outcome = finished.outcome.word(), cause = %finished.cause, "run ended");
    write_result(dir, &finished).await;
    journal.finish(finished).await;
    clear_scratch(task);
    // A server that is away for long takes result and spool by itself when it comes back.
    if let Err(err) = sending.await {
        tracing::warn!(error = %err, "reporting was broken off");
    }
    tracing::info!("agent ends");
    Ok(())
}

/// The result outlives the agent: it is on disk before anybody is told.
async fn write_result(dir: &Path, finished: &Finished) {
    let bytes = serde_json::to_vec(finished).expect("a result is plain data");
    let path = dir.join("result.json");
    journal::until_written("the result", || spool::write_whole(&path, &bytes)).await;
}

fn clear_scratch(task: &Task) {
    if let Err(err) = trees::remove(&task.scratch) {
        tracing::warn!(scratch = %task.scratch.display(), error = %err, "the scratch directory could not be removed");
    }
}
