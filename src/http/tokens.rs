//! Tokens: list, make, revoke.

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};

use super::body::Asked;
use super::caller::Caller;
use super::error::{Answer, ApiError, blocking};
use super::router::Server;
use crate::access::{Fresh, Role};
use crate::api::Written;
use crate::api::tokens::{MakeToken, NewToken, TokenRef, TokenRow};
use crate::clock;
use crate::engine::{self, Command, Reply, TokenCommand};
use crate::error::Kind;
use crate::secret::Secret;

/// Longest name, in characters.
const NAME_MAX: usize = 64;

/// Longest life, in seconds: ten years.
const LIFE_MAX_S: u64 = 10 * 365 * 86_400;

pub(super) async fn list(State(server): State<Server>, caller: Caller) -> Answer<Vec<TokenRow>> {
    caller.permit(&server, Role::Admin, "token.list").await?;
    let store = server.view.store.clone();
    let records = blocking(move || store.api_tokens()).await?;
    let now = clock::now();
    let rows = records.into_iter().map(|token| TokenRow {
        valid: token.revoked.is_none() && token.expires.is_none_or(|end| end > now),
        id: token.id,
        name: token.name,
        role: token.role,
        created_at: token.created,
        by: token.by,
        expires_at: token.expires,
        revoked_at: token.revoked,
    });
    Ok(Json(rows.collect()))
}

pub(super) async fn create(
    State(server): State<Server>,
    caller: Caller,
    Asked(wanted): Asked<MakeToken>,
) -> Answer<Written<NewToken>> {
    let usage = |why: String| ApiError::new(Kind::Usage, why);
    let name = wanted.name.trim();
    if !(1..=NAME_MAX).contains(&name.chars().count()) || name.chars().any(char::is_control) {
        return Err(usage(format!(
            "a token's name has 1 to {NAME_MAX} characters, on one line"
        )));
    }
    if wanted
        .expires_s
        .is_some_and(|life| !(1..=LIFE_MAX_S).contains(&life))
    {
        return Err(usage(
            "a token lives for a second to ten years, or for ever".to_owned(),
        ));
    }
    let fresh = Fresh::make();
    let life = wanted.expires_s.map(Duration::from_secs);
    let new = engine::NewToken {
        id: fresh.id.clone(),
        name: name.to_owned(),
        role: wanted.role,
        hash: fresh.hash(),
        expires: life.map(|life| clock::now().plus(life)),
    };
    let (seq, id, name) = send(&server, caller, TokenCommand::Create(new)).await?;
    if id != fresh.id {
        // An answer that was lost is given again, but its secret is not kept anywhere.
        return Err(ApiError::new(
            Kind::Conflict,
            format!("token `{id}` was made already, and is shown once only"),
        )
        .hint(format!(
            "revoke it with `roundel token revoke {id}` and make another"
        )));
    }
    Ok(Json(Written {
        seq,
        value: NewToken {
            id,
            name,
            token: Secret::new(fresh.reveal()),
        },
    }))
}

pub(super) async fn revoke(
    State(server): State<Server>,
    caller: Caller,
    Path(id): Path<String>,
) -> Answer<Written<TokenRef>> {
    let (seq, id, name) = send(&server, caller, TokenCommand::Revoke(id)).await?;
    Ok(Json(Written {
        seq,
        value: TokenRef { id, name },
    }))
}

async fn send(
    server: &Server,
    caller: Caller,
    command: TokenCommand,
) -> Result<(i64, String, String), ApiError> {
    let command = Command::Token(command);
    match caller.send(server, command).await? {
        (seq, Reply::Token { id, name }) => Ok((seq, id, name)),
        _ => Err(ApiError::astray("a token")),
    }
}
