//! Wire types of the installation as a whole: whether it takes work, and how its parts do.

use serde::{Deserialize, Serialize};

use super::Network;
use crate::clock::Timestamp;
pub use crate::pipeline::status::{Health, Phase};

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

/// `GET /services`: how the installation and the parts of the server do.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Services {
    /// Whether new work is taken.
    pub installation: Installation,
    /// The parts, in a fixed order.
    pub services: Vec<ServiceRow>,
    /// The port that the server listens on, when it does.
    #[serde(default)]
    pub network: Option<Network>,
    /// Where it listens for everybody, when it does.
    #[serde(default)]
    pub public: Option<PublicListener>,
    /// Order of the newest change this answer includes.
    pub seq: i64,
}

/// Where a server listens for everybody.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PublicListener {
    /// Addresses and ports; people are sent to the first.
    pub addresses: Vec<String>,
    /// Whether who comes without TLS is sent to where it is spoken.
    pub ssl_only: bool,
    /// Of the certificate that is served there.
    pub fingerprint: String,
}

/// `GET /health`, which stands at the root and asks for no account: 200 while builds can be taken in and recorded, else
/// 503.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthAnswer {
    /// `ok`, `failing`.
    pub status: Health,
    /// Names of the parts that keep it from its work.
    pub failing: Vec<String>,
}

/// A part of the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceRow {
    /// Its name: `engine`, `store`, `log storage`, `git mirrors`, `fleet`, `api socket`, `housekeeping`.
    pub name: String,
    /// `ok`, `slow`, `failing`.
    pub health: Health,
    /// Since when; the start of the server at the earliest.
    pub since: Timestamp,
    /// What last went wrong, since the server started; also when it does well by now.
    pub last_error: Option<LastError>,
    /// Its figures, in words.
    pub note: String,
}

/// Something that went wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastError {
    /// When.
    pub at: Timestamp,
    /// What.
    pub text: String,
}
