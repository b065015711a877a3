//! What the values of settings are looked at for: shapes of hosts, addresses, names of directories and clouds.
//!
//! Each rule says all that is wrong with one value. Nothing is looked up: a rule knows no network and no file.

use std::net::IpAddr;

use super::check::Fault;
use super::value::{Value, Values};
use crate::certificates::{Finding, Look, Of, Question, Verdict, look};

/// Longest host name, in characters (RFC 1035 §2.3.4).
const HOST_MAX: usize = 253;
/// Longest label of one, in characters.
const LABEL_MAX: usize = 63;
/// Longest name of an account, in characters (useradd(8)).
const ACCOUNT_MAX: usize = 32;

/// A host name or an IP address: nothing before and nothing after it.
pub(super) fn host(value: &Value, _: &Values) -> Vec<Fault> {
    faults(host_fault(value.text()))
}

/// What is wrong with a host.
pub(super) fn host_fault(text: &str) -> Option<Fault> {
    if text.contains("://") {
        return Some(Fault::error("has a scheme").fix("only the name, without `https://`"));
    }
    if text.contains('/') {
        return Some(Fault::error("has a path").fix("only the name"));
    }
    if text.parse::<IpAddr>().is_ok() {
        return None;
    }
    if text
        .rsplit_once(':')
        .is_some_and(|(_, port)| port.parse::<u16>().is_ok())
    {
        return Some(Fault::error("has a port").fix("only the name"));
    }
    let name = text.strip_suffix('.').unwrap_or(text);
    let is_label = |label: &str| {
        (1..=LABEL_MAX).contains(&label.len())
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let looks_like_address = name.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if name.len() > HOST_MAX || looks_like_address || !name.split('.').all(is_label) {
        return Some(
            Fault::error("is no host name")
                .fix("letters, digits and `-`, with dots between the parts"),
        );
    }
    None
}

/// What is wrong with a `host:port`.
fn host_port_fault(text: &str) -> Option<Fault> {
    let Some((host, port)) = text.rsplit_once(':') else {
        return Some(Fault::error("has no port").fix("write it as `host:port`"));
    };
    if !port.parse::<u16>().is_ok_and(|port| port > 0) {
        return Some(Fault::error("has no port from 1 to 65535").fix("write it as `host:port`"));
    }
    host_fault(host.trim_start_matches('[').trim_end_matches(']'))
}

/// Each a `host:port`.
pub(super) fn host_ports(value: &Value, _: &Values) -> Vec<Fault> {
    each(value, host_port_fault)
}

/// A distinguished name (RFC 4514): parts with `=`, commas between them.
pub(super) fn dn(value: &Value, _: &Values) -> Vec<Fault> {
    faults(dn_fault(value.text()))
}

pub(super) fn dn_fault(text: &str) -> Option<Fault> {
    let bad = || {
        Some(
            Fault::error("is no distinguished name")
                .fix("write it as `ou=people,dc=example,dc=com`"),
        )
    };
    for part in dn_parts(text) {
        let Some((attribute, name)) = part.split_once('=') else {
            return bad();
        };
        if !is_attribute(attribute.trim()) || name.trim().is_empty() {
            return bad();
        }
    }
    None
}

/// The parts of a distinguished name, outermost last; a comma after `\` does not part.
pub(super) fn dn_parts(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut escaped = false;
    for c in text.chars() {
        match c {
            ',' if !escaped => {
                parts.push(String::new());
                continue;
            }
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
        if let Some(part) = parts.last_mut() {
            part.push(c);
        }
    }
    parts.iter().map(|part| part.trim().to_owned()).collect()
}

/// Whether an entry is one or below it, by how both are written.
pub(crate) fn is_below(dn: &str, base: &str) -> bool {
    let (mut parts, base) = (dn_parts(dn), dn_parts(base));
    let tail = parts.split_off(parts.len().saturating_sub(base.len()));
    let same = |(a, b): (&String, &String)| a.to_lowercase() == b.to_lowercase();
    tail.len() == base.len() && tail.iter().zip(&base).all(same)
}

/// The name of a directory's attribute or class (RFC 4512 §1.4), or an object identifier.
pub(super) fn attribute(value: &Value, _: &Values) -> Vec<Fault> {
    let wrong = !is_attribute(value.text());
    faults(wrong.then(|| {
        Fault::error("is no name of an attribute").fix("letters, digits and `-`, a letter first")
    }))
}

/// Whether a text is such a name.
pub(crate) fn is_attribute(text: &str) -> bool {
    let name = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let oid = text.starts_with(|c: char| c.is_ascii_digit())
        && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    name || oid
}

/// A word without blanks.
pub(super) fn word(value: &Value, _: &Values) -> Vec<Fault> {
    let wrong = value.text().contains(char::is_whitespace);
    faults(wrong.then(|| Fault::error("holds a blank")))
}

/// `http://host[:port]` or with `https`, no path.
pub(super) fn url_of_host(value: &Value, _: &Values) -> Vec<Fault> {
    faults(url_fault(value.text()))
}

fn url_fault(text: &str) -> Option<Fault> {
    const SCHEMES: [&str; 2] = ["http", "https"];
    let Some((scheme, rest)) = text.split_once("://") else {
        return Some(Fault::error("has no scheme").fix("write it as `https://host`"));
    };
    if !SCHEMES.contains(&scheme) {
        return Some(Fault::error(format!(
            "has the scheme `{scheme}`, which is not one of {}",
            SCHEMES.join(", ")
        )));
    }
    let authority = rest.strip_suffix('/').unwrap_or(rest);
    if authority.contains(['/', '?', '#']) {
        return Some(Fault::error("has a path").fix("only scheme and host"));
    }
    match authority.rsplit_once(':') {
        Some((_, port)) if port.parse::<u16>().is_ok() => host_port_fault(authority),
        _ => host_fault(authority),
    }
}

/// A region of AWS, as `eu-central-1`.
pub(super) fn region(value: &Value, _: &Values) -> Vec<Fault> {
    let mut parts = value.text().split('-');
    let continent = parts.next().unwrap_or_default();
    let rest: Vec<&str> = parts.collect();
    let lower = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase());
    let right = continent.len() == 2
        && lower(continent)
        && rest.len() >= 2
        && rest[..rest.len() - 1].iter().all(|part| lower(part))
        && rest[rest.len() - 1].bytes().all(|b| b.is_ascii_digit())
        && !rest[rest.len() - 1].is_empty();
    faults((!right).then(|| Fault::error("is no region").fix("write it as `eu-central-1`")))
}

/// An id of EC2: the prefix, then 8 or 17 hexadecimal digits.
fn aws_id(text: &str, prefix: &str, what: &str) -> Vec<Fault> {
    let right = text
        .strip_prefix(prefix)
        .is_some_and(|rest| [8, 17].contains(&rest.len()) && is_hex(rest));
    faults((!right).then(|| {
        Fault::error(format!("is no id of {what}")).fix(format!(
            "`{prefix}` and 8 or 17 hexadecimal digits, as the AWS console shows it"
        ))
    }))
}

/// `subnet-0123abcd`.
pub(super) fn subnet(value: &Value, _: &Values) -> Vec<Fault> {
    aws_id(value.text(), "subnet-", "a subnet")
}

/// `sg-0123abcd`.
pub(super) fn security_group(value: &Value, _: &Values) -> Vec<Fault> {
    aws_id(value.text(), "sg-", "a security group")
}

/// `ami-0123abcd`.
pub(super) fn image(value: &Value, _: &Values) -> Vec<Fault> {
    aws_id(value.text(), "ami-", "a machine image")
}

/// `t2.medium`.
pub(super) fn instance_type(value: &Value, _: &Values) -> Vec<Fault> {
    let right = value.text().split_once('.').is_some_and(|(family, size)| {
        let is_word = |word: &str| {
            !word.is_empty()
                && word
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        is_word(family) && is_word(size)
    });
    faults((!right).then(|| Fault::error("is no instance type").fix("write it as `t2.medium`")))
}

/// 16 to 128 letters, digits and `_`.
pub(super) fn access_key_id(value: &Value, _: &Values) -> Vec<Fault> {
    let text = value.text();
    let right = (16..=128).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    faults((!right).then(|| {
        Fault::error("is no access key id").fix("16 to 128 letters and digits, often `AKIA...`")
    }))
}

/// A bucket of S3.
pub(super) fn bucket(value: &Value, _: &Values) -> Vec<Fault> {
    let text = value.text();
    let outer = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    let right = (3..=63).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.')
        && outer(text.chars().next())
        && outer(text.chars().last())
        && !text.contains("..")
        && text.parse::<IpAddr>().is_err();
    faults((!right).then(|| {
        Fault::error("is no name of a bucket")
            .fix("3 to 63 lower-case letters, digits, `.` and `-`, a letter or digit at both ends")
    }))
}

/// An absolute path without `..`.
pub(super) fn absolute_path(value: &Value, _: &Values) -> Vec<Fault> {
    let text = value.text();
    let path = std::path::Path::new(text);
    let climbs = path
        .components()
        .any(|part| part == std::path::Component::ParentDir);
    faults(if !path.is_absolute() {
        Some(Fault::error("is no absolute path"))
    } else if climbs {
        Some(Fault::error("has `..` in it"))
    } else {
        None
    })
}

/// The name of an account, as useradd takes it.
pub(super) fn account(value: &Value, _: &Values) -> Vec<Fault> {
    let text = value.text();
    let first = |c: char| c.is_ascii_lowercase() || c == '_';
    let right = text.len() <= ACCOUNT_MAX
        && text.starts_with(first)
        && text
            .chars()
            .all(|c| first(c) || c.is_ascii_digit() || c == '-');
    faults((!right).then(|| {
        Fault::error("is no name of an account")
            .fix("lower-case letters, digits, `_` and `-`, beginning with a letter or `_`")
    }))
}

/// The size of a heap: `512m`, `2g`.
pub(super) fn heap(value: &Value, _: &Values) -> Vec<Fault> {
    let text = value.text();
    let number = text.strip_suffix(['k', 'm', 'g']).unwrap_or_default();
    let right = number.parse::<u32>().is_ok_and(|number| number > 0);
    faults((!right).then(|| Fault::error("is no size of a heap").fix("write it as `2g` or `512m`")))
}

/// A value of so many hexadecimal digits, which another service may change at any time.
pub(super) fn expect_hex(text: &str, digits: usize) -> Option<Fault> {
    (text.len() != digits || !is_hex(text)).then(|| {
        Fault::warning(format!(
            "is not {digits} hexadecimal digits, as those of GitHub were"
        ))
        .fix("compare it with what GitHub shows")
    })
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// A rule over each item of a list; the fault names the item.
pub(super) fn each(value: &Value, fault: impl Fn(&str) -> Option<Fault>) -> Vec<Fault> {
    let Value::List(items) = value else {
        return Vec::new();
    };
    items
        .iter()
        .filter_map(|item| {
            let found = fault(item)?;
            Some(Fault {
                message: format!("has `{item}`, which {}", found.message),
                ..found
            })
        })
        .collect()
}

/// What a look at certificates has against a setting; `of` says which of its findings are about it. A file that is not
/// what it should be, and a key that is not that of the certificate, are errors, for nothing can be served with them; all else is
/// worth knowing.
pub(super) fn looked(look: &Look, of: fn(Of) -> bool) -> Vec<Fault> {
    let unwell = look
        .findings
        .iter()
        .filter(|finding| of(finding.of) && finding.verdict != Verdict::Ok);
    let fault = |finding: &Finding| {
        let message = match finding.step {
            "certificate file" | "key file" => finding.found.clone(),
            step => format!("{step}: {}", finding.found),
        };
        let fault = match finding.hard && finding.verdict == Verdict::Failed {
            true => Fault::error(message),
            false => Fault::warning(message),
        };
        Fault {
            fix: finding.fix.clone(),
            ..fault
        }
    };
    unwell.map(fault).collect()
}

/// None or one.
pub(super) fn faults(fault: Option<Fault>) -> Vec<Fault> {
    fault.into_iter().collect()
}

/// A chain by itself, whatever key and name belong to it.
pub(super) fn certificate(value: &Value, _: &Values) -> Vec<Fault> {
    let question = Question {
        certificate: value.text().as_bytes(),
        ..Question::default()
    };
    looked(&look(&question), |of| of != Of::Key)
}

/// The key of a certificate.
pub(super) fn key_of(value: &Value, certificate: &str) -> Vec<Fault> {
    if *value == Value::Locked {
        return Vec::new();
    }
    let question = Question {
        certificate: certificate.as_bytes(),
        key: Some(value.text().as_bytes()),
        ..Question::default()
    };
    looked(&look(&question), |of| of == Of::Key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::check::Severity;

    /// What the rule says first of each text; empty for nothing.
    fn said(rule: fn(&Value, &Values) -> Vec<Fault>, text: &str) -> String {
        rule(&Value::Text(text.to_owned()), &Values::default())
            .first()
            .map(|fault| fault.message.clone())
            .unwrap_or_default()
    }

    #[test]
    fn a_key_is_that_of_its_certificate() {
        let made = || rcgen::generate_simple_self_signed(["ci.example.com".to_owned()]).unwrap();
        let (one, two) = (made(), made());
        let key = Value::Secret(crate::secret::Secret::new(one.signing_key.serialize_pem()));
        for (certificate, errors) in [(String::new(), 0), (one.cert.pem(), 0), (two.cert.pem(), 1)]
        {
            let faults = key_of(&key, &certificate);
            let wrong = faults.iter().filter(|one| one.severity == Severity::Error);
            assert_eq!(wrong.count(), errors, "{faults:?}");
        }
    }

    #[test]
    fn a_list_names_the_item_that_is_wrong() {
        let list =
            |items: &[&str]| Value::List(items.iter().map(|&item| item.to_owned()).collect());
        let right = list(&["nomad.example.com:4647", "[2001:db8::1]:4647"]);
        assert_eq!(host_ports(&right, &Values::default()), []);
        let wrong = list(&[
            "a.example.com:4647",
            "b.example.com",
            "c.example.com:0",
            ":4647",
        ]);
        let faults = host_ports(&wrong, &Values::default());
        let said: Vec<&str> = faults.iter().map(|fault| fault.message.as_str()).collect();
        assert_eq!(said.len(), 3, "{said:?}");
        assert!(said[0].starts_with("has `b.example.com`"), "{said:?}");
    }

    #[test]
    fn shapes_are_told_from_what_only_looks_like_them() {
        type Named = fn(&Value, &Values) -> Vec<Fault>;
        let cases: &[(Named, &[&str], &[&str])] = &[
            (
                host,
                &[
                    "ci.example.com",
                    "ci",
                    "192.0.2.7",
                    "2001:db8::1",
                    "a-b.example.com.",
                ],
                &[
                    "https://ci.example.com",
                    "ci.example.com/x",
                    "ci.example.com:443",
                    "-a.example.com",
                    "a..b",
                    "a_b",
                    "300.1.2.3",
                    "é.example.com",
                ],
            ),
            (
                dn,
                &["dc=example,dc=com", "cn=Doe\\, Jo,ou=people", "2.5.4.3=x"],
                &["example.com", "cn=", "=x", "cn=a,,dc=b", ""],
            ),
            (
                attribute,
                &["uid", "sAMAccountName", "1.2.840"],
                &["", "1a", "a b", "a)("],
            ),
            (
                region,
                &["eu-central-1", "us-gov-west-1"],
                &["europe", "eu-1", "EU-central-1", "eu-central-"],
            ),
            (
                subnet,
                &["subnet-0123abcd", "subnet-0123456789abcdef0"],
                &["subnet-xyz", "sg-0123abcd", "subnet-0123"],
            ),
            (
                instance_type,
                &["t2.medium", "u-6tb1.metal"],
                &["t2", "T2.medium", ".x"],
            ),
            (
                bucket,
                &["ci-artifacts", "a.b.c"],
                &["ab", "Upper", "-ab", "a..b", "192.0.2.7"],
            ),
            (absolute_path, &["/srv/ci"], &["srv", "/srv/../etc"]),
            (
                account,
                &["circleci", "_ci-1"],
                &["", "Ci", "1a", "-x", "a b"],
            ),
            (heap, &["2g", "512m"], &["2", "g", "2t", "0g", "-1g"]),
            (
                url_of_host,
                &["https://ci.example.com", "http://ci.example.com:8080/"],
                &[
                    "ci.example.com",
                    "ftp://ci.example.com",
                    "https://ci.example.com/x",
                ],
            ),
        ];
        for (rule, right, wrong) in cases {
            for text in *right {
                assert_eq!(said(*rule, text), "", "{text}");
            }
            for text in *wrong {
                assert_ne!(said(*rule, text), "", "{text}");
            }
        }
    }
}
