//! Changes something on the server, and says in one sentence what came of it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use roundel::api::builds::CreatePipeline;
use roundel::api::fleet::SetEligibility;
use roundel::api::services::Phase;
use roundel::api::session::Arm;
use roundel::api::settings::{Save, SettingsRef};
use roundel::client::{Client, ClientError};
use roundel::error::{Explain, Kind};
use roundel::ids::PipelineId;
use tokio::sync::{Semaphore, mpsc};

use super::fetch::refused;
use crate::console::action::{SettingsWrite, Write, deadline};
use crate::console::event::{Done, Event, Failure};
use crate::console::text::plural;

/// Does it when it is its turn, and reports.
pub(super) async fn write(
    turns: Arc<Semaphore>,
    client: Option<Client>,
    write: Write,
    events: mpsc::Sender<Event>,
) {
    // Never closed; one that were would have nothing left to wait for.
    let _turn = turns.acquire().await;
    let result = match client {
        Some(client) => match perform(&client, &write, &events).await {
            Ok(done) => Ok(done),
            Err(err) => {
                // Armed no longer, or not by this server: the bar must not say otherwise.
                if err.kind() == Kind::Refused
                    && let Ok(session) = client.session().await
                {
                    _ = events.send(Event::Session(session)).await;
                }
                Err(refused(&err))
            }
        },
        None => Err(Failure::new(Kind::NoServer, "no server answers")),
    };
    _ = events.send(Event::Written(write, result)).await;
}

async fn perform(
    client: &Client,
    write: &Write,
    events: &mpsc::Sender<Event>,
) -> Result<Done, ClientError> {
    let done = |text: String| Done {
        text,
        pipeline: None,
    };
    Ok(match write {
        Write::Drain { node, set } => {
            let name = client.set_drain(node, set).await?.value.name;
            done(match (set.enable, set.deadline_s) {
                (false, _) => format!("the drain of {name} has ended; it takes new work"),
                (true, None) => format!("{name} drains, without a deadline"),
                (true, Some(0)) => format!("{name} drains; what ran there is being stopped"),
                (true, Some(s)) => format!(
                    "{name} drains; what still runs in {} is stopped",
                    deadline(s)
                ),
            })
        }
        Write::Eligibility { node, eligible } => {
            let name = client
                .set_eligibility(
                    node,
                    &SetEligibility {
                        eligible: *eligible,
                    },
                )
                .await?
                .value
                .name;
            done(if *eligible {
                format!("{name} takes new work")
            } else {
                format!("{name} takes no new work")
            })
        }
        Write::Services { start } => {
            let now = if *start {
                client.start_services().await?
            } else {
                client.stop_services().await?
            };
            done(match now.value.phase {
                Phase::Started => "the installation takes work again".to_owned(),
                Phase::Stopping => {
                    "the installation takes no new work; what runs may end".to_owned()
                }
                Phase::Stopped => "the installation is stopped; nothing runs".to_owned(),
            })
        }
        Write::StopRun { attempt, name } => {
            client.stop_run(attempt).await?;
            done(format!("{name} is being stopped"))
        }
        Write::Approve { id, name } => {
            client.approve(id).await?;
            done(format!("{name} is approved and goes on"))
        }
        Write::Cancel { pipeline, name } => {
            client.cancel(pipeline).await?;
            done(format!("{name} is being canceled"))
        }
        Write::Rerun {
            id,
            name,
            from_failed,
        } => {
            client.rerun(id, *from_failed).await?;
            done(if *from_failed {
                format!("{name} runs again from what failed")
            } else {
                format!("{name} runs again")
            })
        }
        Write::Arm { seconds, reason } => {
            let arm = Arm {
                seconds: *seconds,
                reason: reason.clone(),
            };
            let session = client.arm(&arm).await?.value;
            _ = events.send(Event::Session(session)).await;
            done(if *seconds == 0 {
                "disarmed: this console changes nothing any more".to_owned()
            } else {
                format!("armed for {}: what is done now is done", deadline(*seconds))
            })
        }
        Write::Settings(write) => done(settings(client, write).await?),
        Write::Build { source } => {
            let new = CreatePipeline {
                id: PipelineId::fresh(),
                source: absolute(source),
                branch: None,
                job: None,
                no_engine: false,
            };
            let made = client.create_pipeline(&new).await?;
            let warnings = made.value.warnings.len();
            let text = if warnings == 0 {
                format!("{source} is being built")
            } else {
                format!(
                    "{source} is being built, with {} about its config",
                    plural(warnings as u64, "warning")
                )
            };
            Done {
                text,
                pipeline: Some(made.value.pipeline),
            }
        }
    })
}

/// Changes the settings; answers what came of it.
async fn settings(client: &Client, write: &SettingsWrite) -> Result<String, ClientError> {
    let saved = |done: &SettingsRef| {
        if done.saved {
            format!("saved as version {}", done.version)
        } else {
            "nothing to save: nothing is changed".to_owned()
        }
    };
    Ok(match write {
        SettingsWrite::Stage(edits) => {
            client.stage_settings(&edits.changes()).await?;
            let n = plural(edits.0.len() as u64, "change");
            format!("{n} staged, not saved")
        }
        SettingsWrite::Discard(keys) => {
            client.discard_settings(keys.clone()).await?;
            "what was staged is forgotten".to_owned()
        }
        SettingsWrite::Save { edits, restart } => {
            let save = Save {
                changes: edits.changes(),
                // They stood on the page that the save was made from.
                accept_warnings: true,
            };
            let done = saved(&client.save_settings(&save).await?.value);
            if !restart {
                return Ok(done);
            }
            client.stop_services().await?;
            client.start_services().await?;
            format!("{done}; the installation runs with it")
        }
        SettingsWrite::Rollback(version) => {
            let done = client.roll_settings_back(*version).await?.value;
            if done.saved {
                format!("version {version} is back, as version {}", done.version)
            } else {
                format!("version {version} is what holds already")
            }
        }
    })
}

/// A path as the server can find it: it has another working directory. A URL stays as it is.
fn absolute(source: &str) -> String {
    if source.contains("://") || (source.contains(':') && !Path::new(source).exists()) {
        return source.to_owned();
    }
    let path = expanded(source);
    path.canonicalize()
        .unwrap_or(path)
        .to_string_lossy()
        .into_owned()
}

/// A path as somebody types it: `~/` is home.
pub(super) fn expanded(typed: &str) -> PathBuf {
    let home = typed
        .strip_prefix("~/")
        .and_then(|rest| Some(directories::BaseDirs::new()?.home_dir().join(rest)));
    home.unwrap_or_else(|| Path::new(typed).to_owned())
}
