//! Which names a certificate is for: as browsers and rustls see it (RFC 9525), not as openssl does without being asked.

use std::fmt;
use std::net::IpAddr;

/// A name that a certificate is for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Name {
    /// A host, or `*.` and a domain, as it is written.
    Dns(String),
    /// An address.
    Address(IpAddr),
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Name::Dns(name) => f.write_str(name),
            Name::Address(address) => address.fmt(f),
        }
    }
}

impl Name {
    /// Whether it is for this host.
    #[must_use]
    pub fn is_for(&self, host: &str) -> bool {
        match (self, host.parse::<IpAddr>()) {
            (Name::Address(address), Ok(host)) => *address == host,
            (Name::Dns(pattern), Err(_)) => matches(pattern, host),
            _ => false,
        }
    }
}

/// Whether a name, or one with `*` in place of its first part, stands for a host.
///
/// The asterisk is the whole first part and stands for one part alone; what follows it has a dot, so that `*.com` is nothing.
pub(super) fn matches(pattern: &str, host: &str) -> bool {
    let clean = |name: &str| name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    let (pattern, host) = (clean(pattern), clean(host));
    let Some(domain) = pattern.strip_prefix("*.") else {
        return !pattern.contains('*') && pattern == host && !host.is_empty();
    };
    host.split_once('.')
        .is_some_and(|(first, rest)| !first.is_empty() && rest == domain)
        && domain.contains('.')
        && !domain.contains('*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_stands_for_one_part() {
        for (pattern, host, right) in [
            ("ci.example.com", "ci.example.com", true),
            ("CI.example.com", "ci.EXAMPLE.com.", true),
            ("*.example.com", "ci.example.com", true),
            ("*.example.com", "a.ci.example.com", false),
            ("*.example.com", "example.com", false),
            ("*.example.com", ".example.com", false),
            ("*.com", "example.com", false),
            ("*", "ci", false),
            ("c*.example.com", "ci.example.com", false),
            ("*.*.com", "ci.example.com", false),
            ("", "", false),
        ] {
            assert_eq!(matches(pattern, host), right, "{pattern} {host}");
        }
    }

    #[test]
    fn an_address_is_no_name() {
        let address = Name::Address("192.0.2.7".parse().unwrap());
        assert!(address.is_for("192.0.2.7") && !address.is_for("192.0.2.8"));
        assert!(!Name::Dns("192.0.2.7".to_owned()).is_for("192.0.2.7"));
        let six = Name::Address("2001:db8::1".parse().unwrap());
        assert!(six.is_for("2001:db8:0::1") && !six.is_for("ci.example.com"));
    }
}
