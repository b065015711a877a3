//! The figures of the installation for a system that collects them.

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

use super::error::{ApiError, blocking};
use super::router::Server;
use crate::clock::{self, Timestamp};
use crate::engine::{Live, WAIT_BOUNDS};
use crate::pipeline::status::{Health, Outcome, Phase};
use crate::services::health::Part;
use crate::services::health::process::Process;
use crate::services::metrics::{self, Exposition};
use crate::storage::space::Space;

pub(super) async fn read(State(server): State<Server>) -> Result<Response, ApiError> {
    // The disk may take its time.
    let text = blocking(move || Ok::<_, ApiError>(text(&server, clock::now()))).await?;
    let headers = [
        (CONTENT_TYPE, metrics::CONTENT_TYPE),
        (CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, text).into_response())
}

fn text(server: &Server, now: Timestamp) -> String {
    let live = server.view.live();
    let mut to = Exposition::default();
    to.info(
        "roundel_build",
        "The program that runs.",
        &[("version", server.hello.version.as_str())],
    );
    runs(&mut to, server, &live, now);
    nodes(&mut to, &live);
    parts(&mut to, server, &live, now);
    certificates(&mut to, server);
    disk(&mut to, server);
    process(&mut to, server);
    to.finish()
}

fn runs(to: &mut Exposition, server: &Server, live: &Live, now: Timestamp) {
    let silent = server.view.gate.silent(now).len();
    to.gauge(
        "roundel_runs",
        "Runs that are not over, by state; unreachable ones are among those that run.",
    )
    .with(&[("state", "pending")], live.waiting)
    .with(&[("state", "running")], live.running)
    .with(&[("state", "unreachable")], silent);
    let oldest = live
        .oldest_waiting
        .map_or(0.0, |since| now.since(since).as_secs_f64());
    to.gauge(
        "roundel_queue_oldest_seconds",
        "How long the oldest run has waited; 0 when none waits.",
    )
    .value(oldest);
    let tally = &live.tally;
    let bars = WAIT_BOUNDS.into_iter().zip(tally.waits);
    to.histogram(
        "roundel_queue_wait_seconds",
        "How long runs had waited when they were placed.",
        bars.map(|(ms, n)| (seconds(ms), n)),
        tally.waits[WAIT_BOUNDS.len()],
        seconds(tally.waited_ms),
    );
    to.counter("roundel_placements", "Runs that were placed on a node.")
        .value(tally.waits.iter().sum::<u64>());
    let mut ended = to.counter("roundel_runs_ended", "Runs that ended, by outcome.");
    for (outcome, n) in Outcome::ALL.into_iter().zip(tally.ended) {
        ended.put(&[("outcome", outcome.word())], n);
    }
}

fn nodes(to: &mut Exposition, live: &Live) {
    let totals = live.nodes.totals;
    to.gauge("roundel_nodes", "Nodes by state.")
        .with(&[("state", "ready")], totals.ready)
        .with(&[("state", "draining")], totals.draining)
        .with(&[("state", "ineligible")], totals.ineligible);
    to.gauge(
        "roundel_nodes_cpu_cores",
        "Cores that nodes can give to runs, and what of them is given.",
    )
    .with(&[("what", "all")], seconds(totals.cpu_millis))
    .with(&[("what", "used")], seconds(totals.cpu_used_millis));
    to.gauge(
        "roundel_nodes_memory_bytes",
        "Memory that nodes can give to runs, and what of it is given.",
    )
    .with(&[("what", "all")], totals.memory_mb << 20)
    .with(&[("what", "used")], totals.memory_used_mb << 20);
}

