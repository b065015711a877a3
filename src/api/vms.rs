//! VMs of the VM provider on the wire.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
pub use crate::pipeline::status::{VmPurpose, VmState};

/// `GET /vms`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vms {
    /// What `vm.provider` is: `none`, `ec2` or `on_host`.
    pub provider: String,
    /// When the provider was last heard to say what it has.
    pub looked_at: Option<Timestamp>,
    /// What went wrong last, until something goes well.
    pub failure: Option<String>,
    /// Key of the setting at fault, where one is.
    pub field: Option<String>,
    /// Kept ready for the machine executor.
    pub kept_machine: u32,
    /// Kept ready for remote Docker.
    pub kept_remote_docker: u32,
    /// All that are there, being made or going, oldest first.
    pub vms: Vec<VmRow>,
}

/// A VM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VmRow {
    /// Ours, which the instance carries as the tag `roundel.vm`.
    pub id: String,
    /// What it is for.
    pub purpose: VmPurpose,
    /// How far it is.
    pub state: VmState,
    /// Since when it is in this state.
    pub since: Timestamp,
    /// When it was first asked for.
    pub made_at: Timestamp,
    /// Where.
    pub region: String,
    /// The provider's id, once it is known.
    pub instance: Option<String>,
    /// Where it is reached.
    pub address: Option<String>,
    /// The attempt that has it, or had.
    pub attempt: Option<String>,
    /// Who asked for it; empty when it is the pool's.
    pub asked_by: String,
    /// Why it goes, when it does.
    pub why: String,
}

/// `POST /vms`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MakeVm {
    /// Chosen by who asks, so that asking twice makes one: a UUIDv7.
    pub id: String,
    /// What it is for.
    pub purpose: VmPurpose,
}

/// Answer to a write on a VM.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct VmRef {
    /// Its id.
    pub id: String,
}
