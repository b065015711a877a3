//! Reads one window.

use roundel::api::settings::DiffQuery;
use roundel::client::{Client, ClientError};
use roundel::error::{Chain, Explain};
use tokio::sync::mpsc;

use crate::console::action::{Slot, Source, Want};
use crate::console::event::{Answer, Event, Failure};

/// The API's name of a step's log, or of the Build Agent's own.
pub(super) fn name(step: Option<u16>) -> String {
    step.map_or_else(|| "agent".to_owned(), |step| step.to_string())
}

/// Reads a window and reports it; answers the slot that is free again.
pub(super) async fn fetch(
    client: Client,
    slot: Slot,
    want: Want,
    events: mpsc::Sender<Event>,
) -> Slot {
    let answer = read(&client, &want)
        .await
        .map(Box::new)
        .map_err(|err| refused(&err));
    _ = events.send(Event::Answer(slot, want, answer)).await;
    slot
}

async fn read(client: &Client, want: &Want) -> Result<Answer, ClientError> {
    Ok(match want {
        Want::Runs(query) => Answer::Runs(client.runs(query).await?),
        Want::Run(id) => Answer::Run(client.run(id).await?),
        Want::Pipelines(query) => Answer::Pipelines(client.pipelines(query).await?),
        Want::Pipeline(id) => Answer::Pipeline(client.pipeline(id).await?),
        Want::Compare { id, with } => Answer::Compare(client.compare(id, with).await?),
        Want::Nodes(query) => Answer::Nodes(client.nodes(query).await?),
        Want::Dashboard => Answer::Dashboard(client.dashboard().await?),
        Want::Audit(query) => Answer::Audit(client.audit(query).await?),
        Want::Settings => Answer::Settings(client.settings().await?),
        Want::SettingsDiff => {
            Answer::SettingsDiff(client.settings_diff(&DiffQuery::default()).await?)
        }
        Want::SettingsVersions => Answer::SettingsVersions(client.settings_versions().await?),
        Want::Node(id) => Answer::Node(client.node(id).await?),
        Want::Lines { of, query } => Answer::Lines(match of {
            Source::Together { job, step } => client.job_log_lines(job, *step, query).await?,
            Source::Step { attempt, .. } | Source::Agent { attempt } => {
                client.log_lines(attempt, &name(of.step()), query).await?
            }
        }),
        Want::Matches { of, query } => Answer::Matches(match of {
            Source::Together { job, step } => client.job_log_search(job, *step, query).await?,
            Source::Step { attempt, .. } | Source::Agent { attempt } => {
                client.log_search(attempt, &name(of.step()), query).await?
            }
        }),
    })
}

/// An error of the client as the screen shows it, with what the server said of a config.
pub(super) fn refused(err: &ClientError) -> Failure {
    let (problems, findings) = match err {
        ClientError::Server { body, .. } => (body.problems.clone(), body.findings.clone()),
        _ => (Vec::new(), Vec::new()),
    };
    Failure {
        problems,
        findings,
        ..failure(err)
    }
}

/// An error as the screen shows it.
pub(super) fn failure<E: Explain>(err: &E) -> Failure {
    Failure {
        hint: err.hint(),
        ..Failure::new(err.kind(), Chain(err).to_string())
    }
}
