//! A certificate that its own key signs: for trying things out, and behind a load balancer that holds the real one.

use std::net::IpAddr;
use std::time::Duration;

use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, date_time_ymd,
};

use super::TlsError;
use crate::clock::Timestamp;
use crate::secret::Secret;

/// Longest that one may hold, in days.
pub const DAYS_MAX: u32 = 3_650;

/// How long one holds unless somebody says otherwise, in days.
pub const DAYS: u32 = 365;

/// Longest common name (RFC 5280, upper bounds).
const COMMON_NAME_MAX: usize = 64;

/// A day.
const DAY: Duration = Duration::from_secs(86_400);

/// A certificate and its key.
#[derive(Debug)]
pub struct Made {
    /// In PEM.
    pub certificate: String,
    /// In PEM, PKCS#8.
    pub key: Secret,
}

/// Makes a key on P-256 and a certificate for these hosts, which holds from now on for so many days.
///
/// # Errors
/// When one is no host, and when the kernel has no randomness.
pub fn self_signed(hosts: &[String], days: u32, now: Timestamp) -> Result<Made, TlsError> {
    let mut params = CertificateParams::new(hosts.to_vec())?;
    let mut name = DistinguishedName::new();
    if let Some(first) = hosts.iter().find(|host| host.len() <= COMMON_NAME_MAX) {
        name.push(DnType::CommonName, first.as_str());
    }
    params.distinguished_name = name;
    let start = u64::try_from(now.0 / 1000).unwrap_or(0);
    params.not_before = date_time_ymd(1970, 1, 1) + Duration::from_secs(start);
    params.not_after = params.not_before + DAY * days.clamp(1, DAYS_MAX);
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let certificate = params.self_signed(&key)?;
    Ok(Made {
        certificate: certificate.pem(),
        key: Secret::new(key.serialize_pem()),
    })
}

/// Whether a certificate can be made for it.
#[must_use]
pub fn is_host(host: &str) -> bool {
    host.parse::<IpAddr>().is_ok()
        || rustls::pki_types::DnsName::try_from(host.strip_prefix("*.").unwrap_or(host)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificates::{Front, Question, Verdict, look};

    #[test]
    fn what_is_made_passes_the_look_but_for_who_signed_it() {
        let now = Timestamp(1_800_000_000_000);
        let hosts = ["ci.example.com".to_owned(), "192.0.2.7".to_owned()];
        let made = self_signed(&hosts, 90, now).unwrap();
        assert!(!format!("{made:?}").contains("PRIVATE"));
        for host in ["ci.example.com", "192.0.2.7"] {
            let question = Question {
                certificate: made.certificate.as_bytes(),
                key: Some(made.key.expose().as_bytes()),
                host: Some(host),
                front: Front::Direct,
                now: Some(now),
                trusted: Some(&[]),
            };
            let look = look(&question);
            let unwell: Vec<_> = look
                .findings
                .iter()
                .filter(|one| one.verdict != Verdict::Ok)
                .collect();
            assert_eq!(unwell.len(), 1, "{unwell:?}");
            assert_eq!(
                (unwell[0].step, unwell[0].verdict),
                ("issuers", Verdict::Warning)
            );
            let left = look
                .findings
                .iter()
                .find(|one| one.step == "validity")
                .unwrap();
            assert!(left.found.ends_with("90 days left"), "{left:?}");
        }
    }

    #[test]
    fn hosts_are_told_from_what_is_none() {
        for host in [
            "ci.example.com",
            "*.example.com",
            "192.0.2.7",
            "2001:db8::1",
            "ci",
        ] {
            assert!(is_host(host), "{host}");
        }
        for bad in ["", "a b", "https://ci", "*.", "é.example.com"] {
            assert!(!is_host(bad), "{bad}");
        }
    }
}
