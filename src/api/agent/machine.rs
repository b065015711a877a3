//! The machine of a job that is reached by SSH: a guest that the agent starts, or one that the server lends.
//!
//! No key is in the task: the agent makes one for its guest, and is told that of a lent machine when it asks with the
//! attempt's token.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::RunAs;
use crate::secret::Secret;

/// What a job in a machine of its own needs besides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vm {
    /// A guest of this machine; `None` = the server lends one, told at `GET /attempts/{id}/machine`.
    #[serde(default)]
    pub guest: Option<Guest>,
    /// Seconds that it may take until it answers by SSH, counted from when there is an address.
    pub ssh_timeout_s: u64,
}

/// A guest that QEMU runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guest {
    /// A disk image, or a directory with `vmlinuz`, `initrd` and perhaps `cmdline` and `disk`. Never written to.
    pub image: PathBuf,
    /// Memory in MiB.
    pub memory_mb: u32,
    /// Processors.
    pub cpus: u32,
    /// Who the steps run as, inside.
    pub user: String,
    /// Whether it reaches the network.
    pub network: bool,
    /// By QEMU's own emulation even where the kernel could do it.
    pub emulate: bool,
    /// Who QEMU itself runs as; `None` = as the agent.
    #[serde(default)]
    pub run_as: Option<RunAs>,
}

/// Answer to `GET /attempts/{id}/machine`, which may take some seconds; an agent that gets none asks again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Lending {
    /// The machine, once there is one.
    pub machine: Option<LentMachine>,
    /// What it still waits for, in words.
    #[serde(default)]
    pub waits: String,
}

/// A machine that the server lends to one attempt.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LentMachine {
    /// What it is called: the id of the instance.
    pub name: String,
    /// Host name or address.
    pub address: String,
    /// Port of its SSH server.
    pub port: u16,
    /// Who to be there.
    pub user: String,
    /// Key that opens it, in OpenSSH's form or PEM.
    #[serde(serialize_with = "Secret::reveal")]
    pub private_key: Secret,
    /// Its host key as in `known_hosts`, type and base64, where that is known before.
    #[serde(default)]
    pub host_key: Option<String>,
}
