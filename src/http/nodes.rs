//! Nodes: list, detail, drain, eligibility.

use axum::Json;
use axum::extract::{Path, Query, State};

use super::body::Asked;
use super::caller::Caller;
use super::error::{Answer, ApiError, blocking};
use super::query::window;
use super::router::Server;
use super::runs::on_node;
use super::translate::{estimate, node_row};
use crate::api::fleet::{NodeDetail, NodeRef, NodeRow, SetDrain, SetEligibility};
use crate::api::{ListQuery, Page, Written};
use crate::clock;
use crate::engine::{Command, FleetCommand, Live, NodeView, Reply};
use crate::error::Kind;
use crate::storage::space::Space;
use crate::store::{Order, centred};

pub(super) async fn list(
    State(server): State<Server>,
    Query(query): Query<ListQuery>,
) -> Answer<Page<NodeRow>> {
    let wanted = window(&query, &["name", "status", "cpu", "memory", "runs"])?;
    let filter = NodeView::filter(&wanted.filter);
    let live = server.view.live();
    // They come by name, and stay so where they are alike in what they are sorted by.
    let mut nodes: Vec<&NodeView> = live
        .nodes
        .rows()
        .iter()
        .map(AsRef::as_ref)
        .filter(|node| node.passes(&filter))
        .collect();
    match wanted.sort.as_str() {
        "status" => nodes.sort_by_key(|node| (node.record.drain.is_none(), node.record.eligible)),
        "cpu" => nodes.sort_by_key(|node| node.used.cpu_millis),
        "memory" => nodes.sort_by_key(|node| node.used.memory_mb),
        "runs" => nodes.sort_by_key(|node| node.used.runs),
        _ => {}
    }
    if wanted.order == Order::Descending {
        nodes.reverse();
    }
    let total = nodes.len() as u64;
    let around = wanted.around.as_deref().and_then(|reference| {
        let wanted = exact(&live, reference)?.record.id;
        nodes.iter().position(|node| node.record.id == wanted)
    });
    let offset = around.map_or(wanted.offset, |rank| {
        centred(rank as u64, wanted.limit, total)
    });
    let (skip, take) = (
        usize::try_from(offset).unwrap_or(usize::MAX),
        usize::try_from(wanted.limit).unwrap_or(0),
    );
    let rows = nodes
        .into_iter()
        .skip(skip)
        .take(take)
        .map(node_row)
        .collect();
    Ok(Json(Page {
        rows,
        total,
        offset,
        seq: live.seq,
    }))
}

/// A node by its whole id or name.
fn exact<'l>(live: &'l Live, reference: &str) -> Option<&'l NodeView> {
    let id = reference.parse().ok();
    id.and_then(|id| live.nodes.get(id))
        .or_else(|| live.nodes.named(reference))
}

/// A node by id, name, unique beginning of either, or `self`.
fn find(server: &Server, reference: &str) -> Result<NodeView, ApiError> {
    let live = server.view.live();
    if reference == "self"
        && let Some(first) = live.nodes.rows().first()
    {
        return Ok(NodeView::clone(first));
    }
    if let Some(exact) = exact(&live, reference) {
        return Ok(exact.clone());
    }
    let found: Vec<&NodeView> = live
        .nodes
        .rows()
        .iter()
        .map(AsRef::as_ref)
        .filter(|node| {
            node.record.name.starts_with(reference)
                || node.record.id.to_string().starts_with(reference)
        })
        .collect();
    match found.as_slice() {
        [one] => Ok((*one).clone()),
        [] => {
            Err(ApiError::not_found("node", reference)
                .hint("`roundel node-status` lists the nodes"))
        }
        several => {
            let names: Vec<&str> = several
                .iter()
                .take(6)
                .map(|node| node.record.name.as_str())
                .collect();
            Err(ApiError::several(reference, "nodes", &names))
        }
    }
}

pub(super) async fn detail(
    State(server): State<Server>,
    Path(reference): Path<String>,
) -> Answer<NodeDetail> {
    let node = find(&server, &reference)?;
    let seq = server.view.live().seq;
    let runs = on_node(server.clone(), node.record.id).await?;
    let reader = server.view.clone();
    let id = node.record.id;
    let forecast = blocking(move || reader.forecast(&mut reader.usuals(), clock::now())).await?;
    let info = rustix::system::sysinfo();
    let unit = u64::from(info.mem_unit);
    let total = info.totalram * unit / (1 << 20);
    let free = available_mb().unwrap_or(info.freeram * unit / (1 << 20));
    let disk = Space::of(&server.data);
    Ok(Json(NodeDetail {
        node: node_row(&node),
        runs,
        idle_estimate: forecast.idle(id).map(estimate),
        uptime_s: u64::try_from(info.uptime).unwrap_or(0),
        load_percent: u32::try_from(info.loads[0] * 100 / 65_536).unwrap_or(u32::MAX),
        host_memory_used_mb: total.saturating_sub(free),
        host_memory_total_mb: total,
        disk_free_mb: disk.map_or(0, |space| space.free >> 20),
        disk_total_mb: disk.map_or(0, |space| space.total >> 20),
        seq,
    }))
}

/// What programs could still get, caches counted as free.
fn available_mb() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text
        .lines()
        .find(|line| line.starts_with("MemAvailable:"))?;
    line.split_whitespace()
        .nth(1)?
        .parse::<u64>()
        .ok()
        .map(|kb| kb / 1024)
}

/// The furthest that the deadline of a drain may be: a year.
const DEADLINE_MAX_S: u64 = 366 * 24 * 3600;

pub(super) async fn drain(
    State(server): State<Server>,
    caller: Caller,
    Path(reference): Path<String>,
    Asked(drain): Asked<SetDrain>,
) -> Answer<Written<NodeRef>> {
    if drain.deadline_s.is_some_and(|s| s > DEADLINE_MAX_S) {
        let why = "the deadline of a drain is more than a year off";
        return Err(
            ApiError::new(Kind::Usage, why).hint("leave it out to wait for as long as it takes")
        );
    }
    let node = find(&server, &reference)?.record.id;
    let command = FleetCommand::SetDrain {
        node,
        enable: drain.enable,
        deadline_s: drain.deadline_s,
    };
    send(&server, caller, command).await
}

pub(super) async fn eligibility(
    State(server): State<Server>,
    caller: Caller,
    Path(reference): Path<String>,
    Asked(wanted): Asked<SetEligibility>,
) -> Answer<Written<NodeRef>> {
    let node = find(&server, &reference)?.record.id;
    send(
        &server,
        caller,
        FleetCommand::SetEligibility {
            node,
            eligible: wanted.eligible,
        },
    )
    .await
}

async fn send(server: &Server, caller: Caller, command: FleetCommand) -> Answer<Written<NodeRef>> {
    let (seq, reply) = caller.send(server, Command::Fleet(command)).await?;
    match reply {
        Reply::Node { node, name } => Ok(Json(Written {
            seq,
            value: NodeRef {
                node: node.to_string(),
                name,
            },
        })),
        _ => Err(ApiError::astray("a node")),
    }
}
