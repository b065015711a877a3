//! Console sessions that may write: which, until when, and why. Kept in memory only: a server that starts anew trusts
//! nobody it has not been told of.
//!
//! A verb is an intent by itself and carries no session. A console says which session it is; it may write when it is
//! the server's own account that speaks, and did not ask to be held back, or while it is armed.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Json;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::error::{Answer, ApiError};
use super::peer::Peer;
use super::router::Server;
use crate::api::Written;
use crate::api::session::{Arm, HEADER, MAX_S, READ_ONLY, REASON_MAX, Session};
use crate::clock::{self, Timestamp};
use crate::engine::{Command, Note};
use crate::error::Kind;

/// Sessions that may be armed at once: more consoles than people look at one installation.
const MOST: usize = 256;

/// Length of a session's name at most: a UUID has 36.
const NAME_MAX: usize = 64;

/// The sessions that were armed.
#[derive(Debug, Default)]
pub struct Sessions {
    armed: Mutex<HashMap<(Option<u32>, String), Armed>>,
}

#[derive(Clone, Debug)]
struct Armed {
    until: Timestamp,
    reason: String,
}

impl Sessions {
    fn lock(&self) -> MutexGuard<'_, HashMap<(Option<u32>, String), Armed>> {
        self.armed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, peer: Peer, name: &str, now: Timestamp) -> Option<Armed> {
        let armed = self.lock();
        let found = armed.get(&(peer.uid, name.to_owned()))?;
        (found.until > now).then(|| found.clone())
    }

    /// Whether there is room for one more, or it is known already.
    fn admits(&self, peer: Peer, name: &str, now: Timestamp) -> bool {
        let mut armed = self.lock();
        armed.retain(|_, session| session.until > now);
        armed.len() < MOST || armed.contains_key(&(peer.uid, name.to_owned()))
    }

    fn arm(&self, peer: Peer, name: &str, session: Armed) {
        self.lock().insert((peer.uid, name.to_owned()), session);
    }

    fn disarm(&self, peer: Peer, name: &str) {
        self.lock().remove(&(peer.uid, name.to_owned()));
    }
}

/// What a request says of the console it comes from; `None` for a verb.
fn named(headers: &HeaderMap) -> Option<(&str, bool)> {
    // A name that cannot be read is no name, and a console without one is never armed.
    let name = headers.get(HEADER)?.to_str().unwrap_or_default();
    Some((name, headers.contains_key(READ_ONLY)))
}

/// Whether this is the server's own account, and did not ask to be held back.
fn is_owner(peer: Peer, read_only: bool) -> bool {
    !read_only && peer.uid == Some(rustix::process::geteuid().as_raw())
}

/// Stops what an unarmed console would write.
pub(super) async fn guard(
    State(server): State<Server>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    request: Request,
    next: Next,
) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let arming = request.uri().path().ends_with("/session");
    if !reads
        && !arming
        && let Some((name, read_only)) = named(request.headers())
        && !is_owner(peer, read_only)
        && server.sessions.find(peer, name, clock::now()).is_none()
    {
        return not_armed().into_response();
    }
    next.run(request).await
}

fn not_armed() -> ApiError {
    ApiError::new(
        Kind::Refused,
        "this console is read-only: its session is not armed",
    )
    .code("not_armed")
    .hint(":arm 10m reason")
}

/// How a session stands.
fn state(server: &Server, peer: Peer, headers: &HeaderMap) -> Session {
    let Some((name, read_only)) = named(headers) else {
        return Session {
            owner: true,
            armed_until: None,
            reason: String::new(),
        };
    };
    let armed = server.sessions.find(peer, name, clock::now());
    Session {
        owner: is_owner(peer, read_only),
        armed_until: armed.as_ref().map(|armed| armed.until),
        reason: armed.map(|armed| armed.reason).unwrap_or_default(),
    }
}

pub(super) async fn read(
    State(server): State<Server>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    headers: HeaderMap,
) -> Json<Session> {
    Json(state(&server, peer, &headers))
}

