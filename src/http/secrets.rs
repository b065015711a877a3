//! What keeps the secrets: how it stands; the passphrase given, set and taken off.

use axum::Json;
use axum::extract::State;

use super::body::Asked;
use super::caller::Caller;
use super::error::{Answer, blocking};
use super::router::Server;
use crate::access::Role;
use crate::api::secrets::{GivePassphrase, SecretsStand};
use crate::engine::{Command, Note, SettingsCommand};
use crate::secret::Secret;
use crate::storage::seal::{Seal, SealError};

pub(super) async fn read(State(server): State<Server>) -> Json<SecretsStand> {
    Json(stand(&server))
}

fn stand(server: &Server) -> SecretsStand {
    let (guard, locked) = server.seal.stands();
    SecretsStand { guard, locked }
}

pub(super) async fn unlock(
    State(server): State<Server>,
    caller: Caller,
    Asked(given): Asked<GivePassphrase>,
) -> Answer<SecretsStand> {
    done(&server, caller, "secrets.unlock", given, Seal::unlock).await
}

pub(super) async fn protect(
    State(server): State<Server>,
    caller: Caller,
    Asked(given): Asked<GivePassphrase>,
) -> Answer<SecretsStand> {
    done(&server, caller, "secrets.protect", given, Seal::protect).await
}

pub(super) async fn unprotect(
    State(server): State<Server>,
    caller: Caller,
    Asked(given): Asked<GivePassphrase>,
) -> Answer<SecretsStand> {
    done(&server, caller, "secrets.unprotect", given, Seal::unprotect).await
}

/// Does it off the runtime, since a passphrase costs time on purpose; the audit log has it either way.
async fn done(
    server: &Server,
    caller: Caller,
    action: &'static str,
    given: GivePassphrase,
    deed: fn(&Seal, &Secret) -> Result<(), SealError>,
) -> Answer<SecretsStand> {
    caller.permit(server, Role::Admin, action).await?;
    let seal = server.seal.clone();
    let done = blocking(move || deed(&seal, &given.passphrase)).await;
    let note = Note {
        action,
        object: "secrets".to_owned(),
        detail: String::new(),
        failure: done.as_ref().err().map(super::error::ApiError::text),
    };
    caller.note(server, note).await?;
    done?;
    // Whoever acts on settings had none of the secrets before.
    let reload = Command::Settings(SettingsCommand::Reload);
    server.handle.send(reload, caller.actor, None).await?;
    Ok(Json(stand(server)))
}
