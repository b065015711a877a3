//! Typed client of the HTTP API, over the unix socket of a server.
//!
//! Knows `api` and no engine, prints nothing. Used by the console and by the verbs; [`launch`] finds the server or
//! starts one.

mod acme;
mod certificates;
mod connection;
mod error;
mod events;
mod keep;
mod known;
pub mod launch;
mod lines;
mod logs;
mod projects;
mod remote;
mod rendered;
mod secrets;
mod session;
mod settings;
mod tokens;
mod vms;

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use hyper::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::api::agent::{Ack, Lending};
use crate::api::backups::{Backup, MakeBackup};
use crate::api::builds::{
    CreatePipeline, PipelineDetail, PipelineRef, PipelineRow, Rerun, RunDetail, RunRow,
};
use crate::api::compare::{CompareQuery, Comparison};
use crate::api::dashboard::Dashboard;
use crate::api::fleet::{NodeDetail, NodeRef, NodeRow, SetDrain, SetEligibility};
use crate::api::projects::Variable;
use crate::api::services::{Installation, Services};
use crate::api::watches::{AddWatch, WatchRef, WatchRow};
use crate::api::{AuditRow, Hello, ListQuery, Page, Summary, Written};

use connection::{Answer, Ask, Pool};
pub use error::ClientError;
pub use events::{EventStream, StreamItem};
pub use known::Known;
pub use lines::Lines;
pub use remote::{Address, Remote};

/// Time for an answer. The slowest reads (a search through a long log) take seconds.
const PATIENCE: Duration = Duration::from_secs(30);

/// Time for a pipeline to be taken in: the server fetches the repository first.
const FETCH_PATIENCE: Duration = Duration::from_secs(15 * 60);

/// Time for a backup, or for housekeeping: every log is read and written, or removed.
const DISK_PATIENCE: Duration = Duration::from_secs(12 * 3600);

/// A client of one server. Clones share its idle connections.
///
/// Every call may be dropped while it waits; a write may then have happened or not.
#[derive(Clone, Debug)]
pub struct Client {
    pool: Pool,
}

type Result<T> = std::result::Result<T, ClientError>;

impl Client {
    /// Speaks to the server that listens on `socket`. Connects at the first call.
    pub fn unix(socket: impl Into<PathBuf>) -> Self {
        Self {
            pool: Pool::new(socket.into()),
        }
    }

    /// Speaks to a server on another machine, by TLS. Connects at the first call.
    #[must_use]
    pub fn remote(remote: Remote) -> Self {
        Self {
            pool: Pool::remote(remote),
        }
    }

    /// How the server is called: its socket, or its address.
    #[must_use]
    pub fn server(&self) -> String {
        self.pool.name()
    }

    /// Who is there.
    ///
    /// # Errors
    /// As every call: [`ClientError::NoServer`] when nobody listens, [`ClientError::Timeout`],
    /// [`ClientError::Server`] with what the server answered, [`ClientError::Protocol`] when it broke off or is no
    /// Roundel.
    pub async fn hello(&self) -> Result<Hello> {
        self.get("/hello".to_owned()).await
    }

    /// The hot counters.
    ///
    /// # Errors
    /// As [`Client::hello`].
    pub async fn summary(&self) -> Result<Summary> {
        self.get("/summary".to_owned()).await
    }

    /// A window of the pipelines, newest first.
    ///
    /// # Errors
    /// As [`Client::hello`].
    pub async fn pipelines(&self, query: &ListQuery) -> Result<Page<PipelineRow>> {
        self.get(with_query("/pipelines", query)).await
    }

    /// One pipeline with its workflows, jobs and newest runs.
    ///
    /// # Errors
    /// As [`Client::hello`].
    pub async fn pipeline(&self, reference: &str) -> Result<PipelineDetail> {
        self.get(format!("/pipelines/{}", escape(reference))).await
    }

    /// Builds a revision. The id makes it happen once, however often it is asked.
    ///
    /// # Errors
    /// As [`Client::hello`]; a config with errors answers [`ClientError::Server`] with its problems.
    pub async fn create_pipeline(&self, new: &CreatePipeline) -> Result<Written<PipelineRef>> {
        let ask = Ask {
            patience: FETCH_PATIENCE,
            ..Ask::post("/pipelines".to_owned(), new)
        };
        decode(&self.pool.ask(&ask).await?)
    }

    /// What a build did differently from another, or from the last green one when `with` is empty.
    ///
    /// # Errors
    /// As [`Client::hello`].
    pub async fn compare(&self, reference: &str, with: &str) -> Result<Comparison> {
        let query = CompareQuery {
            with: with.to_owned(),
        };
        self.get(with_query(
            &format!("/compare/{}", escape(reference)),
            &query,
        ))
        .await
    }

    /// Runs a workflow again; `reference` names it or its pipeline.
    ///
    /// # Errors
    /// As [`Client::hello`].
    pub async fn rerun(&self, reference: &str, from_failed: bool) -> Result<Written<PipelineRef>> {
        self.write(
            format!("/rerun/{}", escape(reference)),
            &Rerun { from_failed },
        )
        .await
    }

