//! Certificates by ACME: what is ordered, and what is told while the authority is dealt with. Words of the wire only.

use serde::{Deserialize, Serialize};

use super::trial::Step;

/// `POST /tls/acme`: answered by a line of JSON for each [`AcmeTold`], as it happens.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AcmeOrder {
    /// Names that the certificate is for; those of the last order when there are none.
    pub names: Vec<String>,
    /// Where the authority is; the one of the last order when it is not said.
    pub directory: Option<String>,
    /// Where the authority may write to.
    pub email: Option<String>,
    /// Whether its terms are agreed to; asked for when an account is made there.
    pub agree_tos: bool,
    /// A DNS server to ask for the records, as `192.0.2.1:53`, in place of the system's.
    pub resolver: Option<String>,
    /// Only when the certificate that is served ends soon.
    pub if_due: bool,
}

/// What is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "told", rename_all = "snake_case")]
pub enum AcmeTold {
    /// Something was done.
    Step(Step),
    /// This record has to be in DNS; it may go when the answer has ended.
    Record(AcmeRecord),
    /// DNS does not show all of them yet.
    Waiting {
        /// Seconds that are left for it.
        left_s: u64,
    },
}

impl From<Step> for AcmeTold {
    fn from(step: Step) -> Self {
        AcmeTold::Step(step)
    }
}

/// A record that proves that a name is ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcmeRecord {
    /// Its name: `_acme-challenge.ci.example.com`.
    pub name: String,
    /// The text of the TXT record.
    pub value: String,
}

/// `POST /tls/acme/go`: the records are there, and DNS need not be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcmeGo {
    /// Whether an order waited for it.
    pub waited: bool,
}
