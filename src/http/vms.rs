//! VMs: list, ask for one, destroy one.

use axum::Json;
use axum::extract::{Path, State};

use super::body::Asked;
use super::caller::Caller;
use super::error::{Answer, ApiError, blocking};
use super::router::Server;
use crate::access::Role;
use crate::api::Written;
use crate::api::vms::{MakeVm, VmPurpose, VmRef, VmRow, Vms};
use crate::error::Kind;
use crate::ids::VmId;
use crate::services::vm::plan::Policy;
use crate::store::VmRecord;

pub(super) async fn list(State(server): State<Server>) -> Answer<Vms> {
    let vms = server.vms.clone();
    let rows = blocking(move || vms.rows()).await?;
    let stand = server.vms.stand();
    let values = server.view.values.borrow().clone();
    let policy = Policy::of(&values, String::new(), crate::services::vm::CYCLE);
    let kept = |purpose| {
        if policy.on {
            policy.kept_ready(purpose)
        } else {
            0
        }
    };
    Ok(Json(Vms {
        provider: values.text("vm.provider"),
        looked_at: stand.looked,
        failure: stand.failure,
        field: stand.field.map(str::to_owned),
        kept_machine: kept(VmPurpose::Machine),
        kept_remote_docker: kept(VmPurpose::RemoteDocker),
        vms: rows.into_iter().map(row).collect(),
    }))
}

fn row(record: VmRecord) -> VmRow {
    VmRow {
        id: record.id.to_string(),
        purpose: record.purpose,
        state: record.state,
        since: record.since,
        made_at: record.made,
        region: record.region,
        instance: record.instance,
        address: record.address,
        attempt: record.attempt.map(|attempt| attempt.to_string()),
        asked_by: record.asked_by,
        why: record.why,
    }
}

pub(super) async fn create(
    State(server): State<Server>,
    caller: Caller,
    Asked(wanted): Asked<MakeVm>,
) -> Answer<Written<VmRef>> {
    caller.permit(&server, Role::Operator, "vm.create").await?;
    let id: VmId = wanted.id.parse().map_err(|_| {
        ApiError::new(
            Kind::Usage,
            format!("`{}` is no UUID", crate::sanitise::line(&wanted.id)),
        )
    })?;
    let Caller { actor, key, .. } = caller;
    let seq = server.vms.ask(id, wanted.purpose, actor, key).await?;
    let value = VmRef { id: id.to_string() };
    Ok(Json(Written { seq, value }))
}

pub(super) async fn destroy(
    State(server): State<Server>,
    caller: Caller,
    Path(reference): Path<String>,
) -> Answer<Written<VmRef>> {
    let id = find(&server, &reference).await?;
    let Caller { actor, key, .. } = caller;
    let seq = server.vms.destroy(id, actor, key).await?;
    let value = VmRef { id: id.to_string() };
    Ok(Json(Written { seq, value }))
}

/// Least letters of a beginning of an id. UUIDv7s of one minute begin alike, so an end will do too.
const PART_MIN: usize = 4;

/// By id, a beginning or end of it, or the provider's id.
async fn find(server: &Server, reference: &str) -> Result<VmId, ApiError> {
    let vms = server.vms.clone();
    let rows = blocking(move || vms.rows()).await?;
    let matches = |row: &&VmRecord| {
        let id = row.id.to_string();
        let part =
            reference.len() >= PART_MIN && (id.starts_with(reference) || id.ends_with(reference));
        part || row.instance.as_deref() == Some(reference)
    };
    let found: Vec<VmId> = rows.iter().filter(matches).map(|row| row.id).collect();
    match found[..] {
        [] => Err(ApiError::not_found("VM", &crate::sanitise::line(reference))
            .hint("`roundel vm list` lists them")),
        [one] => Ok(one),
        _ => {
            let names: Vec<String> = found.iter().map(VmId::to_string).collect();
            Err(ApiError::several(reference, "VMs", &names))
        }
    }
}
