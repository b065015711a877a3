//! Steps in containers: the first container of a job is the primary one, in which each step runs by exec; the others are
//! services beside it.
//!
//! Services without a `name` share the primary container's network, so they answer at `localhost`; those with a name are
//! on the run's own network under that name. Everything made carries the labels of the attempt, and is found again by
//! them to be removed: by this agent at the end, else by the server's sweep.

mod exec;
mod start;
mod upload;

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use bollard::query_parameters::LogsOptionsBuilder;
use futures_util::StreamExt;
use tokio::task::JoinHandle;

use super::memory::Memory;
use super::{End, Executor, GRACE, Host, NotReady, Program, let_go};
use crate::agent::environment::Environment;
use crate::agent::journal::Journal;
use crate::agent::paths::Places;
use crate::api::agent::{self, Task};
use crate::containers::{self, Engine, sweep};
use crate::error::Chain;

/// The containers of one attempt.
#[derive(Debug)]
pub(in crate::agent) struct Docker {
    engine: Engine,
    data_id: String,
    attempt: String,
    /// Where git works.
    host: Host,
    checkout: PathBuf,
    places: Places,
    /// Id of the container of the steps.
    primary: String,
    services: Vec<Service>,
    environment: Environment,
    user: Option<String>,
    /// Its number and its group's, inside.
    owner: (u32, u32),
    has_bash: bool,
    memory: Memory,
    /// Execs of steps that were left in the background.
    left: Vec<String>,
    readers: Vec<JoinHandle<()>>,
}

/// A container beside the primary one.
#[derive(Debug)]
struct Service {
    id: String,
    /// Its image.
    title: String,
}

/// Lines that are shown of what a service said before it ended.
const LAST_LINES: usize = 20;
/// Most bytes of them.
const LAST_BYTES: usize = 16 * 1024;

impl Docker {
    /// Makes the containers ready, and tells how that goes in step 0. When it fails nothing of it is left.
    pub(in crate::agent) async fn prepare(
        task: &Task,
        environment: Environment,
        docker: &agent::Docker,
        dir: &Path,
        journal: &Rc<Journal>,
        deadline: std::time::Instant,
    ) -> Result<Self, NotReady> {
        let engine = tokio::select! {
            engine = start::reach(&docker.engine) => engine?,
            () = journal.stopped() => return Err(NotReady::Stopped),
        };
        let made = tokio::select! {
            made = start::start(&engine, task, environment, docker, dir, journal) => made,
            () = journal.stopped() => Err(NotReady::Stopped),
            () = tokio::time::sleep_until(deadline.into()) => Err(NotReady::Late),
        };
        if made.is_err() {
            remove(&engine, &docker.data_id, &task.attempt.to_string()).await;
        }
        made
    }

    /// A service that is no more explains many a failed step, so its end is told there, once, with its last words.
    async fn tell_of_services(&mut self, step: u16, journal: &Rc<Journal>) {
        for service in std::mem::take(&mut self.services) {
            let Ok(state) = containers::state(&self.engine, &service.id).await else {
                continue;
            };
            if state.running {
                self.services.push(service);
                continue;
            }
            let code = state.exit_code;
            if code == 0 {
                continue;
            }
            let why = if state.oom_killed {
                format!(": {}", self.memory.words())
            } else {
                String::new()
            };
            let mut text =
                format!("Service {} ended with {code}{why}\n", service.title).into_bytes();
            text.extend(self.last_lines(&service.id).await);
            journal.output(step, 2, &text).await;
        }
    }

    async fn last_lines(&self, container: &str) -> Vec<u8> {
        let options = LogsOptionsBuilder::new()
            .stdout(true)
            .stderr(true)
            .tail(&LAST_LINES.to_string())
            .build();
        let mut logs = self.engine.api.logs(container, Some(options));
        let mut text = Vec::new();
        while let Some(Ok(part)) = logs.next().await {
            text.extend_from_slice(&part.into_bytes());
            if text.len() > LAST_BYTES {
                text.truncate(LAST_BYTES);
                break;
            }
        }
        if text.last().is_some_and(|last| *last != b'\n') {
            text.push(b'\n');
        }
        text
    }
}

impl Executor for Docker {
    fn places(&self) -> &Places {
        &self.places
    }

    fn has_bash(&self) -> bool {
        self.has_bash
    }

    async fn keep_script(&mut self, name: &str, text: &str) -> io::Result<OsString> {
        let written = self.host.keep_script(name, text).await?;
        let from = Path::new(&written).parent().unwrap_or(Path::new("/"));
        self.upload(from, &[name.into()], Path::new("/tmp")).await?;
        Ok(Path::new("/tmp").join(name).into())
    }

    async fn run(&mut self, program: &Program<'_>, journal: &Rc<Journal>) -> End {
        self.exec(program, journal).await
    }

    fn git(&mut self, _: &Path) -> (&mut Host, PathBuf) {
        (&mut self.host, self.checkout.clone())
    }

    async fn bring(&mut self, program: &Program<'_>, from: &Path, journal: &Rc<Journal>) -> End {
        self.bring_checkout(program, from, journal).await
    }

    async fn finish(self, journal: &Rc<Journal>) {
        if !self.left.is_empty() {
            self.ask_to_end(&self.left, GRACE).await;
        }
        remove(&self.engine, &self.data_id, &self.attempt).await;
        let_go(self.readers).await;
        self.host.finish(journal).await;
    }
}

/// Most time that the removal at the end may take; what is left then is the server's to sweep.
const REMOVAL: Duration = Duration::from_secs(60);

/// Removes all that carries the labels of an attempt.
async fn remove(engine: &Engine, data_id: &str, attempt: &str) {
    let removal = sweep::sweep(engine, data_id, |id| id == attempt);
    match tokio::time::timeout(REMOVAL, removal).await {
        Ok(Ok(gone)) => tracing::info!(gone, "containers and networks of the run were removed"),
        Ok(Err(err)) => {
            tracing::warn!(error = %Chain(&err), "the run's containers could not be removed");
        }
        Err(_) => tracing::warn!("the removal of the run's containers took too long"),
    }
}
