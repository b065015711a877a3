//! What a certificate says of itself: whose it is, who signed it, and until when it holds.

use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;

use super::Unfit;
use crate::access::Fingerprint;
use crate::certificates::{Certificate, SOON_DAYS};
use crate::clock::Timestamp;

const DAY_MS: i64 = 86_400_000;

/// What a certificate says of itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Facts {
    /// Its first name.
    pub name: String,
    /// Who signed it.
    pub issuer: String,
    /// From when it holds.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// What clients know it by.
    pub fingerprint: Fingerprint,
}

impl Facts {
    /// Reads a certificate.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn of(der: &[u8]) -> Result<Self, Unfit> {
        let read = Certificate::read(der).map_err(|err| Unfit::Unreadable(err.to_string()))?;
        let first = read.names().first().map(ToString::to_string);
        let name = first.or_else(|| read.common_name().map(str::to_owned));
        Ok(Self {
            name: name.unwrap_or_else(|| "no name".to_owned()),
            issuer: read.issuer_called().to_owned(),
            from: read.not_before(),
            until: read.not_after(),
            fingerprint: Fingerprint::of(der),
        })
    }

    /// Of the first certificate of a text in PEM, where there is one that can be read.
    #[must_use]
    pub fn of_pem(text: &str) -> Option<Self> {
        let chain = CertificateDer::pem_slice_iter(text.as_bytes());
        let chain: Vec<_> = chain.collect::<Result<_, _>>().ok()?;
        Self::of(chain.first()?).ok()
    }

    /// Whether an authority should be asked for the next one: in the last third of its time, and not before somebody
    /// is told of its end.
    #[must_use]
    pub fn renewal_due(&self, now: Timestamp) -> bool {
        let third = (self.until.0 - self.from.0) / 3;
        self.until.0 - now.0 < third.min(SOON_DAYS * DAY_MS)
    }

    /// Whole days until its end; below 0 once it is over.
    #[must_use]
    pub fn days_left(&self, now: Timestamp) -> i64 {
        (self.until.0 - now.0).div_euclid(DAY_MS)
    }

    /// Whether somebody should see to a new one.
    #[must_use]
    pub fn ends_soon(&self, now: Timestamp) -> bool {
        self.days_left(now) < SOON_DAYS
    }
}
