//! Where Build Agents report: output goes to the logs, events to the engine, and nothing is acknowledged before both
//! are kept.

use std::str::FromStr;
use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use super::caller::bearer;
use super::error::{ApiError, blocking};
use super::router::Server;
use super::variables::sealed_as;
use crate::api::agent::{Ack, BODY_MAX, Event, Lending, LentMachine, Record, RecordBody, frame};
use crate::api::projects::Variable;
use crate::clock;
use crate::engine::{Admission, AgentEvent, Refusal};
use crate::error::Kind;
use crate::ids::AttemptId;
use crate::pipeline::status::VmPurpose;
use crate::secret::Secret;
use crate::services::health::Part;

/// Axum's own limit must let the largest body through; ours is checked after.
pub(super) fn body_limit() -> DefaultBodyLimit {
    DefaultBodyLimit::max(BODY_MAX + 1)
}

pub(super) async fn records(
    State(server): State<Server>,
    Path(attempt): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ApiError> {
    let (attempt, Some(stop)) = admit(&server, &attempt, &headers).await? else {
        return Ok(StatusCode::GONE.into_response());
    };
    if body.len() > BODY_MAX {
        return Err(ApiError::new(
            Kind::Usage,
            format!("a report is larger than {BODY_MAX} bytes"),
        ));
    }
    let records = frame::decode(&body).map_err(|err| {
        ApiError::new(
            Kind::Usage,
            format!("a report of attempt `{attempt}` is not whole: {err}"),
        )
    })?;
    let Some(last_seq) = records.last().map(|record| record.seq) else {
        let seq = server.view.gate.taken(attempt).unwrap_or(0);
        return Ok(Json(Ack { seq, stop }).into_response());
    };

    let events: Vec<_> = records
        .iter()
        .filter_map(|record| Some((record.seq, AgentEvent::from_record(record)?)))
        .collect();
    let logs = server.logs.clone();
    let bytes = records.iter().map(output).sum();
    let begun = clock::monotonic();
    let grown = blocking(move || {
        let grown = logs.append(attempt, &records)?;
        for record in &records {
            if let RecordBody::Event(Event::StepEnded { step, .. }) = &record.body {
                logs.sync(attempt, *step)?;
            }
        }
        Ok::<_, crate::storage::logs::LogError>(grown)
    })
    .await;
    let meter = server.view.pulse.of(Part::Logs);
    let grown = match grown {
        Ok(grown) => {
            meter.done(begun.elapsed(), clock::now());
            server.view.pulse.logged(bytes);
            grown
        }
        Err(err) => {
            meter.failed(err.text(), clock::now());
            return Err(err);
        }
    };
    for (step, bytes) in grown {
        server.view.feed.log_advanced(attempt, step, bytes);
    }
    let finished = events
        .iter()
        .any(|(_, event)| matches!(event, AgentEvent::Finished { .. }));
    if !events.is_empty() {
        server
            .handle
            .agent_events(attempt, last_seq, events)
            .await?;
    }
    if finished {
        server.logs.close(attempt);
    }
    Ok(Json(Ack {
        seq: last_seq,
        stop,
    })
    .into_response())
}

/// The attempt whose token came along, and whether it is to stop; `None`: it is over.
async fn admit(
    server: &Server,
    attempt: &str,
    headers: &HeaderMap,
) -> Result<(AttemptId, Option<bool>), ApiError> {
    let attempt =
        AttemptId::from_str(attempt).map_err(|_| ApiError::not_found("attempt", attempt))?;
    let token = bearer(headers).unwrap_or_default();
    match server.view.gate.admit(attempt, token, clock::now()) {
        Admission::Open { stop } => Ok((attempt, Some(stop))),
        Admission::WrongToken => {
            let err = ApiError::new(
                Kind::Refused,
                format!("the token does not open attempt `{attempt}`"),
            );
            let refusal = Refusal {
                who: "an agent".to_owned(),
                what: format!("report of attempt {attempt}"),
                why: err.text(),
                from: String::new(),
            };
            server.handle.refused(refusal).await;
            Err(err)
        }
        Admission::Over => Ok((attempt, None)),
    }
}

/// What the attempt is told of the proxy, and over that the variables of its project, opened: the one place where they leave
/// the server.
pub(super) async fn variables(
    State(server): State<Server>,
    Path(attempt): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let (attempt, Some(_)) = admit(&server, &attempt, &headers).await? else {
        return Ok(StatusCode::GONE.into_response());
    };
    let opened: Vec<Variable> = blocking(move || {
        let (project, key) = server.view.store.project_of_attempt(attempt)?;
        let sealed = server.view.store.variables(project)?;
        let of_proxy = server.view.proxy_variables(attempt, &sealed)?;
        let of_proxy = of_proxy.into_iter().map(|variable| {
            Ok(Variable {
                name: variable.name.to_owned(),
                value: variable.value,
                hidden: Some(variable.hidden),
            })
        });
        tracing::info!(attempt = %attempt, variables = sealed.len(), "variables are handed to an agent");
        let of_project = sealed.into_iter().map(|variable| {
            let object = sealed_as(&key, &variable.name);
            let value = Secret::new(server.seal.open(&object, &variable.sealed)?);
            Ok(Variable {
                name: variable.name,
                value,
                hidden: None,
            })
        });
        of_proxy.chain(of_project).collect::<Result<_, ApiError>>()
    })
    .await?;
    Ok(Json(opened).into_response())
}

/// Time for which a question for a VM is held back. The agent's own patience for an answer is 30 s.
const HELD: Duration = Duration::from_secs(20);

/// The VM that the attempt is lent, once there is one.
pub(super) async fn machine(
    State(server): State<Server>,
    Path(attempt): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let (attempt, Some(_)) = admit(&server, &attempt, &headers).await? else {
        return Ok(StatusCode::GONE.into_response());
    };
    let asked = server.vms.acquire(attempt, VmPurpose::Machine);
    let lending = match tokio::time::timeout(HELD, asked).await {
        Ok(lease) => {
            let lease = lease?;
            tracing::info!(%attempt, vm = %lease.vm, "a VM is lent to an agent");
            Lending {
                machine: Some(LentMachine {
                    name: lease.instance,
                    address: lease.address,
                    port: lease.port,
                    user: lease.user,
                    private_key: lease.private_key,
                    host_key: lease.host_key,
                }),
                waits: String::new(),
            }
        }
        Err(_) => Lending {
            machine: None,
            waits: match server.vms.stand().failure {
                Some(why) => format!("No VM is ready yet: {why}"),
                None => "No VM is ready yet: one is being made.".to_owned(),
            },
        },
    };
    Ok(Json(lending).into_response())
}

/// Bytes of output that a record carries.
fn output(record: &Record) -> u64 {
    match &record.body {
        RecordBody::Output { bytes, .. } => bytes.len() as u64,
        RecordBody::Event(_) => 0,
    }
}
