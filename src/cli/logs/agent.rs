//! The Build Agent's own log.

use roundel::api::builds::RunRow;
use roundel::client::Client;
use roundel::sanitise;

use super::{Args, changed, over};
use crate::cli::Failure;
use crate::cli::context::Context;
use crate::cli::follow::{News, last_lines};

/// The step under which it is asked for.
const AGENT: &str = "agent";

/// Bytes asked for at once.
const CHUNK: u64 = 1 << 20;

pub(super) async fn print(
    args: &Args,
    client: &Client,
    run: &RunRow,
    news: &mut News,
    context: &mut Context<'_>,
) -> Result<(), Failure> {
    let mut offset = match args.last() {
        Some(lines) => {
            last_lines(client, &run.attempt, AGENT, None, lines)
                .await?
                .0
        }
        None => 0,
    };
    let mut inert = context.terminals.out.then(sanitise::Stream::default);
    loop {
        // Asked before the log is read: what an ended run wrote is all there.
        let ended = !args.follow || over(&client.run(&run.attempt).await?.run);
        loop {
            let (bytes, length) = client
                .log_bytes(&run.attempt, AGENT, None, offset, offset + CHUNK)
                .await?;
            offset += bytes.len() as u64;
            match &mut inert {
                Some(inert) => context.out.write_all(inert.push(&bytes).as_bytes())?,
                None => context.out.write_all(&bytes)?,
            }
            if bytes.is_empty() || offset >= length {
                break;
            }
        }
        context.out.flush()?;
        if ended {
            if let Some(inert) = inert {
                context.out.write_all(inert.finish().as_bytes())?;
            }
            return Ok(());
        }
        changed(client, news, &run.attempt).await;
    }
}
