//! Who asks: found out once for every request of a person or program, before anything else looks at it.
//!
//! Who carries a token is who the token says, whatever the line. Without one the socket's peer is an administrator, by
//! user id, and over the network nobody is anybody. A token that came over a line which others can read opens nothing.

use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::sync::watch;

use super::error::ApiError;
use super::peer::Peer;
use super::router::Server;
use super::sign_in::Protected;
use crate::access::{self, Refused, Role, Throttle, Tokens, Way};
use crate::clock::{self, Timestamp};
use crate::engine::{Actor, Command, CommandError, Note, Refusal, Reply};
use crate::error::Kind;
use crate::vcs;

/// Failed sign-ins.
#[derive(Debug, Default)]
pub struct SignIns(Mutex<Throttle>);

impl SignIns {
    fn with<T>(&self, act: impl FnOnce(&mut Throttle) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A token that opened, and is carried with a request.
#[derive(Clone, Debug)]
pub(super) struct Carried {
    pub id: String,
    /// When it ends; `None` for never.
    pub expires: Option<Timestamp>,
    /// How the person signed in, when it is a session.
    pub way: Option<Way>,
}

/// Who asks.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    pub actor: Actor,
    pub peer: Peer,
    /// The token that says so.
    pub token: Option<Carried>,
    /// The idempotency key of the request.
    pub key: Option<String>,
}

impl Caller {
    /// Whether it is the server's own account.
    pub(super) fn is_owner(&self) -> bool {
        let own = Some(rustix::process::geteuid().as_raw());
        self.token.is_none() && matches!(self.peer, Peer::Socket { uid, .. } if uid == own)
    }

    /// Where it is, for the audit log.
    pub(super) fn from(&self) -> String {
        match &self.peer {
            Peer::Socket { .. } => String::new(),
            Peer::Address(address) => format!("from {address}"),
        }
    }

    /// Whether it may name this repository: paths are of this machine, and nobody elsewhere knows what is here.
    pub(super) fn may_name(&self, source: &str) -> Result<(), ApiError> {
        if matches!(self.peer, Peer::Address(_)) && vcs::is_local(source) {
            return Err(ApiError::new(
                Kind::Refused,
                format!(
                    "`{}` is a path, and the server is on another machine",
                    crate::sanitise::line(source)
                ),
            )
            .hint("name the repository by a URL that the server can fetch from"));
        }
        Ok(())
    }
}

impl Caller {
    /// Sends its wish to the engine, under the key of its request.
    pub(super) async fn send(
        self,
        server: &Server,
        command: Command,
    ) -> Result<(i64, Reply), CommandError> {
        server.handle.send(command, self.actor, self.key).await
    }

    /// Whether it may do something that has effects outside of the engine; a refusal is in the audit log.
    pub(super) async fn permit(
        &self,
        server: &Server,
        needs: Role,
        what: &str,
    ) -> Result<(), CommandError> {
        let from = self.from();
        server.handle.permit(&self.actor, needs, what, &from).await
    }

    /// Has the audit log hold what was done for it outside of the engine.
    pub(super) async fn note(&self, server: &Server, note: Note) -> Result<(), CommandError> {
        let (command, actor) = (Command::Note(note), self.actor.clone());
        server.handle.send(command, actor, None).await.map(drop)
    }

