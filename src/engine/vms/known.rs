//! What the pool remembers while the server runs, what it is started with, and how it says that it stands.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::error::Kind;
use crate::ids::{AttemptId, VmId};
use crate::services::vm::ec2::Ec2;
use crate::services::vm::ssh::Places;
use crate::services::vm::{CYCLE, Purpose};
use crate::settings::value::Values;

/// What is known of the VMs outside of the settings.
#[derive(Clone, Debug)]
pub struct VmsOptions {
    /// The data directory.
    pub data: PathBuf,
    /// Where instances are said to be, by a test.
    pub places: Places,
    /// The longest wait for a job; [`CYCLE`] unless a test says otherwise.
    pub cycle: Duration,
}

impl VmsOptions {
    /// As it is without a test.
    #[must_use]
    pub fn usual(data: PathBuf) -> Self {
        Self {
            data,
            places: Places::default(),
            cycle: CYCLE,
        }
    }
}

/// How the pool stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VmsStand {
    /// When the last look ended at which the provider said all.
    pub looked: Option<Timestamp>,
    /// Why the last look or call failed, when it did.
    pub failure: Option<String>,
    /// The setting at fault, where one is.
    pub field: Option<&'static str>,
    /// Since when nothing has gone well, when something failed.
    pub failing_since: Option<Timestamp>,
    /// Jobs that wait for a VM.
    pub waiting: usize,
    /// There is something to look after.
    pub busy: bool,
}

/// After a call that failed none is made for a while.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hold {
    pub(super) until: Timestamp,
    pub(super) wait: Duration,
}

/// The first wait after a call that failed; it doubles.
pub(super) const HOLD: Duration = Duration::from_secs(5);
/// The longest wait after calls that failed.
pub(super) const HOLD_MAX: Duration = Duration::from_secs(300);

/// Providers by region, made with certain values.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) values: Option<Arc<Values>>,
    pub(super) providers: BTreeMap<String, Arc<Ec2>>,
}

/// What is remembered only while the server runs.
#[derive(Debug, Default)]
pub(super) struct Now {
    pub(super) busy: BTreeSet<VmId>,
    pub(super) quiet: BTreeMap<VmId, u32>,
    pub(super) holds: BTreeMap<Purpose, Hold>,
    pub(super) waiting: BTreeMap<AttemptId, Waiting>,
    /// Attempts that have a VM, as far as is known.
    pub(super) lent: BTreeSet<AttemptId>,
    pub(super) refused: Option<Refusal>,
    pub(super) stand: VmsStand,
}

/// A job that waits for a VM.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waiting {
    pub(super) purpose: Purpose,
    pub(super) since: Timestamp,
    /// How many ask for it now.
    pub(super) asks: u32,
    /// Nobody asks any more: until when it counts all the same.
    pub(super) until: Timestamp,
}

/// What the provider will not do before somebody changes something.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) at: Timestamp,
    pub(super) why: String,
    pub(super) kind: Kind,
    pub(super) hint: Option<String>,
}
