//! What is to be done about the VMs, given what the store says of them, what the provider says, and what is wanted: pure.
//!
//! The promises, each with a property test: no instance is made without a row; every instance of ours has a row or is destroyed;
//! the pool makes no more than is preallocated and waited for; what waits for a job is replaced within a day, one after the other.
//!
//! It looks at everything anew each time and remembers nothing, so a server that was killed anywhere goes on from what is
//! there. What is missing from the provider's list means something only after [`GRACE`]: lists lag behind.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::{Instance, InstanceState, Purpose, VmState};
use crate::clock::Timestamp;
use crate::ids::{AttemptId, VmId};
use crate::settings::value::Values;
use crate::store::VmRecord;

/// A new instance may be missing from the provider's list this long, and the call of a server that was killed may still be
/// on its way. EC2's own advice is to look again for some minutes; in practice it is seconds.
pub const GRACE: Duration = Duration::from_secs(60);

/// VMs that are being created at once: EC2 lets an account make about five a second, and others share it.
const CREATING_MAX: usize = 10;

/// What the settings want.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// VMs are to be made at all.
    pub on: bool,
    /// Kept ready for jobs of the machine executor.
    pub machine: u32,
    /// Kept ready for remote Docker.
    pub remote_docker: u32,
    /// A sum of what is asked for: those of another are replaced.
    pub shape: String,
    /// Until it has to run.
    pub start_timeout: Duration,
    /// From then until it has to answer SSH.
    pub ssh_timeout: Duration,
    /// The longest job.
    pub longest: Duration,
    /// The longest wait for a job.
    pub cycle: Duration,
}

impl Policy {
    /// What these settings want of VMs of this shape.
    #[must_use]
    pub fn of(values: &Values, shape: String, cycle: Duration) -> Self {
        let count = |key: &str| u32::try_from(values.number(key)).unwrap_or(u32::MAX);
        let span = |key: &str| Duration::from_millis(values.number(key));
        Self {
            on: values.text("vm.provider") == "ec2",
            machine: count("vm.prealloc_machine"),
            remote_docker: count("vm.prealloc_remote_docker"),
            shape,
            start_timeout: span("vm.start_timeout_ms"),
            ssh_timeout: span("vm.ssh_timeout_ms"),
            longest: Duration::from_secs(3600 * values.number("vm.task_timeout_h")),
            cycle,
        }
    }

    /// How many of a purpose are kept ready.
    #[must_use]
    pub fn kept_ready(&self, purpose: Purpose) -> u32 {
        match purpose {
            Purpose::Machine => self.machine,
            Purpose::RemoteDocker => self.remote_docker,
        }
    }
}

/// All that is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// What the store says; read after `seen`, so that every instance of it had its row by then.
    pub rows: &'a [VmRecord],
    /// What the provider says; `None` when it did not say all.
    pub seen: Option<&'a [Instance]>,
    /// Those about which a call is under way: nothing is decided on them.
    pub busy: &'a BTreeSet<VmId>,
    /// Those that have not answered SSH for several looks.
    pub silent: &'a BTreeSet<VmId>,
    /// Jobs that wait for a VM.
    pub demand: &'a BTreeMap<Purpose, u32>,
    /// Attempts with a VM that are over.
    pub over: &'a BTreeSet<AttemptId>,
    /// Purposes for which none is asked for now: it failed a moment ago.
    pub held: &'a BTreeSet<Purpose>,
    /// What is wanted.
    pub policy: &'a Policy,
    /// The moment.
    pub now: Timestamp,
}

/// Something to be done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// A new VM: a row, then the call.
    Create(Purpose),
    /// The creating call once more, under the same id.
    Resume(VmId),
    /// The provider has it: its id and address are to be kept.
    Take(VmId, Instance),
    /// Does it answer SSH?
    Probe(VmId),
    /// It is to go, for this reason.
    End(VmId, String),
    /// The provider is to destroy it.
    Destroy(VmId, String),
    /// An instance of ours that belongs to nothing is to be destroyed.
    DestroyOrphan(Instance),
    /// It is gone: so is its row.
    Forget(VmId),
}