/// Arms a session for a while, or takes that back.
pub(super) async fn arm(
    State(server): State<Server>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    headers: HeaderMap,
    Json(wanted): Json<Arm>,
) -> Answer<Written<Session>> {
    let usage = |message: String| ApiError::new(Kind::Usage, message).hint(":arm 10m reason");
    let Some((name, _)) = named(&headers).filter(|(name, _)| (1..=NAME_MAX).contains(&name.len()))
    else {
        return Err(usage("only a console session is armed".to_owned()));
    };
    let reason = crate::sanitise::line(wanted.reason.trim()).into_owned();
    if wanted.seconds > MAX_S {
        return Err(usage(format!(
            "a session is armed for {} hours at most",
            MAX_S / 3600
        )));
    }
    if wanted.seconds > 0 && (reason.is_empty() || reason.chars().count() > REASON_MAX) {
        return Err(usage(format!(
            "say why, in {REASON_MAX} characters at most: the reason goes into the audit log"
        )));
    }
    let now = clock::now();
    if wanted.seconds > 0 && !server.sessions.admits(peer, name, now) {
        return Err(ApiError::new(
            Kind::Conflict,
            format!("{MOST} sessions are armed already"),
        ));
    }
    let off = wanted.seconds == 0;
    let note = Note {
        action: if off { "session.disarm" } else { "session.arm" },
        object: name.to_owned(),
        detail: if off {
            String::new()
        } else {
            format!("for {} s: {reason}", wanted.seconds)
        },
        failure: None,
    };
    // The audit row first: nobody is armed of whom it does not tell.
    let key = super::pipelines::key(&headers);
    let command = Command::Note(note);
    let (seq, _) = server.handle.send(command, peer.actor(), key).await?;
    if off {
        server.sessions.disarm(peer, name);
    } else {
        let until = now.plus(Duration::from_secs(wanted.seconds));
        server.sessions.arm(peer, name, Armed { until, reason });
    }
    Ok(Json(Written {
        seq,
        value: state(&server, peer, &headers),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000);

    fn armed(ms: i64) -> Armed {
        Armed {
            until: Timestamp(NOW.0 + ms),
            reason: "why".to_owned(),
        }
    }

    #[test]
    fn a_session_is_armed_for_its_own_account_and_until_its_time() {
        let sessions = Sessions::default();
        let (ann, ben) = (Peer { uid: Some(1) }, Peer { uid: Some(2) });
        sessions.arm(ann, "s", armed(10));
        assert!(sessions.find(ann, "s", NOW).is_some());
        assert!(
            sessions.find(ben, "s", NOW).is_none(),
            "not of another account"
        );
        assert!(
            sessions.find(ann, "t", NOW).is_none(),
            "not another session"
        );
        assert!(sessions.find(ann, "s", Timestamp(NOW.0 + 10)).is_none());
        sessions.disarm(ann, "s");
        assert!(sessions.find(ann, "s", NOW).is_none());
    }

    #[test]
    fn there_is_an_end_to_how_many_are_armed_and_those_that_ended_make_room() {
        let sessions = Sessions::default();
        let peer = Peer { uid: Some(1) };
        for n in 0..MOST {
            assert!(sessions.admits(peer, &n.to_string(), NOW));
            sessions.arm(peer, &n.to_string(), armed(10));
        }
        assert!(!sessions.admits(peer, "more", NOW));
        assert!(sessions.admits(peer, "7", NOW), "one that is armed already");
        assert!(sessions.admits(peer, "more", Timestamp(NOW.0 + 10)));
    }

    #[test]
    fn a_verb_names_no_session_and_a_console_does() {
        let mut headers = HeaderMap::new();
        assert_eq!(named(&headers), None);
        headers.insert(HEADER, "abc".parse().unwrap());
        assert_eq!(named(&headers), Some(("abc", false)));
        headers.insert(READ_ONLY, "1".parse().unwrap());
        assert_eq!(named(&headers), Some(("abc", true)));
    }

    #[test]
    fn the_own_account_writes_unless_it_asked_to_be_held_back() {
        let own = rustix::process::geteuid().as_raw();
        for (uid, read_only, writes) in [
            (Some(own), false, true),
            (Some(own), true, false),
            (Some(own + 1), false, false),
            (None, false, false),
        ] {
            assert_eq!(
                is_owner(Peer { uid }, read_only),
                writes,
                "{uid:?} {read_only}"
            );
        }
    }
}
