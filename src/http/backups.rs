//! Backups, made on the server's machine.

use std::path::PathBuf;

use axum::Json;
use axum::extract::State;

use super::body::Asked;
use super::caller::Caller;
use super::error::{Answer, ApiError, blocking, to_its_end};
use super::router::Server;
use crate::access::Role;
use crate::api::backups::{Backup, MakeBackup};
use crate::clock;
use crate::engine::Note;
use crate::error::{Chain, Kind};
use crate::services::backup::{self, Maker};

pub(super) async fn create(
    State(server): State<Server>,
    caller: Caller,
    Asked(wanted): Asked<MakeBackup>,
) -> Answer<Backup> {
    caller.permit(&server, Role::Admin, "backup.create").await?;
    let to = PathBuf::from(&wanted.to);
    if !to.is_absolute() {
        return Err(ApiError::new(
            Kind::Usage,
            format!("`{}` is no absolute path", wanted.to),
        ));
    }
    let maker = Maker {
        data_id: server.hello.data_id.clone(),
        at: clock::now(),
        logs: wanted.logs,
    };
    let data = server.data.clone();
    to_its_end(async move {
        let made = blocking(move || Ok::<_, ApiError>(backup::create(&data, &to, &maker))).await?;
        let note = Note {
            action: "backup.create",
            object: wanted.to.clone(),
            detail: if wanted.logs { "" } else { "without logs" }.to_owned(),
            failure: made.as_ref().err().map(|err| Chain(err).to_string()),
        };
        caller.note(&server, note).await?;
        Ok(Json(made?.row(wanted.to)))
    })
    .await
}
