//! Looks whether a directory is a repository that could be built, for the offer of a first build.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use roundel::pipeline::{Facts, Severity, compile};
use tokio::process::Command;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::children;
use crate::console::event::{Event, Repository};

/// The file that makes a repository one of ours.
const CONFIG: &str = ".circleci/config.yml";
/// How long git may take for one of these small questions.
const PATIENCE: Duration = Duration::from_secs(5);
/// Largest config that is looked at here; the server takes what it takes.
const CONFIG_MAX: usize = 1 << 20;

/// Looks and reports.
pub(super) async fn look(path: Option<String>, events: mpsc::Sender<Event>) {
    let found = repository(path.as_deref().unwrap_or(".")).await;
    _ = events.send(Event::Found(found)).await;
}

async fn repository(path: &str) -> Option<Repository> {
    let top = git(path, &["rev-parse", "--show-toplevel"]).await?;
    let top = top.trim_end().to_owned();
    let branch = git(&top, &["symbolic-ref", "--short", "-q", "HEAD"])
        .await
        .unwrap_or_default();
    let branch = branch.trim_end().to_owned();
    let revision = git(&top, &["rev-parse", "--short", "HEAD"])
        .await
        .unwrap_or_default();
    let text = git(&top, &["show", &format!("HEAD:{CONFIG}")]).await;
    let config = match text {
        None if Path::new(&top).join(CONFIG).exists() => {
            Err(format!("{CONFIG} is not committed yet"))
        }
        None => return None,
        Some(text) if text.len() > CONFIG_MAX => Err(format!("{CONFIG} is too large")),
        Some(text) => counts(&text, &branch),
    };
    Some(Repository {
        path: top,
        branch,
        revision: revision.trim_end().to_owned(),
        config,
    })
}

/// Jobs and workflows of a config, or its first problem.
fn counts(text: &str, branch: &str) -> Result<(usize, usize), String> {
    let facts = Facts {
        file: CONFIG.to_owned(),
        branch: branch.to_owned(),
        ..Facts::default()
    };
    match compile(text, &facts) {
        Ok(compiled) => {
            let workflows = &compiled.plan.workflows;
            Ok((
                workflows.iter().map(|workflow| workflow.jobs.len()).sum(),
                workflows.len(),
            ))
        }
        Err(problems) => {
            let first = problems
                .iter()
                .find(|problem| problem.severity == Severity::Error);
            Err(first.map_or_else(|| format!("{CONFIG} does not compile"), ToString::to_string))
        }
    }
}

/// What git answers, `None` when it fails. Nothing of the repository is run.
async fn git(path: &str, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new("git");
    command
        .args([
            "-c",
            "core.fsmonitor=false",
            "-c",
            "core.hooksPath=/dev/null",
            "-C",
            path,
        ])
        .args(arguments);
    command
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        // Outside the console's job: it is nothing that a key stops.
        .process_group(0)
        .kill_on_drop(true);
    command.stdout(Stdio::piped());
    let child = children::start(|| command.spawn()).ok()?;
    let output = timeout(PATIENCE, child.wait_with_output())
        .await
        .ok()?
        .ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}
