//! A dashboard that has much to say.

use roundel::api::dashboard::{
    AttentionItem, CertificateRow, Dashboard, LoadMinute, MachineHistory, MachineSample, Objective,
    ObjectiveMinute, Urgency,
};
use roundel::api::fleet::NodeCounts;
use roundel::api::services::{Health, Installation, LastError, Phase, ServiceRow};
use roundel::clock::Timestamp;

use super::{Model, ago};

/// So many minutes before the clock of the stage.
pub fn minutes_ago(n: i64) -> Timestamp {
    ago(n * 60)
}

/// Something that needs somebody.
pub fn item(urgency: Urgency, minutes: i64, text: &str, screen: &str) -> AttentionItem {
    AttentionItem {
        urgency,
        since: Some(minutes_ago(minutes)),
        text: text.into(),
        help: format!("help for {text}"),
        screen: screen.into(),
    }
}

/// A certificate that is served and holds for so many days.
pub fn certificate(place: &str, name: &str, days: i64) -> CertificateRow {
    CertificateRow {
        place: place.into(),
        source: "privacy".into(),
        name: name.into(),
        issuer: "an authority".into(),
        until: minutes_ago(-days * 24 * 60),
        days_left: days,
        ends_soon: days < 30,
        fingerprint: "sha256:00".into(),
        trouble: None,
        locked: false,
    }
}

/// A part of the server.
pub fn service(name: &str, health: Health) -> ServiceRow {
    ServiceRow {
        name: name.into(),
        health,
        since: minutes_ago(20),
        last_error: (health == Health::Failing).then(|| LastError {
            at: minutes_ago(1),
            text: "no space left".into(),
        }),
        note: format!("99 of 100 {name} within 2 ms"),
    }
}

/// A dashboard of an installation where nothing was ever built.
pub fn dashboard() -> Dashboard {
    Dashboard {
        installation: Installation::default(),
        version: "0.1.0".into(),
        started_at: ago(3600),
        waiting: 0,
        running: 0,
        objective: Objective {
            within_ms: 1000,
            minutes: Vec::new(),
        },
        nodes: NodeCounts::default(),
        machine: MachineHistory {
            every_s: 10,
            samples: Vec::new(),
        },
        load: Vec::new(),
        services: Vec::new(),
        certificates: Vec::new(),
        attention: Vec::new(),
        builds: Vec::new(),
        built: 0,
        seq: 1,
    }
}

/// What the dashboard shows of an installation with much to say.
pub fn much() -> Dashboard {
    let model = Model::busy();
    let sample = |n: i64| MachineSample {
        at: ago(900 - n * 10),
        cpu_permille: Some(if n == 45 { 710 } else { 340 }),
        memory_used_mb: Some(12_390),
        memory_total_mb: Some(31_744),
        disk_used: Some(61 << 30),
        disk_total: Some(100 << 30),
        log_bytes_s: 1_258_291,
    };
    Dashboard {
        installation: Installation {
            phase: Phase::Started,
            since: Some(minutes_ago(12 * 24 * 60)),
            by: "uid 1000 (ann)".into(),
        },
        version: "0.4.0".into(),
        started_at: minutes_ago(180),
        waiting: 14,
        running: 22,
        objective: Objective {
            within_ms: 1000,
            minutes: vec![
                ObjectiveMinute {
                    at: minutes_ago(30),
                    runs: 500,
                    met: 493,
                },
                ObjectiveMinute {
                    at: minutes_ago(2),
                    runs: 500,
                    met: 493,
                },
            ],
        },
        nodes: model.counted().nodes,
        machine: MachineHistory {
            every_s: 10,
            samples: (0..90).map(sample).collect(),
        },
        load: vec![LoadMinute {
            at: minutes_ago(3),
            waiting: 7,
            running: 60,
        }],
        services: vec![
            service("engine", Health::Ok),
            service("store", Health::Slow),
            service("log storage", Health::Failing),
            service("fleet", Health::Ok),
        ],
        certificates: vec![
            certificate("public", "ci.example.com", 61),
            certificate("console", "console.example.com", 12),
        ],
        attention: vec![
            item(
                Urgency::Now,
                42,
                "n02 is past its drain deadline",
                "node:n02",
            ),
            item(Urgency::Soon, 20, "1 run will never start", "queue"),
            item(Urgency::Notice, 9, "the installation is well", "dashboard"),
        ],
        builds: model.pipelines.iter().map(|one| one.row.clone()).collect(),
        built: 3,
        seq: 7,
    }
}
