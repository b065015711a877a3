//! The one loop that changes state.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{broadcast, mpsc, oneshot, watch};

use super::builds::Batch;
use super::command::{Command, CommandError, Reply};
use super::deeds::{deed, write_audit};
use super::gate::Gate;
use super::handle::{Answer, Message};
use super::nodes::Nodes;
use super::outbox::{Effect, Outbox, Topic};
use super::publish::{Changed, Live, Waits, picture};
use super::reports::Report;
use super::roster::Roster;
use super::state::{Capacity, State};
use crate::access::{Tokens, hash};
use crate::clock;
use crate::error::Chain;
use crate::ids::NodeId;
use crate::queue::Limits;
use crate::services::health::{Part, Pulse};
use crate::settings::value::Values;
use crate::storage::seal::Seal;
use crate::store::{StoreError, Tx, Writer};

/// Messages decided in one transaction: enough to share an fsync, few enough to answer soon.
const BATCH: usize = 256;

/// The hot state is shown at most this often.
const SHOW_EVERY: Duration = Duration::from_millis(100);

/// What the dispatcher is made of.
pub(super) struct Dispatcher {
    pub writer: Writer,
    pub state: State,
    pub limits: Limits,
    pub fleet: Vec<(String, Capacity)>,
    pub gate: Arc<Gate>,
    pub live: watch::Sender<Arc<Live>>,
    pub changes: broadcast::Sender<Changed>,
    pub effects: mpsc::UnboundedSender<Effect>,
    /// The tokens that open, as they are on disk.
    pub tokens: watch::Sender<Arc<Tokens>>,
    /// What the settings say that hold, as they are on disk.
    pub values: watch::Sender<Arc<Values>>,
    pub waits: Waits,
    /// Seals and opens secrets.
    pub seal: Arc<Seal>,
    pub pulse: Pulse,
    /// The nodes as they were shown last, and those that have changed since.
    pub nodes: Arc<Nodes>,
    pub nodes_changed: Vec<NodeId>,
    pub roster: Arc<Roster>,
    /// Set while the store takes no writes.
    pub read_only: Option<String>,
    /// The private state is no longer what is on disk.
    pub stale: bool,
}

/// An answer that is held back until the batch is durable.
enum Held {
    Command(
        oneshot::Sender<Answer>,
        Result<Reply, CommandError>,
        Option<i64>,
    ),
    Report(oneshot::Sender<Result<(), CommandError>>),
}

impl Dispatcher {
    /// Takes messages until told to stop. Blocks its thread; `runtime` only lends a timer.
    pub(super) fn run(
        mut self,
        mut from: mpsc::Receiver<Message>,
        runtime: &tokio::runtime::Handle,
    ) {
        let mut shown = clock::monotonic();
        let mut dirty = true;
        loop {
            let patience = if dirty {
                SHOW_EVERY
            } else {
                Duration::from_secs(3600)
            };
            let first =
                runtime.block_on(async { tokio::time::timeout(patience, from.recv()).await });
            match first {
                Ok(None) => return,
                Ok(Some(first)) => {
                    let mut messages = vec![first];
                    while messages.len() < BATCH
                        && let Ok(next) = from.try_recv()
                    {
                        messages.push(next);
                    }
                    let last = messages
                        .iter()
                        .any(|message| matches!(message, Message::Shutdown));
                    let idle = messages.iter().all(|message| {
                        matches!(
                            message,
                            Message::Tick | Message::Disk { .. } | Message::Explain { .. }
                        )
                    });
                    let before = self.state.seq;
                    let begun = clock::monotonic();
                    self.batch(messages);
                    let engine = self.pulse.of(Part::Engine);
                    engine.done(begun.elapsed(), clock::now());
                    dirty |= self.state.seq != before || !idle;
                    if last {
                        return;
                    }
                }
                Err(_) => {}
            }
            if dirty && shown.elapsed() >= SHOW_EVERY {
                self.show();
                shown = clock::monotonic();
                dirty = false;
            }
        }
    }

