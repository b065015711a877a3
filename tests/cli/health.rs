//! What watches over a server from outside: `/health` and `/metrics`, without a client of Roundel.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::skip::skip;
use crate::support::{Home, until};

const TWO: &str = "version: 2.1\njobs:\n  good:\n    machine: true\n    steps: [{run: echo done}]\n  \
                   bad:\n    machine: true\n    steps: [{run: exit 3}]\nworkflows: {main: {jobs: [good, bad]}}\n";

/// For which Debian has the package.
const PYTHON: &str = "/usr/bin/python3";

/// Reads the text as a collector does and prints each sample as a JSON line.
const PARSER: &str = "
import json, sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
for family in text_string_to_metric_families(sys.stdin.read()):
    for sample in family.samples:
        print(json.dumps([family.type, sample.name, sample.labels, float(sample.value)]))
";

/// The value of the sample of this name and these labels, as they are written.
fn sample(text: &str, name: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.strip_prefix(' ')?.parse().ok()
}

#[test]
fn a_server_that_does_its_work_is_healthy_and_says_no_more() {
    let home = Home::new();
    home.run(&["status"]).with_code(0);
    let (head, body) = home.http("/health");
    assert!(head.starts_with("http/1.1 200 "), "{head}");
    assert!(head.contains("content-type: application/json"), "{head}");
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body, serde_json::json!({"status": "ok", "failing": []}));
    let (head, _) = home.http("/healthy");
    assert!(head.starts_with("http/1.1 404 "), "{head}");
}

#[test]
fn figures_grow_with_the_work_and_a_collector_reads_them() {
    let home = Home::new();
    home.repository("app", TWO);
    home.run(&["build", "app"]).with_code(1);
    let (mut head, mut text) = (String::new(), String::new());
    // They are shown ten times a second.
    until("both ends are counted", || {
        (head, text) = home.http("/metrics");
        sample(&text, "roundel_runs_ended_total{outcome=\"success\"}") == Some(1.0)
            && sample(&text, "roundel_runs_ended_total{outcome=\"failed\"}") == Some(1.0)
    });
    assert!(head.starts_with("http/1.1 200 "), "{head}");
    assert!(
        head.contains("content-type: application/openmetrics-text; version=1.0.0; charset=utf-8"),
        "{head}"
    );
    assert!(text.ends_with("\n# EOF\n"), "{text}");
    for (name, value) in [
        ("roundel_placements_total", 2.0),
        ("roundel_queue_wait_seconds_count", 2.0),
        ("roundel_queue_wait_seconds_bucket{le=\"+Inf\"}", 2.0),
        ("roundel_runs_ended_total{outcome=\"timedout\"}", 0.0),
        ("roundel_runs{state=\"running\"}", 0.0),
        ("roundel_nodes{state=\"ready\"}", 1.0),
        ("roundel_takes_work", 1.0),
        ("roundel_store_writable", 1.0),
        ("roundel_part_healthy{part=\"store\"}", 1.0),
    ] {
        assert_eq!(sample(&text, name), Some(value), "{name}\n{text}");
    }
    for name in [
        "roundel_log_bytes_total",
        "roundel_disk_free_bytes",
        "roundel_database_bytes",
        "roundel_part_operations{part=\"store\"}",
        "roundel_part_p99_seconds{part=\"store\"}",
        "process_resident_memory_bytes",
        "process_open_fds",
        "process_threads",
        "process_start_time_seconds",
    ] {
        assert!(sample(&text, name) > Some(0.0), "{name}\n{text}");
    }
    home.run(&["services", "stop", "-yes", "--wait"])
        .with_code(0);
    until("the stop is seen", || {
        sample(&home.http("/metrics").1, "roundel_takes_work") == Some(0.0)
    });
    let (head, _) = home.http("/health");
    assert!(
        head.starts_with("http/1.1 200 "),
        "stopped is not unwell: {head}"
    );

    let known = Command::new(PYTHON)
        .args(["-c", "import prometheus_client.openmetrics.parser"])
        .stderr(Stdio::null())
        .status();
    if !known.is_ok_and(|status| status.success()) {
        return skip("needs python3-prometheus-client");
    }
    let mut parser = Command::new(PYTHON)
        .args(["-c", PARSER])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = parser.stdin.take().unwrap();
    input.write_all(text.as_bytes()).unwrap();
    drop(input);
    let read = parser.wait_with_output().unwrap();
    assert!(read.status.success(), "{text}");
    let samples = String::from_utf8(read.stdout).unwrap();
    assert!(
        samples.contains(r#"["counter", "roundel_placements_total", {}, 2.0]"#),
        "{samples}"
    );
    let ours = text.lines().filter(|line| !line.starts_with('#')).count();
    assert_eq!(samples.lines().count(), ours);
}
