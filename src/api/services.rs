//! Wire types of the installation as a whole: whether it takes work.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
pub use crate::pipeline::status::Phase;

/// Whether the installation takes new work. Answer to `POST /services/stop` and `POST /services/start`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installation {
    /// `started`, `stopping` (places nothing, some runs have yet to end), `stopped`.
    pub phase: Phase,
    /// Since when it takes work, or no longer takes any.
    pub since: Option<Timestamp>,
    /// By whom; `server` at the very first start.
    pub by: String,
}

impl Installation {
    /// Whether runs are placed.
    #[must_use]
    pub fn takes_work(&self) -> bool {
        self.phase == Phase::Started
    }
}
