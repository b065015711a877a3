//! A test of settings, step by step: what is asked, and what each step found. Words of the wire only.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, Serializer};

use super::doctor::Verdict;
use super::settings::Changes;
use crate::error::Kind;
use crate::secret::Secret;
use crate::settings::registry::TestId;

/// `POST /settings/test`: which test, on which values. Answered by a line of JSON for each [`Step`], as it ends.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Try {
    /// Which.
    pub test: TestId,
    /// Values that were not even staged, over those that are.
    #[serde(default)]
    pub changes: Changes,
    /// What only this test wants to know, such as the `user` and `password` to sign in with.
    #[serde(default, serialize_with = "reveal")]
    pub words: BTreeMap<String, Secret>,
}

fn reveal<S: Serializer>(
    words: &BTreeMap<String, Secret>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(words.iter().map(|(name, secret)| (name, secret.expose())))
}

/// A step of a test, ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What was tried: `connect`.
    pub name: String,
    /// How it came out.
    pub verdict: Verdict,
    /// What was seen: the evidence.
    pub found: String,
    /// What to do about it; not where all is well.
    pub fix: Option<String>,
    /// What sort of failure it is; of a failure only.
    pub kind: Option<Kind>,
    /// Key of the setting at fault, where it is one.
    pub field: Option<String>,
    /// How long it took, in milliseconds.
    pub ms: u64,
}
