//! What can be asked of the engine about VMs.

use crate::ids::{AttemptId, VmId};
use crate::services::vm::{Instance, Purpose};

/// Wishes on VMs. Most are the pool's own, which has looked at the provider.
#[derive(Clone, Debug)]
pub enum VmCommand {
    /// One is about to be asked for.
    Make(Box<NewVm>),
    /// The provider has it.
    Take {
        /// Which.
        vm: VmId,
        /// As the provider knows it.
        instance: Instance,
    },
    /// It answers SSH: it is ready for a job.
    Answers(VmId),
    /// A job needs one; asked again, it has the same one.
    Lend {
        /// The job's attempt.
        attempt: AttemptId,
        /// What for.
        purpose: Purpose,
    },
    /// A job needs its VM no more: it goes.
    Release(AttemptId),
    /// It is to go.
    End {
        /// Which.
        vm: VmId,
        /// Why, in words.
        why: String,
    },
    /// Somebody wants it gone.
    Destroy(VmId),
    /// It is gone.
    Forget(VmId),
}

/// A VM that is about to be asked for.
#[derive(Clone, Debug)]
pub struct NewVm {
    /// Ours.
    pub id: VmId,
    /// What it is for.
    pub purpose: Purpose,
    /// Where.
    pub region: String,
    /// A sum of what is asked for.
    pub shape: String,
    /// Somebody asked for it; else it is the pool's.
    pub asked: bool,
}
