//! The dashboard: one answer from what is hot, what was measured and the newest builds.

use axum::Json;
use axum::extract::State;

use super::error::{Answer, ApiError, blocking};
use super::events::summarise;
use super::router::Server;
use super::services::rows;
use super::translate::{installation, pipeline_row};
use crate::api::dashboard::{
    AttentionItem, CertificateRow, Dashboard, LoadMinute, MachineHistory, MachineSample, Objective,
    ObjectiveMinute, Urgency,
};
use crate::clock::{self, Timestamp};
use crate::engine::{self, Concern, OBJECTIVE_MS, Spot, View};
use crate::services::certificates::Trouble;
use crate::services::health::history::{EVERY_S, Sample};
use crate::store::WindowQuery;

/// Builds that are told.
const BUILDS: u64 = 20;

pub(super) async fn read(State(server): State<Server>) -> Answer<Dashboard> {
    blocking(move || {
        let now = clock::now();
        let (view, live) = (&server.view, server.view.live());
        let summary = summarise(&live);
        let parts = view.parts(now);
        let concerns = view.concerns(&parts, &server.vms.stand(), now)?;
        let attention = concerns.into_iter().map(item).collect();
        let newest = view.store.pipelines(&WindowQuery {
            limit: BUILDS,
            ..WindowQuery::default()
        })?;
        let builds = newest
            .rows
            .into_iter()
            .map(|record| {
                let counts = view.store.job_counts(record.id)?;
                Ok(pipeline_row(record, &counts))
            })
            .collect::<Result<_, ApiError>>()?;
        let minutes = live.wait_minutes.iter().map(|minute| ObjectiveMinute {
            at: minute.at,
            runs: minute.runs,
            met: minute.met,
        });
        let load = view.pulse.load().into_iter().map(|minute| LoadMinute {
            at: minute.at,
            waiting: minute.waiting,
            running: minute.running,
        });
        Ok::<_, ApiError>(Json(Dashboard {
            installation: installation(&live.installation),
            version: server.hello.version.clone(),
            started_at: server.hello.started_at,
            waiting: summary.waiting,
            running: summary.running,
            objective: Objective {
                within_ms: OBJECTIVE_MS,
                minutes: minutes.collect(),
            },
            nodes: summary.nodes,
            machine: MachineHistory {
                every_s: EVERY_S,
                samples: view.pulse.samples().iter().map(sample).collect(),
            },
            load: load.collect(),
            services: rows(parts),
            certificates: certificates(view, now),
            attention,
            builds,
            built: newest.total,
            seq: live.seq,
        }))
    })
    .await
}

fn sample(look: &Sample) -> MachineSample {
    MachineSample {
        at: look.at,
        cpu_permille: look.cpu_permille,
        memory_used_mb: look.memory_mb.map(|(used, _)| used),
        memory_total_mb: look.memory_mb.map(|(_, all)| all),
        disk_used: look.disk.map(|(used, _)| used),
        disk_total: look.disk.map(|(_, all)| all),
        log_bytes_s: look.log_bytes_s,
    }
}

fn certificates(view: &View, now: Timestamp) -> Vec<CertificateRow> {
    let all = view.certificates.all().into_iter();
    all.map(|one| CertificateRow {
        place: one.place.word().to_owned(),
        source: one.source.word().to_owned(),
        days_left: one.facts.days_left(now),
        ends_soon: one.facts.ends_soon(now),
        fingerprint: one.facts.fingerprint.to_string(),
        name: one.facts.name,
        issuer: one.facts.issuer,
        until: one.facts.until,
        locked: one.trouble.as_ref().is_some_and(Trouble::is_locked),
        trouble: one.trouble.map(|trouble| trouble.why.to_string()),
    })
    .collect()
}

fn item(concern: Concern) -> AttentionItem {
    AttentionItem {
        urgency: match concern.urgency {
            engine::Urgency::Now => Urgency::Now,
            engine::Urgency::Soon => Urgency::Soon,
            engine::Urgency::Notice => Urgency::Notice,
        },
        since: concern.since,
        text: concern.text,
        help: concern.help,
        screen: match concern.spot {
            Spot::Dashboard => "dashboard".to_owned(),
            Spot::Queue => "queue".to_owned(),
            Spot::Cluster => "cluster".to_owned(),
            Spot::Node(name) => format!("node:{name}"),
            Spot::Run(attempt) => format!("run:{attempt}"),
            Spot::Builds => "builds".to_owned(),
            Spot::Pipeline(pipeline) => format!("pipeline:{pipeline}"),
            Spot::Settings(group) => format!("settings:{group}"),
        },
    }
}
