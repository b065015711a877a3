//! From errors to answers: one status per kind, and a body that says what failed, why, and what to do.

use std::borrow::Borrow;
use std::time::Duration;

use axum::Json;
use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::api::ProblemBody;
use crate::error::{Explain, Kind};
use crate::pipeline::Problem;
use crate::settings::check::Finding;

/// Most bytes of a refusal that is not in our own form.
const WORDS_MAX: usize = 4096;

/// An answer that is not a success.
#[derive(Debug)]
pub(super) struct ApiError {
    body: Box<ProblemBody>,
    /// When it may be asked again.
    retry_after: Option<Duration>,
}

impl ApiError {
    pub(super) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            body: Box::new(ProblemBody {
                kind,
                code: String::new(),
                message: message.into(),
                causes: Vec::new(),
                hint: None,
                problems: Vec::new(),
                findings: Vec::new(),
            }),
            retry_after: None,
        }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.body.hint = Some(hint.into());
        self
    }

    fn cause(mut self, cause: &str) -> Self {
        self.body.causes.push(cause.to_owned());
        self
    }

    pub(super) fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    pub(super) fn code(mut self, code: &str) -> Self {
        code.clone_into(&mut self.body.code);
        self
    }

    /// What failed, with its causes, on one line.
    pub(super) fn text(&self) -> String {
        let causes = self.body.causes.iter();
        causes.fold(self.body.message.clone(), |text, cause| {
            format!("{text}: {cause}")
        })
    }

    /// Whether it is the server's own trouble, and not that of whoever asked.
    pub(super) fn is_ours(&self) -> bool {
        matches!(
            self.body.kind,
            Kind::Infrastructure | Kind::Internal | Kind::Unavailable
        )
    }

    pub(super) fn not_found(what: &str, name: &str) -> Self {
        Self::new(Kind::NotFound, format!("there is no {what} `{name}`"))
    }

    /// A reference that names more than one: which they are is the hint.
    pub(super) fn several(reference: &str, what: &str, names: &[impl Borrow<str>]) -> Self {
        Self::new(
            Kind::Conflict,
            format!("`{reference}` names several {what}"),
        )
        .hint(format!("one of {}", names.join(", ")))
    }

    /// The engine answered, and not about this.
    pub(super) fn astray(what: &str) -> Self {
        let message = format!("{what} was asked for and something else answered");
        Self::new(Kind::Internal, message)
    }

    fn broken_off() -> Self {
        Self::new(Kind::Internal, "the work for this answer was broken off")
    }

    /// A config that does not compile.
    pub(super) fn config(message: String, problems: Vec<Problem>) -> Self {
        let mut err = Self::new(Kind::Usage, message);
        err.body.problems = problems;
        err
    }

    /// Settings that cannot be so.
    pub(super) fn settings(findings: Vec<Finding>) -> Self {
        let errors = findings.iter().filter(|finding| finding.is_error()).count();
        let mut err = match (errors, findings.len()) {
            (0, warnings) => Self::new(
                Kind::Conflict,
                match warnings {
                    1 => "the settings have a warning that nobody has accepted".to_owned(),
                    n => format!("the settings have {n} warnings that nobody has accepted"),
                },
            )
            .code("warnings")
            .hint("say -yes to save them all the same"),
            (errors, _) => Self::new(
                Kind::Usage,
                match errors {
                    1 => "the settings have an error, and nothing is changed".to_owned(),
                    n => format!("the settings have {n} errors, and nothing is changed"),
                },
            ),
        };
        err.body.findings = findings;
        err
    }
}

impl<E: Explain> From<E> for ApiError {
    fn from(err: E) -> Self {
        let causes = crate::error::causes(&err);
        if matches!(err.kind(), Kind::Internal | Kind::Infrastructure) {
            tracing::error!(error = %crate::error::Chain(&err), "a request failed");
        }
        let mut answer = Self::new(err.kind(), err.to_string()).code(err.code());
        answer.body.causes = causes;
        answer.body.hint = err.hint();
        answer
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.body.kind.http_status())
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let unknown = self.body.kind == Kind::SignIn;
        let mut answer = (status, Json(self.body)).into_response();
        if unknown {
            let scheme = HeaderValue::from_static("Bearer");
            answer
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, scheme);
        }
        if let Some(wait) = self.retry_after {
            // Rounded up: who comes after that long is not sent away again.
            let seconds = wait.as_millis().div_ceil(1000);
            let seconds = HeaderValue::from(u64::try_from(seconds).unwrap_or(u64::MAX));
            answer.headers_mut().insert(header::RETRY_AFTER, seconds);
        }
        answer
    }
}

/// What a handler answers.
pub(super) type Answer<T> = Result<Json<T>, ApiError>;

/// Runs blocking work (the store, git, files) off the runtime's threads.
pub(super) async fn blocking<T, E>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, ApiError>
where
    T: Send + 'static,
    E: Into<ApiError> + Send + 'static,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result.map_err(Into::into),
        Err(_) => Err(ApiError::broken_off()),
    }
}

/// Runs work that comes to its end also when whoever asked goes away.
pub(super) async fn to_its_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, ApiError>> + Send + 'static,
) -> Result<T, ApiError> {
    let ended = tokio::spawn(work).await;
    ended.unwrap_or_else(|_| Err(ApiError::broken_off()))
}

/// Puts into our own form what the routes, and what reads a request for a handler, refuse by themselves.
pub(super) async fn in_our_form(request: Request, next: Next) -> Response {
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let answer = next.run(request).await;
    let kind = answer.headers().get(header::CONTENT_TYPE);
    let is_ours = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    if is_ours || !answer.status().is_client_error() {
        return answer;
    }
    let (parts, body) = answer.into_parts();
    let words = to_bytes(body, WORDS_MAX).await.unwrap_or_default();
    let words = String::from_utf8_lossy(&words);
    let asked = format!("{method} {}", uri.path());
    let err = match parts.status {
        StatusCode::NOT_FOUND => ApiError::new(Kind::NotFound, format!("the API has no `{asked}`"))
            .hint("a server that is older than what asks it lacks what is new"),
        status => {
            let reason = status.canonical_reason().unwrap_or("refused");
            let err = ApiError::new(Kind::Usage, format!("`{asked}` was not taken: {reason}"));
            match words.trim() {
                "" => err,
                words => err.cause(words),
            }
        }
    };
    let mut answer = err.into_response();
    *answer.status_mut() = parts.status;
    if let Some(methods) = parts.headers.get(header::ALLOW) {
        answer.headers_mut().insert(header::ALLOW, methods.clone());
    }
    answer
}
