//! How a verb ends, and the one place that prints why it failed.

use std::io;

use roundel::api::ProblemBody;
use roundel::api::settings::Finding;
use roundel::client::ClientError;
use roundel::client::launch::LaunchError;
use roundel::error::{Chain, Explain, Kind};
use roundel::http::ServeError;
use roundel::pipeline::Problem;
use roundel::sanitise;
use roundel::secret::SecretError;
use roundel::services::backup::BackupError;
use roundel::settings::bootstrap::BootstrapError;

use super::context::Context;
use super::problems;

/// How a verb ended. What went wrong otherwise is a [`Failure`], whose kind has its code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum End {
    /// As asked.
    Ok,
    /// The build failed.
    BuildFailed,
    /// It cannot be placed, or the ground under it gave way.
    Infrastructure,
    /// Interrupted from the keyboard.
    Interrupted,
    /// Whoever read the output has gone away.
    Unread,
    /// By the kind of a failure.
    Kind(Kind),
}

impl End {
    /// The exit code, by the one table.
    pub(crate) fn code(self) -> u8 {
        match self {
            End::Ok => 0,
            End::BuildFailed => 1,
            End::Infrastructure => Kind::Infrastructure.exit_code(),
            End::Interrupted => 130,
            // As a shell counts a program that SIGPIPE ended.
            End::Unread => 141,
            End::Kind(kind) => kind.exit_code(),
        }
    }
}

/// Why a verb failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The conversation with the server, or what it answered.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// No server could be reached or started.
    #[error(transparent)]
    Launch(#[from] LaunchError),
    /// The bootstrap file.
    #[error(transparent)]
    Bootstrap(#[from] BootstrapError),
    /// The server could not start.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// A backup could not be checked or restored.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// A variable that cannot be.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// A config file has errors.
    #[error("{what} has errors")]
    Config {
        /// The file.
        what: String,
        /// All of them.
        problems: Vec<Problem>,
    },
    /// Settings of a file cannot be so.
    #[error("{what} has errors, and nothing is changed")]
    Settings {
        /// The file.
        what: String,
        /// All of them.
        findings: Vec<Finding>,
    },
    /// The output could not be written.
    #[error("failed to write the output")]
    Output(#[from] io::Error),
    /// What a verb says itself.
    #[error("{message}")]
    Said {
        /// What sort it is.
        kind: Kind,
        /// A lowercase fragment.
        message: String,
        /// What to do.
        hint: Option<String>,
    },
}

impl Failure {
    pub(crate) fn said(kind: Kind, message: impl Into<String>) -> Self {
        Failure::Said {
            kind,
            message: message.into(),
            hint: None,
        }
    }

    pub(crate) fn with_hint(mut self, text: impl Into<String>) -> Self {
        if let Failure::Said { hint, .. } = &mut self {
            *hint = Some(text.into());
        }
        self
    }

    pub(crate) fn end(&self) -> End {
        if self.is_unread() {
            return End::Unread;
        }
        End::Kind(self.kind())
    }

    fn is_unread(&self) -> bool {
        matches!(self, Failure::Output(err) if err.kind() == io::ErrorKind::BrokenPipe)
    }

    fn findings(&self) -> &[Finding] {
        match self {
            Failure::Client(ClientError::Server { body, .. }) => &body.findings,
            Failure::Settings { findings, .. } => findings,
            _ => &[],
        }
    }

    fn problems(&self) -> &[Problem] {
        match self {
            Failure::Client(ClientError::Server { body, .. }) => &body.problems,
            Failure::Config { problems, .. } => problems,
            _ => &[],
        }
    }
}

impl Explain for Failure {
    fn kind(&self) -> Kind {
        match self {
            Failure::Client(err) => err.kind(),
            Failure::Launch(err) => err.kind(),
            Failure::Bootstrap(err) => err.kind(),
            Failure::Serve(err) => err.kind(),
            Failure::Backup(err) => err.kind(),
            Failure::Secret(err) => err.kind(),
            Failure::Config { .. } | Failure::Settings { .. } => Kind::Usage,
            Failure::Output(_) => Kind::Infrastructure,
            Failure::Said { kind, .. } => *kind,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Failure::Client(err) => err.hint(),
            Failure::Launch(err) => err.hint(),
            Failure::Bootstrap(err) => err.hint(),
            Failure::Serve(err) => err.hint(),
            Failure::Backup(err) => err.hint(),
            Failure::Secret(err) => err.hint(),
            Failure::Said { hint, .. } => hint.clone(),
            Failure::Config { .. } | Failure::Settings { .. } | Failure::Output(_) => None,
        }
    }
}

/// Prints why it failed, with causes and hint; as the API's problem object where JSON is wanted. A reader of the
/// output who has gone away is no news.
pub(crate) fn print(failure: &Failure, context: &mut Context<'_>) {
    if failure.is_unread() {
        return;
    }
    // Nothing can be done when this cannot be written either.
    let _ = if context.json {
        print_json(failure, context)
    } else {
        print_text(failure, context)
    };
}

fn print_json(failure: &Failure, context: &mut Context<'_>) -> io::Result<()> {
    let body = ProblemBody {
        kind: failure.kind(),
        code: String::new(),
        message: Chain(failure).to_string(),
        causes: Vec::new(),
        hint: failure.hint(),
        problems: failure.problems().to_vec(),
        findings: failure.findings().to_vec(),
    };
    writeln!(context.err, "{}", serde_json::to_string(&body)?)
}

fn print_text(failure: &Failure, context: &mut Context<'_>) -> io::Result<()> {
    let paint = context.err_paint();
    problems::print(failure.problems(), context.err, paint)?;
    problems::print_findings(failure.findings(), context.err, paint)?;
    let text = Chain(failure).to_string();
    let mut lines = text.lines().map(sanitise::line);
    writeln!(
        context.err,
        "{}: {}",
        paint.bad("error"),
        lines.next().unwrap_or_default()
    )?;
    for line in lines {
        writeln!(context.err, "  {line}")?;
    }
    if let Some(hint) = failure.hint() {
        writeln!(
            context.err,
            "  {}: {}",
            paint.strong("hint"),
            sanitise::line(&hint)
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_end_has_the_code_of_the_table() {
        let cases = [
            (End::Ok, 0),
            (End::BuildFailed, 1),
            (End::Kind(Kind::Usage), 2),
            (End::Infrastructure, 3),
            (End::Kind(Kind::Unavailable), 3),
            (End::Kind(Kind::NotFound), 4),
            (End::Kind(Kind::Conflict), 4),
            (End::Kind(Kind::Refused), 5),
            (End::Kind(Kind::NoServer), 6),
            (End::Interrupted, 130),
        ];
        for (end, code) in cases {
            assert_eq!(end.code(), code, "{end:?}");
        }
    }
}
