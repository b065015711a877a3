//! The installation as a whole: it takes new work, or it has been told not to and waits for what runs to end.

use super::builds::Batch;
use super::command::{Actor, CommandError, InstallationCommand, Reply};
use super::outbox::Topic;
use super::state::State;
use crate::pipeline::status::Phase;
use crate::scheduler::Hold;
use crate::store::{AuditEntry, InstallationRecord, StoreError};

impl State {
    /// Holds placement back, or lets it go on: whoever stopped the installation comes before the disk.
    pub(super) fn set_hold(&mut self) {
        let stopped = &self.installation;
        let hold = match stopped.phase {
            Phase::Started => self.disk_low.as_ref().map(|text| Hold {
                code: "disk",
                text: text.clone(),
            }),
            Phase::Stopping | Phase::Stopped => Some(Hold {
                code: "stopped",
                text: format!(
                    "the installation is stopped, by {} since {}",
                    stopped.by, stopped.since
                ),
            }),
        };
        self.scheduler.set_hold(hold);
    }
}

impl Batch<'_, '_> {
    /// Decides a wish on the installation. What it is already is no error: whoever asks twice wants the same.
    pub(super) fn installation(
        &mut self,
        command: InstallationCommand,
        actor: &Actor,
    ) -> Result<Reply, CommandError> {
        let taking = self.state.installation.phase == Phase::Started;
        let idle = self.state.scheduler.counts().1 == 0;
        match command {
            InstallationCommand::Stop if taking && idle => {
                self.set_phase(Phase::Stopped, &actor.name)?;
            }
            InstallationCommand::Stop if taking => self.set_phase(Phase::Stopping, &actor.name)?,
            InstallationCommand::Start if !taking => {
                self.set_phase(Phase::Started, &actor.name)?;
                self.state.settings_running = self.tx.settings_version()?;
                self.state.load_values(self.tx, self.seal)?;
            }
            _ => {}
        }
        let now = &self.state.installation;
        Ok(Reply::Installation {
            phase: now.phase,
            since: now.since,
            by: now.by.clone(),
        })
    }

    /// A stop is done once nothing runs any more. Who stopped it and since when stays: that is what people ask.
    pub(super) fn finish_stop(&mut self) -> Result<(), StoreError> {
        let stopping = self.state.installation.phase == Phase::Stopping;
        if !stopping || self.state.scheduler.counts().1 > 0 {
            return Ok(());
        }
        self.state.installation.phase = Phase::Stopped;
        self.out.at_once = true;
        self.tx.set_installation(&self.state.installation)?;
        self.tx.append_audit(&AuditEntry {
            at: self.now,
            actor: "server".to_owned(),
            action: "installation.stopped".to_owned(),
            object: "installation".to_owned(),
            result: "ok".to_owned(),
            detail: "nothing runs any more".to_owned(),
        })?;
        self.out.touch(Topic::Audit, "installation.stopped");
        Ok(())
    }

    fn set_phase(&mut self, phase: Phase, by: &str) -> Result<(), StoreError> {
        self.state.installation = InstallationRecord {
            phase,
            since: self.now,
            by: by.to_owned(),
        };
        self.tx.set_installation(&self.state.installation)?;
        self.state.set_hold();
        self.out.at_once = true;
        // Whoever waits now waits for another reason.
        self.out.touch(Topic::Runs, "hold");
        Ok(())
    }
}
