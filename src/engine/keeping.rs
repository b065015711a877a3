//! What is forgotten after a while: decisions only; `cleaning` looks for what may go and removes the files.

use super::builds::Batch;
use super::cleaning::Pass;
use super::command::{CommandError, KeepCommand, Reply};
use super::outbox::Topic;

impl Batch<'_, '_> {
    /// Decides a wish on what is kept.
    pub(super) fn keep(&mut self, command: KeepCommand) -> Result<Reply, CommandError> {
        let count = match command {
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