    /// Resolves, with the reason, once its token opens nothing any more: it was ended, or its time is over.
    pub(super) async fn ended(self, mut tokens: watch::Receiver<Arc<Tokens>>) -> String {
        let Some(Carried { id, expires, .. }) = self.token else {
            return std::future::pending().await;
        };
        let over = async move {
            match expires {
                Some(end) => tokio::time::sleep(end.since(clock::now())).await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(over);
        loop {
            let why = tokens.borrow_and_update().why_ended(&id);
            if let Some(why) = why {
                return why;
            }
            tokio::select! {
                changed = tokens.changed() => if changed.is_err() {
                    // An end of the server ends everything.
                    return "the server has ended".to_owned();
                },
                () = &mut over => return "its time is over".to_owned(),
            }
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let known = parts.extensions.get::<Caller>().cloned();
        let known =
            known.ok_or_else(|| ApiError::new(Kind::Internal, "it was not asked who asks"))?;
        let key = parts.headers.get("idempotency-key");
        // Of one request: the same key with another is another one.
        let key = key.and_then(|key| {
            let (method, path) = (&parts.method, parts.uri.path());
            Some(format!("{} {method} {path}", key.to_str().ok()?))
        });
        Ok(Self { key, ..known })
    }
}

/// Finds out who asks, or answers why that will not do.
pub(super) async fn identify(
    State(server): State<Server>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    mut request: Request,
    next: Next,
) -> Response {
    let protected = request.extensions().get::<Protected>().is_some();
    match sign_in(&server, peer, protected, request.headers()).await {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(err) => err.into_response(),
    }
}

/// What comes after `Bearer` in a request's head.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let given = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    given.strip_prefix("Bearer ")
}

async fn sign_in(
    server: &Server,
    peer: Peer,
    protected: bool,
    headers: &HeaderMap,
) -> Result<Caller, ApiError> {
    let (origin, who) = peer.place();
    let refuse = async |err: ApiError| {
        let refusal = Refusal {
            who: who.clone(),
            what: "sign-in".to_owned(),
            why: err.text(),
            from: String::new(),
        };
        server.handle.refused(refusal).await;
        err
    };
    if !headers.contains_key(header::AUTHORIZATION) {
        return match peer {
            Peer::Socket { .. } => Ok(Caller {
                actor: Actor::admin(who),
                peer,
                token: None,
                key: None,
            }),
            Peer::Address(_) => Err(refuse(unknown("nobody is signed in")).await),
        };
    }
    if matches!(peer, Peer::Address(_)) && !protected {
        let err = ApiError::new(
            Kind::Refused,
            "a token is not taken over a connection that others can read",
        )
        .hint("sign in by https, and make this token anew: somebody may have read it");
        return Err(refuse(err).await);
    }
    let parts = bearer(headers).and_then(access::parts);
    let id = parts.map_or("", |(id, _)| id);
    let now = clock::now();
    let tokens = server.view.tokens.borrow().clone();
    let opened = parts.map_or(Err(Refused::Wrong), |(id, secret)| {
        tokens.open(id, secret, now)
    });
    let why = match opened {
        // A right one goes through whatever others have tried from there: nobody guesses one.
        Ok(entry) => {
            return Ok(Caller {
                actor: Actor {
                    name: entry.who.clone(),
                    role: entry.role,
                },
                peer,
                token: Some(Carried {
                    id: id.to_owned(),
                    expires: entry.expires,
                    way: entry.way,
                }),
                key: None,
            });
        }
        // Whoever has its secret may know why it opens no more.
        Err(Refused::Ended(why)) => {
            return Err(refuse(over(format!("the session is over: {why}"))).await);
        }
        Err(Refused::Expired(end)) if tokens.is_session(id) => {
            return Err(refuse(over(format!("the session is over since {end}"))).await);
        }
        Err(Refused::Expired(end)) => format!("token {id} expired at {end}"),
        Err(Refused::Wrong) if id.is_empty() => "what was given is no token".to_owned(),
        Err(Refused::Wrong) => format!("token {id} is wrong, or was revoked"),
    };
    let known = tokens.holds(id).then_some(id);
    let wait = server.sign_ins.with(|throttle| {
        let wait = throttle.wait(origin, id, now);
        if wait.is_none() {
            throttle.failed(origin, known, now);
        }
        wait
    });
    let err = match wait {
        Some(wait) => ApiError::new(Kind::Throttled, "too many failed sign-ins from there")
            .hint("wait, then sign in with a right token")
            .retry_after(wait),
        None => unknown(why),
    };
    Err(refuse(err).await)
}

/// A session that was right once: no guess, so it is not counted as a wrong one.
fn over(why: String) -> ApiError {
    ApiError::new(Kind::SignIn, why)
        .code("session_over")
        .hint("`roundel login` with `--user NAME` signs in again")
}

fn unknown(why: impl Into<String>) -> ApiError {
    ApiError::new(Kind::SignIn, why)
        .hint("an administrator of the server makes a token with `roundel token create NAME`, and `roundel login` keeps it; with `--user NAME` it signs in by the directory")
}
