//! Console sessions that may write: which, until when, and why. Kept in memory only: a server that starts anew trusts
//! nobody it has not been told of.
//!
//! A verb is an intent by itself and carries no session. A console says which session it is; it may write when it is
//! the server's own account that speaks, and did not ask to be held back, or while it is armed.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Json;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::body::Asked;
use super::caller::Caller;
use super::error::{Answer, ApiError};
use super::router::Server;
use crate::access::Role;
use crate::api::session::{Arm, HEADER, MAX_S, READ_ONLY, REASON_MAX, Session};
use crate::api::{ROOT, Written};
use crate::clock::{self, Timestamp};
use crate::engine::{Actor, Command, Note, Refusal};
use crate::error::Kind;

/// Sessions that may be armed at once: more consoles than people look at one installation.
const MOST: usize = 256;

/// Length of a session's name at most: a UUID has 36.
const NAME_MAX: usize = 64;

/// The sessions that were armed.
#[derive(Debug, Default)]
pub struct Sessions {
    armed: Mutex<HashMap<(String, String), Armed>>,
}

#[derive(Clone, Debug)]
struct Armed {
    until: Timestamp,
    reason: String,
}

impl Sessions {
    fn lock(&self) -> MutexGuard<'_, HashMap<(String, String), Armed>> {
        self.armed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, who: &Actor, name: &str, now: Timestamp) -> Option<Armed> {
        let armed = self.lock();
        let found = armed.get(&(who.name.clone(), name.to_owned()))?;
        (found.until > now).then(|| found.clone())
    }

    /// Whether there is room for one more, or it is known already.
    fn admits(&self, who: &Actor, name: &str, now: Timestamp) -> bool {
        let mut armed = self.lock();
        armed.retain(|_, session| session.until > now);
        armed.len() < MOST || armed.contains_key(&(who.name.clone(), name.to_owned()))
    }

    fn arm(&self, who: &Actor, name: &str, session: Armed) {
        self.lock()
            .insert((who.name.clone(), name.to_owned()), session);
    }

    fn disarm(&self, who: &Actor, name: &str) {
        self.lock().remove(&(who.name.clone(), name.to_owned()));
    }
}

/// What a request says of the console it comes from; `None` for a verb.
fn named(headers: &HeaderMap) -> Option<(&str, bool)> {
    // A name that cannot be read is no name, and a console without one is never armed.
    let name = headers.get(HEADER)?.to_str().unwrap_or_default();
    Some((name, headers.contains_key(READ_ONLY)))
}

/// Whether the session writes without being armed.
fn is_owner(caller: &Caller, read_only: bool) -> bool {
    !read_only && caller.is_owner()
}

/// Stops what an unarmed console would write, and every write of those who only read.
pub(super) async fn guard(
    State(server): State<Server>,
    caller: Caller,
    request: Request,
    next: Next,
) -> Response {
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return next.run(request).await;
    }
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or("", |route| route.as_str().trim_start_matches(ROOT));
    let what = format!("{} {route}", request.method());
    // What each write needs, the engine knows; that it is one, the route does.
    if let Err(err) = caller.permit(&server, Role::Operator, &what).await {
        return ApiError::from(err).into_response();
    }
    if route != "/session"
        && let Some((name, read_only)) = named(request.headers())
        && !is_owner(&caller, read_only)
        && server
            .sessions
            .find(&caller.actor, name, clock::now())
            .is_none()
    {
        let err = not_armed();
        let refusal = Refusal {
            from: caller.from(),
            who: caller.actor.name,
            what,
            why: err.text(),
        };
        server.handle.refused(refusal).await;
        return err.into_response();
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
fn state(server: &Server, caller: &Caller, headers: &HeaderMap) -> Session {
    let named = named(headers);
    let armed = named.and_then(|(name, _)| server.sessions.find(&caller.actor, name, clock::now()));
    Session {
        // A verb is not held back.
        owner: named.is_none_or(|(_, read_only)| is_owner(caller, read_only)),
        armed_until: armed.as_ref().map(|armed| armed.until),
        reason: armed.map(|armed| armed.reason).unwrap_or_default(),
        who: caller.actor.name.clone(),
        role: caller.actor.role,
        way: caller.token.as_ref().and_then(|token| token.way),
        expires_at: caller.token.as_ref().and_then(|token| token.expires),
    }
}

pub(super) async fn read(
    State(server): State<Server>,
    caller: Caller,
    headers: HeaderMap,
) -> Json<Session> {
    Json(state(&server, &caller, &headers))
}

/// Arms a session for a while, or takes that back.
pub(super) async fn arm(
    State(server): State<Server>,
    caller: Caller,
    headers: HeaderMap,
    Asked(wanted): Asked<Arm>,
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
    if wanted.seconds > 0 && !server.sessions.admits(&caller.actor, name, now) {
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
    let command = Command::Note(note);
    let (seq, _) = caller.clone().send(&server, command).await?;
    if off {
        server.sessions.disarm(&caller.actor, name);
    } else {
        let until = now.plus(Duration::from_secs(wanted.seconds));
        server
            .sessions
            .arm(&caller.actor, name, Armed { until, reason });
    }
    Ok(Json(Written {
        seq,
        value: state(&server, &caller, &headers),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Peer;
    use crate::http::caller::Carried;

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
        let (ann, ben) = (Actor::admin("ann"), Actor::admin("ben"));
        sessions.arm(&ann, "s", armed(10));
        assert!(sessions.find(&ann, "s", NOW).is_some());
        assert!(
            sessions.find(&ben, "s", NOW).is_none(),
            "not of another account"
        );
        assert!(
            sessions.find(&ann, "t", NOW).is_none(),
            "not another session"
        );
        assert!(sessions.find(&ann, "s", Timestamp(NOW.0 + 10)).is_none());
        sessions.disarm(&ann, "s");
        assert!(sessions.find(&ann, "s", NOW).is_none());
    }

    #[test]
    fn there_is_an_end_to_how_many_are_armed_and_those_that_ended_make_room() {
        let sessions = Sessions::default();
        let peer = Actor::admin("ann");
        for n in 0..MOST {
            assert!(sessions.admits(&peer, &n.to_string(), NOW));
            sessions.arm(&peer, &n.to_string(), armed(10));
        }
        assert!(!sessions.admits(&peer, "more", NOW));
        assert!(
            sessions.admits(&peer, "7", NOW),
            "one that is armed already"
        );
        assert!(sessions.admits(&peer, "more", Timestamp(NOW.0 + 10)));
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
        let socket = |uid| Peer::Socket {
            uid,
            name: "".into(),
        };
        let address = Peer::Address([127, 0, 0, 1].into());
        for (peer, token, read_only, writes) in [
            (socket(Some(own)), None, false, true),
            (socket(Some(own)), None, true, false),
            (socket(Some(own)), Some("t"), false, false),
            (socket(Some(own + 1)), None, false, false),
            (socket(None), None, false, false),
            (address, Some("t"), false, false),
        ] {
            let caller = Caller {
                key: None,
                actor: Actor::admin("somebody"),
                peer,
                token: token.map(|id| Carried {
                    id: id.to_owned(),
                    expires: None,
                    way: None,
                }),
            };
            assert_eq!(
                is_owner(&caller, read_only),
                writes,
                "{caller:?} {read_only}"
            );
        }
    }
}