    /// Approves a job, or the one job of a workflow or pipeline that waits for it.
    ///
    /// # Errors
    /// As [`Client::hello`].
    pub async fn approve(&self, reference: &str) -> Result<Written<PipelineRef>> {
        self.write(format!("/approve/{}", escape(reference)), &())
            .await
    }

    /// Cancels a pipeline, a workflow or a job.
    ///
    /// # Errors
    /// As [`Client::hello`].
    pub async fn cancel(&self, reference: &str) -> Result<Written<PipelineRef>> {
        self.write(format!("/cancel/{}", escape(reference)), &())
            .await
    }

    /// A window of the runs: the queue, what runs, what ran.
    ///
    /// # Errors
    /// As [`Client::hello`].
    pub async fn runs(&self, query: &ListQuery) -> Result<Page<RunRow>> {
        self.get(with_query("/runs", query)).await
    }

    /// One run with its steps, its attempts and why it waits.
    ///
    /// # Errors
    /// As [`Client::hello`].
    pub async fn run(&self, reference: &str) -> Result<RunDetail> {
        self.get(format!("/runs/{}", escape(reference))).await
    }

    /// Stops one run.
    ///
    /// # Errors
    /// As [`Client::hello`].
    pub async fn stop_run(&self, reference: &str) -> Result<Written<PipelineRef>> {
        self.write(format!("/runs/{}/stop", escape(reference)), &())
            .await
    }

    /// A window of the nodes.
    ///
    /// # Errors
    /// As [`Client::hello`].
    pub async fn nodes(&self, query: &ListQuery) -> Result<Page<NodeRow>> {
        self.get(with_query("/nodes", query)).await
    }

    /// One node with its runs; `self` is this machine's first.
    ///
    /// # Errors
    /// As [`Client::hello`].
    pub async fn node(&self, reference: &str) -> Result<NodeDetail> {
        self.get(format!("/nodes/{}", escape(reference))).await
    }

    /// Turns a drain on or off.
    ///
    /// # Errors
    /// As [`Client::hello`].
    pub async fn set_drain(&self, reference: &str, drain: &SetDrain) -> Result<Written<NodeRef>> {
        self.write(format!("/nodes/{}/drain", escape(reference)), drain)
            .await
    }

    /// Lets a node take new work, or not.
    ///
    /// # Errors
    /// As [`Client::hello`].
    pub async fn set_eligibility(
        &self,
        reference: &str,
        eligibility: &SetEligibility,
    ) -> Result<Written<NodeRef>> {
        self.write(
            format!("/nodes/{}/eligibility", escape(reference)),
            eligibility,
        )
        .await
    }

    /// Whether the installation is well, and what needs somebody.
    ///
    /// # Errors
    /// As [`Client::hello`].
    pub async fn dashboard(&self) -> Result<Dashboard> {
        self.get("/dashboard".to_owned()).await
    }

    /// How the installation and the parts of the server do.
    ///
    /// # Errors
    /// As [`Client::hello`].
    pub async fn services(&self) -> Result<Services> {
        self.get("/services".to_owned()).await
    }

    /// Takes no new work any more; what runs may end.
    ///
    /// # Errors
    /// As [`Client::hello`].
    pub async fn stop_services(&self) -> Result<Written<Installation>> {
        self.write("/services/stop".to_owned(), &()).await
    }

    /// Takes new work again.
    ///
    /// # Errors
    /// As [`Client::hello`].
    pub async fn start_services(&self) -> Result<Written<Installation>> {
        self.write("/services/start".to_owned(), &()).await
    }

    /// A window of the audit log, newest first.
    ///
    /// # Errors
    /// As [`Client::hello`].
    pub async fn audit(&self, query: &ListQuery) -> Result<Page<AuditRow>> {
        self.get(with_query("/audit", query)).await
    }

    /// Repositories that are watched, by source.
    ///
    /// # Errors
    /// As [`Client::hello`].
    pub async fn watches(&self) -> Result<Vec<WatchRow>> {
        self.get("/watches".to_owned()).await
    }

    /// Watches a repository; for one that is watched, changes the period.
    ///
    /// # Errors
    /// As [`Client::hello`].
    pub async fn add_watch(&self, wanted: &AddWatch) -> Result<Written<WatchRef>> {
        let ask = Ask {
            patience: FETCH_PATIENCE,
            key: Some(uuid::Uuid::new_v4().to_string()),
            ..Ask::post("/watches".to_owned(), wanted)
        };
        decode(&self.pool.ask(&ask).await?)
    }

    /// Looks at a watched repository at once.
    ///
    /// # Errors
    /// As [`Client::hello`].
    pub async fn look_now(&self, reference: &str) -> Result<WatchRef> {
        self.write(format!("/watches/{}/look", escape(reference)), &())
            .await
    }