/// What is to be done now.
#[must_use]
pub fn decide(facts: &Facts<'_>) -> Vec<Action> {
    let mut plan = Plan {
        facts,
        actions: Vec::new(),
        gone: BTreeSet::new(),
    };
    plan.orphans();
    for row in facts.rows {
        if !facts.busy.contains(&row.id) {
            plan.look(row);
        }
    }
    let creating = |row: &&VmRecord| row.state == VmState::Creating;
    let mut room = CREATING_MAX.saturating_sub(facts.rows.iter().filter(creating).count());
    for purpose in Purpose::ALL {
        plan.numbers(purpose, &mut room);
    }
    plan.actions
}

/// The VM that a job is lent: of those that are ready the one that has waited longest, so that none grows old.
#[must_use]
pub fn lend(rows: &[VmRecord], purpose: Purpose) -> Option<&VmRecord> {
    rows.iter()
        .filter(|row| row.purpose == purpose && row.state == VmState::Ready)
        .filter(|row| row.attempt.is_none() && row.instance.is_some() && row.address.is_some())
        .min_by_key(|row| (row.made, row.id))
}

struct Plan<'a> {
    facts: &'a Facts<'a>,
    actions: Vec<Action>,
    /// Ended or forgotten by this plan.
    gone: BTreeSet<VmId>,
}

