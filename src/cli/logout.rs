//! `logout`: ends the session at a server on another machine, and forgets what opened it.

use roundel::client::{Client, ClientError};
use roundel::error::{Explain, Kind};
use roundel::secret::Secret;
use serde::Serialize;

use super::context::Context;
use super::{End, Failure, login};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The server, as https://HOST[:PORT] or HOST[:PORT]; --server does the same
    #[arg(value_name = "SERVER")]
    at: Option<String>,
}

/// What came of it.
#[derive(Debug, Serialize)]
struct Left {
    server: String,
    /// The session is over at the server too.
    ended: bool,
}

pub(super) async fn run(args: &Args, context: &mut Context<'_>) -> Result<End, Failure> {
    let mut remote = login::elsewhere(args.at.as_deref(), context.global()).await?;
    let known = login::files()?;
    let server = remote.address.to_string();
    let Some(token) = known.token(&remote.address)? else {
        return Err(Failure::said(
            Kind::NotFound,
            format!("nobody is signed in to {server} from here"),
        ));
    };
    remote.token = Some(Secret::new(token));
    let said = Client::remote(remote.clone()).sign_out().await;
    // Whatever the server says: from here it opens nothing any more.
    known.keep_token(&remote.address, None)?;
    let (ended, text) = match said {
        Ok(left) => {
            let who = &left.value.who;
            (
                true,
                format!("Signed out of {server}: the session of {who} is over."),
            )
        }
        Err(err) if err.kind() == Kind::SignIn => (
            true,
            format!("Signed out of {server}: the session was over already."),
        ),
        Err(ClientError::Server { body, .. }) if body.kind == Kind::Conflict => (
            false,
            format!(
                "The token for {server} is forgotten here, and opens until it is revoked there."
            ),
        ),
        Err(err) => {
            context.warn(&format!("{server} was not told: {err}"))?;
            (
                false,
                format!("Signed out of {server} here; the session there ends by itself."),
            )
        }
    };
    context.done(&Left { server, ended }, &text)
}
