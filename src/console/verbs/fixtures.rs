//! Rows to try the verbs on.

use roundel::api::builds::{PipelineRow, RunRow};
use roundel::api::fleet::NodeRow;
use serde_json::{Value, json};

fn read<T: serde::de::DeserializeOwned>(mut row: Value, with: Value) -> T {
    let (Value::Object(row_fields), Value::Object(with)) = (&mut row, with) else {
        panic!("a row is an object");
    };
    row_fields.extend(with);
    serde_json::from_value(row).unwrap()
}

/// A run of `org/api`, pending unless `with` says otherwise.
pub fn run(n: u32, with: Value) -> RunRow {
    let row = json!({
        "attempt": format!("a{n:03}"), "name": format!("n{n:03}-0-build-org-api-{n}"), "pipeline": "p", "workflow": "main",
        "job": "j", "job_name": "test", "project": "org/api", "number": n, "branch": "main", "index": 0, "of": 1,
        "state": "pending", "outcome": null, "cause": "", "unreachable": false, "stopping": false, "cpu_millis": 1000,
        "memory_mb": 1024, "executor": "machine", "resource_class": null, "priority": 50,
        "queued_at": "2026-11-24T12:00:00Z", "placed_at": null, "started_at": null, "stopped_at": null, "node": null,
        "place": null, "reason": null, "estimate": null, "step": null,
    });
    read(row, with)
}

/// A build of `org/api` that failed unless `with` says otherwise.
pub fn pipeline(n: u32, with: Value) -> PipelineRow {
    let row = json!({
        "id": format!("p{n:03}"), "project": "org/api", "number": n, "branch": "main", "tag": "", "revision": "5f3a9c1",
        "subject": "Fix", "actor": "uid 1000 (ann)", "status": "failed",
        "jobs": {"total": 3, "waiting": 0, "running": 0, "success": 2, "failed": 1, "canceled": 0},
        "created_at": "2026-11-24T12:00:00Z", "started_at": null, "stopped_at": null,
    });
    read(row, with)
}

/// A node that is ready unless `with` says otherwise.
pub fn node(n: u32, with: Value) -> NodeRow {
    let row = json!({
        "id": format!("i{n:03}"), "name": format!("n{n:02}"), "datacenter": "dc1", "class": "", "status": "ready",
        "eligible": true, "drain": null, "safe_to_terminate": false, "cpu_total_millis": 4000,
        "cpu_reserved_millis": 1000, "cpu_used_millis": 0, "memory_total_mb": 8192, "memory_reserved_mb": 1024,
        "memory_used_mb": 0, "runs": 0, "executors": ["machine"], "overcommitted": false,
        "created_at": "2026-11-24T12:00:00Z", "version": "0",
    });
    read(row, with)
}
