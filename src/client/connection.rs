//! Requests over the unix socket or TLS: a few idle connections are kept, and a request whose connection broke before an
//! answer is asked once more.
//!
//! Asking again is safe for every call of the API: reads change nothing, a pipeline is made once by its id, and every
//! other write carries an `Idempotency-Key`.

use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::http::request;
use hyper::{HeaderMap, Method, Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::UnixStream;
use tokio::time::timeout;

use super::error::ClientError;
use super::remote::Remote;
use crate::api::session::{HEADER, READ_ONLY};
use crate::api::{ProblemBody, ROOT};
use crate::error::Kind;
use crate::secret::Secret;

/// Idle connections kept: a console asks for a list, a detail and a log at once, and a stream has its own.
const IDLE_MAX: usize = 4;

/// Largest answer taken, in bytes. A page of 1,000 rows has under 1 MiB, a pipeline of 10,000 runs under 10.
const ANSWER_MAX: usize = 64 << 20;

/// One request.
pub(super) struct Ask {
    pub method: Method,
    /// Below [`ROOT`], encoded, with its query.
    pub path: String,
    pub body: Bytes,
    /// Idempotency key.
    pub key: Option<String>,
    /// Token of an attempt.
    pub token: Option<String>,
    pub patience: Duration,
}

/// One whole answer with a success status.
pub(super) struct Answer {
    pub headers: HeaderMap,
    pub body: Bytes,
}

type Sender = SendRequest<Full<Bytes>>;

/// Where the server is.
#[derive(Debug)]
enum Target {
    Socket(PathBuf),
    Remote(Remote),
}

/// The connections to one server.
#[derive(Clone, Debug)]
pub(super) struct Pool {
    target: Arc<Target>,
    idle: Arc<Mutex<Vec<Sender>>>,
    /// Name of the console session, and whether it is to be held back.
    session: Option<(Arc<str>, bool)>,
    /// What it is signed in by.
    token: Option<Secret>,
}

impl Pool {
    pub fn new(socket: PathBuf) -> Self {
        Self {
            target: Arc::new(Target::Socket(socket)),
            idle: Arc::default(),
            session: None,
            token: None,
        }
    }

    pub fn in_session(self, name: &str, read_only: bool) -> Self {
        Self {
            session: Some((name.into(), read_only)),
            ..self
        }
    }

    pub fn with_token(self, token: &str) -> Self {
        Self {
            token: Some(Secret::new(token.to_owned())),
            ..self
        }
    }

    pub fn remote(remote: Remote) -> Self {
        let token = remote.token.clone();
        Self {
            target: Arc::new(Target::Remote(remote)),
            idle: Arc::default(),
            session: None,
            token,
        }
    }

    /// How the server is called.
    pub fn name(&self) -> String {
        match &*self.target {
            Target::Socket(socket) => socket.display().to_string(),
            Target::Remote(remote) => remote.address.to_string(),
        }
    }

    /// Asks, and once more on a fresh connection when the first broke before its answer.
    pub async fn ask(&self, ask: &Ask) -> Result<Answer, ClientError> {
        let limit = ask.patience;
        let late = |_| ClientError::Timeout {
            server: self.name(),
            limit,
        };
        timeout(limit, async {
            let sender = match self.take() {
                Some(sender) => sender,
                None => self.connect().await?,
            };
            match self.exchange(sender, ask).await {
                Err(ClientError::Protocol { .. }) => {
                    let sender = self.connect().await?;
                    self.exchange(sender, ask).await
                }
                result => result,
            }
        })
        .await
        .map_err(late)?
    }

    /// Opens a stream on a connection of its own; `patience` is for its head.
    pub async fn stream(
        &self,
        path: &str,
        after: Option<i64>,
        patience: Duration,
    ) -> Result<Incoming, ClientError> {
        let mut request = Request::get(format!("{ROOT}{path}"));
        if let Some(seq) = after {
            request = request.header("last-event-id", seq.to_string());
        }
        self.open(request, Bytes::new(), patience).await
    }

    /// Asks for what is answered little by little, on a connection of its own; `patience` is for the answer's head.
    pub async fn lines(&self, ask: &Ask, patience: Duration) -> Result<Incoming, ClientError> {
        let request = Request::builder()
            .method(ask.method.clone())
            .uri(format!("{ROOT}{}", ask.path))
            .header("content-type", "application/json");
        self.open(request, ask.body.clone(), patience).await
    }

    async fn open(
        &self,
        mut request: request::Builder,
        body: Bytes,
        patience: Duration,
    ) -> Result<Incoming, ClientError> {
        let opening = async {
            let mut sender = self.connect().await?;
            request = request.header("host", "roundel");
            if let Some(token) = self.token() {
                request = request.header("authorization", format!("Bearer {token}"));
            }
            let request = request.body(Full::new(body)).expect("the path is encoded");
            let response = sender.send_request(request).await.map_err(broke)?;
            if response.status().is_success() {
                return Ok(response.into_body());
            }
            Err(refusal(response).await)
        };
        let late = |_| ClientError::Timeout {
            server: self.name(),
            limit: patience,
        };
        timeout(patience, opening).await.map_err(late)?
    }

    async fn exchange(&self, mut sender: Sender, ask: &Ask) -> Result<Answer, ClientError> {
        let mut request = Request::builder()
            .method(ask.method.clone())
            .uri(format!("{ROOT}{}", ask.path))
            .header("host", "roundel");
        if ask.method == Method::POST {
            request = request.header("content-type", "application/json");
        }
        if let Some(key) = &ask.key {
            request = request.header("idempotency-key", key);
        }
        if let Some((name, read_only)) = &self.session {
            request = request.header(HEADER, &**name);
            if *read_only {
                request = request.header(READ_ONLY, "1");
            }
        }
        if let Some(token) = ask.token.as_deref().or(self.token()) {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let request = request
            .body(Full::new(ask.body.clone()))
            .expect("the path is encoded");
        let response = sender.send_request(request).await.map_err(broke)?;
        if !response.status().is_success() {
            return Err(refusal(response).await);
        }
        let headers = response.headers().clone();
        let body = whole(response.into_body()).await?;
        self.put(sender);
        Ok(Answer { headers, body })
    }

    fn token(&self) -> Option<&str> {
        self.token.as_ref().map(Secret::expose)
    }

    async fn connect(&self) -> Result<Sender, ClientError> {
        match &*self.target {
            Target::Socket(socket) => {
                let stream =
                    UnixStream::connect(socket)
                        .await
                        .map_err(|source| ClientError::NoServer {
                            server: self.name(),
                            source: why_not(socket, source),
                        })?;
                converse(stream).await
            }
            Target::Remote(remote) => converse(remote.connect().await?).await,
        }
    }

    fn take(&self) -> Option<Sender> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|sender| !sender.is_closed());
        let ready = idle.iter().rposition(SendRequest::is_ready)?;
        Some(idle.swap_remove(ready))
    }

    fn put(&self, sender: Sender) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_MAX {
            idle.push(sender);
        }
    }
}