    /// Watches a repository no more.
    ///
    /// # Errors
    /// As [`Client::hello`].
    pub async fn remove_watch(&self, reference: &str) -> Result<Written<WatchRef>> {
        self.delete(format!("/watches/{}", escape(reference))).await
    }

    /// Makes a backup on the server's machine.
    ///
    /// # Errors
    /// As [`Client::hello`].
    pub async fn make_backup(&self, wanted: &MakeBackup) -> Result<Backup> {
        let ask = Ask {
            patience: DISK_PATIENCE,
            ..Ask::post("/backups".to_owned(), wanted)
        };
        decode(&self.pool.ask(&ask).await?)
    }

    /// Opens the stream of changes: those after the change `after`, or those from now on.
    ///
    /// # Errors
    /// As [`Client::hello`].
    pub async fn events(&self, after: Option<i64>) -> Result<EventStream> {
        let body = self.pool.stream("/events", after, PATIENCE).await?;
        Ok(EventStream::new(body, self.pool.name()))
    }

    /// Hands over an agent's records, whole frames; an empty body is a sign of life.
    ///
    /// # Errors
    /// As [`Client::hello`]; status 410 when the attempt is over for the server.
    pub async fn report(&self, attempt: &str, token: &str, frames: Bytes) -> Result<Ack> {
        let ask = Ask {
            method: Method::POST,
            path: format!("/attempts/{}/records", escape(attempt)),
            body: frames,
            key: None,
            token: Some(token.to_owned()),
            patience: PATIENCE,
        };
        decode(&self.pool.ask(&ask).await?)
    }

    /// The variables of an attempt's project, in clear, for its agent.
    ///
    /// # Errors
    /// As [`Client::hello`].
    pub async fn variables(&self, attempt: &str, token: &str) -> Result<Vec<Variable>> {
        let ask = Ask {
            token: Some(token.to_owned()),
            ..Ask::get(format!("/attempts/{}/variables", escape(attempt)))
        };
        decode(&self.pool.ask(&ask).await?)
    }

    /// The machine that the server lends to an attempt, for its agent.
    ///
    /// # Errors
    /// As [`Client::hello`].
    pub async fn machine(&self, attempt: &str, token: &str) -> Result<Lending> {
        let ask = Ask {
            token: Some(token.to_owned()),
            ..Ask::get(format!("/attempts/{}/machine", escape(attempt)))
        };
        decode(&self.pool.ask(&ask).await?)
    }

    async fn get<T: DeserializeOwned>(&self, path: String) -> Result<T> {
        decode(&self.pool.ask(&Ask::get(path)).await?)
    }

    /// Every write carries a key of its own, so that one whose answer was lost can be asked again and happens once.
    async fn write<T: DeserializeOwned>(&self, path: String, body: &impl Serialize) -> Result<T> {
        let key = uuid::Uuid::new_v4().to_string();
        let ask = Ask {
            key: Some(key),
            ..Ask::post(path, body)
        };
        decode(&self.pool.ask(&ask).await?)
    }

    async fn delete<T: DeserializeOwned>(&self, path: String) -> Result<T> {
        let ask = Ask {
            method: Method::DELETE,
            key: Some(uuid::Uuid::new_v4().to_string()),
            ..Ask::get(path)
        };
        decode(&self.pool.ask(&ask).await?)
    }
}

impl Ask {
    fn get(path: String) -> Self {
        Self {
            method: Method::GET,
            path,
            body: Bytes::new(),
            key: None,
            token: None,
            patience: PATIENCE,
        }
    }

    fn post(path: String, body: &impl Serialize) -> Self {
        let body = serde_json::to_vec(body)
            .expect("what the API takes is plain data")
            .into();
        Self {
            method: Method::POST,
            path,
            body,
            key: None,
            token: None,
            patience: PATIENCE,
        }
    }
}

fn decode<T: DeserializeOwned>(answer: &Answer) -> Result<T> {
    serde_json::from_slice(&answer.body).map_err(|err| ClientError::Protocol {
        what: "the answer is not what this version knows",
        source: Some(err.into()),
    })
}

fn with_query(path: &str, query: &impl Serialize) -> String {
    let query = serde_urlencoded::to_string(query).expect("a query is flat");
    if query.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{query}")
    }
}

/// Percent-encodes one segment of a path: references hold `/` and `#`.
fn escape(segment: &str) -> String {
    let mut out = String::with_capacity(segment.len());
    for byte in segment.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_one_segment() {
        assert_eq!(escape("acme/web#17"), "acme%2Fweb%2317");
        assert_eq!(escape("0190-ab_c.~"), "0190-ab_c.~");
        assert_eq!(escape("ä ?"), "%C3%A4%20%3F");
    }

    #[test]
    fn empty_parts_of_a_query_stay_away() {
        assert_eq!(with_query("/runs", &ListQuery::default()), "/runs");
        let query = ListQuery {
            filter: "a b".to_owned(),
            limit: Some(5),
            ..ListQuery::default()
        };
        assert_eq!(with_query("/runs", &query), "/runs?filter=a+b&limit=5");
    }
}
