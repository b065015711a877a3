//! The stream of changes, and the hot counters.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, Sse};
use futures_util::Stream;
use tokio::sync::{broadcast, mpsc};
use tokio::time::timeout;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;

use super::caller::Caller;
use super::error::{ApiError, blocking};
use super::router::Server;
use super::translate::installation;
use crate::api::fleet::NodeCounts;
use crate::api::session::StreamEnd;
use crate::api::{Change, LogAdvanced, Summary, Topic, WaitBucket};
use crate::clock;
use crate::engine::{Changed, Live, WAIT_BOUNDS};

/// Least time between two sendings of counters or of one log's growth.
const PACE: Duration = Duration::from_millis(100);

/// Silence on a stream after which a comment proves that it lives.
const KEEP_ALIVE: Duration = Duration::from_secs(5);

/// How long a stream that has to end waits for room for its last word.
const FAREWELL: Duration = Duration::from_secs(1);

/// Stored changes sent at once to a stream that comes back; one that missed more reads everything anew.
const REPLAY_MAX: usize = 1000;

pub(super) fn summarise(live: &Live) -> Summary {
    let totals = live.nodes.totals;
    let nodes = NodeCounts {
        ready: totals.ready,
        draining: totals.draining,
        ineligible: totals.ineligible,
        down: 0,
        cpu_millis: totals.cpu_millis,
        cpu_millis_used: totals.cpu_used_millis,
        memory_mb: totals.memory_mb,
        memory_mb_used: totals.memory_used_mb,
    };
    let bounds = WAIT_BOUNDS.iter().copied().map(Some).chain([None]);
    Summary {
        seq: live.seq,
        now: clock::now(),
        waiting: live.waiting,
        running: live.running,
        oldest_waiting: live.oldest_waiting,
        nodes,
        read_only: live.read_only.clone(),
        installation: installation(&live.installation),
        waits: bounds
            .zip(live.waits)
            .map(|(up_to_ms, runs)| WaitBucket { up_to_ms, runs })
            .collect(),
    }
}

pub(super) async fn summary(State(server): State<Server>) -> Json<Summary> {
    Json(summarise(&server.view.live()))
}

pub(super) async fn stream(
    State(server): State<Server>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, ApiError> {
    let after: Option<i64> = headers
        .get("last-event-id")
        .and_then(|id| id.to_str().ok())
        .and_then(|id| id.parse().ok());
    // Subscribed before the past is read, so that nothing falls between.
    let changes = server.view.feed.changes();
    let logs = server.view.feed.logs();
    let reader = server.clone();
    let past = match after {
        None => Past::Now,
        Some(seq) => {
            let stored =
                blocking(move || reader.view.store.changes_after(seq, REPLAY_MAX + 1)).await?;
            match stored {
                Some(stored) if stored.len() <= REPLAY_MAX => Past::Changes(
                    stored
                        .into_iter()
                        .map(|c| change(c.seq, &c.topic, parse(&c.ids)))
                        .collect(),
                ),
                _ => Past::Gone,
            }
        }
    };
    // Small: a client that does not read holds back its own stream only, and is then told to read anew.
    let (to, from) = mpsc::channel(64);
    tokio::spawn(async move {
        let tokens = server.view.tokens.clone();
        let last = to.clone();
        tokio::select! {
            () = feed(server, past, changes, logs, to) => {}
            // Whoever may not look any more does not go on looking.
            reason = caller.ended(tokens) => {
                let end = event("end", None, &StreamEnd { reason });
                // One that does not read learns it with its next request.
                let _ = timeout(FAREWELL, last.send(end)).await;
            }
        }
    });
    Ok(Sse::new(ReceiverStream::new(from).map(Ok)))
}

fn parse(ids: &str) -> Vec<String> {
    serde_json::from_str(ids).unwrap_or_default()
}

enum Past {
    Now,
    Changes(Vec<Change>),
    Gone,
}

fn change(seq: i64, topic: &str, ids: Vec<String>) -> Change {
    let topic = match topic {
        "builds" => Topic::Builds,
        "runs" => Topic::Runs,
        "nodes" => Topic::Nodes,
        "settings" => Topic::Settings,
        _ => Topic::Audit,
    };
    Change { seq, topic, ids }
}

fn event(name: &str, id: Option<i64>, data: &impl serde::Serialize) -> Event {
    let text = serde_json::to_string(data).expect("what a stream sends is plain data");
    let event = Event::default().event(name).data(text);
    match id {
        Some(id) => event.id(id.to_string()),
        None => event,
    }
}

/// Sends until the client is gone.
async fn feed(
    server: Server,
    past: Past,
    mut changes: broadcast::Receiver<Changed>,
    mut logs: broadcast::Receiver<(crate::ids::AttemptId, u16, u64)>,
    to: mpsc::Sender<Event>,
) {
    let _here = server.presence.enter();
    let mut sent = 0;
    let first = match past {
        Past::Now => Vec::new(),
        Past::Gone => vec![event("reset", None, &())],
        Past::Changes(changes) => {
            sent = changes.last().map_or(0, |change| change.seq);
            changes
                .iter()
                .map(|change| event("change", Some(change.seq), change))
                .collect()
        }
    };
    let mut live = server.view.feed.watch();
    live.mark_changed();
    for event in first {
        if to.send(event).await.is_err() {
            return;
        }
    }
    let mut grown: HashMap<(crate::ids::AttemptId, u16), u64> = HashMap::new();
    let mut pace = tokio::time::interval(PACE);
    pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut quiet = tokio::time::interval(KEEP_ALIVE);
    loop {
        let mut out = Vec::new();
        tokio::select! {
            change_now = changes.recv() => match change_now {
                Ok(changed) if changed.seq > sent => {
                    sent = changed.seq;
                    out.push(event("change", Some(changed.seq), &change(changed.seq, changed.topic, changed.ids)));
                }
                Ok(_) => {}
                Err(broadcast::error::RecvError::Lagged(_)) => out.push(event("reset", None, &())),
                Err(broadcast::error::RecvError::Closed) => return,
            },
            log = logs.recv() => {
                if let Ok((attempt, step, bytes)) = log {
                    grown.insert((attempt, step), bytes);
                }
            }
            _ = pace.tick(), if !grown.is_empty() || live.has_changed().unwrap_or(false) => {
                if live.has_changed().unwrap_or(false) {
                    let now: Arc<Live> = live.borrow_and_update().clone();
                    out.push(event("summary", None, &summarise(&now)));
                }
                out.extend(grown.drain().map(|((attempt, step), bytes)| {
                    event("log", None, &LogAdvanced { attempt: attempt.to_string(), step, bytes })
                }));
            }
            changed = live.changed(), if !live.has_changed().unwrap_or(false) => {
                if changed.is_err() {
                    return;
                }
                live.mark_changed();
            }
            _ = quiet.tick() => out.push(Event::default().comment("alive")),
            () = to.closed() => return,
        }
        for event in out {
            if to.send(event).await.is_err() {
                return;
            }
        }
    }
}
