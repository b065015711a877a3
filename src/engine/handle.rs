//! The only way to change anything.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use super::command::{Actor, Command, CommandError, Reply};
use super::deeds::deed;
use super::refusals::{Refusal, Refusals, Row};
use super::reports::{AgentEvent, Report};
use crate::access::Role;
use crate::clock;
use crate::cluster::Containers;
use crate::ids::AttemptId;
use crate::scheduler::Explanation;

/// Messages that may wait for the dispatcher: two full batches, so that it never starves while one is answered.
pub(super) const QUEUE: usize = 512;

/// A way into the dispatcher; cheap to clone.
#[derive(Clone, Debug)]
pub struct Handle {
    pub(super) to: mpsc::Sender<Message>,
    pub(super) refusals: Arc<Refusals>,
}

/// What is answered to a command: order of the change, and what came of it.
pub(super) type Answer = Result<(i64, Reply), CommandError>;

#[derive(Debug)]
pub(super) enum Message {
    /// A wish of somebody.
    Command {
        command: Command,
        actor: Actor,
        key: Option<String>,
        reply: oneshot::Sender<Answer>,
    },
    /// A report; answered once durable.
    Report {
        report: Report,
        reply: oneshot::Sender<Result<(), CommandError>>,
    },
    /// Why does this run wait?
    Explain {
        attempt: AttemptId,
        reply: oneshot::Sender<Option<Explanation>>,
    },
    /// The disk has little or enough room: placement is held or resumed.
    Disk { low: Option<String> },
    /// The agents of these runs have fallen silent, or were heard again.
    Heard(Vec<AttemptId>),
    /// The container engine came or went.
    Containers(Containers),
    /// Time passes.
    Tick,
    /// The end.
    Shutdown,
}

impl Handle {
    /// Asks for a change. `key` makes it idempotent for a day: asked again with the same key and actor, the first
    /// answer is given again and nothing is done.
    ///
    /// # Errors
    /// Why it was not done; nothing of it holds then.
    ///
    /// # Cancel safety
    /// Dropping the future does not take the wish back.
    pub async fn send(&self, command: Command, actor: Actor, key: Option<String>) -> Answer {
        let needs = command.needs();
        if actor.role < needs {
            let what = deed(&command, &actor, clock::now()).map_or("", |deed| deed.action);
            self.permit(&actor, needs, what, "").await?;
        }
        self.put(command, actor, key).await
    }

    /// Whether somebody may do something: asked before what has effects outside of the engine. A refusal is in the
    /// audit log before it is answered; `from` is where it came from.
    ///
    /// # Errors
    /// [`CommandError::Role`] when the role is less than what it needs.
    pub async fn permit(
        &self,
        actor: &Actor,
        needs: Role,
        what: &str,
        from: &str,
    ) -> Result<(), CommandError> {
        if actor.role >= needs {
            return Ok(());
        }
        let err = CommandError::Role {
            who: actor.name.clone(),
            has: actor.role,
            what: what.to_owned(),
            needs,
        };
        self.refused(Refusal {
            who: actor.name.clone(),
            what: what.to_owned(),
            why: err.to_string(),
            from: from.to_owned(),
        })
        .await;
        Err(err)
    }

    /// Writes a refusal into the audit log, or counts it when there is one of the kind.
    pub async fn refused(&self, refusal: Refusal) {
        if let Some(row) = self.refusals.note(refusal, clock::now()) {
            self.write(row).await;
        }
    }

    /// Writes the refusals that were only counted.
    pub(super) async fn write_refusals(&self) {
        for row in self.refusals.due(clock::now()) {
            self.write(row).await;
        }
    }

    async fn write(&self, (who, note): Row) {
        // A store that takes no writes takes none of these either; the refusal itself stands.
        let _ = self.put(Command::Note(note), Actor::admin(who), None).await;
    }

    async fn put(&self, command: Command, actor: Actor, key: Option<String>) -> Answer {
        let (reply, answer) = oneshot::channel();
        let message = Message::Command {
            command,
            actor,
            key,
            reply,
        };
        self.to
            .send(message)
            .await
            .map_err(|_| CommandError::ShuttingDown)?;
        answer.await.map_err(|_| CommandError::ShuttingDown)?
    }

    /// Takes an agent's events; resolves once they are durable.
    ///
    /// # Errors
    /// When the store takes no writes; the agent keeps them and comes again.
    pub async fn agent_events(
        &self,
        attempt: AttemptId,
        last_seq: u64,
        events: Vec<(u64, AgentEvent)>,
    ) -> Result<(), CommandError> {
        self.report(Report::Events {
            attempt,
            last_seq,
            events,
        })
        .await
    }

    pub(super) async fn report(&self, report: Report) -> Result<(), CommandError> {
        let (reply, answer) = oneshot::channel();
        self.to
            .send(Message::Report { report, reply })
            .await
            .map_err(|_| CommandError::ShuttingDown)?;
        answer.await.map_err(|_| CommandError::ShuttingDown)?
    }

    /// Why a run waits, at length; `None` when it does not wait.
    pub async fn explain(&self, attempt: AttemptId) -> Option<Explanation> {
        let (reply, answer) = oneshot::channel();
        self.to
            .send(Message::Explain { attempt, reply })
            .await
            .ok()?;
        answer.await.ok()?
    }

    /// Resolves once the dispatcher has come to what was sent before; `false` when it has ended.
    pub async fn answers(&self) -> bool {
        let (reply, answer) = oneshot::channel();
        // The question that costs least: of a run that is not there.
        let attempt = AttemptId::fresh();
        let sent = self.to.send(Message::Explain { attempt, reply }).await;
        sent.is_ok() && answer.await.is_ok()
    }

    /// Tells whether the disk is low; placement is held while it is.
    pub async fn disk(&self, low: Option<String>) {
        // Nobody to tell when the dispatcher has ended: then nothing is placed either.
        let _ = self.to.send(Message::Disk { low }).await;
    }

    /// Tells that the agents of these runs have fallen silent, or were heard again.
    pub(super) async fn heard(&self, runs: impl IntoIterator<Item = &AttemptId>) {
        let runs = runs.into_iter().copied().collect();
        // Nobody to tell when the dispatcher has ended: then nobody looks either.
        let _ = self.to.send(Message::Heard(runs)).await;
    }

    /// Tells what there is of a container engine.
    pub async fn containers(&self, found: Containers) {
        // Nobody to tell when the dispatcher has ended: then nothing is placed either.
        let _ = self.to.send(Message::Containers(found)).await;
    }

    /// Ends the dispatcher after what it has taken.
    pub async fn shutdown(&self) {
        let _ = self.to.send(Message::Shutdown).await;
    }
}
