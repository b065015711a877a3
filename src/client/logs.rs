//! Logs: bytes, lines and searches, of one run or of all parallel runs of a job.

use bytes::Bytes;

use super::connection::Ask;
use super::{Client, ClientError, Result, escape, with_query};
use crate::api::builds::{LogLines, LogMatches, LogQuery};

impl Client {
    /// Raw bytes `from..to` of a log (1 MiB at most are answered at once) and the length of the whole log, of the one
    /// `stream` (`out`, `err`) when it is named. `step` is an index, or `agent` for the Build Agent's own log.
    ///
    /// # Errors
    /// As [`Client::hello`].
    pub async fn log_bytes(
        &self,
        attempt: &str,
        step: &str,
        stream: Option<&str>,
        from: u64,
        to: u64,
    ) -> Result<(Bytes, u64)> {
        let query = LogQuery {
            from: Some(from),
            to: Some(to),
            stream: stream.map(str::to_owned),
            ..LogQuery::default()
        };
        let answer = self
            .pool
            .ask(&Ask::get(log_path(attempt, step, &query)))
            .await?;
        let length = answer
            .headers
            .get("x-roundel-log-length")
            .and_then(|value| value.to_str().ok()?.parse().ok())
            .ok_or_else(|| {
                ClientError::protocol("a log's bytes came without the length of the log")
            })?;
        Ok((answer.body, length))
    }

    /// Lines of a log, by `line` and `count` or by `tail`.
    ///
    /// # Errors
    /// As [`Client::hello`].
    pub async fn log_lines(&self, attempt: &str, step: &str, query: &LogQuery) -> Result<LogLines> {
        self.get(log_path(attempt, step, query)).await
    }

    /// Numbers of the lines that hold what the query looks for.
    ///
    /// # Errors
    /// As [`Client::hello`].
    pub async fn log_search(
        &self,
        attempt: &str,
        step: &str,
        query: &LogQuery,
    ) -> Result<LogMatches> {
        self.get(log_path(attempt, step, query)).await
    }

    /// Lines of one step of all parallel runs of a job together, by time: by `line` and `count` or by `tail`.
    ///
    /// # Errors
    /// As [`Client::hello`].
    pub async fn job_log_lines(&self, job: &str, step: u16, query: &LogQuery) -> Result<LogLines> {
        self.get(job_log_path(job, step, query)).await
    }

    /// Numbers of the lines among those of [`Client::job_log_lines`] that hold what the query looks for.
    ///
    /// # Errors
    /// As [`Client::hello`].
    pub async fn job_log_search(
        &self,
        job: &str,
        step: u16,
        query: &LogQuery,
    ) -> Result<LogMatches> {
        self.get(job_log_path(job, step, query)).await
    }
}

fn log_path(attempt: &str, step: &str, query: &LogQuery) -> String {
    with_query(
        &format!("/logs/{}/{}", escape(attempt), escape(step)),
        query,
    )
}

fn job_log_path(job: &str, step: u16, query: &LogQuery) -> String {
    with_query(&format!("/jobs/{}/logs/{step}", escape(job)), query)
}
