//! Watched repositories: added, removed, and what a look at them found. Decisions only; `watching` looks.

use super::builds::Batch;
use super::command::{Actor, CommandError, Reply, WatchCommand};
use crate::store::WatchRecord;

impl Batch<'_, '_> {
    /// Decides a wish on watched repositories.
    pub(super) fn watch(
        &mut self,
        command: WatchCommand,
        actor: &Actor,
    ) -> Result<Reply, CommandError> {
        match command {
            WatchCommand::Add(new) => {
                let known = self.tx.title_of(&new.key)?;
                // Asked again, only its period changes: what is new since is still to be built.
                let watch = self.tx.set_watch(&WatchRecord {
                    id: new.id,
                    source: new.source,
                    title: known.unwrap_or(new.title),
                    every_s: new.every_s,
                    created: self.now,
                    actor: actor.name.clone(),
                    tips: new.tips,
                })?;
                Ok(Reply::Watch { watch })
            }
            WatchCommand::Seen { watch, tips } => {
                // Removed meanwhile: then nothing is to be kept.
                self.tx.set_tips(watch, &tips)?;
                Ok(Reply::Watch { watch })
            }
            WatchCommand::Remove(watch) => match self.tx.delete_watch(watch)? {
                Some(_) => Ok(Reply::Watch { watch }),
                None => Err(CommandError::NotFound {
                    what: "watched repository",
                    name: watch.to_string(),
                }),
            },
        }
    }
}