fn parts(to: &mut Exposition, server: &Server, live: &Live, now: Timestamp) {
    let takes_work = live.installation.phase == Phase::Started;
    to.gauge(
        "roundel_takes_work",
        "1 while runs are placed, 0 when the installation was stopped.",
    )
    .value(u8::from(takes_work));
    to.gauge("roundel_store_writable", "1 while the store takes writes.")
        .value(u8::from(live.read_only.is_none()));
    let all = server.view.parts(now);
    let mut healthy = to.gauge(
        "roundel_part_healthy",
        "1 while a part of the server does not fail.",
    );
    for one in &all {
        healthy.put(
            &[("part", one.part.name())],
            u8::from(one.health != Health::Failing),
        );
    }
    let readings = Part::ALL.map(|part| (part, server.view.pulse.of(part).read(now)));
    let mut counts = to.gauge(
        "roundel_part_operations",
        "What a part did within the last five minutes.",
    );
    for (part, read) in &readings {
        counts.put(&[("part", part.name())], read.count);
    }
    let mut times = to.gauge(
        "roundel_part_p99_seconds",
        "Time within which a part did 99 of 100 of these, to within a power of two.",
    );
    for (part, read) in &readings {
        if let Some(p99) = read.p99 {
            times.put(&[("part", part.name())], p99.as_secs_f64());
        }
    }
    let passes = server.cleaning.passes();
    if let Some(last) = passes.last {
        to.gauge(
            "roundel_housekeeping_last_timestamp_seconds",
            "When housekeeping last began.",
        )
        .value(moment(last.at));
        let mut removed = to.gauge(
            "roundel_housekeeping_last_removed_bytes",
            "What it removed then.",
        );
        for one in &last.removed {
            removed.put(&[("kind", one.kind.word())], one.bytes);
        }
    }
}

fn certificates(to: &mut Exposition, server: &Server) {
    let all = server.view.certificates.all();
    let mut ends = to.gauge(
        "roundel_certificate_expiry_timestamp_seconds",
        "When the certificate that is served at a place ends.",
    );
    for one in &all {
        let labels = [("place", one.place.word()), ("name", &one.facts.name)];
        ends.put(&labels, moment(one.facts.until));
    }
    let mut current = to.gauge(
        "roundel_certificate_current",
        "1 while that certificate is the one that is set, 0 while what is set cannot be served.",
    );
    for one in &all {
        let served = u8::from(one.trouble.is_none());
        current.put(&[("place", one.place.word())], served);
    }
}

fn disk(to: &mut Exposition, server: &Server) {
    to.counter("roundel_log_bytes", "Output of steps that was kept.")
        .value(server.view.pulse.logged_ever());
    if let Some(space) = Space::of(&server.data) {
        to.gauge(
            "roundel_disk_free_bytes",
            "Room on the data directory's file system.",
        )
        .value(space.free);
        to.gauge("roundel_disk_size_bytes", "Size of that file system.")
            .value(space.total);
    }
    let files = ["roundel.db", "roundel.db-wal"];
    let sizes =
        files.map(|name| std::fs::metadata(server.data.join(name)).map_or(0, |file| file.len()));
    to.gauge(
        "roundel_database_bytes",
        "Size of the database, with what is yet to be merged into it.",
    )
    .value(sizes.iter().sum::<u64>());
}

/// By the names that every collector knows.
fn process(to: &mut Exposition, server: &Server) {
    let process = Process::look();
    if let Some(cpu) = process.cpu_s {
        to.counter(
            "process_cpu_seconds",
            "Processor time that the server has used.",
        )
        .value(cpu);
    }
    for (name, help, value) in [
        (
            "process_resident_memory_bytes",
            "Memory that the server has in use.",
            process.memory,
        ),
        ("process_open_fds", "Open file descriptors.", process.fds),
        (
            "process_max_fds",
            "File descriptors that may be open.",
            process.fds_max,
        ),
        ("process_threads", "Threads.", process.threads),
    ] {
        if let Some(value) = value {
            to.gauge(name, help).value(value);
        }
    }
    to.gauge("process_start_time_seconds", "When the server started.")
        .value(moment(server.hello.started_at));
}

/// Thousandths as wholes.
#[expect(clippy::cast_precision_loss, reason = "2^52 ms are 140,000 years")]
fn seconds(thousandths: u64) -> f64 {
    thousandths as f64 / 1000.0
}

#[expect(clippy::cast_precision_loss, reason = "2^52 ms are 140,000 years")]
fn moment(at: Timestamp) -> f64 {
    at.0 as f64 / 1000.0
}
