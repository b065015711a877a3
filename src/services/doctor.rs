//! What is wrong with an installation: looked at from outside, with or without a server, changing nothing.
//!
//! Each check says what it saw and what to do. Whether the server itself answers is asked by who has a client.

use std::path::{Path, PathBuf};

use crate::api::doctor::Check;
use crate::containers;

mod data;
mod machine;

pub use data::holder;

/// What is to be looked at.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The data directory; need not be there.
    pub data: PathBuf,
    /// Where the server listens besides its socket, or is to.
    pub addresses: Vec<String>,
    /// Sockets where a container engine is looked for.
    pub engines: Vec<PathBuf>,
}

/// Looks at the data directory, what is in it, and the machine.
pub async fn examine(subject: &Subject) -> Vec<Check> {
    let (data, addresses) = (subject.data.clone(), subject.addresses.clone());
    let looked = tokio::task::spawn_blocking(move || {
        let mut checks = data::checks(&data);
        checks.extend(machine::checks(&data, &addresses));
        checks
    });
    // A panic has been told by its own hook; what is left is still worth telling.
    let mut checks = looked.await.unwrap_or_default();
    checks.push(machine::engine(
        containers::find(&subject.engines).await.as_ref(),
    ));
    checks
}

/// `512 MiB`, `59.3 GiB`.
fn size(bytes: u64) -> String {
    match bytes >> 20 {
        mib @ 0..1024 => format!("{mib} MiB"),
        mib => format!("{}.{} GiB", mib >> 10, ((mib & 1023) * 10) >> 10),
    }
}

/// A path as people can type it.
fn shown(path: &Path) -> String {
    crate::sanitise::shell_word(&path.display().to_string())
}
