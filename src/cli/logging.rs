//! What happens inside, as lines on standard error: for a server and for an agent. Verbs log nothing.

use std::io::{self, Write};

use roundel::error::Kind;
use roundel::storage::own_log::OwnLog;
use tracing_subscriber::fmt::MakeWriter;

use super::Failure;

/// Standard error, which is kept within bounds where it is a file of the server's own.
struct Bounded(Option<OwnLog>);

/// What one event is written to.
struct Entry<'a>(&'a Bounded);

impl<'a> MakeWriter<'a> for Bounded {
    type Writer = Entry<'a>;

    fn make_writer(&'a self) -> Entry<'a> {
        Entry(self)
    }
}

impl Write for Entry<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // An agent's hides the secrets of its run.
        roundel::agent::log().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        if let Some(log) = &self.0.0 {
            // A disk that is full holds no new file; the old one is as good then.
            let _ = log.turn();
        }
    }
}

/// Starts the log: by `ROUNDEL_LOG`, else by the words `configured`, else from `info` on. `own` is the file that standard error is,
/// where it is one of the server's own.
///
/// # Errors
/// When the words do not say what to log.
pub(super) fn start(configured: Option<&str>, own: Option<OwnLog>) -> Result<(), Failure> {
    let variable = std::env::var("ROUNDEL_LOG").ok();
    let words = variable.as_deref().or(configured).unwrap_or("info");
    let filter = tracing_subscriber::EnvFilter::try_new(words).map_err(|err| {
        Failure::said(
            Kind::Usage,
            format!("`{words}` does not say what to log: {err}"),
        )
        .with_hint("as `info`, or `info,roundel::engine=debug`")
    })?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(Bounded(own))
        .with_ansi(false)
        // It would tell of a log that cannot be written (a full disk) on the same log, and panic when that fails too.
        .log_internal_errors(false)
        .init();
    Ok(())
}