/// Begins to speak HTTP on a connection.
async fn converse(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
) -> Result<Sender, ClientError> {
    let (sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(broke)?;
    tokio::spawn(async move {
        // How it ends is told to whoever waits for an answer on it.
        let _ = connection.await;
    });
    Ok(sender)
}

/// The kernel refuses a file that is no socket in the words in which it refuses one that nobody listens on.
fn why_not(socket: &Path, err: io::Error) -> io::Error {
    let other = std::fs::metadata(socket).is_ok_and(|at| !at.file_type().is_socket());
    if err.kind() == io::ErrorKind::ConnectionRefused && other {
        return io::Error::new(err.kind(), "what is there is not a socket");
    }
    err
}

fn broke(err: hyper::Error) -> ClientError {
    ClientError::Protocol {
        what: "the connection broke",
        source: Some(err.into()),
    }
}

async fn whole(body: Incoming) -> Result<Bytes, ClientError> {
    Limited::new(body, ANSWER_MAX)
        .collect()
        .await
        .map(http_body_util::Collected::to_bytes)
        .map_err(|source| ClientError::Protocol {
            what: "an answer broke off",
            source: Some(source),
        })
}

/// Turns an answer that is not a success into what it says.
async fn refusal(response: Response<Incoming>) -> ClientError {
    let status = response.status();
    let body = match whole(response.into_body()).await {
        Ok(body) => body,
        Err(err) => return err,
    };
    let body = serde_json::from_slice(&body).unwrap_or_else(|_| {
        // Not ours: an older server's, or another program on the socket.
        let text = String::from_utf8_lossy(&body[..body.len().min(400)])
            .trim()
            .to_owned();
        let message = if text.is_empty() {
            format!("the server answered {status}")
        } else {
            format!("the server answered {status}: {text}")
        };
        ProblemBody {
            kind: kind(status.as_u16()),
            code: String::new(),
            message,
            causes: Vec::new(),
            hint: None,
            problems: Vec::new(),
            findings: Vec::new(),
        }
    });
    ClientError::Server {
        status: status.as_u16(),
        body: Box::new(body),
    }
}

fn kind(status: u16) -> Kind {
    match status {
        400 | 413..=415 | 422 => Kind::Usage,
        401 => Kind::SignIn,
        403 => Kind::Refused,
        429 => Kind::Throttled,
        404 | 405 => Kind::NotFound,
        409 => Kind::Conflict,
        502 => Kind::Infrastructure,
        503 => Kind::Unavailable,
        _ => Kind::Internal,
    }
}
