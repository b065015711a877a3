//! The environment of the steps: what the task says, and the project's variables, which the server tells when asked with
//! the attempt's token.
//!
//! Values are in the agent's memory alone: not in its own environment, on no command line, and on no disk.

use std::cell::Cell;
use std::path::Path;

use super::asking::until_answered;
use crate::api::agent::Task;
use crate::api::projects::Variable;
use crate::client::{Client, ClientError};
use crate::error::Chain;
use crate::secret::Secret;

/// Variables in order; of two of one name the later one holds.
#[derive(Debug, Default)]
pub(super) struct Environment(Vec<(String, Secret)>);

impl Environment {
    /// Of what the task says, with the project's variables where they belong.
    pub(super) fn of(task: &Task, variables: Vec<Variable>) -> Self {
        let mut all: Vec<_> = plain(&task.environment).collect();
        let at = task.variables.unwrap_or_default().min(all.len());
        let of_project = variables
            .into_iter()
            .map(|variable| (variable.name, variable.value));
        all.splice(at..at, of_project);
        Self(all)
    }

    /// Of these variables, before those of `rest`.
    pub(super) fn before(first: &[(String, String)], rest: Self) -> Self {
        Self(plain(first).chain(rest.0).collect())
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.expose()))
    }
}

fn plain(variables: &[(String, String)]) -> impl Iterator<Item = (String, Secret)> {
    variables
        .iter()
        .map(|(name, value)| (name.clone(), Secret::new(value.clone())))
}

/// Asks the server for the project's variables, for as long as it is away or has them locked, which is told once through
/// `locked`; answers a sentence when it has an answer and no variables.
///
/// # Cancel safety
/// It may be dropped and asked again.
pub(super) async fn fetch(
    task: &Task,
    dir: &Path,
    token: &str,
    locked: impl AsyncFn(),
) -> Result<Vec<Variable>, String> {
    let attempt = task.attempt.to_string();
    let mut client = Client::unix(&task.socket);
    let told = Cell::new(false);
    let waited = "the project's variables are waited for";
    until_answered(&mut client, dir, waited, async |client| {
        let answer = client.variables(&attempt, token).await;
        if answer.as_ref().is_err_and(ClientError::is_locked) && !told.replace(true) {
            locked().await;
        }
        answer
    })
    .await
    .map_err(|err| format!("the project's variables cannot be had: {}", Chain(&err)))
}
