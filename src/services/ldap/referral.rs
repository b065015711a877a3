//! Referrals: the address of another server that may have what is looked for (RFC 4516).

use super::{Encryption, Endpoint};

/// Where a referral points to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Target {
    pub(super) at: Endpoint,
    /// The entry to begin at; that of the search when it says none.
    pub(super) base: Option<String>,
}

/// The server of a referral; never with less protection than the one that it came from, since the search password goes
/// there too. The error says why it is not asked, and what to do.
pub(super) fn target(url: &str, from: &Endpoint) -> Result<Target, String> {
    let no_address = || format!("`{url}` is no address of a directory: correct it there");
    let (scheme, rest) = url.split_once("://").ok_or_else(no_address)?;
    let (encryption, port) = match (scheme.to_ascii_lowercase().as_str(), from.encryption) {
        ("ldaps", _) => (Encryption::Ldaps, 636),
        ("ldap", Encryption::Ldaps) => {
            return Err(format!(
                "`{url}` would be asked without LDAPS: let it be an address with ldaps, or choose StartTLS"
            ));
        }
        ("ldap", encryption) => (encryption, 389),
        _ => return Err(no_address()),
    };
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (host, port) = match authority.rsplit_once(':') {
        // The colons of an address of IPv6 stand in brackets.
        Some((host, digits)) if !digits.contains(']') => {
            (host, digits.parse().map_err(|_| no_address())?)
        }
        _ => (authority, port),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    if host.is_empty() || host.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(no_address());
    }
    let base = path.split('?').next().unwrap_or_default();
    let base = decoded(base).ok_or_else(no_address)?;
    Ok(Target {
        at: Endpoint {
            host: host.to_owned(),
            port,
            encryption,
        },
        base: Some(base).filter(|base| !base.is_empty()),
    })
}

/// A text with its `%2C` read.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        if *first == b'%' {
            let digits = std::str::from_utf8(tail.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(encryption: Encryption) -> Endpoint {
        Endpoint {
            host: "ldap.example.com".to_owned(),
            port: 389,
            encryption,
        }
    }

    #[test]
    fn a_referral_says_where_to_ask() {
        let plain = from(Encryption::Plain);
        for (url, host, port, base) in [
            (
                "ldap://b.example.com/ou=people,dc=example,dc=com??sub",
                "b.example.com",
                389,
                Some("ou=people,dc=example,dc=com"),
            ),
            ("ldap://b.example.com:1389", "b.example.com", 1389, None),
            (
                "LDAP://[2001:db8::1]/dc=a%2Cb%20c",
                "2001:db8::1",
                389,
                Some("dc=a,b c"),
            ),
            ("ldap://[2001:db8::1]:1389/", "2001:db8::1", 1389, None),
        ] {
            let target = target(url, &plain).unwrap();
            assert_eq!(
                (target.at.host.as_str(), target.at.port),
                (host, port),
                "{url}"
            );
            assert_eq!(target.base.as_deref(), base, "{url}");
            assert_eq!(target.at.encryption, Encryption::Plain);
        }
        for bad in [
            "",
            "b.example.com",
            "http://b/",
            "ldap:///dc=x",
            "ldap://b:x/",
            "ldap://b/%2",
            "ldap://b/%zz",
            "ldap://b/%ff",
        ] {
            assert!(target(bad, &plain).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_referral_never_takes_protection_away() {
        let url = "ldap://b.example.com/";
        assert_eq!(
            target(url, &from(Encryption::StartTls))
                .unwrap()
                .at
                .encryption,
            Encryption::StartTls
        );
        assert!(target(url, &from(Encryption::Ldaps)).is_err());
        let safe = target("ldaps://b.example.com/", &from(Encryption::Plain)).unwrap();
        assert_eq!((safe.at.encryption, safe.at.port), (Encryption::Ldaps, 636));
    }
}