    fn show(&mut self) {
        let now = clock::now();
        if !self.nodes_changed.is_empty() {
            self.nodes = Arc::new(self.nodes.with(&self.state, &self.nodes_changed));
            self.nodes_changed.clear();
        }
        let live = picture(
            &mut self.state,
            self.nodes.clone(),
            &mut self.waits,
            self.read_only.clone(),
            self.seal.stands().1,
            now,
        );
        self.pulse.loaded((live.waiting, live.running), now);
        self.live.send_replace(Arc::new(live));
    }

    /// Decides a batch, commits it, and only then answers, publishes and lets effects happen.
    fn batch(&mut self, messages: Vec<Message>) {
        if self.read_only.is_some() && !self.writable_again(&messages) {
            let why = self.read_only.clone().unwrap_or_default();
            messages
                .into_iter()
                .for_each(|message| refuse(message, &why));
            return;
        }
        let mut held = Vec::with_capacity(messages.len());
        let mut outbox = Outbox::default();
        let mut placed_after = Vec::new();
        let running = self.state.settings_running;
        match self.decide(messages, &mut held, &mut outbox, &mut placed_after) {
            Ok(changes) => {
                let now = clock::now();
                placed_after
                    .into_iter()
                    .for_each(|waited| self.waits.add(now, waited));
                for outcome in outbox.ended {
                    self.waits.tally.ended[outcome as usize] += 1;
                }
                // Before the answers: who was told of a change finds it so.
                show_other(&self.tokens, &self.state.tokens);
                show_other(&self.values, &self.state.values);
                self.roster.tell(outbox.moves);
                self.nodes_changed.extend(outbox.nodes);
                self.carry_out(outbox.effects);
                if outbox.at_once {
                    self.show();
                }
                let seq = self.state.seq;
                held.into_iter().for_each(|answer| answer.give(seq));
                for change in changes {
                    // Nobody listening is fine.
                    let _ = self.changes.send(change);
                }
            }
            Err(err) => {
                tracing::error!(error = %Chain(&err), "a batch could not be written; nothing of it holds");
                self.stale = true;
                // Not read back from disk, so it is taken back here.
                self.state.settings_running = running;
                let why = if err.is_full() {
                    format!("store full: {}", Chain(&err))
                } else {
                    format!("the store failed: {}", Chain(&err))
                };
                self.pulse.of(Part::Store).failed(&why, clock::now());
                held.into_iter().for_each(|answer| answer.fail(&why));
                self.read_only = Some(why);
                self.show();
            }
        }
    }

    /// Once a second a read-only store is tried anew.
    fn writable_again(&mut self, messages: &[Message]) -> bool {
        if !messages
            .iter()
            .any(|message| matches!(message, Message::Tick))
        {
            return false;
        }
        let fit = self.writer.probe().is_ok();
        if fit {
            tracing::info!("the store takes writes again");
            self.read_only = None;
        }
        fit
    }

