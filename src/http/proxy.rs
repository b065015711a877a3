//! The proxy: files of the server's machine that tell others of it, and which of them were changed by hand since.

use std::path::PathBuf;

use axum::Json;
use axum::extract::State;

use super::body::Asked;
use super::caller::Caller;
use super::error::{Answer, ApiError, blocking};
use super::peer::Peer;
use super::router::Server;
use super::settings::record;
use crate::access::Role;
use crate::api::rendered::{Act, Change, Drift, Drifted, Render, Rendered, RenderedFile};
use crate::engine::{Note, opened, stored};
use crate::error::Kind;
use crate::services::proxy::files;
use crate::services::rendered;
use crate::settings::value::Values;

pub(super) async fn render(
    State(server): State<Server>,
    caller: Caller,
    Asked(wanted): Asked<Render>,
) -> Answer<Rendered> {
    caller.permit(&server, Role::Admin, "proxy.render").await?;
    let Render { root, act } = wanted;
    if act != Act::Show && matches!(caller.peer, Peer::Address(_)) {
        let why = "the files are those of the server's machine, and this is another";
        return Err(ApiError::new(Kind::Refused, why).hint("run it there"));
    }
    let at = PathBuf::from(&root);
    if !at.is_absolute() {
        let why = format!("`{}` is no absolute path", crate::sanitise::line(&root));
        return Err(ApiError::new(Kind::Usage, why));
    }
    let values = saved(&server).await?;
    let data = server.data.clone();
    let done = blocking(move || {
        if act == Act::Remove {
            return Ok::<_, ApiError>(rendered::remove(&data, &at, &files::known())?);
        }
        let wanted = files::files(&values)?;
        if wanted.is_empty() {
            let why = "no proxy is set, so there is nothing to render";
            let hint = "set proxy.url and save; `--remove` takes away what was rendered before";
            return Err(ApiError::new(Kind::Usage, why).hint(hint));
        }
        Ok(match act {
            Act::Write => rendered::write(&data, &at, &wanted)?,
            Act::Show | Act::Remove => rendered::look(&data, &at, &wanted)?,
        })
    })
    .await;
    if act != Act::Show {
        let changed = done.as_deref().unwrap_or_default();
        let note = Note {
            action: if act == Act::Write {
                "proxy.render"
            } else {
                "proxy.remove"
            },
            object: root.clone(),
            detail: changes(changed),
            failure: done.as_ref().err().map(ApiError::text),
        };
        caller.note(&server, note).await?;
    }
    let files = done?;
    Ok(Json(Rendered { root, act, files }))
}

/// What was saved last, whatever the services run with: files are read at the next start.
async fn saved(server: &Server) -> Result<Values, ApiError> {
    let record = record(server).await?;
    Ok(opened(stored(&record.saved), &server.seal))
}

/// The files that were changed.
fn changes(files: &[RenderedFile]) -> String {
    let changed = files.iter().filter(|file| file.change != Change::None);
    let paths: Vec<&str> = changed.map(|file| file.path.as_str()).collect();
    paths.join(", ")
}

pub(super) async fn drift(State(server): State<Server>, caller: Caller) -> Answer<Drift> {
    caller
        .permit(&server, Role::Admin, "settings.drift")
        .await?;
    let values = saved(&server).await?;
    let data = server.data.clone();
    let found = blocking(move || {
        let (rendered, drifted) = rendered::drift(&data)?;
        // What the settings say now cannot be told where they cannot be opened.
        let wanted = files::files(&values).unwrap_or_default();
        let drifted = drifted.into_iter().map(|one| {
            let wanted = wanted.iter().filter(|file| file.path == one.path);
            let wanted: Vec<_> = wanted.cloned().collect();
            let looked = rendered::look(&data, &one.root, &wanted).unwrap_or_default();
            Drifted {
                path: one.root.join(&one.path).display().to_string(),
                state: one.state,
                written_at: one.at,
                diff: looked.into_iter().flat_map(|file| file.diff).collect(),
            }
        });
        Ok::<_, ApiError>(Drift {
            rendered: rendered as u64,
            drifted: drifted.collect(),
        })
    });
    Ok(Json(found.await?))
}
