//! What happens inside, as lines on standard error: for a server and for an agent. Verbs log nothing.

use roundel::error::Kind;

use super::Failure;

/// Starts the log: by `ROUNDEL_LOG`, else by the words `configured`, else from `info` on.
///
/// # Errors
/// When the words do not say what to log.
pub(super) fn start(configured: Option<&str>) -> Result<(), Failure> {
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
        .with_writer(std::io::stderr)
        .with_ansi(false)
        // It would tell of a log that cannot be written (a full disk) on the same log, and panic when that fails too.
        .log_internal_errors(false)
        .init();
    Ok(())
}
