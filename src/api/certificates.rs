//! Certificates on the wire: what people are shown of one before they trust it.

use serde::{Deserialize, Serialize};

use super::doctor::Verdict;
use super::trial::Step;
use crate::clock::Timestamp;

/// A certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// SHA-256 of its DER form: `sha256:` and 64 hex digits.
    pub sha256: String,
    /// Whose it is.
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
    /// The names and addresses that it is for.
    pub names: Vec<String>,
    /// From when on it holds.
    pub not_before: Timestamp,
    /// Until when.
    pub not_after: Timestamp,
    /// Of which sort its key is, in words.
    pub key: String,
    /// It is an authority's.
    pub authority: bool,
    /// Its own key signed it.
    pub self_signed: bool,
}

/// What a look at a certificate and its key came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verified {
    /// The worst of the steps.
    pub verdict: Verdict,
    /// Each step.
    pub steps: Vec<Step>,
    /// The server's certificate, then who signed each.
    pub chain: Vec<Shown>,
}
