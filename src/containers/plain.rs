//! Containers and how they stand: asked for by hand, because Podman says `stopped` where the Engine API knows `exited`
//! only, and a client that is strict about the word gives nothing at all.

use std::collections::HashMap;
use std::time::Duration;

use bollard::errors::Error;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::HOST;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::net::UnixStream;

use super::{Engine, OLDEST};

/// Most bytes of an answer: a container takes about a kilobyte in a list.
const ANSWER_MAX: usize = 16 << 20;

/// How long an engine may take to tell.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is of interest of a container.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct State {
    /// Its first process is there.
    pub running: bool,
    /// What that ended with, once it has.
    pub exit_code: i64,
    /// The kernel killed it for want of memory.
    #[serde(rename = "OOMKilled")]
    pub oom_killed: bool,
    /// Its first process; 0 when there is none.
    pub pid: i64,
}

/// How the container of that id stands.
///
/// # Errors
/// When the engine does not answer, or knows no such container ([`super::is_missing`]).
pub async fn state(engine: &Engine, id: &str) -> Result<State, Error> {
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "PascalCase", default)]
    struct Found {
        state: State,
    }
    let found: Found = get(engine, &format!("containers/{id}/json")).await?;
    Ok(found.state)
}

/// A container and its labels.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Labelled {
    pub id: String,
    #[serde(default)]
    pub labels: HashMap<String, String>,
}

/// All containers that have a label, running or not.
pub(super) async fn labelled(engine: &Engine, label: &str) -> Result<Vec<Labelled>, Error> {
    let filters = serde_json::json!({ "label": [label] }).to_string();
    let query = serde_urlencoded::to_string([("all", "true"), ("filters", &filters)])?;
    get(engine, &format!("containers/json?{query}")).await
}

async fn get<T: serde::de::DeserializeOwned>(engine: &Engine, path: &str) -> Result<T, Error> {
    tokio::time::timeout(PATIENCE, ask(engine, path))
        .await
        .map_err(|_| Error::RequestTimeoutError)?
}

async fn ask<T: serde::de::DeserializeOwned>(engine: &Engine, path: &str) -> Result<T, Error> {
    let stream = TokioIo::new(UnixStream::connect(&engine.socket).await?);
    let (mut sender, connection) = http1::handshake(stream).await?;
    let version = format!("v{}.{}", OLDEST.major_version, OLDEST.minor_version);
    let request = Request::get(format!("/{version}/{path}"))
        .header(HOST, "localhost")
        .body(Empty::<Bytes>::new())?;
    // It ends with its sender.
    tokio::spawn(connection);
    let answer = sender.send_request(request).await?;
    let status = answer.status();
    let body = Limited::new(answer.into_body(), ANSWER_MAX).collect().await;
    let body = body.map_err(std::io::Error::other)?.to_bytes();
    if !status.is_success() {
        #[derive(Default, Deserialize)]
        struct Problem {
            #[serde(default)]
            message: String,
        }
        let problem: Problem = serde_json::from_slice(&body).unwrap_or_default();
        return Err(Error::DockerResponseServerError {
            status_code: status.as_u16(),
            message: problem.message,
        });
    }
    Ok(serde_json::from_slice(&body)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_docker_and_podman_say_of_a_container_is_understood() {
        let docker = r#"{"Status":"exited","Running":false,"OOMKilled":true,"Pid":0,"ExitCode":137,"Error":""}"#;
        let podman = r#"{"Status":"stopped","Running":false,"Pid":0,"ExitCode":3,"Health":null}"#;
        let ended = |exit_code, oom_killed| State {
            exit_code,
            oom_killed,
            ..State::default()
        };
        assert_eq!(
            serde_json::from_str::<State>(docker).unwrap(),
            ended(137, true)
        );
        assert_eq!(
            serde_json::from_str::<State>(podman).unwrap(),
            ended(3, false)
        );
    }
}
