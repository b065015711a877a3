//! Privacy: TLS of the public address.

use std::net::{IpAddr, SocketAddr};

use super::{Choice, Entry, Group, Kind, Restart, TestId, When, choice};
use crate::certificates::{self, Front, Look, Of, Question};
use crate::settings::check::Fault;
use crate::settings::rules;
use crate::settings::value::{Value, Values};

const BALANCERS: &[Choice] = &[
    choice("direct", "People reach this machine"),
    choice("elb", "A load balancer holds the real certificate"),
];

pub(super) const GROUP: Group = Group {
    name: "privacy",
    title: "Privacy",
    note: None,
    entries: &[
        Entry::new(
            "privacy.ssl_only",
            "SSL only (Recommended)",
            Kind::Switch,
            "The public address speaks TLS alone. The callback of the GitHub application has to begin with https then.",
        )
        .restart(Restart::Live),
        Entry::new(
            "privacy.behind",
            "In front of it",
            Kind::Choice(BALANCERS),
            "Behind a load balancer an expired or self-signed certificate is enough, as long as its name is the hostname. It passes on 80 as HTTP, 443 as SSL and 8800 as HTTPS, each to the same port here.",
        )
        .defaults(&[(When::Always, "direct")])
        .shown(When::On("privacy.ssl_only"))
        .restart(Restart::Live),
        Entry::new(
            "ssl_cert",
            "Certificate File",
            Kind::Pem,
            "The certificate, then those of its issuers in order, in PEM.",
        )
        .shown(When::On("privacy.ssl_only"))
        .required(When::Always)
        .restart(Restart::Live)
        .rule(certificate)
        .test(TestId::Tls),
        Entry::new(
            "ssl_private_key",
            "Private Key File",
            Kind::SecretPem,
            "The key of that certificate, in PEM and not encrypted.",
        )
        .shown(When::On("privacy.ssl_only"))
        .required(When::Always)
        .restart(Restart::Live)
        .rule(private_key)
        .test(TestId::Tls),
        Entry::new(
            "acme.hostnames",
            "Names at the authority",
            Kind::List,
            "Names that a certificate is ordered for by `roundel tls acme`, and renewed for by `roundel tls renew`.",
        )
        .restart(Restart::Live)
        .rule(acme_names),
        Entry::new(
            "acme.directory",
            "Authority",
            Kind::Text,
            "Where the authority is: the URL of its ACME directory.",
        )
        .defaults(&[(When::Always, "https://acme-v02.api.letsencrypt.org/directory")])
        .restart(Restart::Live)
        .rule(acme_directory),
        Entry::new(
            "acme.email",
            "Address for the authority",
            Kind::Text,
            "Where the authority may write to.",
        )
        .restart(Restart::Live),
        Entry::new(
            "acme.resolver",
            "DNS server for the proof",
            Kind::Text,
            "Asked whether the records of a proof are there, in place of the system's servers.",
        )
        .restart(Restart::Live)
        .rule(acme_resolver),
        Entry::new(
            "acme.account",
            "Account at the authority",
            Kind::Secret,
            "Made at the first order, and used by the next ones.",
        )
        .restart(Restart::Live),
    ],
};

/// All that can be seen without a clock and without knowing who is trusted; that is for the test.
fn certificate(value: &Value, values: &Values) -> Vec<Fault> {
    let key = values.get("ssl_private_key");
    let key = key
        .as_deref()
        .map(Value::text)
        .filter(|text| !text.is_empty());
    rules::looked(&look(value.text(), key, values), |of| of != Of::Key)
}

fn private_key(value: &Value, values: &Values) -> Vec<Fault> {
    if *value == Value::Locked {
        return Vec::new();
    }
    let text = value.text();
    rules::looked(&look(&values.text("ssl_cert"), Some(text), values), |of| {
        of == Of::Key
    })
}

fn look(certificate: &str, key: Option<&str>, values: &Values) -> Look {
    let host = values.text("hostname");
    certificates::look(&Question {
        certificate: certificate.as_bytes(),
        key: key.map(str::as_bytes),
        host: (!host.is_empty()).then_some(host.as_str()),
        front: match values.text("privacy.behind").as_str() {
            "elb" => Front::Balancer,
            _ => Front::Direct,
        },
        now: None,
        trusted: None,
    })
}

/// Names that an authority can be asked for.
fn acme_names(value: &Value, _: &Values) -> Vec<Fault> {
    let Value::List(names) = value else {
        return Vec::new();
    };
    let wrong = names.iter().filter_map(|name| {
        let host = name.strip_prefix("*.").unwrap_or(name);
        let fault = rules::host_fault(host);
        let fault = fault.or_else(|| {
            let address = host.parse::<IpAddr>().is_ok();
            address.then(|| Fault::error("is an address").fix("names can be proved by DNS"))
        })?;
        Some(Fault {
            message: format!("holds `{name}`, which {}", fault.message),
            ..fault
        })
    });
    wrong.collect()
}

/// Where an authority is.
fn acme_directory(value: &Value, _: &Values) -> Vec<Fault> {
    let wrong = !value.text().starts_with("https://");
    rules::faults(wrong.then(|| Fault::error("does not begin with https://")))
}

/// A DNS server, with or without its port.
fn acme_resolver(value: &Value, _: &Values) -> Vec<Fault> {
    let text = value.text();
    let right = text.parse::<IpAddr>().is_ok() || text.parse::<SocketAddr>().is_ok();
    rules::faults((!right).then(|| {
        Fault::error("is no address of a server").fix("such as 192.0.2.1, or 192.0.2.1:5353")
    }))
}
