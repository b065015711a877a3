//! What the dispatcher decides about VMs: rows are made, moved on, lent and forgotten. The pool around it looks and calls.

use super::super::builds::Batch;
use super::super::command::{Actor, CommandError, Reply};
use super::super::outbox::Topic;
use super::VmCommand;
use crate::ids::{AttemptId, VmId};
use crate::services::vm::{InstanceState, VmState, plan};
use crate::store::VmRecord;

impl Batch<'_, '_> {
    /// Decides a wish on VMs.
    pub(in crate::engine) fn vm(
        &mut self,
        command: VmCommand,
        actor: &Actor,
    ) -> Result<Reply, CommandError> {
        let vm = match command {
            VmCommand::Make(new) => {
                // Asked again, it is there and may be further already.
                if self.tx.vm(new.id)?.is_none() {
                    self.tx.set_vm(&VmRecord {
                        id: new.id,
                        purpose: new.purpose,
                        state: VmState::Creating,
                        region: new.region,
                        shape: new.shape,
                        instance: None,
                        address: None,
                        attempt: None,
                        asked_by: if new.asked {
                            actor.name.clone()
                        } else {
                            String::new()
                        },
                        made: self.now,
                        since: self.now,
                        why: String::new(),
                    })?;
                }
                new.id
            }
            VmCommand::Take { vm, instance } => {
                let Some(mut row) = self.tx.vm(vm)? else {
                    return Err(unknown(vm));
                };
                let runs = instance.state == InstanceState::Running && instance.address.is_some();
                let further = match row.state {
                    VmState::Creating | VmState::Starting if runs => VmState::Connecting,
                    VmState::Creating => VmState::Starting,
                    state => state,
                };
                row.instance = Some(instance.id);
                row.address = instance.address.or(row.address);
                self.put_vm(row, further)?;
                vm
            }
            VmCommand::Answers(vm) => {
                if let Some(row) = self.tx.vm(vm)?
                    && row.state == VmState::Connecting
                {
                    self.put_vm(row, VmState::Ready)?;
                }
                vm
            }
            VmCommand::Lend { attempt, purpose } => {
                let rows = self.tx.vms()?;
                // Asked again, a job has what it has.
                let has = rows
                    .iter()
                    .find(|row| row.attempt == Some(attempt) && row.state == VmState::Leased);
                let Some(found) = has.or_else(|| plan::lend(&rows, purpose)) else {
                    return Err(CommandError::NotFound {
                        what: "VM that is ready for",
                        name: purpose.word().to_owned(),
                    });
                };
                let mut row = found.clone();
                if row.state != VmState::Leased {
                    row.attempt = Some(attempt);
                    self.put_vm(row.clone(), VmState::Leased)?;
                }
                row.id
            }
            VmCommand::Release(attempt) => self.release_vm(attempt)?,
            VmCommand::End { vm, why } => {
                if let Some(mut row) = self.tx.vm(vm)?
                    && row.state != VmState::Ending
                {
                    row.why = why;
                    self.put_vm(row, VmState::Ending)?;
                }
                vm
            }
            VmCommand::Destroy(vm) => {
                let Some(mut row) = self.tx.vm(vm)? else {
                    return Err(unknown(vm));
                };
                if let (VmState::Leased, Some(attempt)) = (row.state, row.attempt) {
                    return Err(CommandError::Conflict {
                        what: "VM",
                        name: vm.to_string(),
                        why: format!("has a job: `roundel stop {attempt}` ends that first"),
                    });
                }
                if row.state != VmState::Ending {
                    row.why = format!("destroyed by {}", actor.name);
                    self.put_vm(row, VmState::Ending)?;
                }
                vm
            }
            VmCommand::Forget(vm) => {
                self.tx.delete_vm(vm)?;
                vm
            }
        };
        self.out.touch(Topic::Nodes, vm);
        Ok(Reply::Vm { vm })
    }

    /// A job needs its VM no more. One that has none is fine.
    fn release_vm(&mut self, attempt: AttemptId) -> Result<VmId, CommandError> {
        let rows = self.tx.vms()?;
        let Some(mut row) = rows.into_iter().find(|row| row.attempt == Some(attempt)) else {
            return Err(CommandError::NotFound {
                what: "VM of the run",
                name: attempt.to_string(),
            });
        };
        let vm = row.id;
        if row.state == VmState::Leased {
            "its job is over".clone_into(&mut row.why);
            self.put_vm(row, VmState::Ending)?;
        }
        Ok(vm)
    }

    fn put_vm(&mut self, mut row: VmRecord, state: VmState) -> Result<(), CommandError> {
        if row.state != state {
            row.state = state;
            row.since = self.now;
        }
        Ok(self.tx.set_vm(&row)?)
    }
}

fn unknown(vm: VmId) -> CommandError {
    CommandError::NotFound {
        what: "VM",
        name: vm.to_string(),
    }
}
