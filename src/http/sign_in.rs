//! Signing in by name and password, signing out, and who has signed in.

use std::collections::HashMap;

use axum::Json;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Extension, Path, State};
use axum::handler::Handler;
use axum::routing::{MethodRouter, post};

use super::body::Asked;
use super::caller::Caller;
use super::error::{Answer, ApiError, blocking};
use super::peer::Peer;
use super::router::Server;
use crate::access::Role;
use crate::api::Written;
use crate::api::session::{Forgotten, OpenSession, Person, SignIn, SignedIn, SignedOut};
use crate::clock;
use crate::engine::{Command, Credentials, Reply, SessionCommand};
use crate::error::Kind;
use crate::secret::Secret;

/// Longest body: a name and a password.
const BODY_MAX: usize = 8 * 1024;

/// Put onto each connection over which nobody else reads what is sent: a password is taken over such a one alone. A
/// connection that does not say so is one where somebody may.
#[derive(Clone, Copy, Debug)]
pub(super) struct Protected;

/// The route of it: a small body, and nobody is signed in yet.
pub(super) fn route() -> MethodRouter<Server> {
    post(create.layer(DefaultBodyLimit::max(BODY_MAX)))
}

async fn create(
    State(server): State<Server>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    protected: Option<Extension<Protected>>,
    Asked(given): Asked<SignIn>,
) -> Answer<SignedIn> {
    if matches!(peer, Peer::Address(_)) && protected.is_none() {
        return Err(ApiError::new(
            Kind::Refused,
            "a password is not taken over a connection that others can read",
        )
        .hint("sign in by https"));
    }
    let (origin, who) = peer.place();
    let credentials = Credentials {
        name: given.user,
        password: given.password,
        origin,
        who,
    };
    let signed = server.people.sign_in(credentials).await.map_err(|err| {
        let wait = err.wait();
        let answer = ApiError::from(err);
        match wait {
            Some(wait) => answer.retry_after(wait),
            None => answer,
        }
    })?;
    Ok(Json(SignedIn {
        token: Secret::new(signed.token.reveal()),
        who: signed.who,
        role: signed.role,
        expires_at: signed.expires,
    }))
}

/// Ends the session that asks: whatever its role, for nobody but itself.
pub(super) async fn leave(
    State(server): State<Server>,
    caller: Caller,
) -> Answer<Written<SignedOut>> {
    let session = caller.token.as_ref().filter(|token| token.way.is_some());
    let Some(id) = session.map(|token| token.id.clone()) else {
        return Err(ApiError::new(
            Kind::Conflict,
            format!("{} is in no session that could end", caller.actor.name),
        )
        .hint("`roundel token revoke ID` takes a token back"));
    };
    let who = caller.actor.name.clone();
    let name = who.clone();
    let command = Command::Session(SessionCommand::Leave { id, name });
    let (seq, _) = caller.send(&server, command).await?;
    Ok(Json(Written {
        seq,
        value: SignedOut { who },
    }))
}

/// Everybody who has signed in.
pub(super) async fn people(State(server): State<Server>, caller: Caller) -> Answer<Vec<Person>> {
    caller.permit(&server, Role::Admin, "people.list").await?;
    let store = server.view.store.clone();
    let (people, open) =
        blocking(move || Ok::<_, ApiError>((store.people()?, store.open_sessions()?))).await?;
    let now = clock::now();
    let mut sessions: HashMap<(String, String), Vec<OpenSession>> = HashMap::new();
    for one in open.into_iter().filter(|one| one.expires > now) {
        let of = sessions
            .entry((one.way.word().to_owned(), one.name))
            .or_default();
        of.push(OpenSession {
            id: one.id,
            role: one.role,
            from: one.origin,
            created_at: one.created,
            expires_at: one.expires,
            checked_at: one.checked,
        });
    }
    let rows = people.into_iter().map(|person| Person {
        sessions: sessions
            .remove(&(person.kind.clone(), person.name.clone()))
            .unwrap_or_default(),
        kind: person.kind,
        name: person.name,
        email: person.email,
        first_at: person.first,
        last_at: person.last,
    });
    Ok(Json(rows.collect()))
}

/// Forgets somebody, and ends their sessions.
pub(super) async fn forget(
    State(server): State<Server>,
    caller: Caller,
    Path((kind, name)): Path<(String, String)>,
) -> Answer<Written<Forgotten>> {
    let command = Command::Session(SessionCommand::Forget {
        kind,
        name: name.clone(),
    });
    match caller.send(&server, command).await? {
        (seq, Reply::Forgotten { count: sessions }) => Ok(Json(Written {
            seq,
            value: Forgotten { name, sessions },
        })),
        _ => Err(ApiError::astray("a person")),
    }
}