impl Plan<'_> {
    fn end(&mut self, row: &VmRecord, why: impl Into<String>) {
        self.gone.insert(row.id);
        self.actions.push(Action::End(row.id, why.into()));
    }

    fn forget(&mut self, row: &VmRecord) {
        self.gone.insert(row.id);
        self.actions.push(Action::Forget(row.id));
    }

    /// Instances that nobody knows, and second ones of a VM.
    fn orphans(&mut self) {
        for instance in self.facts.seen.into_iter().flatten() {
            let row = instance
                .vm
                .and_then(|vm| self.facts.rows.iter().find(|row| row.id == vm));
            let known = row.is_some_and(|row| {
                self.facts.busy.contains(&row.id)
                    || self.own(row).is_some_and(|own| own.id == instance.id)
            });
            if instance.state.is_there() && !known {
                self.actions.push(Action::DestroyOrphan(instance.clone()));
            }
        }
    }

    /// The instance of a VM: the one that is known, else the first of its tag, one that is there before others.
    fn own(&self, row: &VmRecord) -> Option<&Instance> {
        let tagged = self.facts.seen?.iter().filter(|one| one.vm == Some(row.id));
        match &row.instance {
            Some(id) => tagged.into_iter().find(|one| one.id == *id),
            None => tagged.min_by_key(|one| (!one.state.is_there(), one.launched_at, &one.id)),
        }
    }

    /// What becomes of one VM by itself.
    fn look(&mut self, row: &VmRecord) {
        let (now, policy) = (self.facts.now, self.facts.policy);
        let own = self.own(row).cloned();
        // Missing where it should be, for so long that it is not the list that lags behind.
        let missing = own.is_none() && self.facts.seen.is_some();
        let lost = missing && now.since(row.made) > GRACE;
        let stopped = own.as_ref().is_some_and(|own| {
            !matches!(own.state, InstanceState::Pending | InstanceState::Running)
        });
        match row.state {
            VmState::Creating => match own {
                Some(_) if stopped => self.end(row, "it was gone before it ran"),
                Some(own) => self.actions.push(Action::Take(row.id, own)),
                None if now.since(row.made) > policy.start_timeout => {
                    self.end(row, "the provider did not make it in time");
                }
                None if row.shape != policy.shape => self.end(row, "other ones are wanted now"),
                None if missing && policy.on && !self.facts.held.contains(&row.purpose) => {
                    self.actions.push(Action::Resume(row.id));
                }
                None => {}
            },
            VmState::Starting if stopped => self.end(row, "it stopped before it ran"),
            VmState::Starting if lost => self.forget(row),
            VmState::Starting => match own {
                Some(own) if own.state == InstanceState::Running && own.address.is_some() => {
                    self.actions.push(Action::Take(row.id, own));
                }
                _ if now.since(row.made) > policy.start_timeout => {
                    self.end(row, "it did not run in time");
                }
                _ => {}
            },
            VmState::Connecting | VmState::Ready if stopped => {
                self.end(row, "the provider stopped it");
            }
            VmState::Connecting | VmState::Ready if lost => self.forget(row),
            VmState::Connecting if now.since(row.since) > policy.ssh_timeout => {
                self.end(row, "it did not answer SSH in time");
            }
            VmState::Ready if self.facts.silent.contains(&row.id) => {
                self.end(row, "it answers SSH no more");
            }
            VmState::Connecting | VmState::Ready => match own {
                Some(own) if own.address != row.address && own.address.is_some() => {
                    self.actions.push(Action::Take(row.id, own));
                }
                _ => self.actions.push(Action::Probe(row.id)),
            },
            VmState::Leased => {
                let over = row
                    .attempt
                    .is_none_or(|attempt| self.facts.over.contains(&attempt));
                if over {
                    self.end(row, "its job is over");
                } else if now.since(row.since) > policy.longest {
                    self.end(row, "its job took longer than a job may");
                } else if stopped {
                    self.end(row, "the provider stopped it");
                } else if lost {
                    self.forget(row);
                }
            }
            VmState::Ending => match (own, &row.instance) {
                (Some(own), _) if own.state.is_there() => {
                    self.actions.push(Action::Destroy(row.id, own.id));
                }
                (Some(own), _) if own.state == InstanceState::Gone => self.forget(row),
                (Some(_), _) => {}
                (None, _) if missing && now.since(row.since) > GRACE => self.forget(row),
                (None, Some(id)) => self.actions.push(Action::Destroy(row.id, id.clone())),
                (None, None) => {}
            },
        }
    }

    /// How many of a purpose there are and should be.
    fn numbers(&mut self, purpose: Purpose, room: &mut usize) {
        let (facts, policy) = (self.facts, self.facts.policy);
        let idle = |row: &&VmRecord| {
            row.purpose == purpose && !matches!(row.state, VmState::Leased | VmState::Ending)
        };
        let all: Vec<&VmRecord> = facts.rows.iter().filter(idle).collect();
        let free = |row: &VmRecord| !facts.busy.contains(&row.id);
        let old = |row: &VmRecord| facts.now.since(row.made) > policy.cycle;
        let stale = |row: &VmRecord| row.shape != policy.shape || old(row);
        if !policy.on {
            for row in all {
                if free(row) && !self.gone.contains(&row.id) {
                    self.end(row, "the settings name no provider any more");
                }
            }
            return;
        }
        // Those that somebody asked for are besides the pool, until a job has them or they are a day old.
        for row in all.iter().filter(|row| !row.asked_by.is_empty()) {
            if free(row) && stale(row) && !self.gone.contains(&row.id) {
                self.end(row, "it waited for a day, or other ones are wanted now");
            }
        }
        let mut pool: Vec<&VmRecord> = all
            .into_iter()
            .filter(|row| row.asked_by.is_empty() && !self.gone.contains(&row.id))
            .collect();
        let demand = facts.demand.get(&purpose).copied().unwrap_or_default();
        let wanted = policy.kept_ready(purpose).saturating_add(demand) as usize;
        // Too many: those go first that are of least use, which are at the end.
        pool.sort_by_key(|row| (row.state != VmState::Ready, stale(row), row.made, row.id));
        while pool.len() > wanted {
            let Some(at) = pool.iter().rposition(|row| free(row)) else {
                break;
            };
            let row = pool.remove(at);
            self.end(row, "it is one more than is wanted");
        }
        let held = facts.held.contains(&purpose) || facts.seen.is_none();
        // One after the other, and only while others come: what is there is better than nothing.
        let calm = pool.iter().all(|row| row.state == VmState::Ready);
        if calm
            && !held
            && let Some(at) = pool.iter().position(|row| free(row) && stale(row))
        {
            let row = pool.remove(at);
            self.end(row, "it waited for a day, or other ones are wanted now");
        }
        if !held {
            let more = wanted.saturating_sub(pool.len()).min(*room);
            *room -= more;
            self.actions
                .extend(std::iter::repeat_n(Action::Create(purpose), more));
        }
    }
}

#[cfg(test)]
mod tests;
