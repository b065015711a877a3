//! A question to the server, asked for as long as that is away.

use std::path::Path;

use super::journal::{BACKOFF, moved_to};
use crate::client::{Client, ClientError};
use crate::error::Chain;

/// Asks until there is an answer, of a server that has moved where it is now; `waited` says in the log what is waited for.
/// `dir` is the attempt's.
///
/// # Errors
/// What the server says in place of an answer.
///
/// # Cancel safety
/// It may be dropped and asked again.
pub(super) async fn until_answered<T>(
    client: &mut Client,
    dir: &Path,
    waited: &str,
    question: impl AsyncFn(&Client) -> Result<T, ClientError>,
) -> Result<T, ClientError> {
    let mut pause = BACKOFF.0;
    loop {
        match question(client).await {
            Err(err) if err.server_gone() => {
                tracing::warn!(error = %Chain(&err), "{waited}");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(BACKOFF.1);
                if let Some(moved) = moved_to(dir) {
                    *client = Client::unix(moved);
                }
            }
            answer => return answer,
        }
    }
}