    fn decide(
        &mut self,
        messages: Vec<Message>,
        held: &mut Vec<Held>,
        outbox: &mut Outbox,
        placed_after: &mut Vec<i64>,
    ) -> Result<Vec<Changed>, StoreError> {
        let now = clock::now();
        // Answers must not be lost when the store fails half way: messages not yet decided are refused too.
        let mut messages = messages.into_iter();
        let tx = self.writer.begin();
        let tx = match tx {
            Ok(tx) => tx,
            Err(err) => {
                messages.for_each(|message| hold_for_failure(message, held));
                return Err(err);
            }
        };
        let result = (|| {
            if self.stale {
                let read = State::load(&tx, self.limits, &self.fleet, now)?;
                let old = std::mem::replace(&mut self.state, read);
                self.state.disk_low = old.disk_low;
                self.state.settings_running = old.settings_running;
                self.state.load_values(&tx, &self.seal)?;
                self.state.set_hold();
                self.state.set_containers(old.containers);
                self.stale = false;
                self.nodes = Arc::new(Nodes::all(&self.state));
                self.nodes_changed.clear();
            }
            for message in messages.by_ref() {
                if let Message::Containers(found) = message {
                    for (_, capacity) in &mut self.fleet {
                        capacity.set_containers(&found);
                    }
                    self.state.set_containers(found);
                    outbox.nodes.extend(self.state.nodes.keys());
                    outbox.touch(Topic::Nodes, "containers");
                    outbox.touch(Topic::Runs, "containers");
                    continue;
                }
                if let Message::Disk { low } = message {
                    // It is asked every few seconds, and mostly finds what it found before: that is no change.
                    if self.state.disk_low != low {
                        self.state.disk_low = low;
                        self.state.set_hold();
                        outbox.touch(Topic::Runs, "hold");
                    }
                    continue;
                }
                let mut batch = Batch {
                    tx: &tx,
                    state: &mut self.state,
                    out: outbox,
                    now,
                    seal: &self.seal,
                };
                decide_one(&mut batch, message, held)?;
            }
            let mut batch = Batch {
                tx: &tx,
                state: &mut self.state,
                out: outbox,
                now,
                seal: &self.seal,
            };
            batch.end_unserved()?;
            while batch.place(placed_after)? {}
            batch.finish_stop()?;
            write_changes(&tx, &mut self.state, outbox, now)
        })();
        match result {
            Ok(changes) => {
                #[cfg(feature = "fault-injection")]
                answer_before_commit(held, self.state.seq);
                let begun = clock::monotonic();
                tx.commit()?;
                if !changes.is_empty() {
                    self.pulse.of(Part::Store).done(begun.elapsed(), now);
                }
                Ok(changes)
            }
            Err(err) => {
                messages.for_each(|message| hold_for_failure(message, held));
                Err(err)
            }
        }
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        let now = clock::now();
        for effect in effects {
            match &effect {
                Effect::Launch { attempt, token, .. } => {
                    self.gate.open(*attempt, hash(token), 0, false, false, now);
                }
                Effect::Stop(attempt) => self.gate.tell_to_stop(*attempt),
                Effect::Close(attempt) => self.gate.close(*attempt),
            }
            // The other end goes away only at the end of the process.
            let _ = self.effects.send(effect);
        }
    }
}

/// Shows what is on disk now, where that is not what was shown before.
fn show_other<T>(to: &watch::Sender<Arc<T>>, now: &Arc<T>) {
    to.send_if_modified(|shown| {
        let other = !Arc::ptr_eq(shown, now);
        shown.clone_from(now);
        other
    });
}

/// The deliberate fault of the crash test: whoever asked is told before anything is on disk, and a kill within the
/// next moment makes the answer a lie.
#[cfg(feature = "fault-injection")]
fn answer_before_commit(held: &mut Vec<Held>, seq: i64) {
    held.drain(..).for_each(|answer| answer.give(seq));
    std::thread::sleep(Duration::from_millis(200));
}

