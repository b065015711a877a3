//! Virtual machines for jobs: asked of a provider, kept ready, and known again after any kill.
//!
//! What is here: the provider as a trait ([`VmProvider`]) with AWS EC2 beside it ([`ec2`]), the decisions of the pool
//! ([`plan`], pure), the key that opens the machines ([`key`]), whether one answers SSH ([`ssh`]), and the test of the
//! settings ([`test()`]). The engine keeps the rows, has the decisions carried out and lends the machines to jobs; nothing
//! here knows of it.
//!
//! **Nothing is lost track of.** Each VM has a [`VmId`] of ours before anybody is asked for it. Its row is on disk before the
//! creating call; the call carries the id twice, as the tag [`TAG_VM`] and as the provider's idempotency token; and every
//! instance that carries our [`TAG_DATA`] and no row of ours is destroyed by the next sweep.

mod check;
pub mod ec2;
pub mod key;
pub mod plan;
pub mod ssh;

use std::time::Duration;

use crate::clock::Timestamp;
use crate::error::{Explain, Kind};
use crate::ids::VmId;
pub use crate::pipeline::status::{VmPurpose as Purpose, VmState};
use crate::secret::Secret;

pub use check::test;

/// Tag of every instance: the id of the data that it belongs to.
pub const TAG_DATA: &str = "roundel.data";
/// Tag of every instance: our id of it.
pub const TAG_VM: &str = "roundel.vm";
/// Tag of every instance: what it is for.
pub const TAG_PURPOSE: &str = "roundel.purpose";

/// Port of SSH, unless a test has said otherwise.
pub const SSH_PORT: u16 = 22;

/// The account that jobs use on a VM: made by cloud-init at its first start.
pub const USER: &str = "circleci";

/// How far the provider says that an instance is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InstanceState {
    /// It is being started.
    Pending,
    /// It runs.
    Running,
    /// It is being stopped or was; it costs little and is of no use.
    Stopped,
    /// It goes away by itself from here.
    Ending,
    /// It is gone.
    Gone,
}

impl InstanceState {
    /// Whether somebody has to destroy it before it is gone.
    #[must_use]
    pub fn is_there(self) -> bool {
        matches!(self, Self::Pending | Self::Running | Self::Stopped)
    }
}

/// A virtual machine as the provider knows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Instance {
    /// The provider's id.
    pub id: String,
    /// Ours, from its tag; `None` where the tag is none of ours.
    pub vm: Option<VmId>,
    /// How far it is.
    pub state: InstanceState,
    /// Address or name at which it is reached, once it has one.
    pub address: Option<String>,
    /// Port of SSH there.
    pub ssh_port: u16,
    /// When it was started.
    pub launched_at: Option<Timestamp>,
    /// What it is for, from its tag.
    pub purpose: Option<Purpose>,
}

/// A VM that a job has: how its agent reaches it. It belongs to the job alone and is destroyed after it.
#[derive(Clone, Debug)]
pub struct Lease {
    /// Ours.
    pub vm: VmId,
    /// The provider's id.
    pub instance: String,
    /// Address or name.
    pub address: String,
    /// Port of SSH.
    pub port: u16,
    /// Account.
    pub user: String,
    /// The key that opens it, in OpenSSH's form.
    pub private_key: Secret,
    /// The key by which it is known, kind and base64; `None` where a test has put something else in its place.
    pub host_key: Option<String>,
}

/// Whoever has virtual machines.
pub trait VmProvider: Send + Sync {
    /// Asks for one, tagged with `tag`. Asked again with the same `tag`, it is the same one: a lost answer makes no second.
    ///
    /// # Errors
    /// Why there is none. [`VmError::is_open`] tells whether there may be one all the same.
    ///
    /// # Cancel safety
    /// Dropped, there may be one or not, and `describe_all` tells in the end.
    fn create(
        &self,
        purpose: Purpose,
        tag: VmId,
    ) -> impl Future<Output = Result<Instance, VmError>> + Send;

    /// All that carry the tag of this data, also those that are going or gone as long as the provider tells of them. A new
    /// one may be missing for some seconds: providers are eventually consistent.
    ///
    /// # Errors
    /// When not all could be read; then nothing follows from what is missing.
    fn describe_all(&self) -> impl Future<Output = Result<Vec<Instance>, VmError>> + Send;

    /// Destroys one by the provider's id; one that is not there is fine.
    ///
    /// # Errors
    /// Why it may be there still.
    fn destroy(&self, instance: &str) -> impl Future<Output = Result<(), VmError>> + Send;
}

