//! What a certificate says of itself: whose it is, who signed it, and until when it holds.

use std::net::IpAddr;

use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;
use x509_parser::x509::X509Name;

use super::Unfit;
use crate::access::Fingerprint;
use crate::clock::Timestamp;
use crate::sanitise;

/// Days before its end from which somebody should see to a new one.
pub const SOON_DAYS: i64 = 30;

/// Names that are told: a certificate may have thousands.
const NAMES_MAX: usize = 100;

const DAY_MS: i64 = 86_400_000;

/// What a certificate says of itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Facts {
    /// Its first name.
    pub name: String,
    /// Its names, the first hundred.
    pub names: Vec<String>,
    /// Who signed it.
    pub issuer: String,
    /// From when it holds.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// What clients know it by.
    pub fingerprint: Fingerprint,
    /// Certificates that are sent with it, itself too.
    pub sent: usize,
}

impl Facts {
    /// Reads the first certificate of a chain.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn of(der: &[u8], sent: usize) -> Result<Self, Unfit> {
        let (_, read) =
            X509Certificate::from_der(der).map_err(|err| Unfit::Unreadable(err.to_string()))?;
        let mut names: Vec<String> = Vec::new();
        if let Ok(Some(found)) = read.subject_alternative_name() {
            let all = found.value.general_names.iter();
            names.extend(all.filter_map(general).take(NAMES_MAX));
        }
        let common = common_name(read.subject());
        let name = names.first().cloned().or(common);
        Ok(Self {
            name: name.unwrap_or_else(|| "no name".to_owned()),
            names,
            issuer: common_name(read.issuer())
                .unwrap_or_else(|| sanitise::line(&read.issuer().to_string()).into_owned()),
            from: moment(read.validity().not_before.timestamp()),
            until: moment(read.validity().not_after.timestamp()),
            fingerprint: Fingerprint::of(der),
            sent,
        })
    }

    /// Of the first certificate of a text in PEM, where there is one that can be read.
    #[must_use]
    pub fn of_pem(text: &str) -> Option<Self> {
        let chain = CertificateDer::pem_slice_iter(text.as_bytes());
        let chain: Vec<_> = chain.collect::<Result<_, _>>().ok()?;
        Self::of(chain.first()?, chain.len()).ok()
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

fn moment(seconds: i64) -> Timestamp {
    Timestamp(seconds.saturating_mul(1000))
}

/// A name of somebody else's making, fit for a screen.
fn general(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some(sanitise::line(name).into_owned()),
        GeneralName::IPAddress(bytes) => {
            let four = <[u8; 4]>::try_from(*bytes).map(IpAddr::from);
            let address = four.or_else(|_| <[u8; 16]>::try_from(*bytes).map(IpAddr::from));
            Some(address.ok()?.to_string())
        }
        _ => None,
    }
}

fn common_name(name: &X509Name<'_>) -> Option<String> {
    let text = name.iter_common_name().next()?.as_str().ok()?;
    (!text.is_empty()).then(|| sanitise::line(text).into_owned())
}
