//! What is kept, and for how long: decisions only; `cleaning` looks for what may go and removes the files.

use super::builds::Batch;
use super::cleaning::Pass;
use super::command::{Actor, CommandError, Deed, KeepCommand, Reply};
use super::outbox::Topic;
use crate::clock::Timestamp;
use crate::settings::keep;

impl KeepCommand {
    /// What the audit log says of it; a pass that found nothing is not worth a row.
    pub(super) fn deed(&self, actor: &Actor, now: Timestamp) -> Option<Deed> {
        let (action, detail, failure) = match self {
            KeepCommand::Set(kind, span) => {
                let detail = format!("{}={}", kind.word(), keep::written(*span));
                ("keep.set", detail, None)
            }
            KeepCommand::Passed(pass) if !pass.removed.is_empty() || pass.error.is_some() => {
                ("gc.run", pass.words(), pass.error.clone())
            }
            KeepCommand::Passed(_) | KeepCommand::ForgetBuilds(_) | KeepCommand::ForgetLogs(_) => {
                return None;
            }
        };
        Some(Deed {
            at: now,
            actor: actor.clone(),
            action,
            object: "installation".to_owned(),
            detail,
            failure,
        })
    }
}

impl Batch<'_, '_> {
    /// Decides a wish on what is kept.
    pub(super) fn keep(&mut self, command: KeepCommand) -> Result<Reply, CommandError> {
        let count = match command {
            KeepCommand::Set(kind, span) => {
                self.tx.set_keep(kind, span)?;
                return Ok(Reply::Noted);
            }
            KeepCommand::ForgetBuilds(ids) => {
                let gone = self.tx.forget_builds(&ids)?;
                if gone > 0 {
                    ids.iter().for_each(|id| self.out.touch(Topic::Builds, id));
                }
                gone
            }
            KeepCommand::ForgetLogs(ids) => {
                ids.iter().for_each(|id| self.out.touch(Topic::Runs, id));
                self.tx.forget_logs(&ids, self.now)?
            }
            KeepCommand::Passed(pass) => {
                self.tx.set_last_pass(&Pass::to_text(&pass))?;
                return Ok(Reply::Noted);
            }
        };
        Ok(Reply::Forgotten { count })
    }
}