/// Why a provider did not do what was asked of it.
#[derive(Debug, thiserror::Error)]
pub enum VmError {
    /// A setting that is needed says nothing.
    #[error("`{key}` says nothing")]
    Unset {
        /// Its key.
        key: &'static str,
    },
    /// There are no credentials.
    #[error("there are no credentials: {why}")]
    Credentials {
        /// Why, in words.
        why: String,
        /// The setting that chooses where they come from.
        key: &'static str,
    },
    /// The provider refuses, and would again.
    #[error("{action} was refused: {message} ({code})")]
    Refused {
        /// What was asked.
        action: &'static str,
        /// The provider's word for it.
        code: String,
        /// In its words.
        message: String,
    },
    /// The provider has no room for one more now.
    #[error("the provider has no room: {message} ({code})")]
    Capacity {
        /// The provider's word for it.
        code: String,
        /// In its words.
        message: String,
    },
    /// The provider is asked too often, or fails on its side, and went on with that for as long as was tried.
    #[error("{action} did not go through in {tries} tries: {message} ({code})")]
    Busy {
        /// What was asked.
        action: &'static str,
        /// The provider's word for it.
        code: String,
        /// In its words.
        message: String,
        /// How often it was asked.
        tries: u32,
    },
    /// There was no answer.
    #[error("no answer to {action} from {endpoint}")]
    Unreachable {
        /// What was asked.
        action: &'static str,
        /// Of whom.
        endpoint: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The answer is not what the provider's interface says.
    #[error("the answer to {action} from {endpoint} {why}")]
    Unreadable {
        /// What was asked.
        action: &'static str,
        /// Of whom.
        endpoint: String,
        /// What is wrong with it, as an end of a sentence.
        why: String,
    },
    /// Connections to the outside cannot be made at all, by the settings.
    #[error("no connection can be made with these settings")]
    Outgoing(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl VmError {
    /// Whether what was asked for may have been done all the same: the answer is what is missing.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(
            self,
            VmError::Busy { .. } | VmError::Unreachable { .. } | VmError::Unreadable { .. }
        )
    }

    /// Whether asking again is of no use before somebody changes something.
    #[must_use]
    pub fn is_lasting(&self) -> bool {
        matches!(
            self,
            VmError::Unset { .. }
                | VmError::Credentials { .. }
                | VmError::Refused { .. }
                | VmError::Outgoing(_)
        )
    }

    /// The setting at fault, where one is.
    #[must_use]
    pub fn field(&self) -> Option<&'static str> {
        match self {
            VmError::Unset { key } | VmError::Credentials { key, .. } => Some(key),
            VmError::Refused { code, message, .. } => ec2::field_of(code, message),
            VmError::Capacity { .. } => Some("vm.instance_type"),
            VmError::Unreachable { .. } => Some("vm.aws_region"),
            _ => None,
        }
    }
}

impl Explain for VmError {
    fn kind(&self) -> Kind {
        match self {
            VmError::Unset { .. } | VmError::Outgoing(_) => Kind::Usage,
            VmError::Credentials { .. } => Kind::Refused,
            VmError::Refused { code, .. } => ec2::kind_of(code),
            VmError::Capacity { .. } | VmError::Busy { .. } => Kind::Unavailable,
            VmError::Unreachable { .. } | VmError::Unreadable { .. } => Kind::Infrastructure,
        }
    }

    fn hint(&self) -> Option<String> {
        let text = match self {
            VmError::Unset { key } => return Some(format!("`roundel settings set {key}=...`")),
            VmError::Credentials { key, .. } => {
                return Some(format!("look at `{key}`; `roundel vm test` tries it"));
            }
            VmError::Refused { code, message, .. } => return Some(ec2::fix_of(code, message)),
            VmError::Capacity { .. } => {
                "wait, or choose another instance type or a subnet in another zone"
            }
            VmError::Busy { .. } => "it is tried again by itself",
            VmError::Unreachable { .. } => {
                "look at the region and at the proxy: `roundel proxy test` says which way it goes"
            }
            VmError::Unreadable { .. } => "look at `vm.endpoint_url`: something else answers there",
            VmError::Outgoing(_) => "look at the proxy and at the custom CAs",
        };
        Some(text.to_owned())
    }
}

/// Longest life of a VM that waits for a job, by which it is replaced "at least daily": an hour is left for the replacement.
pub const CYCLE: Duration = Duration::from_secs(23 * 3600);
