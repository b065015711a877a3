//! `whoami`: who the server takes one for.

use super::context::Context;
use super::login::{Standing, until};
use super::{End, Failure};

pub(super) async fn run(context: &mut Context<'_>) -> Result<End, Failure> {
    let client = context.connect().await?;
    let session = client.session().await?;
    let server = client.server();
    let text = format!(
        "{}, {}{}, at {server}",
        session.who,
        session.role,
        until(&session)
    );
    context.done(&Standing { server, session }, &text)
}
