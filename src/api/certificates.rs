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

/// `POST /tls/chain`: has the server look at what a host shows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FetchChain {
    /// `HOST`, `HOST:PORT` or a URL.
    pub place: String,
}

/// What a host showed; nothing of it is believed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchedChain {
    /// Which way it was reached, and why, in words: `directly: there is no proxy`.
    pub way: String,
    /// As the host shows them, its own first.
    pub certificates: Vec<Fetched>,
}

/// A certificate that a host showed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fetched {
    /// What people compare.
    #[serde(flatten)]
    pub shown: Shown,
    /// Itself.
    pub pem: String,
}

impl FetchedChain {
    /// The highest that can be trusted as an authority, where one is shown.
    #[must_use]
    pub fn highest(&self) -> Option<&Fetched> {
        let can_be = |one: &&Fetched| one.shown.authority || one.shown.self_signed;
        self.certificates.iter().rev().find(can_be)
    }
}

/// `POST /settings/trust`: authorities of `ca.certificates` more, and no more; together with what others do at the same time.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Trust {
    /// Trusted too, in PEM.
    pub add: String,
    /// Trusted no more: SHA-256 of each.
    pub remove: Vec<String>,
    /// Only staged.
    pub stage: bool,
    /// What somebody should know is known.
    pub accept_warnings: bool,
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