fn decide_one(
    batch: &mut Batch<'_, '_>,
    message: Message,
    held: &mut Vec<Held>,
) -> Result<(), StoreError> {
    match message {
        Message::Command {
            command,
            actor,
            key,
            reply,
        } => {
            let key = key.map(|key| format!("{}\n{key}", actor.name));
            if let Some(key) = &key
                && let Some(earlier) = batch.tx.answer(key)?
                && let Ok((seq, earlier)) = serde_json::from_str::<(i64, Reply)>(&earlier)
            {
                held.push(Held::Command(reply, Ok(earlier), Some(seq)));
                return Ok(());
            }
            let deed = deed(&command, &actor, batch.now);
            let outcome = match command {
                Command::Build(command) => batch.build(command, &actor),
                Command::Fleet(command) => batch.fleet(&command, &actor),
                Command::Watch(command) => batch.watch(command, &actor),
                Command::Keep(command) => batch.keep(command),
                Command::Token(command) => batch.token(command, &actor),
                Command::Session(command) => batch.session(command, &actor),
                Command::Settings(command) => batch.settings(command, &actor),
                Command::Project(command) => batch.project(command, &actor),
                Command::Vm(command) => batch.vm(command, &actor),
                Command::Note(_) => Ok(Reply::Noted),
                Command::Installation(command) => batch.installation(command, &actor),
            };
            let result = match outcome {
                Err(CommandError::Store(err)) => {
                    held.push(Held::Command(reply, Err(CommandError::ShuttingDown), None));
                    return Err(err);
                }
                other => other,
            };
            if let Some(deed) = deed {
                write_audit(batch, &deed, &result)?;
            }
            if let (Some(key), Ok(reply)) = (&key, &result) {
                let answer = serde_json::to_string(&(batch.state.seq + 1, reply))
                    .expect("a reply is plain data");
                batch.tx.keep_answer(key, batch.now, &answer)?;
            }
            held.push(Held::Command(reply, result, None));
        }
        Message::Report { report, reply } => {
            let attempt = match &report {
                Report::Events { attempt, .. }
                | Report::Gone { attempt, .. }
                | Report::NeverStarted { attempt } => *attempt,
            };
            held.push(Held::Report(reply));
            match report {
                Report::Events {
                    last_seq, events, ..
                } => batch.agent_events(attempt, last_seq, events)?,
                Report::Gone { cause, .. } => batch.agent_gone(attempt, &cause)?,
                Report::NeverStarted { .. } => batch.never_started(attempt)?,
            }
        }
        Message::Explain { attempt, reply } => {
            // Whoever asked may be gone.
            let _ = reply.send(batch.state.scheduler.explain(attempt));
        }
        Message::Tick => batch.end_drains()?,
        // Nothing of them is stored: whoever looks is told to look again.
        Message::Heard(runs) => {
            runs.iter().for_each(|id| batch.out.touch(Topic::Runs, id));
        }
        Message::Disk { .. } | Message::Containers(_) | Message::Shutdown => {}
    }
    Ok(())
}

fn write_changes(
    tx: &Tx<'_>,
    state: &mut State,
    outbox: &mut Outbox,
    now: crate::clock::Timestamp,
) -> Result<Vec<Changed>, StoreError> {
    let mut changes = Vec::new();
    for (topic, ids) in outbox.changes() {
        state.seq += 1;
        let text = serde_json::to_string(&ids).expect("a list of texts is plain data");
        tx.append_change(state.seq, now, topic.word(), &text)?;
        changes.push(Changed {
            seq: state.seq,
            topic: topic.word(),
            ids,
        });
    }
    Ok(changes)
}

impl Held {
    fn give(self, seq: i64) {
        // Whoever asked may be gone; the deed stands.
        match self {
            Held::Command(reply, result, earlier) => {
                let _ = reply.send(result.map(|value| (earlier.unwrap_or(seq), value)));
            }
            Held::Report(reply) => {
                let _ = reply.send(Ok(()));
            }
        }
    }

    fn fail(self, why: &str) {
        let err = CommandError::ReadOnly {
            why: why.to_owned(),
        };
        match self {
            Held::Command(reply, ..) => {
                let _ = reply.send(Err(err));
            }
            Held::Report(reply) => {
                let _ = reply.send(Err(err));
            }
        }
    }
}

fn hold_for_failure(message: Message, held: &mut Vec<Held>) {
    match message {
        Message::Command { reply, .. } => {
            held.push(Held::Command(reply, Err(CommandError::ShuttingDown), None));
        }
        Message::Report { reply, .. } => held.push(Held::Report(reply)),
        Message::Explain { .. }
        | Message::Disk { .. }
        | Message::Containers(_)
        | Message::Heard(_)
        | Message::Tick
        | Message::Shutdown => {}
    }
}

fn refuse(message: Message, why: &str) {
    let mut held = Vec::new();
    hold_for_failure(message, &mut held);
    held.into_iter().for_each(|answer| answer.fail(why));
}
